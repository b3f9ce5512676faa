//! A value as a YAML document, in block style, as a person would write it.

use serde_json::Value;
use talosmith_document::{Node, NodeValue, Style};

use crate::scalar;

/// The longest key that YAML takes without a `?` before it, in characters with quotes (YAML 1.2.2, section 7.4.2).
const KEY_LIMIT: usize = 1024;

/// The YAML document of a value: two spaces of indent, lists indented under their key, texts of several lines as `|`
/// blocks, and a newline at the end.
#[must_use]
pub fn document(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(map) if !map.is_empty() => write_block(&mut out, value, 0),
        Value::Array(items) if !items.is_empty() => write_block(&mut out, value, 0),
        // A block scalar at the root would have no parent to be indented under.
        other => out.push_str(&short(other, 0)),
    }
    out.push('\n');
    out
}

/// A list or a map as it stands inside a document, where the cursor is at column `indent`; without a newline at the end.
#[must_use]
pub fn nested(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    if is_block(value) {
        write_block(&mut out, value, indent);
    } else {
        out.push_str(&short(value, indent));
    }
    out
}

/// Writes a map or list that is not empty; the cursor stands at column `indent`.
fn write_block(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Object(map) => {
            for (at, (key, value)) in map.iter().enumerate() {
                if at > 0 {
                    new_line(out, indent);
                }
                let key = scalar::key(key);
                if key.chars().count() > KEY_LIMIT {
                    out.push_str("? ");
                    out.push_str(&key);
                    new_line(out, indent);
                } else {
                    out.push_str(&key);
                }
                out.push(':');
                if is_block(value) {
                    new_line(out, indent + 2);
                    write_block(out, value, indent + 2);
                } else {
                    out.push(' ');
                    out.push_str(&short(value, indent + 2));
                }
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    new_line(out, indent);
                }
                out.push_str("- ");
                if is_block(item) {
                    write_block(out, item, indent + 2);
                } else {
                    out.push_str(&short(item, indent + 2));
                }
            }
        }
        other => out.push_str(&short(other, indent)),
    }
}

/// The YAML document of a mapping that a user wrote, in block style. Scalars without quotes stay as they are written, so that `1.10`
/// and `0o644` come to whoever reads the document as the user meant them.
#[must_use]
pub fn rewritten(node: &Node) -> String {
    let mut out = String::new();
    write_node(&mut out, node, 0);
    out.push('\n');
    out
}

/// Writes what a user wrote; the cursor stands at column `indent`.
fn write_node(out: &mut String, node: &Node, indent: usize) {
    match &node.value {
        NodeValue::Mapping(entries) if !entries.is_empty() => {
            for (at, entry) in entries.iter().enumerate() {
                if at > 0 {
                    new_line(out, indent);
                }
                out.push_str(&scalar::key(&entry.key));
                out.push(':');
                if entry.value.entries().is_empty() && entry.value.items().is_empty() {
                    out.push(' ');
                } else {
                    new_line(out, indent + 2);
                }
                write_node(out, &entry.value, indent + 2);
            }
        }
        NodeValue::Sequence(items) if !items.is_empty() => {
            for (at, item) in items.iter().enumerate() {
                if at > 0 {
                    new_line(out, indent);
                }
                out.push_str("- ");
                write_node(out, item, indent + 2);
            }
        }
        NodeValue::Mapping(_) => out.push_str("{}"),
        NodeValue::Sequence(_) => out.push_str("[]"),
        NodeValue::Scalar(text, Style::Plain) if text.is_empty() => out.push_str("null"),
        NodeValue::Scalar(text, Style::Plain) if !text.contains('\n') => out.push_str(text),
        NodeValue::Scalar(text, _) => {
            out.push_str(&scalar::literal(text, indent).unwrap_or_else(|| scalar::inline(text).into_owned()));
        }
    }
}

/// Whether a value takes lines of its own.
fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

/// What stands behind `key: ` or `- `: a scalar, or an empty map or list. Lines of a block scalar have `indent`.
fn short(value: &Value, indent: usize) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => scalar::number(number),
        Value::String(text) => scalar::literal(text, indent).unwrap_or_else(|| scalar::inline(text).into_owned()),
        Value::Array(_) => "[]".to_owned(),
        Value::Object(_) => "{}".to_owned(),
    }
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests;
