//! Writes the user's values in YAML's flow style, for the helps of findings.

use serde_json::{Map, Value};
use talosmith_document::has_other_type;

/// A JSON value on one line.
pub(super) fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let pairs: Vec<String> =
                map.iter().map(|(key, value)| format!("{}: {}", scalar(key), flow(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        other => other.to_string(),
    }
}

/// A string, in quotes unless every reader of YAML takes it for one.
fn scalar(text: &str) -> String {
    let is_plain = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '/')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./=".contains(&byte))
        && !has_other_type(text);
    if is_plain { text.to_owned() } else { Value::from(text).to_string() }
}

/// The value in the shape of a mapping: a list of assignments, of names, or of mappings that each have a name. `is_nested` specifies whether
/// the values of the mapping are mappings.
pub(super) fn as_mapping(value: &Value, is_nested: bool) -> Option<Value> {
    let item = |item: &Value| match item {
        Value::String(text) if is_nested => Some((text.clone(), Map::new().into())),
        Value::String(text) => {
            let (key, value) = text.split_once('=')?;
            Some((key.to_owned(), value.into()))
        }
        Value::Object(map) if is_nested => {
            let key =
                ["mountPath", "path", "name"].into_iter().find(|key| map.get(*key).is_some_and(Value::is_string))?;
            let mut map = map.clone();
            let name = map.shift_remove(key)?;
            Some((name.as_str()?.to_owned(), map.into()))
        }
        _ => None,
    };
    let items = value.as_array().filter(|items| !items.is_empty())?;
    Some(Value::Object(items.iter().map(item).collect::<Option<_>>()?))
}

/// The value in the shape of a list of strings: the strings of a mapping and of its lists, or the names in it where they have no list.
pub(super) fn as_strings(value: &Value) -> Option<Value> {
    let mut strings = Vec::new();
    for (key, value) in value.as_object().filter(|map| !map.is_empty())? {
        match value {
            Value::String(_) => strings.push(value.clone()),
            Value::Array(items) if items.iter().all(Value::is_string) => strings.extend_from_slice(items),
            Value::Null | Value::Bool(_) | Value::Object(_) => strings.push(key.as_str().into()),
            Value::Array(_) | Value::Number(_) => return None,
        }
    }
    Some(strings.into())
}

/// Returns how the disk to install on is written, for what a user wrote as its path or selector.
pub(super) fn system_disk(written: &str) -> String {
    let path = if written.starts_with("/dev/") { written } else { "/dev/disk/by-id/ata-EXAMPLE" };
    format!(
        "mark the disk to install on under `disks`, and write `disk: true` under `install`:\ndisks:\n  main: {{ size: 500107862016B, path: {path}, system: true }}"
    )
}
