//! The sizes of the volumes on a disk.

use serde::Serialize;
use talosmith_model::plan::{Device, Disk, Volume};
use talosmith_model::{Size, UpperBound, aligned, free_space, grouped};

/// A disk with its volumes, after Talos has created all of them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DiskLayout {
    pub name: String,
    pub bytes: u64,
    /// The CEL expression that selects the disk.
    pub selector: String,
    /// Whether Talos is installed on it.
    pub system: bool,
    /// The purpose that the disk is reserved for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_for: Option<String>,
    /// The size of the partition table and of Talos's own partitions before EPHEMERAL.
    pub reserved_bytes: u64,
    /// Talos's own volumes are first.
    pub volumes: Vec<VolumeLayout>,
    pub free_bytes: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VolumeLayout {
    pub name: String,
    /// The kind of its Talos document.
    pub kind: String,
    /// The size if Talos creates the volumes in this order: the upper bound, or without one all the free space.
    pub bytes: u64,
    pub min_bytes: Option<u64>,
    pub max_bytes: Option<u64>,
    /// The mount path; none if it does not follow from the name.
    pub mount_path: Option<String>,
}

/// Returns the disks of a device, in the order of their names.
pub fn disk_layouts(device: &Device) -> Vec<DiskLayout> {
    device.storage.disks.iter().map(|disk| layout(device, disk)).collect()
}

fn layout(device: &Device, disk: &Disk) -> DiskLayout {
    let free = free_space(disk.bytes, disk.system, &device.versions.talos);
    let on_disk: Vec<&Volume> =
        device.storage.volumes.iter().filter(|volume| volume.disk.as_ref() == Some(&disk.name)).collect();
    let mut volumes: Vec<VolumeLayout> = on_disk.iter().map(|volume| smallest(volume)).collect();
    let least: u64 = volumes.iter().map(|volume| volume.bytes).fold(0, u64::saturating_add);
    let mut left = free.saturating_sub(least);
    for (layout, volume) in volumes.iter_mut().zip(on_disk) {
        let available = layout.bytes + left;
        let most = match bound(volume) {
            Some(UpperBound::Size(size)) => aligned(size.bytes()),
            Some(UpperBound::Percent(percent)) => aligned(available / 100 * u64::from(percent)),
            Some(UpperBound::AllBut(size)) => available.saturating_sub(size.bytes()),
            None => available,
        };
        let more = most.min(available).saturating_sub(layout.bytes);
        layout.bytes += more;
        left -= more;
    }
    DiskLayout {
        name: disk.name.clone(),
        bytes: disk.bytes,
        selector: disk.selector.clone(),
        system: disk.system,
        kept_for: disk.reserved.clone(),
        reserved_bytes: disk.bytes.saturating_sub(free),
        volumes,
        free_bytes: left,
    }
}

/// Returns a volume with its least size.
fn smallest(volume: &Volume) -> VolumeLayout {
    let min_bytes = volume.min_size.as_ref().and_then(|size| size.parse().ok()).map(|size: Size| size.bytes());
    VolumeLayout {
        name: volume.name.clone(),
        kind: volume.kind.to_owned(),
        bytes: aligned(min_bytes.unwrap_or_default()),
        min_bytes,
        max_bytes: bound(volume).and_then(|bound| bound.bytes()),
        mount_path: volume.mount_path.clone(),
    }
}

fn bound(volume: &Volume) -> Option<UpperBound> {
    volume.max_size.as_ref()?.parse().ok()
}

/// A unit: its bytes and its name.
#[derive(Debug, Clone, Copy)]
pub struct SizeUnit(u64, &'static str);

impl SizeUnit {
    /// Returns the unit for a disk of this size. All its rows have the same unit, so that they can be compared.
    pub fn for_disk(disk: u64) -> Self {
        if disk >= 10_000_000_000 { Self(1_000_000_000, "GB") } else { Self(1_000_000, "MB") }
    }

    pub fn bytes(self) -> u64 {
        self.0
    }

    /// Returns a number of bytes in this unit, with one decimal.
    pub fn text(self, bytes: u64) -> String {
        let tenths = (u128::from(bytes) * 10 + u128::from(self.0) / 2) / u128::from(self.0);
        let whole = u64::try_from(tenths / 10).unwrap_or(u64::MAX);
        format!("{}.{} {}", grouped(whole), tenths % 10, self.1)
    }
}
