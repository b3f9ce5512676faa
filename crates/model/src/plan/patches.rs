//! Raw patches: whatever has no key of its own.

use std::borrow::Cow;
use std::sync::Arc;

use talosmith_document::{Cache, Code, Diagnostic, Document, Label, Location, Node, Pointer, SourceId, TalosVersion};
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{self as machinery, PatchLocator, Target, decode_patch};

use super::{Check, texts};
use crate::scalar::Name;
use crate::{LayerRank, device};

/// A raw patch.
#[derive(Debug)]
pub struct Patch {
    pub name: String,
    /// As it is written.
    pub content: Content,
    /// Where it is written.
    pub locator: PatchLocator,
    /// What it changes; none if its text is not YAML.
    pub decoded: Option<machinery::Patch>,
}

/// The patches of layers, each planned once for all devices with one Talos version and one base config.
#[derive(Debug, Default)]
pub struct LayerPatches(Cache<(Location, TalosVersion, Minor), Planned>);

/// A patch, unless its keys contradict each other, and what is wrong with it.
type Planned = (Option<Arc<Patch>>, Vec<Diagnostic>);

/// How a raw patch was written.
#[derive(Debug)]
pub enum Content {
    /// A mapping, which talosmith formats.
    Mapping(Arc<Node>),
    /// A string, which stays as it is.
    Text(Arc<str>),
}

impl Content {
    fn documents(&self, source: SourceId) -> Result<Cow<'_, [Node]>, Vec<Diagnostic>> {
        match self {
            Self::Mapping(mapping) => Ok(Cow::Borrowed(std::slice::from_ref(&**mapping))),
            Self::Text(text) => Document::parse_stream(source, text).map(Cow::Owned),
        }
    }
}

/// The raw patches of a device: its cluster's, its role's, its own, and each in the order of their names.
pub(super) fn plan(check: &mut Check<'_>, target: &Target<'_>) -> Vec<Arc<Patch>> {
    let layer_patches = &check.caches.layer_patches;
    let mut planned = Vec::new();
    for (name, patch) in &check.file.device.patches {
        let at = Pointer::new("/patches").child(name);
        let location = check.at(at.clone());
        let layer = check.file.layer(&at);
        let is_shared = layer != LayerRank::Device;
        let mut work = || {
            let before = check.findings.len();
            let patch = read(check, name, patch, &at, target).map(Arc::new);
            (patch, check.findings.split_off(before))
        };
        let (patch, findings) = if is_shared {
            layer_patches.0.get_or_compute(&(location, target.version.clone(), target.base), work)
        } else {
            work()
        };
        check.findings.extend(findings);
        planned.extend(patch.map(|patch| (layer, patch)));
    }
    planned.sort_by_key(|(layer, _)| *layer);
    planned.into_iter().map(|(_, patch)| patch).collect()
}

fn read(check: &mut Check<'_>, name: &Name, patch: &device::Patch, at: &Pointer, target: &Target<'_>) -> Option<Patch> {
    let (content, locator) = match (&patch.inline, &patch.text, &patch.file) {
        (Some(mapping), None, None) => {
            let location = check.at(at.child("inline"));
            match check.fleet.mapping_of(check.file, &location) {
                Some(node) => (Content::Mapping(node), PatchLocator::File(location.source)),
                None => (Content::Mapping(Arc::new(Node::from_map(mapping))), PatchLocator::Whole(location)),
            }
        }
        (None, Some(text), None) => {
            let location = check.at(at.child("text"));
            let locator = match check.fleet.block_of(check.file, &location) {
                Some(block) => PatchLocator::Block(location, block),
                None => PatchLocator::Whole(location),
            };
            (Content::Text(text.as_str().into()), locator)
        }
        (None, None, Some(path)) => {
            let (source, text) = texts::file(check, at, path)?;
            (Content::Text(text), PatchLocator::File(source))
        }
        (None, None, None) => {
            check.missing(at, "inline", "inline: { machine: { sysctls: { vm.nr_hugepages: \"1024\" } } }");
            return None;
        }
        _ => {
            let location = check.key(at.clone());
            check.push(
                Diagnostic::new(Code::ExclusiveKeys, format!("the patch `{name}` has more than one content"), location)
                    .help("keep one of `inline`, `text` and `file`"),
            );
            return None;
        }
    };
    let decoded = match content.documents(locator.source()) {
        Ok(documents) => {
            let (decoded, findings) = decode_patch(&documents, &locator, target);
            check.findings.extend(findings);
            Some(decoded)
        }
        Err(findings) => {
            check.findings.extend(findings.into_iter().map(|finding| relocated(finding, &locator)));
            None
        }
    };
    Some(Patch { name: name.to_string(), content, locator, decoded })
}

/// A finding of the parser, at the location of the patch's text in the user's file.
fn relocated(finding: Diagnostic, locator: &PatchLocator) -> Diagnostic {
    let label = |label: Label| Label { location: locator.relocate(label.location), text: label.text };
    let is_whole = matches!(locator, PatchLocator::Whole(_));
    let also = if is_whole { Vec::new() } else { finding.also.into_iter().map(label).collect() };
    Diagnostic { at: label(finding.at), also, ..finding }
}
