//! What happens to volumes. A volume that Talos made is never changed by its document, but for what it reads again at each boot.

use super::table::Change;
use super::table::{self, DifferenceKind};
use super::{ConfigComparison, Found, Side, shown, written};
use crate::config::{Config, Document};
use crate::format::bytes;
use crate::normal::normal;
use crate::setting::Setting;
use crate::value::Value;

/// The kinds of documents of volumes.
pub(super) const KINDS: &[&str] = &[
    "ExistingVolumeConfig",
    "ExternalVolumeConfig",
    "RawVolumeConfig",
    "SwapVolumeConfig",
    "UserVolumeConfig",
    SYSTEM,
];

/// The kind of the documents of Talos's own volumes, which exist whether or not they have one.
const SYSTEM: &str = "VolumeConfig";

/// The volumes that are folders of EPHEMERAL unless they have room of their own, since 1.14.
const BACKED: &[&str] = &["CRI", "ETCD", "KUBELET", "LOG"];

/// Adds what happens to the volumes of two configs.
pub(super) fn compare<'v>(comparison: &mut ConfigComparison<'v>, old: &[Setting<'v>], new: &[Setting<'v>]) {
    let settings = (old, new);
    let (before, after, is_same_base) = (comparison.before, comparison.after, comparison.is_same_base);
    let volumes = |config: &'v Config<'v>| -> Vec<&'v Document<'v>> {
        let documents = config.documents.iter().filter(|document| KINDS.contains(&document.kind));
        documents.filter(|document| is_same_base || document.origin.is_some()).collect()
    };
    let (before, after) = (volumes(before), volumes(after));
    let twin = |documents: &[&'v Document<'v>], document: &Document<'_>| {
        documents.iter().copied().find(|other| other.kind == document.kind && other.name == document.name)
    };
    let added: Vec<&Document<'v>> =
        after.iter().copied().filter(|document| twin(&before, document).is_none()).collect();
    let mut renamed = Vec::new();
    for document in &before {
        match twin(&after, document) {
            Some(other) => both(comparison, settings, Some(document), Some(other)),
            None if document.kind == SYSTEM => both(comparison, settings, Some(document), None),
            None => {
                let same = added.iter().find(|other| is_same_volume(document, other));
                renamed.extend(same.map(|other| other.name));
                let name = |document: &Document<'_>| Some(document.name.to_owned());
                match same {
                    Some(other) => {
                        let values = (name(document), name(other));
                        add(
                            comparison,
                            other,
                            "renamed",
                            DifferenceKind::Changed,
                            ("name", values, Some(&other.value)),
                        );
                    }
                    None => add(comparison, document, "removed", DifferenceKind::Removed, ("", (None, None), None)),
                }
            }
        }
    }
    for document in added {
        match document.kind {
            SYSTEM => both(comparison, settings, None, Some(document)),
            _ if renamed.contains(&document.name) => {}
            _ => add(comparison, document, "new", DifferenceKind::Added, ("", (None, None), Some(&document.value))),
        }
    }
}

/// Whether two volumes differ in their names alone.
fn is_same_volume(one: &Document<'_>, other: &Document<'_>) -> bool {
    let all = |value: &Value<'_>, other: &Value<'_>| {
        let mut fields = value.all_fields().iter().filter(|field| field.key != "name");
        fields.all(|field| other.field(&field.key).is_some_and(|other| field.value.equals(&other.value)))
    };
    one.kind == other.kind && all(&one.value, &other.value) && all(&other.value, &one.value)
}

/// Compares the documents of one volume. One of them may be absent for a volume of Talos.
fn both<'v>(
    comparison: &mut ConfigComparison<'v>,
    (old, new): (&[Setting<'v>], &[Setting<'v>]),
    before: Option<&'v Document<'v>>,
    after: Option<&'v Document<'v>>,
) {
    let Some(document) = after.or(before) else { return };
    let is_same_base = comparison.is_same_base;
    let own = |settings: &[Setting<'v>], document: Option<&'v Document<'v>>| -> Vec<Setting<'v>> {
        let is_own = |setting: &&Setting<'v>| {
            let is_in = document.is_some_and(|document| std::ptr::eq(setting.document, document));
            is_in && !setting.path.is_empty() && (is_same_base || setting.is_patched())
        };
        settings.iter().filter(is_own).cloned().collect()
    };
    let (old, new) = (own(old, before), own(new, after));
    let types = comparison.before.types;
    let mut pairs: Vec<Pair<'_, 'v>> =
        old.iter().map(|setting| (Some(setting), new.iter().find(|other| other.path == setting.path))).collect();
    pairs.extend(new.iter().filter(|new| !old.iter().any(|old| old.path == new.path)).map(|new| (None, Some(new))));
    let text = |setting: &Setting<'_>| normal(setting.kind, setting.value, types);
    pairs.retain(|(old, new)| old.map(text) != new.map(text));
    // Of the values of a size, the bound counts first.
    pairs.sort_by_key(|(old, new)| new.or(*old).is_some_and(|setting| setting.path() == "provisioning.minSize"));
    let is_moved =
        BACKED.contains(&document.name) && before.is_none_or(is_unprovisioned) != after.is_none_or(is_unprovisioned);
    let mut seen = Vec::new();
    for (old, new) in pairs {
        let Some(setting) = new.or(old) else { continue };
        let path = setting.path();
        let row = match row_of(document, &path) {
            "size" | "selector" if is_moved && document.kind == SYSTEM => "backing",
            "size" | "selector" if document.kind == SYSTEM && before.is_none_or(is_unprovisioned) => "new-system",
            "size" => size(document, before, after),
            "encryption" => encryption(document.kind == SYSTEM, before, after),
            row => row,
        };
        // A size and an encryption have several values, and one consequence.
        let is_one =
            matches!(row_of(document, &path), "size" | "encryption") || matches!(row, "new-system" | "backing");
        if is_one && seen.contains(&row) {
            continue;
        }
        seen.push(row);
        let change = match (old, new) {
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
            _ => DifferenceKind::Changed,
        };
        let value = |setting: &Setting<'v>| shown(setting);
        add(comparison, document, row, change, (&path, (old.map(value), new.map(value)), Some(setting.value)));
    }
}

/// Whether the document of a volume of Talos has no size.
fn is_unprovisioned(document: &Document<'_>) -> bool {
    !document.value.has("provisioning")
}

/// A value before and after.
type Pair<'e, 'v> = (Option<&'e Setting<'v>>, Option<&'e Setting<'v>>);

/// The row for a value of a volume, or what several values are about.
fn row_of(document: &Document<'_>, path: &str) -> &'static str {
    let is_system = document.kind == SYSTEM;
    let first = path.split('.').next().unwrap_or_default();
    match (first, path) {
        (_, "provisioning.minSize" | "provisioning.maxSize" | "provisioning.grow") => "size",
        ("provisioning", _) => "selector",
        ("encryption", _) => "encryption",
        ("volumeType", _) => "type",
        (_, "filesystem.type") => "filesystem",
        (_, "filesystem.projectQuotaSupport") => "quota",
        ("filesystem", _) => "filesystem-option",
        ("mount", _) if is_system => "mount-system",
        ("mount", _) => "mount",
        ("trim" | "scrub", _) => "upkeep",
        _ => "discovery",
    }
}

/// The row for another size of a volume, or another will to grow.
fn size(document: &Document<'_>, before: Option<&Document<'_>>, after: Option<&Document<'_>>) -> &'static str {
    // Source: ctl/block/internal/volumes/volumeconfig/system_volumes.go.
    let grows_by_default = document.kind == SYSTEM && document.name == "EPHEMERAL";
    let grows = |side: Option<&Document<'_>>| {
        side.and_then(|document| document.value.flag("provisioning.grow")).unwrap_or(grows_by_default)
    };
    let (old, new) = (limit(before), limit(after));
    let is_smaller = old.zip(new).is_some_and(|(old, new)| new < old);
    let text =
        |side: Option<&Document<'_>>| side.map(|document| document.value.text("provisioning.maxSize").to_owned());
    let is_same = if old.is_some() { old == new } else { text(before) == text(after) };
    match () {
        () if is_same && grows(before) == grows(after) => "min-size",
        () if grows(after) && is_smaller => "shrunk",
        () if grows(after) && new.is_none() => "grows-unbounded",
        () if grows(after) => "grows",
        () if grows(before) => "stops-growing",
        () if is_smaller => "shrunk",
        () if old.is_some() && new.is_some() => "grown",
        () => "resized",
    }
}

/// The most bytes that a volume can have, without `maxSize` all of its disk; none for what is relative to that.
fn limit(document: Option<&Document<'_>>) -> Option<u64> {
    let most = document.map_or("", |document| document.value.text("provisioning.maxSize"));
    if most.is_empty() {
        return Some(u64::MAX);
    }
    bytes(most).filter(|(_, is_negative)| !is_negative).map(|(bytes, _)| bytes)
}

/// The row for another encryption of a volume.
fn encryption(is_system: bool, before: Option<&Document<'_>>, after: Option<&Document<'_>>) -> &'static str {
    let is_encrypted = |document: Option<&Document<'_>>| {
        document.is_some_and(|document| !matches!(document.value.text("encryption.provider"), "" | "none"))
    };
    match (is_encrypted(before), is_encrypted(after)) {
        (false, true) if is_system => "encrypted-system",
        (false, true) => "encrypted",
        (true, false) if is_system => "decrypted-system",
        (true, false) => "decrypted",
        _ => "keys",
    }
}

/// Adds the consequence of a row for a volume, with the path of the value, the value before and after, and where it is written.
fn add<'v>(
    comparison: &mut ConfigComparison<'v>,
    document: &Document<'v>,
    row: &str,
    change: DifferenceKind,
    (path, (before, after), value): (&str, (Option<String>, Option<String>), Option<&Value<'v>>),
) {
    let whole = Change { value: change, whole: change };
    let found = table::find("volume", &[row], comparison.minor, comparison.role, whole);
    let side = if change == DifferenceKind::Removed { Side::Before } else { Side::After };
    let origin = value.and_then(|value| value.origin).or(document.origin);
    let written = written(side, origin);
    comparison.push(found, document, Found { change, path: path.to_owned(), before, after, written });
}
