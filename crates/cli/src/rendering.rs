//! What a plan comes to: the artifacts of each owner, and what is wrong with them.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::plan::{Cluster, Device};
use talosmith_model::{Code, Diagnostic, Level, Place, SourceId};
use talosmith_render::target::{SecretFile, cluster_paths, collisions, manifests, outputs, secret_files};
use talosmith_render::{Artifact, Fault, Proof, merged, output};

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
    /// Its artifacts; none once they were compared, since a big fleet's need not be kept.
    pub artifacts: Vec<Artifact>,
    /// How many artifacts it has.
    pub files: usize,
    /// The files with its secrets, which are not tracked.
    pub secrets: Vec<SecretFile>,
    /// Where it is described.
    pub place: Place,
    /// Whether it is a device.
    pub is_device: bool,
}

/// Who can be an owner.
#[derive(Debug, Clone, Copy)]
enum Subject<'a> {
    Device(&'a Device),
    Cluster(&'a Cluster, &'a Place),
}

/// Renders everything that the selection names. Findings go into the project.
pub fn render(project: &mut Project, selection: &Selection, proof: Proof) -> Vec<Owner> {
    let rendered = render_with(project, selection, proof, |owner| {
        let faulty = if proof == Proof::Given { faulty(&owner.artifacts) } else { Vec::new() };
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
    let (results, faults) = render_all(project, &subjects(project, selection), proof, work);
    report_faults(project, faults);
    results
}

/// Proves the artifacts of the owners that have a change. Findings go into the project.
pub fn prove(project: &mut Project, selection: &Selection, differences: &Differences) {
    let changed: HashSet<&Utf8Path> = differences.real().map(|change| change.path.as_path()).collect();
    let names: HashSet<&str> = differences.owners.iter().map(String::as_str).collect();
    let mut subjects = subjects(project, selection);
    subjects.retain(|subject| names.contains(subject.name()));
    let (results, mut faults) = render_all(project, &subjects, Proof::Given, |mut owner| {
        owner.artifacts.retain(|artifact| changed.contains(artifact.path.as_path()));
        faulty(&owner.artifacts)
    });
    // What is to be said of the model was said when everything was rendered.
    faults.retain(|(fault, _)| matches!(fault, Fault::Template(_)));
    if faults.is_empty() {
        results.into_iter().for_each(|faulty| report_faulty(project, faulty));
    }
    report_faults(project, faults);
}

/// Findings for artifacts that would be written to one file; `keys` are the clash keys of all owners that the selection names.
pub fn report_collisions(project: &mut Project, selection: &Selection, mut keys: Vec<u64>) {
    keys.sort_unstable();
    if keys.windows(2).all(|pair| pair[0] != pair[1]) {
        return;
    }
    let paths: Vec<(Utf8PathBuf, Place)> =
        subjects(project, selection).iter().flat_map(|subject| subject.paths()).collect();
    // Applications in one folder have been named as such.
    let known = |finding: &Diagnostic| {
        project.findings.iter().any(|other| other.code == finding.code && other.at.place == finding.at.place)
    };
    let findings = collisions(paths.iter().map(|(path, place)| (path.as_path(), place)));
    let findings: Vec<Diagnostic> = findings.into_iter().filter(|finding| !known(finding)).collect();
    project.findings.extend(findings);
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
            Self::Cluster(cluster, _) => &cluster.name,
        }
    }

    fn paths(self) -> Vec<(Utf8PathBuf, Place)> {
        match self {
            Self::Device(device) => outputs(device).into_iter().map(|output| (output.path, output.place)).collect(),
            Self::Cluster(cluster, _) => {
                cluster_paths(cluster).into_iter().map(|(path, place)| (path, place.clone())).collect()
            }
        }
    }

    /// An owner with its artifacts and what is to be said of them, or what keeps them from being rendered.
    fn render(self, project: &Project, proof: Proof) -> Result<(Owner, Vec<Diagnostic>), Vec<Fault>> {
        match self {
            Self::Device(device) => {
                let artifacts = project.renderer.device(&project.plan, device, proof)?;
                let findings = merged::verify(device, &artifacts);
                if findings.iter().any(|finding| finding.level == Level::Error) {
                    return Err(findings.into_iter().map(Box::new).map(Fault::Finding).collect());
                }
                let owner = Owner {
                    name: device.name.clone(),
                    argument: format!("devices/{}", device.name),
                    folders: vec![manifests(&device.name)],
                    files: artifacts.len(),
                    artifacts,
                    secrets: secret_files(device),
                    place: device.place.clone(),
                    is_device: true,
                };
                Ok((owner, findings))
            }
            Self::Cluster(cluster, place) => {
                let artifacts = project.renderer.cluster(cluster, proof)?;
                let folders =
                    [cluster.local_path.as_ref().map(|it| &it.folder), cluster.kata.as_ref().map(|it| &it.folder)];
                let owner = Owner {
                    name: cluster.name.clone(),
                    argument: String::new(),
                    folders: folders.into_iter().flatten().map(Utf8PathBuf::from).collect(),
                    files: artifacts.len(),
                    artifacts,
                    secrets: Vec::new(),
                    place: place.clone(),
                    is_device: false,
                };
                Ok((owner, Vec::new()))
            }
        }
    }
}

fn subjects<'a>(project: &'a Project, selection: &Selection) -> Vec<Subject<'a>> {
    let plan = &project.plan;
    let devices = plan.devices.iter().filter(|device| selection.has_device(&device.name)).map(Subject::Device);
    let clusters =
        plan.clusters.iter().filter(|cluster| !cluster.incomplete && selection.has_cluster(&cluster.name, plan));
    devices.chain(clusters.filter_map(|cluster| Some(Subject::Cluster(cluster, cluster.place.as_ref()?)))).collect()
}

/// A fault, and the device that has it.
type Faults = Vec<(Fault, Option<String>)>;

fn render_all<R: Send>(
    project: &Project,
    subjects: &[Subject<'_>],
    proof: Proof,
    work: impl Fn(Owner) -> R + Send + Sync,
) -> (Vec<R>, Faults) {
    let rendered = parallel::map(subjects, |subject| {
        let (owner, findings) = subject.render(project, proof)?;
        Ok::<_, Vec<Fault>>((work(owner), findings))
    });
    let mut results = Vec::with_capacity(rendered.len());
    let mut faults = Faults::new();
    for (subject, rendered) in subjects.iter().zip(rendered) {
        match rendered {
            Ok((result, findings)) => {
                results.push(result);
                faults.extend(findings.into_iter().map(|finding| (Fault::Finding(Box::new(finding)), None)));
            }
            Err(wrong) => {
                let device = matches!(subject, Subject::Device(_)).then(|| subject.name().to_owned());
                faults.extend(wrong.into_iter().map(|fault| (fault, device.clone())));
            }
        }
    }
    (results, faults)
}

fn report_faults(project: &mut Project, faults: Faults) {
    for (fault, device) in faults {
        let mut finding = match fault {
            Fault::Finding(finding) => *finding,
            Fault::Template(fault) => {
                let source = template_source(project, &fault.template);
                fault.diagnostic(source)
            }
        };
        finding.devices.extend(device);
        project.findings.push(finding);
    }
    // That a field is deprecated says nothing where its successor refuses it.
    let refused = |finding: &&Diagnostic| finding.code == Code::DocumentConflict;
    let refused: Vec<Place> = project.findings.iter().filter(refused).map(|finding| finding.at.place.clone()).collect();
    project.findings.retain(|finding| finding.code != Code::DeprecatedField || !refused.contains(&finding.at.place));
    project.apply_levels();
}

/// An artifact that is no document of its kind, and what is wrong with it.
type Faulty = (Artifact, Vec<output::Fault>);

fn faulty(artifacts: &[Artifact]) -> Vec<Faulty> {
    let judged = artifacts.iter().map(|artifact| (artifact, output::verify(artifact)));
    judged.filter(|(_, faults)| !faults.is_empty()).map(|(artifact, faults)| (artifact.clone(), faults)).collect()
}

fn report_faulty(project: &mut Project, faulty: Vec<Faulty>) {
    for (artifact, faults) in faulty {
        let source = match artifact.template {
            Some(template) => template_source(project, template),
            None => project.sources.add(artifact.path.clone(), artifact.text.clone()),
        };
        project.findings.extend(faults.iter().map(|fault| fault.diagnostic(&artifact, source)));
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
