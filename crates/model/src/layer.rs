//! Layers: facts of many devices, written once.
//!
//! One rule: the nearest layer that has a key wins, for each key and, where the value is a mapping, for each of its keys. Nothing
//! deeper is merged, lists are replaced, and `null` removes.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};

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

/// Layers that were laid over each other, the farthest first: what the devices of a role stand on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ground {
    /// The documents of the layers, and the mappings in them.
    layers: Vec<(SourceId, Pointer)>,
    keys: Map<String, Value>,
    /// The layer of each key, by its pointer in a layered device.
    origins: BTreeMap<Box<str>, usize>,
    findings: Vec<Diagnostic>,
}

/// Where the keys of a layered device come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Origins {
    ground: Arc<Ground>,
    own: SourceId,
    /// Keys that the device's own file has, and the ground has too or has something around them, by their pointers: whether the key is
    /// to be noted, and not that around it.
    keys: BTreeMap<Box<str>, bool>,
}

impl Origins {
    /// The device's own file.
    pub(crate) fn own(&self) -> SourceId {
        self.own
    }

    /// Merges the device's own keys into the layers that they were merged into before.
    pub(crate) fn merge(&self, own: Map<String, Value>) -> Map<String, Value> {
        self.ground.carry(self.own, own).0
    }

    /// The value at `pointer` of the layered device.
    #[must_use]
    pub fn location(&self, pointer: &Pointer) -> Location {
        match self.of(pointer) {
            Some((source, origin)) => Location::value(source, origin),
            None => Location::value(self.own, pointer.clone()),
        }
    }

    /// Where the value at `pointer` of the layered device is written; none if in the device's own file, at the same pointer.
    #[must_use]
    pub fn of(&self, pointer: &Pointer) -> Option<(SourceId, Pointer)> {
        let mut prefix = Some(pointer.as_str());
        while let Some(at) = prefix {
            match self.keys.get(at) {
                Some(true) => return Some((self.own, pointer.clone())),
                Some(false) => {}
                None => {
                    if let Some(layer) = self.ground.origins.get(at) {
                        let (source, base) = &self.ground.layers[*layer];
                        return Some((*source, base.join(pointer)));
                    }
                }
            }
            prefix = parent(at);
        }
        None
    }
}

fn parent(pointer: &str) -> Option<&str> {
    pointer.rfind('/').map(|at| &pointer[..at])
}

impl Ground {
    /// Lays layers over each other, the farthest first.
    #[must_use]
    pub fn new(layers: &[Layer<'_>]) -> Self {
        let mut stack = Stack::default();
        let mut origins: BTreeMap<Box<str>, usize> = BTreeMap::new();
        for (index, layer) in layers.iter().enumerate() {
            for (key, value) in layer.keys {
                let at = (layer.source, &layer.base);
                stack.lay(at, key.clone(), value.clone(), &mut |at, change| match change {
                    Change::Written => drop(origins.insert(at.as_str().into(), index)),
                    Change::Removed => drop(origins.remove(at.as_str())),
                    Change::Emptied => origins.retain(|origin, _| !is_at_or_in(origin, at)),
                });
            }
        }
        let layers = layers.iter().map(|layer| (layer.source, layer.base.clone())).collect();
        Self { layers, keys: stack.keys, origins, findings: stack.findings }
    }

    /// Lays the own keys of a device, whose file is `source`, over it.
    ///
    /// Gives the keys, where they come from, and a finding for each `null` that removes nothing.
    #[must_use]
    pub fn carry(
        self: &Arc<Self>,
        source: SourceId,
        own: Map<String, Value>,
    ) -> (Map<String, Value>, Origins, Vec<Diagnostic>) {
        let mut stack = Stack { keys: self.keys.clone(), findings: self.findings.clone() };
        let mut keys: BTreeMap<Box<str>, bool> = BTreeMap::new();
        for (key, value) in own {
            if !self.keys.contains_key(&key) && !removes(&value) {
                // What nothing stands below of is its own, with all that is in it.
                stack.keys.insert(key, value);
                continue;
            }
            stack.lay((source, &Pointer::root()), key, value, &mut |at, change| {
                let known = |at: &str| keys.get(at).copied().unwrap_or_else(|| self.origins.contains_key(at));
                match change {
                    // A key must be noted where a layer's key around it would be found instead.
                    Change::Written if parent(at.as_str()).is_some_and(known) => {
                        keys.insert(at.as_str().into(), true);
                    }
                    Change::Written | Change::Removed if self.origins.contains_key(at.as_str()) => {
                        keys.insert(at.as_str().into(), false);
                    }
                    Change::Written | Change::Removed => drop(keys.remove(at.as_str())),
                    Change::Emptied => {
                        keys.retain(|key, _| !is_at_or_in(key, at));
                        let gone = self.origins.keys().filter(|origin| is_at_or_in(origin, at));
                        keys.extend(gone.map(|origin| (origin.clone(), false)));
                    }
                }
            });
        }
        let origins = Origins { ground: Arc::clone(self), own: source, keys };
        (stack.keys, origins, stack.findings)
    }
}

/// Whether a value is a `null` or has some directly in it.
fn removes(value: &Value) -> bool {
    match value {
        Value::Object(mapping) => mapping.values().any(Value::is_null),
        value => value.is_null(),
    }
}

/// Whether a pointer is the other one, or that of a key directly in it.
fn is_at_or_in(pointer: &str, other: &Pointer) -> bool {
    pointer == other.as_str() || parent(pointer) == Some(other.as_str())
}

/// What becomes of a key.
#[derive(Debug, Clone, Copy)]
enum Change {
    /// The layer has it.
    Written,
    /// It goes.
    Removed,
    /// It goes with all that is in it.
    Emptied,
}

#[derive(Default)]
struct Stack {
    keys: Map<String, Value>,
    findings: Vec<Diagnostic>,
}

impl Stack {
    /// Lays a key of the mapping at `base` over what is there, and notes what becomes of its pointer and those in it.
    fn lay(&mut self, base: (SourceId, &Pointer), key: String, value: Value, note: &mut dyn FnMut(&Pointer, Change)) {
        let at = Pointer::root().child(&key);
        match value {
            Value::Null => {
                if self.keys.shift_remove(&key).is_none() {
                    self.nothing_to_remove(base, &at);
                }
                note(&at, Change::Emptied);
            }
            Value::Object(mapping) => {
                let mut below = match self.keys.shift_remove(&key) {
                    Some(Value::Object(below)) => below,
                    _ => Map::new(),
                };
                for (inner, value) in mapping {
                    let at = at.child(&inner);
                    if value.is_null() && key != KEEPS_NULLS {
                        if below.shift_remove(&inner).is_none() {
                            self.nothing_to_remove(base, &at);
                        }
                        note(&at, Change::Removed);
                    } else {
                        below.insert(inner, value);
                        note(&at, Change::Written);
                    }
                }
                self.keys.insert(key, Value::Object(below));
                note(&at, Change::Written);
            }
            _ => {
                self.keys.insert(key, value);
                note(&at, Change::Written);
            }
        }
    }

    fn nothing_to_remove(&mut self, (source, base): (SourceId, &Pointer), at: &Pointer) {
        let location = Location::value(source, base.join(at));
        let key = at.segments().collect::<Vec<_>>().join(".");
        self.findings.push(
            Diagnostic::new(Code::NothingToRemove, format!("`{key}: null` removes nothing"), location)
                .note("no layer below has this key")
                .help("leave the line out"),
        );
    }
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
        ];
        let (keys, origins, findings) = Arc::new(Ground::new(&layers)).carry(device, own);
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
        let (keys, _, findings) = Arc::new(Ground::default()).carry(device, own);
        assert_eq!(Value::Object(keys), json!({"labels": {}}));
        let messages: Vec<_> = findings.iter().map(|finding| finding.message.as_str()).collect();
        assert_eq!(messages, ["`kata: null` removes nothing", "`labels.a: null` removes nothing"]);
    }
}
