//! The built-in templates, embedded.

/// Each template: its name, as overrides name it, and its text. Sorted by name.
pub const TEMPLATES: &[(&str, &str)] = &[
    ("cluster/kata-daemonset.yaml.j2", include_str!("../../../templates/cluster/kata-daemonset.yaml.j2")),
    ("cluster/kata-kustomization.yaml.j2", include_str!("../../../templates/cluster/kata-kustomization.yaml.j2")),
    ("cluster/kata-runtimeclass.yaml.j2", include_str!("../../../templates/cluster/kata-runtimeclass.yaml.j2")),
    ("cluster/local-path-config.yaml.j2", include_str!("../../../templates/cluster/local-path-config.yaml.j2")),
    (
        "cluster/local-path-kustomization.yaml.j2",
        include_str!("../../../templates/cluster/local-path-kustomization.yaml.j2"),
    ),
    ("cluster/local-path-namespace.yaml.j2", include_str!("../../../templates/cluster/local-path-namespace.yaml.j2")),
    (
        "cluster/local-path-storageclass.yaml.j2",
        include_str!("../../../templates/cluster/local-path-storageclass.yaml.j2"),
    ),
    (
        "cluster/local-path-storageclasses.yaml.j2",
        include_str!("../../../templates/cluster/local-path-storageclasses.yaml.j2"),
    ),
    ("device/amdgpu-device-labeller.yaml.j2", include_str!("../../../templates/device/amdgpu-device-labeller.yaml.j2")),
    ("device/amdgpu-device-plugin.yaml.j2", include_str!("../../../templates/device/amdgpu-device-plugin.yaml.j2")),
    ("device/hostname.yaml.j2", include_str!("../../../templates/device/hostname.yaml.j2")),
    ("device/install-disk.documents.yaml.j2", include_str!("../../../templates/device/install-disk.documents.yaml.j2")),
    ("device/install-disk.v1alpha1.yaml.j2", include_str!("../../../templates/device/install-disk.v1alpha1.yaml.j2")),
    (
        "device/installer-image.documents.yaml.j2",
        include_str!("../../../templates/device/installer-image.documents.yaml.j2"),
    ),
    (
        "device/installer-image.v1alpha1.yaml.j2",
        include_str!("../../../templates/device/installer-image.v1alpha1.yaml.j2"),
    ),
    ("device/kata.documents.yaml.j2", include_str!("../../../templates/device/kata.documents.yaml.j2")),
    ("device/kata.v1alpha1.yaml.j2", include_str!("../../../templates/device/kata.v1alpha1.yaml.j2")),
    ("device/kubelet-manifests.yaml.j2", include_str!("../../../templates/device/kubelet-manifests.yaml.j2")),
    ("device/labels.documents.yaml.j2", include_str!("../../../templates/device/labels.documents.yaml.j2")),
    ("device/labels.v1alpha1.yaml.j2", include_str!("../../../templates/device/labels.v1alpha1.yaml.j2")),
    ("device/nameservers.documents.yaml.j2", include_str!("../../../templates/device/nameservers.documents.yaml.j2")),
    ("device/nameservers.v1alpha1.yaml.j2", include_str!("../../../templates/device/nameservers.v1alpha1.yaml.j2")),
    ("device/scheduling.documents.yaml.j2", include_str!("../../../templates/device/scheduling.documents.yaml.j2")),
    ("device/scheduling.v1alpha1.yaml.j2", include_str!("../../../templates/device/scheduling.v1alpha1.yaml.j2")),
    ("device/schematic.yaml.j2", include_str!("../../../templates/device/schematic.yaml.j2")),
    ("device/tailscale.yaml.j2", include_str!("../../../templates/device/tailscale.yaml.j2")),
    ("device/volume.yaml.j2", include_str!("../../../templates/device/volume.yaml.j2")),
    ("part/containerd.toml.j2", include_str!("../../../templates/part/containerd.toml.j2")),
    ("part/helper-pod.yaml.j2", include_str!("../../../templates/part/helper-pod.yaml.j2")),
    ("part/kata.toml.j2", include_str!("../../../templates/part/kata.toml.j2")),
    ("part/local-path-config.json.j2", include_str!("../../../templates/part/local-path-config.json.j2")),
    ("part/scratch.sh.j2", include_str!("../../../templates/part/scratch.sh.j2")),
];
