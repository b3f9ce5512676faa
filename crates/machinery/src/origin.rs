//! Where a raw patch is written: from a node of it to a place in a user's file.

use std::ops::Range;
use std::sync::Arc;

use talosmith_document::{Anchor, Location, Node, Pointer, SourceId};
use talosmith_document::{BlockText, Entry};

/// How the nodes of a patch come to places.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A file of its own: the bytes of its nodes.
    File(SourceId),
    /// A mapping inside a document: a pointer below its own.
    Mapping(Location),
    /// A block of text inside a document: its lines, if they stand there as they are read; else the whole.
    Text(Location, Option<Arc<BlockText>>),
}

impl Origin {
    /// The text that the patch stands in.
    #[must_use]
    pub const fn source(&self) -> SourceId {
        match self {
            Self::File(source) | Self::Mapping(Location { source, .. }) | Self::Text(Location { source, .. }, _) => {
                *source
            }
        }
    }

    /// The place of a value at a pointer of the patch.
    #[must_use]
    pub fn value(&self, pointer: &Pointer, node: &Node) -> Location {
        match self {
            Self::Mapping(base) => below(base, pointer),
            _ => self.bytes(node.span.start as usize..node.span.end as usize),
        }
    }

    /// The place of the key at a pointer of the patch.
    #[must_use]
    pub fn key(&self, pointer: &Pointer, entry: &Entry) -> Location {
        match self {
            Self::Mapping(base) => below(base, pointer).as_key(),
            _ => self.bytes(entry.key_span.start as usize..entry.key_span.end as usize),
        }
    }

    /// The place of some bytes of the patch's text; of a mapping, which has no text of its own, the whole.
    #[must_use]
    pub fn bytes(&self, range: Range<usize>) -> Location {
        match self {
            Self::File(source) => Location::bytes(*source, range),
            Self::Mapping(base) | Self::Text(base, None) => base.clone(),
            Self::Text(base, Some(block)) => Location::bytes(base.source, block.shifted(range)),
        }
    }

    /// A place that a parser of the patch's text gave.
    #[must_use]
    pub fn shifted(&self, location: Location) -> Location {
        match (&self, &location.anchor) {
            (Self::File(_), _) => location,
            (_, Anchor::Bytes(range)) => self.bytes((*range).into()),
            (Self::Mapping(base) | Self::Text(base, _), _) => base.clone(),
        }
    }
}

fn below(base: &Location, pointer: &Pointer) -> Location {
    match &base.anchor {
        Anchor::Value(at) | Anchor::Key(at) => Location::value(base.source, Pointer::new(format!("{at}{pointer}"))),
        _ => base.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::Origin;
    use talosmith_document::BlockText;
    use talosmith_document::{Anchor, Document, Location, Pointer, Sources};

    /// What of the host text each node of the inner documents stands for.
    fn shown(host: &str, at: &str) -> Option<Vec<String>> {
        let source = Sources::default().add("device.yaml", host);
        let root = Document::parse(source, host).expect(host).root;
        let node = root.at(&Pointer::new(at)).expect(at);
        let block = BlockText::find(host, node)?;
        let (text, _) = node.scalar().expect("a scalar");
        let origin = Origin::Text(Location::value(source, at.into()), Some(block.into()));
        let documents = Document::parse_stream(source, text).expect(text);
        let entries = documents.iter().flat_map(talosmith_document::Node::entries);
        let places = entries.flat_map(|entry| {
            let pointer = Pointer::root().child(&entry.key);
            [origin.key(&pointer, entry), origin.value(&pointer, &entry.value)]
        });
        Some(
            places
                .map(|location| match location.anchor {
                    Anchor::Bytes(range) => host[std::ops::Range::<usize>::from(range)].to_owned(),
                    other => format!("{other:?}"),
                })
                .collect(),
        )
    }

    #[test]
    fn a_literal_block_has_its_lines_where_they_stand() {
        let host = "a: 1\ntext: |\n    # comment\n    machine:\n      b: é\n\n    ---\n    c: d\nlast: 1\n";
        let machine = "b: é";
        assert_eq!(shown(host, "/text"), Some(["machine", machine, "c", "d"].map(str::to_owned).to_vec()));
        let crlf = host.replace('\n', "\r\n");
        assert_eq!(shown(&crlf, "/text"), Some(["machine", machine, "c", "d"].map(str::to_owned).to_vec()));
        let item = "list:\n  - name: x\n    text: |-\n      c: d\n";
        assert_eq!(shown(item, "/list/0/text"), Some(vec!["c".to_owned(), "d".to_owned()]));
        for host in ["text: |2\n      c: d\n", "text: |\n\n    c: d\n"] {
            assert_eq!(shown(host, "/text"), Some(vec!["c".to_owned(), "d".to_owned()]), "{host}");
        }
    }

    #[test]
    fn other_texts_stand_for_themselves_as_a_whole() {
        for host in ["text: >\n  c: d\n  e: f\n", "text: \"c: d\"\n", "text: plain\n"] {
            assert_eq!(shown(host, "/text"), None, "{host}");
        }
    }

    #[test]
    fn a_mapping_has_pointers_below_its_own() {
        let source = Sources::default().add("device.yaml", "");
        let origin = Origin::Mapping(Location::value(source, "/patches/a/inline".into()));
        let root = Document::parse(source, "b: { c: d }\n").expect("YAML").root;
        let entry = &root.entries()[0];
        assert_eq!(origin.key(&"/b".into(), entry), Location::key(source, "/patches/a/inline/b".into()));
        assert_eq!(origin.value(&"/b/c".into(), &entry.value), Location::value(source, "/patches/a/inline/b/c".into()));
    }
}
