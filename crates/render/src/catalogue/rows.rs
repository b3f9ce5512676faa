//! The rows: a new artifact is one more of them, and its templates.

use talosmith_machinery::Role;
use talosmith_model::plan::{Cluster, KataFiles, LocalPathFiles};

use super::templates::embedded;
use super::{Application, ClusterEach, ClusterRow, Each, Reader, Row, Template};

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
    Row {
        key: "install.image",
        each: Each::Device(|device| device.images.install.image.is_some()),
        file: "installer-image.patch.yaml",
        template: per_format!("installer-image"),
        about: "the installer image",
        ..PATCH
    },
    Row {
        key: "install.alternatives.*",
        each: Each::Alternative,
        file: "installer-image.*.patch.yaml",
        template: per_format!("installer-image"),
        applied: false,
        about: "another installer image, never applied with the rest",
        ..PATCH
    },
    Row {
        key: "install.disk",
        each: Each::Device(|device| device.images.install.disk_key().is_some()),
        file: "install-disk.patch.yaml",
        template: per_format!("install-disk"),
        about: "the disk to install on, and whether it is wiped",
        ..PATCH
    },
    Row {
        key: "hostname",
        each: Each::Device(|_| true),
        file: "hostname.patch.yaml",
        template: same!("hostname"),
        about: "the hostname",
        ..PATCH
    },
    Row {
        key: "endpoint",
        each: Each::Device(|device| device.kubernetes.endpoint.is_some()),
        file: "endpoint.patch.yaml",
        template: per_format!("endpoint"),
        about: "the URL of the Kubernetes API",
        ..PATCH
    },
    Row {
        key: "certSANs",
        each: Each::Device(|device| !device.kubernetes.cert_sans.is_empty()),
        file: "cert-sans.patch.yaml",
        template: same!("cert-sans"),
        about: "names that the certificate of the Talos API is valid for",
        ..PATCH
    },
    Row {
        key: "volumes.*",
        each: Each::Volume,
        file: "*-volume.patch.yaml",
        template: same!("volume"),
        about: "a volume; the name in lower case",
        ..PATCH
    },
    Row {
        key: "nameservers",
        each: Each::Device(|device| {
            device.network.search_domains.is_some()
                || device.network.nameservers.as_ref().is_some_and(|servers| !servers.is_empty())
        }),
        file: "dns.patch.yaml",
        template: per_format!("nameservers"),
        about: "the DNS servers, and the search domains; `tailscale-dns.patch.yaml` on a device with Tailscale",
        ..PATCH
    },
    Row {
        key: "staticHosts",
        each: Each::Device(|device| !device.network.static_hosts.is_empty()),
        file: "static-hosts.patch.yaml",
        template: same!("static-hosts"),
        about: "names that the node knows by itself",
        ..PATCH
    },
    Row {
        key: "links",
        each: Each::Device(|device| !device.network.links.is_empty()),
        file: "network.patch.yaml",
        template: same!("network"),
        about: "the links of the node's network",
        ..PATCH
    },
    Row {
        key: "vips",
        each: Each::Device(|device| !device.network.vips.is_empty()),
        file: "vips.patch.yaml",
        template: same!("vips"),
        about: "addresses that control planes share",
        ..PATCH
    },
    Row {
        key: "hostDNS",
        each: Each::Device(|device| device.features.host_dns.is_some()),
        file: "host-dns.patch.yaml",
        template: per_format!("host-dns"),
        about: "the DNS resolver on the node",
        ..PATCH
    },
    Row {
        key: "discovery",
        each: Each::Device(|device| device.features.discovery.is_some()),
        file: "discovery.patch.yaml",
        template: per_format!("discovery"),
        about: "the discovery of other nodes",
        ..PATCH
    },
    Row {
        key: "time",
        each: Each::Device(|device| device.system.time.is_some()),
        file: "time.patch.yaml",
        template: per_format!("time"),
        about: "the synchronisation of the time",
        ..PATCH
    },
    Row {
        key: "registries",
        each: Each::Device(|device| !device.system.mirrors.is_empty()),
        file: "registries.patch.yaml",
        template: per_format!("registries"),
        about: "mirrors of registries",
        ..PATCH
    },
    Row {
        key: "registries.auth",
        each: Each::Device(|device| !device.host.registry_auth.is_empty()),
        file: "registry-auth.yaml",
        template: same!("registry-auth"),
        about: "the credentials of registries",
        ..PATCH
    },
    Row {
        key: "registries.tls",
        each: Each::Device(|device| !device.host.registry_tls.is_empty()),
        file: "registry-tls.patch.yaml",
        template: same!("registry-tls"),
        about: "the certificates of registries",
        ..PATCH
    },
    Row {
        key: "logs",
        each: Each::Device(|device| !device.host.service_logs.is_empty() || !device.host.kernel_logs.is_empty()),
        file: "logs.patch.yaml",
        template: same!("logs"),
        about: "where logs are sent",
        ..PATCH
    },
    Row {
        key: "watchdog",
        each: Each::Device(|device| device.host.watchdog.is_some()),
        file: "watchdog.patch.yaml",
        template: same!("watchdog"),
        about: "the hardware watchdog",
        ..PATCH
    },
    Row {
        key: "udevRules",
        each: Each::Device(|device| !device.host.udev_rules.is_empty()),
        file: "udev.patch.yaml",
        template: per_format!("udev"),
        about: "rules for devices of the node",
        ..PATCH
    },
    Row {
        key: "scrub",
        each: Each::Device(|device| device.host.scrub_interval.is_some()),
        file: "scrub.patch.yaml",
        template: same!("scrub"),
        about: "how often file systems are checked",
        ..PATCH
    },
    Row {
        key: "kernelModules",
        each: Each::Device(|device| !device.system.kernel_modules.is_empty()),
        file: "kernel-modules.patch.yaml",
        template: per_format!("kernel-modules"),
        about: "kernel modules and their parameters",
        ..PATCH
    },
    Row {
        key: "sysctls",
        each: Each::Device(|device| !device.system.sysctls.is_empty()),
        file: "sysctls.patch.yaml",
        template: per_format!("sysctls"),
        about: "kernel parameters",
        ..PATCH
    },
    Row {
        key: "machineFiles",
        each: Each::Device(|device| {
            !device.system.machine_files.files.is_empty() || !device.system.machine_files.etc.is_empty()
        }),
        file: "machine-files.patch.yaml",
        template: per_format!("machine-files"),
        about: "files that Talos writes",
        ..PATCH
    },
    Row {
        key: "labels",
        each: Each::Device(|device| !device.kubernetes.labels.is_empty()),
        file: "node-labels.patch.yaml",
        template: per_format!("labels"),
        about: "the labels of the Kubernetes node",
        ..PATCH
    },
    Row {
        key: "annotations",
        each: Each::Device(|device| !device.kubernetes.annotations.is_empty()),
        file: "node-annotations.patch.yaml",
        template: per_format!("annotations"),
        about: "the annotations of the Kubernetes node",
        ..PATCH
    },
    Row {
        key: "taints",
        each: Each::Device(|device| !device.kubernetes.taints.is_empty()),
        file: "node-taints.patch.yaml",
        template: per_format!("taints"),
        about: "the taints of the Kubernetes node",
        ..PATCH
    },
    Row {
        key: "kubelet.extraMounts",
        each: Each::Device(|device| !device.kubernetes.kubelet.extra_mounts.is_empty()),
        file: "kubelet-mounts.patch.yaml",
        template: same!("kubelet-mounts"),
        about: "folders that the kubelet sees",
        ..PATCH
    },
    Row {
        key: "kubelet.disableManifestsDirectory",
        each: Each::Device(|device| device.kubernetes.kubelet.disable_manifests_directory.is_some()),
        file: "kubelet-manifests.patch.yaml",
        template: same!("kubelet-manifests"),
        about: "whether the kubelet reads static pod manifests",
        ..PATCH
    },
    Row {
        key: "kubelet.nodeIP",
        each: Each::Device(|device| !device.kubernetes.kubelet.valid_subnets.is_empty()),
        file: "kubelet-node-ip.patch.yaml",
        template: per_format!("kubelet-node-ip"),
        about: "which of its addresses the node reports",
        ..PATCH
    },
    Row {
        key: "kubelet",
        each: Each::Device(|device| {
            let kubelet = &device.kubernetes.kubelet;
            !kubelet.config.is_empty() || !kubelet.extra_args.is_empty() || !kubelet.cluster_dns.is_empty()
        }),
        file: "kubelet.patch.yaml",
        template: per_format!("kubelet"),
        about: "the kubelet's other settings",
        ..PATCH
    },
    Row {
        key: "etcd",
        each: Each::Device(|device| device.kubernetes.etcd.is_some()),
        file: "etcd.patch.yaml",
        template: same!("etcd"),
        about: "settings of etcd",
        ..PATCH
    },
    Row {
        key: "apiServer",
        each: Each::Device(|device| device.kubernetes.api_server.is_some()),
        file: "api-server.patch.yaml",
        template: per_format!("api-server"),
        about: "settings of the Kubernetes API server",
        ..PATCH
    },
    Row {
        key: "apiServer.admissionControl",
        each: Each::Device(|device| device.components.admission_control.is_some()),
        file: "admission-control.patch.yaml",
        template: per_format!("admission-control"),
        about: "the configuration of admission plugins",
        ..PATCH
    },
    Row {
        key: "apiServer.auditPolicy",
        each: Each::Device(|device| device.components.audit_policy.is_some()),
        file: "audit-policy.patch.yaml",
        template: per_format!("audit-policy"),
        about: "the audit policy",
        ..PATCH
    },
    Row {
        key: "cni",
        each: Each::Device(|device| device.components.cni.is_some()),
        file: "cni.patch.yaml",
        template: per_format!("cni"),
        about: "the network plugin that Talos installs",
        ..PATCH
    },
    Row {
        key: "proxy",
        each: Each::Device(|device| device.components.proxy.is_some()),
        file: "kube-proxy.patch.yaml",
        template: per_format!("kube-proxy"),
        about: "whether Talos installs kube-proxy",
        ..PATCH
    },
    Row {
        key: "coreDNS",
        each: Each::Device(|device| device.components.core_dns.is_some()),
        file: "coredns.patch.yaml",
        template: per_format!("coredns"),
        about: "whether Talos installs CoreDNS",
        ..PATCH
    },
    Row {
        key: "manifests",
        each: Each::Device(|device| device.components.manifests.is_some()),
        file: "manifests.patch.yaml",
        template: per_format!("manifests"),
        about: "Kubernetes objects that Talos creates",
        ..PATCH
    },
    Row {
        key: "clusterNetwork",
        each: Each::Device(|device| device.cluster_network.is_some()),
        file: "cluster-network.patch.yaml",
        template: per_format!("cluster-network"),
        about: "the cluster's pod and service networks and its DNS domain",
        ..PATCH
    },
    Row {
        key: "controllerManager",
        each: Each::Device(|device| device.components.controller_manager.is_some()),
        file: "controller-manager.patch.yaml",
        template: per_format!("controller-manager"),
        about: "settings of kube-controller-manager",
        ..PATCH
    },
    Row {
        key: "scheduler",
        each: Each::Device(|device| device.components.scheduler.is_some()),
        file: "scheduler.patch.yaml",
        template: per_format!("scheduler"),
        about: "settings of kube-scheduler",
        ..PATCH
    },
    Row {
        key: "kubernetesTalosAPIAccess",
        each: Each::Device(|device| device.components.talos_api_access.is_some()),
        file: "talos-api-access.patch.yaml",
        template: per_format!("talos-api-access"),
        about: "the access of pods to the Talos API",
        ..PATCH
    },
    Row {
        key: "kubePrism",
        each: Each::Device(|device| device.features.kube_prism.is_some()),
        file: "kube-prism.patch.yaml",
        template: per_format!("kube-prism"),
        about: "the load balancer for the Kubernetes API",
        ..PATCH
    },
    Row {
        key: "allowSchedulingOnControlPlanes",
        // A worker has no such taint, and Talos refuses to delete what does not exist.
        each: Each::Device(|device| {
            device.role == Role::ControlPlane && device.kubernetes.allow_scheduling_on_control_planes.is_some()
        }),
        file: "allow-scheduling-controlplane.patch.yaml",
        template: per_format!("scheduling"),
        about: "whether workloads run on control-plane nodes",
        ..PATCH
    },
    Row {
        key: "kata",
        each: Each::Device(|device| device.kubernetes.kata),
        file: "kata-firecracker.patch.yaml",
        template: per_format!("kata"),
        about: "containerd's blockfile snapshotter and the kata runtime",
        ..PATCH
    },
    Row {
        key: "tailscale",
        each: Each::Device(|device| device.network.tailscale.is_some()),
        file: "tailscale-extension-service.yaml",
        template: same!("tailscale"),
        about: "the Tailscale service",
        ..PATCH
    },
    Row {
        key: "extensionServices.*",
        each: Each::ExtensionService,
        file: "*-extension-service.yaml",
        template: same!("extension-service"),
        about: "the environment and the files of an extension service",
        ..PATCH
    },
    Row {
        key: "gpu.amd.devicePlugin",
        each: Each::Device(|device| device.kubernetes.gpu.amd_device_plugin.is_some()),
        file: "k8s/amdgpu-device-plugin.yaml",
        template: same!("amdgpu-device-plugin"),
        reader: Reader::Kubernetes,
        about: "the DaemonSet that provides `amd.com/gpu`",
        ..PATCH
    },
    Row {
        key: "gpu.amd.labeller",
        each: Each::Device(|device| device.kubernetes.gpu.amd_labeller.is_some()),
        file: "k8s/amdgpu-device-labeller.yaml",
        template: same!("amdgpu-device-labeller"),
        reader: Reader::Kubernetes,
        about: "the DaemonSet that labels nodes by their GPUs",
        ..PATCH
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

fn local_path(cluster: &Cluster, name: fn(&LocalPathFiles) -> &String) -> String {
    cluster.local_path.as_ref().map(|it| name(&it.files).clone()).unwrap_or_default()
}

fn kata(cluster: &Cluster, name: fn(&KataFiles) -> &String) -> String {
    cluster.kata.as_ref().map(|it| name(&it.files).clone()).unwrap_or_default()
}

/// The artifacts of clusters.
pub static CLUSTER: &[ClusterRow] = &[
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|_| true),
        file: "kustomization.yaml",
        key: None,
        path: |_, _| "kustomization.yaml".to_owned(),
        template: embedded!("cluster/local-path-kustomization.yaml.j2"),
        about: "the release of the provisioner and its patches",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|_| true),
        file: "patches/local-path-config.patch.yaml",
        key: Some("config"),
        path: |cluster, _| local_path(cluster, |files| &files.config),
        template: embedded!("cluster/local-path-config.yaml.j2"),
        about: "the paths on each node",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|cluster| {
            cluster.local_path.as_ref().is_some_and(|application| application.default_class.is_some())
        }),
        file: "patches/local-path-storageclass.patch.yaml",
        key: Some("storageClass"),
        path: |cluster, _| local_path(cluster, |files| &files.storage_class),
        template: embedded!("cluster/local-path-storageclass.yaml.j2"),
        about: "whether the StorageClass is the default one",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::DeviceWithClasses,
        file: "storageclasses/*.yaml",
        key: Some("storageClasses"),
        path: |cluster, item| {
            let folder = local_path(cluster, |files| &files.storage_classes);
            format!("{folder}/{}.yaml", item.map_or("", |item| item.device.as_str()))
        },
        template: embedded!("cluster/local-path-storageclasses.yaml.j2"),
        about: "the StorageClasses for single volumes of a device",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|cluster| {
            cluster.local_path.as_ref().is_some_and(|application| application.label_namespace)
        }),
        file: "patches/namespace-labels.patch.yaml",
        key: Some("namespace"),
        path: |cluster, _| local_path(cluster, |files| &files.namespace),
        template: embedded!("cluster/local-path-namespace.yaml.j2"),
        about: "lets helper pods mount host paths",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|_| true),
        file: "kustomization.yaml",
        key: None,
        path: |_, _| "kustomization.yaml".to_owned(),
        template: embedded!("cluster/kata-kustomization.yaml.j2"),
        about: "lists the files below and hand-written ones",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|_| true),
        file: "blockfile-scratch-daemonset.yaml",
        key: Some("daemonSet"),
        path: |cluster, _| kata(cluster, |files| &files.daemon_set),
        template: embedded!("cluster/kata-daemonset.yaml.j2"),
        about: "creates the scratch file of the blockfile snapshotter",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|_| true),
        file: "runtimeclass-*.yaml",
        key: Some("runtimeClass"),
        path: |cluster, _| kata(cluster, |files| &files.runtime_class),
        template: embedded!("cluster/kata-runtimeclass.yaml.j2"),
        about: "the RuntimeClass",
    },
];
