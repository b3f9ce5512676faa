//! Deletes what `$patch: delete` in a document of a patch names.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config/configloader/internal/decoder.

use super::config::{Config, Deleted, Leftover, pointee};
use super::decode::{Deletion, DeletionError};
use super::value::{Content, PatchSpan, Value};
use crate::talos_data::types::{MAIN, Type, Types};

/// Deletes from the document of a kind and a name, as the patch has them; `origin` is where the patch requests it.
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
        config.deleted.push(Deleted { kind: kind.to_owned(), path: String::new(), origin });
        return Ok(());
    }
    config.deleted.push(Deleted { kind: kind.to_owned(), path: deletion.path.join("."), origin });
    let document = &mut config.documents[at];
    document.origin = Some(origin);
    let deleter = Deleter { types: config.types, item: deletion.item.as_ref() };
    deleter.delete_field(document.value.to_mut(), kind, &deletion.path)
}

/// A deletion from one document.
struct Deleter<'a> {
    types: &'a Types,
    /// The key and the value that identify an item of the list that the path leads to.
    item: Option<&'a (String, String)>,
}

impl Deleter<'_> {
    fn delete(&self, value: &mut Value<'_>, ty: &Type, path: &[String]) -> Result<(), DeletionError> {
        match ty {
            Type::Pointer(_) if value.is_null() => Err(DeletionError::Absent),
            Type::Pointer(inner) | Type::Replaced(inner) => self.delete(value, inner, path),
            Type::Struct(name) => self.delete_field(value, name, path),
            Type::Map(inner) => self.delete_key(value, inner, path),
            Type::Args => self.delete_key(value, &Type::Text, path),
            Type::Free => self.delete_key(value, &Type::Free, path),
            Type::List(inner) | Type::Keyed { item: inner, .. } => self.delete_item(value, inner, path),
            // Talos finds nothing in a certificate.
            _ => Err(DeletionError::Absent),
        }
    }

    fn delete_field(&self, value: &mut Value<'_>, name: &str, path: &[String]) -> Result<(), DeletionError> {
        let (key, rest) = path.split_first().ok_or(DeletionError::Absent)?;
        let ty = self.types.get(name).and_then(|fields| fields.field(key)).ok_or(DeletionError::Absent)?;
        let Content::Map(fields) = &mut value.content else { return Err(DeletionError::Absent) };
        let is_last = rest.is_empty() && self.item.is_none();
        match (fields.iter().position(|field| field.key == **key), ty) {
            (Some(at), _) if is_last => drop(fields.remove(at)),
            // A field of a struct always exists, and so does one of a struct in it.
            (None, _) if is_last => {}
            (Some(at), ty) => return self.delete(&mut fields[at].value, ty, rest),
            (None, Type::Struct(name)) => {
                let mut empty = Value { origin: None, content: Content::Map(Vec::new()) };
                return self.delete_field(&mut empty, name, rest);
            }
            (None, _) => return Err(DeletionError::Absent),
        }
        Ok(())
    }

    fn delete_key(&self, value: &mut Value<'_>, inner: &Type, path: &[String]) -> Result<(), DeletionError> {
        let (Some((key, rest)), Content::Map(fields)) = (path.split_first(), &mut value.content) else {
            return Err(DeletionError::Absent);
        };
        let at = fields.iter().position(|field| field.key == **key).ok_or(DeletionError::Absent)?;
        if rest.is_empty() && self.item.is_none() {
            fields.remove(at);
            return Ok(());
        }
        self.delete(&mut fields[at].value, inner, rest)
    }

    fn delete_item(&self, value: &mut Value<'_>, inner: &Type, path: &[String]) -> Result<(), DeletionError> {
        let (Some((key, wanted)), [], Content::List(items)) = (self.item, path, &mut value.content) else {
            return Err(DeletionError::Absent);
        };
        let Type::Struct(name) = pointee(inner) else { return Err(DeletionError::Absent) };
        let ty = self.types.get(name).and_then(|fields| fields.field(key));
        // Talos compares strings alone.
        if !matches!(ty, Some(Type::Text | Type::Url | Type::Word(_) | Type::Duration)) {
            return Err(DeletionError::Absent);
        }
        let is_it = |item: &Value<'_>| match item.get(key).and_then(Value::as_scalar) {
            Some(scalar) => scalar.text == *wanted,
            None => wanted.is_empty(),
        };
        let at = items.iter().position(is_it).ok_or(DeletionError::Absent)?;
        items.remove(at);
        Ok(())
    }
}
