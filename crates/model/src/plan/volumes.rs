//! Volumes and their bounds.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion, closest};

use super::encryption::encryption;
use super::room::{Bounds, Placed, check_room};
use super::volume_kind::{Kind, fits, kind, versions};
use super::{Check, Disk, Encryption, Patch, raw_volumes};
use crate::device;
use crate::device::{Filesystem, Mount, VolumeType};
use crate::scalar::{Name, VolumeSize};

#[derive(Debug, Serialize)]
pub struct Volume {
    pub name: String,
    /// The kind of its document, such as `VolumeConfig` for Talos's own and `UserVolumeConfig`.
    pub kind: &'static str,
    /// What a user volume is made of, none if the model does not specify it.
    pub volume_type: Option<VolumeType>,
    pub disk: Option<String>,
    /// The selector of its disk. Written in every patch: Talos's merge clears what a patch leaves out.
    pub selector: Option<String>,
    /// The selector of the partition, if it is an existing one.
    pub volume_selector: Option<String>,
    /// Whether it has a disk or bounds.
    pub is_provisioned: bool,
    /// The lower bound, as written.
    pub min_size: Option<String>,
    /// The upper bound, as written.
    pub max_size: Option<String>,
    /// Whether it grows, none if the model does not specify it.
    pub grow: Option<bool>,
    /// Its file system, none if the model does not specify it.
    pub filesystem: Option<Filesystem>,
    /// How it is mounted, none if the model does not specify it.
    pub mount: Option<Mount>,
    /// How it is encrypted, if it is.
    pub encryption: Option<Encryption>,
    /// Where it is mounted, if it is a user volume or an existing one.
    pub mount_path: Option<String>,
}

/// The volumes of a device: Talos's own first, then in the order of their names.
pub(super) fn volumes(
    check: &mut Check<'_>,
    disks: &[Disk],
    version: &TalosVersion,
    patches: &[Arc<Patch>],
) -> Vec<Volume> {
    // Plans are kept in memory, and the spare capacity of a growing vector would be many times their size.
    let mut planned = Vec::with_capacity(check.file.device.volumes.len());
    let mut on_disk: BTreeMap<&str, Vec<Placed>> = BTreeMap::new();
    for (name, volume) in &check.file.device.volumes {
        let at = Pointer::new("/volumes").child(name);
        let Some(kind) = kind(check, &at, name, volume, version) else { continue };
        if !fits(check, &at, kind, volume) {
            continue;
        }
        versions(check, &at, kind, volume, version);
        let disk = match volume.disk.as_ref().map(|disk| placed_on(check, &at, disks, disk)) {
            Some(None) => continue,
            disk => disk.flatten(),
        };
        // EPHEMERAL is on the system disk unless it has a selector.
        let is_ephemeral = kind == Kind::System && name.as_str() == "EPHEMERAL";
        let Some(bounds) = bounds(check, &at, kind, volume, disk.is_some() || is_ephemeral && has_bounds(volume))
        else {
            continue;
        };
        let placed_on = disk.or_else(|| disks.iter().find(|disk| disk.system && is_ephemeral));
        if let (Some(disk), Some(bounds)) = (placed_on, &bounds) {
            let placed =
                Placed { name: name.to_string(), own: kind == Kind::System, bounds: bounds.clone(), location: None };
            on_disk.entry(&disk.name).or_default().push(placed);
        }
        let (min_size, max_size) = bounds.as_ref().map(Bounds::limits).unwrap_or_default();
        planned.push(Volume {
            name: name.to_string(),
            kind: kind.document(),
            // Talos's default is left out, because Talos before 1.12 does not know the field.
            volume_type: volume.volume_type.filter(|kind| *kind != VolumeType::Partition),
            disk: disk.map(|disk| disk.name.clone()),
            selector: disk.map(|disk| disk.selector.clone()),
            is_provisioned: disk.is_some() || bounds.is_some(),
            volume_selector: volume.selector.as_ref().map(|selector| selector.as_str().to_owned()),
            min_size,
            max_size,
            grow: grow(bounds.as_ref(), volume),
            filesystem: volume.filesystem.clone().filter(|filesystem| *filesystem != Filesystem::default()),
            mount: volume.mount.clone().filter(|mount| *mount != Mount::default()),
            encryption: volume.encryption.as_ref().map(|written| encryption(check, &at, written, version)),
            mount_path: kind.is_mounted_below_mnt().then(|| format!("/var/mnt/{name}")),
        });
    }
    whole_disks(check, disks, &planned);
    raw_volumes::add(check, disks, patches, version, &mut on_disk);
    for disk in disks {
        let placed = on_disk.remove(disk.name.as_str()).unwrap_or_default();
        size_remaining(check, disk, &placed, version, &mut planned);
    }
    planned.sort_by_key(|volume| volume.kind != Kind::System.document());
    planned
}

/// Sets the size of the volume that is `remaining` to what the others on its disk leave.
fn size_remaining(
    check: &mut Check<'_>,
    disk: &Disk,
    placed: &[Placed],
    version: &TalosVersion,
    planned: &mut [Volume],
) {
    let Some((name, remaining)) = check_room(check, disk, placed, version) else { return };
    for planned in planned.iter_mut().filter(|planned| planned.name == name) {
        planned.min_size = Some(remaining.to_string());
        planned.max_size = Some(remaining.to_string());
    }
}

/// The planned form of how a volume grows; none without bounds.
fn grow(bounds: Option<&Bounds>, volume: &device::Volume) -> Option<bool> {
    match bounds? {
        Bounds::Exact(_) | Bounds::Remaining => Some(false),
        Bounds::Range { .. } => volume.grow,
    }
}

/// The disk of a volume, if it is one that may have volumes.
fn placed_on<'a>(check: &mut Check<'_>, at: &Pointer, disks: &'a [Disk], name: &Name) -> Option<&'a Disk> {
    let Some(disk) = disks.iter().find(|disk| disk.name == name.as_str()) else {
        if !check.file.device.disks.contains_key(name) {
            unknown_disk(check, at, name);
        }
        return None;
    };
    if let Some(purpose) = &disk.reserved {
        let (location, reserved) =
            (check.at(at.child("disk")), check.at(Pointer::new("/disks").child(name).child("reserved")));
        check.push(
            Diagnostic::new(Code::ReservedDisk, format!("`{name}` is reserved for {purpose}"), location)
                .also(reserved, "reserved here")
                .note("Talos partitions an empty disk, and whatever it is reserved for then finds it in use")
                .help("put the volume on another disk, or remove `reserved`"),
        );
    }
    Some(disk)
}

/// Reports volumes on a whole disk that is not empty.
fn whole_disks(check: &mut Check<'_>, disks: &[Disk], planned: &[Volume]) {
    for volume in planned.iter().filter(|volume| volume.volume_type == Some(VolumeType::Disk)) {
        let Some(disk) = disks.iter().find(|disk| Some(&disk.name) == volume.disk.as_ref()) else { continue };
        let key = |name: &str| Pointer::new("/volumes").child(name).child("disk");
        let location = check.at(key(&volume.name));
        let message = format!("`{}` uses the whole of `{}`", volume.name, disk.name);
        let other = planned.iter().find(|other| other.name != volume.name && other.disk == volume.disk);
        let (also, text) = match other {
            Some(other) => (check.at(key(&other.name)), format!("`{}` is on it too", other.name)),
            None if disk.system => {
                (check.at(Pointer::new("/disks").child(&disk.name).child("system")), "it is the system disk".to_owned())
            }
            None => continue,
        };
        check.push(
            Diagnostic::new(Code::VolumeBounds, message, location)
                .also(also, text)
                .note("Talos uses a whole disk only if it is empty")
                .help("put one of them on another disk, or remove `volumeType` and set the volume's `size`"),
        );
    }
}

fn has_bounds(volume: &device::Volume) -> bool {
    volume.size.is_some() || volume.min_size.is_some() || volume.max_size.is_some()
}

/// How large a volume may be; the inner option is none if the volume has no size of its own, the outer one after a finding.
fn bounds(
    check: &mut Check<'_>,
    at: &Pointer,
    kind: Kind,
    volume: &device::Volume,
    on_disk: bool,
) -> Option<Option<Bounds>> {
    let name = at.last().unwrap_or_default();
    let mut contradiction = |key: &str, message: String, help: &str| {
        check.push(Diagnostic::new(Code::VolumeBounds, message, check.at(at.child(key))).help(help));
        None
    };
    let written = [
        ("size", volume.size.is_some()),
        ("minSize", volume.min_size.is_some()),
        ("maxSize", volume.max_size.is_some()),
        ("grow", volume.grow.is_some()),
    ];
    if !on_disk {
        let Some((key, _)) = written.iter().find(|(_, is_there)| *is_there) else { return Some(None) };
        return contradiction(key, format!("`{name}` has a `{key}` and no disk"), "name its `disk`");
    }
    if kind == Kind::WholeDisk {
        return Some(None);
    }
    match (&volume.size, &volume.min_size, &volume.max_size) {
        (Some(_), None, None) if volume.grow == Some(true) => {
            let help = "write `minSize` instead of `size`, or leave `grow` out";
            contradiction("grow", format!("`{name}` has an exact size and grows"), help)
        }
        (Some(VolumeSize::Fixed(size)), None, None) => Some(Some(Bounds::Exact(size.clone()))),
        (Some(VolumeSize::Remaining), None, None) => Some(Some(Bounds::Remaining)),
        (Some(_), min, _) => {
            let key = if min.is_some() { "minSize" } else { "maxSize" };
            let help = "write either `size`, or `minSize` and `maxSize`";
            contradiction(key, format!("`{name}` has a `size` and a `{key}`"), help)
        }
        (None, None, None) => {
            check.missing(at, "size", "size: 100GB");
            None
        }
        (None, min, max) => {
            if let (Some(min), Some(max)) = (min, max)
                && max.bytes().is_some_and(|max| min.bytes() > max)
            {
                let (location, upper) = (check.at(at.child("minSize")), check.at(at.child("maxSize")));
                let message = format!("`{name}` is at least {min} and at most {max}");
                check.push(
                    Diagnostic::new(Code::VolumeBounds, message, location)
                        .also(upper, "less than the lower bound")
                        .help(format!("write a `minSize` of at most {max}")),
                );
                return None;
            }
            Some(Some(Bounds::Range { min: min.clone(), max: max.clone() }))
        }
    }
}

fn unknown_disk(check: &mut Check<'_>, at: &Pointer, name: &Name) {
    let names: Vec<&str> = check.file.device.disks.keys().map(Name::as_str).collect();
    let finding =
        Diagnostic::new(Code::UnknownDisk, format!("the device has no disk `{name}`"), check.at(at.child("disk")));
    check.push(match closest(name.as_str(), names.iter().copied()) {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None if names.is_empty() => finding.help(format!(
            "list the machine's disks, as in\ndisks:\n  {name}: {{ size: 2048408248320B, selector: disk.transport == 'nvme', system: true }}"
        )),
        None => finding.note(format!("its disks: {}", names.join(", "))),
    });
}
