//! Values as YAML, in the layout that a person would write.

use std::borrow::Cow;

use serde_json::Value;
use talosmith_document::{Node, NodeValue, Style};

use crate::scalar;

/// The longest key that YAML accepts without a `?` before it, in characters with quotes (YAML 1.2.2, section 7.4.2).
const KEY_LIMIT: usize = 1024;

/// Returns the YAML document of a value: indented by two spaces, lists indented below their key, strings of several lines as `|`
/// blocks, and a newline at the end.
pub fn yaml_document(value: &Value) -> String {
    document(&Tree::from(value))
}

/// Returns the YAML document of a mapping that a user wrote. Scalars without quotes stay as they are written: `1.10` and `0o644`
/// keep the meaning that they have for the program that reads the document.
pub(crate) fn node_document(node: &Node) -> String {
    document(&Tree::new(node, false))
}

/// Returns the same with the quotes that strings have, whether or not they need them.
pub(crate) fn quoted_document(node: &Node) -> String {
    document(&Tree::new(node, true))
}

/// Returns a list or mapping as part of a document, to be inserted at column `indent`; without a newline at the end.
pub(crate) fn nested(value: &Value, indent: usize) -> String {
    let mut out = String::new();
    Tree::from(value).write(&mut out, indent);
    out
}

/// Returns a value on one line, with lists and mappings in flow style.
pub fn yaml_flow(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(number) => scalar::number(number),
        Value::String(text) => scalar::inline(text).into_owned(),
        Value::Array(items) => format!("[{}]", items.iter().map(yaml_flow).collect::<Vec<_>>().join(", ")),
        Value::Object(map) if map.is_empty() => "{}".to_owned(),
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("{}: {}", scalar::inline(key), yaml_flow(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
    }
}

/// What is written: the common form of JSON values and of YAML nodes.
enum Tree<'a> {
    Mapping(Vec<(&'a str, Self)>),
    List(Vec<Self>),
    /// A string, which gets quotes or a `|` block where it needs them.
    Text(&'a str),
    /// Any other scalar, or an empty mapping or list.
    Written(Cow<'a, str>),
}

impl<'a> From<&'a Value> for Tree<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Object(map) if !map.is_empty() => {
                Self::Mapping(map.iter().map(|(key, value)| (key.as_str(), value.into())).collect())
            }
            Value::Array(items) if !items.is_empty() => Self::List(items.iter().map(Self::from).collect()),
            Value::String(text) => Self::Text(text),
            other => Self::Written(yaml_flow(other).into()),
        }
    }
}

impl<'a> Tree<'a> {
    fn new(node: &'a Node, keeps_quotes: bool) -> Self {
        let tree = |node| Self::new(node, keeps_quotes);
        match &node.value {
            NodeValue::Mapping(entries) if !entries.is_empty() => {
                Self::Mapping(entries.iter().map(|entry| (&*entry.key, tree(&entry.value))).collect())
            }
            NodeValue::Sequence(items) if !items.is_empty() => Self::List(items.iter().map(tree).collect()),
            NodeValue::Mapping(_) => Self::Written("{}".into()),
            NodeValue::Sequence(_) => Self::Written("[]".into()),
            NodeValue::Scalar(text, Style::Plain) if text.is_empty() => Self::Written("null".into()),
            NodeValue::Scalar(text, Style::Plain) if !text.contains('\n') => Self::Written((&**text).into()),
            NodeValue::Scalar(text, Style::Quoted) if keeps_quotes => Self::Written(scalar::quoted(text).into()),
            NodeValue::Scalar(text, _) => Self::Text(text),
        }
    }
}

impl Tree<'_> {
    /// Writes the tree at column `indent`.
    fn write(&self, out: &mut String, indent: usize) {
        match self {
            Self::Mapping(entries) => {
                for (index, (key, value)) in entries.iter().enumerate() {
                    if index > 0 {
                        new_line(out, indent);
                    }
                    let key = scalar::inline(key);
                    if key.chars().count() > KEY_LIMIT {
                        out.push_str("? ");
                        out.push_str(&key);
                        new_line(out, indent);
                    } else {
                        out.push_str(&key);
                    }
                    out.push(':');
                    match value {
                        Self::Mapping(_) | Self::List(_) => new_line(out, indent + 2),
                        Self::Text(_) | Self::Written(_) => out.push(' '),
                    }
                    value.write(out, indent + 2);
                }
            }
            Self::List(items) => {
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        new_line(out, indent);
                    }
                    out.push_str("- ");
                    item.write(out, indent + 2);
                }
            }
            // A block scalar at the root would have no parent to be indented under: there, `indent` is 0.
            Self::Text(text) => {
                out.push_str(&scalar::literal(text, indent).map_or_else(|| scalar::inline(text), Cow::Owned));
            }
            Self::Written(text) => out.push_str(text),
        }
    }
}

fn document(tree: &Tree<'_>) -> String {
    let mut out = String::new();
    tree.write(&mut out, 0);
    out.push('\n');
    out
}

fn new_line(out: &mut String, indent: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(' ', indent));
}

#[cfg(test)]
mod tests;
