//! The key `files` of a device, which keeps the names of the imported files.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use talosmith_render::DEVICE;

use super::draft::Draft;
use super::source_file::SourceFile;

/// Returns the key `files` of a device: the names that differ from the default ones. It disables the artifact of the hostname if no file sets one.
/// A file of the device has none of the names in `taken`.
pub(super) fn files(draft: &Draft, sources: &[SourceFile], taken: &BTreeSet<String>) -> Map<String, Value> {
    let mut by_artifact: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    let mut by_source: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for value in &draft.mapped {
        for artifact in &value.artifacts {
            by_artifact.entry(artifact).or_default().insert(value.source);
            by_source.entry(value.source).or_default().insert(artifact);
        }
    }
    let raw: BTreeSet<usize> = draft.raw.iter().map(|raw| raw.source).collect();
    let mut files = Map::new();
    let mut names = taken.clone();
    for (source, artifacts) in &by_source {
        let can_share = |artifact: &str| artifacts.len() == 1 || is_shareable(artifact);
        let is_alone = artifacts.iter().all(|artifact| by_artifact[artifact].len() == 1 && can_share(artifact));
        let name = &sources[*source].name;
        if !is_alone || raw.contains(source) || !sources[*source].keeps_name || taken.contains(&rendered_name(name)) {
            continue;
        }
        for artifact in artifacts {
            files.extend(renamed(&default_name(draft, artifact), artifact, name));
        }
        names.insert(rendered_name(name));
    }
    names.extend(by_artifact.keys().filter(|key| !files.contains_key(**key)).map(|key| default_name(draft, key)));
    for raw in &draft.raw {
        let mut name = match sources[raw.source].keeps_name {
            true => rendered_name(&sources[raw.source].name),
            false => format!("{}.patch.yaml", raw.name),
        };
        if !names.insert(name.clone()) {
            let default = format!("{}.patch.yaml", raw.name);
            name = if names.contains(&default) { format!("{}-rest.patch.yaml", raw.name) } else { default };
            names.insert(name.clone());
        }
        if name != format!("{}.patch.yaml", raw.name) && raw.placeholders.is_empty() {
            files.insert(format!("patches.{}", raw.name), name.into());
        }
    }
    if !by_artifact.contains_key("hostname") {
        files.insert("hostname".to_owned(), Value::Null);
    }
    files
}

/// Returns the entries of `files` for an artifact in a file `name`. A template, which has placeholders, also needs the name of the file with the
/// secrets.
fn renamed(default: &str, artifact: &str, name: &str) -> Vec<(String, Value)> {
    let entry = |key: String, name: &str| (key, Value::from(name));
    let Some((stem, _)) = name.split_once(".template.") else {
        return if name == default { Vec::new() } else { vec![entry(artifact.to_owned(), name)] };
    };
    match default.strip_suffix(".patch.yaml").or_else(|| default.strip_suffix(".yaml")) == Some(stem) {
        true => Vec::new(),
        false => {
            let secret = format!("{artifact}.secret");
            vec![entry(artifact.to_owned(), name), entry(secret, &rendered_name(name))]
        }
    }
}

/// Returns the name of the file with the secrets for the name of a template; any other name is unchanged.
fn rendered_name(name: &str) -> String {
    name.replace(".template.yaml", ".yaml")
}

/// Whether the artifact of a key can share a file with others.
fn is_shareable(artifact: &str) -> bool {
    let alone =
        ["kata", "tailscale", "extensionServices.", "schematics.", "gpu.", "install.alternatives.", "registries.auth"];
    !alone.iter().any(|key| artifact.starts_with(key))
}

/// Returns the name that the artifact of a key has without an entry in `files`.
pub(super) fn default_name(draft: &Draft, key: &str) -> String {
    let row = DEVICE.iter().find_map(|row| match row.key.split_once('*') {
        Some((before, after)) => Some((row, key.strip_prefix(before)?.strip_suffix(after)?)),
        None => (row.key == key).then_some((row, "")),
    });
    let Some((row, item)) = row else { return String::new() };
    if key == "nameservers" && draft.facts.keys.contains_key("tailscale") {
        return "tailscale-dns.patch.yaml".to_owned();
    }
    let item = if key.starts_with("volumes.") { item.to_ascii_lowercase() } else { item.to_owned() };
    row.file.replace('*', &item).replace('@', &draft.name)
}
