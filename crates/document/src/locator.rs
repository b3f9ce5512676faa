//! From a place to bytes, when a finding is printed.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::{Count, boundary, parse};
use crate::{Anchor, Location, Node, SourceId, Sources};

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
    pub fn locate(&mut self, location: &Location) -> Option<Range<usize>> {
        let mut part = None;
        let (pointer, wants_key) = match &location.spot {
            Anchor::File => return None,
            Anchor::Bytes(range) => {
                let text = &self.sources.get(location.source).text;
                let start = boundary(text, range.start as usize);
                return Some(start..boundary(text, range.end as usize).max(start));
            }
            Anchor::Key(pointer) => (pointer, true),
            Anchor::Value(pointer) => (pointer, false),
            Anchor::Part(pointer, range) => {
                part = Some(Range::from(*range));
                (pointer, false)
            }
        };
        let sources = self.sources;
        let root = self.roots.entry(location.source).or_insert_with(|| {
            let text = &sources.get(location.source).text;
            // Findings do not matter here: the tree of a text with, say, a key twice still has all its places.
            parse(location.source, text, Count::Any).nodes.into_iter().next()
        });
        let Some(root) = root else { return Some(0..0) };
        let reached = root.walk(pointer);
        let key_span = reached.key_span.filter(|_| wants_key && reached.whole);
        let span = key_span.unwrap_or(&reached.node.span);
        let span = span.start as usize..span.end as usize;
        let value = reached.node.scalar().filter(|_| reached.whole).map(|(value, _)| value);
        let written = &sources.get(location.source).text[span.clone()];
        let inner = part.zip(value).and_then(|(part, value)| written_part(written, value, part));
        Some(inner.map_or(span.clone(), |inner| span.start + inner.start..span.start + inner.end))
    }
}

/// The bytes of a scalar as it is written that stand for some bytes of its value; none if it is written over several lines, or with
/// escapes that are not the character itself.
fn written_part(written: &str, value: &str, part: Range<usize>) -> Option<Range<usize>> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    let offset = usize::from(quote.is_some());
    let inner = written.get(offset..written.len().checked_sub(offset)?)?;
    let mut rest = inner;
    // Where each character of the value begins in what is written, and where the last one ends.
    let mut places = Vec::with_capacity(value.len() + 1);
    for (at, c) in value.char_indices() {
        places.push((at, inner.len() - rest.len()));
        rest = match (quote, c) {
            (Some('\''), '\'') => rest.strip_prefix("''")?,
            (Some('"'), '"' | '\\') => rest.strip_prefix('\\')?.strip_prefix(c)?,
            _ => rest.strip_prefix(c)?,
        };
    }
    places.push((value.len(), inner.len() - rest.len()));
    let location = |wanted: usize| places.iter().find(|(at, _)| *at >= wanted).map(|(_, start)| offset + start);
    rest.is_empty().then_some(())?;
    Some(location(part.start)?..location(part.end)?)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Pointer, Range32};

    /// The text at each spot of a source.
    fn located<'a>(text: &'a str, spots: &[Anchor]) -> Vec<Option<&'a str>> {
        let mut sources = Sources::default();
        sources.add("talosmith.yaml", "other: text\n");
        let source = sources.add("devices/ryzen/device.yaml", text);
        let mut locator = Locator::new(&sources);
        spots
            .iter()
            .map(|spot| locator.locate(&Location { source, spot: spot.clone() }).map(|range| &text[range]))
            .collect()
    }

    #[test]
    fn a_place_is_the_key_or_the_value_or_what_is_around_it() {
        let text = "name: ryzen\nvolumes:\n  EPHEMERAL: { size: 1GB }\n  list: [a, b]\nempty:\n";
        let around = "EPHEMERAL: { size: 1GB }\n  list: [a, b]";
        let cases = [
            (Anchor::File, None),
            (Anchor::Bytes((0..4).into()), Some("name")),
            (Anchor::Bytes((text.len() - 4..4000).into()), Some("ty:\n")),
            (Anchor::Key("/name".into()), Some("name")),
            (Anchor::Value("/name".into()), Some("ryzen")),
            (Anchor::Value("/volumes/EPHEMERAL/size".into()), Some("1GB")),
            (Anchor::Key("/volumes/list/1".into()), Some("b")),
            (Anchor::Key(Pointer::root()), Some(text.trim_end())),
            (Anchor::Value("/empty".into()), Some("")),
            (Anchor::Value("/volumes/OTHER/size".into()), Some(around)),
            (Anchor::Key("/volumes/OTHER".into()), Some(around)),
            (Anchor::Value("/name/0".into()), Some("ryzen")),
        ];
        let (spots, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        assert_eq!(located(text, &spots), expected);
    }

    #[test]
    fn a_part_of_a_value_is_found_behind_quotes_and_escapes() {
        let text = concat!(
            "a: x == 'y'\n",
            "b: 'x == ''y'''\n",
            "c: \"x == \\\"y\\\"\"\n",
            "d: \"x\\ty\"\n",
            "e: x\n  y\n",
            "f: [x]\n"
        );
        let part = |key: &str, range: Range<usize>| Anchor::Part(Pointer::new(key), range.into());
        let cases = [
            (part("/a", 5..8), Some("'y'")),
            (part("/b", 5..8), Some("''y''")),
            (part("/b", 0..1), Some("x")),
            (part("/c", 5..8), Some("\\\"y\\\"")),
            (part("/d", 2..3), Some("\"x\\ty\"")),
            (part("/e", 2..3), Some("x\n  y")),
            (part("/f", 0..1), Some("[x]")),
            (part("/a", 5..99), Some("x == 'y'")),
        ];
        let (spots, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        assert_eq!(located(text, &spots), expected);
    }

    #[test]
    fn a_text_with_findings_still_has_places() {
        let spots = [Anchor::Value("/b/c".into())];
        assert_eq!(located("a: 1\na: 2\nb: { c: *d }\n", &spots), [Some("*d")]);
        assert_eq!(located("a: 1\n---\nb: { c: 2 }\n", &spots), [Some("a: 1")]);
        assert_eq!(located("- a\n", &[Anchor::Value("/0".into())]), [Some("a")]);
        for text in ["a: 1\nb: ]\n", "", "# comment\n"] {
            assert_eq!(located(text, &spots), [Some("")], "{text:?}");
        }
    }

    #[test]
    fn bytes_are_clipped_to_characters() {
        assert_eq!(
            located("é: ü", &[Anchor::Bytes((1..5).into()), Anchor::Bytes(Range32 { start: 9, end: 2 })]),
            [Some("é: "), Some("")]
        );
    }

    #[test]
    fn lines_and_columns_count_characters_from_one() {
        let text = "\u{FEFF}a: é\r\nb: ü x\n";
        let byte = |needle: &str| text.find(needle).unwrap();
        assert_eq!(line_column(text, 0), (1, 1));
        assert_eq!(line_column(text, byte("a")), (1, 1));
        assert_eq!(line_column(text, byte("é")), (1, 4));
        assert_eq!(line_column(text, byte("b")), (2, 1));
        assert_eq!(line_column(text, byte("x")), (2, 6));
        assert_eq!(line_column(text, byte("x") + 99), (3, 1));
        assert_eq!(line_column(text, byte("ü") + 1), (2, 4));
        assert_eq!(line_column("", 0), (1, 1));
    }
}
