//! Parses YAML into nodes.

use std::mem;
use std::ops::Range;

use granit_parser::{Event, Options, Parser, ScalarStyle, Span, StructureStyle, Tag, options};

use super::{Entry, Node, NodeValue, Style, boundary, first_line, narrow, rules, syntax};
use crate::{Code, Diagnostic, Location, SourceId};

/// The greatest size of a file of the model, in bytes.
pub const MAX_BYTES: usize = 4 << 20;
const MAX_NODES: usize = 200_000;

/// How many documents a file may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// One, whose root is a mapping.
    One,
    /// Any number, with any roots.
    Any,
}

/// The documents, as far as they could be parsed, and the findings.
pub(crate) struct Parsed {
    pub nodes: Vec<Node>,
    pub findings: Vec<Diagnostic>,
}

fn parser_options() -> Options {
    options! {
        emit_comments: false,
        emit_anchor_events: true,
        emit_unresolved_aliases: true,
        disallow_directives: true,
        strict_indentation: true,
        // libyaml and go-yaml accept a block scalar whose last line has no line feed.
        block_scalar_eof_without_line_feed: true,
        flow_nesting_limit: syntax::MAX_DEPTH,
        block_nesting_limit: syntax::MAX_DEPTH,
    }
}

/// Parses a file. The nodes are complete only if there are no findings.
pub(crate) fn parse(source: SourceId, text: &str, count: Count) -> Parsed {
    let mut builder = Builder {
        source,
        text,
        count,
        tabs: text.contains('\t'),
        after_key_alias: false,
        seen: 0,
        open: Vec::new(),
        nodes: Vec::new(),
        findings: Vec::new(),
    };
    if text.len() > MAX_BYTES {
        builder.findings.push(too_large(source));
    } else if let Some(finding) = syntax::line_separator(source, text) {
        builder.findings.push(finding);
    } else if builder.read().is_ok() && count == Count::One {
        builder.findings.extend(rules::root(source, text, builder.nodes.first()));
    }
    builder.findings.sort_by(|a, b| a.at.location.cmp(&b.at.location));
    // A mapping and its first key have the same start, so a tab before them is found twice.
    builder.findings.dedup();
    Parsed { nodes: builder.nodes, findings: builder.findings }
}

/// The finding on a file of more than [`MAX_BYTES`].
#[must_use]
pub fn too_large(source: SourceId) -> Diagnostic {
    Diagnostic::new(Code::TooLarge, "the file has more than 4 MiB", Location::file(source))
}

/// The parse ended early; the finding is already pushed.
struct Stop;

/// A list or mapping whose end has not been parsed yet.
struct Open {
    start: u32,
    style: StructureStyle,
    value: Partial,
}

enum Partial {
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>, Slot),
}

/// What comes next in a mapping.
enum Slot {
    Key,
    /// The value of this key; `None` for a key that was rejected.
    Value(Option<(Box<str>, Range<u32>)>),
}

struct Builder<'a> {
    source: SourceId,
    text: &'a str,
    count: Count,
    /// Whether the file contains any tab.
    tabs: bool,
    /// Whether the last alias was written in place of a key.
    after_key_alias: bool,
    /// The number of nodes so far, including keys.
    seen: usize,
    open: Vec<Open>,
    nodes: Vec<Node>,
    findings: Vec<Diagnostic>,
}

impl<'a> Builder<'a> {
    fn read(&mut self) -> Result<(), Stop> {
        let mut documents = 0;
        for event in Parser::new_from_str_with_options(self.text, parser_options()) {
            let (event, span) = match event {
                Ok(event) => event,
                // The parser takes the colon of a key as a part of an alias, and misses it later.
                Err(_) if self.after_key_alias => return Err(Stop),
                Err(error) => {
                    let finding = syntax::error(self.source, self.text, &error);
                    return self.stop(finding);
                }
            };
            let bytes = self.bytes(&span);
            match event {
                Event::DocumentStart(..) => {
                    documents += 1;
                    if documents > 1 && self.count == Count::One {
                        let message = "a second document starts here";
                        let location = Location::bytes(self.source, first_line(self.text, bytes));
                        return self.stop(
                            Diagnostic::new(Code::NotYaml, message, location).help("write one document per file"),
                        );
                    }
                }
                Event::Scalar(text, style, _, tag) => {
                    self.count_node(&bytes)?;
                    self.scalar(&text, style, tag.as_deref(), &span, bytes);
                }
                Event::Alias(_) | Event::UnresolvedAlias(_) => {
                    self.count_node(&bytes)?;
                    self.after_key_alias = self.text[bytes.clone()].ends_with(':');
                    self.findings.push(rules::alias(self.source, self.text, &bytes));
                    self.add_placeholder(bytes);
                }
                Event::Anchor(..) => {
                    let message =
                        format!("`{}` is an anchor, which talosmith does not support", &self.text[bytes.clone()]);
                    self.reject(bytes, message, "remove it, and write the value again where it is used");
                }
                Event::SequenceStart(style, _, tag) => {
                    self.collection(style, tag.as_deref(), &span, &bytes, Partial::Sequence(Vec::new()))?;
                }
                Event::MappingStart(style, _, tag) => {
                    self.collection(style, tag.as_deref(), &span, &bytes, Partial::Mapping(Vec::new(), Slot::Key))?;
                }
                Event::SequenceEnd | Event::MappingEnd => self.close(&bytes),
                _ => {}
            }
        }
        Ok(())
    }

    fn stop(&mut self, finding: Diagnostic) -> Result<(), Stop> {
        self.findings.push(finding);
        Err(Stop)
    }

    fn reject(&mut self, at: Range<usize>, message: String, help: &str) {
        self.findings.push(Diagnostic::new(Code::Alias, message, Location::bytes(self.source, at)).help(help));
    }

    /// The bytes of a span, clipped to character boundaries.
    fn bytes(&self, span: &Span) -> Range<usize> {
        let clip = |at: Option<usize>| boundary(self.text, at.unwrap_or(0));
        let start = clip(span.start.byte_offset());
        start..clip(span.end.byte_offset()).max(start)
    }

    /// Counts a node, and stops the parse if there are too many.
    fn count_node(&mut self, bytes: &Range<usize>) -> Result<(), Stop> {
        self.seen += 1;
        if self.seen > MAX_NODES {
            let location = Location::bytes(self.source, bytes.start..bytes.start);
            return self.stop(Diagnostic::new(
                Code::TooLarge,
                "the file has more than 200,000 keys and values",
                location,
            ));
        }
        Ok(())
    }

    /// Reports a tab before the first node of a line; the parser accepts some of them.
    fn check_indent(&mut self, bytes: &Range<usize>) {
        let before = &self.text[..bytes.start];
        let line = before.trim_end_matches([' ', '\t']);
        let tab = before[line.len()..].find('\t').map(|tab| line.len() + tab);
        if let Some(tab) = tab.filter(|_| line.is_empty() || line.ends_with(['\n', '\u{FEFF}'])) {
            self.findings.push(syntax::tab_indent(self.source, self.text, tab));
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>, span: &Span, mut bytes: Range<usize>) {
        self.check_tag(tag, span, &bytes, true);
        let style = match style {
            ScalarStyle::Plain if tag.is_some() => Style::Quoted,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
        };
        let mut value = text;
        if style == Style::Plain && self.open.iter().any(|open| open.style == StructureStyle::Flow) {
            self.findings.extend(syntax::key_mark(self.source, self.text, &bytes));
        }
        if style == Style::Plain && bytes.is_empty() {
            // The parser returns `~` for a missing value, with a position before the colon.
            value = "";
            let after = self.text[bytes.end..].trim_start_matches(' ');
            if after.starts_with(':') {
                let at = self.text.len() - after.len() + 1;
                bytes = at..at;
            }
        }
        if style == Style::Block {
            bytes.end = bytes.start + self.text[bytes.clone()].trim_end().len();
        } else if self.tabs && !bytes.is_empty() {
            self.check_indent(&bytes);
        }
        self.add(Node { span: narrow(bytes.start)..narrow(bytes.end), value: NodeValue::Scalar(value.into(), style) });
    }

    fn check_tag(&mut self, tag: Option<&Tag>, span: &Span, bytes: &Range<usize>, is_scalar: bool) {
        if let Some(tag) = tag {
            let at = span.tag_span().map_or_else(|| bytes.clone(), |span| self.bytes(&span));
            self.findings.extend(rules::tag(self.source, tag, at, is_scalar));
        }
    }

    fn collection(
        &mut self,
        style: StructureStyle,
        tag: Option<&Tag>,
        span: &Span,
        bytes: &Range<usize>,
        value: Partial,
    ) -> Result<(), Stop> {
        self.count_node(bytes)?;
        self.check_tag(tag, span, bytes, false);
        if self.tabs {
            self.check_indent(bytes);
        }
        if self.open.len() == syntax::MAX_DEPTH {
            return self.stop(syntax::too_deep(self.source, bytes.start));
        }
        self.open.push(Open { start: narrow(bytes.start), style, value });
        Ok(())
    }

    /// Ends the innermost list or mapping.
    fn close(&mut self, bytes: &Range<usize>) {
        let Some(Open { mut start, style, value }) = self.open.pop() else { return };
        let (value, last) = match value {
            Partial::Sequence(items) => {
                if let Some(first) = items.first().filter(|first| first.span.start <= start) {
                    // The parser reports the start of a list that is not indented after its first dash.
                    let dash = self.text[..first.span.start as usize].trim_end().strip_suffix('-');
                    start = dash.map_or(first.span.start, |before| narrow(before.len()));
                }
                let last = items.last().map(|item| item.span.end);
                (NodeValue::Sequence(items), last)
            }
            Partial::Mapping(entries, _) => {
                rules::duplicates(self.source, &entries, &mut self.findings);
                let last = entries.last().map(|entry| entry.value.span.end.max(entry.key_span.end));
                (NodeValue::Mapping(entries), last)
            }
        };
        // The parser reports the end of a list or mapping without brackets at the start of the next node.
        let end = if style == StructureStyle::Flow { narrow(bytes.end) } else { last.unwrap_or(start) };
        self.add(Node { span: start..end.max(start), value });
    }

    /// Adds a node to the list or mapping that contains it.
    fn add(&mut self, node: Node) {
        match self.open.last_mut().map(|open| &mut open.value) {
            None => self.nodes.push(node),
            Some(Partial::Sequence(items)) => items.push(node),
            Some(Partial::Mapping(entries, slot)) => match mem::replace(slot, Slot::Key) {
                Slot::Value(Some((key, key_span))) => entries.push(Entry { key, key_span, value: node }),
                Slot::Value(None) => {}
                Slot::Key => {
                    *slot = Slot::Value(match rules::key(self.source, self.text, node) {
                        Ok(key) => Some(key),
                        Err(finding) => {
                            self.findings.push(*finding);
                            None
                        }
                    });
                }
            },
        }
    }

    /// Adds an empty node in place of one that was rejected.
    fn add_placeholder(&mut self, bytes: Range<usize>) {
        if let Some(Open { value: Partial::Mapping(_, slot @ Slot::Key), .. }) = self.open.last_mut() {
            *slot = Slot::Value(None);
        } else {
            self.add(Node {
                span: narrow(bytes.start)..narrow(bytes.end),
                value: NodeValue::Scalar("".into(), Style::Quoted),
            });
        }
    }
}
