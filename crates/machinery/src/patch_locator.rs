//! Where a raw patch is written in the user's files.

use std::ops::Range;
use std::sync::Arc;

use talosmith_document::{Anchor, BlockText, Location, SourceId};

/// Maps bytes of a patch to locations in the user's files.
#[derive(Debug, Clone)]
pub enum PatchLocator {
    /// The bytes of the patch are bytes of the file: it is the whole file, or a mapping in it.
    File(SourceId),
    /// The patch is a string at a location, a block scalar whose lines are in the file as they are read.
    Block(Location, Arc<BlockText>),
    /// The patch is a value whose parts have no bytes of their own, such as a string with escapes.
    Whole(Location),
    /// The patch is what another locator describes, with some of its bytes replaced.
    Edited(Box<PatchLocator>, Arc<[Edit]>),
}

/// Bytes that were replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The range in the text as it is written.
    pub written: Range<usize>,
    /// The range in the edited text of what replaces them.
    pub replaced: Range<usize>,
}

/// Returns the bytes as they are written of some bytes in a text with edits, which are sorted.
fn before_edits(edits: &[Edit], bytes: Range<usize>) -> Range<usize> {
    let before = |at: usize, is_end: bool| {
        let after = edits.partition_point(|edit| edit.replaced.start + usize::from(is_end) <= at);
        match after.checked_sub(1).map(|last| &edits[last]) {
            Some(edit) if at < edit.replaced.end || (is_end && at == edit.replaced.end) => {
                if is_end {
                    edit.written.end
                } else {
                    edit.written.start
                }
            }
            Some(edit) => at - edit.replaced.end + edit.written.end,
            None => at,
        }
    };
    before(bytes.start, false)..before(bytes.end, true)
}

impl PatchLocator {
    /// The file in which the patch is written.
    #[must_use]
    pub const fn source(&self) -> SourceId {
        match self {
            Self::File(source) | Self::Block(Location { source, .. }, _) | Self::Whole(Location { source, .. }) => {
                *source
            }
            Self::Edited(of, _) => of.source(),
        }
    }

    /// The location of some bytes of the patch.
    #[must_use]
    pub fn location(&self, bytes: Range<usize>) -> Location {
        match self {
            Self::File(source) => Location::bytes(*source, bytes),
            Self::Block(host, block) => Location::bytes(host.source, block.shifted(bytes)),
            Self::Whole(host) => host.clone(),
            Self::Edited(of, edits) => of.location(before_edits(edits, bytes)),
        }
    }

    /// The location of what the parser of the patch's text reports.
    #[must_use]
    pub fn relocate(&self, parsed: Location) -> Location {
        match (self, &parsed.anchor) {
            (Self::File(_), _) => parsed,
            (_, Anchor::Bytes(range)) => self.location((*range).into()),
            (Self::Edited(of, _), _) => of.relocate(parsed),
            (Self::Block(host, _) | Self::Whole(host), _) => host.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, PatchLocator};
    use talosmith_document::{Anchor, BlockText, Document, Entry, Location, Node, Pointer, Sources};

    /// The bytes of the host text for each key and value of the patch in it; none if its lines are not found.
    fn located(host: &str, at: &str) -> Option<Vec<String>> {
        let source = Sources::default().add("device.yaml", host);
        let root = Document::parse(source, host).expect(host).root;
        let node = root.at(&Pointer::new(at)).expect(at);
        let block = BlockText::find(host, node)?;
        let (text, _) = node.scalar().expect("a scalar");
        let locator = PatchLocator::Block(Location::value(source, at.into()), block.into());
        let documents = Document::parse_stream(source, text).expect(text);
        let spans = |entry: &Entry| [entry.key_span.clone(), entry.value.span.clone()];
        let spans = documents.iter().flat_map(Node::entries).flat_map(spans);
        let locations = spans.map(|span| locator.location(span.start as usize..span.end as usize));
        let bytes = |location: Location| match location.anchor {
            Anchor::Bytes(range) => host[std::ops::Range::<usize>::from(range)].to_owned(),
            other => format!("{other:?}"),
        };
        Some(locations.map(bytes).collect())
    }

    #[test]
    fn the_lines_of_a_literal_block_are_found_in_the_file() {
        let host = "a: 1\ntext: |\n    # comment\n    machine:\n      b: é\n\n    ---\n    c: d\nlast: 1\n";
        let machine = "b: é";
        assert_eq!(located(host, "/text"), Some(["machine", machine, "c", "d"].map(str::to_owned).to_vec()));
        let crlf = host.replace('\n', "\r\n");
        assert_eq!(located(&crlf, "/text"), Some(["machine", machine, "c", "d"].map(str::to_owned).to_vec()));
        let item = "list:\n  - name: x\n    text: |-\n      c: d\n";
        assert_eq!(located(item, "/list/0/text"), Some(vec!["c".to_owned(), "d".to_owned()]));
        for host in ["text: |2\n      c: d\n", "text: |\n\n    c: d\n"] {
            assert_eq!(located(host, "/text"), Some(vec!["c".to_owned(), "d".to_owned()]), "{host}");
        }
    }

    #[test]
    fn edited_bytes_are_those_that_are_written() {
        let source = Sources::default().add("patch.yaml", "a: $<x>, $<yy>!");
        let edits = [(3..7, 3..4), (9..14, 6..16)];
        let edits = edits.map(|(written, replaced)| Edit { written, replaced });
        let locator = PatchLocator::Edited(PatchLocator::File(source).into(), edits.to_vec().into());
        let written = |bytes| locator.location(bytes);
        for (edited, expected) in
            [(0..1, 0..1), (3..4, 3..7), (4..6, 7..9), (6..16, 9..14), (8..10, 9..14), (16..17, 14..15), (0..17, 0..15)]
        {
            assert_eq!(written(edited.clone()), Location::bytes(source, expected), "{edited:?}");
        }
    }

    #[test]
    fn folded_and_quoted_strings_have_no_lines() {
        for host in ["text: >\n  c: d\n  e: f\n", "text: \"c: d\"\n", "text: plain\n"] {
            assert_eq!(located(host, "/text"), None, "{host}");
        }
    }
}
