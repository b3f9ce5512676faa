//! The documents of a machine config while patches are merged into it.

use std::ops::Deref;

use talosmith_document::TalosVersion;

use super::value::{Mark, Value};
use crate::talos_data::types::{MAIN, Type, Types};

/// What is in a document. (`Cow` would tie the lifetimes of all patches together.)
#[derive(Debug)]
pub enum Held<'a> {
    /// The base's own.
    Base(&'a Value<'a>),
    /// What patches made of it.
    Patched(Value<'a>),
}

impl<'a> Held<'a> {
    /// The value to change, which the base's own is copied for.
    pub fn to_mut(&mut self) -> &mut Value<'a> {
        if let Self::Base(value) = self {
            *self = Self::Patched((*value).clone());
        }
        match self {
            Self::Patched(value) => value,
            Self::Base(_) => unreachable!("it was copied"),
        }
    }
}

impl<'a> Deref for Held<'a> {
    type Target = Value<'a>;

    fn deref(&self) -> &Value<'a> {
        match self {
            Self::Base(value) => value,
            Self::Patched(value) => value,
        }
    }
}

/// One document.
#[derive(Debug)]
pub struct Document<'a> {
    /// Its kind; the main document has the name that the facts give it.
    pub kind: &'a str,
    /// Its name; empty where the kind has none.
    pub name: &'a str,
    /// What is in it. The base's own is copied when a patch changes it.
    pub value: Held<'a>,
    /// The last patch that changed it, and where.
    pub origin: Option<Mark>,
    /// Whether it was in the base.
    pub of_base: bool,
}

impl Document<'static> {
    /// A document of the base.
    pub fn of_base(value: &'static Value<'static>) -> Self {
        let (kind, name) = identity(value);
        Self { kind, name, value: Held::Base(value), origin: None, of_base: true }
    }
}

impl Document<'_> {
    /// What findings call it.
    pub fn title(&self) -> String {
        title(self.kind, self.name)
    }
}

/// What findings call a document.
pub fn title(kind: &str, name: &str) -> String {
    match (kind, name) {
        (MAIN, _) => "the main document".to_owned(),
        (_, "") => kind.to_owned(),
        _ => format!("{kind} `{name}`"),
    }
}

/// The kind and the name of a document.
pub fn identity<'a>(value: &Value<'a>) -> (&'a str, &'a str) {
    match value.text("kind") {
        "" => (MAIN, ""),
        kind => (kind, value.text("name")),
    }
}

/// A field that a later patch cleared, since Talos merges it even where it is absent.
#[derive(Debug)]
pub struct Cleared {
    /// The document's kind and name.
    pub document: (String, String),
    /// The field, its keys joined by dots.
    pub path: String,
    /// Who had set it; none for the base.
    pub origin: Option<Mark>,
    /// Who cleared it.
    pub by: Mark,
}

/// The empty document that deleting one that is not there leaves.
#[derive(Debug)]
pub struct Leftover {
    /// The kind, as the deletion names it.
    pub kind: String,
    /// The name, as the deletion names it.
    pub name: String,
    /// Who deleted it.
    pub origin: Mark,
}

/// A machine config.
#[derive(Debug)]
pub struct Config<'a> {
    /// The Talos that reads it.
    pub version: &'a TalosVersion,
    /// Its minor.
    pub minor: (u64, u64),
    /// Its documents, those of the base first.
    pub documents: Vec<Document<'a>>,
    /// How the types of the minor are made.
    pub types: &'static Types,
    /// The documents that patches deleted, by kind.
    pub deleted: Vec<(String, Mark)>,
    /// What patches deleted though it was not there, up to 1.13.
    pub leftovers: Vec<Leftover>,
    /// What patches cleared and nobody set again.
    pub cleared: Vec<Cleared>,
}

impl<'a> Config<'a> {
    /// The documents of a kind.
    pub fn all<'c>(&'c self, kind: &str) -> impl Iterator<Item = &'c Document<'a>> {
        self.documents.iter().filter(move |document| document.kind == kind)
    }

    /// The first document of a kind.
    pub fn one(&self, kind: &str) -> Option<&Document<'a>> {
        self.documents.iter().find(|document| document.kind == kind)
    }

    /// The main document.
    pub fn main(&self) -> Option<&Document<'a>> {
        self.one(MAIN)
    }

    /// Whether the Talos that reads it is of minor 1.`minor` or newer.
    pub fn since(&self, minor: u64) -> bool {
        self.minor >= (1, minor)
    }

    /// Whether the kind has a name that tells its documents apart.
    pub fn is_named(&self, kind: &str) -> bool {
        kind != MAIN && self.types.get(kind).is_some_and(|fields| fields.field("name").is_some())
    }

    /// Where a document stands.
    pub fn position(&self, kind: &str, name: &str) -> Option<usize> {
        self.documents.iter().position(|document| document.kind == kind && document.name == name)
    }
}

/// What a pointer points to.
pub fn pointee(ty: &Type) -> &Type {
    match ty {
        Type::Pointer(inner) => pointee(inner),
        _ => ty,
    }
}
