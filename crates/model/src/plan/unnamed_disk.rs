//! System disks that no generated file names, so that Talos is installed on the disk of the base config.

use std::collections::BTreeMap;

use talosmith_document::{Anchor, Code, Diagnostic, Location, Pointer};

use super::raw::{self, MAIN, Place};
use super::{ConfigFormat, Device};

/// How a raw patch can name the disk. Source: `InstallDiskSelector` in pkg/machinery/config/types/v1alpha1/v1alpha1_types.go.
const RAW: &[Place] = &[
    (MAIN, "machine.install.disk"),
    (MAIN, "machine.install.diskSelector.busPath"),
    (MAIN, "machine.install.diskSelector.modalias"),
    (MAIN, "machine.install.diskSelector.model"),
    (MAIN, "machine.install.diskSelector.name"),
    (MAIN, "machine.install.diskSelector.serial"),
    (MAIN, "machine.install.diskSelector.size"),
    (MAIN, "machine.install.diskSelector.type"),
    (MAIN, "machine.install.diskSelector.uuid"),
    (MAIN, "machine.install.diskSelector.wwid"),
];

/// A system disk that no file of its device names.
#[derive(Debug)]
pub(super) struct UnnamedDisk {
    name: String,
    location: Location,
}

impl UnnamedDisk {
    /// Returns the system disk of a device, if neither a generated file nor a base config of the repository names it.
    pub(super) fn of(device: &Device) -> Option<Box<Self>> {
        let is_written =
            device.versions.config_format == ConfigFormat::Documents || device.images.install.disk_key().is_some();
        let disk = device.storage.disks.iter().find(|disk| disk.system)?;
        if is_written || !device.base.is_empty() || !raw::scalars(&device.patches, RAW).is_empty() {
            return None;
        }
        let location = device.keys.at(Pointer::new("/disks").child(&disk.name).child("system").as_str()).as_key();
        Some(Box::new(Self { name: disk.name.clone(), location }))
    }
}

impl UnnamedDisk {
    /// The layer of talosmith.yaml that lists the disk: `clusters.home.defaults`; none if the device itself does.
    fn layer(&self) -> Option<String> {
        let Anchor::Key(pointer) = &self.location.anchor else { return None };
        let keys: Vec<String> = pointer.segments().take(3).collect();
        (keys.first().is_some_and(|key| key == "clusters")).then(|| keys.join("."))
    }
}

/// The devices of each cluster with such a disk.
#[derive(Default)]
pub(super) struct UnnamedDisks(BTreeMap<String, Vec<(String, Box<UnnamedDisk>)>>);

impl UnnamedDisks {
    pub(super) fn add(&mut self, cluster: &str, device: &str, disk: Box<UnnamedDisk>) {
        self.0.entry(cluster.to_owned()).or_default().push((device.to_owned(), disk));
    }

    /// Returns one finding for each cluster.
    pub(super) fn finish(self) -> impl Iterator<Item = Diagnostic> {
        self.0.into_values().filter_map(|mut disks| {
            let others: Vec<String> = disks.drain(1..).map(|(device, _)| device).collect();
            let (device, disk) = disks.pop()?;
            let message = match others.len() {
                0 => format!("no generated file names the system disk `{}`", disk.name),
                more => format!("no generated file names the system disks of {} devices, as `{}`", more + 1, disk.name),
            };
            let help = match (disk.layer(), others.is_empty()) {
                (Some(layer), _) => format!("to name it, write `disk: true` under `{layer}.install` in talosmith.yaml"),
                (None, true) => "to name it, write `disk: true` under `install`".to_owned(),
                (None, false) => "to name them, write `disk: true` under `install` of each device".to_owned(),
            };
            // Source of the default: cmd/talosctl/cmd/mgmt/gen/config.go.
            let finding = Diagnostic::new(Code::UnnamedSystemDisk, message, disk.location)
                .note("Talos is installed on `machine.install.disk` of the base config: /dev/sda, unless `talosctl gen config` was given `--install-disk`")
                .help(help);
            Some(others.into_iter().chain([device]).fold(finding, |finding, device| finding.device(device)))
        })
    }
}
