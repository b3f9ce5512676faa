//! YAML with anchors, aliases and merge keys, which talosmith does not accept in patches.

use serde_json::{Map, Value};
use talosmith_document::{Document, Node, SourceId};
use talosmith_render::{Format, parse, yaml_document};

/// A text in which each alias and each merge key is replaced by its value.
pub(super) struct ResolvedText {
    pub text: String,
    pub documents: Vec<Node>,
    /// The documents of the written text, whose aliases are empty strings.
    pub written: Vec<Node>,
}

/// Resolves the aliases in a text that is valid otherwise.
pub(super) fn resolved(id: SourceId, text: &str) -> Option<ResolvedText> {
    let written = Document::parse_foreign(id, text).ok()?;
    let values = parse(Format::Yaml, text).ok()?.into_iter().map(without_merge_keys);
    let texts: Vec<String> = values.filter(|value| !value.is_null()).map(|value| yaml_document(&value)).collect();
    let text: String = texts.join("---\n").split_inclusive('\n').map(with_octal_mode).collect();
    let documents = Document::parse_stream(id, &text).ok()?;
    Some(ResolvedText { text, documents, written })
}

/// Resolves merge keys (`<<`), which the parser does not.
pub(super) fn without_merge_keys(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut result = Map::new();
            let (merges, own): (Vec<_>, Vec<_>) = fields.into_iter().partition(|(key, _)| key == "<<");
            for (_, value) in merges {
                let values = match value {
                    Value::Array(items) => items,
                    other => vec![other],
                };
                for value in values.into_iter().map(without_merge_keys) {
                    value.as_object().cloned().into_iter().flatten().for_each(|(key, value)| {
                        result.entry(key).or_insert(value);
                    });
                }
            }
            result.extend(own.into_iter().map(|(key, value)| (key, without_merge_keys(value))));
            Value::Object(result)
        }
        Value::Array(items) => items.into_iter().map(without_merge_keys).collect(),
        other => other,
    }
}

/// Writes the file mode in a line `permissions: …` in octal. The parser converted it to a number, which is written in decimal.
pub(super) fn with_octal_mode(line: &str) -> String {
    let mode =
        line.trim().trim_start_matches("- ").strip_prefix("permissions: ").and_then(|mode| mode.parse::<u32>().ok());
    match mode {
        Some(mode) => line.replace(&mode.to_string(), &format!("0o{mode:o}")),
        None => line.to_owned(),
    }
}
