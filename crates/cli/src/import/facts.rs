//! The facts about a device: the model keys that the values of its files were mapped to.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};
use talosmith_model::is_secret_name;

use super::interfaces::SelectedLinks;
use super::names::{free_name, with_dashes};
use super::value::{self, merge};

/// The facts about a device that the model has keys for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The model keys of the device, with their values.
    pub keys: Map<String, Value>,
    /// The model keys of its cluster, with their values.
    pub cluster: Map<String, Value>,
    /// The selectors of its disks, each with the name of the disk; a path begins with `/`.
    pub disks: Vec<(String, String)>,
    /// The disk that Talos is installed on.
    pub system_disk: Option<String>,
    /// The bytes that the volumes on each disk need, by the name of the disk; an empty name for volumes without a selector.
    pub volume_bytes: BTreeMap<String, u64>,
    /// The placeholders that the keys and the raw patches use.
    pub placeholders: BTreeSet<String>,
    /// Secrets, each with the placeholder that replaces it. They are written to no file.
    pub hidden: Vec<(String, String)>,
    /// The contents of the files that keys refer to, such as certificates, by file name.
    pub referenced_files: BTreeMap<String, String>,
    pub kata: Option<KataSettings>,
    pub selected_links: SelectedLinks,
}

/// The settings of Kata Containers in the config files of containerd.
#[derive(Debug, Clone)]
pub(crate) struct KataSettings {
    pub scratch_file: String,
    pub sandbox_image: String,
}

/// Maps one value of a file to model keys, and records which ones.
pub(crate) struct Mapper<'f> {
    pub facts: &'f mut Facts,
    /// The name of the file without its extension.
    pub stem: &'f str,
    /// The placeholders that replaced secrets in the file.
    pub masked: &'f BTreeSet<String>,
    /// Whether the imported files contain the application kata-containers.
    pub has_kata: bool,
    /// The model keys that were set, as pointers of one or two names: `/labels/a`.
    pub keys: Vec<String>,
    /// The keys in `files` of the artifacts that contain the value.
    pub artifacts: Vec<String>,
}

impl Mapper<'_> {
    /// Whether a string contains the placeholder of a secret. Only raw patches and extension services can have one in a longer string.
    pub(crate) fn has_secret(&self, text: &str) -> bool {
        placeholders_in(text).iter().any(|name| self.masked.contains(name))
    }

    /// Sets the model key at a path of names joined by `/`.
    pub(crate) fn set(&mut self, path: &str, new: impl Into<Value>) {
        let names: Vec<&str> = path.split('/').collect();
        self.set_at(&names, new.into());
    }

    /// Sets the model key at a path of names, any of which can contain a `/`.
    pub(crate) fn set_at(&mut self, names: &[&str], new: Value) {
        let pointer = names.iter().take(2).map(|name| format!("/{name}")).collect::<String>();
        self.keys.push(pointer);
        let nested = names.iter().skip(1).rev().fold(new, |value, name| json!({ *name: value }));
        let Some(first) = names.first() else { return };
        match self.facts.keys.get_mut(*first) {
            Some(existing) => merge(existing, nested),
            None => drop(self.facts.keys.insert((*first).to_owned(), nested)),
        }
    }

    /// Sets a model key of the cluster.
    pub(crate) fn set_cluster(&mut self, key: &str, new: Value) {
        self.facts.cluster.insert(key.to_owned(), new);
    }

    /// Records the key in `files` of an artifact that contains the value.
    pub(crate) fn add_artifact(&mut self, key: impl Into<String>) {
        self.artifacts.push(key.into());
    }

    /// Returns the name of the disk that a selector or a path matches; a disk that has none gets one.
    pub(crate) fn disk(&mut self, selector: &str) -> String {
        if let Some((_, name)) = self.facts.disks.iter().find(|(known, _)| known == selector) {
            return name.clone();
        }
        let base = disk_name(selector);
        let taken: BTreeSet<&str> = self.facts.disks.iter().map(|(_, name)| name.as_str()).collect();
        let is_free = |name: &str| !taken.contains(name);
        let name = free_name(&base, '-', is_free);
        self.facts.disks.push((selector.to_owned(), name.clone()));
        name
    }

    /// Returns the name of the secret for a value that must be one. A value in plain text becomes the secret `name`.
    pub(crate) fn secret(&mut self, value: &str, name: &str) -> String {
        let placeholder = match placeholder(value) {
            Some(placeholder) => placeholder.to_owned(),
            None => {
                let placeholder = placeholder_of(name);
                self.facts.hidden.push((value.to_owned(), format!("${{{placeholder}}}")));
                placeholder
            }
        };
        let secret = secret_of(&placeholder);
        self.facts.placeholders.insert(placeholder);
        secret
    }
}

/// Returns the name in a string that is exactly `${NAME}`.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_placeholder_name(name).then_some(name)
}

/// Returns the names of all placeholders `${NAME}` in a string.
pub(crate) fn placeholders_in(text: &str) -> BTreeSet<String> {
    let parts = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name).filter(|name| is_placeholder_name(name)).map(str::to_owned).collect()
}

/// Whether a name is that of a placeholder, and that of its secret is one that the model accepts.
fn is_placeholder_name(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let is_name = name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(is_part);
    is_name && is_secret_name(&secret_of(name))
}

/// Returns the name of the secret that a placeholder refers to.
pub(crate) fn secret_of(placeholder: &str) -> String {
    placeholder.to_ascii_lowercase().replace('_', "-")
}

/// Returns a placeholder for a secret or a key with any name, such as one that is no name of a secret.
pub(crate) fn placeholder_of(name: &str) -> String {
    let name = with_dashes(&name.to_ascii_uppercase(), "").replace('-', "_");
    let name = name.trim_matches('_');
    // With `SECRET_`, it is short enough, and begins with a letter.
    let name = name.get(..name.len().min(56)).unwrap_or_default().trim_end_matches('_');
    match is_placeholder_name(name) {
        true => name.to_owned(),
        false => format!("SECRET_{name}").trim_end_matches('_').to_owned(),
    }
}

/// Returns a name for the disk that a selector matches: `nvme` for `disk.transport == 'nvme'`, `sda` for `/dev/sda`.
fn disk_name(selector: &str) -> String {
    let last = match selector.strip_prefix('/') {
        Some(path) => path.rsplit('/').next().unwrap_or_default(),
        None if selector.trim() == "system_disk" => "system",
        None => selector.split(['\'', '"']).nth(1).unwrap_or("disk"),
    };
    let name = with_dashes(&last.to_ascii_lowercase(), "");
    let name = name.trim_matches('-');
    let name = name.get(..name.len().min(40)).unwrap_or_default().trim_matches('-');
    if name.is_empty() { "disk".to_owned() } else { name.to_owned() }
}

/// Returns a list with each scalar as a string; none if an item is no scalar.
pub(crate) fn string_list(value: &Value) -> Option<Value> {
    value.as_array()?.iter().map(value::scalar_string).map(|text| text.map(Value::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_has_a_placeholder_whose_secret_the_model_accepts() {
        let long = "x-".repeat(40);
        for (name, expected) in [
            ("registry.lab.example-password", "REGISTRY_LAB_EXAMPLE_PASSWORD"),
            ("10.0.0.5-password", "SECRET_10_0_0_5_PASSWORD"),
            ("_token_", "TOKEN"),
            ("tskey-auth", "SECRET_TSKEY_AUTH"),
            ("über", "BER"),
            ("", "SECRET"),
            ("*-*", "SECRET"),
            (&long, &"X_".repeat(28)[..55]),
        ] {
            assert_eq!(placeholder_of(name), expected, "{name}");
            assert!(is_secret_name(&secret_of(expected)), "{expected}");
        }
        for text in ["${_A}", "${A_}", "${1A}", "${a}", "${TSKEY_A}", "${A"] {
            assert_eq!(placeholder(text), None, "{text}");
        }
    }
}
