//! The keys of `files` that request no file.

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Location, closest};
use talosmith_model::layout::{DEVICE_FILE, MANIFESTS};
use talosmith_model::plan::Device;

use crate::catalogue::{DEVICE, Reader, artifacts_of};
use crate::target::holds_secret;

/// Whether a key of `files` belongs to an artifact that some device can have.
fn is_artifact(key: &str) -> bool {
    let key = key.strip_suffix(".secret").unwrap_or(key);
    DEVICE.iter().any(|row| match row.key.split_once('*') {
        Some((before, after)) => {
            key.strip_prefix(before).and_then(|rest| rest.strip_suffix(after)).is_some_and(|item| !item.is_empty())
        }
        None => row.key == key,
    })
}

/// Returns a finding for each key in `files` that requests no file, or names one where it cannot be.
pub fn wrong_files(device: &Device) -> Vec<Diagnostic> {
    if device.files.is_empty() {
        return Vec::new();
    }
    let known = known_keys(device);
    // A key in a layer is for the devices that have the file.
    let is_for_others = |key: &str, location: &Location| {
        let is_withheld = device.documents.is_runbook_withheld && key == "documents.runbook";
        is_withheld || (location.source != device.location.source && is_artifact(key))
    };
    let unknown =
        device.files.iter().filter(|(key, (_, location))| !known.contains(key) && !is_for_others(key, location));
    let unknown = unknown.map(|(key, (_, location))| {
        let finding = Diagnostic::new(Code::UnknownFile, format!("`{key}` requests no file"), location.as_key());
        let finding = match closest(key, known.iter().map(String::as_str)) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding,
        };
        finding.device(device.name.clone()).note(format!("keys that do: {}", known.join(", ")))
    });
    unknown.chain(misplaced_documents(device)).collect()
}

/// Returns a finding for each document that would be written over the model or among the other generated files.
fn misplaced_documents(device: &Device) -> impl Iterator<Item = Diagnostic> {
    let documents = DEVICE.iter().filter(|row| row.reader == Reader::Operator);
    documents.filter_map(|row| {
        let (name, location) = device.files.get(row.key)?;
        let name = name.as_ref()?;
        let first = name.iter().next()?.to_lowercase();
        if first != MANIFESTS && name.as_str().to_lowercase() != DEVICE_FILE {
            return None;
        }
        let message = format!("`{}` cannot be written to `{name}`", row.key);
        let finding = Diagnostic::new(Code::OutputCollision, message, location.clone())
            .device(device.name.clone())
            .note(format!("documents are in the folder of the device, beside {DEVICE_FILE} and {MANIFESTS}/"))
            .help(format!("write another name, such as `{}`", row.file));
        Some(finding)
    })
}

/// A key of `files` in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerFile {
    pub key: String,
    pub location: Location,
    /// Whether the device has the artifact.
    pub is_used: bool,
}

/// Returns the keys of `files` that a device has from its layers.
pub fn layer_files(device: &Device) -> Vec<LayerFile> {
    let of_layer = |(_, location): &&(Option<Utf8PathBuf>, Location)| location.source != device.location.source;
    if !device.files.values().any(|file| of_layer(&file)) {
        return Vec::new();
    }
    let known = known_keys(device);
    let files = device.files.iter().filter(|(_, file)| of_layer(file));
    let files = files.map(|(key, (_, location))| LayerFile {
        key: key.clone(),
        location: location.clone(),
        is_used: known.contains(key),
    });
    files.collect()
}

/// Returns the keys of `files` that request a file of a device.
fn known_keys(device: &Device) -> Vec<String> {
    let mut known: Vec<String> = artifacts_of(device).map(|(row, item)| row.key_of(item).into_owned()).collect();
    let with_secrets: Vec<String> =
        known.iter().filter(|key| holds_secret(device, key)).map(|key| format!("{key}.secret")).collect();
    known.extend(with_secrets);
    known
}

/// Returns the error for a key of `files` in a layer whose artifact no device has.
pub fn unused_layer_file(key: &str, location: &Location) -> Diagnostic {
    Diagnostic::new(Code::UnknownFile, format!("`{key}` requests no file of any device"), location.as_key())
        .note("no device that has this layer has the key")
        .help("remove the line")
}
