//! The keys of a merged device one by one, and where each is written.

use serde_json::{Map, Value};
use talosmith_document::{Location, Pointer};

use crate::plan::Device;
use crate::{FleetFile, Keys, Schema};

/// A key of a merged device, or a key of a mapping in it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResolvedKey {
    /// The pointer in the merged device.
    pub key: Pointer,
    pub value: Value,
    /// The location of the key that specifies it, in the device's file or in talosmith.yaml. For a default, that of the key from
    /// which it follows.
    pub location: Location,
    /// Where groups of the device have the key, and a nearer layer overrides it.
    pub overridden: Vec<Location>,
}

/// Returns the keys of a device in the order of its schema, always with the versions and the hostname.
pub fn resolved_keys(device: &Device) -> Vec<ResolvedKey> {
    let keys = device.keys.values();
    let resolved = |key: Pointer, value: Value, location: &Location| {
        let overridden = device.keys.overridden(&key);
        ResolvedKey { key, value, location: location.as_key(), overridden }
    };
    let mut all = Vec::new();
    for key in order() {
        let pointer = Pointer::root().child(&key);
        match (keys.get(&key), key.as_str()) {
            (Some(Value::Object(mapping)), _) if !mapping.is_empty() => {
                all.extend(mapping.iter().map(|(inner, value)| {
                    let key = pointer.child(inner);
                    let location = device.keys.at(key.clone());
                    resolved(key, value.clone(), &location)
                }));
            }
            (Some(value), _) => {
                let location = device.keys.at(pointer.clone());
                all.push(resolved(pointer, value.clone(), &location));
            }
            (None, "hostname") => {
                let network = &device.network;
                all.push(resolved(pointer, network.hostname.clone().into(), &network.hostname_location));
            }
            (None, "talosVersion") => {
                let versions = &device.versions;
                all.push(resolved(pointer, versions.talos.to_string().into(), &versions.talos_location));
            }
            (None, "baseConfig") => {
                let versions = &device.versions;
                all.push(resolved(pointer, versions.base.to_string().into(), &versions.base_location));
            }
            (None, _) => {}
        }
    }
    all
}

impl Keys {
    /// Returns the scalars at pointers of the merged device and below. The file is parsed again: this is for reports.
    pub fn scalars(&self, at: &[Pointer]) -> Vec<ResolvedKey> {
        let device = Value::Object(self.values());
        at.iter().flat_map(|at| scalars(&device, at, &|pointer| self.at(pointer.clone()))).collect()
    }
}

impl FleetFile {
    /// Returns the scalars at a pointer of the file and below. The file is parsed again: this is for reports.
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
            value => {
                let location = location(&at);
                found.push(ResolvedKey { key: at, value: value.clone(), location, overridden: Vec::new() });
            }
        }
    }
    let mut found = Vec::new();
    if let Some(value) = root.pointer(at.as_str()) {
        walk(value, at.clone(), location, &mut found);
    }
    found
}

/// Returns the keys of a device in the order of its schema.
fn order() -> Vec<String> {
    Schema::Device.parsed()["properties"].as_object().into_iter().flat_map(Map::keys).cloned().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::DeviceFile;
    use crate::plan::{Caches, ControlPlanes, Files, PlannedDevice};
    use talosmith_document::{Anchor, Sources};

    #[test]
    fn each_key_has_the_location_that_specifies_it() {
        let mut sources = Sources::default();
        let fleet_text = "clusters:\n  c:\n    talosVersion: v1.13.2\n    defaults: { labels: { a: x, b: x }, nameservers: [192.0.2.1] }\n    worker: { kata: false }\n";
        let fleet_source = sources.add("talosmith.yaml", fleet_text);
        let fleet = FleetFile::read(fleet_source, fleet_text).0.expect("a fleet");
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
            ("/kata", json!(false), default("/worker/kata")),
            ("/labels/a", json!("x"), default("/defaults/labels/a")),
            ("/labels/b", json!("y"), at("/labels/b")),
            ("/nameservers", json!(["192.0.2.1"]), default("/defaults/nameservers")),
            ("/files", json!({}), at("/files")),
        ];
        let expected = expected.map(|(key, value, location)| ResolvedKey {
            key: key.into(),
            value,
            location,
            overridden: Vec::new(),
        });
        let (device, findings) = DeviceFile::read(&fleet, own, "n", &text.into());
        assert_eq!(findings, []);
        let file = device.expect("a device");
        let planes = ControlPlanes::default();
        let planned = PlannedDevice::new(&fleet, &file, &Files::default(), &planes, &Caches::default());
        assert!(!planned.has_errors());
        assert_eq!(resolved_keys(&planned.device), expected);
        let keys = file.keys;
        let labels = keys.scalars(&["/labels".into()]).into_iter().map(|label| (label.key.to_string(), label.location));
        let expected = [("/labels/a", default("/defaults/labels/a")), ("/labels/b", at("/labels/b"))];
        let value = |location: Location| {
            Location::value(
                location.source,
                match location.anchor {
                    Anchor::Key(pointer) => pointer,
                    other => panic!("{other:?}"),
                },
            )
        };
        assert_eq!(labels.collect::<Vec<_>>(), expected.map(|(key, at)| (key.to_owned(), value(at))));
    }
}
