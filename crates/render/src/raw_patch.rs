//! The text of raw patches, and of their secret files.

use std::ops::Range;

use serde_json::Value;
use talosmith_document::{Document, Entry, Node, NodeValue, SourceId, Style};
use talosmith_model::plan::{Content, Device, Patch};
use zeroize::Zeroizing;

use crate::template_context::SecretValues;
use crate::{TemplateError, TemplateErrorKind, emit, scalar};

/// Returns the text of a raw patch, with the placeholders of secrets.
pub(crate) fn text(device: &Device, name: &str) -> String {
    match find(device, name).map(|patch| &patch.content) {
        Some(Content::Mapping(mapping)) => emit::node_document(mapping),
        Some(Content::Text(text)) => text.to_string(),
        None => String::new(),
    }
}

/// Returns the text of a raw patch with the values of secrets, each in quotes where it needs them.
///
/// # Errors
/// A value cannot replace its placeholder without changing the structure of the patch.
pub(crate) fn with_secrets(
    device: &Device,
    name: &str,
    secrets: &SecretValues<'_>,
) -> Result<Zeroizing<String>, TemplateError> {
    let Some(patch) = find(device, name) else { return Ok(Zeroizing::default()) };
    match &patch.content {
        Content::Mapping(mapping) => Ok(Zeroizing::new(emit::node_document(&filled_node(mapping, secrets)))),
        Content::Text(text) => filled_text(text, patch.locator.source(), secrets).ok_or_else(|| TemplateError {
            template: format!("patches.{name}"),
            range: None,
            kind: TemplateErrorKind::Shape,
            message: format!(
                "the value of a secret would change the structure of the patch `{name}`; write it as `inline`"
            ),
        }),
    }
}

fn find<'a>(device: &'a Device, name: &str) -> Option<&'a Patch> {
    device.patches.iter().find(|patch| patch.name == name).map(|patch| &**patch)
}

/// Returns a string with the values in place of their placeholders; none if it has no placeholder.
fn filled(text: &str, secrets: &SecretValues<'_>) -> Option<Zeroizing<String>> {
    let mut filled = None;
    for (name, value) in secrets {
        let placeholder = format!("${{{name}}}");
        let current: &str = filled.as_ref().map_or(text, |filled: &Zeroizing<String>| filled.as_str());
        if current.contains(&placeholder) {
            filled = Some(Zeroizing::new(current.replace(&placeholder, value)));
        }
    }
    filled
}

fn filled_node(node: &Node, secrets: &SecretValues<'_>) -> Node {
    let value = match &node.value {
        NodeValue::Scalar(text, style) => match filled(text, secrets) {
            Some(filled) => NodeValue::Scalar(filled.as_str().into(), Style::Quoted),
            None => NodeValue::Scalar(text.clone(), *style),
        },
        NodeValue::Sequence(items) => {
            NodeValue::Sequence(items.iter().map(|item| filled_node(item, secrets)).collect())
        }
        NodeValue::Mapping(entries) => NodeValue::Mapping(
            entries
                .iter()
                .map(|entry| Entry {
                    key: filled(&entry.key, secrets).map_or_else(|| entry.key.clone(), |key| key.as_str().into()),
                    key_span: entry.key_span.clone(),
                    value: filled_node(&entry.value, secrets),
                })
                .collect(),
        ),
    };
    Node { span: node.span.clone(), value }
}

/// Returns YAML text in which each scalar with a placeholder is written anew; none if its structure is another one then.
fn filled_text(text: &str, source: SourceId, secrets: &SecretValues<'_>) -> Option<Zeroizing<String>> {
    let documents = Document::parse_stream(source, text).ok()?;
    let mut replacements = Vec::new();
    documents.iter().for_each(|root| collect(root, text, secrets, &mut replacements));
    let mut out = Zeroizing::new(String::new());
    let mut at = 0;
    for (span, scalar) in &replacements {
        out.push_str(text.get(at..span.start)?);
        out.push_str(scalar);
        at = span.end;
    }
    out.push_str(text.get(at..)?);
    let data = |documents: Vec<Node>| documents.into_iter().map(Node::into_json).collect::<Vec<Value>>();
    let expected = documents.iter().map(|root| filled_node(root, secrets)).collect();
    (data(Document::parse_stream(source, &out).ok()?) == data(expected)).then_some(out)
}

/// Adds the scalars and keys with placeholders, in the order of the text, as they are to be written.
fn collect(
    node: &Node,
    text: &str,
    secrets: &SecretValues<'_>,
    replacements: &mut Vec<(Range<usize>, Zeroizing<String>)>,
) {
    let bytes = |span: &Range<u32>| span.start as usize..span.end as usize;
    let quoted = |text: &str| Zeroizing::new(scalar::inline(text).into_owned());
    match &node.value {
        NodeValue::Scalar(scalar, style) => {
            let span = bytes(&node.span);
            let written = match style {
                Style::Block => text.get(span.clone()).and_then(|lines| {
                    // The lines of a value of several lines are indented as the block is.
                    let line = text[..span.start].rfind('\n').map_or(0, |at| at + 1);
                    let indent = format!("\n{}", " ".repeat(span.start - line));
                    let indented: Vec<(&str, Zeroizing<String>)> = secrets
                        .iter()
                        .map(|(name, value)| (*name, Zeroizing::new(value.replace('\n', &indent))))
                        .collect();
                    let indented = indented.iter().map(|(name, value)| (*name, value.as_str())).collect();
                    filled(lines, &indented)
                }),
                Style::Plain | Style::Quoted => filled(scalar, secrets).map(|scalar| quoted(&scalar)),
            };
            replacements.extend(written.map(|written| (span, written)));
        }
        NodeValue::Sequence(items) => items.iter().for_each(|item| collect(item, text, secrets, replacements)),
        NodeValue::Mapping(entries) => {
            for entry in entries {
                let key = filled(&entry.key, secrets).map(|key| (bytes(&entry.key_span), quoted(&key)));
                replacements.extend(key);
                collect(&entry.value, text, secrets, replacements);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use talosmith_document::Sources;

    use super::*;

    #[test]
    fn each_value_is_quoted_as_it_needs() {
        let source = Sources::default().add("patch.yaml", "");
        let text = "# ${KEY} is filled in\na: ${KEY} # here\nb: { c: '${KEY}', \"d ${KEY}\": [x, \"${KEY}\"] }\ne: |\n  [p]\n  k = ${KEY}\n---\nf: 1.10\n";
        let filled =
            |value: &str| filled_text(text, source, &[("KEY", value)].into()).map(|filled| filled.as_str().to_owned());
        assert_eq!(
            filled("a: \"b\" #c").as_deref(),
            Some(
                "# ${KEY} is filled in\na: 'a: \"b\" #c' # here\nb: { c: 'a: \"b\" #c', 'd a: \"b\" #c': [x, 'a: \"b\" #c'] }\ne: |\n  [p]\n  k = a: \"b\" #c\n---\nf: 1.10\n"
            )
        );
        assert_eq!(
            filled("0123\nx").as_deref(),
            Some(
                "# ${KEY} is filled in\na: \"0123\\nx\" # here\nb: { c: \"0123\\nx\", \"d 0123\\nx\": [x, \"0123\\nx\"] }\ne: |\n  [p]\n  k = 0123\n  x\n---\nf: 1.10\n"
            )
        );
        // A carriage return cannot be written in a block.
        assert_eq!(filled("a\rb"), None);
    }
}
