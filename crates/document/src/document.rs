//! A YAML document with the location of every key and value.

use std::ops::Range;

use crate::{Code, Diagnostic, Pointer, SourceId};

mod utf8;
mod syntax;
mod rules;
mod parse;
mod json;
mod plain;
mod block_text;

pub use self::block_text::BlockText;
pub(crate) use self::parse::{Count, parse};
pub use self::parse::{MAX_BYTES, too_large};
pub use self::plain::has_other_type;
pub(crate) use self::utf8::boundary;
pub use self::utf8::decode;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: YAML decides its type.
    Plain,
    /// In single or double quotes, or with the tag `!!str`: a string.
    Quoted,
    /// A `|` or `>` block: a string.
    Block,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value in its source. For a block scalar they begin at the first character of its first line, and end with its
    /// last line that is not empty. For a list or mapping without brackets they span its children. For a missing value they are the
    /// empty range after the colon.
    pub span: Range<u32>,
    /// The content.
    pub value: NodeValue,
}

/// The three kinds of YAML nodes.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// A scalar and how it is written. An empty plain one is a missing value.
    Scalar(Box<str>, Style),
    /// The items of a list.
    Sequence(Vec<Node>),
    /// Keys and values in the order of the source.
    Mapping(Vec<Entry>),
}

/// A key of a mapping and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key, unquoted.
    pub key: Box<str>,
    /// The bytes of the key in its source.
    pub key_span: Range<u32>,
    /// The value of the key.
    pub value: Node,
}

/// One YAML document.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    /// The root, which is a mapping.
    pub root: Node,
}

impl Document {
    /// Parses a file with one document whose root is a mapping.
    ///
    /// A byte order mark at the start is skipped. Not allowed are aliases, anchors, merge keys, tags except `!!str`, duplicate keys, and
    /// more than 4 MiB, 200,000 nodes or 64 levels.
    ///
    /// # Errors
    /// All findings, in the order of the file.
    pub fn parse(source: SourceId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut parsed = parse(source, text, Count::One);
        match parsed.nodes.pop() {
            Some(root) if parsed.findings.is_empty() => Ok(Self { root }),
            _ => Err(parsed.findings),
        }
    }

    /// Parses any number of documents with any roots, such as a raw patch, by the same rules.
    ///
    /// A document without content is an empty scalar.
    ///
    /// # Errors
    /// All findings, in the order of the file.
    pub fn parse_stream(source: SourceId, text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
        let parsed = parse(source, text, Count::Any);
        if parsed.findings.is_empty() { Ok(parsed.nodes) } else { Err(parsed.findings) }
    }

    /// Parses any number of documents of a file that others read: aliases, anchors, merge keys and tags are allowed, and an alias
    /// is the key of an empty string.
    ///
    /// # Errors
    /// The first finding.
    pub fn parse_foreign(source: SourceId, text: &str) -> Result<Vec<Node>, Box<Diagnostic>> {
        let parsed = parse(source, text, Count::Any);
        match parsed.findings.into_iter().find(|finding| finding.code != Code::Alias) {
            Some(finding) => Err(Box::new(finding)),
            None => Ok(parsed.nodes),
        }
    }

    /// Returns the bytes of the key (`None` for an item and the root) and of the value at `pointer`.
    pub fn find(&self, pointer: &Pointer) -> Option<(Option<Range<u32>>, Range<u32>)> {
        let reached = self.root.walk(pointer);
        reached.whole.then(|| (reached.key_span.cloned(), reached.node.span.clone()))
    }

    /// Reports each key and each list item without a value.
    pub fn empty_values(&self, source: SourceId) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        // Most documents have no such key, and then no pointers need to be built.
        if !rules::has_empty_value(&self.root) {
            return findings;
        }
        rules::empty_values(source, &self.root, &Pointer::root(), &mut findings);
        findings
    }
}

/// How far a pointer could be followed.
pub(crate) struct Reached<'a> {
    /// The last value on the path that exists.
    pub node: &'a Node,
    /// The bytes of its key; `None` for an item and the root.
    pub key_span: Option<&'a Range<u32>>,
    /// Whether this is the value that the pointer refers to.
    pub whole: bool,
}

impl Node {
    /// Follows a pointer as far as the values on its path exist.
    pub(crate) fn walk(&self, pointer: &Pointer) -> Reached<'_> {
        let mut reached = Reached { node: self, key_span: None, whole: true };
        for segment in pointer.segments() {
            let next = match &reached.node.value {
                NodeValue::Mapping(entries) => entries
                    .iter()
                    .find(|entry| *entry.key == *segment)
                    .map(|entry| (&entry.value, Some(&entry.key_span))),
                NodeValue::Sequence(items) => {
                    segment.parse().ok().and_then(|at: usize| items.get(at)).map(|item| (item, None))
                }
                NodeValue::Scalar(..) => None,
            };
            let Some((node, key_span)) = next else { return Reached { whole: false, ..reached } };
            reached = Reached { node, key_span, whole: true };
        }
        reached
    }

    pub fn at(&self, pointer: &Pointer) -> Option<&Self> {
        let reached = self.walk(pointer);
        reached.whole.then_some(reached.node)
    }

    /// Returns the value of a key. `None` if this is not a mapping.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| *entry.key == *key).map(|entry| &entry.value)
    }

    /// The keys and values of a mapping; empty for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            NodeValue::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; empty for anything else.
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The content of a scalar and how it is written.
    pub fn scalar(&self) -> Option<(&str, Style)> {
        match &self.value {
            NodeValue::Scalar(text, style) => Some((text, *style)),
            _ => None,
        }
    }

    /// Whether the value is written as null: `null` or `~`. False for a missing value.
    pub fn is_null(&self) -> bool {
        matches!(self.scalar(), Some(("null" | "Null" | "NULL" | "~", Style::Plain)))
    }

    /// Whether the value is missing, as after a key that ends its line.
    pub fn is_empty_scalar(&self) -> bool {
        matches!(self.scalar(), Some(("", Style::Plain)))
    }
}

/// The part of a range on its first line.
fn first_line(text: &str, bytes: Range<usize>) -> Range<usize> {
    let length = text[bytes.clone()].lines().next().map_or(0, str::len);
    bytes.start..bytes.start + length
}

/// Converts an offset to the type of nodes; a source has at most 4 MiB.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn widen(bytes: &Range<u32>) -> Range<usize> {
    bytes.start as usize..bytes.end as usize
}

#[cfg(test)]
mod tests;
