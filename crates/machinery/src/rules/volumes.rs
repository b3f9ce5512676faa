//! Volumes of disks.

use super::encryption::check_encryption;
use super::section::{Section, one_of};
use crate::format::bytes;
use crate::talos_data::talos;

/// Checks a volume of Talos's own.
pub(crate) fn check_system_volume(volume: Section<'_>) {
    let name = volume.name();
    let names = || talos::system_volumes(volume.config().version);
    if !names().any(|other| other == name) {
        let message = format!("`{name}` is not a volume of Talos");
        return volume.refuse("name", message, one_of(&names().collect::<Vec<_>>()));
    }
    if name == "STATE" {
        volume.forbid("provisioning", "which Talos alone decides for STATE");
        for key in volume.items("encryption.keys").filter(|key| key.is_true("lockToState")) {
            key.refuse("lockToState", "the key of STATE cannot be locked to STATE", "remove `lockToState`");
        }
    }
    if volume.since(14) {
        let why = "which this volume cannot have";
        match name {
            "STATE" => volume.forbid("mount", why),
            "IMAGECACHE" => {
                volume.forbid("mount", why);
                volume.forbid("filesystem", why);
            }
            "EPHEMERAL" => {}
            _ if volume.at("provisioning").is_some_and(|provisioning| provisioning.is_filled()) => {}
            _ => volume.forbid("mount", "which needs `provisioning`, so that the volume is a partition"),
        }
    }
    check_sizes(volume, false);
    check_encryption(volume);
}

pub(crate) fn check_user_volume(volume: Section<'_>) {
    match volume.word("volumeType").as_str() {
        "directory" => {
            let why = "which a directory cannot have";
            volume.forbid("provisioning", why);
            volume.forbid("filesystem", why);
            if volume.is_filled("encryption.keys") || volume.is_filled("encryption.provider") {
                volume.forbid("encryption", why);
            }
            match volume.config().minor {
                (1, 13) => volume.forbid("mount", "which a directory cannot have in Talos 1.13"),
                _ => volume.forbid("mount.disableAccessTime", why),
            }
        }
        "disk" => {
            volume.require("provisioning.diskSelector.match");
            for path in ["provisioning.minSize", "provisioning.maxSize", "provisioning.grow"] {
                volume.forbid(path, "which a whole disk cannot have");
            }
            check_filesystem(volume);
            check_encryption(volume);
        }
        "" | "partition" => {
            check_filesystem(volume);
            check_raw_volume(volume);
        }
        other => {
            let message = format!("`{other}` is not a valid type of a user volume");
            volume.refuse("volumeType", message, "write `partition`, `disk` or `directory`");
        }
    }
}

/// Checks a volume without a filesystem, or for swap.
pub(crate) fn check_raw_volume(volume: Section<'_>) {
    volume.require("provisioning.diskSelector.match");
    check_sizes(volume, true);
    check_encryption(volume);
}

/// Checks a volume that the host of a virtual machine provides.
pub(crate) fn check_external_volume(volume: Section<'_>) {
    if volume.word("filesystemType") == "virtiofs" {
        volume.require("mount.virtiofs.tag");
    } else {
        let message = format!("{} has no filesystem that an external volume may have", volume.title());
        volume.refuse("filesystemType", message, "write `filesystemType: virtiofs`");
    }
}

pub(crate) fn check_logical_volume(volume: Section<'_>) {
    let kind = volume.word("type");
    for (path, kinds, least) in [("mirrors", ["raid1", "raid10"], 1), ("stripes", ["raid0", "raid10"], 2)] {
        if volume.has(path) && !volume.is_unknown("type") && !kinds.contains(&kind.as_str()) {
            volume.refuse(path, format!("only {} and {} have {path}", kinds[0], kinds[1]), format!("remove `{path}`"));
        } else {
            volume.require_range(path, least, i128::MAX);
        }
    }
    if volume.text("provisioning.maxSize").starts_with('-') {
        volume.refuse("provisioning.maxSize", "`maxSize` is negative", "write the size of the volume");
    }
    check_order(volume);
}

fn check_filesystem(volume: Section<'_>) {
    let Some(filesystem) = volume.section("filesystem") else { return };
    let kind = filesystem.word("type");
    match kind.as_str() {
        "" | "none" | "xfs" => {}
        "ext4" | "btrfs" => {
            if filesystem.is_true("projectQuotaSupport") {
                let help = "remove it, or write `type: xfs`";
                filesystem.refuse("projectQuotaSupport", "only xfs has project quotas", help);
            }
            if filesystem.has("xfs") {
                let message = format!("options of xfs cannot be combined with `type: {kind}`");
                filesystem.refuse("xfs", message, "remove `xfs`, or write `type: xfs`");
            }
        }
        _ => {
            let message = format!("`{kind}` is not a filesystem that a user volume may have");
            filesystem.refuse("type", message, "write `xfs` or `ext4`");
        }
    }
}

fn check_sizes(volume: Section<'_>, is_required: bool) {
    let (least, most) = ("provisioning.minSize", "provisioning.maxSize");
    if is_required {
        volume.require_either(least, most);
    }
    check_order(volume);
    if volume.text(least).starts_with('-') && volume.since(13) {
        volume.refuse(least, "`minSize` is negative", "write how much the volume needs at least");
    }
}

fn check_order(volume: Section<'_>) {
    let size = |path| bytes(volume.text(path)).filter(|(_, is_negative)| !is_negative);
    if let (Some(least), Some(most)) = (size("provisioning.minSize"), size("provisioning.maxSize"))
        && least > most
    {
        let message = format!("the `minSize` of {} is greater than its `maxSize`", volume.title());
        volume.refuse("provisioning.minSize", message, "make `minSize` the smaller one");
    }
}
