//! From a place to bytes, when a finding is printed.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::{Count, boundary, parse};
use crate::{Node, Place, SourceId, Sources, Spot};

/// Resolves places; parses each source at most once.
#[derive(Debug)]
pub struct Locator<'a> {
    sources: &'a Sources,
    /// The first document of each source that was asked for, if it could be read.
    roots: HashMap<SourceId, Option<Node>>,
}

impl<'a> Locator<'a> {
    /// A locator over the texts of a run.
    #[must_use]
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, roots: HashMap::new() }
    }

    /// The bytes of a place, on the boundaries of characters; none for a file as a whole.
    ///
    /// A pointer leads into the first document of its source. Where it leads nowhere, the nearest value around it; where
    /// the text cannot be read, the start of the text. A key of an item, or of the root, is the value.
    pub fn locate(&mut self, place: &Place) -> Option<Range<usize>> {
        let (pointer, wants_key) = match &place.spot {
            Spot::File => return None,
            Spot::Bytes(range) => {
                let text = &self.sources.get(place.source).text;
                let start = boundary(text, range.start as usize);
                return Some(start..boundary(text, range.end as usize).max(start));
            }
            Spot::Key(pointer) => (pointer, true),
            Spot::Value(pointer) => (pointer, false),
        };
        let sources = self.sources;
        let root = self.roots.entry(place.source).or_insert_with(|| {
            let text = &sources.get(place.source).text;
            // Findings do not matter here: the tree of a text with, say, a key twice still has all its places.
            parse(place.source, text, Count::Any).nodes.into_iter().next()
        });
        let Some(root) = root else { return Some(0..0) };
        let reached = root.walk(pointer);
        let key_span = reached.key_span.filter(|_| wants_key && reached.whole);
        let span = key_span.unwrap_or(&reached.node.span);
        Some(span.start as usize..span.end as usize)
    }
}

/// The line and the column of a byte, both from 1; the column in characters, without a byte order mark.
///
/// A byte behind the end of the text is its end.
#[must_use]
pub fn line_column(text: &str, byte: usize) -> (usize, usize) {
    let before = &text[..boundary(text, byte)];
    let before = before.strip_prefix('\u{FEFF}').unwrap_or(before);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.bytes().filter(|byte| *byte == b'\n').count() + 1, before[line_start..].chars().count() + 1)
}
