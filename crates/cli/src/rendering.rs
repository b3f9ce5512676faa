//! What a plan comes to: the artifacts of each owner, and what is wrong with them.

use std::collections::{BTreeMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::{Diagnostic, Place, SourceId};
use talosmith_render::artifact::{collisions, manifests, secret_paths};
use talosmith_render::{Artifact, Fault, Proof, output};

use crate::differences::Differences;
use crate::parallel;
use crate::project::Project;
use crate::selection::Selection;

/// A device or a cluster, and everything that is generated for it.
#[derive(Debug)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// What a user types to generate it.
    pub argument: String,
    /// Where its artifacts lie; files of ours below that are no artifact are orphans.
    pub folders: Vec<Utf8PathBuf>,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
    /// The files with its secrets, which are not tracked, by the model key that asks for each.
    pub secrets: BTreeMap<String, Utf8PathBuf>,
    /// Where it is described.
    pub place: Place,
    /// Whether it is a device.
    pub is_device: bool,
}

/// Renders everything that the selection names. Findings go into the project.
pub fn render(project: &mut Project, selection: &Selection, proof: Proof) -> Vec<Owner> {
    let plan = &project.plan;
    let renderer = &project.renderer;
    let devices: Vec<_> = plan.devices.iter().filter(|device| selection.has_device(&device.name)).collect();
    let rendered = parallel::map(&devices, |device| renderer.device(plan, device, proof));
    let mut owners = Vec::new();
    let mut faults = Vec::new();
    for (device, rendered) in devices.into_iter().zip(rendered) {
        match rendered {
            Ok(artifacts) => owners.push(Owner {
                name: device.name.clone(),
                argument: format!("devices/{}", device.name),
                folders: vec![manifests(device)],
                artifacts,
                secrets: secret_paths(device),
                place: device.place.clone(),
                is_device: true,
            }),
            Err(wrong) => faults.push((wrong, Some(device.name.clone()))),
        }
    }
    for cluster in
        plan.clusters.iter().filter(|cluster| !cluster.incomplete && selection.has_cluster(&cluster.name, plan))
    {
        let Some(place) = cluster.place.clone() else { continue };
        let folders = [cluster.local_path.as_ref().map(|it| &it.folder), cluster.kata.as_ref().map(|it| &it.folder)];
        match renderer.cluster(cluster, proof) {
            Ok(artifacts) => owners.push(Owner {
                name: cluster.name.clone(),
                argument: String::new(),
                folders: folders.into_iter().flatten().map(Utf8PathBuf::from).collect(),
                artifacts,
                secrets: BTreeMap::new(),
                place,
                is_device: false,
            }),
            Err(wrong) => faults.push((wrong, None)),
        }
    }
    let mut findings: Vec<Diagnostic> = Vec::new();
    for (wrong, device) in faults {
        for fault in wrong {
            let finding = finding_of(project, fault);
            findings.push(match &device {
                Some(name) => finding.device(name.clone()),
                None => finding,
            });
        }
    }
    if proof == Proof::Given {
        findings
            .extend(owners.iter().flat_map(|owner| &owner.artifacts).flat_map(|artifact| verified(project, artifact)));
    }
    let paths = owners.iter().flat_map(|owner| {
        let tracked = owner.artifacts.iter().map(|artifact| artifact.path.as_path());
        tracked.chain(owner.secrets.values().map(Utf8PathBuf::as_path)).map(|path: &Utf8Path| (path, &owner.place))
    });
    findings.extend(collisions(paths));
    project.findings.extend(findings);
    owners
}

/// Proves the artifacts of the owners that have a change. Findings go into the project.
pub fn prove(project: &mut Project, owners: &[Owner], differences: &Differences) {
    let changed: HashSet<&Utf8Path> = differences.real().map(|change| change.path.as_path()).collect();
    let concerned = |owner: &&Owner| owner.artifacts.iter().any(|artifact| changed.contains(artifact.path.as_path()));
    let mut faults = Vec::new();
    for owner in owners.iter().filter(concerned) {
        let (plan, renderer) = (&project.plan, &project.renderer);
        let device = plan.devices.iter().find(|device| owner.is_device && device.name == owner.name);
        let cluster = plan.clusters.iter().find(|cluster| !owner.is_device && cluster.name == owner.name);
        let rendered = match (device, cluster) {
            (Some(device), _) => renderer.device(plan, device, Proof::Given),
            (None, Some(cluster)) => renderer.cluster(cluster, Proof::Given),
            (None, None) => continue,
        };
        faults.extend(
            rendered.err().into_iter().flatten().map(|fault| (fault, device.map(|device| device.name.clone()))),
        );
    }
    let mut findings: Vec<Diagnostic> = faults
        .into_iter()
        .map(|(fault, device)| {
            let finding = finding_of(project, fault);
            Diagnostic { devices: finding.devices.iter().cloned().chain(device).collect(), ..finding }
        })
        .collect();
    if findings.is_empty() {
        let artifacts = owners.iter().flat_map(|owner| &owner.artifacts);
        let changed = artifacts.filter(|artifact| changed.contains(artifact.path.as_path()));
        findings.extend(changed.flat_map(|artifact| verified(project, artifact)));
    }
    project.findings.extend(findings);
}

/// What is wrong with an artifact as a document of its kind.
fn verified(project: &mut Project, artifact: &Artifact) -> Vec<Diagnostic> {
    let faults = output::verify(artifact);
    if faults.is_empty() {
        return Vec::new();
    }
    let source = match artifact.template {
        Some(template) => template_source(project, template),
        None => project.sources.add(artifact.path.clone(), artifact.text.clone()),
    };
    faults.iter().map(|fault| fault.diagnostic(artifact, source)).collect()
}

fn finding_of(project: &mut Project, fault: Fault) -> Diagnostic {
    match fault {
        Fault::Finding(finding) => *finding,
        Fault::Template(fault) => {
            let source = template_source(project, &fault.template);
            fault.diagnostic(source)
        }
    }
}

/// The text of a template: the user's, or a built-in one.
fn template_source(project: &mut Project, name: &str) -> SourceId {
    match project.overrides.get(name) {
        Some(source) => *source,
        None => {
            let text = project.renderer.template(name).unwrap_or_default().to_owned();
            project.sources.add(format!("templates/{name}"), text)
        }
    }
}
