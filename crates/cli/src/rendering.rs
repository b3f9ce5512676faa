//! What a plan comes to: the artifacts of each owner, and what is wrong with them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Level, Location, SourceId, natural};
use talosmith_model::layout::manifests;
use talosmith_model::plan::{Cluster, Device};
use talosmith_render::{
    Artifact, ArtifactError, Proof, Renderer, SecretFile, TemplateOrigin, cluster_paths, collisions, generated_files,
    merge_check, schema_check, secret_files,
};

use crate::differences::Differences;
use crate::parallel;
use crate::project::Project;
use crate::selection::Selection;

/// A device or a cluster, and everything that is generated for it.
#[derive(Debug)]
pub struct Owner {
    /// Its name.
    pub name: String,
    /// Whether it is a device.
    pub is_device: bool,
    /// Where its artifacts lie; files of ours below that are no artifact are orphans.
    pub folders: Vec<Utf8PathBuf>,
    /// Its artifacts.
    pub artifacts: Vec<Artifact>,
    /// The files with its secrets, which are not tracked.
    pub secrets: Vec<SecretFile>,
}

/// What became of the artifacts of an owner.
#[derive(Debug)]
pub struct Rendered<R> {
    /// The owner's name.
    pub name: String,
    /// Whether it is a device.
    pub is_device: bool,
    /// What was made of them and what is to be said of it, or what keeps them from being rendered.
    pub outcome: Result<(R, Vec<Diagnostic>), Vec<ArtifactError>>,
}

/// Who can be an owner.
#[derive(Debug, Clone, Copy)]
enum Subject<'a> {
    Device(&'a Arc<Device>),
    Cluster(&'a Cluster),
}

/// Renders everything that the selection names. Findings go into the project.
pub fn render(project: &mut Project, selection: &Selection, proof: Proof) -> Vec<Owner> {
    let rendered = render_with(project, selection, proof, |owner| {
        let faulty = if proof == Proof::Required { faulty(&owner.artifacts) } else { Vec::new() };
        (faulty, owner.clash_keys(), owner)
    });
    let mut owners = Vec::with_capacity(rendered.len());
    let mut keys = Vec::new();
    for (faulty, clash_keys, owner) in rendered {
        keys.extend(clash_keys);
        report_faulty(project, faulty);
        owners.push(owner);
    }
    report_collisions(project, selection, keys);
    owners
}

/// Renders everything that the selection names and gives each owner to `work` as soon as it is there, so that nobody has to keep the
/// artifacts of a big fleet. Findings go into the project.
pub fn render_with<R: Send>(
    project: &mut Project,
    selection: &Selection,
    proof: Proof,
    work: impl Fn(Owner) -> R + Send + Sync,
) -> Vec<R> {
    render_rest(project, selection, proof, Vec::new(), work)
}

/// The same where some devices were rendered `early`; gives the results of all, devices first, each by their names.
pub fn render_rest<R: Send>(
    project: &mut Project,
    selection: &Selection,
    proof: Proof,
    early: Vec<Rendered<R>>,
    work: impl Fn(Owner) -> R + Send + Sync,
) -> Vec<R> {
    let known: HashSet<&str> = early.iter().map(|rendered| rendered.name.as_str()).collect();
    let mut subjects = subjects(project, selection);
    subjects.retain(|subject| !(matches!(subject, Subject::Device(_)) && known.contains(subject.name())));
    let rest = render_all(project, &subjects, proof, work);
    let mut rendered = early;
    rendered.extend(rest);
    rendered.sort_by(|one, other| other.is_device.cmp(&one.is_device).then_with(|| natural(&one.name, &other.name)));
    let (results, faults) = split(rendered);
    report_faults(project, faults);
    results
}

/// Renders a device by itself.
#[must_use]
pub fn render_device(renderer: &Renderer, device: &Arc<Device>, proof: Proof) -> Rendered<Owner> {
    Subject::Device(device).render(renderer, proof)
}

impl<R> Rendered<R> {
    /// Makes something else of what was made.
    pub fn map<T>(self, work: impl FnOnce(R) -> T) -> Rendered<T> {
        let Self { name, is_device, outcome } = self;
        Rendered { name, is_device, outcome: outcome.map(|(result, findings)| (work(result), findings)) }
    }
}

/// Proves the artifacts of the owners that have a change. Findings go into the project.
pub fn prove(project: &mut Project, selection: &Selection, differences: &Differences) {
    let changed: HashSet<&Utf8Path> = differences.real().map(|change| change.path.as_path()).collect();
    let names: HashSet<&str> = differences.owners.iter().map(String::as_str).collect();
    let mut subjects = subjects(project, selection);
    subjects.retain(|subject| names.contains(subject.name()));
    let (results, mut faults) = split(render_all(project, &subjects, Proof::Required, |mut owner| {
        owner.artifacts.retain(|artifact| changed.contains(artifact.path.as_path()));
        faulty(&owner.artifacts)
    }));
    // What is to be said of the model was said when everything was rendered.
    faults.retain(|(fault, _)| matches!(fault, ArtifactError::Template(_)));
    if faults.is_empty() {
        results.into_iter().for_each(|faulty| report_faulty(project, faulty));
    }
    report_faults(project, faults);
}

/// Findings for artifacts that would be written to one file; `keys` are the clash keys of all owners that the selection names.
pub fn report_collisions(project: &mut Project, selection: &Selection, mut keys: Vec<u64>) {
    if !is_doubled(&mut keys) {
        return;
    }
    let paths: Vec<(Utf8PathBuf, Location)> =
        subjects(project, selection).iter().flat_map(|subject| subject.paths()).collect();
    // Applications in one folder have been named as such.
    let known = |finding: &Diagnostic| {
        project.findings.iter().any(|other| other.code == finding.code && other.at.location == finding.at.location)
    };
    let findings = collisions(paths.iter().map(|(path, location)| (path.as_path(), location)));
    let findings: Vec<Diagnostic> = findings.into_iter().filter(|finding| !known(finding)).collect();
    project.findings.extend(findings);
}

/// Whether a number stands twice among some, which are sorted then.
pub fn is_doubled(keys: &mut [u64]) -> bool {
    keys.sort_unstable();
    keys.windows(2).any(|pair| pair[0] == pair[1])
}

/// The path of every file that is generated for what the selection names, secret ones too.
#[must_use]
pub fn paths(project: &Project, selection: &Selection) -> HashSet<Utf8PathBuf> {
    subjects(project, selection).iter().flat_map(|subject| subject.paths()).map(|(path, _)| path).collect()
}

impl Owner {
    /// A number for each path, the same for paths that differ only in case: two that are the same may be two files in one place.
    #[must_use]
    pub fn clash_keys(&self) -> Vec<u64> {
        let tracked = self.artifacts.iter().map(|artifact| artifact.path.as_path());
        let keys = tracked.chain(self.secrets.iter().map(|file| file.path.as_path())).map(|path: &Utf8Path| {
            let mut hasher = DefaultHasher::new();
            path.as_str().to_lowercase().hash(&mut hasher);
            hasher.finish()
        });
        keys.collect()
    }
}

impl<'a> Subject<'a> {
    fn name(self) -> &'a str {
        match self {
            Self::Device(device) => &device.name,
            Self::Cluster(cluster) => &cluster.name,
        }
    }

    fn paths(self) -> Vec<(Utf8PathBuf, Location)> {
        match self {
            Self::Device(device) => {
                generated_files(device).into_iter().map(|output| (output.path, output.location)).collect()
            }
            Self::Cluster(cluster) => {
                cluster_paths(cluster).into_iter().map(|(path, location)| (path, location.clone())).collect()
            }
        }
    }

    fn render(self, renderer: &Renderer, proof: Proof) -> Rendered<Owner> {
        let outcome = match self {
            Self::Device(device) => Self::owned_by_device(device, renderer, proof),
            Self::Cluster(cluster) => {
                let folders =
                    [cluster.local_path.as_ref().map(|it| &it.folder), cluster.kata.as_ref().map(|it| &it.folder)];
                renderer.cluster(cluster, proof).map(|artifacts| {
                    let owner = Owner {
                        name: cluster.name.clone(),
                        is_device: false,
                        folders: folders.into_iter().flatten().map(Utf8PathBuf::from).collect(),
                        artifacts,
                        secrets: Vec::new(),
                    };
                    (owner, Vec::new())
                })
            }
        };
        Rendered { name: self.name().to_owned(), is_device: matches!(self, Self::Device(_)), outcome }
    }

    fn owned_by_device(
        device: &Arc<Device>,
        renderer: &Renderer,
        proof: Proof,
    ) -> Result<(Owner, Vec<Diagnostic>), Vec<ArtifactError>> {
        let artifacts = renderer.device(device, proof)?;
        let findings = merge_check::verify(device, &artifacts);
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return Err(findings.into_iter().map(Box::new).map(ArtifactError::Finding).collect());
        }
        let owner = Owner {
            name: device.name.clone(),
            is_device: true,
            folders: vec![manifests(&device.name)],
            artifacts,
            secrets: secret_files(device),
        };
        Ok((owner, findings))
    }
}

fn subjects<'a>(project: &'a Project, selection: &Selection) -> Vec<Subject<'a>> {
    let plan = &project.plan;
    let devices = plan.devices.iter().filter(|device| selection.has_device(&device.name)).map(Subject::Device);
    let clusters =
        plan.clusters.iter().filter(|cluster| !cluster.incomplete && selection.has_cluster(&cluster.name, plan));
    devices.chain(clusters.map(Subject::Cluster)).collect()
}

fn render_all<R: Send>(
    project: &Project,
    subjects: &[Subject<'_>],
    proof: Proof,
    work: impl Fn(Owner) -> R + Send + Sync,
) -> Vec<Rendered<R>> {
    parallel::map(subjects, |subject| subject.render(&project.renderer, proof).map(&work))
}

/// A fault, and the device that has it.
type Faults = Vec<(ArtifactError, Option<String>)>;

fn split<R>(rendered: Vec<Rendered<R>>) -> (Vec<R>, Faults) {
    let mut results = Vec::with_capacity(rendered.len());
    let mut faults = Faults::new();
    for Rendered { name, is_device, outcome } in rendered {
        match outcome {
            Ok((result, findings)) => {
                results.push(result);
                faults.extend(findings.into_iter().map(|finding| (ArtifactError::Finding(Box::new(finding)), None)));
            }
            Err(wrong) => {
                let device = is_device.then_some(name);
                faults.extend(wrong.into_iter().map(|fault| (fault, device.clone())));
            }
        }
    }
    (results, faults)
}

fn report_faults(project: &mut Project, faults: Faults) {
    for (fault, device) in faults {
        let mut finding = match fault {
            ArtifactError::Finding(finding) => *finding,
            ArtifactError::Template(fault) => {
                let (source, origin) = template_source(project, &fault.template);
                fault.diagnostic(source, origin)
            }
        };
        finding.devices.extend(device);
        project.findings.push(finding);
    }
    // That a field is deprecated says nothing where its successor refuses it.
    let refused = |finding: &&Diagnostic| finding.code == Code::DocumentConflict;
    let refused: Vec<Location> =
        project.findings.iter().filter(refused).map(|finding| finding.at.location.clone()).collect();
    project.findings.retain(|finding| finding.code != Code::DeprecatedField || !refused.contains(&finding.at.location));
    project.apply_levels();
}

/// An artifact that is no document of its kind, and what is wrong with it.
type Faulty = (Artifact, Vec<schema_check::Fault>);

fn faulty(artifacts: &[Artifact]) -> Vec<Faulty> {
    let judged = artifacts.iter().map(|artifact| (artifact, schema_check::verify(artifact)));
    judged.filter(|(_, faults)| !faults.is_empty()).map(|(artifact, faults)| (artifact.clone(), faults)).collect()
}

fn report_faulty(project: &mut Project, faulty: Vec<Faulty>) {
    for (artifact, faults) in faulty {
        let (source, origin) = match artifact.template {
            Some(template) => template_source(project, template),
            None => (project.sources.add(artifact.path.clone(), artifact.text.clone()), TemplateOrigin::Override),
        };
        project.findings.extend(faults.iter().map(|fault| fault.diagnostic(&artifact, source, origin)));
    }
}

/// The source of a template, and whether the user wrote it.
fn template_source(project: &mut Project, name: &str) -> (SourceId, TemplateOrigin) {
    match project.overrides.get(name) {
        Some(source) => (*source, TemplateOrigin::Override),
        None => {
            let text = project.renderer.template(name).unwrap_or_default().to_owned();
            (project.sources.add(format!("templates/{name}"), text), TemplateOrigin::BuiltIn)
        }
    }
}
