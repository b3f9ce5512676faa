//! YAML that people wrote, with the place of every key and value.

use std::ops::Range;

use crate::{Diagnostic, Pointer, SourceId};

mod utf8;
mod syntax;
mod rules;
mod parse;
mod json;
mod block_text;

pub use self::block_text::BlockText;
pub(crate) use self::parse::{Count, parse};
pub use self::utf8::boundary;
pub use self::utf8::decode;

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes: YAML decides what type it has.
    Plain,
    /// In single or double quotes, or with the tag `!!str`: text.
    Quoted,
    /// A `|` or `>` block: text.
    Block,
}

/// A value of a document.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// The bytes of the value in its source: of a block scalar, its text from the first line's first character on to
    /// the last line that has any; of a list or a mapping without brackets, from its first child to the end of its last;
    /// where nothing is written, no bytes behind the colon.
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
    /// A byte order mark at the start is skipped. No aliases, anchors, merge keys and tags but `!!str`; no key twice;
    /// at most 4 MiB, 200,000 nodes and 64 levels.
    ///
    /// # Errors
    /// Everything that is wrong with the text, in the order of the text.
    pub fn parse(source: SourceId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let mut parsed = parse(source, text, Count::One);
        match parsed.nodes.pop() {
            Some(root) if parsed.findings.is_empty() => Ok(Self { root }),
            _ => Err(parsed.findings),
        }
    }

    /// Parses a text of any number of documents with any roots, such as a raw Talos patch, by the same rules.
    ///
    /// A document without content is an empty scalar.
    ///
    /// # Errors
    /// Everything that is wrong with the text, in the order of the text.
    pub fn parse_stream(source: SourceId, text: &str) -> Result<Vec<Node>, Vec<Diagnostic>> {
        let parsed = parse(source, text, Count::Any);
        if parsed.findings.is_empty() { Ok(parsed.nodes) } else { Err(parsed.findings) }
    }

    /// The bytes of the key (none for an item or the root) and of the value at `pointer`.
    #[must_use]
    pub fn find(&self, pointer: &Pointer) -> Option<(Option<Range<u32>>, Range<u32>)> {
        let reached = self.root.walk(pointer);
        reached.whole.then(|| (reached.key_span.cloned(), reached.node.span.clone()))
    }

    /// Reports each key, and each item of a list, that has nothing behind it.
    #[must_use]
    pub fn empty_values(&self, source: SourceId) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        // Most documents have none, and need no pointers then.
        if !rules::has_empty_value(&self.root) {
            return findings;
        }
        rules::empty_values(source, &self.root, &Pointer::root(), &mut findings);
        findings
    }
}

/// How far a pointer leads.
pub struct Reached<'a> {
    /// The last value on the way that is there.
    pub node: &'a Node,
    /// The bytes of its key; none for an item and the root.
    pub key_span: Option<&'a Range<u32>>,
    /// Whether that is where the pointer leads.
    pub whole: bool,
}

impl Node {
    /// Follows a pointer as far as it leads.
    pub fn walk(&self, pointer: &Pointer) -> Reached<'_> {
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

    /// The value that a pointer leads to.
    #[must_use]
    pub fn at(&self, pointer: &Pointer) -> Option<&Self> {
        let reached = self.walk(pointer);
        reached.whole.then_some(reached.node)
    }

    /// The value of a key, and none for anything but a mapping.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| *entry.key == *key).map(|entry| &entry.value)
    }

    /// The keys and values of a mapping; empty for anything else.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            NodeValue::Mapping(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a list; empty for anything else.
    #[must_use]
    pub fn items(&self) -> &[Self] {
        match &self.value {
            NodeValue::Sequence(items) => items,
            _ => &[],
        }
    }

    /// The text of a scalar and how it is written.
    #[must_use]
    pub fn scalar(&self) -> Option<(&str, Style)> {
        match &self.value {
            NodeValue::Scalar(text, style) => Some((text, *style)),
            _ => None,
        }
    }

    /// Whether a null is written here: `null` or `~`. Not so where nothing is written.
    #[must_use]
    pub fn is_null(&self) -> bool {
        matches!(self.scalar(), Some(("null" | "Null" | "NULL" | "~", Style::Plain)))
    }

    /// Whether nothing is written here, as behind a key that ends its line.
    #[must_use]
    pub fn is_empty_scalar(&self) -> bool {
        matches!(self.scalar(), Some(("", Style::Plain)))
    }
}

/// The part of a range on its first line.
fn first_line(text: &str, bytes: Range<usize>) -> Range<usize> {
    let length = text[bytes.clone()].lines().next().map_or(0, str::len);
    bytes.start..bytes.start + length
}

/// A byte of a text of at most 4 MiB, as nodes keep it.
fn narrow(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn widen(bytes: &Range<u32>) -> Range<usize> {
    bytes.start as usize..bytes.end as usize
}

#[cfg(test)]
mod tests;
