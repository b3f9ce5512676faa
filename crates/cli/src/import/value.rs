//! Conversion of YAML values to JSON in which every scalar is still what Talos would read, and functions on such values.

use serde_json::{Map, Value};
use talosmith_document::{Document, Node, NodeValue, Pointer, Style};

/// Converts a node. A number that JSON would write in another form, such as `1.10` or `0o644`, becomes a string.
pub(crate) fn json(node: &Node) -> Value {
    match &node.value {
        NodeValue::Scalar(text, Style::Plain) => match node.clone().into_json() {
            Value::Number(number) if number.to_string() != **text => Value::from(&**text),
            other => other,
        },
        NodeValue::Scalar(text, _) => Value::from(&**text),
        NodeValue::Sequence(items) => items.iter().map(json).collect(),
        NodeValue::Mapping(entries) => {
            let entries = entries.iter().map(|entry| (entry.key.to_string(), json(&entry.value)));
            Value::Object(entries.collect::<Map<_, _>>())
        }
    }
}

/// Returns the string that Talos reads from a scalar in a field of type string; none if the value is no scalar.
pub(crate) fn scalar_string(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Returns a mapping with each value as a string; none if a value is no scalar.
pub(crate) fn string_mapping(value: &Value) -> Option<Value> {
    let entries = value.as_object()?.iter().map(|(key, value)| Some((key.clone(), Value::from(scalar_string(value)?))));
    entries.collect::<Option<Map<_, _>>>().map(Value::Object)
}

/// Returns the fields of a mapping; none if it has a field that is not in `known`.
pub(crate) fn only<'v>(value: &'v Value, known: &[&str]) -> Option<&'v Map<String, Value>> {
    value.as_object().filter(|fields| fields.keys().all(|key| known.contains(&key.as_str())))
}

/// Whether a value contains `$patch`, the directive of Talos's merge.
pub(crate) fn has_directive(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(key, value)| key == "$patch" || has_directive(value)),
        Value::Array(items) => items.iter().any(has_directive),
        _ => false,
    }
}

/// Whether the documents of a file are a JSON patch: a list of operations.
pub(super) fn is_json_patch(documents: &[Node]) -> bool {
    let mut written = documents.iter().filter(|document| !json(document).is_null());
    let is_list = written.next().is_some_and(|first| first.items().iter().any(|item| item.get("op").is_some()));
    is_list && written.next().is_none()
}

/// Returns the value at keys joined by dots.
pub(crate) fn at<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    path.split('.').filter(|key| !key.is_empty()).try_fold(value, |value, key| value.as_object()?.get(key))
}

/// Removes the value at keys joined by dots, and the mappings around it that become empty.
pub(crate) fn remove(value: &mut Value, path: &str) {
    let Some(fields) = value.as_object_mut() else { return };
    match path.split_once('.') {
        None => drop(fields.shift_remove(path)),
        Some((key, rest)) => {
            let Some(inner) = fields.get_mut(key) else { return };
            remove(inner, rest);
            if inner.as_object().is_some_and(Map::is_empty) {
                fields.shift_remove(key);
            }
        }
    }
}

/// Merges a value as Talos does: mappings by their keys, lists by appending, anything else by replacing.
pub(crate) fn merge(into: &mut Value, value: Value) {
    match (into, value) {
        (Value::Object(into), Value::Object(fields)) => {
            for (key, value) in fields {
                match into.get_mut(&key) {
                    Some(existing) => merge(existing, value),
                    None => drop(into.insert(key, value)),
                }
            }
        }
        (Value::Array(into), Value::Array(items)) => into.extend(items),
        (into, value) => *into = value,
    }
}

/// Returns each scalar and each empty list or mapping of a value with its pointer.
pub(crate) fn leaves(value: &Value) -> Vec<(Pointer, Value)> {
    let mut found = Vec::new();
    add_leaves(value, &Pointer::root(), &mut found);
    found
}

fn add_leaves(value: &Value, at: &Pointer, found: &mut Vec<(Pointer, Value)>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(key, value)| add_leaves(value, &at.child(key), found));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(index, value)| add_leaves(value, &at.item(index), found));
        }
        other => found.push((at.clone(), other.clone())),
    }
}

/// Returns the keys that lead to the key at a byte, joined by dots.
pub(super) fn keys_at(node: &Node, byte: u32) -> Option<String> {
    node.entries().iter().find_map(|entry| match entry.key_span.start == byte {
        true => Some(entry.key.to_string()),
        false => Some(format!("{}.{}", entry.key, keys_at(&entry.value, byte)?)),
    })
}

/// The first byte of the key at a pointer.
pub(super) fn key_start(root: &Node, pointer: &Pointer) -> Option<u32> {
    let document = Document { root: root.clone() };
    let (key, value) = document.find(pointer)?;
    Some(key.unwrap_or(value).start)
}
