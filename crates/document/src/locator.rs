//! Resolves locations to bytes, when findings are printed.

use std::collections::HashMap;
use std::ops::Range;

use crate::document::{Count, boundary, parse};
use crate::{Anchor, Location, Node, SourceId, Sources};

/// Resolves locations. Parses each source at most once.
#[derive(Debug)]
pub struct Locator<'a> {
    sources: &'a Sources,
    /// The first document of each source that was parsed; `None` if it could not be parsed.
    roots: HashMap<SourceId, Option<Node>>,
}

impl<'a> Locator<'a> {
    /// Creates a locator for the sources of a run.
    pub fn new(sources: &'a Sources) -> Self {
        Self { sources, roots: HashMap::new() }
    }

    /// Returns the bytes of a location, clipped to character boundaries; `None` for a whole file.
    ///
    /// A pointer refers to the first document of its source. If the value does not exist, the nearest value around it is returned; if
    /// the source cannot be parsed, its start. The key of an item or of the root is the value itself.
    pub fn locate(&mut self, location: &Location) -> Option<Range<usize>> {
        let mut part = None;
        let (pointer, wants_key) = match &location.anchor {
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
            // Findings do not matter: even a document with, for example, a duplicate key has all its locations.
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

/// Converts a range in the value of a scalar to a range in its written form. `None` if it has several lines, or an escape that is not
/// a backslash before the character itself.
fn written_part(written: &str, value: &str, part: Range<usize>) -> Option<Range<usize>> {
    let quote = written.chars().next().filter(|c| matches!(c, '"' | '\''));
    let offset = usize::from(quote.is_some());
    let inner = written.get(offset..written.len().checked_sub(offset)?)?;
    let mut rest = inner;
    // The offset of each character of the value in the written form, and the end of the last one.
    let mut offsets = Vec::with_capacity(value.len() + 1);
    for (at, c) in value.char_indices() {
        offsets.push((at, inner.len() - rest.len()));
        rest = match (quote, c) {
            (Some('\''), '\'') => rest.strip_prefix("''")?,
            (Some('"'), '"' | '\\') => rest.strip_prefix('\\')?.strip_prefix(c)?,
            _ => rest.strip_prefix(c)?,
        };
    }
    offsets.push((value.len(), inner.len() - rest.len()));
    let find = |wanted: usize| offsets.iter().find(|(at, _)| *at >= wanted).map(|(_, start)| offset + start);
    rest.is_empty().then_some(())?;
    Some(find(part.start)?..find(part.end)?)
}

/// Returns the line and the column of a byte, both counted from 1. The column is in characters, without a byte order mark.
///
/// An offset after the end of the string is its end.
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

    /// The text at each anchor of a source.
    fn located<'a>(text: &'a str, anchors: &[Anchor]) -> Vec<Option<&'a str>> {
        let mut sources = Sources::default();
        sources.add("talosmith.yaml", "other: text\n");
        let source = sources.add("devices/ryzen/device.yaml", text);
        let mut locator = Locator::new(&sources);
        anchors
            .iter()
            .map(|anchor| locator.locate(&Location { source, anchor: anchor.clone() }).map(|range| &text[range]))
            .collect()
    }

    #[test]
    fn a_location_is_the_key_the_value_or_the_nearest_value_around_it() {
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
        let (anchors, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        assert_eq!(located(text, &anchors), expected);
    }

    #[test]
    fn a_part_of_a_value_is_found_in_quotes_and_escapes() {
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
        let (anchors, expected): (Vec<_>, Vec<_>) = cases.into_iter().unzip();
        assert_eq!(located(text, &anchors), expected);
    }

    #[test]
    fn a_document_with_findings_has_locations() {
        let anchors = [Anchor::Value("/b/c".into())];
        assert_eq!(located("a: 1\na: 2\nb: { c: *d }\n", &anchors), [Some("*d")]);
        assert_eq!(located("a: 1\n---\nb: { c: 2 }\n", &anchors), [Some("a: 1")]);
        assert_eq!(located("- a\n", &[Anchor::Value("/0".into())]), [Some("a")]);
        for text in ["a: 1\nb: ]\n", "", "# comment\n"] {
            assert_eq!(located(text, &anchors), [Some("")], "{text:?}");
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
