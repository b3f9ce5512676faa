//! Decodes a patch: whether Talos's loader accepts it on its own, what it deletes, and what it merges.
//!
//! The rules are those of the machinery's `config/configloader/internal/decoder`: a document's kind selects a struct, go-yaml decodes
//! into it, and no key may be left over. What a field must contain beyond its type is checked on the merged config.

mod deletions;
mod secret;
mod network;
mod scalar;
mod wording;
mod fields;
mod documents;
mod generated;

use std::ops::Range;

use talosmith_document::{Diagnostic, Node, TalosVersion};

use crate::PatchLocator;
use crate::talos_data::types::MAIN;
use crate::talos_data::{Minor, talos};
use crate::value::{PatchSpan, Value};

use deletions::Split;
pub(crate) use deletions::{Deletion, DeletionError, is_deletion};
pub use documents::{SEVERAL_DOCUMENTS_SINCE, section_path};
pub use fields::variable_reference;
pub use generated::{GeneratedPatchError, decode_generated};
pub(crate) use wording::{alternatives, placeholder, title};

/// The Talos that a patch is applied with.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The version that the node runs.
    pub version: &'a TalosVersion,
    /// The minor that generated the base config.
    pub base: Minor,
}

impl Target<'_> {
    /// The minor whose fields are looked up: the nearest that is known.
    fn minor(&self) -> Minor {
        self.version.minor().clamp(talos::oldest_minor(), talos::newest_minor())
    }

    /// The same with a base config of one document, for which Talos accepts JSON patches.
    #[must_use]
    pub fn with_one_document(self) -> Self {
        Self { base: self.base.min((1, SEVERAL_DOCUMENTS_SINCE.1 - 1)), ..self }
    }
}

/// A decoded patch.
#[derive(Debug)]
pub struct Patch {
    pub(crate) documents: Vec<PatchDocument>,
    pub(crate) timestamps: Vec<Timestamp>,
    /// The operations, if it is a JSON patch, which only a config of one document takes.
    pub(crate) json_patch: Option<Value<'static>>,
}

/// A timestamp in a free-form mapping, on which Talos crashes when it applies another patch.
#[derive(Debug)]
pub(crate) struct Timestamp {
    pub text: String,
    pub origin: PatchSpan,
}

#[derive(Debug)]
pub(crate) struct PatchDocument {
    /// The kind, `v1alpha1` for the main document; empty for an unknown `apiVersion`.
    pub kind: String,
    /// The name as it is written, also where the kind has none.
    pub name: String,
    pub content: Split,
}

/// Decodes the documents of a patch, and returns everything for which Talos's loader refuses them, deprecated fields, and secrets.
#[must_use]
pub fn decode_patch(documents: &[Node], locator: &PatchLocator, target: &Target<'_>) -> (Patch, Vec<Diagnostic>) {
    let documents: Vec<Value<'static>> = documents.iter().map(Value::read).collect();
    let mut timestamps = Vec::new();
    let findings = documents::check_patch(&documents, locator, target, &mut timestamps);
    (Patch::new(documents, timestamps), findings)
}

impl Patch {
    fn new(documents: Vec<Value<'static>>, timestamps: Vec<Timestamp>) -> Self {
        let json_patch = documents::operations(&documents).cloned();
        let documents = documents.into_iter().filter(|document| !document.all_fields().is_empty());
        Self { documents: documents.map(PatchDocument::new).collect(), timestamps, json_patch }
    }

    /// Whether it is a JSON patch, a list of operations.
    #[must_use]
    pub fn is_json_patch(&self) -> bool {
        self.json_patch.is_some()
    }

    /// Returns the key and the value at some bytes as a line: `mtu: 1500`, and without the value if it is no scalar.
    pub(crate) fn line(&self, bytes: &Range<usize>) -> String {
        let contents = self.documents.iter().filter_map(|document| document.content.as_ref().ok()?.1.as_ref());
        let Some((pointer, value)) = contents.filter_map(|value| value.find(bytes)).next() else {
            return String::new();
        };
        match pointer.last().filter(|key| key.parse::<usize>().is_err()) {
            Some(key) => format!("{key}: {}", value.scalar()),
            None => value.scalar().to_owned(),
        }
    }
}

impl PatchDocument {
    fn new(document: Value<'static>) -> Self {
        let kind = match (document.text("kind"), document.text("apiVersion")) {
            ("", _) => MAIN,
            (kind, "v1alpha1") => kind,
            _ => "",
        };
        let (kind, name) = (kind.to_owned(), document.text("name").to_owned());
        Self { kind, name, content: deletions::split(document) }
    }
}
