//! RFC 6902 patches, which Talos applies to a config of one document.
//!
//! Source: github.com/evanphx/json-patch, which Talos uses with its default options.

use std::borrow::Cow;

use talosmith_document::Pointer;

use super::value::{Content, Field, Value};

/// The operations that there are.
pub(crate) const OPERATIONS: [&str; 6] = ["add", "remove", "replace", "move", "copy", "test"];

/// The most keys of a path: more than the structs of a machine config have inside each other.
pub(crate) const MAX_KEYS: usize = 64;

/// The most values that the operations of a patch may copy: each can double the document.
const MAX_COPIED: usize = 100_000;

/// Whether a path of a JSON patch has more keys than any of a machine config.
#[must_use]
pub fn is_json_path_too_deep(path: &str) -> bool {
    path.matches('/').nth(MAX_KEYS).is_some()
}

/// Applies one operation to a document, and counts the values that it copies. Returns why it cannot be applied.
pub(crate) fn apply<'a>(root: &mut Value<'a>, operation: &Value<'a>, copied: &mut usize) -> Result<(), String> {
    let (path, from) = (operation.text("path"), operation.text("from"));
    let value = operation.field("value").map(|field| field.value.clone());
    let needed = || value.clone().ok_or_else(|| "it has no `value`".to_owned());
    match operation.text("op") {
        "add" => add(root, path, needed()?),
        "remove" => remove(root, path).map(drop),
        "replace" => {
            *find(root, path)? = needed()?;
            Ok(())
        }
        "move" => {
            let moved = remove(root, from)?;
            add(root, path, moved)
        }
        "copy" => {
            let found = find(root, from)?;
            *copied += found.count();
            if *copied > MAX_COPIED {
                return Err(format!("the patch copies more than {MAX_COPIED} values"));
            }
            let copy = found.clone();
            add(root, path, copy)
        }
        _ => match (find(root, path), &value) {
            (Ok(found), Some(expected)) if found.equals(expected) => Ok(()),
            (Err(_), Some(expected)) if expected.is_null() => Ok(()),
            _ => Err(format!("`{path}` has another value than it tests for")),
        },
    }
}

/// Returns the value of an operation as a part of a whole document: the path is mappings and lists around it.
pub(crate) fn around<'a>(path: &str, value: Value<'a>) -> Value<'a> {
    Pointer::new(path).segments().rfold(value, |inner, key| {
        let origin = inner.origin;
        let content = if is_index(&key) {
            Content::List(vec![inner])
        } else {
            Content::Map(vec![Field { key: Cow::Owned(key), key_origin: origin, value: inner }])
        };
        Value { origin, content }
    })
}

fn is_index(key: &str) -> bool {
    key == "-" || (!key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit()))
}

fn absent(path: &str) -> String {
    format!("there is no `{path}`")
}

/// Returns the value at a path.
fn find<'v, 'a>(root: &'v mut Value<'a>, path: &str) -> Result<&'v mut Value<'a>, String> {
    Pointer::new(path).segments().try_fold(root, |value, key| child(value, &key)).ok_or_else(|| absent(path))
}

fn child<'v, 'a>(value: &'v mut Value<'a>, key: &str) -> Option<&'v mut Value<'a>> {
    match &mut value.content {
        Content::Map(fields) => fields.iter_mut().find(|field| field.key == key).map(|field| &mut field.value),
        Content::List(items) => items.get_mut(key.parse::<usize>().ok()?),
        Content::Scalar(_) => None,
    }
}

/// Returns the list or mapping that contains a path, and the last key of the path.
fn parent<'v, 'a>(root: &'v mut Value<'a>, path: &str) -> Result<(&'v mut Value<'a>, String), String> {
    let pointer = Pointer::new(path);
    let mut keys: Vec<String> = pointer.segments().collect();
    let last = keys.pop().ok_or_else(|| "it has no `path`".to_owned())?;
    let parent = keys.iter().try_fold(root, |value, key| child(value, key)).ok_or_else(|| absent(path))?;
    Ok((parent, last))
}

fn add<'a>(root: &mut Value<'a>, path: &str, value: Value<'a>) -> Result<(), String> {
    let (parent, key) = parent(root, path)?;
    match &mut parent.content {
        Content::Map(fields) => match fields.iter_mut().find(|field| field.key == key) {
            Some(field) => field.value = value,
            None => fields.push(Field { key_origin: value.origin, key: Cow::Owned(key), value }),
        },
        Content::List(items) => {
            let index = if key == "-" { Some(items.len()) } else { key.parse().ok() };
            let index = index.filter(|index| *index <= items.len()).ok_or_else(|| absent(path))?;
            items.insert(index, value);
        }
        Content::Scalar(_) => return Err(absent(path)),
    }
    Ok(())
}

fn remove<'a>(root: &mut Value<'a>, path: &str) -> Result<Value<'a>, String> {
    let (parent, key) = parent(root, path)?;
    let removed = match &mut parent.content {
        Content::Map(fields) => {
            fields.iter().position(|field| field.key == key).map(|index| fields.remove(index).value)
        }
        Content::List(items) => {
            key.parse().ok().filter(|index: &usize| *index < items.len()).map(|index| items.remove(index))
        }
        Content::Scalar(_) => None,
    };
    removed.ok_or_else(|| absent(path))
}

#[cfg(test)]
mod tests {
    use talosmith_document::{Document, Sources};

    use super::{Value, apply};

    fn value(text: &str) -> Value<'static> {
        let nodes = Document::parse_stream(Sources::default().add("a.yaml", text), text).expect("YAML");
        Value::read(&nodes[0])
    }

    #[test]
    fn operations_are_those_of_rfc_6902() {
        let before = "machine: { certSANs: [a, b], sysctls: { x/y: '1' }, type: worker }";
        for (operation, after) in [
            (
                "{op: add, path: /machine/certSANs/-, value: c}",
                "machine: { certSANs: [a, b, c], sysctls: { x/y: '1' }, type: worker }",
            ),
            (
                "{op: add, path: /machine/certSANs/0, value: c}",
                "machine: { certSANs: [c, a, b], sysctls: { x/y: '1' }, type: worker }",
            ),
            (
                "{op: add, path: /machine/sysctls/z, value: '2'}",
                "machine: { certSANs: [a, b], sysctls: { x/y: '1', z: '2' }, type: worker }",
            ),
            (
                "{op: replace, path: /machine/sysctls/x~1y, value: '2'}",
                "machine: { certSANs: [a, b], sysctls: { x/y: '2' }, type: worker }",
            ),
            (
                "{op: remove, path: /machine/certSANs/1}",
                "machine: { certSANs: [a], sysctls: { x/y: '1' }, type: worker }",
            ),
            (
                "{op: move, from: /machine/type, path: /machine/kind}",
                "machine: { certSANs: [a, b], sysctls: { x/y: '1' }, kind: worker }",
            ),
            (
                "{op: copy, from: /machine/type, path: /machine/kind}",
                "machine: { certSANs: [a, b], sysctls: { x/y: '1' }, type: worker, kind: worker }",
            ),
            ("{op: test, path: /machine/type, value: worker}", before),
        ] {
            let mut document = value(before);
            assert_eq!(apply(&mut document, &value(operation), &mut 0), Ok(()), "{operation}");
            assert!(document.equals(&value(after)), "{operation}");
        }
    }

    #[test]
    fn what_operations_copy_is_bounded() {
        let mut document = value("machine: { sysctls: {} }");
        let (mut copied, mut applied) = (0, 0);
        let error = loop {
            let operation = format!("{{op: copy, from: /machine, path: /machine/sysctls/k{applied}}}");
            match apply(&mut document, &value(&operation), &mut copied) {
                Ok(()) => applied += 1,
                Err(error) => break error,
            }
        };
        assert_eq!((applied, error.as_str()), (15, "the patch copies more than 100000 values"));
    }

    #[test]
    fn operations_on_what_is_absent_are_refused() {
        for (operation, error) in [
            ("{op: add, path: /machine/kernel/modules, value: []}", "there is no `/machine/kernel/modules`"),
            ("{op: add, path: /machine/certSANs/3, value: c}", "there is no `/machine/certSANs/3`"),
            ("{op: add, path: /machine/type/x, value: c}", "there is no `/machine/type/x`"),
            ("{op: add, path: /machine/x}", "it has no `value`"),
            ("{op: add, value: c}", "it has no `path`"),
            ("{op: remove, path: /machine/kernel}", "there is no `/machine/kernel`"),
            ("{op: replace, path: /machine/kernel, value: {}}", "there is no `/machine/kernel`"),
            (
                "{op: test, path: /machine/type, value: controlplane}",
                "`/machine/type` has another value than it tests for",
            ),
        ] {
            let mut document = value("machine: { certSANs: [a, b], type: worker }");
            assert_eq!(apply(&mut document, &value(operation), &mut 0), Err(error.to_owned()), "{operation}");
        }
    }
}
