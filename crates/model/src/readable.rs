//! What can be checked of a device whose file has errors: every key and entry that is right and that needs no wrong one.

use serde_json::{Map, Value};
use talosmith_document::{Anchor, Diagnostic, Level};

/// Stands for an address that is wrong or missing; it is in no network, and the device is not generated.
const NO_ADDRESS: &str = "0.0.0.0";

/// The keys that decide how all others are read.
const NEEDED: &[&str] = &["cluster", "role", "talosVersion", "baseConfig", "base"];

/// The keys whose checks read another key, and would find something wrong only because that is missing.
const READERS: &[(&str, &[&str])] = &[
    ("disks", &["volumes", "localPath", "kata", "install"]),
    ("extensionServices", &["install"]),
    ("kernelModules", &["install"]),
    ("labels", &["kata"]),
    ("localPath", &["localPath"]),
    ("patches", &["disks", "volumes", "localPath", "kata", "install"]),
    ("schematics", &["install"]),
    ("tailscale", &["tailscale", "install"]),
    ("volumes", &["volumes", "localPath", "kata"]),
];

/// The key that reads all others, since each may be one for which a file is generated.
const FILE_NAMES: &str = "files";

/// Removes from a device's keys what the findings refuse, and what cannot be checked without it, which the findings then say.
///
/// Returns false if nothing is left to check.
pub(crate) fn keep_readable(keys: &mut Map<String, Value>, folder: &str, findings: &mut [Diagnostic]) -> bool {
    for finding in findings.iter_mut().filter(|finding| finding.level == Level::Error) {
        let (Anchor::Key(pointer) | Anchor::Value(pointer) | Anchor::Part(pointer, _)) = &finding.at.location.anchor
        else {
            continue;
        };
        let mut segments = pointer.segments();
        let Some(key) = segments.next().filter(|key| !NEEDED.contains(&key.as_str())) else { return false };
        match (keys.get_mut(&key), segments.next()) {
            (Some(Value::Object(entries)), Some(entry)) => drop(entries.shift_remove(&entry)),
            _ => drop(keys.shift_remove(&key)),
        }
        let readers =
            READERS.iter().filter(|(read, _)| *read == key).flat_map(|(_, readers)| *readers).chain([&FILE_NAMES]);
        let skipped: Vec<String> = readers
            .filter(|reader| keys.shift_remove(**reader).is_some())
            .map(|reader| format!("`{reader}`"))
            .collect();
        if !skipped.is_empty() {
            finding.notes.push(format!("not checked until this is right: {}", skipped.join(", ")));
        }
    }
    for (key, value) in [("name", folder), ("address", NO_ADDRESS)] {
        keys.entry(key).or_insert_with(|| value.into());
    }
    keys.contains_key("role")
}
