//! The keys of an imported device, as its device.yaml or a layer has them.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};
use talosmith_document::TalosVersion;
use talosmith_machinery::Role;
use talosmith_model::Schema;

use super::draft::Draft;
use super::facts::secret_of;
use super::file_names;
use super::images;
use super::source_file::{FileScope, SourceFile};

/// The keys whose values Talos reads only on control planes.
pub(super) const CONTROL_PLANE_KEYS: [&str; 9] = [
    "etcd",
    "apiServer",
    "controllerManager",
    "scheduler",
    "cni",
    "proxy",
    "coreDNS",
    "manifests",
    "kubernetesTalosAPIAccess",
];

/// Returns the pointers of the keys of a device that only files of its role set.
pub(super) fn role_keys(draft: &Draft, sources: &[SourceFile]) -> BTreeSet<String> {
    let is_of_role = |source: usize| matches!(sources[source].scope, FileScope::Role(_));
    let mut found: BTreeMap<String, bool> = BTreeMap::new();
    for value in &draft.mapped {
        let files = value.artifacts.iter().map(|artifact| format!("/files/{artifact}"));
        for pointer in value.keys.iter().cloned().chain(files) {
            *found.entry(pointer).or_insert(true) &= is_of_role(value.source);
        }
    }
    for raw in &draft.raw {
        for pointer in [format!("/patches/{}", raw.name), format!("/files/patches.{}", raw.name)] {
            found.insert(pointer, is_of_role(raw.source));
        }
    }
    found.into_iter().filter(|(_, is_of_role)| *is_of_role).map(|(pointer, _)| pointer).collect()
}

/// Removes the keys that only repeat a default or have no effect, and replaces networks and images by names.
pub(super) fn simplify(draft: &mut Draft, sources: &[SourceFile], cluster: &Map<String, Value>, talos: &TalosVersion) {
    let name = draft.name.clone();
    let keys = &mut draft.facts.keys;
    if keys.get("hostname").is_some_and(|hostname| *hostname == name.as_str()) {
        keys.shift_remove("hostname");
    }
    if draft.role == Role::Worker {
        keys.retain(|key, _| !CONTROL_PLANE_KEYS.contains(&key.as_str()));
    }
    let networks = [("serviceCIDRs", "services", "10.96.0.0/12"), ("podCIDRs", "pods", "10.244.0.0/16")];
    if let Some(routes) = keys.get_mut("tailscale").and_then(|tailscale| tailscale["routes"].as_array_mut()) {
        for (key, word, default) in networks {
            let networks = cluster.get(key).and_then(Value::as_array);
            let network = match networks.map(Vec::as_slice) {
                None => Some(default),
                Some([only]) => only.as_str(),
                Some(_) => None,
            };
            routes.iter_mut().filter(|route| route.as_str() == network).for_each(|route| *route = word.into());
        }
    }
    images::name_schematics(draft, sources, talos);
}

/// Returns all keys of a device. Its raw patches have a key `text`, which [`with_files`] replaces by `file`.
pub(super) fn device_keys(draft: &Draft, sources: &[SourceFile], taken: &BTreeSet<String>) -> Map<String, Value> {
    let mut keys = draft.facts.keys.clone();
    let mut patches = Map::new();
    for raw in &draft.raw {
        let mut patch = json!({ "text": raw.text });
        if !raw.placeholders.is_empty() {
            patch["secrets"] = raw.placeholders.iter().map(|name| secret_of(name)).collect();
        }
        patches.insert(raw.name.clone(), patch);
    }
    if !patches.is_empty() {
        keys.insert("patches".to_owned(), patches.into());
    }
    let files = file_names::files(draft, sources, taken);
    if !files.is_empty() {
        keys.insert("files".to_owned(), files.into());
    }
    keys
}

/// Moves raw patches and certificates from keys to files in a folder. `prefix` is the path of the folder relative to the file with the keys.
pub(super) fn with_files(
    mut keys: Map<String, Value>,
    draft: &Draft,
    folder: &Utf8PathBuf,
    prefix: &str,
    files: &mut Vec<(Utf8PathBuf, String)>,
) -> Map<String, Value> {
    let path_of = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
    for (name, patch) in keys.get_mut("patches").and_then(Value::as_object_mut).into_iter().flatten() {
        let Some(fields) = patch.as_object_mut() else { continue };
        let Some(Value::String(text)) = fields.shift_remove("text") else { continue };
        let file = format!("patches/{name}.yaml");
        files.push((folder.join(&file), text));
        fields.insert("file".to_owned(), path_of(&file).into());
        fields.sort_keys();
    }
    let tls =
        keys.get_mut("registries").and_then(|registries| registries.get_mut("tls")).and_then(Value::as_object_mut);
    for ca in tls.into_iter().flat_map(Map::values_mut).filter_map(|registry| registry.get_mut("ca")) {
        let Some((name, text)) = ca.as_str().and_then(|name| draft.facts.referenced_files.get_key_value(name)) else {
            continue;
        };
        files.push((folder.join(name), text.clone()));
        *ca = path_of(name).into();
    }
    keys
}

/// Returns all model keys of a device in the order of the schema.
pub(super) fn schema_keys() -> Vec<String> {
    Schema::Device.parsed()["properties"].as_object().map(|keys| keys.keys().cloned().collect()).unwrap_or_default()
}

pub(super) fn in_order(mut keys: Map<String, Value>) -> Map<String, Value> {
    schema_keys().into_iter().filter_map(|key| keys.shift_remove_entry(&key)).collect()
}

/// Returns the first static address in the links of a device.
pub(super) fn static_address(keys: &Map<String, Value>) -> Option<String> {
    let links = keys.get("links")?.as_object()?;
    let addresses = links.values().filter_map(|link| link["addresses"].as_array()?.first()?.as_str());
    addresses.filter_map(|address| address.split_once('/')).map(|(address, _)| address.to_owned()).next()
}
