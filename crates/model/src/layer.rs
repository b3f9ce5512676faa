//! Layers: the keys of many devices, written once in talosmith.yaml.
//!
//! The nearest layer that has a key wins, for each key and, where the value is a mapping, for each of its keys. Nothing deeper is
//! merged, lists are replaced, and `null` removes.

use std::collections::BTreeMap;
use std::iter;
use std::sync::Arc;

use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};

/// The keys of a cluster under which its layers are, and the key under which they are by name.
const LAYERS: [&str; 3] = ["defaults", "controlplane", "worker"];
pub(crate) const GROUPS: &str = "groups";

/// Returns the pointers below a cluster at which it may have a layer.
pub(crate) fn layers_of<'a>(groups: impl Iterator<Item = &'a str>) -> impl Iterator<Item = Pointer> {
    let groups = groups.map(|name| Pointer::root().child(GROUPS).child(name));
    LAYERS.iter().map(|key| Pointer::root().child(key)).chain(groups)
}

/// The mapping in which `null` is a value (a file that is not written) and removes nothing.
const KEEPS_NULLS: &str = "files";

/// The result of merging layers, and what each of them contributed.
#[derive(Debug, Clone, Default)]
pub(crate) struct LayerStack {
    /// From the farthest to the nearest.
    layers: Vec<Arc<Layer>>,
    keys: Map<String, Value>,
    findings: Vec<Diagnostic>,
}

/// A mapping of device keys in a document.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) source: SourceId,
    /// The pointer of the mapping in its document.
    pub(crate) base: Pointer,
    outline: BTreeMap<Box<str>, Outline>,
}

/// What a layer has for a key.
#[derive(Debug)]
enum Outline {
    Removed,
    Value,
    /// The keys of a mapping, and whether the layer has a value for each or removes it.
    Mapping(BTreeMap<Box<str>, bool>),
}

impl Outline {
    fn new(key: &str, value: &Value) -> Self {
        match value {
            Value::Null => Self::Removed,
            Value::Object(mapping) => {
                let is_value = |value: &Value| !value.is_null() || key == KEEPS_NULLS;
                Self::Mapping(mapping.iter().map(|(inner, value)| (inner.as_str().into(), is_value(value))).collect())
            }
            _ => Self::Value,
        }
    }
}

/// Where the keys of a device come from.
#[derive(Debug, Clone)]
pub(crate) struct Origins {
    base: Arc<LayerStack>,
    /// The device's own keys.
    device: Arc<Layer>,
}

impl Origins {
    /// The device's own file.
    pub(crate) fn own(&self) -> SourceId {
        self.device.source
    }

    /// Merges the device's own keys into the layers that they were merged into before.
    pub(crate) fn merge(&self, own: Map<String, Value>) -> Map<String, Value> {
        self.base.with_device(self.own(), own).0
    }

    /// Returns the location of the value at `pointer` of the merged device.
    pub(crate) fn location(&self, pointer: &Pointer) -> Location {
        match self.layer(pointer) {
            Some(layer) => Location::value(layer.source, layer.base.join(pointer)),
            None => Location::value(self.own(), pointer.clone()),
        }
    }

    /// Returns the locations at which groups have a value for the key at `pointer`, which a nearer layer overrides.
    pub(crate) fn overridden(&self, pointer: &Pointer) -> Vec<Location> {
        let mut segments = pointer.segments();
        let (Some(key), inner) = (segments.next(), segments.next()) else { return Vec::new() };
        let winner = self.layer(pointer).map(|layer| &layer.base);
        let groups = self.base.layers.iter().rev().filter(|layer| layer.is_group() && Some(&layer.base) != winner);
        let groups = groups.filter(|layer| layer.has(&key, inner.as_deref()));
        groups.map(|layer| Location::key(layer.source, layer.base.join(pointer))).collect()
    }

    /// Returns the layer that has the value at `pointer` of the merged device, or else the mapping around it; none if it is in
    /// the device's own file alone.
    pub(crate) fn layer(&self, pointer: &Pointer) -> Option<&Layer> {
        let mut segments = pointer.segments();
        let (key, inner) = (segments.next()?, segments.next());
        let mut around = None;
        for layer in iter::once(&self.device).chain(self.base.layers.iter().rev()).map(|layer| &**layer) {
            match (layer.outline.get(&*key), &inner) {
                (None, _) => continue,
                (Some(Outline::Removed), _) => break,
                (Some(Outline::Value), _) | (Some(Outline::Mapping(_)), None) => return Some(around.unwrap_or(layer)),
                (Some(Outline::Mapping(mapping)), Some(inner)) => match mapping.get(&**inner) {
                    Some(true) => return Some(layer),
                    Some(false) => return Some(around.unwrap_or(layer)),
                    None => around = around.or(Some(layer)),
                },
            }
        }
        around
    }
}

impl Layer {
    /// Whether it has a value for a key, or for a key of a mapping.
    fn has(&self, key: &str, inner: Option<&str>) -> bool {
        match (self.outline.get(key), inner) {
            (Some(Outline::Mapping(mapping)), Some(inner)) => mapping.get(inner) == Some(&true),
            (Some(Outline::Mapping(_) | Outline::Value), _) => true,
            (Some(Outline::Removed) | None, _) => false,
        }
    }

    fn is_group(&self) -> bool {
        self.base.segments().nth(2).is_some_and(|key| key == GROUPS)
    }
}

impl LayerStack {
    /// Returns the merged keys of the layers.
    pub(crate) fn keys(&self) -> &Map<String, Value> {
        &self.keys
    }

    /// Merges the own keys of a device, whose file is `source`, into a copy of the layers.
    ///
    /// Returns the merged keys, where they come from, and a finding for each `null` that removes nothing.
    pub(crate) fn with_device(
        self: &Arc<Self>,
        source: SourceId,
        own: Map<String, Value>,
    ) -> (Map<String, Value>, Origins, Vec<Diagnostic>) {
        let mut stack = Self::clone(self);
        let device = stack.apply(source, Pointer::root(), own);
        (stack.keys, Origins { base: Arc::clone(self), device }, stack.findings)
    }

    /// Merges the mapping at `base` of a document as the nearest layer.
    pub(crate) fn apply(&mut self, source: SourceId, base: Pointer, keys: Map<String, Value>) -> Arc<Layer> {
        let mut layer = Layer { source, base, outline: BTreeMap::new() };
        for (key, value) in keys {
            // The location of a device's own keys is known without an outline where no layer has them.
            if !layer.base.as_str().is_empty() || self.keys.contains_key(&key) {
                layer.outline.insert(key.as_str().into(), Outline::new(&key, &value));
            }
            self.merge(&layer, key, value);
        }
        let layer = Arc::new(layer);
        self.layers.push(Arc::clone(&layer));
        layer
    }

    fn merge(&mut self, layer: &Layer, key: String, value: Value) {
        let at = || Pointer::root().child(&key);
        match (value, self.keys.get_mut(&key)) {
            (Value::Null, None) => self.findings.push(nothing_to_remove(layer, &at())),
            (Value::Null, Some(_)) => drop(self.keys.shift_remove(&key)),
            (Value::Object(mapping), below)
                if below.is_some() || (mapping.values().any(Value::is_null) && key != KEEPS_NULLS) =>
            {
                let mut merged = match self.keys.shift_remove(&key) {
                    Some(Value::Object(merged)) => merged,
                    _ => Map::new(),
                };
                for (inner, value) in mapping {
                    if !value.is_null() || key == KEEPS_NULLS {
                        merged.insert(inner, value);
                    } else if merged.shift_remove(&inner).is_none() {
                        self.findings.push(nothing_to_remove(layer, &at().child(&inner)));
                    }
                }
                self.keys.insert(key, Value::Object(merged));
            }
            (value, _) => drop(self.keys.insert(key, value)),
        }
    }
}

fn nothing_to_remove(layer: &Layer, at: &Pointer) -> Diagnostic {
    let key = at.segments().collect::<Vec<_>>().join(".");
    let location = Location::value(layer.source, layer.base.join(at));
    Diagnostic::new(Code::NothingToRemove, format!("`{key}: null` removes nothing"), location)
        .note("no layer below has this key")
        .help("leave the line out")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use talosmith_document::Sources;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => panic!("not a mapping"),
        }
    }

    #[test]
    fn the_nearest_layer_wins_for_each_key_and_each_key_of_a_mapping() {
        let mut sources = Sources::default();
        let fleet = sources.add("talosmith.yaml", "");
        let device = sources.add("devices/a/device.yaml", "");
        let defaults = map(json!({
            "nameservers": ["1.1.1.1"],
            "labels": {"a": "1", "b": "1"},
            "volumes": {"x": {"disk": "d", "size": "1GB"}},
            "kata": true,
        }));
        let role = map(json!({"labels": {"b": "2"}, "kata": null}));
        let own =
            map(json!({"labels": {"a": null, "c": "3"}, "volumes": {"x": {"disk": "e"}}, "files": {"hostname": null}}));
        let mut layers = LayerStack::default();
        layers.apply(fleet, Pointer::new("/clusters/c/defaults"), defaults);
        layers.apply(fleet, Pointer::new("/clusters/c/worker"), role);
        let (keys, origins, findings) = Arc::new(layers).with_device(device, own);
        assert_eq!(
            Value::Object(keys),
            json!({
                "nameservers": ["1.1.1.1"],
                "labels": {"b": "2", "c": "3"},
                "volumes": {"x": {"disk": "e"}},
                "files": {"hostname": null},
            })
        );
        assert_eq!(findings, []);
        let origin = |pointer: &str| {
            origins
                .layer(&Pointer::from(pointer))
                .map(|layer| (layer.source, layer.base.join(&pointer.into()).to_string()))
        };
        assert_eq!(origin("/nameservers/0"), Some((fleet, "/clusters/c/defaults/nameservers/0".to_owned())));
        assert_eq!(origin("/labels/b"), Some((fleet, "/clusters/c/worker/labels/b".to_owned())));
        assert_eq!(origin("/labels/c"), Some((device, "/labels/c".to_owned())));
        assert_eq!(origin("/volumes/x/disk"), Some((device, "/volumes/x/disk".to_owned())));
        assert_eq!(origin("/kata"), None);
    }

    #[test]
    fn a_null_that_removes_nothing_is_reported() {
        let mut sources = Sources::default();
        let device = sources.add("devices/a/device.yaml", "");
        let own = map(json!({"kata": null, "labels": {"a": null}}));
        let (keys, _, findings) = Arc::new(LayerStack::default()).with_device(device, own);
        assert_eq!(Value::Object(keys), json!({"labels": {}}));
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["`kata: null` removes nothing", "`labels.a: null` removes nothing"]);
    }
}
