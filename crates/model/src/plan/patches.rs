//! Raw patches: whatever has no key of its own.

use std::sync::Arc;

use serde_json::{Map, Value};

use super::{Check, Files, texts};
use crate::machine_config::{Origin, Target, decode_patch};
use crate::{Code, Diagnostic, Document, Label, Node, Place, Pointer, SourceId};

/// A raw patch.
#[derive(Debug)]
pub struct Patch {
    /// Its name.
    pub name: String,
    /// What it says.
    pub content: Content,
    /// Where it says so.
    pub origin: Origin,
}

/// How a raw patch was written.
#[derive(Debug)]
pub enum Content {
    /// As a mapping, which talosmith formats.
    Mapping(Map<String, Value>),
    /// As a text, which stays as it is.
    Text(Arc<str>),
}

impl Content {
    /// The documents of the patch, or what is wrong with its text; `source` is named there.
    ///
    /// # Errors
    /// Everything that is wrong with a text that is not YAML.
    pub fn documents(&self, source: SourceId) -> Result<Vec<Node>, Vec<Diagnostic>> {
        match self {
            Self::Mapping(mapping) => Ok(vec![Node::from_map(mapping)]),
            Self::Text(text) => Document::parse_stream(source, text),
        }
    }
}

/// The raw patches of a device: its cluster's, its role's, its own, and each in the order of their names.
pub fn plan(check: &mut Check<'_>, files: &Files, target: &Target<'_>) -> Vec<Patch> {
    let mut planned = Vec::new();
    for (name, patch) in &check.file.device.patches {
        let at = Pointer::new("/patches").child(name);
        let written = match (&patch.inline, &patch.text, &patch.file) {
            (Some(mapping), None, None) => {
                let place = check.at(at.child("inline"));
                Some((Content::Mapping(mapping.clone()), Origin::Mapping(place)))
            }
            (None, Some(text), None) => {
                let place = check.at(at.child("text"));
                let block = check.fleet.block_of(check.file, &place);
                Some((Content::Text(text.as_str().into()), Origin::Text(place, block)))
            }
            (None, None, Some(path)) => {
                texts::file(check, files, &at, path).map(|(source, text)| (Content::Text(text), Origin::File(source)))
            }
            (None, None, None) => {
                check.missing(&at, "inline", "inline: { machine: { sysctls: { vm.nr_hugepages: \"1024\" } } }");
                None
            }
            _ => {
                let place = check.at(at.clone()).as_key();
                check.push(
                    Diagnostic::new(Code::UnknownKey, format!("the patch `{name}` is written more than once"), place)
                        .help("keep one of `inline`, `text` and `file`"),
                );
                None
            }
        };
        if let Some((content, origin)) = written {
            judge(check, &content, &origin, target);
            planned.push((check.file.layer(&at), Patch { name: name.to_string(), content, origin }));
        }
    }
    planned.sort_by_key(|(layer, _)| *layer);
    planned.into_iter().map(|(_, patch)| patch).collect()
}

/// What Talos's loader would say to a patch.
fn judge(check: &mut Check<'_>, content: &Content, origin: &Origin, target: &Target<'_>) {
    let (Origin::File(source) | Origin::Mapping(Place { source, .. }) | Origin::Text(Place { source, .. }, _)) =
        *origin;
    let findings = match content.documents(source) {
        Ok(documents) => decode_patch(&documents, origin, target),
        Err(findings) => findings.into_iter().map(|finding| shifted(finding, origin)).collect(),
    };
    check.findings.extend(findings);
}

/// A finding about a text, where the text stands.
fn shifted(finding: Diagnostic, origin: &Origin) -> Diagnostic {
    let label = |label: Label| Label { place: origin.shifted(label.place), text: label.text };
    let is_whole = matches!(origin, Origin::Text(_, None));
    let also = if is_whole { Vec::new() } else { finding.also.into_iter().map(label).collect() };
    Diagnostic { at: label(finding.at), also, ..finding }
}
