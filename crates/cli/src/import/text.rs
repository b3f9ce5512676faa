//! The text of what is left of a patch, with its comments.

use serde_json::Value;
use talosmith_document::{Document, Pointer};
use talosmith_render::yaml_document;

use super::documents::FIELDS;
use super::source::Source;
use super::value::{json, key_start, leaves};

/// What is left of a document.
#[derive(Debug)]
pub(super) struct Remaining {
    /// The position of the document in its file.
    pub position: usize,
    /// Null if nothing is left.
    pub value: Value,
    /// The keys that were taken, joined by dots.
    pub gone: Vec<&'static str>,
}

impl Remaining {
    /// Whether there is nothing left that Talos would read.
    fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Object(fields) => {
                let is_identity = |key: &String| matches!(key.as_str(), "apiVersion" | "kind" | "name");
                fields.is_empty() || !self.gone.is_empty() && fields.keys().all(is_identity)
            }
            _ => false,
        }
    }
}

/// Returns what is left of a file, and the place and keys of each value in it; none if nothing is left.
pub(super) fn rest_text(source: &Source, rest: &[Remaining]) -> Option<(String, Vec<(String, String)>)> {
    let left: Vec<&Remaining> = rest.iter().filter(|remaining| !remaining.is_empty()).collect();
    if left.is_empty() {
        return None;
    }
    let values = left.iter().flat_map(|remaining| places(source, remaining)).collect();
    if left.len() == rest.len() && left.iter().all(|remaining| remaining.gone.is_empty()) {
        return Some((source.text.clone(), values));
    }
    let text = cut(source, rest).filter(|text| is_same(source, text, &left));
    let text = text.unwrap_or_else(|| {
        let documents = left.iter().map(|remaining| yaml_document(&remaining.value));
        documents.collect::<Vec<_>>().join("---\n")
    });
    Some((text, values))
}

/// The place and the keys of the values that are left of a document; those of one mapping of two levels are one.
fn places(source: &Source, remaining: &Remaining) -> Vec<(String, String)> {
    let Some(root) = source.documents.get(remaining.position) else { return Vec::new() };
    let kind = remaining.value["kind"].as_str();
    if remaining.value.is_array() {
        return vec![(source.place(root.span.start), "JSON patch".to_owned())];
    }
    // A document is taken as a whole, or has no key at all.
    if let Some(kind) = kind.filter(|kind| FIELDS.iter().all(|row| row.path.split('.').next() != Some(*kind))) {
        let name = [kind, remaining.value["name"].as_str().unwrap_or_default()].join(" ").trim().to_owned();
        let place = source.place_of(kind).map_or_else(|| source.place(root.span.start), str::to_owned);
        return vec![(place, name)];
    }
    let mut found: Vec<(String, String)> = Vec::new();
    for (pointer, _) in leaves(&remaining.value) {
        let is_item = |key: &String| key.bytes().all(|byte| byte.is_ascii_digit());
        let depth = if kind.is_some() { 1 } else { 3 };
        let keys: Vec<String> = pointer.segments().take(depth).take_while(|key| !is_item(key)).collect();
        if kind.is_some() && matches!(keys.first().map(String::as_str), Some("apiVersion" | "kind" | "name")) {
            continue;
        }
        let at = keys.iter().fold(Pointer::root(), |at, key| at.child(key));
        let name: Vec<&str> = kind.into_iter().chain(keys.iter().map(String::as_str)).collect();
        let name = name.join(".");
        if found.iter().all(|(_, known)| *known != name) {
            let byte = key_start(root, &at).unwrap_or(root.span.start);
            let place = source.place_of(&name).map_or_else(|| source.place(byte), str::to_owned);
            found.push((place, name));
        }
    }
    found
}

/// Cuts the lines of what was taken out of a file.
fn cut(source: &Source, rest: &[Remaining]) -> Option<String> {
    let mut gone: Vec<(usize, usize)> = Vec::new();
    for remaining in rest {
        let root = source.documents.get(remaining.position)?;
        if remaining.is_empty() {
            gone.push((root.span.start as usize, root.span.end as usize));
            continue;
        }
        for path in &remaining.gone {
            let mut keys: Vec<&str> = path.split('.').collect();
            // The mappings around it that are empty now go too.
            while keys.len() > 1 && super::value::at(&remaining.value, &keys[..keys.len() - 1].join(".")).is_none() {
                keys.pop();
            }
            let at = keys.iter().fold(Pointer::root(), |at, key| at.child(key));
            let end = Document { root: root.clone() }.find(&at)?.1.end;
            gone.push((key_start(root, &at)? as usize, end as usize));
        }
    }
    let mut text = String::new();
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let is_gone = |(first, last): &(usize, usize)| start < *last && *first < end.max(start + 1);
        if !gone.iter().any(is_gone) {
            text.push_str(line);
        }
    }
    Some(without_empty_documents(&text))
}

/// Removes documents without content.
fn without_empty_documents(text: &str) -> String {
    let mut documents = vec![String::new()];
    for line in text.split_inclusive('\n') {
        match documents.last_mut() {
            Some(last) if line.trim_end() != "---" => last.push_str(line),
            _ => documents.push(String::new()),
        }
    }
    let has_content =
        |text: &&String| text.lines().any(|line| !line.trim().is_empty() && !line.trim().starts_with('#'));
    documents.iter().filter(has_content).map(|text| text.trim_start_matches('\n')).collect::<Vec<_>>().join("---\n")
}

/// Whether a text has exactly what is left.
fn is_same(source: &Source, text: &str, left: &[&Remaining]) -> bool {
    let Ok(documents) = Document::parse_stream(source.id, text) else { return false };
    let documents: Vec<Value> = documents.iter().map(json).filter(|value| !value.is_null()).collect();
    documents.len() == left.len()
        && documents.iter().zip(left).all(|(document, remaining)| *document == remaining.value)
}
