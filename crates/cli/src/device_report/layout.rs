//! What lies on a disk.

use serde::Serialize;
use talosmith_model::plan::{Device, Disk, Volume};
use talosmith_model::scalar::{Size, UpperBound};
use talosmith_model::{aligned, free_space};

/// A disk and what lies on it once Talos has made every volume.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Layout {
    /// The name that the model gives it.
    pub name: String,
    /// Its raw size.
    pub bytes: u64,
    /// A CEL expression that finds it.
    pub selector: String,
    /// Whether Talos is installed on it.
    pub system: bool,
    /// What it is kept free for, if it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kept_for: Option<String>,
    /// The bytes of the partition table, and of Talos's own partitions before EPHEMERAL.
    pub reserved_bytes: u64,
    /// Its volumes, Talos's own first.
    pub volumes: Vec<Room>,
    /// The bytes that belong to nothing.
    pub free_bytes: u64,
}

/// A volume and the room that it takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Room {
    /// Its name.
    pub name: String,
    /// The kind of its document.
    pub kind: String,
    /// The bytes that it takes if Talos makes the volumes in this order: with an upper bound as many, without one all that is left.
    pub bytes: u64,
    /// Its lower bound, if the model says one.
    pub min_bytes: Option<u64>,
    /// Its upper bound, if the model says one.
    pub max_bytes: Option<u64>,
    /// Where it is mounted, if that follows from its name.
    pub mount_path: Option<String>,
}

/// The disks of a device in the order of their names.
pub(super) fn layouts(device: &Device) -> Vec<Layout> {
    device.storage.disks.iter().map(|disk| layout(device, disk)).collect()
}

fn layout(device: &Device, disk: &Disk) -> Layout {
    let free = free_space(disk.bytes, disk.system, &device.versions.talos);
    let on_disk: Vec<&Volume> =
        device.storage.volumes.iter().filter(|volume| volume.disk.as_ref() == Some(&disk.name)).collect();
    let mut volumes: Vec<Room> = on_disk.iter().map(|volume| room(volume)).collect();
    let least: u64 = volumes.iter().map(|volume| volume.bytes).fold(0, u64::saturating_add);
    let mut left = free.saturating_sub(least);
    for (room, volume) in volumes.iter_mut().zip(on_disk) {
        let available = room.bytes + left;
        let most = match bound(volume) {
            Some(UpperBound::Size(size)) => aligned(size.bytes()),
            Some(UpperBound::Percent(percent)) => aligned(available / 100 * u64::from(percent)),
            Some(UpperBound::AllBut(size)) => available.saturating_sub(size.bytes()),
            None => available,
        };
        let more = most.min(available).saturating_sub(room.bytes);
        room.bytes += more;
        left -= more;
    }
    Layout {
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

/// A volume at its least.
fn room(volume: &Volume) -> Room {
    let min_bytes = volume.min_size.as_ref().and_then(|size| size.parse().ok()).map(|size: Size| size.bytes());
    Room {
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
