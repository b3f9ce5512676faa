//! LVM and RAID.

use super::{Rules, expression, format};
use crate::cel::Environment;
use crate::config::Document;

/// A logical volume.
pub(crate) fn logical_volume(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, 63);
    let value = &document.value;
    let kind = value.word("type");
    let kind = kind.as_str();
    let (mirrors, stripes) = (value.number("mirrors"), value.number("stripes"));
    if let Some(mirrors) = mirrors {
        if !matches!(kind, "raid1" | "raid10") {
            rules.refuse(document, "mirrors", "only raid1 and raid10 have mirrors", "remove `mirrors`");
        } else if mirrors < 1 {
            rules.refuse(document, "mirrors", "`mirrors` is less than 1", "write 1 or more");
        }
    }
    if let Some(stripes) = stripes {
        if !matches!(kind, "raid0" | "raid10") {
            rules.refuse(document, "stripes", "only raid0 and raid10 have stripes", "remove `stripes`");
        } else if stripes < 2 {
            rules.refuse(document, "stripes", "`stripes` is less than 2", "write 2 or more");
        }
    }
    rules.require(document, "provisioning.volumeGroup");
    rules.require(document, "provisioning.maxSize");
    let most = value.text("provisioning.maxSize");
    if most.starts_with('-') {
        rules.refuse(document, "provisioning.maxSize", "`maxSize` is negative", "write the size of the volume");
    }
    if let (Some((least, _)), Some((most, _))) =
        (format::bytes(value.text("provisioning.minSize")), format::bytes(most))
        && least > most
    {
        rules.refuse(
            document,
            "provisioning.minSize",
            "`minSize` is greater than `maxSize`",
            "make it the smaller one",
        );
    }
}

/// A group of physical volumes.
pub(crate) fn volume_group(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, 63);
    members(rules, document);
}

/// An array of disks.
pub(crate) fn array(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    name(rules, document, 32);
    members(rules, document);
}

fn members(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require(document, "provisioning.volumeSelector.match");
    expression(rules, document, "provisioning.volumeSelector.match", Environment::MemberVolume);
}

fn name(rules: &mut Rules<'_, '_>, document: &Document<'_>, longest: usize) {
    let name = document.name;
    rules.require_name(document);
    if name.len() > longest {
        let message = format!("the name `{name}` has {} characters, more than {longest}", name.len());
        rules.refuse(document, "name", message, "choose a shorter name");
    }
    if name.chars().any(|each| !each.is_ascii_alphanumeric() && each != '-' && each != '_') {
        let message = format!("the name `{name}` has other characters than letters, digits, `-` and `_`");
        rules.refuse(document, "name", message, "choose another name");
    }
}
