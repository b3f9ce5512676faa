//! Disks and volumes as a runbook describes them.

use serde::Serialize;
use talosmith_model::plan::{Device, Runbook, Volume};
use talosmith_model::{VolumeType, grouped};

use crate::disk_layout::{SizeUnit, disk_layouts};

/// A disk, and the volumes on it from its start.
#[derive(Debug, Serialize)]
pub(crate) struct DiskFacts {
    name: String,
    size: String,
    bytes: String,
    selector: String,
    is_system: bool,
    reserved: Option<String>,
    /// What Talos's own partitions before EPHEMERAL need.
    own: String,
    /// The volumes, each with its size.
    volumes: Vec<(String, String)>,
    /// What the volumes leave; none if it is next to nothing.
    free: Option<String>,
}

/// A volume, and the facts of the steps that resize it.
#[derive(Debug, Serialize)]
pub(crate) struct VolumeFacts {
    name: String,
    /// The name of its status: that of the volume with the prefix of its kind.
    id: String,
    kind: &'static str,
    /// Its size or bounds, as the model has them; empty if it has none.
    size: String,
    /// Where it is mounted; none if it is not.
    path: Option<String>,
    /// What it is, besides a partition with a file system.
    note: &'static str,
    is_ephemeral: bool,
    /// Whether it is a partition that Talos makes, besides EPHEMERAL.
    can_be_dropped: bool,
    is_whole_disk: bool,
    grows: bool,
    /// Whether its upper bound is relative, which Talos ignores when a volume grows.
    has_relative_bound: bool,
    is_encrypted: bool,
    is_scratch: bool,
    has_local_paths: bool,
}

impl DiskFacts {
    pub(crate) fn all(device: &Device) -> Vec<Self> {
        let disks = disk_layouts(device).into_iter().map(|disk| {
            let unit = SizeUnit::for_disk(disk.bytes);
            Self {
                size: unit.text(disk.bytes),
                bytes: grouped(disk.bytes),
                selector: disk.selector,
                is_system: disk.system,
                reserved: disk.kept_for,
                own: unit.text(disk.reserved_bytes),
                volumes: disk.volumes.into_iter().map(|volume| (volume.name, unit.text(volume.bytes))).collect(),
                free: (disk.free_bytes >= unit.bytes() / 10).then(|| unit.text(disk.free_bytes)),
                name: disk.name,
            }
        });
        disks.collect()
    }
}

/// Returns the user volumes that are directories in EPHEMERAL.
pub(crate) fn directories(device: &Device) -> Vec<&str> {
    let is_directory = |volume: &&Volume| volume.volume_type == Some(VolumeType::Directory);
    device.storage.volumes.iter().filter(is_directory).map(|volume| volume.name.as_str()).collect()
}

impl VolumeFacts {
    pub(crate) fn all(device: &Device, runbook: &Runbook) -> Vec<Self> {
        device.storage.volumes.iter().map(|volume| Self::new(volume, runbook)).collect()
    }

    fn new(volume: &Volume, runbook: &Runbook) -> Self {
        let is_ephemeral = volume.kind == "VolumeConfig" && volume.name == "EPHEMERAL";
        let path = if is_ephemeral { Some("/var".to_owned()) } else { volume.mount_path.clone() };
        let is_below = |path: &String| runbook.local_paths.iter().any(|local| local.starts_with(path.as_str()));
        // The prefixes of pkg/machinery/constants of Talos.
        let prefix = match volume.kind {
            "UserVolumeConfig" => "u-",
            "RawVolumeConfig" => "r-",
            "ExistingVolumeConfig" => "e-",
            "SwapVolumeConfig" => "s-",
            _ => "",
        };
        let is_made = matches!(volume.kind, "UserVolumeConfig" | "RawVolumeConfig" | "SwapVolumeConfig");
        Self {
            id: format!("{prefix}{}", volume.name),
            kind: volume.kind,
            size: size(volume),
            note: match (volume.kind, volume.volume_type) {
                ("RawVolumeConfig", _) => "no file system",
                ("SwapVolumeConfig", _) => "swap space",
                ("ExistingVolumeConfig", _) => "a partition that Talos mounts and did not make",
                (_, Some(VolumeType::Disk)) => "the whole disk",
                (_, Some(VolumeType::Directory)) => "a directory in EPHEMERAL",
                ("VolumeConfig", _) if !is_ephemeral => "a volume of Talos's own",
                _ => "",
            },
            is_ephemeral,
            can_be_dropped: is_made && volume.volume_type.is_none(),
            is_whole_disk: volume.volume_type == Some(VolumeType::Disk),
            grows: volume.grow == Some(true),
            has_relative_bound: volume
                .max_size
                .as_ref()
                .is_some_and(|bound| bound.ends_with('%') || bound.starts_with('-')),
            is_encrypted: volume.encryption.is_some(),
            is_scratch: runbook.scratch_volume.as_deref() == Some(&volume.name),
            has_local_paths: !is_ephemeral && path.as_ref().is_some_and(is_below),
            name: volume.name.clone(),
            path,
        }
    }
}

fn size(volume: &Volume) -> String {
    let bound = volume.max_size.as_ref().map(|bound| match bound.strip_prefix('-') {
        Some(rest) => format!("all but {rest} of the free space"),
        None if bound.ends_with('%') => format!("{bound} of the free space"),
        None => bound.clone(),
    });
    match (&volume.min_size, &bound) {
        (Some(min), Some(max)) if min == max => min.clone(),
        (Some(min), Some(max)) => format!("{min} to {max}"),
        (Some(min), None) => format!("at least {min}"),
        (None, Some(max)) => format!("at most {max}"),
        (None, None) => String::new(),
    }
}
