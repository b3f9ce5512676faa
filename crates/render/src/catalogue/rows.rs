//! The rows of devices: a new artifact is one more of them, and its templates.

use talosmith_machinery::Role;
use talosmith_model::plan::Device;

use super::templates::{
    AMD_DEVICE_PLUGIN, AMD_LABELLER, BuiltInTemplate, INTEL_DEVICE_PLUGIN, NVIDIA_DEVICE_PLUGIN, embedded,
};
use super::{Each, Reader, Row, Template};

/// One template for every base config: `device/<name>.yaml.j2`.
macro_rules! same {
    ($name:literal) => {
        Template::Same(embedded!("device/", $name, ".yaml.j2"))
    };
}

/// A template for each format of the base config: `device/<name>.v1alpha1.yaml.j2` and `device/<name>.documents.yaml.j2`.
macro_rules! per_format {
    ($name:literal) => {
        Template::PerFormat {
            v1alpha1: embedded!("device/", $name, ".v1alpha1.yaml.j2"),
            documents: embedded!("device/", $name, ".documents.yaml.j2"),
        }
    };
}

/// The fields that most rows share.
const PATCH: Row = Row {
    key: "",
    each: Each::Device(|_| true),
    file: "",
    template: Template::Raw,
    reader: Reader::Talos,
    applied: true,
    about: "",
};

/// The template of the picture of the disks.
const MAP: BuiltInTemplate = embedded!("device/disks.svg.j2");
pub(crate) const DISK_MAP: &str = MAP.name;

/// The fields that the rows of documents share.
const DOCUMENT: Row = Row { reader: Reader::Operator, applied: false, ..PATCH };

/// A machine-config patch that a device has if the function returns true.
const fn patch(
    key: &'static str,
    file: &'static str,
    template: Template,
    about: &'static str,
    is_wanted: fn(&Device) -> bool,
) -> Row {
    Row { key, file, template, about, each: Each::Device(is_wanted), ..PATCH }
}

/// Kubernetes objects for the GPUs of a vendor, whose templates a cluster's application has too.
const fn gpu(key: &'static str, file: &'static str, template: BuiltInTemplate, about: &'static str, each: Each) -> Row {
    Row { key, file, template: Template::Same(template), reader: Reader::Kubernetes, about, each, ..PATCH }
}

/// The artifacts of devices, in the order in which a person would apply the files.
pub static DEVICE: &[Row] = &[
    Row {
        key: "schematics.*",
        each: Each::Schematic,
        file: "@-*-schematic.yaml",
        template: same!("schematic"),
        reader: Reader::ImageFactory,
        about: "an Image Factory schematic",
        ..PATCH
    },
    patch(
        "install.image",
        "installer-image.patch.yaml",
        per_format!("installer-image"),
        "the installer image",
        |device| device.images.install.image.is_some(),
    ),
    Row {
        key: "install.alternatives.*",
        each: Each::Alternative,
        file: "installer-image.*.patch.yaml",
        template: per_format!("installer-image"),
        applied: false,
        about: "another installer image, never applied with the rest",
        ..PATCH
    },
    patch(
        "install.disk",
        "install-disk.patch.yaml",
        per_format!("install-disk"),
        "the disk to install on, and whether it is wiped",
        |device| device.images.install.disk_key().is_some(),
    ),
    patch("hostname", "hostname.patch.yaml", same!("hostname"), "the hostname", |_| true),
    patch("endpoint", "endpoint.patch.yaml", per_format!("endpoint"), "the URL of the Kubernetes API", |device| {
        device.kubernetes.endpoint.is_some()
    }),
    patch(
        "certSANs",
        "cert-sans.patch.yaml",
        same!("cert-sans"),
        "names that the certificate of the Talos API is valid for",
        |device| !device.kubernetes.cert_sans.is_empty(),
    ),
    Row {
        key: "volumes.*",
        each: Each::Volume,
        file: "*-volume.patch.yaml",
        template: same!("volume"),
        about: "a volume; the name in lower case",
        ..PATCH
    },
    patch(
        "nameservers",
        "dns.patch.yaml",
        per_format!("nameservers"),
        "the DNS servers, and the search domains; `tailscale-dns.patch.yaml` on a device with Tailscale",
        |device| {
            device.network.search_domains.is_some()
                || device.network.nameservers.as_ref().is_some_and(|servers| !servers.is_empty())
        },
    ),
    patch(
        "staticHosts",
        "static-hosts.patch.yaml",
        same!("static-hosts"),
        "names that the node knows by itself",
        |device| !device.network.static_hosts.is_empty(),
    ),
    patch("links", "network.patch.yaml", same!("network"), "the links of the node's network", |device| {
        !device.network.links.is_empty()
    }),
    patch("vips", "vips.patch.yaml", same!("vips"), "addresses that control planes share", |device| {
        !device.network.vips.is_empty()
    }),
    patch("hostDNS", "host-dns.patch.yaml", per_format!("host-dns"), "the DNS resolver on the node", |device| {
        device.features.host_dns.is_some()
    }),
    patch("discovery", "discovery.patch.yaml", per_format!("discovery"), "the discovery of other nodes", |device| {
        device.features.discovery.is_some()
    }),
    patch("time", "time.patch.yaml", per_format!("time"), "the synchronisation of the time", |device| {
        device.system.time.is_some()
    }),
    patch("registries", "registries.patch.yaml", per_format!("registries"), "mirrors of registries", |device| {
        !device.system.mirrors.is_empty()
    }),
    patch("registries.auth", "registry-auth.yaml", same!("registry-auth"), "the credentials of registries", |device| {
        !device.host.registry_auth.is_empty()
    }),
    patch(
        "registries.tls",
        "registry-tls.patch.yaml",
        same!("registry-tls"),
        "the certificates of registries",
        |device| !device.host.registry_tls.is_empty(),
    ),
    patch("logs", "logs.patch.yaml", same!("logs"), "where logs are sent", |device| {
        !device.host.service_logs.is_empty() || !device.host.kernel_logs.is_empty()
    }),
    patch("watchdog", "watchdog.patch.yaml", same!("watchdog"), "the hardware watchdog", |device| {
        device.host.watchdog.is_some()
    }),
    patch("udevRules", "udev.patch.yaml", per_format!("udev"), "rules for devices of the node", |device| {
        !device.host.udev_rules.is_empty()
    }),
    patch("scrub", "scrub.patch.yaml", same!("scrub"), "how often file systems are checked", |device| {
        device.host.scrub_interval.is_some()
    }),
    patch(
        "kernelModules",
        "kernel-modules.patch.yaml",
        per_format!("kernel-modules"),
        "kernel modules and their parameters",
        |device| !device.system.kernel_modules.is_empty(),
    ),
    patch("sysctls", "sysctls.patch.yaml", per_format!("sysctls"), "kernel parameters", |device| {
        !device.system.sysctls.is_empty()
    }),
    patch(
        "machineFiles",
        "machine-files.patch.yaml",
        per_format!("machine-files"),
        "files that Talos writes",
        |device| !device.system.machine_files.files.is_empty() || !device.system.machine_files.etc.is_empty(),
    ),
    patch("labels", "node-labels.patch.yaml", per_format!("labels"), "the labels of the Kubernetes node", |device| {
        !device.kubernetes.labels.is_empty()
    }),
    patch(
        "annotations",
        "node-annotations.patch.yaml",
        per_format!("annotations"),
        "the annotations of the Kubernetes node",
        |device| !device.kubernetes.annotations.is_empty(),
    ),
    patch("taints", "node-taints.patch.yaml", per_format!("taints"), "the taints of the Kubernetes node", |device| {
        !device.kubernetes.taints.is_empty()
    }),
    patch(
        "kubelet.extraMounts",
        "kubelet-mounts.patch.yaml",
        same!("kubelet-mounts"),
        "folders that the kubelet sees",
        |device| !device.kubernetes.kubelet.extra_mounts.is_empty(),
    ),
    patch(
        "kubelet.disableManifestsDirectory",
        "kubelet-manifests.patch.yaml",
        same!("kubelet-manifests"),
        "whether the kubelet reads static pod manifests",
        |device| device.kubernetes.kubelet.disable_manifests_directory.is_some(),
    ),
    patch(
        "kubelet.nodeIP",
        "kubelet-node-ip.patch.yaml",
        per_format!("kubelet-node-ip"),
        "which of its addresses the node reports",
        |device| !device.kubernetes.kubelet.valid_subnets.is_empty(),
    ),
    patch("kubelet", "kubelet.patch.yaml", per_format!("kubelet"), "the kubelet's other settings", |device| {
        let kubelet = &device.kubernetes.kubelet;
        !kubelet.config.is_empty() || !kubelet.extra_args.is_empty() || !kubelet.cluster_dns.is_empty()
    }),
    patch("etcd", "etcd.patch.yaml", same!("etcd"), "settings of etcd", |device| device.kubernetes.etcd.is_some()),
    patch(
        "apiServer",
        "api-server.patch.yaml",
        per_format!("api-server"),
        "settings of the Kubernetes API server",
        |device| device.kubernetes.api_server.is_some(),
    ),
    patch(
        "apiServer.admissionControl",
        "admission-control.patch.yaml",
        per_format!("admission-control"),
        "the configuration of admission plugins",
        |device| device.components.admission_control.is_some(),
    ),
    patch(
        "apiServer.auditPolicy",
        "audit-policy.patch.yaml",
        per_format!("audit-policy"),
        "the audit policy",
        |device| device.components.audit_policy.is_some(),
    ),
    patch("cni", "cni.patch.yaml", per_format!("cni"), "the network plugin that Talos installs", |device| {
        device.components.cni.is_some()
    }),
    patch("proxy", "kube-proxy.patch.yaml", per_format!("kube-proxy"), "whether Talos installs kube-proxy", |device| {
        device.components.proxy.is_some()
    }),
    patch("coreDNS", "coredns.patch.yaml", per_format!("coredns"), "whether Talos installs CoreDNS", |device| {
        device.components.core_dns.is_some()
    }),
    patch(
        "manifests",
        "manifests.patch.yaml",
        per_format!("manifests"),
        "Kubernetes objects that Talos creates",
        |device| device.components.manifests.is_some(),
    ),
    patch(
        "clusterNetwork",
        "cluster-network.patch.yaml",
        per_format!("cluster-network"),
        "the cluster's pod and service networks and its DNS domain",
        |device| device.cluster_network.is_some(),
    ),
    patch(
        "controllerManager",
        "controller-manager.patch.yaml",
        per_format!("controller-manager"),
        "settings of kube-controller-manager",
        |device| device.components.controller_manager.is_some(),
    ),
    patch("scheduler", "scheduler.patch.yaml", per_format!("scheduler"), "settings of kube-scheduler", |device| {
        device.components.scheduler.is_some()
    }),
    patch(
        "kubernetesTalosAPIAccess",
        "talos-api-access.patch.yaml",
        per_format!("talos-api-access"),
        "the access of pods to the Talos API",
        |device| device.components.talos_api_access.is_some(),
    ),
    patch(
        "kubePrism",
        "kube-prism.patch.yaml",
        per_format!("kube-prism"),
        "the load balancer for the Kubernetes API",
        |device| device.features.kube_prism.is_some(),
    ),
    // A worker has no such taint, and Talos refuses to delete what does not exist.
    patch(
        "allowSchedulingOnControlPlanes",
        "allow-scheduling-controlplane.patch.yaml",
        per_format!("scheduling"),
        "whether workloads run on control-plane nodes",
        |device| device.role == Role::ControlPlane && device.kubernetes.allow_scheduling_on_control_planes.is_some(),
    ),
    patch(
        "kata",
        "kata-firecracker.patch.yaml",
        per_format!("kata"),
        "containerd's blockfile snapshotter and the kata runtime",
        |device| device.kubernetes.kata,
    ),
    patch("tailscale", "tailscale-extension-service.yaml", same!("tailscale"), "the Tailscale service", |device| {
        device.network.tailscale.is_some()
    }),
    Row {
        key: "extensionServices.*",
        each: Each::ExtensionService,
        file: "*-extension-service.yaml",
        template: same!("extension-service"),
        about: "the environment and the files of an extension service",
        ..PATCH
    },
    gpu(
        "gpu.amd.devicePlugin",
        "k8s/amdgpu-device-plugin.yaml",
        AMD_DEVICE_PLUGIN,
        "the DaemonSet that provides `amd.com/gpu`",
        Each::Gpu(|gpu| gpu.amd.as_ref(), |pods| pods.device_plugin.as_ref()),
    ),
    gpu(
        "gpu.amd.labeller",
        "k8s/amdgpu-device-labeller.yaml",
        AMD_LABELLER,
        "the DaemonSet that labels nodes by their GPUs",
        Each::Gpu(|gpu| gpu.amd.as_ref(), |pods| pods.labeller.as_ref()),
    ),
    gpu(
        "gpu.intel.devicePlugin",
        "k8s/intel-gpu-plugin.yaml",
        INTEL_DEVICE_PLUGIN,
        "the DaemonSet that provides `gpu.intel.com/i915` or `gpu.intel.com/xe`",
        Each::Gpu(|gpu| gpu.intel.as_ref(), |pods| pods.device_plugin.as_ref()),
    ),
    gpu(
        "gpu.nvidia.devicePlugin",
        "k8s/nvidia-device-plugin.yaml",
        NVIDIA_DEVICE_PLUGIN,
        "the RuntimeClass `nvidia`, and the DaemonSet that provides `nvidia.com/gpu`",
        Each::Gpu(|gpu| gpu.nvidia.as_ref(), |pods| pods.device_plugin.as_ref()),
    ),
    Row {
        key: "documents.runbook",
        each: Each::Device(|device| device.documents.runbook.is_some()),
        file: "RUNBOOK.md",
        template: Template::Same(embedded!("device/runbook.md.j2")),
        about: "how to install, change, upgrade, check and restore the node",
        ..DOCUMENT
    },
    Row {
        key: "documents.diskMap",
        each: Each::Device(|device| device.documents.disk_map),
        file: "disks.svg",
        template: Template::Same(MAP),
        about: "a picture of the disks and their volumes, to scale",
        ..DOCUMENT
    },
    Row {
        key: "patches.*",
        each: Each::Patch,
        file: "*.patch.yaml",
        template: Template::Raw,
        about: "a raw patch of the machine config",
        ..PATCH
    },
];
