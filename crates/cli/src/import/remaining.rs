//! The remaining values of a patch: those without a model key. Their text keeps its comments.

use serde_json::Value;
use talosmith_document::{Document, Pointer};
use talosmith_render::yaml_document;

use super::documents::DOCUMENT_FIELDS;
use super::json_patch::{described, operation_place};
use super::source_file::SourceFile;
use super::value::{json, key_start, leaves};

/// The values of a document that no model key has.
#[derive(Debug)]
pub(super) struct RemainingDocument {
    /// The position of the document in its file.
    pub position: usize,
    /// The document without the values that were mapped; null if all were.
    pub value: Value,
    /// The fields that were mapped: their keys, joined by dots.
    pub mapped: Vec<&'static str>,
}

impl RemainingDocument {
    /// Whether no value remains that Talos would read.
    fn is_empty(&self) -> bool {
        match &self.value {
            Value::Null => true,
            Value::Object(fields) => {
                let is_identity = |key: &String| matches!(key.as_str(), "apiVersion" | "kind" | "name");
                fields.is_empty() || !self.mapped.is_empty() && fields.keys().all(is_identity)
            }
            _ => false,
        }
    }
}

/// Returns the text of the remaining values of a file, and the place and the keys of each; none if no value remains.
pub(super) fn remaining_text(
    source: &SourceFile,
    documents: &[RemainingDocument],
) -> Option<(String, Vec<(String, String)>)> {
    let kept: Vec<&RemainingDocument> = documents.iter().filter(|remaining| !remaining.is_empty()).collect();
    if kept.is_empty() {
        return None;
    }
    let values = kept.iter().flat_map(|remaining| places(source, remaining)).collect();
    if kept.len() == documents.len() && kept.iter().all(|remaining| remaining.mapped.is_empty()) {
        return Some((source.text.clone(), values));
    }
    let text = without_mapped_lines(source, documents).filter(|text| has_exactly(source, text, &kept));
    let text = text.unwrap_or_else(|| {
        let texts = kept.iter().map(|remaining| yaml_document(&remaining.value));
        texts.collect::<Vec<_>>().join("---\n")
    });
    Some((text, values))
}

/// Returns the place and the keys of the remaining values of a document. Values with the same first three keys are one entry; in a document with a
/// kind, those with the same first key.
fn places(source: &SourceFile, remaining: &RemainingDocument) -> Vec<(String, String)> {
    let Some(root) = source.documents.get(remaining.position) else { return Vec::new() };
    let kind = remaining.value["kind"].as_str();
    if let Some(operations) = remaining.value.as_array() {
        let places = operations.iter().enumerate().map(|(index, _)| operation_place(source, index));
        return places.zip(operations.iter().map(described)).collect();
    }
    // A document of such a kind is mapped as a whole, or no model key has any of its fields.
    if let Some(kind) =
        kind.filter(|kind| DOCUMENT_FIELDS.iter().all(|field| field.path.split('.').next() != Some(*kind)))
    {
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

/// Returns the text of a file without the lines of the values that were mapped.
fn without_mapped_lines(source: &SourceFile, documents: &[RemainingDocument]) -> Option<String> {
    let mut removed: Vec<(usize, usize)> = Vec::new();
    for remaining in documents {
        let root = source.documents.get(remaining.position)?;
        if remaining.is_empty() {
            removed.push((root.span.start as usize, root.span.end as usize));
            continue;
        }
        for path in &remaining.mapped {
            let mut keys: Vec<&str> = path.split('.').collect();
            // Mappings that only had mapped values are removed as a whole.
            while keys.len() > 1 && super::value::at(&remaining.value, &keys[..keys.len() - 1].join(".")).is_none() {
                keys.pop();
            }
            let at = keys.iter().fold(Pointer::root(), |at, key| at.child(key));
            let end = Document { root: root.clone() }.find(&at)?.1.end;
            removed.push((key_start(root, &at)? as usize, end as usize));
        }
    }
    let mut text = String::new();
    let mut at = 0;
    for line in source.text.split_inclusive('\n') {
        let (start, end) = (at, at + line.trim_end().len());
        at += line.len();
        let is_in = |(first, last): &(usize, usize)| start < *last && *first < end.max(start + 1);
        if !removed.iter().any(is_in) {
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

/// Whether the documents of a text are exactly the remaining ones.
fn has_exactly(source: &SourceFile, text: &str, expected: &[&RemainingDocument]) -> bool {
    let Ok(documents) = Document::parse_stream(source.id, text) else { return false };
    let documents: Vec<Value> = documents.iter().map(json).filter(|value| !value.is_null()).collect();
    documents.len() == expected.len()
        && documents.iter().zip(expected).all(|(document, remaining)| *document == remaining.value)
}
