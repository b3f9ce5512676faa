//! Random edits of fleets: no review panics, and none reports nothing for a node whose config differs.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;

use serde_json::{Map, Value};

use super::side::Kept;
use super::*;
use crate::report::Style;
use crate::tree::MemoryTree;

const EDITS: u64 = 100;

/// The files of a fleet, without those that are generated.
fn model(fleet: &str) -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fleets").join(fleet);
    let mut files = BTreeMap::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                let name = path.strip_prefix(&root).expect("below the fleet").to_str().expect("UTF-8");
                files.insert(name.to_owned(), text);
            }
        }
    }
    files
}

/// SplitMix64: <https://prng.di.unimi.it/splitmix64.c>
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }

    fn one_of<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// Changes, removes or adds a value in one line of a model file. Returns the path of the file, and what was done.
fn edit(files: &mut BTreeMap<String, String>, random: &mut Random) -> (String, String) {
    let models: Vec<String> = files.keys().filter(|path| is_model(path)).cloned().collect();
    let path = random.one_of(&models).clone();
    let mut lines: Vec<String> = files[&path].lines().map(str::to_owned).collect();
    // Names of devices, clusters and secrets, and keys without a value, are what other lines depend on.
    let is_value = |line: &str| {
        let names = ["name:", "cluster:", "role:", "groups:", "authKey:", "template:", "$schema", "file:", "env:"];
        !line.trim().is_empty() && !line.ends_with(':') && !names.iter().any(|name| line.contains(name))
    };
    let values: Vec<usize> = (0..lines.len()).filter(|line| is_value(&lines[*line])).collect();
    let at = *random.one_of(&values);
    let line = lines[at].clone();
    let what = match random.below(6) {
        0 => {
            lines.remove(at);
            format!("{path}:{} without `{line}`", at + 1)
        }
        // A line of another file of the model.
        1 => {
            let other = files[random.one_of(&models)].lines().map(str::to_owned).collect::<Vec<_>>();
            let added = random.one_of(&other).clone();
            lines.insert(at, added.clone());
            format!("{path}:{} with `{added}`", at + 1)
        }
        _ => {
            lines[at] = changed(&line, random);
            format!("{path}:{} `{line}` is `{}`", at + 1, lines[at])
        }
    };
    files.insert(path.clone(), lines.join("\n") + "\n");
    (path, what)
}

fn is_model(path: &str) -> bool {
    path == "talosmith.yaml" || path.starts_with("devices/") && path.ends_with("/device.yaml")
}

/// Changes one word of a line: a switch, the last digit of a number, or the end of a string.
fn changed(line: &str, random: &mut Random) -> String {
    let is_in_word = |c: char| c.is_ascii_alphanumeric();
    let start = line.find(": ").or_else(|| line.find("- ")).unwrap_or_default();
    let words: Vec<&str> = line[start..].split(|c| !is_in_word(c)).filter(|word| !word.is_empty()).collect();
    let numbers = words
        .iter()
        .copied()
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()) || word.parse::<bool>().is_ok());
    let numbers: Vec<&str> = numbers.collect();
    let words = if numbers.is_empty() { words } else { numbers };
    let Some(word) = (!words.is_empty()).then(|| *random.one_of(&words)) else { return line.to_owned() };
    let digit = char::from(b'0' + random.below(10) as u8);
    let new = match word {
        "true" => "false".to_owned(),
        "false" => "true".to_owned(),
        _ => match word.rfind(|c: char| c.is_ascii_digit()) {
            Some(at) => format!("{}{digit}{}", &word[..at], &word[at + 1..]),
            None => format!("{word}x"),
        },
    };
    // The last one is more often a value than a key.
    match line.rfind(word) {
        Some(at) => format!("{}{new}{}", &line[..at], &line[at + word.len()..]),
        None => line.to_owned(),
    }
}

/// The documents of all patches of a device, by kind and name; none if a patch deletes something.
///
/// This is not the merge that reviews use: mappings are merged, lists are appended, and other values are replaced.
fn documents(files: &DeviceFiles) -> Option<BTreeMap<String, Value>> {
    let mut merged: BTreeMap<String, Value> = BTreeMap::new();
    for file in &files.applied {
        if file.body.contains("$patch") {
            return None;
        }
        for document in serde_yaml::Deserializer::from_str(&file.body) {
            let value: Value = serde::Deserialize::deserialize(document).ok()?;
            let name = format!("{} {}", value["kind"], value["name"]);
            merge(merged.entry(name).or_insert_with(|| Value::Object(Map::new())), value);
        }
    }
    Some(merged)
}

fn merge(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(into), Value::Object(value)) => {
            for (key, value) in value {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (Value::Array(into), Value::Array(value)) => into.extend(value),
        (into, value) => *into = value,
    }
}

/// Reviews one edit of a fleet, and returns how many devices differ.
fn review_edit(files: &Files, edited: &BTreeMap<String, String>, selection: &Selection, what: &str) -> usize {
    let tree: MemoryTree = edited.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let Ok(project) = Project::open(&tree) else { return 0 };
    let differing = Mutex::new(Vec::new());
    let keep = |inspected: &Inspected<'_>| match Kept::rendered(inspected)? {
        Kept::Cluster(after) => Some(files.cluster(&after)),
        Kept::Device(after) => {
            let before = files.devices.get(&after.device.name).map(documents);
            if before.is_some_and(|before| before.zip(documents(&after)).is_some_and(|(before, after)| before != after))
            {
                differing.lock().expect("no test panics with it").push(after.device.name.clone());
            }
            Some(files.device(inspected.renderer, after))
        }
    };
    let after = inspect(project, selection, Purpose::Render, keep);
    let mut after = after.unwrap_or_else(|error| panic!("{what}: {error}"));
    let reviewed = std::mem::take(&mut after.kept);
    let differing = differing.into_inner().expect("no test panics with it");
    for name in &differing {
        let review = reviewed.iter().find(|reviewed| !reviewed.is_cluster && reviewed.name == *name);
        assert!(review.is_some_and(|review| !review.rows.is_empty()), "nothing happens to {name}: {what}");
    }
    let addresses = BTreeMap::new();
    let mut review = Review { devices: reviewed.len(), reviewed, before: None, after, addresses };
    let groups = review.groups();
    let style = Style { color: false, width: 100, unicode: true };
    let texts = [text(&review, &groups, "HEAD", style), markdown(&review, &groups, "HEAD"), steps(&review)];
    assert!(texts.iter().all(|text| !text.is_empty()), "{what}");
    differing.len()
}

/// Reviews random edits of a fleet, of which enough must change a config.
fn review_edits(fleet: &str) {
    let files = model(fleet);
    let tree: MemoryTree = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let Before::Read(mut before) = read_before(&tree) else { panic!("{fleet} cannot be read") };
    let before = Files::take(&mut before);
    let mut differing = 0;
    for seed in 0..EDITS {
        let mut edited = files.clone();
        let (path, what) = edit(&mut edited, &mut Random(seed));
        let device = talosmith_model::layout::device_of(path.as_str().into());
        let selection = device.map_or(Selection::Everything, |name| Selection::Devices([name.to_owned()].into()));
        differing += review_edit(&before, &edited, &selection, &format!("{fleet}, {seed}: {what}"));
    }
    assert!(differing > 10, "only {differing} devices of {fleet} differ");
}

#[test]
fn no_edit_of_the_company_is_nothing() {
    review_edits("company");
}

#[test]
fn no_edit_of_the_edge_is_nothing() {
    review_edits("edge");
}

#[test]
fn no_edit_of_the_features_is_nothing() {
    review_edits("features");
}

#[test]
fn no_edit_of_the_home_lab_is_nothing() {
    review_edits("home-lab");
}

#[test]
fn no_edit_of_the_rack_is_nothing() {
    review_edits("rack");
}
