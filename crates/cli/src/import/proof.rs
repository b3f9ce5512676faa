//! The proof that a model is equivalent to the imported files: its generated files are compared with them, and so are the machine configs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde_json::Value;
use talosmith_document::{Anchor, Code, Level};
use talosmith_machinery::{Consequence, Role, Side};
use talosmith_model::layout::device_file;
use talosmith_model::plan;
use talosmith_render::{AppliedFile, AppliedFiles, Artifact, LocatedConsequence, Reader};

use super::device_keys::CONTROL_PLANE_KEYS;
use super::difference::{ValueDifference, compare, short};
use super::documents::is_cluster_network;
use super::draft::{Draft, MappedValue, Rejected};
use super::file_kind::{self, FileKind};
use super::fleet::ImportedFleet;
use super::legacy_network::{INTERFACES, moved};
use super::source_file::{FileScope, SourceFile};
use super::value::json;
use crate::inspection::{Inspection, inspect};
use crate::project::Project;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::Tree;

/// The keys in `files` whose artifacts differ on purpose: the differences are listed, and the values stay mapped.
const EXPECTED_TO_DIFFER: [&str; 3] = ["kata", "hostname", "gpu."];

/// The generated files of a model, compared with the imported files.
pub(crate) struct ImportProof<'t> {
    pub inspection: Inspection<'t, RenderedArtifacts>,
    pub files: Vec<ProvedFile>,
    pub devices: Vec<ProvedDevice>,
    /// The facts that the model cannot have, each with the reason.
    pub rejected: Rejected,
}

/// The artifacts of a device, or of the applications of a cluster.
pub(crate) struct RenderedArtifacts {
    device: Option<Arc<plan::Device>>,
    artifacts: Vec<Artifact>,
}

/// An imported file, compared with the files that are generated instead.
pub(crate) struct ProvedFile {
    pub path: Utf8PathBuf,
    /// The device for which the file is compared, if it can apply to several.
    pub device: Option<String>,
    pub generated: Vec<Utf8PathBuf>,
    pub differences: Vec<ValueDifference>,
    /// Whether one of its values is in an artifact with values of other files. Then it is not compared.
    pub is_merged: bool,
}

/// A device, with the machine configs before and after the import compared.
pub(crate) struct ProvedDevice {
    pub name: String,
    /// The reason why the configs cannot be compared.
    pub failure: Option<String>,
    /// The values that differ in the merged config.
    pub differences: Vec<ValueDifference>,
    /// The documents that configure the interfaces of the main document now.
    pub moved: Vec<Value>,
}

/// Renders a model, and compares the result with the imported files.
pub(crate) fn prove<'t>(
    tree: &'t dyn Tree,
    fleet: &ImportedFleet,
    sources: &[SourceFile],
) -> anyhow::Result<ImportProof<'t>> {
    let project = Project::open(tree)?;
    let keep = |inspected: &Inspected<'_>| {
        let device = match inspected.owner {
            Owner::Device(device) => Some(Arc::clone(device)),
            Owner::Cluster(_) | Owner::User(_) => None,
        };
        Some(RenderedArtifacts { device, artifacts: inspected.artifacts?.to_vec() })
    };
    let selection = match fleet.is_added {
        true => Selection::Devices(fleet.drafts.iter().map(|draft| draft.name.clone()).collect()),
        false => Selection::Everything,
    };
    let mut inspection = inspect(project, &selection, Purpose::Validate, keep)?;
    inspection.remove_findings_about_others(&selection);
    let rendered = std::mem::take(&mut inspection.kept);
    let mut rejected = Rejected::default();
    for finding in
        inspection.findings.iter().filter(|finding| finding.level == Level::Error && is_rejection(finding.code))
    {
        let path = inspection.sources.path(finding.at.location.source);
        reject(&mut rejected, fleet, path.as_str(), &finding.at.location.anchor, &finding.message);
    }
    let mut files = Vec::new();
    let mut devices = Vec::new();
    for draft in &fleet.drafts {
        let of_draft =
            |rendered: &&RenderedArtifacts| rendered.device.as_ref().is_some_and(|device| device.name == draft.name);
        let Some(rendered) = rendered.iter().find(of_draft) else { continue };
        files.extend(prove_files(draft, rendered, sources));
        devices.extend(prove_device(draft, rendered, (fleet, sources), &inspection, &mut rejected));
    }
    files.extend(prove_applications(&fleet.generated, &rendered, sources));
    Ok(ImportProof { inspection, files, devices, rejected })
}

/// Whether a finding means that the model cannot have the value, and not that the value is wrong in the imported files too.
fn is_rejection(code: Code) -> bool {
    let codes = [
        Code::UnknownKey,
        Code::MissingKey,
        Code::WrongType,
        Code::EmptyValue,
        Code::KernelArg,
        Code::ExclusiveKeys,
        Code::MisplacedKey,
        Code::DuplicateItem,
        Code::NoSuccessor,
        Code::VolumeName,
        Code::VolumeKind,
        Code::UnknownKind,
        Code::OldTalos,
        Code::TemplateShape,
        Code::UnboundedEphemeral,
        Code::UnknownApplication,
    ];
    code.name().starts_with("bad-") || codes.contains(&code)
}

/// Rejects the facts whose model key is at a location in a file of the model.
fn reject(rejected: &mut Rejected, fleet: &ImportedFleet, path: &str, anchor: &Anchor, reason: &str) {
    let (Anchor::Key(pointer) | Anchor::Value(pointer) | Anchor::Part(pointer, _)) = anchor else { return };
    let keys: Vec<String> = pointer.segments().collect();
    let device = path.strip_prefix("devices/").and_then(|rest| rest.split('/').next());
    let network = ["clusterNetwork".to_owned()];
    let keys = match (device, keys.as_slice()) {
        (Some(_), keys) => keys,
        // The networks of the cluster come from the facts with the key `clusterNetwork`.
        (None, [clusters, _, key, ..]) if clusters == "clusters" && is_cluster_network(key) => &network,
        (None, [clusters, _, layer, keys @ ..]) if clusters == "clusters" && !layer.is_empty() => keys,
        _ => return,
    };
    let drafts = fleet.drafts.iter().filter(|draft| device.is_none_or(|device| draft.name == device));
    for value in drafts.flat_map(|draft| &draft.mapped).filter(|value| has_key(value, keys)) {
        rejected.facts.entry(value.id.clone()).or_insert_with(|| reason.to_owned());
    }
}

/// Whether a value was mapped to a key, or to a key in it.
fn has_key(value: &MappedValue, keys: &[String]) -> bool {
    let at = |count: usize| keys.iter().take(count).map(|key| format!("/{key}")).collect::<String>();
    let is_in =
        |own: &String| *own == at(2) || *own == at(1) || keys.len() == 1 && own.starts_with(&format!("{}/", at(1)));
    !keys.is_empty() && value.keys.iter().any(is_in)
}

/// Compares each file of a device with the artifacts that contain its values.
fn prove_files(draft: &Draft, rendered: &RenderedArtifacts, sources: &[SourceFile]) -> Vec<ProvedFile> {
    let mut by_source: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut by_key: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for value in &draft.mapped {
        by_source.entry(value.source).or_default().extend(value.artifacts.iter().cloned());
        for artifact in &value.artifacts {
            by_key.entry(artifact).or_default().insert(value.source);
        }
    }
    for raw in &draft.raw {
        by_source.entry(raw.source).or_default().insert(format!("patches.{}", raw.name));
    }
    let parts =
        || rendered.artifacts.iter().flat_map(|artifact| artifact.parts().iter().map(move |part| (artifact, part)));
    let files = by_source.into_iter().map(|(source, keys)| {
        let own: Vec<_> = parts().filter(|(_, part)| keys.contains(&*part.key)).collect();
        let mut generated: Vec<Utf8PathBuf> = own.iter().map(|(artifact, _)| artifact.path.clone()).collect();
        generated.dedup();
        let is_merged = keys.iter().any(|key| by_key.get(key.as_str()).is_some_and(|sources| sources.len() > 1));
        let texts = own.iter().map(|(_, part)| part.body());
        let old = moved(&sources[source].text, &moved_paths(draft, source), &draft.facts.selected_links).documents();
        let differences = if is_merged { Vec::new() } else { compare(old, texts, &draft.facts.hidden) };
        let device = (!sources[source].keeps_name).then(|| draft.name.clone());
        ProvedFile { path: sources[source].path.clone(), device, generated, differences, is_merged }
    });
    files.collect()
}

/// Compares the machine config from the imported files with the one from the generated files.
fn prove_device(
    draft: &Draft,
    rendered: &RenderedArtifacts,
    (fleet, sources): (&ImportedFleet, &[SourceFile]),
    inspection: &Inspection<'_, RenderedArtifacts>,
    rejected: &mut Rejected,
) -> Option<ProvedDevice> {
    let device = rendered.device.as_ref()?;
    let applied = rendered.artifacts.iter().filter(|artifact| artifact.reader == Reader::Talos && artifact.applied);
    let after: Vec<AppliedFile> = applied
        .flat_map(Artifact::parts)
        .map(|part| AppliedFile { key: part.key.to_string(), body: part.body().to_owned() })
        .collect();
    let (before, mut moved_links) = imported_patches(draft, sources);
    let sides = (AppliedFiles { device, files: &before }, AppliedFiles { device, files: &after });
    let whole = whole_config(draft, sources, &mut moved_links);
    reject_mixed_interfaces(draft, rejected);
    let consequences = match &whole {
        None => inspection.renderer.consequences(&device.versions.talos, sides.0, sides.1),
        Some((file, _)) => inspection.renderer.differences_from(file, sides.0, sides.1),
    };
    let mut proved =
        ProvedDevice { name: draft.name.clone(), failure: None, differences: Vec::new(), moved: moved_links };
    match consequences {
        Ok(consequences) => {
            let dropped = whole.map(|(_, dropped)| dropped);
            let is_new = |found: &Consequence| dropped.is_none_or(|dropped| !is_dropped(dropped, &found.path));
            for LocatedConsequence { consequence, location } in
                consequences.into_iter().filter(|found| is_new(&found.consequence))
            {
                let location = location.filter(|(side, _)| *side == Side::After).map(|(_, location)| location);
                let key = location.and_then(|location| {
                    let path = inspection.sources.path(location.source);
                    fleet.inherited.key_of(&path, &location.anchor, &draft.name)
                });
                proved.differences.push(match key {
                    None => difference(draft, &consequence, rejected),
                    Some(key) => {
                        let device = device_file(&draft.name);
                        let reason = format!("a layer of the cluster has it: `{key}` in {device} removes it");
                        if is_complete(draft, sources) {
                            rejected.inherited.insert(key);
                        }
                        ValueDifference { reason: Some(reason), ..described(&consequence) }
                    }
                });
            }
        }
        Err(unreadable) => {
            let file = if unreadable.side == Side::Before { unreadable.key } else { "a generated file".to_owned() };
            proved.failure = Some(format!("Talos does not read {file}: {}", unreadable.message));
        }
    }
    Some(proved)
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
    links: &mut Vec<Value>,
) -> Option<(AppliedFile, &'s BTreeSet<String>)> {
    let own = sources.iter().enumerate().filter(|(_, source)| source.scope == FileScope::Device(draft.name.clone()));
    let (index, source, whole) =
        own.filter_map(|(index, source)| Some((index, source, source.whole.as_ref()?))).next()?;
    let moved = moved(&whole.text, &moved_paths(draft, index), &draft.facts.selected_links);
    links.extend(moved.links);
    Some((AppliedFile { key: source.path.to_string(), body: moved.text }, &whole.dropped))
}

/// Returns the paths in the main document of a file whose values were mapped.
fn moved_paths(draft: &Draft, source: usize) -> Vec<&str> {
    draft.mapped.iter().filter(|value| value.source == source).filter_map(MappedValue::path).collect()
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
fn is_about(value: &MappedValue, document: &str, path: &str) -> bool {
    let Some(own) = value.path() else { return false };
    if own.is_empty() || own == INTERFACES {
        let name = document.split(['`', ' ', '/']).rfind(|part| !part.is_empty()).unwrap_or_default();
        return value.keys.iter().any(|key| key.ends_with(&format!("/{name}")));
    }
    path == own || path.starts_with(&format!("{own}."))
}

/// Returns the imported patches of a device in the order in which they are applied, with placeholders for secrets.
fn imported_patches(draft: &Draft, sources: &[SourceFile]) -> (Vec<AppliedFile>, Vec<Value>) {
    let mut used: Vec<usize> = Vec::new();
    let is_alternative =
        |value: &&MappedValue| value.artifacts.iter().all(|key| key.starts_with("install.alternatives"));
    let applied = draft.mapped.iter().filter(|value| !is_alternative(value));
    for source in applied.map(|value| value.source).chain(draft.raw.iter().map(|raw| raw.source)) {
        let is_patch =
            file_kind::classify(&sources[source].documents.iter().map(json).collect::<Vec<_>>()) == FileKind::Patch;
        if is_patch && sources[source].whole.is_none() && !used.contains(&source) {
            used.push(source);
        }
    }
    used.sort_by_key(|source| (sources[*source].scope.rank(), *source));
    let mut links = Vec::new();
    let file = |index: usize| {
        let source = &sources[index];
        let body = draft.facts.hidden.iter().fold(source.text.clone(), |text, (value, name)| text.replace(value, name));
        let moved = moved(&body, &moved_paths(draft, index), &draft.facts.selected_links);
        links.extend(moved.links);
        AppliedFile { key: source.path.to_string(), body: moved.text }
    };
    (used.into_iter().map(file).collect(), links)
}

/// Compares the files of applications with what is generated at their paths.
fn prove_applications(
    paths: &[Utf8PathBuf],
    rendered: &[RenderedArtifacts],
    sources: &[SourceFile],
) -> Vec<ProvedFile> {
    let artifacts: Vec<&Artifact> =
        rendered.iter().filter(|rendered| rendered.device.is_none()).flat_map(|rendered| &rendered.artifacts).collect();
    let files = paths.iter().filter_map(|path| {
        let source = sources.iter().find(|source| source.path == *path)?;
        let artifact = artifacts.iter().find(|artifact| artifact.path == *path)?;
        let old = source.documents.iter().map(json).collect();
        let differences = compare(old, std::iter::once(artifact.body()), &[]);
        Some(ProvedFile {
            path: path.clone(),
            device: None,
            generated: vec![path.clone()],
            differences,
            is_merged: false,
        })
    });
    files.collect()
}
