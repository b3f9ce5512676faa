//! The differences between the values of an imported file and those of the files that are generated instead.

use std::collections::BTreeMap;

use serde_json::{Map, Value};
use talosmith_document::{Document, Pointer, Sources};
use talosmith_render::{Format, parse};

use super::value::{json, merge, scalar_string};

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ValueDifference {
    /// The document, and the keys that lead to the value.
    pub at: String,
    pub before: Option<String>,
    pub after: Option<String>,
    /// Why it differs, if that is known of this value.
    pub reason: Option<String>,
}

/// Compares the documents of a file with the generated texts. Each secret in `hidden` is equal to the placeholder that replaces it.
pub(super) fn compare<'t>(
    old: Vec<Value>,
    new: impl Iterator<Item = &'t str>,
    hidden: &[(String, String)],
) -> Vec<ValueDifference> {
    let source = Sources::default().add("", "");
    let new = new.flat_map(|text| Document::parse_stream(source, text).unwrap_or_default());
    let (old, new) = (by_identity(old), by_identity(new.map(|node| json(&node)).collect()));
    let mut differences = Vec::new();
    let mut names: Vec<&String> = old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))).collect();
    names.sort();
    for name in names {
        let mut comparison = ValueComparison { hidden, differences: Vec::new() };
        comparison.compare(old.get(name), new.get(name), &Pointer::root());
        differences.extend(comparison.differences.into_iter().map(|(pointer, before, after)| {
            let at = [name.clone(), joined(&pointer)];
            let at: Vec<String> = at.into_iter().filter(|part| !part.is_empty()).collect();
            let at = if at.is_empty() { vec!["the main document".to_owned()] } else { at };
            ValueDifference { at: at.join(": "), before, after, reason: None }
        }));
    }
    differences
}

/// Returns the documents by kind and name. Documents with the same ones are merged.
fn by_identity(documents: Vec<Value>) -> BTreeMap<String, Value> {
    let mut found: BTreeMap<String, Value> = BTreeMap::new();
    for document in documents.into_iter().filter(|document| !document.is_null()) {
        let name = document["name"].as_str().or(document["metadata"]["name"].as_str()).unwrap_or_default();
        let name = [document["kind"].as_str().unwrap_or_default(), name].join(" ").trim().to_owned();
        match found.get_mut(&name) {
            Some(existing) => merge(existing, document),
            None => drop(found.insert(name, document)),
        }
    }
    found
}

/// A comparison of two documents.
struct ValueComparison<'h> {
    hidden: &'h [(String, String)],
    differences: Vec<(Pointer, Option<String>, Option<String>)>,
}

impl ValueComparison<'_> {
    fn compare(&mut self, old: Option<&Value>, new: Option<&Value>, at: &Pointer) {
        match (old, new) {
            (Some(Value::Object(old)), Some(Value::Object(new))) => self.fields(old, new, at),
            (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
                let (old, new) = (sorted(old, at), sorted(new, at));
                for (index, (old, new)) in old.iter().zip(&new).enumerate() {
                    self.compare(Some(old), Some(new), &at.item(index));
                }
            }
            (Some(Value::String(old)), Some(Value::String(new))) if old != new => self.strings(old, new, at),
            (old, new) if is_same(old, new) => {}
            (old, new) => self.differences.push((at.clone(), old.map(short), new.map(short))),
        }
    }

    fn fields(&mut self, old: &Map<String, Value>, new: &Map<String, Value>, at: &Pointer) {
        for key in old.keys().chain(new.keys().filter(|key| !old.contains_key(*key))) {
            self.compare(old.get(key), new.get(key), &at.child(key));
        }
    }

    /// Compares strings. If both contain JSON or TOML, their values are compared.
    fn strings(&mut self, old: &str, new: &str, at: &Pointer) {
        let visible = self.hidden.iter().fold(old.to_owned(), |text, (value, name)| text.replace(value, name));
        if visible == new {
            return;
        }
        for format in [Format::Json, Format::Toml] {
            let is_long = |text: &str| text.contains('\n');
            if let (true, Ok(old), Ok(new)) = (is_long(&visible), parse(format, &visible), parse(format, new)) {
                return self.compare(old.first(), new.first(), at);
            }
        }
        self.differences.push((at.clone(), Some(short(&visible.into())), Some(short(&new.into()))));
    }
}

/// Whether Talos and Kubernetes read the same value.
fn is_same(old: Option<&Value>, new: Option<&Value>) -> bool {
    match (old, new) {
        (Some(old), Some(new)) => {
            old == new || scalar_string(old).is_some() && scalar_string(old) == scalar_string(new)
        }
        (None, None) => true,
        _ => false,
    }
}

/// Sorts the items of a list whose order has no meaning: environment variables, and resources of a kustomization.
fn sorted(items: &[Value], at: &Pointer) -> Vec<Value> {
    let mut items = items.to_vec();
    if matches!(at.as_str(), "/environment" | "/resources") {
        items.sort_by_key(ToString::to_string);
    }
    items
}

/// Returns a value as one line of at most 61 characters.
pub(super) fn short(value: &Value) -> String {
    let line = scalar_string(value).unwrap_or_else(|| value.to_string());
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// Returns the keys of a pointer, joined by dots.
fn joined(pointer: &Pointer) -> String {
    pointer.segments().collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_that_talos_reads_alike_are_no_difference() {
        let old =
            vec![json!({ "machine": { "nodeLabels": { "a": "true" } } }), json!({ "kind": "A", "name": "x", "b": 1 })];
        let same = "kind: A\nname: x\nb: 1\n---\nmachine:\n  nodeLabels:\n    a: true\n";
        assert_eq!(compare(old.clone(), [same].into_iter(), &[]), []);
        let other = "machine:\n  nodeLabels:\n    a: true\n    c: d\n---\nkind: A\nname: x\nb: 2\n";
        let found = compare(old, [other].into_iter(), &[]);
        let found: Vec<_> =
            found.iter().map(|it| (it.at.as_str(), it.before.as_deref(), it.after.as_deref())).collect();
        assert_eq!(found, [("machine.nodeLabels.c", None, Some("d")), ("A x: b", Some("1"), Some("2"))]);
    }

    #[test]
    fn strings_with_toml_are_compared_by_their_values() {
        let old = vec![json!({ "a": "x = [\n  1,\n]\ny = 2\n" })];
        assert_eq!(compare(old.clone(), ["a: |\n  x = [1]\n  y = 2\n"].into_iter(), &[]), []);
        assert_eq!(compare(old, ["a: |\n  x = [1]\n  y = 3\n"].into_iter(), &[])[0].at, "a.y");
    }
}
