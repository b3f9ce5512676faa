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
use super::talos_version::{mount_options, overwritten, talos_version};

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
        && !clusters.differ(old, new);
    if before.applied != after.applied || !is_same_target {
        // The node is upgraded first.
        let running = if is_upgrade { &new.versions.talos } else { &old.versions.talos };
        let consequences = renderer
            .consequences(running, sides.0, sides.1)
            .map_err(|unreadable| format!("the file of `{}` is no patch: {}", unreadable.key, unreadable.message))?;
        rows.extend(consequences.into_iter().map(LocatedRow::from).map(|mut located| {
            let of_base = || {
                let location = clusters.location_of(&located.row).or_else(|| system_disk_key(&located.row, new));
                Some((Side::After, location?))
            };
            located.location = located.location.take().or_else(of_base);
            located
        }));
        rows.retain(|located| !clusters.has_network(&located.row));
        report_missing_room(&mut rows, old, new);
    }
    let secureboot = secureboot(old, new);
    if secureboot.is_some() {
        rows.retain(|located| !is_image(&located.row));
    }
    rows.extend(secureboot);
    let schematics = schematics(old, new);
    if old.versions.talos != new.versions.talos || !schematics.is_empty() {
        rows.retain(|located| !is_same_repository(&located.row));
    }
    rows.extend(schematics);
    rows.extend(talos_version(old, new, &refused, overwritten(rows.iter().map(|located| &located.row), old, new)));
    rows.extend(mount_options(old, new));
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
    is_image(row)
        && row.classes == [Class::Upgrade]
        && row.before.is_some()
        && repository(&row.before) == repository(&row.after)
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
        // The one of a base config that the user has is not known.
        is_of_system_disk(row) && row.before.as_ref().is_some_and(|disk| !disk.contains("${")) && row.after.is_some()
    };
    (names[0] != names[1] || rows.into_iter().any(is_install)).then_some(names)
}

fn is_of_system_disk(row: &ReviewRow) -> bool {
    row.what.starts_with("machine.install.disk")
        || row.what.starts_with("UnattendedInstallConfig provisioning.diskSelector")
}

/// Where a device has the system disk that its generated base config names.
fn system_disk_key(row: &ReviewRow, device: &Device) -> Option<Location> {
    let disk = device.storage.disks.iter().find(|disk| disk.system).filter(|_| is_of_system_disk(row))?;
    Some(device.keys.at(Pointer::new("/disks").child(&disk.name)).as_key())
}

/// Another disk for Talos itself, which no config moves.
fn system_disk(rows: &[LocatedRow], old: &Device, new: &Device) -> Option<LocatedRow> {
    let [before, after] = moved_system_disk(rows.iter().map(|located| &located.row), old, new)?;
    let sentence = "Talos stays on the disk that it is installed on until it is installed again";
    let row = ReviewRow::new(Class::Install, DifferenceKind::Changed, "disks", sentence)
        .values(format!("Talos on `{before}`"), format!("Talos on `{after}`"));
    (before != after).then(|| row.at(new.keys.at(Pointer::new("/disks").child(after).child("system")).as_key()))
}

fn is_image(row: &ReviewRow) -> bool {
    matches!(row.what.as_str(), "machine.install.image" | "UnattendedInstallConfig installer.image")
}

/// An image with SecureBoot in place of one without it, or the other way round.
fn secureboot(old: &Device, new: &Device) -> Option<LocatedRow> {
    let is_secure =
        |device: &Device| Some(device.images.install.image.as_ref()?.reference.contains("-installer-secureboot"));
    let (before, after) = is_secure(old).zip(is_secure(new)).filter(|(before, after)| before != after)?;
    let sentence = "an upgrade cannot turn SecureBoot on or off: install the node again";
    let row = ReviewRow::new(Class::Wipe, DifferenceKind::Changed, "install.image.secureboot", sentence);
    let row = ReviewRow { is_inferred: true, ..row.values(before.to_string(), after.to_string()) };
    Some(row.at(new.keys.at(Pointer::new("/install").child("image")).as_key()))
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
    if !is_listed && differs_for_first_boot_only(before, after) {
        let sentence = "only the first boot from the image reads what differs in it; an upgrade installs it and changes nothing else";
        add("id", DifferenceKind::Changed, &after.id, Class::Upgrade, sentence);
        rows.last_mut().into_iter().for_each(|located| located.row.is_inferred = true);
    } else if !is_listed {
        add("id", DifferenceKind::Changed, &after.id, Class::Upgrade, image);
    }
    rows
}

/// Whether two schematics without another difference differ in META values, in the machine config of the image or in its sectors.
fn differs_for_first_boot_only(one: &PlannedSchematic, other: &PlannedSchematic) -> bool {
    let first_boot =
        |it: &PlannedSchematic| (it.meta.clone(), it.embedded_machine_configuration.clone(), it.sector_size);
    let lasting = |it: &PlannedSchematic| {
        let overlay = it.overlay.as_ref().map(|overlay| serde_json::to_string(overlay).unwrap_or_default());
        (
            overlay,
            it.bootloader,
            it.secureboot.as_ref().map(|keys| (keys.enroll_keys, keys.include_well_known_certificates)),
        )
    };
    let lists = |it: &PlannedSchematic| (it.extensions.clone(), it.extra_kernel_args.clone());
    first_boot(one) != first_boot(other) && lasting(one) == lasting(other) && lists(one) == lists(other)
}
