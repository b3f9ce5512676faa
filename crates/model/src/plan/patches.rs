//! Raw patches: whatever has no key of its own.

use camino::Utf8Path;
use serde_json::{Map, Value};

use super::{Check, Files};
use crate::read::literal_secret;
use crate::{Code, Diagnostic, Document, Place, Pointer};

/// A raw patch.
#[derive(Debug)]
pub struct Patch {
    /// Its name.
    pub name: String,
    /// What it says.
    pub content: Content,
}

/// How a raw patch was written.
#[derive(Debug)]
pub enum Content {
    /// As a mapping, which talosmith formats.
    Mapping(Map<String, Value>),
    /// As a text, which stays as it is.
    Text(String),
}

/// The raw patches of a device: its cluster's, its role's, its own, and each in the order of their names.
pub fn plan(check: &mut Check<'_>, files: &Files) -> Vec<Patch> {
    let mut planned = Vec::new();
    for (name, patch) in &check.file.device.patches {
        let at = Pointer::new("/patches").child(name);
        let content = match (&patch.inline, &patch.text, &patch.file) {
            (Some(mapping), None, None) => Some(Content::Mapping(mapping.clone())),
            (None, Some(text), None) => {
                // The places of a text in a block scalar are not those of its own lines: the whole value is named.
                let place = check.at(at.child("text"));
                is_yaml(check, text, place).then(|| Content::Text(text.clone()))
            }
            (None, None, Some(path)) => {
                let place = check.at(at.child("file"));
                let from_root = check.fleet.folder_of(check.file, &place).join(path.as_str());
                file(check, files, &from_root, place)
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
        let layer = check.file.layer(&at);
        planned.extend(content.map(|content| (layer, Patch { name: name.to_string(), content })));
    }
    planned.sort_by_key(|(layer, _)| *layer);
    planned.into_iter().map(|(_, patch)| patch).collect()
}

fn is_yaml(check: &mut Check<'_>, text: &str, place: Place) -> bool {
    match Document::parse_stream(place.source, text) {
        Ok(_) => true,
        Err(findings) => {
            let whole = findings.into_iter().map(|finding| Diagnostic {
                at: crate::Label { place: place.clone(), text: finding.at.text.clone() },
                also: Vec::new(),
                ..finding
            });
            check.findings.extend(whole);
            false
        }
    }
}

fn file(check: &mut Check<'_>, files: &Files, path: &Utf8Path, place: Place) -> Option<Content> {
    let Some(Some((source, text))) = files.get(path) else {
        check.push(
            Diagnostic::new(Code::UnknownFile, format!("there is no file `{path}`"), place)
                .note("the path is taken from the folder of the file that names it"),
        );
        return None;
    };
    check.findings.extend(literal_secret(*source, text));
    match Document::parse_stream(*source, text) {
        Ok(_) => Some(Content::Text(text.to_string())),
        Err(findings) => {
            check.findings.extend(findings);
            None
        }
    }
}
