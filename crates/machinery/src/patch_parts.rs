//! Several patches as one: what a file contains that several model keys share.

use talosmith_document::{Document, Entry, Node, NodeValue, Sources};

use crate::decode::{Target, is_deletion};
use crate::merge::Merger;
use crate::talos_data::types::{MAIN, Types};
use crate::value::{Content, PatchSpan, Value};

/// Patches that are applied one after the other and become one.
#[derive(Debug)]
pub struct PatchParts {
    /// The documents of each.
    parts: Vec<Vec<Value<'static>>>,
    types: &'static Types,
}

impl PatchParts {
    /// Reads the parts, which have no error of [`super::decode_generated`], in the order in which they are applied.
    pub fn read<'p>(parts: impl IntoIterator<Item = &'p str>, target: &Target<'_>) -> Self {
        let parts = parts.into_iter().map(|part| parse(part).iter().map(Value::read).collect());
        Self { parts: parts.collect(), types: Types::of(target.version.minor()) }
    }

    /// Returns the documents of the one patch: those of one kind and name are merged as Talos merges them, and the main document is
    /// the first. What deletes a document stays a document of its own.
    pub fn merged(&self) -> Vec<Node> {
        self.documents().iter().map(node).collect()
    }

    /// Returns the index of the part that a line of the one patch comes from; `end` is the end of the line in `text`.
    pub fn part_of(&self, text: &str, end: usize) -> Option<usize> {
        let end = u32::try_from(end).ok()?;
        let (nodes, documents) = (parse(text), self.documents());
        let (node, document) = nodes.iter().zip(&documents).rev().find(|(node, _)| node.span.start <= end)?;
        origin_at(node, document, end).map(|origin| usize::from(origin.patch))
    }

    fn documents(&self) -> Vec<Value<'_>> {
        let mut merged: Vec<Value<'_>> = Vec::new();
        for (index, documents) in self.parts.iter().enumerate() {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            for document in documents.iter().map(|document| document.of_patch(index)) {
                let same = merged.iter_mut().find(|other| is_mergeable(other, &document));
                match same {
                    Some(left) => {
                        let (kind, name) = (kind(&document).to_owned(), document.text("name").to_owned());
                        Merger::new(self.types, &kind, &name).document(left, document);
                    }
                    None => merged.push(document),
                }
            }
        }
        merged.sort_by_key(|document| kind(document) != MAIN);
        merged
    }
}

fn parse(text: &str) -> Vec<Node> {
    Document::parse_stream(Sources::default().add("", ""), text).unwrap_or_default()
}

fn kind<'v>(document: &'v Value<'_>) -> &'v str {
    match document.text("kind") {
        "" => MAIN,
        kind => kind,
    }
}

fn is_mergeable(one: &Value<'_>, other: &Value<'_>) -> bool {
    let deletes = |document: &Value<'_>| document.all_fields().iter().any(is_deletion);
    kind(one) == kind(other) && one.text("name") == other.text("name") && !deletes(one) && !deletes(other)
}

/// Where the last value or key was written that begins before `end`; the value and the node are the same data.
fn origin_at(node: &Node, value: &Value<'_>, end: u32) -> Option<PatchSpan> {
    let inner = match (&node.value, &value.content) {
        (NodeValue::Mapping(entries), Content::Map(fields)) => {
            let last = entries.iter().zip(fields).rev().find(|(entry, _)| entry.key_span.start <= end);
            last.and_then(|(entry, field)| origin_at(&entry.value, &field.value, end).or(field.key_origin))
        }
        (NodeValue::Sequence(items), Content::List(values)) => {
            let last = items.iter().zip(values).rev().find(|(item, _)| item.span.start <= end);
            last.and_then(|(item, value)| origin_at(item, value, end))
        }
        _ => None,
    };
    inner.or(value.origin)
}

fn node(value: &Value<'_>) -> Node {
    let content = match &value.content {
        Content::Scalar(scalar) => NodeValue::Scalar((&*scalar.text).into(), scalar.style),
        Content::List(items) => NodeValue::Sequence(items.iter().map(node).collect()),
        Content::Map(fields) => {
            let entry =
                |(key, value): (&str, &Value<'_>)| Entry { key: key.into(), key_span: 0..0, value: node(value) };
            NodeValue::Mapping(fields.iter().map(|field| entry((&field.key, &field.value))).collect())
        }
    };
    Node { span: 0..0, value: content }
}

#[cfg(test)]
mod tests {
    use talosmith_document::TalosVersion;

    use super::*;

    fn parts(texts: &[&str]) -> PatchParts {
        let version: TalosVersion = "v1.13.2".parse().unwrap();
        PatchParts::read(texts.iter().copied(), &Target { version: &version, base: (1, 13) })
    }

    #[test]
    fn documents_of_one_kind_and_name_are_merged_as_talos_does() {
        let merged = parts(&[
            "kind: HostnameConfig\napiVersion: v1alpha1\nhostname: a\n",
            "machine:\n  files:\n    - path: /var/a\n  sysctls: { a: \"1\" }\n",
            "machine:\n  files:\n    - path: /var/b\n  sysctls: { b: \"2\" }\n",
            "cluster:\n  network:\n    podSubnets: [10.0.0.0/16]\n",
            "cluster:\n  network:\n    podSubnets: [10.1.0.0/16]\n",
        ])
        .merged();
        let json: Vec<_> = merged.into_iter().map(|node| node.into_json().to_string()).collect();
        assert_eq!(
            json,
            [
                r#"{"machine":{"files":[{"path":"/var/a"},{"path":"/var/b"}],"sysctls":{"a":"1","b":"2"}},"cluster":{"network":{"podSubnets":["10.1.0.0/16"]}}}"#,
                r#"{"kind":"HostnameConfig","apiVersion":"v1alpha1","hostname":"a"}"#,
            ]
        );
    }

    #[test]
    fn what_deletes_a_document_stays_one() {
        let flannel = "apiVersion: v1alpha1\nkind: KubeFlannelCNIConfig\n";
        assert_eq!(parts(&[&format!("{flannel}$patch: delete\n"), flannel]).merged().len(), 2);
    }

    #[test]
    fn each_line_knows_its_part() {
        let parts = parts(&[
            "machine:\n  files:\n    - path: a\n",
            "machine:\n  files:\n    - path: b\n  install:\n    disk: c\n",
        ]);
        let text = "# header\nmachine:\n  files:\n    - path: a\n    - path: b\n  install:\n    disk: c\n";
        let of = |line: &str| parts.part_of(text, text.find(line).unwrap() + line.len());
        assert_eq!(["path: a", "- path: b", "install:", "disk: c"].map(of), [Some(0), Some(1), Some(1), Some(1)]);
    }
}
