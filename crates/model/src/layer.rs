//! Layers: facts of many devices, written once.
//!
//! One rule: the nearest layer that has a key wins, for each key and, where the value is a mapping, for each of its keys. Nothing
//! deeper is merged, lists are replaced, and `null` removes.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Code, Diagnostic, Place, Pointer, SourceId};

/// The mapping in which `null` is a value (a file that is not written) and removes nothing.
const KEEPS_NULLS: &str = "files";

/// Some keys of a device, and where they stand.
#[derive(Debug, Clone)]
pub struct Layer<'a> {
    /// The document.
    pub source: SourceId,
    /// The mapping in it.
    pub base: Pointer,
    /// The keys.
    pub keys: &'a Map<String, Value>,
}

/// Where the keys of a layered device come from: those of the layers, and the device's own in a mapping that a layer has too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(BTreeMap<Pointer, (SourceId, Pointer)>);

impl Origins {
    /// The value at `pointer` of the layered device whose own file is `own`.
    #[must_use]
    pub fn place(&self, own: SourceId, pointer: &Pointer) -> Place {
        match self.of(pointer) {
            Some((source, origin)) => Place::value(source, origin),
            None => Place::value(own, pointer.clone()),
        }
    }

    /// Where the value at `pointer` of the layered device is written; none if in the device's own file, at the same pointer.
    #[must_use]
    pub fn of(&self, pointer: &Pointer) -> Option<(SourceId, Pointer)> {
        let mut prefix = Some(pointer.clone());
        while let Some(at) = prefix {
            if let Some((source, origin)) = self.0.get(&at) {
                return Some((*source, Pointer::new(format!("{origin}{}", &pointer.as_str()[at.as_str().len()..]))));
            }
            prefix = at.parent();
        }
        None
    }
}

/// Lays layers over each other, the farthest first and the device's own last.
///
/// Gives the keys, where they come from, and a finding for each `null` that removes nothing.
#[must_use]
pub fn layer(layers: &[Layer<'_>]) -> (Map<String, Value>, Origins, Vec<Diagnostic>) {
    let mut stack = Stack { own: layers.last().map(|layer| layer.source), ..Stack::default() };
    for layer in layers {
        for (key, value) in layer.keys {
            stack.lay(layer, key, value);
        }
    }
    (stack.keys, Origins(stack.origins), stack.findings)
}

#[derive(Default)]
struct Stack {
    own: Option<SourceId>,
    keys: Map<String, Value>,
    origins: BTreeMap<Pointer, (SourceId, Pointer)>,
    findings: Vec<Diagnostic>,
}

impl Stack {
    fn lay(&mut self, layer: &Layer<'_>, key: &str, value: &Value) {
        let at = Pointer::root().child(key);
        match value {
            Value::Null => {
                if self.keys.shift_remove(key).is_none() {
                    self.nothing_to_remove(layer, &at);
                }
                self.origins.retain(|origin, _| *origin != at && origin.parent().as_ref() != Some(&at));
            }
            Value::Object(mapping) => {
                let mut below = match self.keys.shift_remove(key) {
                    Some(Value::Object(below)) => below,
                    _ => Map::new(),
                };
                for (inner, value) in mapping {
                    let at = at.child(inner);
                    if value.is_null() && key != KEEPS_NULLS {
                        if below.shift_remove(inner).is_none() {
                            self.nothing_to_remove(layer, &at);
                        }
                        self.origins.remove(&at);
                    } else {
                        below.insert(inner.clone(), value.clone());
                        self.note_origin(layer, at);
                    }
                }
                self.keys.insert(key.to_owned(), Value::Object(below));
                self.note_origin(layer, at);
            }
            _ => {
                self.keys.insert(key.to_owned(), value.clone());
                self.note_origin(layer, at);
            }
        }
    }

    fn note_origin(&mut self, layer: &Layer<'_>, at: Pointer) {
        // A key of the device's own must be noted too where a default's key around it would be found instead.
        let around = at.parent().is_some_and(|around| self.origins.contains_key(&around));
        if self.own == Some(layer.source) && layer.base == Pointer::root() && !around {
            self.origins.remove(&at);
        } else {
            let origin = Pointer::new(format!("{}{at}", layer.base));
            self.origins.insert(at, (layer.source, origin));
        }
    }

    fn nothing_to_remove(&mut self, layer: &Layer<'_>, at: &Pointer) {
        let place = Place::value(layer.source, Pointer::new(format!("{}{at}", layer.base)));
        let key = at.segments().collect::<Vec<_>>().join(".");
        self.findings.push(
            Diagnostic::new(Code::NothingToRemove, format!("`{key}: null` removes nothing"), place)
                .note("no layer below has this key")
                .help("leave the line out"),
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::Sources;

    fn map(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(map) => map,
            _ => panic!("not a mapping"),
        }
    }

    #[test]
    fn the_nearest_wins_for_each_key_and_one_level_into_mappings() {
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
        let layers = [
            Layer { source: fleet, base: Pointer::new("/clusters/c/defaults"), keys: &defaults },
            Layer { source: fleet, base: Pointer::new("/clusters/c/worker"), keys: &role },
            Layer { source: device, base: Pointer::root(), keys: &own },
        ];
        let (keys, origins, findings) = layer(&layers);
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
        let origin = |pointer: &str| origins.of(&Pointer::from(pointer)).map(|(source, at)| (source, at.to_string()));
        assert_eq!(origin("/nameservers/0"), Some((fleet, "/clusters/c/defaults/nameservers/0".to_owned())));
        assert_eq!(origin("/labels/b"), Some((fleet, "/clusters/c/worker/labels/b".to_owned())));
        assert_eq!(origin("/labels/c"), Some((device, "/labels/c".to_owned())));
        assert_eq!(origin("/volumes/x/disk"), Some((device, "/volumes/x/disk".to_owned())));
        assert_eq!(origin("/kata"), None);
    }

    #[test]
    fn a_null_without_anything_below_is_found() {
        let mut sources = Sources::default();
        let device = sources.add("devices/a/device.yaml", "");
        let own = map(json!({"kata": null, "labels": {"a": null}}));
        let (keys, _, findings) = layer(&[Layer { source: device, base: Pointer::root(), keys: &own }]);
        assert_eq!(Value::Object(keys), json!({"labels": {}}));
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["`kata: null` removes nothing", "`labels.a: null` removes nothing"]);
    }
}
