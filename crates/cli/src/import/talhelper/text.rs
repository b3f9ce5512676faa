//! The variables, escapes and templates in talconfig.yaml.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use talosmith_document::{Document, Sources};
use talosmith_machinery::talos_data::secrets;
use talosmith_render::{Format, parse};

use crate::import::facts::placeholders_in;
use crate::import::value::scalar_string;
use crate::tree::Tree;

/// Returns the variables in talenv.yaml in the folder of a talconfig.yaml, except those that may be secrets.
pub(super) fn variables(tree: &dyn Tree, path: &Utf8Path) -> BTreeMap<String, String> {
    let files = ["talenv.yaml", "talenv.yml"].map(|name| path.with_file_name(name));
    let texts =
        files.iter().filter_map(|path| tree.read(path).ok()?).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let documents = texts.filter_map(|text| parse(Format::Yaml, &text).ok()?.pop());
    let known = documents.filter(|document| document.get("sops").is_none());
    let entries = known.flat_map(|document| document.as_object().cloned().unwrap_or_default());
    let plain = entries.filter_map(|(name, value)| Some((name, scalar_string(&value)?)));
    plain.filter(|(name, value)| !secrets::is_secret_variable(name, value) && secrets::find(value).is_none()).collect()
}

/// Replaces the variables by their values.
pub(super) fn with_variables(text: &str, variables: &BTreeMap<String, String>) -> String {
    variables.iter().fold(text.to_owned(), |text, (name, value)| text.replace(&format!("${{{name}}}"), value))
}

/// Returns a text with quotes around the values with placeholders in brackets and braces, such as `[${A}]`, if it is YAML only then. talhelper
/// replaces placeholders before it parses a text.
pub(crate) fn with_quoted_placeholders(text: &str) -> String {
    let source = Sources::default().add("", "");
    let is_yaml = |text: &str| Document::parse_foreign(source, text).is_ok();
    if !text.contains("${") || is_yaml(text) {
        return text.to_owned();
    }
    let mut quoted = String::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let is_value = rest[..start].ends_with(['[', '{', ',', ' ']);
        let length = value_length(&rest[start..]);
        let quote = if is_value { "\"" } else { "" };
        quoted.push_str(&format!("{}{quote}{}{quote}", &rest[..start], &rest[start..start + length]));
        rest = &rest[start + length..];
    }
    quoted.push_str(rest);
    if is_yaml(&quoted) { quoted } else { text.to_owned() }
}

/// Returns the number of bytes up to the end of a value in brackets or braces that begins with a placeholder.
fn value_length(text: &str) -> usize {
    let mut is_in_placeholder = false;
    for (index, c) in text.char_indices() {
        match c {
            '$' if text[index..].starts_with("${") => is_in_placeholder = true,
            '}' if is_in_placeholder => is_in_placeholder = false,
            ',' | ']' | '}' | '\n' | ' ' if !is_in_placeholder => return index,
            _ => {}
        }
    }
    text.len()
}

/// Returns a path without `..`; none if it is outside of the repository.
pub(super) fn without_parents(path: &Utf8Path) -> Option<Utf8PathBuf> {
    let mut result = Utf8PathBuf::new();
    for part in path.components() {
        match part.as_str() {
            "." => {}
            ".." => result.pop().then_some(())?,
            name => result.push(name),
        }
    }
    Some(result)
}

/// Replaces the escape `$$` in strings: talhelper replaces variables, so that `$patch` is written as `$$patch`.
pub(super) fn without_escapes(value: Value) -> Value {
    match value {
        Value::Object(fields) => fields.into_iter().map(|(key, value)| (key, without_escapes(value))).collect(),
        Value::Array(items) => items.into_iter().map(without_escapes).collect(),
        Value::String(text) if text.contains("$$") => text.replace("$$", "$").into(),
        other => other,
    }
}

/// Removes the values with templates from a mapping, and returns their keys.
pub(super) fn remove_templates(value: &mut Value) -> Vec<String> {
    let Some(fields) = value.as_object_mut() else { return Vec::new() };
    let is_template = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
    let names: Vec<String> =
        fields.iter().filter(|(_, value)| is_template(value)).map(|(name, _)| name.clone()).collect();
    names.iter().for_each(|name| drop(fields.shift_remove(name)));
    names
}

/// Returns the name of the device with a hostname: its first label, or `node-1`, `node-2`, … if the hostname is a variable.
pub(super) fn device_name(hostname: &str, index: usize) -> String {
    let first = hostname.split('.').next().unwrap_or_default();
    if first.is_empty() || !placeholders_in(hostname).is_empty() {
        format!("node-{}", index + 1)
    } else {
        first.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn placeholders_in_brackets_get_quotes_if_the_text_is_no_yaml_without() {
        for (text, expected) in [
            ("a: [${A}, ${B}/24]\nb: { c: ${C} }\n", "a: [\"${A}\", \"${B}/24\"]\nb: { c: \"${C}\" }\n"),
            ("a: ${A}\nb: [\"${B}\"]\n", "a: ${A}\nb: [\"${B}\"]\n"),
            ("a: [${A}\n", "a: [${A}\n"),
        ] {
            assert_eq!(with_quoted_placeholders(text), expected);
        }
    }
}
