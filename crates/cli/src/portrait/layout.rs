//! What lies on a disk.

use serde::Serialize;
use talosmith_model::plan::{Device, Disk, Volume};
use talosmith_model::scalar::Size;
use talosmith_model::{Free, aligned};

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
    device.disks.iter().map(|disk| layout(device, disk)).collect()
}

fn layout(device: &Device, disk: &Disk) -> Layout {
    let free = Free::on(disk.bytes, disk.system, &device.talos_version).bytes();
    let mut volumes: Vec<Room> = device.volumes.iter().filter(|volume| volume.disk == disk.name).map(room).collect();
    let least: u64 = volumes.iter().map(|volume| volume.bytes).fold(0, u64::saturating_add);
    let mut left = free.saturating_sub(least);
    for volume in &mut volumes {
        let most = volume.max_bytes.map_or(u64::MAX, aligned);
        let more = most.saturating_sub(volume.bytes).min(left);
        volume.bytes += more;
        left -= more;
    }
    Layout {
        name: disk.name.clone(),
        bytes: disk.bytes,
        selector: disk.selector.clone(),
        system: disk.system,
        reserved_bytes: disk.bytes.saturating_sub(free),
        volumes,
        free_bytes: left,
    }
}

/// A volume at its least.
fn room(volume: &Volume) -> Room {
    let bytes = |size: &Option<String>| size.as_ref()?.parse().ok().map(|size: Size| size.bytes());
    let min_bytes = bytes(&volume.min_size);
    Room {
        name: volume.name.clone(),
        kind: volume.kind.to_owned(),
        bytes: aligned(min_bytes.unwrap_or_default()),
        min_bytes,
        max_bytes: bytes(&volume.max_size),
        mount_path: volume.mount_path.clone(),
    }
}
