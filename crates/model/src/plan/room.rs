//! Whether the volumes of a disk fit.

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, TalosVersion};
use talosmith_machinery::talos_data::talos;

use super::{Check, Disk};
use crate::partitions::{aligned, allocate, free_space};
use crate::scalar::{Size, UpperBound, grouped, suggested};

/// The minimum sizes of volumes without `minSize`: 2 GiB for EPHEMERAL, 100 MiB for user volumes (its volume manager's defaults).
const DEFAULT_MINIMUM: (u64, u64) = (2 << 30, 100 << 20);

/// A volume with its bounds, on its disk.
pub(super) struct Placed {
    pub name: String,
    pub own: bool,
    pub bounds: Bounds,
    /// Where a raw patch writes it; none for a volume of the model.
    pub location: Option<Location>,
}

/// How large a volume may be.
#[derive(Clone)]
pub(super) enum Bounds {
    Exact(Size),
    Remaining,
    Range { min: Option<Size>, max: Option<UpperBound> },
}

impl Bounds {
    /// Returns the lower and the upper bound as the model has them; none while the remaining space is not known.
    pub(super) fn limits(&self) -> (Option<String>, Option<String>) {
        match self {
            Self::Exact(size) => (Some(size.to_string()), Some(size.to_string())),
            Self::Remaining => (None, None),
            Self::Range { min, max } => (min.as_ref().map(ToString::to_string), max.as_ref().map(ToString::to_string)),
        }
    }
}

impl Placed {
    /// Returns the least size of the volume in bytes, and a description.
    pub(super) fn least(&self) -> (u64, String) {
        match &self.bounds {
            Bounds::Exact(size) => (size.bytes(), size.to_string()),
            Bounds::Remaining => (0, "remaining".to_owned()),
            Bounds::Range { min: Some(min), .. } => (min.bytes(), format!("at least {min}")),
            Bounds::Range { min: None, .. } => {
                (if self.own { DEFAULT_MINIMUM.0 } else { DEFAULT_MINIMUM.1 }, "without minSize".to_owned())
            }
        }
    }

    /// Where it, or a key of it, is written.
    fn at(&self, check: &Check<'_>, key: &str) -> Location {
        let of_model = || check.at(Pointer::new("/volumes").child(&self.name).child(key));
        self.location.clone().unwrap_or_else(of_model)
    }

    /// Applies the bounds of a raw patch, which is merged into the model's volume.
    pub(super) fn merge(&mut self, patch: Bounds) {
        let Bounds::Range { min, max } = patch else { return };
        if let Bounds::Range { min: own_min, max: own_max } = &mut self.bounds {
            *own_min = min.or_else(|| own_min.take());
            *own_max = max.or_else(|| own_max.take());
        }
    }

    pub(super) fn unbounded(&self) -> bool {
        matches!(self.bounds, Bounds::Range { max: None, .. })
    }
}

/// Checks the volumes of one disk, and returns the name of the one that uses the remaining space, and its size.
pub(super) fn check_room<'a>(
    check: &mut Check<'_>,
    disk: &Disk,
    placed: &'a [Placed],
    version: &TalosVersion,
) -> Option<(&'a str, Size)> {
    let mut rest = placed.iter().filter(|volume| matches!(volume.bounds, Bounds::Remaining));
    let (first, second) = (rest.next(), rest.next());
    if let (Some(first), Some(second)) = (first, second) {
        let (location, first) = (second.at(check, "size"), first.at(check, "size"));
        let message = format!("two volumes use the remaining space of `{}`", disk.name);
        check.push(
            Diagnostic::new(Code::VolumeBounds, message, location)
                .also(first, "first here")
                .help("write a `size` for one of them"),
        );
        return None;
    }
    ephemeral_is_bounded(check, disk, placed);
    let free = free_space(disk.bytes, disk.system, version);
    placed.iter().for_each(|volume| check_relative_bound(check, disk, volume, free));
    let left = match allocate(free, placed.iter().map(|volume| volume.least().0)) {
        Ok(left) => left,
        Err(shortfall) => {
            overcommit(check, disk, placed, shortfall, version);
            return None;
        }
    };
    let volume = first?;
    if left < 1_000_000_000 {
        let message = format!("nothing remains of `{}` for `{}`", disk.name, volume.name);
        check.push(
            Diagnostic::new(Code::VolumeOvercommit, message, volume.at(check, "size"))
                .label(format!("{} bytes", grouped(left)))
                .figure(sum(disk, placed, Ok(left), version)),
        );
        return None;
    }
    if placed.iter().any(|other| other.name != volume.name && matches!(other.bounds, Bounds::Range { .. })) {
        check.push(
            Diagnostic::new(
                Code::VolumeBounds,
                "the remaining space is not known while another volume has bounds",
                volume.at(check, "size"),
            )
            .help("write a `size` for each of the disk's other volumes"),
        );
        return None;
    }
    Some((&volume.name, Size::from_gigabytes(left / 1_000_000_000)))
}

/// Warns of a volume whose upper bound, a part of the space of its disk, is below its lower one even while the disk is empty.
///
/// Source: controllers/block/internal/volumes/provision.go, which compares only the free space with the lower bound.
fn check_relative_bound(check: &mut Check<'_>, disk: &Disk, volume: &Placed, free: u64) {
    let Bounds::Range { min: Some(min), max: Some(max) } = &volume.bounds else { return };
    let most = match max {
        UpperBound::Size(_) => return,
        UpperBound::Percent(percent) => free / 100 * u64::from(*percent),
        UpperBound::AllBut(size) => free.saturating_sub(size.bytes()),
    };
    if most >= min.bytes() {
        return;
    }
    let message = format!(
        "`{}` is at least {min} and at most {max} of what is free, which is {} bytes of `{}` at most",
        volume.name,
        grouped(most),
        disk.name
    );
    let mut finding = Diagnostic::new(Code::VolumeBounds, message, volume.at(check, "minSize"))
        .note("Talos does not compare the two: the upper bound counts, and the volume is smaller than its lower one")
        .help(format!("write a `maxSize` above {min}, or a `minSize` of at most {}GB", most / 1_000_000_000));
    finding.level = Level::Warning;
    check.push(finding);
}

/// Talos creates its own volumes before user volumes, and EPHEMERAL without an upper bound uses the whole disk.
fn ephemeral_is_bounded(check: &mut Check<'_>, disk: &Disk, placed: &[Placed]) {
    let Some(user) = placed.iter().find(|volume| !volume.own) else { return };
    // A name in another case is a finding of its own, and was meant to be this.
    let elsewhere = check.file.device.volumes.keys().any(|name| name.as_str().eq_ignore_ascii_case("EPHEMERAL"));
    let location = match placed.iter().find(|volume| volume.name == "EPHEMERAL") {
        Some(ephemeral) if !ephemeral.unbounded() => return,
        Some(Placed { location: Some(location), .. }) => location.clone(),
        Some(_) => check.key("/volumes/EPHEMERAL"),
        None if disk.system && !elsewhere => match &user.location {
            Some(location) => location.clone(),
            None => check.key(Pointer::new("/volumes").child(&user.name)),
        },
        None => return,
    };
    let message = format!("EPHEMERAL uses all of `{}` before `{}` is created", disk.name, user.name);
    check.push(
        Diagnostic::new(Code::UnboundedEphemeral, message, location)
        .note("Talos creates its own volumes first, and EPHEMERAL grows to the whole disk unless it has an upper bound")
        .help(format!("set its size, as in\nEPHEMERAL: {{ disk: {}, size: 100GiB }}", disk.name)),
    );
}

/// Whether a volume that cannot be created keeps others from being unmounted: up to 1.13.6, and in every 1.12.
///
/// Source: siderolabs/talos#13733, which is in 1.13.7 and 1.14 and absent from release-1.12.
fn holds_up_teardown(version: &TalosVersion) -> bool {
    version.minor() < (1, 13) || (version.minor() == (1, 13) && version.patch < 7)
}

fn overcommit(check: &mut Check<'_>, disk: &Disk, placed: &[Placed], missing: u64, version: &TalosVersion) {
    let sum = sum(disk, placed, Err(missing), version);
    // Talos places user volumes by rising size, so the largest one does not fit.
    let last = placed.iter().max_by_key(|volume| (!volume.own, volume.least().0));
    let Some(last) = last else { return };
    let key = if matches!(last.bounds, Bounds::Exact(_)) { "size" } else { "minSize" };
    let mut finding = Diagnostic::new(
        Code::VolumeOvercommit,
        format!("the volumes on `{}` need {} more than the disk has", disk.name, decimal(missing)),
        last.at(check, key),
    )
    .label("the last volume to be placed")
    .figure(sum)
    .note("Talos does not create a volume that does not fit, nor any other new volume after it; the node boots without their mounts");
    if holds_up_teardown(version) {
        finding = finding.note(format!(
            "on Talos {version} it also holds up reset, reboot and upgrade for 5 minutes, and these then fail"
        ));
    }
    let room = aligned(last.least().0).saturating_sub(missing);
    finding = if last.location.is_some() && room >= 1_000_000_000 {
        finding.help(format!("the largest size that fits is {}: write it in the patch", suggested(room)))
    } else if room >= 1_000_000_000 {
        finding.help(format!("the largest size that fits is {}; or `size: remaining`", suggested(room)))
    } else {
        finding.help("make other volumes of the disk smaller")
    };
    check.push(finding);
}

/// Returns the sum that shows why volumes do not fit, one line for each.
fn sum(disk: &Disk, placed: &[Placed], left: Result<u64, u64>, version: &TalosVersion) -> String {
    let mut rows: Vec<(String, String)> = vec![(format!("  disk {}", disk.name), grouped(disk.bytes))];
    let taken = disk.bytes.saturating_sub(free_space(disk.bytes, disk.system, version));
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
    let left = match left {
        Ok(left) => grouped(left),
        Err(missing) => format!("−{}", grouped(missing)),
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
