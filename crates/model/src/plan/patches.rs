//! Raw patches: whatever has no key of its own.

use std::sync::Arc;

use talosmith_document::{Cache, Code, Diagnostic, Document, Label, Location, Node, Pointer, SourceId, TalosVersion};
use talosmith_machinery::talos_data::fields::Minor;
use talosmith_machinery::{Origin, Target, decode_patch};

use super::{Check, texts};
use crate::scalar::Name;
use crate::{LayerRank, device};

/// A raw patch.
#[derive(Debug)]
pub struct Patch {
    /// Its name.
    pub name: String,
    /// What it says.
    pub content: Content,
    /// Where it says so.
    pub origin: Origin,
    /// Its documents; none if its text is not YAML.
    pub documents: Option<Arc<[Node]>>,
}

/// The patches of layers: each is planned once for all devices that it is right for in the same way.
#[derive(Debug, Default)]
pub struct LayerPatches(Cache<(Location, TalosVersion, Minor), Planned>);

/// A patch, if it can be made out, and what is wrong with it.
type Planned = (Option<Arc<Patch>>, Vec<Diagnostic>);

/// How a raw patch was written.
#[derive(Debug)]
pub enum Content {
    /// As a mapping, which talosmith formats.
    Mapping(Arc<Node>),
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
            Self::Mapping(mapping) => Ok(vec![Node::clone(mapping)]),
            Self::Text(text) => Document::parse_stream(source, text),
        }
    }
}

/// The raw patches of a device: its cluster's, its role's, its own, and each in the order of their names.
pub fn plan(check: &mut Check<'_>, target: &Target<'_>) -> Vec<Arc<Patch>> {
    let layer_patches = &check.caches.layer_patches;
    let mut planned = Vec::new();
    for (name, patch) in &check.file.device.patches {
        let at = Pointer::new("/patches").child(name);
        let location = check.at(at.clone());
        let layer = check.file.layer(&at);
        let is_shared = layer != LayerRank::Device;
        let mut work = || {
            let before = check.findings.len();
            let patch = one(check, name, patch, &at, target).map(Arc::new);
            (patch, check.findings.split_off(before))
        };
        let (patch, findings) = if is_shared {
            layer_patches.0.get_or_compute((location, target.version.clone(), target.base), |_| work())
        } else {
            work()
        };
        check.findings.extend(findings);
        planned.extend(patch.map(|patch| (layer, patch)));
    }
    planned.sort_by_key(|(layer, _)| *layer);
    planned.into_iter().map(|(_, patch)| patch).collect()
}

fn one(check: &mut Check<'_>, name: &Name, patch: &device::Patch, at: &Pointer, target: &Target<'_>) -> Option<Patch> {
    let (content, origin) = match (&patch.inline, &patch.text, &patch.file) {
        (Some(mapping), None, None) => {
            let location = check.at(at.child("inline"));
            let node =
                check.fleet.mapping_of(check.file, &location).unwrap_or_else(|| Arc::new(Node::from_map(mapping)));
            (Content::Mapping(node), Origin::Mapping(location))
        }
        (None, Some(text), None) => {
            let location = check.at(at.child("text"));
            let block = check.fleet.block_of(check.file, &location);
            (Content::Text(text.as_str().into()), Origin::Text(location, block))
        }
        (None, None, Some(path)) => {
            let (source, text) = texts::file(check, at, path)?;
            (Content::Text(text), Origin::File(source))
        }
        (None, None, None) => {
            check.missing(at, "inline", "inline: { machine: { sysctls: { vm.nr_hugepages: \"1024\" } } }");
            return None;
        }
        _ => {
            let location = check.at(at.clone()).as_key();
            check.push(
                Diagnostic::new(Code::UnknownKey, format!("the patch `{name}` is written more than once"), location)
                    .help("keep one of `inline`, `text` and `file`"),
            );
            return None;
        }
    };
    // What Talos's loader would say to it.
    let documents = match content.documents(origin.source()) {
        Ok(documents) => {
            check.findings.extend(decode_patch(&documents, &origin, target));
            Some(documents.into())
        }
        Err(findings) => {
            check.findings.extend(findings.into_iter().map(|finding| shifted(finding, &origin)));
            None
        }
    };
    Some(Patch { name: name.to_string(), content, origin, documents })
}

/// A finding about a text, where the text stands.
fn shifted(finding: Diagnostic, origin: &Origin) -> Diagnostic {
    let label = |label: Label| Label { location: origin.shifted(label.location), text: label.text };
    let is_whole = matches!(origin, Origin::Text(_, None));
    let also = if is_whole { Vec::new() } else { finding.also.into_iter().map(label).collect() };
    Diagnostic { at: label(finding.at), also, ..finding }
}
