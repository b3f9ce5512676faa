//! The machine config of a device before and after the import.

use std::collections::BTreeSet;

use serde_json::Value;
use talosmith_machinery::{Consequence, Role, Side};
use talosmith_model::layout::device_file;
use talosmith_render::{AppliedFile, AppliedFiles, Artifact, BaseAndFiles, LocatedConsequence, NodeBase, Reader};

use super::changed_files::{AppliedPatches, UnequalOperation, changed_files, unequal_operation};
use super::{RenderedArtifacts, moved_paths};
use crate::import::device_keys::CONTROL_PLANE_KEYS;
use crate::import::difference::{ValueDifference, short};
use crate::import::draft::{Draft, MappedValue, Rejected};
use crate::import::file_kind::FileKind;
use crate::import::fleet::ImportedFleet;
use crate::import::legacy_network::{EmptyNetwork, INTERFACES, moved};
use crate::import::source_file::{FileScope, JsonPatch, SourceFile};
use crate::inspection::Inspection;

/// The keys in `files` whose artifacts differ on purpose: the differences are listed, and the values stay mapped.
const EXPECTED_TO_DIFFER: [&str; 3] = ["kata", "hostname", "gpu."];

/// The name of the main document in a difference.
const MAIN_DOCUMENT: &str = "the main document";

/// A device, with the machine configs before and after the import compared.
pub(crate) struct ProvedDevice {
    pub name: String,
    /// The reason why the configs cannot be compared.
    pub failure: Option<String>,
    /// The values that differ in the merged config.
    pub differences: Vec<ValueDifference>,
    /// The documents that configure the interfaces of the main document now.
    pub moved: Vec<Value>,
    /// The files whose values differ in the merged config, by their indexes.
    pub changed: BTreeSet<usize>,
}

/// A device and what its machine config is compared with.
pub(super) struct DeviceProof<'p, 't> {
    pub draft: &'p Draft,
    pub rendered: &'p RenderedArtifacts,
    pub sources: &'p [SourceFile],
    pub fleet: &'p ImportedFleet,
    pub inspection: &'p Inspection<'t, RenderedArtifacts>,
}

impl DeviceProof<'_, '_> {
    /// Compares the machine config from the imported files with the one from the generated files, and rejects the facts that make them
    /// differ.
    pub(super) fn prove(&self, rejected: &mut Rejected) -> Option<ProvedDevice> {
        let Self { draft, rendered, sources, .. } = *self;
        let device = rendered.device.as_ref()?;
        let applied = rendered.artifacts.iter().filter(|artifact| artifact.reader == Reader::Talos && artifact.applied);
        let after: Vec<AppliedFile> = applied
            .flat_map(Artifact::parts)
            .map(|part| AppliedFile { key: part.key.to_string(), body: part.body().to_owned() })
            .collect();
        let ImportedPatches { files: before, sources: applied, links: mut moved } = imported_patches(draft, sources);
        let sides = (AppliedFiles { device, files: &before }, AppliedFiles { device, files: &after });
        let has_network = device.versions.base.minor() <= (1, 12);
        let empty = if has_network { EmptyNetwork::Kept } else { EmptyNetwork::Removed };
        let whole = whole_config(draft, sources, empty, &mut moved);
        reject_mixed_interfaces(draft, rejected);
        let renderer = &self.inspection.renderer;
        let consequences = match &whole {
            None => {
                let [before, after] = [sides.0, sides.1].map(|files| BaseAndFiles { base: &NodeBase::Model, files });
                renderer.consequences(&device.versions.talos, before, after)
            }
            Some((file, _)) => renderer.differences_from(file, sides.0, sides.1),
        };
        let mut proved = ProvedDevice {
            name: draft.name.clone(),
            failure: None,
            differences: Vec::new(),
            moved,
            changed: BTreeSet::new(),
        };
        match consequences {
            Ok(consequences) => {
                let base = device.base.iter().filter(|base| base.decoded.is_some()).count();
                let base_before = base + usize::from(whole.is_some());
                let dropped = whole.map(|(_, dropped)| dropped);
                let is_new = |found: &LocatedConsequence| {
                    dropped.is_none_or(|dropped| !is_dropped(dropped, &found.consequence.path))
                };
                let found: Vec<LocatedConsequence> = consequences.into_iter().filter(is_new).collect();
                let applied = AppliedPatches { base_before, before: &applied, base_after: base, after: &after };
                for LocatedConsequence { consequence, .. } in &found {
                    match self.unequal_operation(consequence) {
                        Some(operation) => drop(proved.changed.insert(operation.source)),
                        None => proved.changed.extend(changed_files(draft, consequence, &applied)),
                    }
                }
                proved.differences = found.into_iter().map(|found| self.difference(found, rejected)).collect();
            }
            Err(unreadable) => {
                let file = if unreadable.side == Side::Before { unreadable.key } else { "a generated file".to_owned() };
                proved.failure = Some(format!("Talos does not read {file}: {}", unreadable.message));
            }
        }
        Some(proved)
    }

    /// Returns the reason for the difference of a field that Talos refuses next to a document of the base config.
    fn conflict_reason(&self, consequence: &Consequence) -> Option<String> {
        let own = self.draft.mapped.iter().filter(|value| is_about(value, &consequence.document, &consequence.path));
        let field = own.flat_map(|value| self.fleet.conflicts.iter().filter(|field| field.has(&value.id))).next();
        Some(format!(
            "Talos refuses `{}` next to a document of the base config, which the model changes instead",
            field?.path
        ))
    }

    fn unequal_operation(&self, consequence: &Consequence) -> Option<UnequalOperation> {
        let is_main = consequence.document == MAIN_DOCUMENT;
        if is_main { unequal_operation(self.draft, self.sources, &consequence.path) } else { None }
    }

    /// Describes a difference between the machine configs, and rejects the fact or the layer's key that causes it.
    fn difference(&self, found: LocatedConsequence, rejected: &mut Rejected) -> ValueDifference {
        let LocatedConsequence { consequence, location } = found;
        let location = location.filter(|(side, _)| *side == Side::After).map(|(_, location)| location);
        let key = location.and_then(|location| {
            let path = self.inspection.sources.path(location.source);
            self.fleet.inherited.key_of(&path, &location.anchor, &self.draft.name)
        });
        let Some(key) = key else {
            let operation = self.unequal_operation(&consequence).map(|operation| operation.reason);
            let reason = self.conflict_reason(&consequence).or(operation);
            return match reason {
                Some(reason) => ValueDifference { reason: Some(reason), ..described(&consequence) },
                None => difference(self.draft, &consequence, rejected),
            };
        };
        let device = device_file(&self.draft.name);
        let reason = format!("a layer of the cluster has it: `{key}` in {device} removes it");
        if is_complete(self.draft, self.sources) {
            rejected.inherited.insert(key);
        }
        ValueDifference { reason: Some(reason), ..described(&consequence) }
    }
}

/// Whether the files have the whole machine config of a device, so that a layer must not add anything to it.
fn is_complete(draft: &Draft, sources: &[SourceFile]) -> bool {
    sources.iter().any(|source| !source.keeps_name && source.scope == FileScope::Device(draft.name.clone()))
}

/// Describes a difference between the machine configs.
fn described(consequence: &Consequence) -> ValueDifference {
    let place = [consequence.document.as_str(), consequence.path.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    ValueDifference {
        at: place.join(": "),
        before: consequence.before.as_ref().map(|text| short(&text.as_str().into())),
        after: consequence.after.as_ref().map(|text| short(&text.as_str().into())),
        reason: None,
    }
}

/// Describes a difference between the machine configs, and rejects the fact that causes it.
fn difference(draft: &Draft, consequence: &Consequence, rejected: &mut Rejected) -> ValueDifference {
    let difference = described(consequence);
    let facts = draft.mapped.iter().filter(|value| is_about(value, &consequence.document, &consequence.path));
    let is_expected = |value: &&MappedValue| {
        value.artifacts.iter().any(|key| EXPECTED_TO_DIFFER.iter().any(|start| key.starts_with(start)))
    };
    let mut facts = facts.filter(|value| !is_expected(value));
    // The model does not generate these keys for a worker, and Talos does not read them there.
    if let Some(value) = facts.next().filter(|value| draft.role == Role::ControlPlane || !is_ignored(value)) {
        let reason = format!("the generated value would differ at {}", difference.at);
        // `clusterNetwork` writes all networks of the cluster.
        let network = "/clusterNetwork".to_owned();
        let has_network = |other: &&MappedValue| value.keys.contains(&network) && other.keys.contains(&network);
        for other in draft.mapped.iter().filter(has_network).chain([value]) {
            rejected.facts.entry(other.id.clone()).or_insert_with(|| reason.clone());
        }
    }
    difference
}

/// Returns the whole machine config of a device, and the fields whose values the base config has in another form.
fn whole_config<'s>(
    draft: &Draft,
    sources: &'s [SourceFile],
    empty: EmptyNetwork,
    links: &mut Vec<Value>,
) -> Option<(AppliedFile, &'s BTreeSet<String>)> {
    let own = sources.iter().enumerate().filter(|(_, source)| source.scope == FileScope::Device(draft.name.clone()));
    let (index, source, whole) =
        own.filter_map(|(index, source)| Some((index, source, source.whole.as_ref()?))).next()?;
    let moved = moved(&whole.text, &moved_paths(draft, index), &draft.facts.selected_links, empty);
    links.extend(moved.links);
    Some((AppliedFile { key: source.path.to_string(), body: moved.text }, &whole.dropped))
}

/// Rejects interfaces if others of the device stay in a raw patch: Talos merges the settings of a link in both forms.
fn reject_mixed_interfaces(draft: &Draft, rejected: &mut Rejected) {
    let raw = draft.raw.iter().find(|raw| raw.values.iter().any(|(_, keys)| keys == INTERFACES));
    let mapped = draft.mapped.iter().filter(|value| value.path() == Some(INTERFACES));
    for (raw, value) in raw.into_iter().flat_map(|raw| mapped.clone().map(move |value| (raw, value))) {
        let reason = format!("other interfaces of the device stay in the raw patch `{}`", raw.name);
        rejected.facts.entry(value.id.clone()).or_insert(reason);
    }
}

/// Whether a value is, or is in, a field whose value the base config has in another form.
fn is_dropped(dropped: &BTreeSet<String>, path: &str) -> bool {
    dropped.iter().any(|known| path == known || path.starts_with(&format!("{known}.")))
}

/// Whether Talos ignores a value on workers.
fn is_ignored(value: &MappedValue) -> bool {
    value.keys.iter().all(|key| key.split('/').nth(1).is_some_and(|key| CONTROL_PLANE_KEYS.contains(&key)))
}

/// Whether a path in the machine config belongs to a mapped value.
pub(super) fn is_about(value: &MappedValue, document: &str, path: &str) -> bool {
    let Some(own) = value.path() else { return false };
    if own.is_empty() || own == INTERFACES {
        let name = document.split(['`', ' ', '/']).rfind(|part| !part.is_empty()).unwrap_or_default();
        return value.keys.iter().any(|key| key.ends_with(&format!("/{name}")));
    }
    path == own || path.starts_with(&format!("{own}."))
}

/// The imported patches of a device in the order in which they are applied, with placeholders for secrets.
struct ImportedPatches {
    files: Vec<AppliedFile>,
    /// The index of each.
    sources: Vec<usize>,
    /// The documents that configure the interfaces of their main documents now.
    links: Vec<Value>,
}

fn imported_patches(draft: &Draft, sources: &[SourceFile]) -> ImportedPatches {
    let mut used: Vec<usize> = Vec::new();
    let is_alternative =
        |value: &&MappedValue| value.artifacts.iter().all(|key| key.starts_with("install.alternatives"));
    let applied = draft.mapped.iter().filter(|value| !is_alternative(value));
    // A JSON patch may have no operation that was mapped.
    let is_json_patch =
        |index: &usize| sources[*index].json_patch.is_some() && sources[*index].applies_to(&draft.name, draft.role);
    let json_patches = (0..sources.len()).filter(is_json_patch);
    let raw = draft.raw.iter().map(|raw| raw.source);
    for source in applied.map(|value| value.source).chain(raw).chain(json_patches) {
        if sources[source].kind() == FileKind::Patch && sources[source].whole.is_none() && !used.contains(&source) {
            used.push(source);
        }
    }
    used.sort_by_key(|source| (sources[*source].scope.rank(), *source));
    let mut links = Vec::new();
    let file = |index: usize| {
        let source = &sources[index];
        // No base config has interfaces, so that for these both forms of a patch are equal.
        let has_others = |patch: &&JsonPatch| patch.set.is_empty() || patch.set.iter().any(|keys| keys != INTERFACES);
        let patch = source.json_patch.as_ref().filter(has_others);
        let written = patch.and_then(|patch| patch.text.as_ref()).unwrap_or(&source.text);
        let body = draft.facts.hidden.iter().fold(written.clone(), |text, (value, name)| text.replace(value, name));
        let moved = moved(&body, &moved_paths(draft, index), &draft.facts.selected_links, EmptyNetwork::Removed);
        links.extend(moved.links);
        AppliedFile { key: source.path.to_string(), body: moved.text }
    };
    let files = used.iter().copied().map(file).collect();
    ImportedPatches { files, sources: used, links }
}
