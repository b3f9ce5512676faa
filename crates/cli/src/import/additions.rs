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
        is_free
            && !has_file
            && with_entry(&fleet.text, &path, "probe: true\n").is_some()
            && fleet.nearer_layers(cluster, role).iter().all(|layers| is_overridden(layers, key, value))
    }
}

/// Whether nearer layers override a key of a layer, or each of its keys where it is a mapping.
fn is_overridden(nearer: &[&Value], key: &str, value: &Value) -> bool {
    let has = |name: Option<&str>| {
        nearer.iter().filter_map(|layer| layer.get(key)).any(|own| match (own, name) {
            (Value::Object(own), Some(name)) => own.contains_key(name),
            _ => true,
        })
    };
    match value {
        Value::Object(names) => names.keys().all(|name| has(Some(name))),
        _ => has(None),
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
