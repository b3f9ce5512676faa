//! The keys that new devices add to the layers of their existing cluster: those that change no existing device.

use anyhow::Context as _;
use camino::Utf8Path;
use serde_json::{Map, Value, json};
use talosmith_machinery::Role;
use talosmith_model::layout::FLEET_FILE;
use talosmith_render::yaml_document;

use super::inherited::Inherited;
use super::insertion::with_entry;
use crate::existing_fleet::{ExistingCluster, ExistingFleet};

/// An existing cluster that new devices are added to.
pub(super) struct Additions<'a> {
    pub fleet: &'a ExistingFleet,
    pub cluster: &'a ExistingCluster,
    pub inherited: &'a Inherited,
}

impl Additions<'_> {
    /// Whether a key can be added to the layer of a role or to the defaults: the layer does not have it, its text can be extended, and each
    /// existing device has its own value.
    pub(super) fn can_add(&self, role: Option<Role>, key: &str, value: &Value) -> bool {
        let Self { fleet, cluster, inherited } = *self;
        let layer = role.map_or("defaults", Role::name);
        let known = cluster.keys.get(layer).and_then(|keys| keys.get(key));
        let is_free = match (known, value) {
            (None, _) => true,
            (Some(Value::Object(known)), Value::Object(new)) => new.keys().all(|name| !known.contains_key(name)),
            _ => false,
        };
        let mut path = vec!["clusters", &cluster.name, layer];
        path.extend(known.map(|_| key));
        let folder = Utf8Path::new("clusters").join(&cluster.name).join(role.map_or("", Role::name)).join("patches");
        let names = value.as_object().filter(|_| key == "patches").into_iter().flat_map(Map::keys);
        let has_file = names.map(|name| folder.join(format!("{name}.yaml"))).any(|path| inherited.has_patch(&path));
        let is_covered = |own: &Map<String, Value>| own.get(key).is_some_and(|own| covers(own, value));
        is_free
            && !has_file
            && with_entry(&fleet.text, &path, "probe: true\n").is_some()
            && fleet.nearer_keys(cluster, role).iter().all(is_covered)
    }
}

/// Whether a value in a nearer layer has all keys of one in a layer, so that the layer does not change the merged value.
fn covers(own: &Value, layer: &Value) -> bool {
    match (own, layer) {
        (Value::Object(own), Value::Object(layer)) => {
            layer.iter().all(|(key, value)| own.get(key).is_some_and(|own| covers(own, value)))
        }
        _ => true,
    }
}

/// Adds the keys in the layers of new devices to those of their existing cluster in talosmith.yaml.
pub(super) fn with_layers(
    mut text: String,
    known: &ExistingCluster,
    cluster: &Map<String, Value>,
) -> anyhow::Result<String> {
    for layer in ["defaults", "controlplane", "worker"] {
        for (key, value) in cluster.get(layer).and_then(Value::as_object).into_iter().flatten() {
            let is_there = known.keys.get(layer).is_some_and(|keys| keys.get(key).is_some());
            let path = ["clusters", &known.name, layer, key];
            text = match value.as_object().filter(|_| is_there) {
                None => with_added(&text, &path[..3], &yaml_document(&json!({ key: value })))?,
                Some(_) => with_added(&text, &path, &yaml_document(value))?,
            };
        }
    }
    Ok(text)
}

/// Adds an entry to talosmith.yaml.
pub(super) fn with_added(text: &str, keys: &[&str], entry: &str) -> anyhow::Result<String> {
    with_entry(text, keys, entry).with_context(|| {
        let key = keys.last().copied().unwrap_or_default();
        format!("nothing can be added to `{key}` in {FLEET_FILE}: write it in lines, without braces and not empty")
    })
}
