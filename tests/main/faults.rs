//! One fault is one finding, and hides no other.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use camino::Utf8PathBuf;
use serde_json::{Value, json};
use talosmith_cli::{MemoryTree, Project, Purpose, Selection, inspect};
use talosmith_document::{Anchor, Document, Location, Pointer, Sources};

use crate::expected::{files, repository};
use crate::fixtures::{fixtures, load};

type Files = BTreeMap<Utf8PathBuf, Vec<u8>>;

fn fleets() -> Vec<Files> {
    let fleets = fs::read_dir(repository("tests/fleets")).expect("fleets");
    fleets.map(|fleet| fleet_model(&fleet.expect("a fleet").path())).collect()
}

fn valid_fixtures() -> Vec<Files> {
    let models = fixtures("valid").into_iter().map(|path| {
        let files = load(&path).into_iter();
        files.map(|(path, text)| (path.into(), text.into_bytes())).collect()
    });
    models.collect()
}

/// Returns what the devices of a fleet are read from.
fn fleet_model(root: &Path) -> Files {
    let all = files(root).into_iter().filter_map(|path| {
        let name = Utf8PathBuf::from_path_buf(path.strip_prefix(root).ok()?.to_owned()).ok()?;
        let is_generated = name.as_str().contains("/manifests/");
        (!is_generated).then(|| Some((name, fs::read(&path).ok()?)))?
    });
    all.collect()
}

/// Returns the message and the place of every finding.
fn findings(files: &Files) -> BTreeSet<(String, Location)> {
    let tree: MemoryTree = files.iter().map(|(path, bytes)| (path.as_str(), bytes.clone())).collect();
    let project = Project::open(&tree).expect("a tree in memory can be read");
    let inspection = inspect(project, &Selection::Everything, Purpose::Render, |_| None::<()>);
    let findings = inspection.expect("a tree in memory can be read").findings;
    findings.into_iter().map(|finding| (finding.message, finding.at.location)).collect()
}

fn json_of(text: &[u8]) -> Value {
    let text = std::str::from_utf8(text).expect("a device file");
    let mut sources = Sources::default();
    Document::parse(sources.add("device.yaml", text), text).expect("a device file").root.into_json()
}

/// Returns the pointers of all keys down to a depth.
fn keys(value: &Value, at: &Pointer, depth: usize) -> Vec<Pointer> {
    let entries = value.as_object().into_iter().flatten().filter(|_| depth > 0);
    let pointers = entries.flat_map(|(key, value)| {
        let at = at.child(key);
        let below = keys(value, &at, depth - 1);
        below.into_iter().chain([at])
    });
    pointers.collect()
}

fn is_within(location: &Location, at: &Pointer) -> bool {
    matches!(&location.anchor, Anchor::Key(pointer) | Anchor::Value(pointer) if pointer.as_str().starts_with(at.as_str()))
}

/// Returns the findings that a wrong value at each key of a file causes elsewhere.
fn followers(mut files: Files, path: &Utf8PathBuf, depth: usize) -> Vec<String> {
    let before = findings(&files);
    let right = json_of(&files[path]);
    let mut followers = Vec::new();
    // Without `lints` what they turn off is found.
    let keys = keys(&right, &Pointer::root(), depth).into_iter().filter(|at| !at.as_str().starts_with("/lints"));
    for at in keys {
        let mut wrong = right.clone();
        // No key has a list of lists.
        *wrong.pointer_mut(at.as_str()).expect("an entry") = json!([["wrong"]]);
        files.insert(path.clone(), wrong.to_string().into_bytes());
        let new = findings(&files).into_iter().filter(|(message, location)| {
            !before.iter().any(|(other, _)| other == message) && !is_within(location, &at)
        });
        followers.extend(new.map(|(message, _)| format!("{path} {at}: {message}")));
    }
    followers
}

#[test]
fn a_wrong_value_of_a_device_has_no_finding_but_its_own() {
    let mut found = Vec::new();
    for files in fleets().into_iter().chain(valid_fixtures()) {
        let is_device = |path: &Utf8PathBuf| path.ends_with("device.yaml");
        for device in files.keys().filter(|path| is_device(path)) {
            let alone = files.iter().filter(|(path, _)| !is_device(path) || *path == device);
            let alone = alone.map(|(path, bytes)| (path.clone(), bytes.clone())).collect();
            found.extend(followers(alone, device, 2));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn a_wrong_value_of_a_fleet_has_no_finding_but_its_own() {
    let found: Vec<_> = fleets().into_iter().flat_map(|files| followers(files, &"talosmith.yaml".into(), 5)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}
