//! What a change does to one node.

use std::collections::BTreeMap;

use talosmith_document::Pointer;
use talosmith_machinery::{Class, DifferenceKind};
use talosmith_model::plan::{Device, PlannedSchematic};
use talosmith_render::{AppliedFiles, Renderer};

use super::objects;
use super::room::report_missing_room;
use super::row::{LocatedRow, ReviewRow};
use super::side::DeviceFiles;

/// Compares what a node has with what it gets; returns why that is not possible for a file that is no patch.
pub(crate) fn compare(
    renderer: &Renderer,
    before: &DeviceFiles,
    after: &DeviceFiles,
) -> Result<Vec<LocatedRow>, String> {
    let (old, new) = (&*before.device, &*after.device);
    let sides =
        (AppliedFiles { device: old, files: &before.applied }, AppliedFiles { device: new, files: &after.applied });
    let is_upgrade = old.versions.talos < new.versions.talos;
    let refused = if is_upgrade { renderer.refused_by(&old.versions.talos, sides.1) } else { Vec::new() };
    let mut rows = Vec::new();
    rows.extend(talos_version(old, new, &refused));
    rows.extend(identity(old, new));
    rows.extend(schematics(old, new));
    // Equal patches for equal versions make the same machine config.
    let is_same_target = old.versions.talos == new.versions.talos
        && old.versions.base == new.versions.base
        && old.role == new.role
        && old.base.is_empty()
        && new.base.is_empty();
    if before.applied != after.applied || !is_same_target {
        // What the Talos that runs refuses is applied after the upgrade.
        let running = if refused.is_empty() { &old.versions.talos } else { &new.versions.talos };
        let consequences = renderer
            .consequences(running, sides.0, sides.1)
            .map_err(|unreadable| format!("the file of `{}` is no patch: {}", unreadable.key, unreadable.message))?;
        rows.extend(consequences.into_iter().map(LocatedRow::from));
        report_missing_room(&mut rows, old, new);
        let explains_image =
            |row: &LocatedRow| row.row.what == "talosVersion" || row.row.what.starts_with("schematics.");
        if rows.iter().any(explains_image) {
            rows.retain(|located| !is_same_repository(&located.row));
        }
    }
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

/// Another version of Talos, of which one minor at a time can be installed. `refused` are the files that the old one does not read.
fn talos_version(old: &Device, new: &Device, refused: &[(String, String)]) -> Option<LocatedRow> {
    let (before, after) = (&old.versions.talos, &new.versions.talos);
    if before == after {
        return None;
    }
    let (from, to) = (before.minor(), after.minor());
    let row = |class, sentence: String| {
        ReviewRow::new(class, DifferenceKind::Changed, "talosVersion", sentence)
            .values(before.to_string(), after.to_string())
    };
    let row = if to < from || from == to && after < before {
        let sentence =
            "Talos does not support going back to an older minor: `talosctl rollback` boots the image before";
        row(Class::Manual, sentence.to_owned())
    } else if to.1 > from.1 + 1 {
        let next = format!("v{}.{}", from.0, from.1 + 1);
        row(Class::Broken, format!("Talos upgrades one minor at a time: upgrade to {next} first"))
    } else {
        let reason =
            refused.first().map(|(key, why)| format!(", since Talos {before} refuses the file of `{key}` ({why})"));
        let reason = reason.unwrap_or_default();
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
            rows.push(row.at(new.keys.at(Pointer::root().child(key)).as_key()));
        }
    };
    let reset = "a node cannot change it: reset the node, and let it join again";
    add("role", Class::Wipe, old.role.name(), new.role.name(), reset);
    add("cluster", Class::Wipe, &old.cluster, &new.cluster, reset);
    add("address", Class::None, &old.address, &new.address, "only the commands that name the node change");
    rows
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
