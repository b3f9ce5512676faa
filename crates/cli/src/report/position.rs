//! The bytes of locations, and the lines and columns of bytes.

use std::collections::HashMap;
use std::ops::Range;

use talosmith_document::{Diagnostic, Location, Locator, SourceId, Sources, line_column};

/// Resolves the locations of a report.
pub(super) struct Positions<'a> {
    pub sources: &'a Sources,
    locator: Locator<'a>,
    hidden: HashMap<SourceId, Vec<Range<usize>>>,
}

/// A line and a column, both from 1, and a byte, from 0. A column counts characters, as editors do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub(super) struct Position {
    pub line: usize,
    pub column: usize,
    pub byte: usize,
}

impl<'a> Positions<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Self {
        Self { sources, locator: Locator::new(sources), hidden: HashMap::new() }
    }

    /// Records the locations of secrets, so that no finding shows the secret of another one in its lines.
    pub(crate) fn hide(&mut self, findings: &[Diagnostic]) {
        for finding in findings.iter().filter(|finding| finding.is_hidden) {
            let location = &finding.at.location;
            if let Some(range) = self.range(location) {
                self.hidden.entry(location.source).or_default().push(range);
            }
        }
    }

    /// Returns the secrets between the bytes `start` and `end` of a source, relative to `start`.
    pub(crate) fn hidden(&self, source: SourceId, start: usize, end: usize) -> Vec<Range<usize>> {
        let ranges = self.hidden.get(&source).into_iter().flatten();
        let inside = ranges.filter(|range| range.start < end && start < range.end);
        inside.map(|range| range.start.saturating_sub(start)..range.end - start).collect()
    }

    /// Returns the bytes of a location, limited to the text and to whole characters; none for a whole file.
    ///
    /// A location after the last line break becomes one before it, since no line is there to show.
    pub(crate) fn range(&mut self, location: &Location) -> Option<Range<usize>> {
        let range = self.locator.locate(location)?;
        let text: &str = &self.sources.get(location.source).text;
        if range.start == text.len() && text.ends_with('\n') {
            let end = text.len() - if text.ends_with("\r\n") { 2 } else { 1 };
            return Some(end..end);
        }
        Some(range)
    }
}

pub(super) fn position(text: &str, byte: usize) -> Position {
    let (line, column) = line_column(text, byte);
    Position { line, column, byte }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_lines_and_characters_from_one() {
        let at = |line, column, byte| Position { line, column, byte };
        let text = "ä: 1\r\nbß\n";
        let all = [at(1, 1, 0), at(1, 2, 2), at(1, 6, 6), at(2, 1, 7), at(2, 3, 10), at(3, 1, 11)];
        for expected in all {
            assert_eq!(position(text, expected.byte), expected);
        }
    }

    #[test]
    fn keeps_every_range_inside_the_text() {
        let mut sources = Sources::default();
        let text = sources.add("a.yaml", "ä: 1\r\n");
        let empty = sources.add("empty.yaml", "");
        let mut positions = Positions::new(&sources);
        let mut range = |source, bytes| positions.range(&Location::bytes(source, bytes));
        assert_eq!(range(text, 1..1), Some(0..0));
        assert_eq!(range(text, 0..1), Some(0..0));
        assert_eq!(range(text, 3..99), Some(3..7));
        assert_eq!(range(text, 50..99), Some(5..5));
        assert_eq!(range(text, 7..7), Some(5..5));
        assert_eq!(range(empty, 0..9), Some(0..0));
        assert_eq!(positions.range(&Location::file(text)), None);
    }
}
