//! Random edits of models: a review never breaks, and never leaves out a node whose machine config differs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;
use talosmith_document::{Document, Sources};

use crate::expected::files;
use crate::sandbox::Sandbox;

/// The edits of each fleet, and of a sample where `TALOSMITH_FULL` is not set.
const EDITS: usize = 100;
const SAMPLE: usize = 10;

/// Keys whose values are only in a base config that `talosmith config` generates: where the user keeps the base, no file of a node has them.
const OF_THE_BASE: [&str; 7] =
    ["endpoint:", "kubernetesVersion:", "baseConfig:", "path:", "system:", "CIDRs:", "dnsDomain:"];

/// Numbers that follow from each other without a pattern: xorshift.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end as u64).expect("less than `end`")
    }
}

/// Changes a digit or a flag of a line, or removes the line. Returns the text and the line; none if the line has nothing to change.
fn edit(text: &str, random: &mut Random) -> Option<(String, String)> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let at = random.below(lines.len());
    let line = lines[at].clone();
    if line.trim().is_empty() || line.trim_start().starts_with('#') || OF_THE_BASE.iter().any(|key| line.contains(key))
    {
        return None;
    }
    let digits: Vec<usize> = line.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(index, _)| index).collect();
    match random.below(4) {
        0 => drop(lines.remove(at)),
        _ if !digits.is_empty() => {
            let index = digits[random.below(digits.len())];
            let digit = (line.as_bytes()[index] - b'0' + 1) % 10;
            lines[at].replace_range(index..=index, &digit.to_string());
        }
        _ if line.contains("true") => lines[at] = line.replacen("true", "false", 1),
        _ if line.contains("false") => lines[at] = line.replacen("false", "true", 1),
        _ => return None,
    }
    Some((lines.join("\n") + "\n", line))
}

/// The machine config of a device, without the order of its documents; none if it has errors.
fn config(sandbox: &Sandbox, device: &str) -> Option<Vec<String>> {
    let ran = sandbox.run(&["config", device, "--redact"]);
    let documents = (ran.status == 0).then(|| Document::parse_stream(Sources::default().add("", ""), &ran.stdout))?;
    let mut documents: Vec<String> =
        documents.expect("YAML").into_iter().map(|node| sorted(node.into_json()).to_string()).collect();
    documents.sort();
    Some(documents)
}

/// A value with the keys of mappings in one order.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(mapping) => {
            let ordered: BTreeMap<String, Value> =
                mapping.into_iter().map(|(key, value)| (key, sorted(value))).collect();
            Value::Object(ordered.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        value => value,
    }
}

/// The names of the devices with a row in the review.
fn reviewed(sandbox: &Sandbox, about: &str) -> Vec<String> {
    let ran = sandbox.run(&["review", "--format", "json"]);
    assert!(matches!(ran.status, 0 | 1), "{about}: {}", ran.stderr);
    let review: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let devices = review["devices"].as_array().expect("a list").iter();
    devices.filter_map(|device| Some(device["name"].as_str()?.to_owned())).collect()
}

fn check_fleet(fleet: &str, count: usize) {
    let sandbox = Sandbox::committed_fleet(fleet);
    let models = files(&sandbox.path("devices")).into_iter().filter(|path| path.ends_with("device.yaml"));
    let folder = |path: PathBuf| Some(path.parent()?.file_name()?.to_str()?.to_owned());
    let devices: Vec<String> = models.filter_map(folder).collect();
    let mut random = Random(0x9e37_79b9_7f4a_7c15 ^ fleet.len() as u64);
    let mut before: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
    let mut done = 0;
    while done < count {
        let device = &devices[random.below(devices.len())];
        let path = match random.below(2) {
            0 => "talosmith.yaml".to_owned(),
            _ => format!("devices/{device}/device.yaml"),
        };
        let text = sandbox.read(&path);
        let Some((edited, line)) = edit(&text, &mut random) else { continue };
        done += 1;
        let about = format!("{fleet}, {path}: {line}");
        let old = before.entry(device.clone()).or_insert_with(|| config(&sandbox, device)).clone();
        sandbox.write(&path, &edited);
        if !reviewed(&sandbox, &about).contains(device)
            && let (Some(old), Some(new)) = (old, config(&sandbox, device))
        {
            assert_eq!(old, new, "{about}: no row for {device}");
        }
        sandbox.write(&path, &text);
    }
}

#[test]
fn a_review_has_a_row_for_each_node_whose_config_an_edit_changes() {
    let count = if std::env::var_os("TALOSMITH_FULL").is_some() { EDITS } else { SAMPLE };
    for fleet in ["company", "edge", "features", "home-lab", "rack"] {
        check_fleet(fleet, count);
    }
}
