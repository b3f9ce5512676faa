//! What can be checked of a file with errors: every key and entry that is right and that needs no wrong one.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;

use serde_json::{Map, Value};
use talosmith_document::{Anchor, Diagnostic, Level, Pointer};

use crate::layer::GROUPS;

/// The placeholder for an address that is wrong or missing; it is in no network, and the device is not generated.
pub(crate) const NO_ADDRESS: &str = "0.0.0.0";

/// The keys of a device that decide how all others are read.
const NEEDED: &[&str] = &["cluster", "role", "groups", "talosVersion", "baseConfig", "base"];

/// The keys of a device whose checks read another key, and would find something wrong only because that is missing.
const READERS: &[(&str, &[&str])] = &[
    ("address", &["links", "vips"]),
    ("cni", &["kubelet"]),
    ("controllerManager", &["kubelet", "clusterNetwork"]),
    ("disks", &["volumes", "localPath", "kata", "install", "documents"]),
    ("extensionServices", &["install"]),
    ("install", &["links"]),
    ("kernelModules", &["install", "gpu"]),
    ("kubernetesTalosAPIAccess", &["kubernetesTalosAPIAccess"]),
    ("labels", &["kata", "gpu"]),
    ("links", &["links", "vips"]),
    ("localPath", &["localPath"]),
    ("patches", &["links", "vips", "disks", "volumes", "localPath", "kata", "gpu", "install", "documents"]),
    ("schematics", &["install", "links", "gpu"]),
    ("scrub", &["scrub"]),
    ("sysctls", &["gpu"]),
    ("tailscale", &["tailscale", "install"]),
    (
        "values",
        &[
            "patches",
            "machineFiles",
            "extensionServices",
            "manifests",
            "disks",
            "volumes",
            "localPath",
            "kata",
            "install",
            "documents",
        ],
    ),
    ("volumes", &["volumes", "localPath", "kata"]),
    ("watchdog", &["watchdog"]),
];

/// The key of a device that reads all others, since each may be one for which a file is generated.
const FILE_NAMES: &str = "files";

/// A key of a device, or an entry of it.
type Entry = (String, Option<String>);

/// The key of a layer in its cluster, and for a group its name.
type Layer = (String, Option<String>);

/// What the errors of a fleet file keep from being checked.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unreadable {
    /// The clusters that are wrong outside of their layers.
    pub clusters: BTreeSet<String>,
    /// What is wrong in the layers, by the names of the clusters, and the keys of the layers or the names of the groups.
    in_layers: BTreeMap<String, Vec<(Layer, Entry)>>,
}

impl Unreadable {
    /// The wrong entries of the layers that a device of a cluster, a role and groups has.
    pub(crate) fn in_layers<'a>(
        &'a self,
        cluster: &str,
        role: &'a str,
        groups: &'a [&str],
    ) -> impl Iterator<Item = &'a Entry> {
        let wrong = self.in_layers.get(cluster).into_iter().flatten();
        let is_layer = move |(key, group): &Layer| match group {
            Some(group) => groups.contains(&group.as_str()),
            None => key == "defaults" || key == role,
        };
        wrong.filter(move |(layer, _)| is_layer(layer)).map(|(_, entry)| entry)
    }
}

/// Removes from a device's keys what the findings refuse, and what cannot be checked without it, which the findings then say.
///
/// Returns false if nothing is left to check.
pub(crate) fn keep_readable(keys: &mut Map<String, Value>, folder: &str, findings: &mut [Diagnostic]) -> bool {
    for (finding, pointer) in errors(findings) {
        let Some((key, entry)) = entry(&mut pointer.segments()) else { return false };
        let present: Vec<&str> = readers(&key).filter(|reader| keys.contains_key(*reader)).collect();
        if !remove(keys, &(key, entry)) {
            return false;
        }
        finding.notes.extend(note_skipped(&present));
    }
    for (key, value) in [("name", folder), ("address", NO_ADDRESS)] {
        keys.entry(key).or_insert_with(|| value.into());
    }
    keys.contains_key("role")
}

/// Removes from a device's keys a wrong one, or a wrong entry of it, and the keys whose checks read it. Returns false if all do.
pub(crate) fn remove(keys: &mut Map<String, Value>, (key, entry): &Entry) -> bool {
    match (keys.get_mut(key), entry) {
        (Some(Value::Object(entries)), Some(entry)) => drop(entries.shift_remove(entry)),
        _ => drop(keys.shift_remove(key)),
    }
    readers(key).for_each(|reader| drop(keys.shift_remove(reader)));
    !NEEDED.contains(&key.as_str())
}

/// Removes from a fleet file what the findings refuse, and returns what this keeps from being checked; none if that is everything.
pub(crate) fn keep_readable_fleet(fleet: &mut Value, findings: &mut [Diagnostic]) -> Option<Unreadable> {
    let mut unreadable = Unreadable::default();
    for (finding, pointer) in errors(findings) {
        let mut segments = pointer.segments();
        let (section, name) = (segments.next()?, segments.next());
        match (section.as_str(), name) {
            ("clusters", name) => {
                let clusters = fleet.get_mut("clusters")?.as_object_mut()?;
                finding.notes.extend(unreadable.add(clusters, name?, &mut segments));
            }
            // Whatever uses the secret finds its name.
            ("secrets", name) => {
                drop(fleet.get_mut("secrets")?.as_object_mut()?.insert(name?, Value::Array(Vec::new())));
            }
            ("artifacts" | "lints" | "references", Some(name)) => {
                drop(fleet.get_mut(&section)?.as_object_mut()?.shift_remove(&name));
            }
            ("templates", _) => {
                let sections = fleet.as_object_mut()?;
                sections.shift_remove("templates");
                finding.notes.extend(sections.shift_remove("artifacts").and_then(|_| note_skipped(&["artifacts"])));
            }
            _ => drop(fleet.as_object_mut()?.shift_remove(&section)),
        }
    }
    fleet.get("clusters").is_some().then_some(unreadable)
}

impl Unreadable {
    /// Removes a wrong value from a cluster, or the cluster. Returns a note on what is not checked then.
    fn add(
        &mut self,
        clusters: &mut Map<String, Value>,
        name: String,
        path: &mut impl Iterator<Item = String>,
    ) -> Option<String> {
        let key = path.next().unwrap_or_default();
        let section = clusters.get_mut(&name).and_then(|cluster| cluster.get_mut(&key)?.as_object_mut());
        let (section, group) = match (key.as_str(), section) {
            (GROUPS, Some(groups)) => {
                let group = path.next();
                (group.as_ref().and_then(|group| groups.get_mut(group)?.as_object_mut()), group)
            }
            (_, section) => (section, None),
        };
        match (key.as_str(), section, entry(path)) {
            ("defaults" | "controlplane" | "worker" | GROUPS, Some(keys), Some(entry)) => {
                remove(keys, &entry);
                let skipped: Vec<&str> = readers(&entry.0).collect();
                self.in_layers.entry(name).or_default().push(((key, group), entry));
                note_skipped(&skipped)
            }
            ("applications", Some(applications), Some((application, _))) => {
                applications.shift_remove(&application);
                let users = ["localPath", "kata"];
                let wrong = users.map(|key| (("defaults".to_owned(), None), (key.to_owned(), None)));
                self.in_layers.entry(name).or_default().extend(wrong);
                note_skipped(&users)
            }
            _ => {
                clusters.shift_remove(&name);
                let note = format!("the devices of `{name}` were not checked any further");
                self.clusters.insert(name);
                Some(note)
            }
        }
    }
}

/// The errors that are about a key or value, and its pointer.
fn errors(findings: &mut [Diagnostic]) -> impl Iterator<Item = (&mut Diagnostic, Pointer)> {
    let errors = findings.iter_mut().filter(|finding| finding.level == Level::Error);
    errors.filter_map(|finding| match &finding.at.location.anchor {
        Anchor::Key(pointer) | Anchor::Value(pointer) | Anchor::Part(pointer, _) => {
            let pointer = pointer.clone();
            Some((finding, pointer))
        }
        Anchor::File | Anchor::Bytes(_) => None,
    })
}

fn entry(segments: &mut impl Iterator<Item = String>) -> Option<Entry> {
    Some((segments.next()?, segments.next()))
}

/// The keys whose checks read a key.
fn readers(key: &str) -> impl Iterator<Item = &'static str> {
    let readers = READERS.iter().filter(move |(read, _)| *read == key).flat_map(|(_, readers)| *readers);
    readers.copied().chain(iter::once(FILE_NAMES))
}

fn note_skipped(keys: &[&str]) -> Option<String> {
    let keys: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    (!keys.is_empty()).then(|| format!("not checked until this is right: {}", keys.join(", ")))
}
