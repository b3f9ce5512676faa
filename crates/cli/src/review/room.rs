//! New volumes for which a disk has no room as long as what is on it stays.

use std::collections::BTreeMap;

use talosmith_document::TalosVersion;
use talosmith_machinery::{Class, DifferenceKind};
use talosmith_model::plan::Device;
use talosmith_render::{DiskLayout, SizeUnit, VolumeLayout, disk_layouts};

use super::row::LocatedRow;

/// The kind of Talos's own volumes, which the installation makes.
const SYSTEM: &str = "VolumeConfig";

/// A volume that the node does not have yet, and its disk.
struct NewVolume<'l> {
    disk: &'l DiskLayout,
    volume: &'l VolumeLayout,
    grows: bool,
}

/// Reports the new volumes of a device that Talos cannot create: a partition keeps its place and its size, whatever the model has.
///
/// Source: ctl/block/volume_manager.go and internal/volumes/volumeconfig of 1.12.7, 1.13.8 and 1.14.1: volumes that do not grow are made
/// first, those with a smaller `maxSize` before others, and none after one that cannot be made.
pub(super) fn report_missing_room(rows: &mut [LocatedRow], old: &Device, new: &Device) {
    let is_new = |row: &LocatedRow| row.row.classes.contains(&Class::Live) && row.row.what.contains("VolumeConfig `");
    if !rows.iter().any(is_new) {
        return;
    }
    let (before, after) = (disk_layouts(old), disk_layouts(new));
    let mut free: BTreeMap<&str, u64> = after.iter().map(|disk| (disk.name.as_str(), room(disk, &before))).collect();
    let mut blocking: Option<&str> = None;
    for NewVolume { disk, volume, .. } in new_volumes(&after, old, new) {
        let left = free.entry(&disk.name).or_default();
        let sentence = match blocking {
            Some(first) => format!("it waits: Talos makes no further volume until `{first}` is there"),
            None if volume.min_bytes.unwrap_or(1) <= *left => {
                *left -= volume.bytes.min(*left);
                continue;
            }
            None => {
                blocking = Some(&volume.name);
                refused(disk, volume, *left, &before, &old.versions.talos)
            }
        };
        let title = format!("{} `{}`", volume.kind, volume.name);
        for located in rows.iter_mut().filter(|row| is_new(row)) {
            let row = &mut located.row;
            if row.what == title && row.change == DifferenceKind::Added || row.what == format!("{title} name") {
                (row.classes, row.sentence) = (vec![Class::Broken], sentence.clone());
            }
        }
    }
}

/// The volumes that the node does not have yet, in the order in which Talos makes them.
fn new_volumes<'l>(after: &'l [DiskLayout], old: &Device, new: &Device) -> Vec<NewVolume<'l>> {
    let is_old = |volume: &VolumeLayout| {
        let is_same =
            |other: &talosmith_model::plan::Volume| (&*other.name, other.kind) == (&volume.name, &*volume.kind);
        volume.kind == SYSTEM || old.storage.volumes.iter().any(is_same)
    };
    let is_partition = |name: &str| {
        let volume = new.storage.volumes.iter().find(|volume| volume.name == name);
        volume.is_some_and(|volume| volume.volume_type.is_none())
    };
    let grows = |name: &str| new.storage.volumes.iter().any(|volume| volume.name == name && volume.grow == Some(true));
    let on_disks = after.iter().flat_map(|disk| disk.volumes.iter().map(move |volume| (disk, volume)));
    let added = on_disks.filter(|(_, volume)| !is_old(volume) && is_partition(&volume.name));
    let mut added: Vec<NewVolume<'_>> =
        added.map(|(disk, volume)| NewVolume { disk, volume, grows: grows(&volume.name) }).collect();
    added.sort_by_key(|new| (new.grows, new.volume.max_bytes.unwrap_or(u64::MAX), &new.volume.name));
    added
}

/// The free space of a disk with the partitions that are on it now.
fn room(disk: &DiskLayout, before: &[DiskLayout]) -> u64 {
    let existing = before.iter().find(|other| other.name == disk.name);
    let used: u64 = existing.into_iter().flat_map(|disk| &disk.volumes).map(|volume| volume.bytes).sum();
    disk.bytes.saturating_sub(disk.reserved_bytes).saturating_sub(used)
}

/// Returns the reason why Talos does not create a volume.
fn refused(
    disk: &DiskLayout,
    volume: &VolumeLayout,
    left: u64,
    before: &[DiskLayout],
    running: &TalosVersion,
) -> String {
    let unit = SizeUnit::for_disk(disk.bytes);
    let existing = before.iter().filter(|other| other.name == disk.name).flat_map(|disk| &disk.volumes);
    let stays = |old: &&VolumeLayout| {
        let now = disk.volumes.iter().find(|new| (&new.name, &new.kind) == (&old.name, &old.kind));
        now.is_none_or(|now| now.bytes < old.bytes)
    };
    let staying: Vec<String> =
        existing.filter(stays).map(|old| format!("`{}` ({})", old.name, unit.text(old.bytes))).collect();
    let reason = match staying.is_empty() {
        true => String::new(),
        false => {
            format!(", since the partition of {} stays until it is wiped: wipe it first", staying.join(" and of "))
        }
    };
    // Source: siderolabs/talos#13733, in 1.13.7 and 1.14.0.
    let is_harmful = "v1.13.7".parse().is_ok_and(|fixed: TalosVersion| *running < fixed);
    let harm = if is_harmful { "; as long as it is declared, `reset` and the upgrade of the node fail" } else { "" };
    format!(
        "it is not made: it needs {}, and {} of `{}` are free{reason}{harm}",
        unit.text(volume.min_bytes.unwrap_or_default()),
        unit.text(left),
        disk.name
    )
}
