//! Raw patches: whatever has no key of its own.

use std::borrow::Cow;
use std::sync::Arc;

use talosmith_document::{
    Cache, Code, Diagnostic, Document, Label, Level, Location, Node, Pointer, SourceId, TalosVersion,
};
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{self as machinery, PatchLocator, Target, decode_patch};

use super::secrets::SecretOwner;
use super::values::{Mention, ValueUser, Values, mentions_in_node, overlaps, replace_in_node};
use super::{Check, texts, values};
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
    /// The layer that it is written in.
    pub layer: LayerRank,
    /// What it changes; none if its text is not YAML.
    pub decoded: Option<machinery::Patch>,
    /// The names of values in it.
    mentions: Vec<Mention>,
    /// Where a value replaced its name, the name, and where the value is written.
    replaced: Vec<(Location, String, Location)>,
}

impl Patch {
    /// Adds the values that what a finding is about came from.
    #[must_use]
    pub fn with_values(&self, finding: Diagnostic) -> Diagnostic {
        self.replaced.iter().fold(finding, |finding, (at, name, value)| {
            match overlaps(&finding.at.location, at) && finding.also.iter().all(|also| also.location != *value) {
                true => finding.also(value.clone(), format!("the value of `$<{name}>`")),
                false => finding,
            }
        })
    }
}

/// The patches of layers, each planned once for all devices with one Talos version and one base config.
#[derive(Debug, Default)]
pub struct LayerPatches(Cache<(Location, LayerRank, TalosVersion, Minor), Planned>);

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
    /// Whether a key or a scalar contains a text.
    fn contains(&self, text: &str, source: SourceId) -> bool {
        fn any(node: &Node, text: &str) -> bool {
            node.scalar().is_some_and(|(scalar, _)| scalar.contains(text))
                || node.items().iter().any(|item| any(item, text))
                || node.entries().iter().any(|entry| entry.key.contains(text) || any(&entry.value, text))
        }
        match self {
            Self::Mapping(mapping) => any(mapping, text),
            // Not if only a comment has it.
            Self::Text(whole) => {
                whole.contains(text)
                    && self.documents(source).is_ok_and(|documents| documents.iter().any(|root| any(root, text)))
            }
        }
    }

    fn documents(&self, source: SourceId) -> Result<Cow<'_, [Node]>, Vec<Diagnostic>> {
        match self {
            Self::Mapping(mapping) => Ok(Cow::Borrowed(std::slice::from_ref(&**mapping))),
            Self::Text(text) => Document::parse_stream(source, text).map(Cow::Owned),
        }
    }
}

/// The raw patches of a device: its cluster's, its role's, its groups', its own, and each in the order of their names.
pub(super) fn plan(check: &mut Check<'_>, target: &Target<'_>) -> Vec<Arc<Patch>> {
    let file = check.file;
    let patches = file.device.patches.iter().map(|(name, patch)| {
        let at = Pointer::new("/patches").child(name);
        let secrets = SecretOwner { what: "patch", name: name.as_str(), listed: &patch.secrets, at: &at };
        secrets.use_listed(check);
        let user = ValueUser { what: "patch", name: name.as_str(), listed: &patch.values, at: &at };
        let is_shared = patch.values.is_empty();
        let planned = in_layer(check, &at, is_shared.then_some(target), |check| {
            let read = read(check, name, patch, &user, target)?;
            secrets.check_uses(check, |placeholder| read.content.contains(placeholder, read.locator.source()));
            Some(read)
        });
        if is_shared && let Some((_, patch)) = &planned {
            user.resolve(check, &patch.mentions);
        }
        planned
    });
    in_order(patches.collect())
}

/// The base configs that the repository keeps for a device, in the same order. They replace what `talosctl gen config` generates, so
/// only what Talos refuses in them is a finding, and references to secrets are not.
pub(super) fn plan_base(check: &mut Check<'_>, target: &Target<'_>) -> Vec<Arc<Patch>> {
    let file = check.file;
    let files = file.device.base.iter().map(|(name, base)| {
        let at = Pointer::new("/base").child(name);
        in_layer(check, &at, Some(target), |check| {
            let (source, text) = texts::file(check, &at, &base.file)?;
            let before = check.findings.len();
            let patch = decode(check, name, Content::Text(text), PatchLocator::File(source), target);
            let found = check.findings.split_off(before).into_iter();
            let is_refused =
                |finding: &Diagnostic| finding.level == Level::Error && finding.code != Code::SecretReference;
            check.findings.extend(found.filter(is_refused));
            Some(patch)
        })
    });
    in_order(files.collect())
}

/// Checks the machine configs that the schematics embed as raw patches are checked: the node loads them, and they are public.
pub(super) fn check_embedded(check: &mut Check<'_>, target: &Target<'_>) {
    let file = check.file;
    for (name, schematic) in &file.device.schematics {
        let Some(text) = &schematic.embedded_machine_configuration else { continue };
        let at = Pointer::new("/schematics").child(name).child("embeddedMachineConfiguration");
        let locator = locator_of_text(check, &at);
        decode(check, name, Content::Text(text.as_str().into()), locator, target);
    }
}

/// Plans a patch or base config once for all devices that have it from the same layer with the same target; without one, for each device.
fn in_layer(
    check: &mut Check<'_>,
    at: &Pointer,
    target: Option<&Target<'_>>,
    read: impl FnOnce(&mut Check<'_>) -> Option<Patch>,
) -> Option<(LayerRank, Arc<Patch>)> {
    let layer_patches = &check.caches.layer_patches;
    let location = check.at(at.clone());
    let layer = check.file.layer(at);
    let work = || {
        let before = check.findings.len();
        let patch = read(check).map(|patch| Arc::new(Patch { layer, ..patch }));
        (patch, check.findings.split_off(before))
    };
    let (patch, findings) = match target.filter(|_| layer != LayerRank::Device) {
        Some(target) => layer_patches.0.get_or_compute(&(location, layer, target.version.clone(), target.base), work),
        None => work(),
    };
    check.findings.extend(findings);
    Some((layer, patch?))
}

fn in_order(planned: Vec<Option<(LayerRank, Arc<Patch>)>>) -> Vec<Arc<Patch>> {
    let mut planned: Vec<_> = planned.into_iter().flatten().collect();
    planned.sort_by_key(|(layer, _)| *layer);
    planned.into_iter().map(|(_, patch)| patch).collect()
}

fn read(
    check: &mut Check<'_>,
    name: &Name,
    patch: &device::Patch,
    user: &ValueUser<'_>,
    target: &Target<'_>,
) -> Option<Patch> {
    let at = user.at;
    let (content, locator) = match (&patch.inline, &patch.text, &patch.file) {
        (Some(mapping), None, None) => {
            let location = check.at(at.child("inline"));
            match check.fleet.mapping_of(check.file, &location) {
                Some(node) => (Content::Mapping(node), PatchLocator::File(location.source)),
                None => (Content::Mapping(Arc::new(Node::from_map(mapping))), PatchLocator::Whole(location)),
            }
        }
        (None, Some(text), None) => (Content::Text(text.as_str().into()), locator_of_text(check, &at.child("text"))),
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
    let mentions = match &content {
        Content::Mapping(mapping) => mentions_in_node(mapping, &locator),
        Content::Text(text) => values::mentions(text, |bytes| locator.location(bytes)),
    };
    if patch.values.is_empty() {
        return Some(Patch { mentions, ..decode(check, name, content, locator, target) });
    }
    let values = user.resolve(check, &mentions);
    let before = check.findings.len();
    let (content, locator) = with_values(check, content, locator, &values, user);
    let replaced = mentions.iter().filter_map(|mention| {
        let value = values.get(&mention.name)?.location.clone();
        Some((mention.location.clone(), mention.name.clone(), value))
    });
    let patch = Patch { replaced: replaced.collect(), ..decode(check, name, content, locator, target) };
    let found: Vec<_> = check.findings.split_off(before);
    check.findings.extend(found.into_iter().map(|finding| patch.with_values(finding)));
    Some(patch)
}

/// Puts the values of the device into a patch.
fn with_values(
    check: &mut Check<'_>,
    content: Content,
    locator: PatchLocator,
    values: &Values,
    user: &ValueUser<'_>,
) -> (Content, PatchLocator) {
    match content {
        Content::Mapping(mapping) => (Content::Mapping(Arc::new(replace_in_node(&mapping, values))), locator),
        Content::Text(text) => {
            let (replaced, locator) = values::replace_in_text(check, user, &text, locator, values);
            (Content::Text(replaced), locator)
        }
    }
}

/// Returns the locator of a string in the model.
pub(super) fn locator_of_text(check: &Check<'_>, at: &Pointer) -> PatchLocator {
    let location = check.at(at.clone());
    match check.fleet.block_of(check.file, &location) {
        Some(block) => PatchLocator::Block(location, block),
        None => PatchLocator::Whole(location),
    }
}

fn decode(check: &mut Check<'_>, name: &Name, content: Content, locator: PatchLocator, target: &Target<'_>) -> Patch {
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
    let (mentions, replaced) = Default::default();
    Patch { name: name.to_string(), content, locator, layer: LayerRank::Device, decoded, mentions, replaced }
}

/// A finding of the parser, at the location of the patch's text in the user's file.
fn relocated(finding: Diagnostic, locator: &PatchLocator) -> Diagnostic {
    let label = |label: Label| Label { location: locator.relocate(label.location), text: label.text };
    let is_whole = matches!(locator, PatchLocator::Whole(_));
    let also = if is_whole { Vec::new() } else { finding.also.into_iter().map(label).collect() };
    Diagnostic { at: label(finding.at), also, ..finding }
}
