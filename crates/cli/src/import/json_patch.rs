//! Converts JSON patches (RFC 6902) to strategic merge patches: Talos refuses them for base configs of several documents, that is, since 1.12.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use talosmith_document::{Document, Node, Pointer};
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{SEVERAL_DOCUMENTS_SINCE, is_json_path_too_deep};
use talosmith_render::yaml_document;

use super::source_file::{JsonPatch, NotMapped, RefusedOperation, SourceFile};
use super::value::{is_json_patch, json as to_json};

/// Replaces a JSON patch by a merge patch. For a base config that accepts JSON patches, one with an operation that no merge patch is equal to
/// stays as it is.
pub(crate) fn convert(source: &mut SourceFile, base: Minor) {
    let Some(operations) = is_json_patch(&source.documents).then(|| to_json(&source.documents[0])) else { return };
    let mut merge = MergePatch::default();
    let mut refused = Vec::new();
    for (index, operation) in operations.as_array().into_iter().flatten().enumerate() {
        let place = operation_place(source, index);
        if let Err(reason) = merge.add(operation, &place) {
            refused.push(RefusedOperation {
                path: operation["path"].as_str().unwrap_or_default().to_owned(),
                is_test: operation["op"] == "test",
                not_mapped: NotMapped { place, key: described(operation), reason },
            });
        }
    }
    // A test has no effect on the config.
    let is_raw = base < SEVERAL_DOCUMENTS_SINCE && refused.iter().any(|operation| !operation.is_test);
    source.json_patch = Some(JsonPatch { text: (!is_raw).then(|| source.text.clone()), set: merge.set, refused });
    if !is_raw {
        source.text = if merge.fields.is_empty() { String::new() } else { yaml_document(&merge.fields.into()) };
        source.documents = Document::parse_stream(source.id, &source.text).unwrap_or_default();
        source.places = merge.places.into_iter().collect();
    }
}

/// Returns the path and the line of an operation.
pub(super) fn operation_place(source: &SourceFile, index: usize) -> String {
    let known = source.place_of(&index.to_string()).map(str::to_owned);
    let item = || Some(source.documents.first()?.items().get(index)?.span.start);
    known.unwrap_or_else(|| source.place(item().unwrap_or_default()))
}

/// The most characters of a path that are printed.
const MAX_PRINTED: usize = 200;

/// Returns an operation in one line: `add /machine/sysctls`.
pub(super) fn described(operation: &Value) -> String {
    let text = |key: &str| operation[key].as_str().unwrap_or("?");
    let path = text("path");
    match path.char_indices().nth(MAX_PRINTED) {
        Some((end, _)) => format!("{} {}…", text("op"), &path[..end]),
        None => format!("{} {path}", text("op")),
    }
}

/// Returns the keys that lead to a value in a JSON patch, in the config that it is applied to.
pub(super) fn config_keys(patch: &Node, at: &Pointer) -> Vec<String> {
    let keys: Vec<String> = at.segments().collect();
    let operation = keys.first().and_then(|index| patch.items().get(index.parse::<usize>().ok()?));
    let path = operation.and_then(|operation| operation.get("path")?.scalar()).map_or("", |(path, _)| path);
    Pointer::new(path).segments().chain(keys.into_iter().skip(2)).collect()
}

/// Whether a key of a path is the position of an item in a list.
pub(super) fn is_position(key: &String) -> bool {
    key == "-" || !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit())
}

/// A merge patch with the values of operations.
#[derive(Default)]
struct MergePatch {
    fields: Map<String, Value>,
    /// The keys of each value and of the mappings around it, joined by dots, and the place of the first operation there.
    places: BTreeMap<String, String>,
    /// The keys of the values of the operations, joined by dots.
    set: Vec<String>,
}

impl MergePatch {
    /// Adds an operation, or returns why no merge patch is equal to it.
    fn add(&mut self, operation: &Value, place: &str) -> Result<(), String> {
        let path = operation["path"].as_str().ok_or("it has no `path`")?;
        if is_json_path_too_deep(path) {
            return Err("its path has more keys than any of a machine config".to_owned());
        }
        let mut keys: Vec<String> = Pointer::new(path).segments().collect();
        let op = operation["op"].as_str().unwrap_or_default();
        let is_appended = op == "add" && keys.pop_if(|key| key == "-").is_some();
        match op {
            "add" | "replace" | "remove" => {}
            "test" => return Err("a merge patch tests no value".to_owned()),
            "move" | "copy" => {
                return Err("a merge patch cannot use a value of the config that it is applied to".to_owned());
            }
            _ => return Err("JSON patches have no such operation".to_owned()),
        }
        if !path.is_empty() && !path.starts_with('/') {
            return Err("its path does not begin with `/`".to_owned());
        }
        if keys.is_empty() {
            return Err("its path is the whole document".to_owned());
        }
        if keys.iter().any(is_position) {
            return Err("a merge patch cannot select an item of a list by its position".to_owned());
        }
        let value = match (op, operation.get("value")) {
            ("remove", _) => json!({ "$patch": "delete" }),
            (_, None) => return Err("it has no `value`".to_owned()),
            (_, Some(Value::Null)) => return Err("a merge patch cannot set a value to null".to_owned()),
            (_, Some(value)) if is_appended => json!([value]),
            (_, Some(value)) => value.clone(),
        };
        self.set(&keys, value, op == "replace" || op == "add" && !is_appended)?;
        self.set.push(keys.join("."));
        for count in 1..=keys.len() {
            self.places.entry(keys[..count].join(".")).or_insert_with(|| place.to_owned());
        }
        Ok(())
    }

    /// Sets the value at some keys, or appends it to the list there.
    fn set(&mut self, keys: &[String], value: Value, is_replaced: bool) -> Result<(), String> {
        let Some((last, above)) = keys.split_last() else { return Ok(()) };
        let conflict = |key: &str| Err(format!("another operation of the patch sets or removes `{key}`"));
        let mut fields = &self.fields;
        for key in above {
            match fields.get(key) {
                Some(Value::Object(inner)) if !inner.contains_key("$patch") => fields = inner,
                Some(_) => return conflict(key),
                None => break,
            }
        }
        let is_there = at_keys(&self.fields, keys);
        match (is_there, &value) {
            (None, _) => {}
            (Some(Value::Array(_)), Value::Array(_)) if !is_replaced => {}
            (Some(old), _) if is_replaced && !super::value::has_directive(old) => {}
            _ => return conflict(last),
        }
        let mut fields = &mut self.fields;
        for key in above {
            let inner = fields.entry(key.as_str()).or_insert_with(|| json!({}));
            let Value::Object(inner) = inner else { return Ok(()) };
            fields = inner;
        }
        match (fields.get_mut(last), value) {
            (Some(Value::Array(items)), Value::Array(more)) if !is_replaced => items.extend(more),
            (_, value) => drop(fields.insert(last.clone(), value)),
        }
        Ok(())
    }
}

/// Returns the value at some keys.
fn at_keys<'v>(fields: &'v Map<String, Value>, keys: &[String]) -> Option<&'v Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter().try_fold(fields.get(first)?, |value, key| value.as_object()?.get(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(operations: Value) -> (Value, Vec<String>) {
        let mut merge = MergePatch::default();
        let operations = operations.as_array().cloned().unwrap_or_default();
        let refused = operations.iter().filter_map(|operation| {
            let reason = merge.add(operation, "a.yaml:1").err()?;
            Some(format!("{}: {reason}", described(operation)))
        });
        let refused = refused.collect();
        (merge.fields.into(), refused)
    }

    #[test]
    fn operations_become_the_values_of_a_merge_patch() {
        let (merged, refused) = merged(json!([
            { "op": "add", "path": "/machine/files", "value": [] },
            { "op": "add", "path": "/machine/files/-", "value": { "path": "/var/a" } },
            { "op": "add", "path": "/machine/nodeLabels/example.org~1a", "value": "b" },
            { "op": "replace", "path": "/cluster/network/cni", "value": { "name": "none" } },
            { "op": "add", "path": "/cluster/network/cni/name", "value": "flannel" },
            { "op": "remove", "path": "/cluster/apiServer/admissionControl" },
            { "op": "add", "path": "/machine/certSANs/-", "value": "a.example" },
            { "op": "add", "path": "/machine/certSANs/-", "value": "b.example" },
        ]));
        let expected = json!({
            "machine": {
                "files": [{ "path": "/var/a" }],
                "nodeLabels": { "example.org/a": "b" },
                "certSANs": ["a.example", "b.example"],
            },
            "cluster": {
                "network": { "cni": { "name": "flannel" } },
                "apiServer": { "admissionControl": { "$patch": "delete" } },
            },
        });
        assert_eq!((merged, refused), (expected, Vec::new()));
    }

    #[test]
    fn operations_that_no_merge_patch_is_equal_to_are_refused() {
        let (merged, refused) = merged(json!([
            { "op": "test", "path": "/machine/type", "value": "worker" },
            { "op": "move", "from": "/machine/a", "path": "/machine/b" },
            { "op": "copy", "from": "/machine/a", "path": "/machine/b" },
            { "op": "set", "path": "/machine/b" },
            { "op": "add", "path": "", "value": {} },
            { "op": "add", "path": "machine/a", "value": {} },
            { "op": "add", "path": "/machine/certSANs/0", "value": "a" },
            { "op": "remove", "path": "/machine/certSANs/-" },
            { "op": "add", "path": "/machine/a" },
            { "op": "replace", "path": "/machine/a", "value": null },
            { "op": "remove", "path": "/machine/a" },
            { "op": "add", "path": "/machine/a", "value": "b" },
            { "op": "add", "path": "/machine/a/b", "value": "c" },
        ]));
        let position = "a merge patch cannot select an item of a list by its position";
        let used = "a merge patch cannot use a value of the config that it is applied to";
        let other = "another operation of the patch sets or removes `a`";
        let expected = [
            "test /machine/type: a merge patch tests no value".to_owned(),
            format!("move /machine/b: {used}"),
            format!("copy /machine/b: {used}"),
            "set /machine/b: JSON patches have no such operation".to_owned(),
            "add : its path is the whole document".to_owned(),
            "add machine/a: its path does not begin with `/`".to_owned(),
            format!("add /machine/certSANs/0: {position}"),
            format!("remove /machine/certSANs/-: {position}"),
            "add /machine/a: it has no `value`".to_owned(),
            "replace /machine/a: a merge patch cannot set a value to null".to_owned(),
            format!("add /machine/a: {other}"),
            format!("add /machine/a/b: {other}"),
        ];
        assert_eq!(refused, expected);
        assert_eq!(merged, json!({ "machine": { "a": { "$patch": "delete" } } }));
    }
}
