//! What a change does to one node.

use std::collections::BTreeMap;

use talosmith_document::{Location, Pointer};
use talosmith_machinery::{Class, DifferenceKind, Role, Side};
use talosmith_model::plan::{Device, PlannedSchematic};
use talosmith_render::{AppliedFiles, BaseAndFiles, Renderer};

use super::cluster::ClusterSides;
use super::objects;
use super::room::report_missing_room;
use super::row::{LocatedRow, ReviewRow};
use super::side::DeviceFiles;

/// Compares what a node has with what it gets; returns why that is not possible for a file that is no patch.
pub(crate) fn compare(
    renderer: &Renderer,
    before: &DeviceFiles,
    after: &DeviceFiles,
    clusters: ClusterSides<'_>,
) -> Result<Vec<LocatedRow>, String> {
    let (old, new) = (&*before.device, &*after.device);
    let bases = clusters.bases(old, new);
    let sides = (
        BaseAndFiles { base: &bases[0], files: AppliedFiles { device: old, files: &before.applied } },
        BaseAndFiles { base: &bases[1], files: AppliedFiles { device: new, files: &after.applied } },
    );
    let is_upgrade = old.versions.talos < new.versions.talos;
    let refused = if is_upgrade { renderer.refused_by(&old.versions.talos, sides.1.files) } else { Vec::new() };
    let mut rows = Vec::new();
    // Equal patches for equal versions make the same machine config.
    let is_same_target = old.versions.talos == new.versions.talos
        && old.versions.base == new.versions.base
        && old.role == new.role
        && old.base.is_empty()
        && new.base.is_empty()
        && !clusters.differ();
    if before.applied != after.applied || !is_same_target {
        // The node is upgraded first.
        let running = if is_upgrade { &new.versions.talos } else { &old.versions.talos };
        let consequences = renderer
            .consequences(running, sides.0, sides.1)
            .map_err(|unreadable| format!("the file of `{}` is no patch: {}", unreadable.key, unreadable.message))?;
        rows.extend(consequences.into_iter().map(LocatedRow::from).map(|mut located| {
            let of_base = || Some((Side::After, clusters.location_of(&located.row)?));
            located.location = located.location.take().or_else(of_base);
            located
        }));
        rows.retain(|located| !clusters.has_network(&located.row));
        report_missing_room(&mut rows, old, new);
    }
    let schematics = schematics(old, new);
    if old.versions.talos != new.versions.talos || !schematics.is_empty() {
        rows.retain(|located| !is_same_repository(&located.row));
    }
    rows.extend(schematics);
    rows.extend(talos_version(old, new, &refused, overwritten(rows.iter().map(|located| &located.row), old, new)));
    rows.extend(identity(old, new));
    rows.extend(address(&rows, old, new));
    rows.extend(system_disk(&rows, old, new));
    rows.extend(objects::compare(&before.objects, &after.objects));
    rows.sort_by(|one, other| one.row.cmp(&other.row));
    Ok(rows)
}

/// Whether a row is about an installer image whose ID or version alone changes: that of its schematic, or of Talos.
fn is_same_repository(row: &ReviewRow) -> bool {
    let repository = |image: &Option<String>| Some(image.as_ref()?.rsplit_once('/')?.0.to_owned());
    let is_image = row.what == "machine.install.image" || row.what == "UnattendedInstallConfig installer.image";
    is_image
        && row.classes == [Class::Upgrade]
        && row.before.is_some()
        && repository(&row.before) == repository(&row.after)
}

/// The path of the file that Talos has up to 1.13. An `overwrite` of it keeps 1.14 from booting for 35 minutes.
///
/// Source: internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer_tasks.go, `WriteUserFiles`.
const CUSTOMIZATION: &str = "machine.files./etc/cri/conf.d/20-customization.part";

/// What an upgrade does to a config that overwrites a file which the new Talos does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwritten {
    No,
    /// The new config creates the file, and must be there when the new Talos boots.
    Created,
    /// The new config writes it in another way.
    Moved,
}

pub(super) fn overwritten<'r>(
    rows: impl IntoIterator<Item = &'r ReviewRow>,
    old: &Device,
    new: &Device,
) -> Overwritten {
    if old.versions.talos.minor() >= (1, 14) || new.versions.talos.minor() < (1, 14) {
        return Overwritten::No;
    }
    let found = rows.into_iter().find_map(|row| match row.what.strip_prefix(CUSTOMIZATION)? {
        ".op" if matches!(row.before.as_deref(), Some("overwrite" | "append")) => Some(Overwritten::Created),
        "" if row.change == DifferenceKind::Removed && old.kubernetes.kata => Some(Overwritten::Moved),
        _ => None,
    });
    found.unwrap_or(Overwritten::No)
}

/// Another version of Talos, of which one minor at a time can be installed. `refused` are the files that the old one does not read.
fn talos_version(
    old: &Device,
    new: &Device,
    refused: &[(String, String)],
    overwritten: Overwritten,
) -> Option<LocatedRow> {
    let (before, after) = (&old.versions.talos, &new.versions.talos);
    if before == after {
        return None;
    }
    let (from, to) = (before.minor(), after.minor());
    let row = |class, sentence: String| {
        ReviewRow::new(class, DifferenceKind::Changed, "talosVersion", sentence)
            .values(before.to_string(), after.to_string())
    };
    let refuses = refused.first().map(|(key, why)| format!("Talos {before} refuses the file of `{key}` ({why})"));
    let row = if old.cluster != new.cluster || old.role != new.role {
        row(Class::Install, "the node is installed again with it".to_owned())
    } else if to < from {
        let sentence =
            "Talos does not support going back to an older minor: `talosctl rollback` boots the image before";
        row(Class::Manual, sentence.to_owned())
    } else if after < before {
        row(Class::Upgrade, "`talosctl upgrade` installs an older release of the same minor too".to_owned())
    } else if to.1 > from.1 + 1 {
        let next = format!("v{}.{}", from.0, from.1 + 1);
        row(Class::Broken, format!("Talos upgrades one minor at a time: change it to a release of {next} first"))
    } else if let (Overwritten::Moved, Some(refuses)) = (overwritten, &refuses) {
        row(
            Class::Broken,
            format!(
                "Talos {after} does not boot with the files of kata containers that the node has, and {refuses}: change `talosVersion` first, and `baseConfig` in a second change"
            ),
        )
    } else if overwritten != Overwritten::No {
        row(
            Class::Upgrade,
            format!(
                "stage the other changes before the upgrade: Talos {after} does not boot with a config that overwrites 20-customization.part, as the one that the node has"
            ),
        )
    } else {
        let reason = refuses.map(|refuses| format!(", since {refuses}")).unwrap_or_default();
        let sentence = "upgrade the node first, with the config that it has; apply the other changes afterwards";
        row(Class::Upgrade, format!("{sentence}{reason}"))
    };
    Some(row.at(new.versions.talos_location.clone()))
}

/// What a node cannot change while it runs.
fn identity(old: &Device, new: &Device) -> Vec<LocatedRow> {
    let mut rows = Vec::new();
    let mut add = |key: &str, class: Class, before: &str, after: &str, sentence: &str| {
        if before != after {
            let row = ReviewRow::new(class, DifferenceKind::Changed, key, sentence).values(before, after);
            rows.push(row.at(key_of(new, key)));
        }
    };
    let reset = "a node cannot change it: reset the node, and let it join again";
    add("role", Class::Wipe, old.role.name(), new.role.name(), reset);
    add("cluster", Class::Wipe, &old.cluster, &new.cluster, reset);
    add("name", Class::None, &old.name, &new.name, "the folder and the files of the device have another name");
    rows
}

/// Whether the new config moves the node to its new address.
pub(super) fn moves_address<'r>(rows: impl IntoIterator<Item = &'r ReviewRow>, old: &Device, new: &Device) -> bool {
    let has = |value: &Option<String>, address: &str| {
        let is_part = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
        value.as_ref().is_some_and(|value| value.split(|c| !is_part(c)).any(|word| word == address))
    };
    let is_move = |row: &ReviewRow| row.may_cut && has(&row.before, &old.address) && has(&row.after, &new.address);
    old.address != new.address && rows.into_iter().any(is_move)
}

/// Another address.
fn address(rows: &[LocatedRow], old: &Device, new: &Device) -> Option<LocatedRow> {
    if old.address == new.address {
        return None;
    }
    let restart = Class::Restart("kubelet".to_owned());
    let is_moved = moves_address(rows.iter().map(|located| &located.row), old, new);
    let (classes, sentence) = match (is_moved, new.role) {
        (false, _) => {
            (vec![Class::None], "only the commands that name the node change, which must have the address already")
        }
        (true, Role::ControlPlane) => (
            vec![Class::Pending, restart],
            "certificates, the kubelet and etcd's peer URL get it at once; etcd listens on it after a reboot",
        ),
        (true, Role::Worker) => (vec![restart], "certificates and the kubelet get it at once"),
    };
    let mut row =
        ReviewRow::new(Class::None, DifferenceKind::Changed, "address", sentence).values(&old.address, &new.address);
    (row.classes, row.may_cut, row.is_inferred) = (classes, is_moved, is_moved);
    Some(row.at(key_of(new, "address")))
}

fn key_of(device: &Device, key: &str) -> Location {
    device.keys.at(Pointer::root().child(key)).as_key()
}

/// The names of the disks that Talos was installed on and is to be installed on, if another one is meant.
pub(super) fn moved_system_disk<'d, 'r>(
    rows: impl IntoIterator<Item = &'r ReviewRow>,
    old: &'d Device,
    new: &'d Device,
) -> Option<[&'d str; 2]> {
    let system = |device: &'d Device| device.storage.disks.iter().find(|disk| disk.system).map(|disk| &*disk.name);
    let names = [system(old)?, system(new)?];
    let is_install = |row: &ReviewRow| {
        let is_disk = row.what.starts_with("machine.install.disk")
            || row.what.starts_with("UnattendedInstallConfig provisioning.diskSelector");
        // The one of a base config that the user has is not known.
        is_disk && row.before.as_ref().is_some_and(|disk| !disk.contains("${")) && row.after.is_some()
    };
    (names[0] != names[1] || rows.into_iter().any(is_install)).then_some(names)
}

/// Another disk for Talos itself, which no config moves.
fn system_disk(rows: &[LocatedRow], old: &Device, new: &Device) -> Option<LocatedRow> {
    let [before, after] = moved_system_disk(rows.iter().map(|located| &located.row), old, new)?;
    let sentence = "Talos stays on the disk that it is installed on until it is installed again";
    let row = ReviewRow::new(Class::Install, DifferenceKind::Changed, "disks", sentence)
        .values(format!("Talos on `{before}`"), format!("Talos on `{after}`"));
    (before != after).then(|| row.at(new.keys.at(Pointer::new("/disks").child(after).child("system")).as_key()))
}

/// Another schematic of the image that is installed.
fn schematics(old: &Device, new: &Device) -> Vec<LocatedRow> {
    let mut rows = Vec::new();
    let (Some(before), Some(after)) = (old.images.applied(), new.images.applied()) else { return rows };
    if before.id == after.id {
        return rows;
    }
    let mut add = |key: &str, change: DifferenceKind, value: &str, class: Class, sentence: &str| {
        let what = format!("schematics.{}.{key}", after.name);
        let mut row = ReviewRow::new(class, change, what, sentence);
        match change {
            DifferenceKind::Removed => row.before = Some(value.to_owned()),
            _ => row.after = Some(value.to_owned()),
        }
        let pointer = Pointer::root().child("schematics").child(&after.name).child(key);
        rows.push(row.at(new.keys.at(pointer).as_key()));
    };
    let image = "it comes with the new image: `talosctl upgrade`";
    let lists: BTreeMap<&str, [&[String]; 2]> = BTreeMap::from([
        ("extensions", [&before.extensions[..], &after.extensions[..]]),
        ("extraKernelArgs", [&before.extra_kernel_args[..], &after.extra_kernel_args[..]]),
    ]);
    let mut is_listed = false;
    for (key, [old, new]) in lists {
        for gone in old.iter().filter(|item| !new.contains(item)) {
            let sentence = match key {
                "extensions" => "the new image lacks it: its service and its modules are gone after `talosctl upgrade`",
                _ => "the new image boots without it: `talosctl upgrade`",
            };
            add(key, DifferenceKind::Removed, gone, Class::Upgrade, sentence);
            is_listed = true;
        }
        for added in new.iter().filter(|item| !old.contains(item)) {
            add(key, DifferenceKind::Added, added, Class::Upgrade, image);
            is_listed = true;
        }
    }
    if is_secure(before) != is_secure(after) {
        let sentence = "an upgrade cannot turn SecureBoot on or off: install the node again";
        add("secureboot", DifferenceKind::Changed, &after.id, Class::Wipe, sentence);
        rows.last_mut().into_iter().for_each(|located| located.row.is_inferred = true);
    } else if !is_listed {
        add("id", DifferenceKind::Changed, &after.id, Class::Upgrade, image);
    }
    rows
}

fn is_secure(schematic: &PlannedSchematic) -> bool {
    schematic.secureboot.is_some()
}
