//! Deletes what `$patch: delete` in a document of a patch names.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config/configloader/internal/decoder.

use super::config::{Config, Document, Leftover};
use super::decode::{Deletion, DeletionError};
use super::value::{Content, PatchSpan, Value};
use crate::talos_data::types::{MAIN, Type, Types};

/// Deletes from the document of a kind and a name, as the patch has them; `origin` is where the patch asks for it.
pub(crate) fn delete(
    config: &mut Config<'_>,
    (kind, name): (&str, &str),
    deletion: &Deletion,
    origin: PatchSpan,
) -> Result<(), DeletionError> {
    // A document without a name where its kind has one is not found either.
    let at = config.position(kind, name).filter(|_| config.is_named(kind) != name.is_empty());
    let Some(at) = at else {
        if config.since(14) {
            return Ok(());
        }
        if !deletion.path.is_empty() {
            return Err(DeletionError::Absent);
        }
        // Before 1.14 the machinery puts an empty document in its place, on which it breaks in the end, unless a later patch deletes
        // that in turn.
        let patch = origin.patch;
        match config.leftovers.iter().position(|left| left.kind == kind && left.name == name) {
            Some(at) if config.leftovers[at].origin.patch == patch => {}
            Some(at) => drop(config.leftovers.remove(at)),
            None => {
                let (kind, name) = (kind.to_owned(), name.to_owned());
                config.leftovers.push(Leftover { kind, name, origin });
            }
        }
        return Ok(());
    };
    if deletion.path.is_empty() {
        if kind == MAIN {
            return Err(DeletionError::NoIdentity);
        }
        config.documents.remove(at);
        config.deleted.push(origin);
        return Ok(());
    }
    let types = config.types;
    let document: &mut Document<'_> = &mut config.documents[at];
    document.origin = Some(origin);
    from_struct(document.value.to_mut(), kind, types, &deletion.path, deletion.item.as_ref())
}

/// The key and the value that identify an item of the list that a path leads to.
type Item<'a> = Option<&'a (String, String)>;

fn from(value: &mut Value<'_>, ty: &Type, types: &Types, path: &[String], item: Item<'_>) -> Result<(), DeletionError> {
    match ty {
        Type::Pointer(_) if value.is_null() => Err(DeletionError::Absent),
        Type::Pointer(inner) | Type::Replaced(inner) => from(value, inner, types, path, item),
        Type::Struct(name) => from_struct(value, name, types, path, item),
        Type::Map(inner) => from_map(value, inner, types, path, item),
        Type::Args => from_map(value, &Type::Text, types, path, item),
        Type::Free => from_map(value, &Type::Free, types, path, item),
        Type::List(inner) => from_list(value, inner, types, path, item),
        Type::Keyed { item: inner, .. } => from_list(value, inner, types, path, item),
        // Talos finds nothing in a certificate.
        _ => Err(DeletionError::Absent),
    }
}

fn from_struct(
    value: &mut Value<'_>,
    name: &str,
    types: &Types,
    path: &[String],
    item: Item<'_>,
) -> Result<(), DeletionError> {
    let Some((key, rest)) = path.split_first() else { return Err(DeletionError::Absent) };
    let Some(ty) = types.get(name).and_then(|fields| fields.field(key)) else { return Err(DeletionError::Absent) };
    let Content::Map(fields) = &mut value.content else { return Err(DeletionError::Absent) };
    let at = fields.iter().position(|field| field.key == **key);
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
                _ => Err(DeletionError::Absent),
            }
        }
    }
}

fn from_map(
    value: &mut Value<'_>,
    inner: &Type,
    types: &Types,
    path: &[String],
    item: Item<'_>,
) -> Result<(), DeletionError> {
    let (Some((key, rest)), Content::Map(fields)) = (path.split_first(), &mut value.content) else {
        return Err(DeletionError::Absent);
    };
    let Some(at) = fields.iter().position(|field| field.key == **key) else { return Err(DeletionError::Absent) };
    if rest.is_empty() && item.is_none() {
        fields.remove(at);
        return Ok(());
    }
    from(&mut fields[at].value, inner, types, rest, item)
}

fn from_list(
    value: &mut Value<'_>,
    inner: &Type,
    types: &Types,
    path: &[String],
    item: Item<'_>,
) -> Result<(), DeletionError> {
    let (Some((key, wanted)), true, Content::List(items)) = (item, path.is_empty(), &mut value.content) else {
        return Err(DeletionError::Absent);
    };
    let Type::Struct(name) = super::config::pointee(inner) else { return Err(DeletionError::Absent) };
    let ty = types.get(name).and_then(|fields| fields.field(key));
    // Talos compares strings alone.
    if !matches!(ty, Some(Type::Text | Type::Url | Type::Word(_) | Type::Duration)) {
        return Err(DeletionError::Absent);
    }
    let is_it = |item: &Value<'_>| match item.get(key).map(|value| &value.content) {
        Some(Content::Scalar(scalar)) => scalar.text == *wanted,
        _ => wanted.is_empty(),
    };
    let at = items.iter().position(is_it).ok_or(DeletionError::Absent)?;
    items.remove(at);
    Ok(())
}
