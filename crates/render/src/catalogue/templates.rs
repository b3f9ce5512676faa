//! The built-in templates. A row of the catalogue embeds its own; those that other templates include are listed here.

use std::collections::BTreeMap;

use super::{CLUSTER, DEVICE, Template};

/// A template from the folder `templates/`, embedded in the program.
#[derive(Debug, Clone, Copy)]
pub struct BuiltInTemplate {
    /// The path below `templates/`, by which a user's template replaces this one.
    pub name: &'static str,
    /// The content of the file.
    pub text: &'static str,
}

/// Embeds a file from the folder `templates/`; `include_str!` needs a literal, so this cannot be a function.
macro_rules! embedded {
    ($($name:literal),+) => {
        $crate::catalogue::BuiltInTemplate {
            name: concat!($($name),+),
            text: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/", $($name),+)),
        }
    };
}
pub(super) use embedded;

/// The templates for GPUs, which devices and clusters have.
pub(super) const AMD_DEVICE_PLUGIN: BuiltInTemplate = embedded!("gpu/amd-device-plugin.yaml.j2");
pub(super) const AMD_LABELLER: BuiltInTemplate = embedded!("gpu/amd-labeller.yaml.j2");
pub(super) const INTEL_DEVICE_PLUGIN: BuiltInTemplate = embedded!("gpu/intel-device-plugin.yaml.j2");
pub(super) const NVIDIA_DEVICE_PLUGIN: BuiltInTemplate = embedded!("gpu/nvidia-device-plugin.yaml.j2");

/// The templates that others place with `part(…)`.
const PARTS: [BuiltInTemplate; 5] = [
    embedded!("part/containerd.toml.j2"),
    embedded!("part/helper-pod.yaml.j2"),
    embedded!("part/kata.toml.j2"),
    embedded!("part/local-path-config.json.j2"),
    embedded!("part/scratch.sh.j2"),
];

/// The sections of the runbook, which its template includes.
const SECTIONS: [BuiltInTemplate; 15] = [
    embedded!("device/runbook/apply.md.j2"),
    embedded!("device/runbook/checks.md.j2"),
    embedded!("device/runbook/config.md.j2"),
    embedded!("device/runbook/disks.md.j2"),
    embedded!("device/runbook/facts.md.j2"),
    embedded!("device/runbook/files.md.j2"),
    embedded!("device/runbook/gpu.md.j2"),
    embedded!("device/runbook/install.md.j2"),
    embedded!("device/runbook/kata.md.j2"),
    embedded!("device/runbook/local-path.md.j2"),
    embedded!("device/runbook/references.md.j2"),
    embedded!("device/runbook/rollback.md.j2"),
    embedded!("device/runbook/tailscale.md.j2"),
    embedded!("device/runbook/upgrade.md.j2"),
    embedded!("device/runbook/volumes.md.j2"),
];

/// Returns the texts of all built-in templates by their names.
pub fn built_in_templates() -> BTreeMap<&'static str, &'static str> {
    let of_devices = DEVICE.iter().flat_map(|row| match row.template {
        Template::Same(template) => vec![template],
        Template::PerFormat { v1alpha1, documents } => vec![v1alpha1, documents],
        Template::Raw => Vec::new(),
    });
    let all = of_devices.chain(CLUSTER.iter().map(|row| row.template)).chain(PARTS).chain(SECTIONS);
    all.map(|template| (template.name, template.text)).collect()
}
