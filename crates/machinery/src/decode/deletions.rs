//! `$patch: delete` in the documents of a patch.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config/configloader/internal/decoder.

use crate::value::{Content, Field, PatchSpan, Value};

/// A part of the config that a patch deletes.
#[derive(Debug)]
pub(crate) struct Deletion {
    /// The keys that lead to it; empty for a whole document.
    pub path: Vec<String>,
    /// Where the last key leads to a list: the key and the value by which the item to delete is found.
    pub item: Option<(String, String)>,
    /// The bytes of `$patch`.
    pub origin: PatchSpan,
}

/// Why Talos deletes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeletionError {
    /// The config does not have it.
    Absent,
    /// It is an item of a list of scalars, or no key identifies it.
    NoKey,
    /// It is inside an item of a list.
    InsideItem,
    /// `apiVersion` or `kind` is missing, or the document is the main one.
    NoIdentity,
}

/// What a document deletes, and the rest of it, of which there may be none.
pub(crate) type Split = Result<(Vec<Deletion>, Option<Value<'static>>), Refusal>;

/// Why Talos refuses a document, and where.
type Refusal = (DeletionError, PatchSpan);

/// Whether a field is `$patch: delete`.
pub(crate) fn is_deletion(field: &Field<'_>) -> bool {
    field.key == "$patch" && field.value.as_scalar().is_some_and(|scalar| scalar.text == "delete")
}

/// Whether anything in a document is deleted.
pub(super) fn has_deletion(value: &Value<'_>) -> bool {
    value.all_fields().iter().any(|field| is_deletion(field) || has_deletion(&field.value))
        || value.list().iter().any(has_deletion)
}

/// Whether the loader leaves a document out: it only deletes, or has no key but those that identify it.
pub(super) fn is_dropped(document: &Value<'_>) -> bool {
    is_deleted(document)
        || matches!(document.content, Content::Map(_))
            && document.all_fields().iter().filter(|field| !is_deleted(&field.value)).all(is_header)
}

/// Whether nothing of a value is left once the deletions are taken out.
pub(super) fn is_deleted(value: &Value<'_>) -> bool {
    match &value.content {
        Content::Scalar(_) => false,
        Content::List(items) => !items.is_empty() && items.iter().all(is_deleted),
        Content::Map(fields) => {
            fields.iter().any(is_deletion) || !fields.is_empty() && fields.iter().all(|field| is_deleted(&field.value))
        }
    }
}

/// Splits a document into what it deletes and the rest, without the nulls in lists, which the machinery drops.
pub(super) fn split(document: Value<'static>) -> Split {
    let is_identified = ["apiVersion", "kind"].iter().all(|key| document.field(key).is_some());
    let mut splitter = Splitter { path: Vec::new(), deletions: Vec::new() };
    let rest = splitter.rest(document, false)?;
    match splitter.deletions.iter().find(|deletion| deletion.path.is_empty()) {
        Some(deletion) if !is_identified => Err((DeletionError::NoIdentity, deletion.origin)),
        _ => Ok((splitter.deletions, rest.filter(|rest| !is_hollow(rest)))),
    }
}

/// Whether a document has no key but those that identify it.
fn is_hollow(rest: &Value<'_>) -> bool {
    matches!(rest.content, Content::Map(_)) && rest.all_fields().iter().all(is_header)
}

/// Whether a key identifies a document. The loader does not count `apiVersion` among these.
fn is_header(field: &Field<'_>) -> bool {
    matches!(&*field.key, "version" | "kind" | "name") && field.value.as_scalar().is_some()
}

struct Splitter {
    /// The keys from the root of the document.
    path: Vec<String>,
    deletions: Vec<Deletion>,
}

impl Splitter {
    fn rest(&mut self, value: Value<'static>, in_item: bool) -> Result<Option<Value<'static>>, Refusal> {
        if let Some(origin) = deletion_of(&value) {
            if in_item {
                return Err((DeletionError::InsideItem, origin));
            }
            self.deletions.push(Deletion { path: self.path.clone(), item: None, origin });
            return Ok(None);
        }
        let Value { origin, content } = value;
        let content = match content {
            Content::Scalar(scalar) => Content::Scalar(scalar),
            Content::List(items) => {
                let before = self.deletions.len();
                let mut left = Vec::with_capacity(items.len());
                for item in items.into_iter().filter(|item| !item.is_null()) {
                    match deletion_of(&item) {
                        Some(asked) => self.delete_item(&item, asked, in_item)?,
                        None => left.extend(self.rest(item, true)?),
                    }
                }
                if left.is_empty() && self.deletions.len() > before {
                    return Ok(None);
                }
                Content::List(left)
            }
            Content::Map(fields) => {
                let was_empty = fields.is_empty();
                let mut left = Vec::with_capacity(fields.len());
                for Field { key, key_origin, value } in fields {
                    self.path.push(key.to_string());
                    let rest = self.rest(value, in_item)?;
                    self.path.pop();
                    left.extend(rest.map(|value| Field { key, key_origin, value }));
                }
                if left.is_empty() && !was_empty {
                    return Ok(None);
                }
                Content::Map(left)
            }
        };
        Ok(Some(Value { origin, content }))
    }

    fn delete_item(&mut self, item: &Value<'_>, origin: PatchSpan, in_item: bool) -> Result<(), Refusal> {
        if in_item {
            return Err((DeletionError::InsideItem, origin));
        }
        let first = item.all_fields().iter().find(|field| field.key != "$patch");
        let first = first.ok_or((DeletionError::NoKey, origin))?;
        let text = first.value.as_scalar().map_or_else(String::new, |scalar| scalar.text.to_string());
        let item = Some((first.key.to_string(), text));
        self.deletions.push(Deletion { path: self.path.clone(), item, origin });
        Ok(())
    }
}

/// Where `$patch: delete` is written in a mapping that has it.
fn deletion_of(value: &Value<'_>) -> Option<PatchSpan> {
    value.field("$patch").filter(|field| is_deletion(field)).and_then(|field| field.key_origin)
}
