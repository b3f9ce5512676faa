//! `$patch: delete` in a document of a patch: what it names, what is left of the document, and what deleting does.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config/configloader/internal/decoder.

use talosmith_document::{Entry, Node, NodeValue};

use super::config::{Config, Document, Leftover};
use super::value::{Content, Field, Mark, Value, is_item};
use crate::talos_data::types::{MAIN, Type, Types};

/// A part that a patch deletes.
#[derive(Debug)]
pub struct Deletion<'a> {
    /// The keys that lead to it; empty for a document.
    pub path: Vec<&'a str>,
    /// Whether the last key leads to a list, of which the item with this key and value goes.
    pub item: Option<(&'a str, &'a str)>,
    /// Where it is asked for.
    pub origin: Mark,
}

/// Why nothing was deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What is named is not there.
    Absent,
    /// An item of a list of scalars, or one that is told by none of its keys.
    NoKey,
    /// Something inside an item of a list.
    InsideItem,
    /// The document says not which one it is.
    NoIdentity,
}

/// Splits a document of a patch into what it deletes and the rest, of which there may be none.
pub fn split<'a>(node: &'a Node, patch: u16) -> Result<(Vec<Deletion<'a>>, Option<Value<'a>>), (Fault, Mark)> {
    let mut found = Vec::new();
    let mut path = Vec::new();
    let rest = walk(node, patch, &mut path, false, &mut found)?;
    if let Some(deletion) = found.iter().find(|deletion| deletion.path.is_empty()) {
        let named = |key| node.get(key).is_some();
        if !named("apiVersion") || !named("kind") {
            return Err((Fault::NoIdentity, deletion.origin));
        }
    }
    Ok((found, rest.filter(|rest| !is_hollow(rest))))
}

/// Whether a document says nothing but which one it is. Talos leaves out `apiVersion` here.
fn is_hollow(rest: &Value<'_>) -> bool {
    matches!(&rest.content, Content::Map(_))
        && rest.all_fields().iter().all(|field| {
            matches!(field.key, "version" | "kind" | "name") && matches!(field.value.content, Content::Scalar(..))
        })
}

fn walk<'a>(
    node: &'a Node,
    patch: u16,
    path: &mut Vec<&'a str>,
    in_item: bool,
    found: &mut Vec<Deletion<'a>>,
) -> Result<Option<Value<'a>>, (Fault, Mark)> {
    let origin = Mark::value(patch, node);
    let content = match &node.value {
        NodeValue::Scalar(text, style) => Content::Scalar(text, *style),
        NodeValue::Sequence(items) => {
            let mut left = Vec::new();
            let before = found.len();
            for item in items.iter().filter(|item| is_item(item)) {
                if let Some(at) = delete_key(item) {
                    let asked = Mark::key(patch, at);
                    if in_item {
                        return Err((Fault::InsideItem, asked));
                    }
                    found.push(Deletion {
                        path: path.clone(),
                        item: Some(first_key(item).ok_or((Fault::NoKey, asked))?),
                        origin: asked,
                    });
                } else {
                    left.extend(walk(item, patch, path, true, found)?);
                }
            }
            if left.is_empty() && found.len() > before {
                return Ok(None);
            }
            Content::List(left)
        }
        NodeValue::Mapping(entries) => {
            if let Some(at) = delete_key(node) {
                let asked = Mark::key(patch, at);
                if in_item {
                    return Err((Fault::InsideItem, asked));
                }
                found.push(Deletion { path: path.clone(), item: None, origin: asked });
                return Ok(None);
            }
            let mut left = Vec::new();
            for entry in entries {
                path.push(&entry.key);
                let value = walk(&entry.value, patch, path, in_item, found)?;
                path.pop();
                left.extend(value.map(|value| Field { key: &entry.key, origin: Some(Mark::key(patch, entry)), value }));
            }
            if left.is_empty() && !entries.is_empty() {
                return Ok(None);
            }
            Content::Map(left)
        }
    };
    Ok(Some(Value { origin: Some(origin), content }))
}

/// The entry `$patch: delete` of a mapping that has it.
fn delete_key(node: &Node) -> Option<&Entry> {
    let entry = node.entries().iter().find(|entry| &*entry.key == "$patch")?;
    let is_delete = entry.value.scalar().is_some_and(|(word, _)| word == "delete");
    is_delete.then_some(entry)
}

fn first_key(node: &Node) -> Option<(&str, &str)> {
    let entry = node.entries().iter().find(|entry| &*entry.key != "$patch")?;
    Some((&entry.key, entry.value.scalar().map_or("", |(text, _)| text)))
}

/// Deletes from a config; `kind` and `name`, as they are written, say from which document.
pub fn delete(config: &mut Config<'_>, kind: &str, name: &str, deletion: &Deletion<'_>) -> Result<(), Fault> {
    // A document that has no name where its kind has one is not found either.
    let at = config.position(kind, name).filter(|_| config.is_named(kind) != name.is_empty());
    let Some(at) = at else {
        if config.since(14) {
            return Ok(());
        }
        if !deletion.path.is_empty() {
            return Err(Fault::Absent);
        }
        // Before 1.14 the machinery puts an empty document in its place, on which it breaks in the end, unless a later patch deletes
        // that in turn.
        let patch = deletion.origin.patch;
        match config.leftovers.iter().position(|left| left.kind == kind && left.name == name) {
            Some(at) if config.leftovers[at].origin.patch == patch => {}
            Some(at) => drop(config.leftovers.remove(at)),
            None => {
                let (kind, name) = (kind.to_owned(), name.to_owned());
                config.leftovers.push(Leftover { kind, name, origin: deletion.origin });
            }
        }
        return Ok(());
    };
    if deletion.path.is_empty() {
        if kind == MAIN {
            return Err(Fault::NoIdentity);
        }
        config.documents.remove(at);
        config.deleted.push((kind.to_owned(), deletion.origin));
        return Ok(());
    }
    let types = config.types;
    let document: &mut Document<'_> = &mut config.documents[at];
    document.origin = Some(deletion.origin);
    from_struct(document.value.to_mut(), kind, types, &deletion.path, deletion.item)
}

type Item<'a> = Option<(&'a str, &'a str)>;

fn from(value: &mut Value<'_>, ty: &Type, types: &Types, path: &[&str], item: Item<'_>) -> Result<(), Fault> {
    match ty {
        Type::Pointer(_) if value.is_null() => Err(Fault::Absent),
        Type::Pointer(inner) | Type::Replaced(inner) => from(value, inner, types, path, item),
        Type::Struct(name) => from_struct(value, name, types, path, item),
        Type::Map(inner) => from_map(value, inner, types, path, item),
        Type::Certificate | Type::Args => from_map(value, &Type::Text, types, path, item),
        Type::Free => from_map(value, &Type::Free, types, path, item),
        Type::List(inner) => from_list(value, inner, types, path, item),
        Type::Keyed { item: inner, .. } => from_list(value, inner, types, path, item),
        _ => Err(Fault::Absent),
    }
}

fn from_struct(value: &mut Value<'_>, name: &str, types: &Types, path: &[&str], item: Item<'_>) -> Result<(), Fault> {
    let Some((key, rest)) = path.split_first() else { return Err(Fault::Absent) };
    let Some(ty) = types.get(name).and_then(|fields| fields.field(key)) else { return Err(Fault::Absent) };
    let Content::Map(fields) = &mut value.content else { return Err(Fault::Absent) };
    let at = fields.iter().position(|field| field.key == *key);
    match at {
        Some(at) if rest.is_empty() && item.is_none() => {
            fields.remove(at);
            Ok(())
        }
        // A field of a struct is always there, and so is one of a struct in it.
        None if rest.is_empty() && item.is_none() => Ok(()),
        Some(at) => from(&mut fields[at].value, ty, types, rest, item),
        None => {
            let mut empty = Value { origin: None, content: Content::Map(Vec::new()) };
            match ty {
                Type::Struct(name) => from_struct(&mut empty, name, types, rest, item),
                _ => Err(Fault::Absent),
            }
        }
    }
}

fn from_map(value: &mut Value<'_>, inner: &Type, types: &Types, path: &[&str], item: Item<'_>) -> Result<(), Fault> {
    let (Some((key, rest)), Content::Map(fields)) = (path.split_first(), &mut value.content) else {
        return Err(Fault::Absent);
    };
    let Some(at) = fields.iter().position(|field| field.key == *key) else { return Err(Fault::Absent) };
    if rest.is_empty() && item.is_none() {
        fields.remove(at);
        return Ok(());
    }
    from(&mut fields[at].value, inner, types, rest, item)
}

fn from_list(value: &mut Value<'_>, inner: &Type, types: &Types, path: &[&str], item: Item<'_>) -> Result<(), Fault> {
    let (Some((key, wanted)), true, Content::List(items)) = (item, path.is_empty(), &mut value.content) else {
        return Err(Fault::Absent);
    };
    let Type::Struct(name) = super::config::pointee(inner) else { return Err(Fault::Absent) };
    let ty = types.get(name).and_then(|fields| fields.field(key));
    // Numbers and booleans have no text that Talos compares.
    if !matches!(ty, Some(Type::Text | Type::Url | Type::Word(_) | Type::Duration)) {
        return Err(Fault::Absent);
    }
    let is_it = |item: &Value<'_>| match item.get(key).map(|value| &value.content) {
        Some(Content::Scalar(text, _)) => *text == wanted,
        _ => wanted.is_empty(),
    };
    let at = items.iter().position(is_it).ok_or(Fault::Absent)?;
    items.remove(at);
    Ok(())
}
