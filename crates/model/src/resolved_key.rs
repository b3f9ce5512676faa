//! The facts of a device one by one, and where each is written.

use serde_json::{Map, Value};
use talosmith_document::{Location, Pointer};

use crate::{FleetFile, Keys, Schema};

/// A fact of a layered device: a key, or a key below one that holds a mapping.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedKey {
    /// The key, as a pointer into the layered device.
    pub key: Pointer,
    /// What it says.
    pub value: Value,
    /// The key that says it: in the device's file or in talosmith.yaml, also where the fact follows from another one.
    pub location: Location,
}

/// Returns the keys of a device in the order of its schema.
///
/// The versions and the hostname are always among them, since the rest relies on them.
#[must_use]
pub fn resolved_keys(fleet: &FleetFile, device: &Keys) -> Vec<ResolvedKey> {
    let keys = device.values();
    let at = |pointer: &Pointer| device.at(pointer.clone());
    let mut facts = Vec::new();
    for key in order() {
        let pointer = Pointer::root().child(&key);
        match keys.get(&key) {
            Some(Value::Object(mapping)) if !mapping.is_empty() => {
                facts.extend(mapping.iter().map(|(inner, value)| {
                    let key = pointer.child(inner);
                    ResolvedKey { location: at(&key).as_key(), key, value: value.clone() }
                }));
            }
            Some(value) => {
                facts.push(ResolvedKey { location: at(&pointer).as_key(), key: pointer, value: value.clone() })
            }
            None => {
                let implied = implied(fleet, &keys, &key, &at);
                facts.extend(implied.map(|(value, location)| ResolvedKey {
                    key: pointer,
                    value,
                    location: location.as_key(),
                }));
            }
        }
    }
    facts
}

impl Keys {
    /// Returns the scalars at a pointer of the layered device and below. The file is parsed again: this is for reports.
    #[must_use]
    pub fn scalars(&self, at: &Pointer) -> Vec<ResolvedKey> {
        scalars(&Value::Object(self.values()), at, &|pointer| self.at(pointer.clone()))
    }
}

impl FleetFile {
    /// Returns the scalars at a pointer of the file and below. The file is parsed again: this is for reports.
    #[must_use]
    pub fn scalars(&self, at: &Pointer) -> Vec<ResolvedKey> {
        scalars(&self.value(), at, &|pointer| self.at(pointer.clone()))
    }
}

fn scalars(root: &Value, at: &Pointer, location: &dyn Fn(&Pointer) -> Location) -> Vec<ResolvedKey> {
    fn walk(value: &Value, at: Pointer, location: &dyn Fn(&Pointer) -> Location, found: &mut Vec<ResolvedKey>) {
        match value {
            Value::Object(mapping) => {
                mapping.iter().for_each(|(key, value)| walk(value, at.child(key), location, found));
            }
            Value::Array(items) => {
                items.iter().enumerate().for_each(|(index, value)| walk(value, at.item(index), location, found));
            }
            value => found.push(ResolvedKey { location: location(&at), key: at, value: value.clone() }),
        }
    }
    let mut found = Vec::new();
    if let Some(value) = root.pointer(at.as_str()) {
        walk(value, at.clone(), location, &mut found);
    }
    found
}

/// The keys of a device as its schema lists them.
fn order() -> Vec<String> {
    let schema: Value = serde_json::from_str(Schema::Device.text()).unwrap_or_default();
    schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect()
}

/// What follows from another key for one that is not written.
fn implied(
    fleet: &FleetFile,
    keys: &Map<String, Value>,
    key: &str,
    at: &impl Fn(&Pointer) -> Location,
) -> Option<(Value, Location)> {
    let own = |key: &str| keys.get(key).map(|value| (value.clone(), at(&Pointer::root().child(key))));
    let name = keys.get("cluster")?.as_str()?;
    let (_, cluster) = fleet.fleet.clusters.iter().find(|(other, _)| other.as_str() == name)?;
    let of_cluster = |version: &talosmith_document::TalosVersion, key: &str| {
        (Value::from(version.to_string()), fleet.at(Pointer::new("/clusters").child(name).child(key)))
    };
    let talos = || own("talosVersion").unwrap_or_else(|| of_cluster(&cluster.talos_version, "talosVersion"));
    match key {
        "hostname" => own("name"),
        "talosVersion" => Some(talos()),
        "baseConfig" => {
            Some(cluster.base_config.as_ref().map_or_else(talos, |version| of_cluster(version, "baseConfig")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::DeviceFile;
    use talosmith_document::{Anchor, Sources};

    #[test]
    fn each_fact_names_the_key_that_says_it() {
        let mut sources = Sources::default();
        let fleet_text = "clusters:\n  c:\n    talosVersion: v1.13.2\n    defaults: { labels: { a: x, b: x }, nameservers: [192.0.2.1] }\n    worker: { kata: true }\n";
        let fleet_source = sources.add("talosmith.yaml", fleet_text);
        let fleet = FleetFile::read(fleet_source, fleet_text).expect("a fleet");
        let text =
            "name: n\ncluster: c\nrole: worker\naddress: 192.0.2.9\nbaseConfig: v1.12.0\nlabels:\n  b: y\nfiles: {}\n";
        let own = sources.add("devices/n/device.yaml", text);
        let at = |pointer: &str| Location::key(own, pointer.into());
        let default = |pointer: &str| Location::key(fleet_source, format!("/clusters/c{pointer}").as_str().into());
        let expected = [
            ("/name", json!("n"), at("/name")),
            ("/cluster", json!("c"), at("/cluster")),
            ("/role", json!("worker"), at("/role")),
            ("/address", json!("192.0.2.9"), at("/address")),
            ("/talosVersion", json!("v1.13.2"), default("/talosVersion")),
            ("/baseConfig", json!("v1.12.0"), at("/baseConfig")),
            ("/hostname", json!("n"), at("/name")),
            ("/kata", json!(true), default("/worker/kata")),
            ("/labels/a", json!("x"), default("/defaults/labels/a")),
            ("/labels/b", json!("y"), at("/labels/b")),
            ("/nameservers", json!(["192.0.2.1"]), default("/defaults/nameservers")),
            ("/files", json!({}), at("/files")),
        ];
        let expected = expected.map(|(key, value, location)| ResolvedKey { key: key.into(), value, location });
        let (device, findings) = DeviceFile::read(&fleet, own, "n", &text.into());
        assert_eq!(findings, []);
        let keys = device.expect("a device").keys;
        assert_eq!(resolved_keys(&fleet, &keys), expected);
        let labels = keys.scalars(&"/labels".into()).into_iter().map(|label| (label.key.to_string(), label.location));
        let expected = [("/labels/a", default("/defaults/labels/a")), ("/labels/b", at("/labels/b"))];
        let value = |location: Location| {
            Location::value(
                location.source,
                match location.spot {
                    Anchor::Key(pointer) => pointer,
                    other => panic!("{other:?}"),
                },
            )
        };
        assert_eq!(labels.collect::<Vec<_>>(), expected.map(|(key, at)| (key.to_owned(), value(at))));
    }
}
