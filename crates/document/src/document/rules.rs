//! Rejects YAML that talosmith does not support.

use std::ops::Range;

use granit_parser::Tag;

use super::{Entry, Node, NodeValue, Style, first_line, widen};
use crate::{Code, Diagnostic, Location, Pointer, SourceId};

/// Converts a node to a key and its bytes.
pub(super) fn key(source: SourceId, text: &str, node: Node) -> Result<(Box<str>, Range<u32>), Box<Diagnostic>> {
    let (code, message, help) = match node.value {
        NodeValue::Scalar(ref key, _) if node.is_null() || key.is_empty() => {
            (Code::NotYaml, "a key is empty", "write a name before the `:`")
        }
        NodeValue::Scalar(ref key, Style::Plain) if **key == *"<<" => {
            (Code::Alias, "`<<` is a merge key, which talosmith does not support", "write the merged keys in its place")
        }
        NodeValue::Scalar(key, _) => return Ok((key, node.span)),
        NodeValue::Sequence(_) => {
            (Code::NotYaml, "found a list instead of a key", "quote a string that begins with `[`")
        }
        NodeValue::Mapping(_) => {
            (Code::NotYaml, "found a mapping instead of a key", "quote a string that begins with `{`")
        }
    };
    let location = Location::bytes(source, first_line(text, widen(&node.span)));
    Err(Box::new(Diagnostic::new(code, message, location).help(help)))
}

/// Reports each key that the mapping already has.
pub(super) fn duplicates(source: SourceId, entries: &[Entry], findings: &mut Vec<Diagnostic>) {
    let location = |entry: &Entry| Location::bytes(source, widen(&entry.key_span));
    let mut order: Vec<&Entry> = entries.iter().collect();
    order.sort_by(|a, b| a.key.cmp(&b.key));
    for same in order.chunk_by(|a, b| a.key == b.key) {
        for again in &same[1..] {
            let message = format!("the key `{}` is written twice", again.key.escape_debug());
            findings.push(
                Diagnostic::new(Code::DuplicateKey, message, location(again))
                    .also(location(same[0]), "first here")
                    .note("which of the two is used would depend on the program that reads the file")
                    .help("remove one of the two"),
            );
        }
    }
}

/// Rejects every tag except `!!str` on a scalar.
pub(super) fn tag(source: SourceId, tag: &Tag, at: Range<usize>, is_scalar: bool) -> Option<Diagnostic> {
    if is_scalar && tag.is_yaml_core_schema_tag("str") {
        return None;
    }
    let message = format!("`{}` is a tag, which talosmith does not support", tag.original());
    let help = "remove it, or quote a string that begins with `!`";
    Some(Diagnostic::new(Code::Alias, message, Location::bytes(source, at)).help(help))
}

/// The finding on an alias, or on a string that begins with `*` and is not quoted.
pub(super) fn alias(source: SourceId, text: &str, bytes: &Range<usize>) -> Diagnostic {
    let written = &text[bytes.clone()];
    let (name, colon) = written.strip_suffix(':').map_or((written, ""), |name| (name, ":"));
    let message = format!("`{name}` is an alias, which talosmith does not support");
    let finding = Diagnostic::new(Code::Alias, message, Location::bytes(source, bytes.clone()));
    let anchor = format!("&{}", &name[1..]);
    let has_anchor =
        text.match_indices(&anchor).any(|(at, _)| text[at + anchor.len()..].starts_with(char::is_whitespace));
    finding.help(if name.len() > 1 && has_anchor {
        "write the value in its place".to_owned()
    } else {
        format!("put a string that begins with `*` in quotes: `\"{name}\"{colon}`")
    })
}

/// Rejects every root except a mapping.
pub(super) fn root(source: SourceId, text: &str, root: Option<&Node>) -> Option<Diagnostic> {
    let (message, location) = match root {
        Some(Node { value: NodeValue::Mapping(_), .. }) => return None,
        Some(root) if !root.is_empty_scalar() => {
            let message = match root.value {
                NodeValue::Sequence(_) => "the file is a list, but a mapping is expected",
                _ => "the file is a scalar, but a mapping is expected",
            };
            (message, Location::bytes(source, first_line(text, widen(&root.span))))
        }
        _ => ("the file is empty", Location::file(source)),
    };
    Some(Diagnostic::new(Code::NotYaml, message, location).help("write lines such as `key: value`"))
}

/// Whether a key or item in a node has no value.
pub(super) fn has_empty_value(node: &Node) -> bool {
    let is_empty = |value: &Node| value.is_empty_scalar() || has_empty_value(value);
    node.entries().iter().any(|entry| is_empty(&entry.value)) || node.items().iter().any(is_empty)
}

/// Reports each key and item without a value in the node at `pointer`.
pub(super) fn empty_values(source: SourceId, node: &Node, pointer: &Pointer, findings: &mut Vec<Diagnostic>) {
    for (index, Entry { key, value, .. }) in node.entries().iter().enumerate() {
        if value.is_empty_scalar() {
            let message = format!("the key `{}` has no value", key.escape_debug());
            let location = Location::key(source, pointer.child(key));
            let help = match node.entries().get(index + 1) {
                Some(_) => "write a value, indent the lines below that belong to it, or remove the line",
                None => "write a value, or remove the line",
            };
            findings.push(Diagnostic::new(Code::EmptyValue, message, location).help(help));
        } else if value.scalar().is_none() {
            empty_values(source, value, &pointer.child(key), findings);
        }
    }
    for (index, item) in node.items().iter().enumerate() {
        if item.is_empty_scalar() {
            let location = Location::value(source, pointer.item(index));
            let help = "write a value, or remove the `-`";
            findings.push(Diagnostic::new(Code::EmptyValue, "an item of a list has no value", location).help(help));
        } else if item.scalar().is_none() {
            empty_values(source, item, &pointer.item(index), findings);
        }
    }
}
