//! The proof that a model is equivalent to the imported files: its generated files are compared with them, and so are the machine configs.

mod device;
mod changed_files;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::{Anchor, Code, Document, Level};
use talosmith_model::plan;
use talosmith_render::Artifact;

use self::device::DeviceProof;
pub(crate) use self::device::ProvedDevice;
use super::difference::{ValueDifference, compare};
use super::documents::is_cluster_network;
use super::draft::{ConflictingField, Draft, MappedValue, RawPatch, Rejected};
use super::file_kind::FileKind;
use super::fleet::ImportedFleet;
use super::legacy_network::{EmptyNetwork, moved};
use super::source_file::SourceFile;
use super::value::{json, keys_at};
use crate::inspection::{Inspection, inspect};
use crate::project::Project;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::Tree;

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
    pub equality: Equality,
}

/// How equal an imported file and the files that are generated instead are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Equality {
    SameData,
    /// Both make the same machine config.
    SameConfig,
    Different,
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
    for finding in inspection.findings.iter().filter(|finding| finding.code == Code::DocumentConflict) {
        let path = inspection.sources.path(finding.at.location.source);
        rejected.conflicts.extend(conflicting_field(fleet, sources, path.as_str(), &finding.at.location.anchor));
    }
    let mut files = Vec::new();
    let mut devices = Vec::new();
    for draft in &fleet.drafts {
        let of_draft =
            |rendered: &&RenderedArtifacts| rendered.device.as_ref().is_some_and(|device| device.name == draft.name);
        let Some(rendered) = rendered.iter().find(of_draft) else { continue };
        let proof = DeviceProof { draft, rendered, sources, fleet, inspection: &inspection };
        let proved = proof.prove(&mut rejected);
        files.extend(prove_files(draft, rendered, sources, proved.as_ref()));
        devices.extend(proved);
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
        Code::UnknownLink,
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

/// Returns the field at a location in a raw patch of the import.
fn conflicting_field(
    fleet: &ImportedFleet,
    sources: &[SourceFile],
    path: &str,
    anchor: &Anchor,
) -> Option<ConflictingField> {
    let Anchor::Bytes(bytes) = anchor else { return None };
    let (folder, name) = path.rsplit_once("/patches/")?;
    let device = folder.strip_prefix("devices/");
    let drafts = fleet.drafts.iter().filter(|draft| device.is_none_or(|device| draft.name == device));
    let is_named = |raw: &&RawPatch| Some(raw.name.as_str()) == name.strip_suffix(".yaml");
    let raw = drafts.flat_map(|draft| &draft.raw).find(is_named)?;
    let documents = Document::parse_stream(sources[raw.source].id, &raw.text).ok()?;
    let start = std::ops::Range::from(*bytes).start;
    let keys = documents.iter().find_map(|root| keys_at(root, u32::try_from(start).ok()?))?;
    Some(ConflictingField { source: sources[raw.source].identity(), path: keys })
}

/// Whether a value was mapped to a key, or to a key in it.
fn has_key(value: &MappedValue, keys: &[String]) -> bool {
    let at = |count: usize| keys.iter().take(count).map(|key| format!("/{key}")).collect::<String>();
    let is_in =
        |own: &String| *own == at(2) || *own == at(1) || keys.len() == 1 && own.starts_with(&format!("{}/", at(1)));
    !keys.is_empty() && value.keys.iter().any(is_in)
}

/// Compares each file of a device with the artifacts that contain its values.
fn prove_files(
    draft: &Draft,
    rendered: &RenderedArtifacts,
    sources: &[SourceFile],
    proved: Option<&ProvedDevice>,
) -> Vec<ProvedFile> {
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
    // Of a JSON patch, all operations may be lost.
    let own = sources.iter().enumerate().filter(|(_, source)| source.applies_to(&draft.name, draft.role));
    for (index, _) in own.filter(|(_, source)| source.json_patch.is_some()) {
        by_source.entry(index).or_default();
    }
    let parts =
        || rendered.artifacts.iter().flat_map(|artifact| artifact.parts().iter().map(move |part| (artifact, part)));
    let files = by_source.into_iter().map(|(source, keys)| {
        let own: Vec<_> = parts().filter(|(_, part)| keys.contains(&*part.key)).collect();
        let mut generated: Vec<Utf8PathBuf> = own.iter().map(|(artifact, _)| artifact.path.clone()).collect();
        generated.dedup();
        let is_merged = keys.iter().any(|key| by_key.get(key.as_str()).is_some_and(|sources| sources.len() > 1));
        let texts = own.iter().map(|(_, part)| part.body());
        let old = moved(
            &sources[source].text,
            &moved_paths(draft, source),
            &draft.facts.selected_links,
            EmptyNetwork::Removed,
        )
        .documents();
        let mut differences = if is_merged { Vec::new() } else { compare(old, texts, &draft.facts.hidden) };
        let device = (!sources[source].keeps_name).then(|| draft.name.clone());
        let is_in_config = sources[source].kind() == FileKind::Patch && !is_alternative(&keys);
        let is_same = |proved: &ProvedDevice| proved.failure.is_none() && !proved.changed.contains(&source);
        let has_same_form = sources[source].json_patch.as_ref().is_none_or(|patch| patch.text.is_none());
        let equality = match is_in_config && proved.is_some_and(is_same) {
            _ if differences.is_empty() && !is_merged && has_same_form => Equality::SameData,
            true => Equality::SameConfig,
            false => Equality::Different,
        };
        if is_in_config
            && proved.is_some_and(|proved| proved.failure.is_none())
            && differences.iter().any(is_new_document)
        {
            // The machine config has the same values in another form, except for those that are listed there.
            differences.clear();
        }
        ProvedFile { path: sources[source].path.clone(), device, generated, differences, is_merged, equality }
    });
    files.collect()
}

/// Whether a document is generated that the imported file does not have.
fn is_new_document(difference: &ValueDifference) -> bool {
    difference.before.is_none() && difference.at.starts_with(char::is_uppercase) && !difference.at.contains(": ")
}

/// Whether a file is an alternative installer image, which is not applied.
fn is_alternative(keys: &BTreeSet<String>) -> bool {
    !keys.is_empty() && keys.iter().all(|key| key.starts_with("install.alternatives"))
}

/// Returns the paths in the main document of a file whose values were mapped.
fn moved_paths(draft: &Draft, source: usize) -> Vec<&str> {
    draft.mapped.iter().filter(|value| value.source == source).filter_map(MappedValue::path).collect()
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
            equality: if differences.is_empty() { Equality::SameData } else { Equality::Different },
            differences,
            is_merged: false,
        })
    });
    files.collect()
}
