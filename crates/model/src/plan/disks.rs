//! Disks and what is on them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Check;
use crate::facts::talos;
use crate::scalar::{Name, Size, VolumeName, VolumeSize, grouped, suggested};
use crate::{Code, Diagnostic, Free, Pointer, TalosVersion, aligned, closest, device};

/// What Talos asks for if a volume has no `minSize`: 2 GiB for EPHEMERAL, 100 MiB for user volumes (its volume manager's defaults).
const DEFAULT_MINIMUM: (u64, u64) = (2 << 30, 100 << 20);

/// A disk of the machine.
#[derive(Debug, Serialize)]
pub struct Disk {
    /// The name that the model gives it.
    pub name: String,
    /// Its raw size in bytes.
    pub bytes: u64,
    /// A CEL expression that finds it.
    pub selector: String,
    /// Whether Talos is installed on it.
    pub system: bool,
}

/// A volume.
#[derive(Debug, Serialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// The kind of its document: `VolumeConfig` for Talos's own, `UserVolumeConfig` for others.
    pub kind: &'static str,
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

/// The disks of a device, in the order of their names.
pub fn disks(check: &mut Check<'_>) -> Vec<Disk> {
    let mut planned = Vec::new();
    let mut system: Option<Pointer> = None;
    for (name, disk) in &check.file.device.disks {
        let at = Pointer::new("/disks").child(name);
        let selector = match (&disk.selector, &disk.path) {
            (Some(selector), None) => selector.as_str().to_owned(),
            (None, Some(path)) => path.selector(),
            (None, None) => {
                check.missing(&at, "selector", "selector: disk.transport == 'nvme'");
                continue;
            }
            (Some(_), Some(_)) => {
                let place = check.at(at.child("path")).as_key();
                check.push(
                    Diagnostic::new(Code::UnknownKey, "a disk has either a `selector` or a `path`", place)
                        .help("remove one of the two"),
                );
                continue;
            }
        };
        if disk.system
            && let Some(first) = system.replace(at.child("system"))
        {
            let (place, first) = (check.at(at.child("system")), check.at(first));
            check.push(
                Diagnostic::new(Code::WrongType, "two disks are `system`", place)
                    .also(first, "first here")
                    .note("Talos is installed on one disk"),
            );
        }
        planned.push(Disk { name: name.to_string(), bytes: disk.size.bytes(), selector, system: disk.system });
    }
    ambiguous(check, &planned);
    planned
}

/// Two disks that one selector finds. Only the device's own list is judged: what other machines have does not matter.
fn ambiguous(check: &mut Check<'_>, disks: &[Disk]) {
    for (index, disk) in disks.iter().enumerate() {
        let Some(other) = disks[..index].iter().find(|other| other.selector == disk.selector) else { continue };
        let key = |disk: &Disk| {
            let at = Pointer::new("/disks").child(&disk.name);
            let written = check
                .file
                .device
                .disks
                .iter()
                .any(|(name, written)| name.as_str() == disk.name && written.path.is_some());
            check.at(at.child(if written { "path" } else { "selector" }))
        };
        let (place, first) = (key(disk), key(other));
        check.push(
            Diagnostic::new(
                Code::AmbiguousDiskSelector,
                format!("`{}` is true for `{}` and for `{}`", disk.selector, other.name, disk.name),
                place,
            )
            .also(first, "the same selector")
            .note("Talos takes the first of them that has room, and their order can change between boots")
            .help("select by something that only one of them has, such as `disk.serial == '…'` or `path: /dev/disk/by-id/…`"),
        );
    }
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

struct Placed {
    name: String,
    own: bool,
    bounds: Bounds,
}

#[derive(Clone)]
enum Bounds {
    Exact(Size),
    Remaining,
    Range { min: Option<Size>, max: Option<Size> },
}

impl Placed {
    /// The least that the volume takes, and how it is written.
    fn least(&self) -> (u64, String) {
        match &self.bounds {
            Bounds::Exact(size) => (size.bytes(), size.to_string()),
            Bounds::Remaining => (0, "remaining".to_owned()),
            Bounds::Range { min: Some(min), .. } => (min.bytes(), format!("at least {min}")),
            Bounds::Range { min: None, .. } => {
                (if self.own { DEFAULT_MINIMUM.0 } else { DEFAULT_MINIMUM.1 }, "without minSize".to_owned())
            }
        }
    }

    fn unbounded(&self) -> bool {
        matches!(self.bounds, Bounds::Range { max: None, .. })
    }
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

/// Judges what is on one disk, and works out the size that `remaining` stands for.
fn fit(check: &mut Check<'_>, disk: &Disk, placed: &[Placed], version: &TalosVersion) -> Option<Size> {
    let at = |volume: &Placed, key: &str| Pointer::new("/volumes").child(&volume.name).child(key);
    let mut rest = placed.iter().filter(|volume| matches!(volume.bounds, Bounds::Remaining));
    let (first, second) = (rest.next(), rest.next());
    if let (Some(first), Some(second)) = (first, second) {
        let (place, first) = (check.at(at(second, "size")), check.at(at(first, "size")));
        check.push(
            Diagnostic::new(Code::VolumeBounds, format!("two volumes take what remains of `{}`", disk.name), place)
                .also(first, "first here")
                .help("give one of them a size"),
        );
        return None;
    }
    ephemeral_is_bounded(check, disk, placed);
    let free = Free::on(disk.bytes, disk.system, version);
    let needed: u64 = placed.iter().map(|volume| aligned(volume.least().0)).fold(0, u64::saturating_add);
    if needed > free.bytes() {
        overcommit(check, disk, placed, free, needed, version);
        return None;
    }
    let left = free.bytes() - needed;
    let volume = first?;
    if left < 1_000_000_000 {
        let place = check.at(at(volume, "size"));
        check.push(
            Diagnostic::new(
                Code::VolumeOvercommit,
                format!("nothing remains of `{}` for `{}`", disk.name, volume.name),
                place,
            )
            .label(format!("{} bytes", grouped(left)))
            .figure(sum(disk, placed, free, needed, version)),
        );
        return None;
    }
    if placed.iter().any(|other| other.name != volume.name && matches!(other.bounds, Bounds::Range { .. })) {
        let place = check.at(at(volume, "size"));
        check.push(
            Diagnostic::new(Code::VolumeBounds, "what remains is not known while another volume has bounds", place)
                .help("give the other volumes of the disk a `size` each"),
        );
        return None;
    }
    Some(Size::from_gigabytes(left / 1_000_000_000))
}

/// Talos makes its own volumes before user volumes, and EPHEMERAL without an upper bound takes the whole disk.
fn ephemeral_is_bounded(check: &mut Check<'_>, disk: &Disk, placed: &[Placed]) {
    let Some(user) = placed.iter().find(|volume| !volume.own) else { return };
    let elsewhere = check.file.device.volumes.keys().any(|name| name.as_str() == "EPHEMERAL");
    let place = match placed.iter().find(|volume| volume.name == "EPHEMERAL") {
        Some(ephemeral) if !ephemeral.unbounded() => return,
        Some(_) => check.at("/volumes/EPHEMERAL").as_key(),
        None if disk.system && !elsewhere => check.at(Pointer::new("/volumes").child(&user.name)).as_key(),
        None => return,
    };
    check.push(
        Diagnostic::new(
            Code::UnboundedEphemeral,
            format!("EPHEMERAL takes all of `{}` before `{}` is made", disk.name, user.name),
            place,
        )
        .note("Talos makes its own volumes first, and EPHEMERAL grows over the whole disk unless it has an upper bound")
        .help(format!("give it a size, as in\nEPHEMERAL: {{ disk: {}, size: 100GiB }}", disk.name)),
    );
}

fn overcommit(check: &mut Check<'_>, disk: &Disk, placed: &[Placed], free: Free, needed: u64, version: &TalosVersion) {
    // Talos places user volumes by rising size, so the largest one is the one that finds no room.
    let last = placed.iter().max_by_key(|volume| (!volume.own, volume.least().0));
    let Some(last) = last else { return };
    let at = Pointer::new("/volumes").child(&last.name);
    let key = if matches!(last.bounds, Bounds::Exact(_)) { "size" } else { "minSize" };
    let missing = needed - free.bytes();
    let mut finding = Diagnostic::new(
        Code::VolumeOvercommit,
        format!("the volumes on `{}` need {} more than the disk has", disk.name, decimal(missing)),
        check.at(at.child(key)),
    )
    .label("the last volume to be placed")
    .figure(sum(disk, placed, free, needed, version))
    .note("Talos leaves a volume that finds no room unmade; the node boots without its mount");
    let room = aligned(last.least().0).saturating_sub(missing);
    finding = if room >= 1_000_000_000 {
        finding.help(format!("the largest size that fits is {}; or `size: remaining`", suggested(room)))
    } else {
        finding.help("make other volumes of the disk smaller")
    };
    check.push(finding);
}

/// The sum that shows why volumes do not fit, a row each.
fn sum(disk: &Disk, placed: &[Placed], free: Free, needed: u64, version: &TalosVersion) -> String {
    let mut rows: Vec<(String, String)> = vec![(format!("  disk {}", disk.name), grouped(disk.bytes))];
    let taken = disk.bytes.saturating_sub(free.bytes());
    if disk.system {
        let system = talos::system_partitions_bytes(version).min(taken);
        let names: Vec<&str> = talos::system_partitions(version).map(|(name, _)| name).collect();
        rows.push((format!("− system ({})", names.join(" ")), grouped(system)));
        rows.push(("− partition table, alignment".to_owned(), grouped(taken - system)));
    } else {
        rows.push(("− partition table, alignment".to_owned(), grouped(taken)));
    }
    for volume in placed {
        let (bytes, text) = volume.least();
        rows.push((format!("− {} {text}", volume.name), grouped(aligned(bytes))));
    }
    let left = if needed > free.bytes() {
        format!("−{}", grouped(needed - free.bytes()))
    } else {
        grouped(free.bytes() - needed)
    };
    rows.push(("= left".to_owned(), left));
    let names = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    let numbers = rows.iter().map(|(_, number)| number.chars().count()).max().unwrap_or_default();
    let lines: Vec<String> = rows
        .iter()
        .map(|(name, number)| {
            let pad = names - name.chars().count() + 2 + numbers - number.chars().count();
            format!("{name}{}{number}", " ".repeat(pad))
        })
        .collect();
    lines.join("\n")
}

/// A number of bytes for a sentence: `14.3 GB`, rounded up.
fn decimal(bytes: u64) -> String {
    let (unit, factor) = if bytes >= 1_000_000_000 { ("GB", 1_000_000_000) } else { ("MB", 1_000_000) };
    let tenths = (u128::from(bytes) * 10).div_ceil(factor);
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}
