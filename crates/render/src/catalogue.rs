//! The catalogue: every artifact that talosmith knows has one row here.

use talosmith_model::device::Role;
use talosmith_model::plan::{Cluster, Content, Device, Flavour, NodeClasses};

/// What an artifact is made once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// A device.
    Device,
    /// A schematic of a device.
    Schematic,
    /// An installer image that is not applied.
    Alternative,
    /// A volume of a device.
    Volume,
    /// An extension service of a device but Tailscale.
    ExtensionService,
    /// A raw patch of a device.
    Patch,
    /// The local-path application of a cluster.
    LocalPath,
    /// A device with StorageClasses of its own in the local-path application of a cluster.
    StorageClasses,
    /// The kata-containers application of a cluster.
    Kata,
}

/// The template of an artifact.
#[derive(Debug, Clone, Copy)]
pub enum Template {
    /// The same one for all base configs.
    One(&'static str),
    /// One for v1alpha1 bases and one for bases of documents.
    Two(&'static str, &'static str),
    /// None: the patch is the user's own.
    Raw,
}

/// What reads an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The Image Factory.
    ImageFactory,
    /// Talos, as a patch of the machine config.
    Talos,
    /// Kubernetes or kustomize.
    Kubernetes,
}

/// A row of the catalogue.
#[derive(Debug)]
pub struct Row {
    /// The key of the model that asks for the file, as `files` names it; `*` is the item's name.
    pub key: &'static str,
    /// What it is made once for.
    pub each: Each,
    /// The path below `manifests/`; `*` is the item's name, `@` the device's. An artifact with a secret is tracked as
    /// `….template.yaml`, and the file with the value is `….yaml`.
    pub file: &'static str,
    /// How it is rendered.
    pub template: Template,
    /// What reads it.
    pub reader: Reader,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether the model asks for it.
    pub wanted: fn(&Device) -> bool,
    /// One line for the documents.
    pub about: &'static str,
}

/// Every artifact of a device, in the order in which a person would apply the files.
pub const DEVICE: &[Row] = &[
    Row {
        key: "schematics.*",
        each: Each::Schematic,
        file: "@-*-schematic.yaml",
        template: Template::One("device/schematic.yaml.j2"),
        reader: Reader::ImageFactory,
        applied: true,
        wanted: |_| true,
        about: "an Image Factory schematic",
    },
    Row {
        key: "install.image",
        each: Each::Device,
        file: "installer-image.patch.yaml",
        template: Template::Two("device/installer-image.v1alpha1.yaml.j2", "device/installer-image.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.install.image.is_some(),
        about: "the installer image",
    },
    Row {
        key: "install.alternatives.*",
        each: Each::Alternative,
        file: "installer-image.*.patch.yaml",
        template: Template::Two("device/installer-image.v1alpha1.yaml.j2", "device/installer-image.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: false,
        wanted: |_| true,
        about: "another installer image, never applied with the rest",
    },
    Row {
        key: "install.wipe",
        each: Each::Device,
        file: "install-disk.patch.yaml",
        template: Template::Two("device/install-disk.v1alpha1.yaml.j2", "device/install-disk.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.install.wipe.is_some(),
        about: "the disk to install on, and whether it is wiped",
    },
    Row {
        key: "hostname",
        each: Each::Device,
        file: "hostname.patch.yaml",
        template: Template::One("device/hostname.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |_| true,
        about: "the hostname",
    },
    Row {
        key: "endpoint",
        each: Each::Device,
        file: "endpoint.patch.yaml",
        template: Template::Two("device/endpoint.v1alpha1.yaml.j2", "device/endpoint.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.endpoint.is_some(),
        about: "the URL of the Kubernetes API",
    },
    Row {
        key: "certSANs",
        each: Each::Device,
        file: "cert-sans.patch.yaml",
        template: Template::One("device/cert-sans.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.cert_sans.is_empty(),
        about: "names that the certificate of the Talos API is good for",
    },
    Row {
        key: "volumes.*",
        each: Each::Volume,
        file: "*-volume.patch.yaml",
        template: Template::One("device/volume.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |_| true,
        about: "a volume; the name in lower case",
    },
    Row {
        key: "nameservers",
        each: Each::Device,
        file: "tailscale-dns.patch.yaml",
        template: Template::Two("device/nameservers.v1alpha1.yaml.j2", "device/nameservers.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| {
            device.search_domains.is_some() || device.nameservers.as_ref().is_some_and(|servers| !servers.is_empty())
        },
        about: "the DNS servers, and the search domains",
    },
    Row {
        key: "time",
        each: Each::Device,
        file: "time.patch.yaml",
        template: Template::Two("device/time.v1alpha1.yaml.j2", "device/time.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.time.is_some(),
        about: "how the node keeps time",
    },
    Row {
        key: "registries",
        each: Each::Device,
        file: "registries.patch.yaml",
        template: Template::Two("device/registries.v1alpha1.yaml.j2", "device/registries.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.mirrors.is_empty(),
        about: "mirrors of registries",
    },
    Row {
        key: "kernelModules",
        each: Each::Device,
        file: "kernel-modules.patch.yaml",
        template: Template::Two("device/kernel-modules.v1alpha1.yaml.j2", "device/kernel-modules.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.kernel_modules.is_empty(),
        about: "kernel modules and their parameters",
    },
    Row {
        key: "sysctls",
        each: Each::Device,
        file: "sysctls.patch.yaml",
        template: Template::Two("device/sysctls.v1alpha1.yaml.j2", "device/sysctls.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.sysctls.is_empty(),
        about: "kernel parameters",
    },
    Row {
        key: "machineFiles",
        each: Each::Device,
        file: "machine-files.patch.yaml",
        template: Template::Two("device/machine-files.v1alpha1.yaml.j2", "device/machine-files.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.machine_files.files.is_empty() || !device.machine_files.etc.is_empty(),
        about: "files that Talos writes",
    },
    Row {
        key: "labels",
        each: Each::Device,
        file: "node-labels.patch.yaml",
        template: Template::Two("device/labels.v1alpha1.yaml.j2", "device/labels.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.labels.is_empty(),
        about: "the labels of the Kubernetes node",
    },
    Row {
        key: "annotations",
        each: Each::Device,
        file: "node-annotations.patch.yaml",
        template: Template::Two("device/annotations.v1alpha1.yaml.j2", "device/annotations.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.annotations.is_empty(),
        about: "the annotations of the Kubernetes node",
    },
    Row {
        key: "taints",
        each: Each::Device,
        file: "node-taints.patch.yaml",
        template: Template::Two("device/taints.v1alpha1.yaml.j2", "device/taints.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.taints.is_empty(),
        about: "the taints of the Kubernetes node",
    },
    Row {
        key: "kubelet.disableManifestsDirectory",
        each: Each::Device,
        file: "kubelet-manifests.patch.yaml",
        template: Template::One("device/kubelet-manifests.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.kubelet.disable_manifests_directory.is_some(),
        about: "whether the kubelet reads static pod manifests",
    },
    Row {
        key: "kubelet.nodeIP",
        each: Each::Device,
        file: "kubelet-node-ip.patch.yaml",
        template: Template::Two("device/kubelet-node-ip.v1alpha1.yaml.j2", "device/kubelet-node-ip.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.kubelet.valid_subnets.is_empty(),
        about: "which of its addresses the node reports",
    },
    Row {
        key: "kubelet",
        each: Each::Device,
        file: "kubelet.patch.yaml",
        template: Template::Two("device/kubelet.v1alpha1.yaml.j2", "device/kubelet.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| !device.kubelet.config.is_empty() || !device.kubelet.extra_args.is_empty(),
        about: "the kubelet's other settings",
    },
    Row {
        key: "etcd",
        each: Each::Device,
        file: "etcd.patch.yaml",
        template: Template::One("device/etcd.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.etcd.is_some(),
        about: "settings of etcd",
    },
    Row {
        key: "apiServer",
        each: Each::Device,
        file: "api-server.patch.yaml",
        template: Template::Two("device/api-server.v1alpha1.yaml.j2", "device/api-server.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.api_server.is_some(),
        about: "settings of the Kubernetes API server",
    },
    Row {
        key: "allowSchedulingOnControlPlanes",
        each: Each::Device,
        file: "allow-scheduling-controlplane.patch.yaml",
        template: Template::Two("device/scheduling.v1alpha1.yaml.j2", "device/scheduling.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        // A worker has no such taint, and Talos refuses to delete what is not there.
        wanted: |device| device.role == Role::ControlPlane && device.allow_scheduling_on_control_planes.is_some(),
        about: "whether workloads run on control-plane nodes",
    },
    Row {
        key: "kata",
        each: Each::Device,
        file: "kata-firecracker.patch.yaml",
        template: Template::Two("device/kata.v1alpha1.yaml.j2", "device/kata.documents.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.kata,
        about: "containerd's blockfile snapshotter and the kata runtime",
    },
    Row {
        key: "tailscale",
        each: Each::Device,
        file: "tailscale-extension-service.yaml",
        template: Template::One("device/tailscale.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |device| device.tailscale.is_some(),
        about: "the Tailscale service",
    },
    Row {
        key: "extensionServices.*",
        each: Each::ExtensionService,
        file: "*-extension-service.yaml",
        template: Template::One("device/extension-service.yaml.j2"),
        reader: Reader::Talos,
        applied: true,
        wanted: |_| true,
        about: "the environment and the files of an extension service",
    },
    Row {
        key: "gpu.amd.devicePlugin",
        each: Each::Device,
        file: "k8s/amdgpu-device-plugin.yaml",
        template: Template::One("device/amdgpu-device-plugin.yaml.j2"),
        reader: Reader::Kubernetes,
        applied: true,
        wanted: |device| device.gpu.amd_device_plugin.is_some(),
        about: "the DaemonSet that offers `amd.com/gpu`",
    },
    Row {
        key: "gpu.amd.labeller",
        each: Each::Device,
        file: "k8s/amdgpu-device-labeller.yaml",
        template: Template::One("device/amdgpu-device-labeller.yaml.j2"),
        reader: Reader::Kubernetes,
        applied: true,
        wanted: |device| device.gpu.amd_labeller.is_some(),
        about: "the DaemonSet that labels nodes by their GPUs",
    },
    Row {
        key: "patches.*",
        each: Each::Patch,
        file: "*.patch.yaml",
        template: Template::Raw,
        reader: Reader::Talos,
        applied: true,
        wanted: |_| true,
        about: "a raw patch of the machine config",
    },
];

/// A row for an application of a cluster.
#[derive(Debug)]
pub struct ClusterRow {
    /// The application.
    pub each: Each,
    /// The path below the application's folder; `*` is the runtime's name, or the device's.
    pub file: &'static str,
    /// How it is rendered.
    pub template: &'static str,
    /// Whether the model asks for it.
    pub wanted: fn(&Cluster) -> bool,
    /// One line for the documents.
    pub about: &'static str,
}

/// Every artifact of a cluster.
pub const CLUSTER: &[ClusterRow] = &[
    ClusterRow {
        each: Each::LocalPath,
        file: "kustomization.yaml",
        template: "cluster/local-path-kustomization.yaml.j2",
        wanted: |_| true,
        about: "the release of the provisioner and its patches",
    },
    ClusterRow {
        each: Each::LocalPath,
        file: "patches/local-path-config.patch.yaml",
        template: "cluster/local-path-config.yaml.j2",
        wanted: |_| true,
        about: "the paths on each node",
    },
    ClusterRow {
        each: Each::LocalPath,
        file: "patches/local-path-storageclass.patch.yaml",
        template: "cluster/local-path-storageclass.yaml.j2",
        wanted: |cluster| cluster.local_path.as_ref().is_some_and(|application| application.default_class),
        about: "makes the StorageClass the default one",
    },
    ClusterRow {
        each: Each::StorageClasses,
        file: "storageclasses/*.yaml",
        template: "cluster/local-path-storageclasses.yaml.j2",
        wanted: |_| true,
        about: "the StorageClasses for single volumes of a device",
    },
    ClusterRow {
        each: Each::LocalPath,
        file: "patches/namespace-labels.patch.yaml",
        template: "cluster/local-path-namespace.yaml.j2",
        wanted: |cluster| cluster.local_path.as_ref().is_some_and(|application| application.label_namespace),
        about: "lets helper pods mount host paths",
    },
    ClusterRow {
        each: Each::Kata,
        file: "kustomization.yaml",
        template: "cluster/kata-kustomization.yaml.j2",
        wanted: |_| true,
        about: "lists the files below and hand-written ones",
    },
    ClusterRow {
        each: Each::Kata,
        file: "blockfile-scratch-daemonset.yaml",
        template: "cluster/kata-daemonset.yaml.j2",
        wanted: |_| true,
        about: "makes the scratch file of the blockfile snapshotter",
    },
    ClusterRow {
        each: Each::Kata,
        file: "runtimeclass-*.yaml",
        template: "cluster/kata-runtimeclass.yaml.j2",
        wanted: |_| true,
        about: "the RuntimeClass",
    },
];

impl Reader {
    /// How reports name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImageFactory => "image-factory",
            Self::Talos => "talos",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl Template {
    /// The template for a base config.
    #[must_use]
    pub const fn of(self, flavour: Flavour) -> Option<&'static str> {
        match (self, flavour) {
            (Self::One(name), _)
            | (Self::Two(name, _), Flavour::V1alpha1)
            | (Self::Two(_, name), Flavour::Documents) => Some(name),
            (Self::Raw, _) => None,
        }
    }
}

impl Row {
    /// The names of the items that the artifact is made for; one empty name if it is made for the device as a whole.
    #[must_use]
    pub fn items(&self, device: &Device) -> Vec<String> {
        match self.each {
            Each::Schematic => device.schematics.iter().map(|item| item.name.clone()).collect(),
            Each::Alternative => device.install.alternatives.iter().map(|item| item.name.clone()).collect(),
            Each::Volume => device.volumes.iter().map(|item| item.name.clone()).collect(),
            Each::ExtensionService => device.extension_services.iter().map(|item| item.name.clone()).collect(),
            Each::Patch => device.patches.iter().map(|item| item.name.clone()).collect(),
            Each::Device if (self.wanted)(device) => vec![String::new()],
            Each::Device | Each::LocalPath | Each::StorageClasses | Each::Kata => Vec::new(),
        }
    }
}

impl ClusterRow {
    /// What the artifact is made for: devices, or once nothing in particular. None where no device takes part.
    #[must_use]
    pub fn items<'a>(&self, cluster: &'a Cluster) -> Vec<Option<&'a NodeClasses>> {
        let takes_part = match self.each {
            Each::Kata => cluster.kata.as_ref().is_some_and(|kata| !kata.nodes.is_empty()),
            _ => cluster.local_path.as_ref().is_some_and(|local_path| local_path.offered),
        };
        if !takes_part || !(self.wanted)(cluster) {
            return Vec::new();
        }
        match self.each {
            Each::StorageClasses => cluster.local_path.iter().flat_map(|it| &it.storage_classes).map(Some).collect(),
            _ => vec![None],
        }
    }
}

/// The text of a raw patch, without our header.
#[must_use]
pub fn raw(device: &Device, name: &str) -> String {
    match device.patches.iter().find(|patch| patch.name == name).map(|patch| &patch.content) {
        Some(Content::Mapping(mapping)) => crate::emit::rewritten(mapping),
        Some(Content::Text(text)) => text.to_string(),
        None => String::new(),
    }
}
