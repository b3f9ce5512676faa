//! Moves keys that several devices share to the layer of their role or cluster.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use talosmith_machinery::Role;

/// The keys that stay in the device.
const DEVICE_ONLY: [&str; 1] = ["hostname"];

/// The layers of a cluster.
#[derive(Debug, Default)]
pub(super) struct Layers {
    pub defaults: Map<String, Value>,
    pub controlplane: Map<String, Value>,
    pub worker: Map<String, Value>,
}

/// Whether a key with its value can move to the layer of a role, or to the defaults.
pub(super) type CanMove<'a> = dyn Fn(Option<Role>, &str, &Value) -> bool + 'a;

/// Moves the keys that all devices share to the defaults, and those that all devices of a role share to the layer of the role.
pub(super) fn extract_layers(devices: &mut [(Role, Map<String, Value>)], can_move: &CanMove<'_>) -> Layers {
    let all = devices.iter_mut().map(|(_, keys)| keys).collect();
    let defaults = extract_common(all, &|key, value| can_move(None, key, value));
    let mut layers = Layers { defaults, ..Layers::default() };
    for (role, layer) in [(Role::ControlPlane, &mut layers.controlplane), (Role::Worker, &mut layers.worker)] {
        let of_role = devices.iter_mut().filter(|(own, _)| *own == role).map(|(_, keys)| keys);
        *layer = extract_common(of_role.collect(), &|key, value| can_move(Some(role), key, value));
    }
    layers
}

/// Moves the keys at `pointers`, of one or two names each, from a device to a layer.
pub(super) fn move_keys(device: &mut Map<String, Value>, pointers: &BTreeSet<String>, layer: &mut Map<String, Value>) {
    for pointer in pointers {
        let names: Vec<&str> = pointer.splitn(3, '/').skip(1).collect();
        let Some(key) = names.first() else { continue };
        let Some(name) = names.get(1) else {
            layer.extend(device.shift_remove(*key).map(|value| ((*key).to_owned(), value)));
            continue;
        };
        let Some(fields) = device.get_mut(*key).and_then(Value::as_object_mut) else { continue };
        let Some(value) = fields.shift_remove(*name) else { continue };
        if fields.is_empty() {
            device.shift_remove(*key);
        }
        if let Some(fields) = layer.entry((*key).to_owned()).or_insert_with(|| Map::new().into()).as_object_mut() {
            fields.insert((*name).to_owned(), value);
        }
    }
}

/// Removes the keys that all devices share from them, and returns these keys.
fn extract_common(
    mut devices: Vec<&mut Map<String, Value>>,
    can_move: &dyn Fn(&str, &Value) -> bool,
) -> Map<String, Value> {
    let mut shared = Map::new();
    let Some(first) = devices.first().filter(|_| devices.len() > 1).map(|first| (**first).clone()) else {
        return shared;
    };
    for (key, value) in first.iter().filter(|(key, _)| !DEVICE_ONLY.contains(&key.as_str())) {
        if devices.iter().all(|device| device.get(key) == Some(value)) && can_move(key, value) {
            devices.iter_mut().for_each(|device| drop(device.shift_remove(key)));
            shared.insert(key.clone(), value.clone());
            continue;
        }
        let Value::Object(fields) = value else { continue };
        for (name, inner) in fields {
            let has =
                |device: &&mut Map<String, Value>| device.get(key).and_then(|value| value.get(name)) == Some(inner);
            let moved = Map::from_iter([(name.clone(), inner.clone())]).into();
            if !devices.iter().all(has) || !can_move(key, &moved) {
                continue;
            }
            for device in &mut devices {
                let Some(fields) = device.get_mut(key).and_then(Value::as_object_mut) else { continue };
                fields.shift_remove(name);
                if fields.is_empty() {
                    device.shift_remove(key);
                }
            }
            if let Some(fields) = shared.entry(key.clone()).or_insert_with(|| Map::new().into()).as_object_mut() {
                fields.insert(name.clone(), inner.clone());
            }
        }
    }
    shared
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn map(value: Value) -> Map<String, Value> {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn shared_keys_move_to_the_nearest_layer_of_all_their_devices() {
        let mut devices = [
            (
                Role::ControlPlane,
                json!({ "hostname": "a", "cni": { "name": "none" }, "labels": { "x": "1", "y": "1" } }),
            ),
            (
                Role::ControlPlane,
                json!({ "hostname": "a", "cni": { "name": "none" }, "labels": { "x": "1", "y": "2" } }),
            ),
            (Role::Worker, json!({ "hostname": "a", "labels": { "x": "1" }, "time": { "servers": ["t"] } })),
        ]
        .map(|(role, keys)| (role, map(keys)));
        let layers = extract_layers(&mut devices, &|_, _, _| true);
        assert_eq!(Value::Object(layers.defaults), json!({ "labels": { "x": "1" } }));
        assert_eq!(Value::Object(layers.controlplane), json!({ "cni": { "name": "none" } }));
        assert_eq!(Value::Object(layers.worker), json!({}));
        assert_eq!(Value::Object(devices[0].1.clone()), json!({ "hostname": "a", "labels": { "y": "1" } }));
        let pointers = ["/time/servers", "/labels"].map(str::to_owned).into();
        let mut worker = Map::new();
        move_keys(&mut devices[2].1.clone(), &pointers, &mut worker);
        assert_eq!(Value::Object(worker), json!({ "time": { "servers": ["t"] } }));
        assert_eq!(Value::Object(devices[2].1.clone()), json!({ "hostname": "a", "time": { "servers": ["t"] } }));
    }
}
