//! What a change of Kubernetes objects does.

use std::collections::BTreeMap;

use serde_json::Value;
use talosmith_document::Location;
use talosmith_machinery::{Class, DifferenceKind, Side};
use talosmith_render::{Format, parse};

use super::row::{LocatedRow, ReviewRow};
use super::side::ObjectFile;

/// The fields that Kubernetes does not allow to change, by kind.
///
/// Source: kubernetes/pkg/apis/storage/validation, node/validation and apps/validation, `ValidateUpdate` of each.
const IMMUTABLE: &[(&str, &[&str])] = &[
    ("StorageClass", &["parameters", "provisioner", "reclaimPolicy", "volumeBindingMode"]),
    ("RuntimeClass", &["handler"]),
    ("DaemonSet", &["spec.selector"]),
];

/// What names an object: its kind, namespace and name.
type Name = (String, String, String);

/// Returns a row for each object that differs.
pub(crate) fn compare(before: &[ObjectFile], after: &[ObjectFile]) -> Vec<LocatedRow> {
    if before.iter().map(|file| &file.text).eq(after.iter().map(|file| &file.text)) {
        return Vec::new();
    }
    let (old, new) = (objects(before), objects(after));
    let mut rows = Vec::new();
    for (name, (object, location)) in &old {
        match new.get(name) {
            None => {
                let sentence = match name.0.as_str() {
                    "RuntimeClass" => {
                        "Argo CD removes it where the Application prunes, and pods that name it do not start any more"
                    }
                    _ => "Argo CD removes it where the Application prunes; otherwise it stays",
                };
                let row = ReviewRow::new(Class::Kubernetes, DifferenceKind::Removed, title(name), sentence);
                rows.push(LocatedRow { row, location: Some((Side::Before, (*location).clone())) });
            }
            Some((other, _)) if other == object => {}
            Some((other, location)) => {
                let differences = differences(name, object, other).into_iter();
                rows.extend(differences.map(|row| row.at((*location).clone())));
            }
        }
    }
    for (name, (_, location)) in new.iter().filter(|(name, _)| !old.contains_key(*name)) {
        let row = ReviewRow::new(Class::Kubernetes, DifferenceKind::Added, title(name), "Argo CD creates it");
        rows.push(row.at((*location).clone()));
    }
    rows.extend(compare_bases(before, after));
    rows
}

/// Returns a row for each kustomization elsewhere, on which those in the files are based, whose version differs.
fn compare_bases(before: &[ObjectFile], after: &[ObjectFile]) -> Vec<LocatedRow> {
    let (old, new) = (bases(before), bases(after));
    let changed = new.into_iter().filter_map(|(base, (version, location))| {
        let (other, _) = old.get(&base).filter(|(other, _)| *other != version)?;
        let sentence = "Argo CD applies the objects of that version, and pods whose template differs are replaced";
        let row = ReviewRow::new(Class::Kubernetes, DifferenceKind::Changed, base, sentence);
        Some(row.values(other.as_str(), version).at(location.clone()))
    });
    changed.collect()
}

/// The kustomizations elsewhere that those in files are based on, each with its version.
fn bases(files: &[ObjectFile]) -> BTreeMap<String, (String, &Location)> {
    let is_kustomization = |file: &&ObjectFile| file.text.contains("\nkind: Kustomization\n");
    let bases = files.iter().filter(is_kustomization).flat_map(|file| {
        let parsed = parse(Format::Yaml, &file.text).unwrap_or_default().into_iter();
        let resources = parsed.flat_map(|object| object["resources"].as_array().cloned().unwrap_or_default());
        resources.filter_map(move |resource| {
            let (base, version) = resource.as_str()?.split_once("?ref=")?;
            Some((base.to_owned(), (version.to_owned(), &file.location)))
        })
    });
    bases.collect()
}

/// A DaemonSet, and the labels of nodes that it selects, with their values.
pub(crate) type Selecting = (String, BTreeMap<String, String>);

/// The DaemonSets in files.
pub(crate) fn selecting(files: &[ObjectFile]) -> Vec<Selecting> {
    let daemon_sets = objects(files).into_iter().filter(|((kind, _, _), _)| kind == "DaemonSet");
    let selecting = daemon_sets.map(|(name, (object, _))| {
        let selector = object.pointer("/spec/template/spec/nodeSelector").and_then(Value::as_object);
        let label = |(key, value): (&String, &Value)| Some((key.clone(), value.as_str()?.to_owned()));
        (title(&name), selector.into_iter().flatten().filter_map(label).collect())
    });
    selecting.collect()
}

/// The objects in files, and where the model requests each.
fn objects(files: &[ObjectFile]) -> BTreeMap<Name, (Value, &Location)> {
    let parsed = files.iter().flat_map(|file| {
        let objects = parse(Format::Yaml, &file.text).unwrap_or_default();
        objects.into_iter().map(|object| (object, &file.location))
    });
    let named = parsed.filter_map(|(object, location)| {
        let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kind = text("/kind");
        // A kustomization makes objects, and is none.
        let is_object = !kind.is_empty() && kind != "Kustomization";
        let name = (kind, text("/metadata/namespace"), text("/metadata/name"));
        is_object.then_some((name, (object, location)))
    });
    named.collect()
}

fn title((kind, namespace, name): &Name) -> String {
    match namespace.as_str() {
        "" => format!("{kind} {name}"),
        namespace => format!("{kind} {namespace}/{name}"),
    }
}

fn differences(name: &Name, before: &Value, after: &Value) -> Vec<ReviewRow> {
    let mut found = Vec::new();
    differing(&mut found, "", before, after);
    let kind = name.0.as_str();
    let fixed = IMMUTABLE.iter().find(|(of, _)| *of == kind).map_or(&[][..], |(_, fields)| *fields);
    let is_fixed = |path: &str| fixed.iter().any(|field| path.strip_prefix(field).is_some_and(is_end));
    let rows = found.into_iter().map(|(path, old, new)| {
        let (class, sentence) = match () {
            () if is_fixed(&path) => (
                Class::Manual,
                "Kubernetes does not allow to change it: delete the object and apply it again; what it made stays",
            ),
            () if kind == "ConfigMap" => {
                (Class::Kubernetes, "what reads it sees the change within a minute or two, if it reads it again at all")
            }
            () if kind == "DaemonSet" && path.starts_with("spec.template") => {
                (Class::Kubernetes, "its pods are replaced on every node, one node after the other")
            }
            () => (Class::Kubernetes, "Argo CD applies it"),
        };
        let change = match (&old, &new) {
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
            _ => DifferenceKind::Changed,
        };
        let mut row = ReviewRow::new(class, change, format!("{} {path}", title(name)), sentence);
        (row.before, row.after) = (old, new);
        row
    });
    rows.collect()
}

fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

/// The scalars and lists that differ, with their paths.
fn differing(found: &mut Vec<(String, Option<String>, Option<String>)>, path: &str, before: &Value, after: &Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match (before, after) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, value) in old {
                differing(found, &below(key), value, new.get(key).unwrap_or(&Value::Null));
            }
            for (key, value) in new.iter().filter(|(key, _)| !old.contains_key(*key)) {
                differing(found, &below(key), &Value::Null, value);
            }
        }
        (Value::Array(old), Value::Array(new)) if old.len() == new.len() && old.iter().all(Value::is_object) => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                differing(found, &format!("{path}[{index}]"), old, new);
            }
        }
        _ if before == after => {}
        _ => found.push((path.to_owned(), shown(before), shown(after))),
    }
}

fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.split_whitespace().collect::<Vec<_>>().join(" ")),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use talosmith_document::Sources;

    use super::*;

    fn file(text: &str) -> ObjectFile {
        let location = Location::file(Sources::default().add("talosmith.yaml", ""));
        ObjectFile { text: text.to_owned(), location }
    }

    fn changes_between(before: &str, after: &str) -> Vec<String> {
        let rows = compare(&[file(before)], &[file(after)]).into_iter();
        rows.map(|row| format!("{}: {}", row.row.class(), row.row.what)).collect()
    }

    #[test]
    fn what_kubernetes_does_not_change_in_place_needs_a_step() {
        let class = |policy: &str, default: &str| {
            format!(
                "kind: StorageClass\nmetadata: {{name: a, annotations: {{d: '{default}'}}}}\nreclaimPolicy: {policy}\nparameters: {{x: {policy}}}\n"
            )
        };
        let changed = changes_between(&class("Delete", "true"), &class("Retain", "false"));
        let expected = [
            "k8s: StorageClass a metadata.annotations.d",
            "manual: StorageClass a reclaimPolicy",
            "manual: StorageClass a parameters.x",
        ];
        assert_eq!(changed, expected);
        let runtime = |handler: &str| format!("kind: RuntimeClass\nmetadata: {{name: kata}}\nhandler: {handler}\n");
        assert_eq!(changes_between(&runtime("a"), &runtime("b")), ["manual: RuntimeClass kata handler"]);
        assert_eq!(changes_between(&runtime("a"), &runtime("a")), Vec::<String>::new());
        assert_eq!(changes_between(&runtime("a"), "kind: Kustomization\n"), ["k8s: RuntimeClass kata"]);
    }

    #[test]
    fn another_version_of_what_a_kustomization_is_based_on_is_reported() {
        let text = |version: &str| {
            format!("apiVersion: a\nkind: Kustomization\nresources: [\"github.com/a/b?ref={version}\", c.yaml]\n")
        };
        let rows = compare(&[file(&text("v1"))], &[file(&text("v2"))]);
        let row = &rows.first().expect("a row").row;
        assert_eq!(
            (row.what.as_str(), row.before.as_deref(), row.after.as_deref()),
            ("github.com/a/b", Some("v1"), Some("v2"))
        );
        assert_eq!(compare(&[file(&text("v1"))], &[file(&text("v1"))]).len(), 0);
    }

    #[test]
    fn the_labels_that_a_daemon_set_selects_are_known() {
        let text = "kind: DaemonSet\nmetadata: {name: a}\nspec: {template: {spec: {nodeSelector: {gpu: x}}}}\n";
        let labels = BTreeMap::from([("gpu".to_owned(), "x".to_owned())]);
        assert_eq!(selecting(&[file(text)]), [("DaemonSet a".to_owned(), labels)]);
    }
}
