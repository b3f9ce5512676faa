//! Volumes of disks.

use super::{Rules, encryption, format};
use crate::cel::Environment;
use crate::config::Document;
use crate::value::Value;

/// What a partition's label of 36 characters leaves for the name behind `u-`, `r-`, `s-` and `x-`.
const NAME: usize = 34;

/// A volume of Talos's own.
pub(crate) fn system(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let old = ["STATE", "EPHEMERAL", "IMAGECACHE"];
    let new = ["ETCD", "CRI", "KUBELET", "LOG"];
    let name = document.name;
    let names = if rules.config.since(14) { [&old[..], &new].concat() } else { old.to_vec() };
    if !names.contains(&name) {
        let message = format!("`{name}` is no volume of Talos");
        return rules.refuse(document, "name", message, format!("write one of {}", names.join(", ")));
    }
    let value = &document.value;
    if name == "STATE" {
        rules.forbid(document, "provisioning", "which Talos alone decides for STATE");
        for key in value.items("encryption.keys").iter().filter(|key| key.is_true("lockToState")) {
            let at = key.get("lockToState").unwrap_or(key);
            rules.refuse_value(document, at, "the key of STATE cannot be locked to STATE", "remove `lockToState`");
        }
    }
    if rules.config.since(14) {
        if matches!(name, "STATE" | "IMAGECACHE") {
            rules.forbid(document, "mount", "which this volume does not take");
        }
        if name == "IMAGECACHE" {
            rules.forbid(document, "filesystem", "which this volume does not take");
        }
        if new.contains(&name) && !value.at("provisioning").is_some_and(Value::is_filled) {
            rules.forbid(document, "mount", "which needs `provisioning`, so that the volume is a partition");
        }
    }
    provisioning(rules, document, false, true);
    encryption::check_encryption(rules, document);
    intervals(rules, document);
}

/// A user volume.
pub(crate) fn user(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, NAME);
    match document.value.word("volumeType").as_str() {
        "directory" => {
            for section in ["provisioning", "filesystem"] {
                rules.forbid(document, section, "which a directory does not take");
            }
            if !document.value.items("encryption.keys").is_empty()
                || !document.value.text("encryption.provider").is_empty()
            {
                rules.forbid(document, "encryption", "which a directory does not take");
            }
            match rules.config.minor {
                (1, 13) => rules.forbid(document, "mount", "which a directory does not take in Talos 1.13"),
                _ => rules.forbid(document, "mount.disableAccessTime", "which a directory does not take"),
            }
        }
        "disk" => {
            provisioning(rules, document, true, false);
            filesystem(rules, document);
            encryption::check_encryption(rules, document);
        }
        "" | "partition" => {
            provisioning(rules, document, true, true);
            filesystem(rules, document);
            encryption::check_encryption(rules, document);
        }
        other => {
            let message = format!("`{other}` is no type of a user volume");
            rules.refuse(document, "volumeType", message, "write `partition`, `disk` or `directory`");
        }
    }
    intervals(rules, document);
}

/// A volume without a filesystem, or of swap.
pub(crate) fn raw(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, NAME);
    provisioning(rules, document, true, true);
    encryption::check_encryption(rules, document);
}

/// A volume that is there already.
pub(crate) fn existing(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, usize::MAX);
    rules.require(document, "discovery.volumeSelector.match");
    super::expression(rules, document, "discovery.volumeSelector.match", Environment::Volume);
    intervals(rules, document);
}

/// A volume that the host of a virtual machine gives.
pub(crate) fn external(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, NAME);
    if document.value.word("filesystemType") == "virtiofs" {
        rules.require(document, "mount.virtiofs.tag");
    } else {
        let message = format!("{} has no filesystem that an external volume may have", document.title());
        rules.refuse(document, "filesystemType", message, "write `filesystemType: virtiofs`");
    }
}

/// How often free blocks are trimmed.
pub(crate) fn trim(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    not_negative(rules, document, "interval");
}

/// How often filesystems are scrubbed.
pub(crate) fn scrub(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    let interval = format::duration(document.value.text(path));
    if interval.is_some_and(|seconds| seconds != 0.0 && seconds < 10.0) {
        rules.refuse(document, path, format!("`{path}` is shorter than 10s"), "write 10s or more");
    }
}

/// Compressed swap in memory.
pub(crate) fn zswap(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if document.value.number("maxPoolPercent").is_some_and(|percent| !(0..=100).contains(&percent)) {
        rules.refuse(document, "maxPoolPercent", "`maxPoolPercent` is not between 0 and 100", "write 0 to 100");
    }
}

/// Refuses a length of time below zero.
pub(crate) fn not_negative(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    if format::duration(document.value.text(path)).is_some_and(|seconds| seconds < 0.0) {
        rules.refuse(document, path, format!("`{path}` is negative"), "write a time of zero or more");
    }
}

fn intervals(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    not_negative(rules, document, "trim.interval");
    scrub(rules, document, "scrub.interval");
}

/// A name of letters, digits and hyphens.
fn name(rules: &mut Rules<'_, '_>, document: &Document<'_>, longest: usize) {
    let name = document.name;
    if name.is_empty() {
        rules.require_name(document);
    } else if name.len() > longest {
        let message = format!("the name `{name}` has {} characters, more than {longest}", name.len());
        rules.refuse(document, "name", message, "choose a shorter name");
    }
    if name.chars().any(|each| !each.is_ascii_alphanumeric() && each != '-') {
        let message = format!("the name `{name}` has other characters than letters, digits and `-`");
        rules.refuse(document, "name", message, "choose another name");
    }
}

fn filesystem(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let Some(filesystem) = document.value.at("filesystem") else { return };
    let kind = filesystem.word("type");
    let kind = kind.as_str();
    if !matches!(kind, "" | "none" | "xfs" | "ext4" | "btrfs") {
        let message = format!("`{kind}` is no filesystem that a user volume may have");
        return rules.refuse(document, "filesystem.type", message, "write `xfs` or `ext4`");
    }
    if matches!(kind, "" | "none" | "xfs") {
        return;
    }
    if filesystem.is_true("projectQuotaSupport") {
        let message = "only xfs has project quotas";
        rules.refuse(document, "filesystem.projectQuotaSupport", message, "remove it, or write `type: xfs`");
    }
    if filesystem.has("xfs") {
        let message = format!("options of xfs stand beside `type: {kind}`");
        rules.refuse(document, "filesystem.xfs", message, "remove `xfs`, or write `type: xfs`");
    }
}

/// Where a volume is made, and how big.
fn provisioning(rules: &mut Rules<'_, '_>, document: &Document<'_>, required: bool, sized: bool) {
    let value = &document.value;
    if required {
        rules.require(document, "provisioning.diskSelector.match");
    }
    super::expression(rules, document, "provisioning.diskSelector.match", Environment::Disk);
    let (least, most) = (value.text("provisioning.minSize"), value.text("provisioning.maxSize"));
    if !sized {
        for field in ["minSize", "maxSize", "grow"] {
            rules.forbid(document, &format!("provisioning.{field}"), "which a whole disk does not take");
        }
        return;
    }
    if least.is_empty() && most.is_empty() {
        if required {
            let message = format!("{} has neither `minSize` nor `maxSize`", document.title());
            rules.refuse(document, "provisioning.minSize", message, "add `minSize`");
        }
    } else if let (Some((least, false)), Some((most, false))) = (format::bytes(least), format::bytes(most))
        && least > most
    {
        let message = format!("the `minSize` of {} is greater than its `maxSize`", document.title());
        rules.refuse(document, "provisioning.minSize", message, "make `minSize` the smaller one");
    }
    if least.starts_with('-') && rules.config.since(13) {
        rules.refuse(
            document,
            "provisioning.minSize",
            "`minSize` is negative",
            "write how much the volume needs at least",
        );
    }
}
