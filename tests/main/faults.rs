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

/// Returns the models of the fleets and of the valid fixtures.
fn models() -> Vec<Files> {
    let fleets = fs::read_dir(repository("tests/fleets")).expect("fleets");
    let fleets = fleets.map(|fleet| fleet_model(&fleet.expect("a fleet").path()));
    let fixtures = fixtures("valid").into_iter().map(|path| {
        let files = load(&path).into_iter();
        files.map(|(path, text)| (path.into(), text.into_bytes())).collect()
    });
    fleets.chain(fixtures).collect()
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

/// Returns the pointers of the keys of a device, and of the entries below them.
fn entries(device: &Value) -> Vec<Pointer> {
    let keys = device.as_object().expect("a device").iter();
    let pointers = keys.flat_map(|(key, value)| {
        let at = Pointer::root().child(key);
        let entries = value.as_object().into_iter().flatten().map(|(entry, _)| at.child(entry)).collect::<Vec<_>>();
        entries.into_iter().chain([at])
    });
    pointers.collect()
}

fn is_within(location: &Location, at: &Pointer) -> bool {
    matches!(&location.anchor, Anchor::Key(pointer) | Anchor::Value(pointer) if pointer.as_str().starts_with(at.as_str()))
}

#[test]
fn a_wrong_value_has_no_finding_but_its_own() {
    let mut followers = Vec::new();
    for mut files in models() {
        let before = findings(&files);
        let devices: Vec<_> = files.keys().filter(|path| path.ends_with("device.yaml")).cloned().collect();
        for path in devices {
            let text = files[&path].clone();
            let device = json_of(&text);
            for at in entries(&device) {
                let mut wrong = device.clone();
                // No key has a list of lists.
                *wrong.pointer_mut(at.as_str()).expect("an entry") = json!([["wrong"]]);
                files.insert(path.clone(), wrong.to_string().into_bytes());
                for (message, location) in findings(&files) {
                    if !before.iter().any(|(other, _)| *other == message) && !is_within(&location, &at) {
                        followers.push(format!("{path} {at}: {message}"));
                    }
                }
            }
            files.insert(path, text);
        }
    }
    assert!(followers.is_empty(), "{}", followers.join("\n"));
}
