//! What was taken from the files of a device.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::value::{self, merge};

/// What the model can say of a device.
#[derive(Debug, Clone, Default)]
pub(crate) struct Facts {
    /// The keys of the device.
    pub keys: Map<String, Value>,
    /// Keys of its cluster.
    pub cluster: Map<String, Value>,
    /// The selectors of its disks, each with the name of the disk; a path begins with `/`.
    pub disks: Vec<(String, String)>,
    /// The disk that Talos is installed on.
    pub system_disk: Option<String>,
    /// The bytes that volumes take on each disk.
    pub taken_bytes: BTreeMap<String, u64>,
    /// The placeholders of secrets that are used.
    pub placeholders: BTreeSet<String>,
    /// Values that are not written anywhere, each with the placeholder that replaces it.
    pub hidden: Vec<(String, String)>,
    /// Files beside device.yaml that keys name, with their texts.
    pub texts: BTreeMap<String, String>,
    /// The settings of containerd for kata containers.
    pub kata: Option<Kata>,
}

/// What the files of containerd say about kata containers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kata {
    pub runtime: String,
    pub scratch_file: String,
    pub sandbox_image: String,
}

/// One value of a file that is being taken.
pub(crate) struct Taking<'f> {
    pub facts: &'f mut Facts,
    /// The name of the file without its ending.
    pub stem: &'f str,
    /// The placeholders of secrets that were replaced in the file.
    pub masked: &'f BTreeSet<String>,
    /// Whether the kata application is among the files.
    pub has_kata: bool,
    /// The keys that got a value: one or two names each.
    pub keys: Vec<String>,
    /// The keys of `files` whose artifacts it is in.
    pub artifacts: Vec<String>,
}

impl Taking<'_> {
    /// Whether a text has a secret, for which only raw patches and services have placeholders.
    pub(crate) fn has_secret(&self, text: &str) -> bool {
        placeholders_in(text).iter().any(|name| self.masked.contains(name))
    }

    /// Sets a value at keys joined by `/`.
    pub(crate) fn set(&mut self, path: &str, new: impl Into<Value>) {
        let names: Vec<&str> = path.split('/').collect();
        self.set_at(&names, new.into());
    }

    /// Sets the value of an item of a collection.
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

    /// Sets a key of the cluster.
    pub(crate) fn set_cluster(&mut self, key: &str, new: Value) {
        self.facts.cluster.insert(key.to_owned(), new);
    }

    /// Notes the key of `files` whose artifact has the value.
    pub(crate) fn artifact(&mut self, key: impl Into<String>) {
        self.artifacts.push(key.into());
    }

    /// Returns the name of the disk that a selector or a path finds.
    pub(crate) fn disk(&mut self, selector: &str) -> String {
        if let Some((_, name)) = self.facts.disks.iter().find(|(known, _)| known == selector) {
            return name.clone();
        }
        let base = disk_name(selector);
        let is_free = |name: &str| self.facts.disks.iter().all(|(_, known)| known != name);
        let mut names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}-{number}")));
        let name = names.find(|name| is_free(name)).unwrap_or(base);
        self.facts.disks.push((selector.to_owned(), name.clone()));
        name
    }

    /// Returns the name of the secret that a value is, if it is a placeholder or, where it has to be a secret, anything else.
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

/// The name inside a string that is nothing but `${NAME}`.
pub(crate) fn placeholder(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_variable(name).then_some(name)
}

/// The names of all `${NAME}` in a text.
pub(crate) fn placeholders_in(text: &str) -> BTreeSet<String> {
    let parts = text.split("${").skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name).filter(|name| is_variable(name)).map(str::to_owned).collect()
}

fn is_variable(name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    name.starts_with(|c: char| c.is_ascii_uppercase()) && name.chars().all(is_part)
}

/// The name of the secret whose placeholder this is.
pub(crate) fn secret_of(placeholder: &str) -> String {
    placeholder.to_ascii_lowercase().replace('_', "-")
}

pub(crate) fn placeholder_of(name: &str) -> String {
    name.to_ascii_uppercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect()
}

/// A name for the disk that a selector finds: `nvme` for `disk.transport == 'nvme'`, `sda` for `/dev/sda`.
fn disk_name(selector: &str) -> String {
    let is_good = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let last = match selector.strip_prefix('/') {
        Some(path) => path.rsplit('/').next().unwrap_or_default(),
        None if selector.trim() == "system_disk" => "system",
        None => selector.split(['\'', '"']).nth(1).unwrap_or("disk"),
    };
    let name: String = last.to_ascii_lowercase().chars().map(|c| if is_good(c) { c } else { '-' }).collect();
    let name = name.trim_matches('-');
    let name = name.get(..name.len().min(40)).unwrap_or_default().trim_matches('-');
    if name.is_empty() { "disk".to_owned() } else { name.to_owned() }
}

/// Returns the list of a value, whose items are strings for Talos.
pub(crate) fn list(value: &Value) -> Option<Value> {
    value.as_array()?.iter().map(value::text).map(|text| text.map(Value::from)).collect()
}
