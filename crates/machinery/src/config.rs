//! The documents of a machine config while patches are merged into it.

use std::ops::Deref;

use talosmith_document::TalosVersion;

use super::decode::title;
use super::value::{PatchSpan, Value};
use crate::talos_data::types::{MAIN, Type, Types};

/// The value of a document: that of the base config until a patch changes it.
#[derive(Debug)]
pub(crate) enum PatchedOrBase<'a> {
    Base(&'a Value<'a>),
    Patched(Value<'a>),
}

impl<'a> PatchedOrBase<'a> {
    /// The value to change; that of the base config is copied first.
    pub(crate) fn to_mut(&mut self) -> &mut Value<'a> {
        if let Self::Base(value) = self {
            *self = Self::Patched(value.of_patch(0));
        }
        match self {
            Self::Patched(value) => value,
            Self::Base(_) => unreachable!("it was copied"),
        }
    }
}

impl<'a> Deref for PatchedOrBase<'a> {
    type Target = Value<'a>;

    fn deref(&self) -> &Value<'a> {
        match self {
            Self::Base(value) => value,
            Self::Patched(value) => value,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Document<'a> {
    /// The kind, `v1alpha1` for the main document.
    pub kind: &'a str,
    /// Empty where the kind has none.
    pub name: &'a str,
    pub value: PatchedOrBase<'a>,
    /// Where it was changed last; none if no patch changed it.
    pub origin: Option<PatchSpan>,
    pub of_base: bool,
}

impl<'a> Document<'a> {
    pub(crate) fn of_base(value: &'a Value<'static>) -> Self {
        let (kind, name) = match value.text("kind") {
            "" => (MAIN, ""),
            kind => (kind, value.text("name")),
        };
        Self { kind, name, value: PatchedOrBase::Base(value), origin: None, of_base: true }
    }
}

impl Document<'_> {
    pub(crate) fn title(&self) -> String {
        title(self.kind, self.name)
    }

    /// What to write to delete a document of the base.
    pub(crate) fn deletion(&self) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!("\nname: {}", self.name) };
        format!(
            "delete that document of the base instead:\napiVersion: v1alpha1\nkind: {}{name}\n$patch: delete",
            self.kind
        )
    }
}

/// A field that a later patch cleared, since Talos merges it even where it is absent.
#[derive(Debug)]
pub(crate) struct Cleared {
    /// The document's kind and name.
    pub document: (String, String),
    /// Keys joined by dots.
    pub path: String,
    /// Where the field was set; none for the base config.
    pub origin: Option<PatchSpan>,
    /// The document or the mapping that leaves it out.
    pub by: PatchSpan,
}

/// A document or a field that a patch deletes.
#[derive(Debug)]
pub(crate) struct Deleted {
    /// The kind of the document.
    pub kind: String,
    /// Keys joined by dots; empty for the document itself.
    pub path: String,
    /// The bytes of the deletion.
    pub origin: PatchSpan,
}

/// The empty document that is left when a patch deletes one that the config does not have.
#[derive(Debug)]
pub(crate) struct Leftover {
    pub kind: String,
    pub name: String,
    /// The bytes of the deletion.
    pub origin: PatchSpan,
}

/// A machine config into which patches are merged.
#[derive(Debug)]
pub(crate) struct Config<'a> {
    pub version: &'a TalosVersion,
    pub minor: (u64, u64),
    /// Those of the base config first.
    pub documents: Vec<Document<'a>>,
    pub types: &'static Types,
    /// In the order in which patches deleted them.
    pub deleted: Vec<Deleted>,
    /// Only up to 1.13.
    pub leftovers: Vec<Leftover>,
    /// Without the fields that a later patch set again.
    pub cleared: Vec<Cleared>,
}

impl<'a> Config<'a> {
    /// The config of a node before patches, which Talos of a version loads.
    pub(crate) fn new(documents: Vec<Document<'a>>, version: &'a TalosVersion) -> Self {
        Self {
            version,
            minor: version.minor(),
            documents,
            types: Types::of(version.minor()),
            deleted: Vec::new(),
            leftovers: Vec::new(),
            cleared: Vec::new(),
        }
    }

    pub(crate) fn all<'c>(&'c self, kind: &str) -> impl Iterator<Item = &'c Document<'a>> {
        self.documents.iter().filter(move |document| document.kind == kind)
    }

    pub(crate) fn first(&self, kind: &str) -> Option<&Document<'a>> {
        self.documents.iter().find(|document| document.kind == kind)
    }

    pub(crate) fn main(&self) -> Option<&Document<'a>> {
        self.first(MAIN)
    }

    /// Whether the Talos that loads it is of minor 1.`minor` or newer.
    pub(crate) fn since(&self, minor: u64) -> bool {
        self.minor >= (1, minor)
    }

    /// Whether documents of the kind are distinguished by a name.
    pub(crate) fn is_named(&self, kind: &str) -> bool {
        kind != MAIN && self.types.get(kind).is_some_and(|fields| fields.field("name").is_some())
    }

    pub(crate) fn position(&self, kind: &str, name: &str) -> Option<usize> {
        self.documents.iter().position(|document| document.kind == kind && document.name == name)
    }
}

pub(crate) fn pointee(ty: &Type) -> &Type {
    match ty {
        Type::Pointer(inner) => pointee(inner),
        _ => ty,
    }
}
