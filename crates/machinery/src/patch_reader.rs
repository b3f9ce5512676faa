//! Reads single values of a patch, before it is merged.

use std::ops::Range;

use super::decode::Patch;
use super::format::bytes;
use super::value::Value;

/// A document that a patch sets or merges.
#[derive(Debug, Clone, Copy)]
pub struct PatchedDocument<'p> {
    /// Empty where the kind has none.
    pub name: &'p str,
    value: &'p Value<'static>,
}

/// A scalar of a patch.
#[derive(Debug, Clone)]
pub struct PatchScalar<'p> {
    pub text: &'p str,
    /// Its bytes in the patch.
    pub bytes: Range<usize>,
}

/// Returns the bytes of a volume's size as Talos parses it; none if it is negative or no size.
#[must_use]
pub fn volume_bytes(text: &str) -> Option<u64> {
    bytes(text).filter(|(_, is_negative)| !is_negative).map(|(bytes, _)| bytes)
}

impl Patch {
    /// Returns the documents of a kind, which is `v1alpha1` for the main document.
    pub fn documents<'p>(&'p self, kind: &str) -> impl Iterator<Item = PatchedDocument<'p>> {
        self.documents.iter().filter(move |document| document.kind == kind).filter_map(|document| {
            let value = document.content.as_ref().ok()?.1.as_ref()?;
            Some(PatchedDocument { name: &document.name, value })
        })
    }
}

impl<'p> PatchedDocument<'p> {
    /// Returns the scalars at a path of keys that are joined by dots; `[]` after a key means every item of its list.
    #[must_use]
    pub fn scalars(self, path: &str) -> Vec<PatchScalar<'p>> {
        let mut found = vec![self.value];
        for (index, keys) in path.split("[]").enumerate() {
            if index > 0 {
                found = found.into_iter().flat_map(Value::list).collect();
            }
            let keys = keys.trim_start_matches('.');
            if !keys.is_empty() {
                found = found.into_iter().filter_map(|value| value.at(keys)).collect();
            }
        }
        let scalars = found.into_iter().filter(|value| !value.scalar().is_empty());
        scalars.map(|value| PatchScalar { text: value.scalar(), bytes: value.span() }).collect()
    }

    /// Returns the text of the scalar at a path, and none for anything else.
    #[must_use]
    pub fn text(self, path: &str) -> Option<&'p str> {
        self.value.at(path).map(Value::scalar).filter(|text| !text.is_empty())
    }

    /// Returns the text of an entry of the mapping at a path; the key may have dots.
    #[must_use]
    pub fn entry(self, path: &str, key: &str) -> Option<&'p str> {
        self.value.at(path)?.get(key).map(Value::scalar)
    }

    /// Whether the boolean at a path is there and true.
    #[must_use]
    pub fn is_true(self, path: &str) -> bool {
        self.value.is_true(path)
    }

    /// Whether something is at a path.
    #[must_use]
    pub fn has(self, path: &str) -> bool {
        self.value.has(path)
    }
}
