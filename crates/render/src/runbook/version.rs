//! What differs between the versions of Talos for the one who operates a node.

use serde::Serialize;
use talosmith_document::TalosVersion;
use talosmith_model::plan::Device;

/// The Talos of a node, and what it and its talosctl do.
#[derive(Debug, Serialize)]
pub(crate) struct VersionFacts {
    version: String,
    minor: String,
    /// The version of the base config, as `talosctl gen config --talos-version` takes it.
    base: String,
    /// Whether a change that needs a reboot reboots the node, or is refused without one. From 1.14 on the change waits instead.
    /// Source: siderolabs/talos#13557.
    reboots_itself: bool,
    /// Whether talosctl drains the node for an upgrade and a reboot; before, the node drains itself, for an upgrade only.
    /// Source: v1.13.0, cmd/talosctl/cmd/talos/upgrade.go and reboot.go.
    pub(super) has_drain: bool,
    /// Whether a volume that cannot be made holds up a reset and an upgrade. Source: siderolabs/talos#13733, fixed in 1.13.7.
    stops_at_failed_volumes: bool,
    /// Whether the node installs itself from a document. Source: UnattendedInstallConfig of 1.14.
    installs_unattended: bool,
}

impl VersionFacts {
    pub(crate) fn new(device: &Device) -> Self {
        let talos = &device.versions.talos;
        let is_before = |version: &str| version.parse::<TalosVersion>().is_ok_and(|version| *talos < version);
        let minor = |version: &TalosVersion| format!("{}.{}", version.major, version.minor().1);
        Self {
            version: talos.to_string(),
            minor: minor(talos),
            base: format!("v{}", minor(&device.versions.base)),
            reboots_itself: talos.minor() < (1, 14),
            has_drain: talos.minor() >= (1, 13),
            stops_at_failed_volumes: is_before("v1.13.7"),
            installs_unattended: device.versions.base.minor() >= (1, 14),
        }
    }
}
