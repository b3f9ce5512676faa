//! Volumes and their bounds.

use std::collections::BTreeMap;

use serde::Serialize;

use super::room::{Bounds, Placed, fit};
use super::{Check, Disk};
use crate::facts::talos;
use crate::scalar::{Name, VolumeName, VolumeSize};
use crate::{Code, Diagnostic, Pointer, TalosVersion, closest, device};

/// A volume.
#[derive(Debug, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// The kind of its document: `VolumeConfig` for Talos's own, `UserVolumeConfig` for others.
    pub kind: &'static str,
    /// Its disk's name.
    pub disk: String,
    /// The selector of its disk. Written in every patch: Talos's merge clears what a patch leaves out.
    pub selector: String,
    /// The lower bound, as written.
    pub min_size: Option<String>,
    /// The upper bound, as written.
    pub max_size: Option<String>,
    /// Whether it grows, if the model says so.
    pub grow: Option<bool>,
    /// Where it is mounted, if it is a user volume.
    pub mount_path: Option<String>,
}

/// The volumes of a device: Talos's own first, then in the order of their names.
pub fn volumes(check: &mut Check<'_>, disks: &[Disk], version: &TalosVersion) -> Vec<Volume> {
    let system: Vec<&str> = talos::system_volumes(version).collect();
    let mut planned = Vec::new();
    let mut on_disk: BTreeMap<&str, Vec<Placed>> = BTreeMap::new();
    for (name, volume) in &check.file.device.volumes {
        let at = Pointer::new("/volumes").child(name);
        let own = system.contains(&name.as_str());
        if !own {
            nearly_system(check, &at, name, &system);
        }
        let Some(disk) = disks.iter().find(|disk| disk.name == volume.disk.as_str()) else {
            if !check.file.device.disks.contains_key(&volume.disk) {
                unknown_disk(check, &at, &volume.disk);
            }
            continue;
        };
        let Some(bounds) = bounds(check, &at, volume) else { continue };
        on_disk.entry(&disk.name).or_default().push(Placed { name: name.to_string(), own, bounds: bounds.clone() });
        let (min_size, max_size, grow) = match &bounds {
            Bounds::Exact(size) => (Some(size.to_string()), Some(size.to_string()), Some(false)),
            Bounds::Remaining => (None, None, Some(false)),
            Bounds::Range { min, max } => {
                (min.as_ref().map(ToString::to_string), max.as_ref().map(ToString::to_string), volume.grow)
            }
        };
        planned.push(Volume {
            name: name.to_string(),
            kind: if own { "VolumeConfig" } else { "UserVolumeConfig" },
            disk: disk.name.clone(),
            selector: disk.selector.clone(),
            min_size,
            max_size,
            grow,
            mount_path: (!own).then(|| format!("/var/mnt/{name}")),
        });
    }
    for disk in disks {
        let placed = on_disk.remove(disk.name.as_str()).unwrap_or_default();
        if let Some(remaining) = fit(check, disk, &placed, version)
            && let Some(volume) = placed.iter().find(|volume| matches!(volume.bounds, Bounds::Remaining))
        {
            for planned in planned.iter_mut().filter(|planned| planned.name == volume.name) {
                planned.min_size = Some(remaining.to_string());
                planned.max_size = Some(remaining.to_string());
            }
        }
    }
    planned.sort_by_key(|volume| volume.mount_path.is_some());
    planned
}

fn bounds(check: &mut Check<'_>, at: &Pointer, volume: &device::Volume) -> Option<Bounds> {
    let name = at.last().unwrap_or_default();
    let contradiction = |check: &mut Check<'_>, key: &str, message: String, help: &str| {
        let place = check.at(at.child(key));
        check.push(Diagnostic::new(Code::VolumeBounds, message, place).help(help));
    };
    match (&volume.size, &volume.min_size, &volume.max_size) {
        (Some(size), None, None) => {
            if volume.grow == Some(true) {
                contradiction(
                    check,
                    "grow",
                    format!("`{name}` has an exact size and grows"),
                    "write `minSize` instead of `size`, or leave `grow` out",
                );
                return None;
            }
            Some(match size {
                VolumeSize::Fixed(size) => Bounds::Exact(size.clone()),
                VolumeSize::Remaining => Bounds::Remaining,
            })
        }
        (Some(_), min, _) => {
            let key = if min.is_some() { "minSize" } else { "maxSize" };
            contradiction(
                check,
                key,
                format!("`{name}` has a `size` and a `{key}`"),
                "write either `size`, or `minSize` and `maxSize`",
            );
            None
        }
        (None, None, None) => {
            check.missing(at, "size", "size: 100GB");
            None
        }
        (None, min, max) => {
            if let (Some(min), Some(max)) = (min, max)
                && min.bytes() > max.bytes()
            {
                let (place, upper) = (check.at(at.child("minSize")), check.at(at.child("maxSize")));
                check.push(
                    Diagnostic::new(Code::VolumeBounds, format!("`{name}` is at least {min} and at most {max}"), place)
                        .also(upper, "less than the lower bound")
                        .help(format!("write a `minSize` of at most {max}")),
                );
                return None;
            }
            Some(Bounds::Range { min: min.clone(), max: max.clone() })
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

/// A user volume whose name is a system volume's but for its case was meant to be that.
fn nearly_system(check: &mut Check<'_>, at: &Pointer, name: &VolumeName, system: &[&str]) {
    if let Some(meant) = system.iter().find(|own| own.eq_ignore_ascii_case(name.as_str())) {
        let place = check.at(at.clone()).as_key();
        check.push(
            Diagnostic::new(Code::VolumeName, format!("`{name}` would be a user volume"), place)
                .label(format!("did you mean `{meant}`?"))
                .note("Talos's own volumes are written in capitals"),
        );
    }
}
