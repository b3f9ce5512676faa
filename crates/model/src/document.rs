//! YAML that people wrote, with the place of every key and value.

use std::ops::Range;

use crate::{Diagnostic, Pointer, SourceId};

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: YAML decides what type it has.
    Plain,
    /// In single or double quotes: text.
    Quoted,
    /// A `|` or `>` block: text.
    Block,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value in its source.
    pub span: Range<u32>,
    /// What it is.
    pub value: NodeValue,
}

/// The three kinds of YAML nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// A text and how it is written; an empty plain one is a key without a value.
    Scalar(Box<str>, Style),
    /// A list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the text.
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key.
    pub key: Box<str>,
    /// The bytes of the key in its source.
    pub key_span: Range<u32>,
    /// The value.
    pub value: Node,
}

/// One YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// Its root.
    pub root: Node,
}

impl Document {
    /// Parses a text that holds one document whose root is a mapping.
    ///
    /// # Errors
    /// Everything that is wrong with the text.
    pub fn parse(source: SourceId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        unimplemented!("{source:?} {text}")
    }

    /// The bytes of the key (none for an item or the root) and of the value at `pointer`.
    #[must_use]
    pub fn find(&self, pointer: &Pointer) -> Option<(Option<Range<u32>>, Range<u32>)> {
        unimplemented!("{pointer}")
    }
}
