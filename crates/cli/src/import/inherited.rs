//! The layers of an existing cluster: a new device does not repeat the keys that it has from them.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value};
use talosmith_document::{Anchor, Document, Sources};
use talosmith_machinery::Role;
use talosmith_model::layout::FLEET_FILE;
use talosmith_render::DEVICE;

use super::draft::{Draft, InheritedKey, Rejected};
use super::file_names::default_name;
use super::names::free_name;
use super::value::json;
use crate::existing_fleet::ExistingCluster;
use crate::tree::{ReadError, Tree};

/// The keys that a device has from the layers of a cluster, for each role.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherited {
    controlplane: Map<String, Value>,
    worker: Map<String, Value>,
    /// The names of the raw patches in the layers, by their files.
    patches: BTreeMap<Utf8PathBuf, String>,
}

impl Inherited {
    /// Reads the layers of a cluster. A patch with a key `file` gets a key `text` instead, as those of an import have.
    pub(crate) fn read(tree: &dyn Tree, cluster: &ExistingCluster) -> Result<Self, ReadError> {
        let mut patches = BTreeMap::new();
        let mut keys = |role| {
            let mut merged = cluster.layer_keys(role).clone();
            let named = merged.get_mut("patches").and_then(Value::as_object_mut).into_iter().flatten();
            for (name, patch) in named {
                let Some(file) = patch.as_object_mut().and_then(|patch| patch.shift_remove("file")) else { continue };
                let path = Utf8PathBuf::from(file.as_str().unwrap_or_default());
                patch["text"] = String::from_utf8_lossy(&tree.read(&path)?.unwrap_or_default()).into();
                patches.insert(path, name.clone());
            }
            Ok(merged)
        };
        Ok(Self { controlplane: keys(Role::ControlPlane)?, worker: keys(Role::Worker)?, patches })
    }

    /// Whether a file is a raw patch of a layer.
    pub(super) fn has_patch(&self, path: &Utf8Path) -> bool {
        self.patches.contains_key(path)
    }

    fn of(&self, role: Role) -> &Map<String, Value> {
        match role {
            Role::ControlPlane => &self.controlplane,
            Role::Worker => &self.worker,
        }
    }

    /// Replaces the text of each raw patch of a device that has the same data as the one of that name in a layer, and renames any other one.
    pub(super) fn rename_patches(&self, draft: &mut Draft) {
        let Some(known) = self.of(draft.role).get("patches").and_then(Value::as_object) else { return };
        for index in 0..draft.raw.len() {
            let raw = &draft.raw[index];
            let Some(patch) = known.get(&raw.name) else { continue };
            let text = patch["text"].as_str().unwrap_or_default();
            if documents(text) == documents(&raw.text) {
                draft.raw[index].text = text.to_owned();
                continue;
            }
            let is_free = |name: &str| !known.contains_key(name) && draft.raw.iter().all(|raw| raw.name != name);
            draft.raw[index].name = free_name(&raw.name, '-', is_free);
        }
    }

    /// Returns the names of the files that a device has from its layers, except those of its own keys.
    pub(super) fn file_names(&self, draft: &Draft) -> BTreeSet<String> {
        let is_own = |key: &String| {
            let name = key.strip_prefix("patches.");
            draft.mapped.iter().any(|value| value.artifacts.contains(key))
                || draft.raw.iter().any(|raw| Some(raw.name.as_str()) == name)
        };
        let layer = self.of(draft.role);
        let fields = |key: &str| layer.get(key).and_then(Value::as_object);
        let patches = fields("patches").into_iter().flat_map(Map::keys).map(|name| format!("patches.{name}"));
        let has = |key: &str| key.split('.').next().is_some_and(|key| layer.contains_key(key)) && !key.contains('*');
        let others = DEVICE.iter().map(|row| row.key.to_owned()).filter(|key| has(key));
        let keys = patches.chain(others).filter(|key| !is_own(key));
        let names = keys.map(|key| match fields("files").and_then(|files| files.get(&key)) {
            Some(name) => name.as_str().unwrap_or_default().to_owned(),
            None => default_name(draft, &key),
        });
        names.collect()
    }

    /// Returns the key of a layer that has the value at a place of talosmith.yaml, or in a raw patch.
    pub(super) fn key_of(&self, path: &Utf8Path, anchor: &Anchor, device: &str) -> Option<InheritedKey> {
        let key = |key: &str, inner: Option<&String>| InheritedKey {
            device: device.to_owned(),
            key: key.to_owned(),
            inner: inner.cloned(),
        };
        if let Some(name) = self.patches.get(path) {
            return Some(key("patches", Some(name)));
        }
        let (Anchor::Key(pointer) | Anchor::Value(pointer) | Anchor::Part(pointer, _)) = anchor else { return None };
        let keys: Vec<String> = pointer.segments().collect();
        let [clusters, _, layer, name, inner @ ..] = keys.as_slice() else { return None };
        let is_layer = matches!(layer.as_str(), "defaults" | "controlplane" | "worker");
        // Keys that the import adds are those of the imported files.
        let has_key = |layer: &Map<String, Value>| match (layer.get(name), inner.first()) {
            (Some(Value::Object(fields)), Some(inner)) => fields.contains_key(inner),
            (value, _) => value.is_some(),
        };
        if !has_key(&self.controlplane) && !has_key(&self.worker) {
            return None;
        }
        let has_keys = |layer: &Map<String, Value>| layer.get(name).is_some_and(Value::is_object);
        let inner = inner.first().filter(|_| has_keys(&self.controlplane) || has_keys(&self.worker));
        (path == FLEET_FILE && clusters == "clusters" && is_layer).then(|| key(name, inner))
    }

    /// Removes the keys of a device that it has from its layers. An artifact of the device that a layer disables gets its name, and a key that
    /// the device must not have is set to null.
    pub(super) fn remove_from(&self, draft: &Draft, keys: &mut Map<String, Value>, rejected: &Rejected) {
        let layer = self.of(draft.role);
        for (key, value) in layer {
            match (keys.get_mut(key), value) {
                (Some(own), value) if own == value => drop(keys.shift_remove(key)),
                (Some(Value::Object(own)), Value::Object(known)) => {
                    own.retain(|name, value| known.get(name) != Some(value));
                    if own.is_empty() {
                        keys.shift_remove(key);
                    }
                }
                _ => {}
            }
        }
        let disabled = layer.get("files").and_then(Value::as_object).into_iter().flatten();
        for (artifact, _) in disabled.filter(|(_, name)| name.is_null()) {
            let is_generated = draft.mapped.iter().any(|value| value.artifacts.contains(artifact));
            let files = keys.get("files").and_then(|files| files.get(artifact));
            if is_generated && files.is_none() {
                let files = keys.entry("files").or_insert_with(|| Map::new().into());
                files[artifact] = default_name(draft, artifact).into();
            }
        }
        for InheritedKey { key, inner, .. } in rejected.inherited.iter().filter(|key| key.device == draft.name) {
            match inner {
                None => drop(keys.entry(key).or_insert(Value::Null)),
                Some(inner) => {
                    let fields = keys.entry(key).or_insert_with(|| Map::new().into());
                    fields.as_object_mut().map(|fields| fields.entry(inner).or_insert(Value::Null));
                }
            }
        }
    }
}

fn documents(text: &str) -> Vec<Value> {
    let nodes = Document::parse_stream(Sources::default().add("", ""), text).unwrap_or_default();
    nodes.iter().map(json).collect()
}
