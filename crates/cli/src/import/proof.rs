//! The proof that a model means what the files mean: what it renders is compared with them, and so are the machine configs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::{Anchor, Code, Level};
use talosmith_machinery::{Consequence, Role, Side};
use talosmith_model::plan;
use talosmith_render::{AppliedFile, AppliedFiles, Artifact, Reader};

use super::difference::{Difference, compare, short};
use super::draft::{Denied, Draft, Taken};
use super::fleet::{CONTROL_PLANE, ImportedFleet};
use super::objects::{self, Content};
use super::source::{Scope, Source};
use super::value::json;
use crate::inspection::{Inspection, inspect};
use crate::project::Project;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::Tree;

/// Keys whose files are talosmith's own form of the same thing: what differs is listed, and they stay keys.
const OWN_FORM: [&str; 3] = ["kata", "hostname", "gpu."];

/// The keys of a cluster that `clusterNetwork` writes to its nodes.
const CLUSTER_NETWORK: [&str; 5] =
    ["podCIDRs", "serviceCIDRs", "dnsDomain", "nodeCIDRMaskSizeIPv4", "nodeCIDRMaskSizeIPv6"];

/// What a model renders, compared with the files that it was made from.
pub(crate) struct Proof<'t> {
    pub inspection: Inspection<'t, Rendered>,
    pub files: Vec<ProvedFile>,
    pub devices: Vec<ProvedDevice>,
    /// The facts that the model cannot have, each with the reason.
    pub denied: Denied,
}

/// What is rendered for a device or for the applications of a cluster.
pub(crate) struct Rendered {
    device: Option<Arc<plan::Device>>,
    artifacts: Vec<Artifact>,
}

/// A file that was imported, and what is generated instead of it.
pub(crate) struct ProvedFile {
    pub path: Utf8PathBuf,
    /// The device for which it is compared, if the file is about several.
    pub device: Option<String>,
    pub generated: Vec<Utf8PathBuf>,
    pub differences: Vec<Difference>,
    /// Whether something of it is generated together with parts of other files.
    pub is_spread: bool,
}

/// A device whose machine config before and after was compared.
pub(crate) struct ProvedDevice {
    pub name: String,
    /// Why the configs cannot be compared.
    pub failure: Option<String>,
    /// Values that differ in the merged config.
    pub differences: Vec<Difference>,
}

/// Renders a model, and compares it with the files.
pub(crate) fn prove<'t>(tree: &'t dyn Tree, fleet: &ImportedFleet, sources: &[Source]) -> anyhow::Result<Proof<'t>> {
    let project = Project::open(tree)?;
    let keep = |inspected: &Inspected<'_>| {
        let device = match inspected.owner {
            Owner::Device(device) => Some(Arc::clone(device)),
            Owner::Cluster(_) | Owner::User(_) => None,
        };
        Some(Rendered { device, artifacts: inspected.artifacts?.to_vec() })
    };
    let mut inspection = inspect(project, &Selection::Everything, Purpose::Validate, keep)?;
    let rendered = std::mem::take(&mut inspection.kept);
    let mut denied = Denied::default();
    for finding in inspection.findings.iter().filter(|finding| finding.level == Level::Error && is_shape(finding.code))
    {
        let path = inspection.sources.path(finding.at.location.source);
        deny(&mut denied, fleet, path.as_str(), &finding.at.location.anchor, &finding.message);
    }
    let mut files = Vec::new();
    let mut devices = Vec::new();
    for draft in &fleet.drafts {
        let of_draft = |rendered: &&Rendered| rendered.device.as_ref().is_some_and(|device| device.name == draft.name);
        let Some(rendered) = rendered.iter().find(of_draft) else { continue };
        files.extend(prove_files(draft, rendered, sources));
        devices.extend(prove_device(draft, rendered, sources, &inspection, &mut denied));
    }
    files.extend(prove_applications(&fleet.generated, &rendered, sources));
    Ok(Proof { inspection, files, devices, denied })
}

/// Whether a finding says that a key cannot have a value, and not that the value is a mistake in the files too.
fn is_shape(code: Code) -> bool {
    let shapes = [
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
    code.name().starts_with("bad-") || shapes.contains(&code)
}

/// Denies the facts that have the key at a location of a file of the model.
fn deny(denied: &mut Denied, fleet: &ImportedFleet, path: &str, anchor: &Anchor, reason: &str) {
    let (Anchor::Key(pointer) | Anchor::Value(pointer) | Anchor::Part(pointer, _)) = anchor else { return };
    let keys: Vec<String> = pointer.segments().collect();
    let device = path.strip_prefix("devices/").and_then(|rest| rest.split('/').next());
    let network = ["clusterNetwork".to_owned()];
    let keys = match (device, keys.as_slice()) {
        (Some(_), keys) => keys,
        // What the cluster says of its networks comes from the facts of `clusterNetwork`.
        (None, [clusters, _, key, ..]) if clusters == "clusters" && CLUSTER_NETWORK.contains(&key.as_str()) => &network,
        (None, [clusters, _, layer, keys @ ..]) if clusters == "clusters" && !layer.is_empty() => keys,
        _ => return,
    };
    let drafts = fleet.drafts.iter().filter(|draft| device.is_none_or(|device| draft.name == device));
    for taken in drafts.flat_map(|draft| &draft.taken).filter(|taken| has_key(taken, keys)) {
        denied.0.entry(taken.id.clone()).or_insert_with(|| reason.to_owned());
    }
}

/// Whether a fact has a key, or something in it.
fn has_key(taken: &Taken, keys: &[String]) -> bool {
    let at = |count: usize| keys.iter().take(count).map(|key| format!("/{key}")).collect::<String>();
    let is_in =
        |own: &String| *own == at(2) || *own == at(1) || keys.len() == 1 && own.starts_with(&format!("{}/", at(1)));
    !keys.is_empty() && taken.keys.iter().any(is_in)
}

/// Compares each file of a device with what is generated for what it says.
fn prove_files(draft: &Draft, rendered: &Rendered, sources: &[Source]) -> Vec<ProvedFile> {
    let mut by_source: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    let mut by_key: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
    for taken in &draft.taken {
        by_source.entry(taken.source).or_default().extend(taken.artifacts.iter().cloned());
        for artifact in &taken.artifacts {
            by_key.entry(artifact).or_default().insert(taken.source);
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
        let is_spread = keys.iter().any(|key| by_key.get(key.as_str()).is_some_and(|sources| sources.len() > 1));
        let texts = own.iter().map(|(_, part)| part.body());
        let old = sources[source].documents.iter().map(json).collect();
        let differences = if is_spread { Vec::new() } else { compare(old, texts, &draft.facts.hidden) };
        let device = (!sources[source].keeps_name).then(|| draft.name.clone());
        ProvedFile { path: sources[source].path.clone(), device, generated, differences, is_spread }
    });
    files.collect()
}

/// Compares the machine config that the files make with the one that the model makes.
fn prove_device(
    draft: &Draft,
    rendered: &Rendered,
    sources: &[Source],
    inspection: &Inspection<'_, Rendered>,
    denied: &mut Denied,
) -> Option<ProvedDevice> {
    let device = rendered.device.as_ref()?;
    let applied = rendered.artifacts.iter().filter(|artifact| artifact.reader == Reader::Talos && artifact.applied);
    let after: Vec<AppliedFile> = applied
        .flat_map(Artifact::parts)
        .map(|part| AppliedFile { key: part.key.to_string(), body: part.body().to_owned() })
        .collect();
    let before: Vec<AppliedFile> = originals(draft, sources);
    let sides = (AppliedFiles { device, files: &before }, AppliedFiles { device, files: &after });
    let whole = whole_of(draft, sources);
    let consequences = match &whole {
        None => {
            let located = inspection.renderer.consequences(&device.versions.talos, sides.0, sides.1);
            located.map(|located| located.into_iter().map(|located| located.consequence).collect::<Vec<_>>())
        }
        Some((file, _)) => inspection.renderer.differences_from(file, sides.0, sides.1),
    };
    let mut proved = ProvedDevice { name: draft.name.clone(), failure: None, differences: Vec::new() };
    match consequences {
        Ok(consequences) => {
            let dropped = whole.map(|(_, dropped)| dropped);
            let is_new = |found: &Consequence| dropped.is_none_or(|dropped| !is_dropped(dropped, &found.path));
            for consequence in consequences.into_iter().filter(is_new) {
                proved.differences.push(difference(draft, consequence, denied));
            }
        }
        Err(unreadable) => {
            let file = if unreadable.side == Side::Before { unreadable.key } else { "a generated file".to_owned() };
            proved.failure = Some(format!("Talos does not read {file}: {}", unreadable.message));
        }
    }
    Some(proved)
}

/// Describes what differs in the machine config, and denies the fact that makes the difference.
fn difference(draft: &Draft, consequence: Consequence, denied: &mut Denied) -> Difference {
    let place = [consequence.document.as_str(), consequence.path.as_str()];
    let place: Vec<&str> = place.into_iter().filter(|part| !part.is_empty()).collect();
    let difference = Difference {
        at: place.join(": "),
        before: consequence.before.map(|text| short(&text.into())),
        after: consequence.after.map(|text| short(&text.into())),
    };
    let facts = draft.taken.iter().filter(|taken| is_about(taken, &consequence.document, &consequence.path));
    let is_own = |taken: &&Taken| taken.artifacts.iter().any(|key| OWN_FORM.iter().any(|own| key.starts_with(own)));
    let mut facts = facts.filter(|taken| !is_own(taken));
    // A worker does not read what the model says of control planes alone.
    if let Some(taken) = facts.next().filter(|taken| draft.role == Role::ControlPlane || !is_ignored(taken)) {
        let reason = format!("the model would render it differently at {}", difference.at);
        denied.0.entry(taken.id.clone()).or_insert(reason);
    }
    difference
}

/// The whole machine config of a device, and what of it the base config has in another form.
fn whole_of<'s>(draft: &Draft, sources: &'s [Source]) -> Option<(AppliedFile, &'s BTreeSet<String>)> {
    let own = sources.iter().filter(|source| source.scope == Scope::Device(draft.name.clone()));
    let (source, whole) = own.filter_map(|source| Some((source, source.whole.as_ref()?))).next()?;
    Some((AppliedFile { key: source.path.to_string(), body: whole.text.clone() }, &whole.dropped))
}

/// Whether a value is one that the base config has in another form, or in it.
fn is_dropped(dropped: &BTreeSet<String>, path: &str) -> bool {
    dropped.iter().any(|known| path == known || path.starts_with(&format!("{known}.")))
}

/// Whether a fact is one that workers ignore.
fn is_ignored(taken: &Taken) -> bool {
    taken.keys.iter().all(|key| key.split('/').nth(1).is_some_and(|key| CONTROL_PLANE.contains(&key)))
}

/// Whether a value of the machine config is of a fact.
fn is_about(taken: &Taken, document: &str, path: &str) -> bool {
    let Some((_, own)) = taken.id.split_once('#').and_then(|(_, rest)| rest.split_once(':')) else { return false };
    if own.is_empty() {
        let name = document.split(['`', ' ', '/']).rfind(|part| !part.is_empty()).unwrap_or_default();
        return taken.keys.iter().any(|key| key.ends_with(&format!("/{name}")));
    }
    path == own || path.starts_with(&format!("{own}."))
}

/// The patches as they are today, in the order in which they are applied, without the secrets that the model hides.
fn originals(draft: &Draft, sources: &[Source]) -> Vec<AppliedFile> {
    let mut used: Vec<usize> = Vec::new();
    let taken =
        draft.taken.iter().filter(|taken| !taken.artifacts.iter().all(|key| key.starts_with("install.alternatives")));
    for source in taken.map(|taken| taken.source).chain(draft.raw.iter().map(|raw| raw.source)) {
        let is_patch =
            objects::classify(&sources[source].documents.iter().map(json).collect::<Vec<_>>()) == Content::Patch;
        if is_patch && sources[source].whole.is_none() && !used.contains(&source) {
            used.push(source);
        }
    }
    used.sort_by_key(|source| (sources[*source].scope.rank(), *source));
    let file = |source: usize| {
        let source = &sources[source];
        let body = draft.facts.hidden.iter().fold(source.text.clone(), |text, (value, name)| text.replace(value, name));
        AppliedFile { key: source.path.to_string(), body }
    };
    used.into_iter().map(file).collect()
}

/// Compares the files of applications with what is generated at their paths.
fn prove_applications(paths: &[Utf8PathBuf], rendered: &[Rendered], sources: &[Source]) -> Vec<ProvedFile> {
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
            is_spread: false,
        })
    });
    files.collect()
}
