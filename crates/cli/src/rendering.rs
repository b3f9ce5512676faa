//! What is generated for a device or a cluster, and what is wrong with it.

use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::{Diagnostic, SourceId};
use talosmith_model::layout::manifests;
use talosmith_model::plan::{Cluster, Device, PlannedDevice};
use talosmith_render::{
    Artifact, ArtifactError, LayerFile, TemplateOrigin, collisions, generated_files, layer_files, secret_files,
    share_files, wrong_files,
};

use crate::change::{find_documents, find_orphans};
use crate::project::Project;
use crate::tree::{ReadError, Tree};
use crate::user_artifacts::{UserArtifacts, place};

/// A device or a cluster, for which files are generated.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'a> {
    Device(&'a Arc<Device>),
    Cluster(&'a Cluster),
    /// The fleet, for which the user's own templates render files.
    User(&'a UserArtifacts<'a>),
}

impl Owner<'_> {
    /// The folders of its files. Files in them that talosmith generated before and that belong to nothing are orphans.
    pub(crate) fn folders(self) -> Vec<Utf8PathBuf> {
        match self {
            Self::Device(device) => vec![manifests(&device.name)],
            Self::Cluster(cluster) => cluster.folders().map(|application| application.folder.into()).collect(),
            Self::User(_) => Vec::new(),
        }
    }

    /// The generated files in its folders that are not among the `expected` ones, which must be sorted.
    pub(crate) fn strays(self, tree: &dyn Tree, expected: &[&str]) -> Result<Vec<Utf8PathBuf>, ReadError> {
        match self {
            Self::Device(device) => {
                let mut strays = find_orphans(tree, self.folders(), expected)?;
                // Its name may be another one, and it is there until the others can be read.
                if !device.documents.is_runbook_withheld {
                    strays.extend(find_documents(tree, &device.name, expected)?);
                }
                Ok(strays)
            }
            Self::Cluster(_) => find_orphans(tree, self.folders(), expected),
            Self::User(user) => user.strays(tree, expected),
        }
    }

    /// The files with its secrets, which are not tracked.
    pub(crate) fn secret_paths(self) -> Vec<Utf8PathBuf> {
        match self {
            Self::Device(device) => secret_files(device).into_iter().map(|file| file.path).collect(),
            Self::Cluster(_) | Self::User(_) => Vec::new(),
        }
    }

    /// The keys of `files` that it has from layers.
    pub(crate) fn layer_files(self) -> Vec<LayerFile> {
        match self {
            Self::Device(device) => layer_files(device),
            Self::Cluster(_) | Self::User(_) => Vec::new(),
        }
    }

    /// Renders its artifacts. Returns all findings on them; if these keep them from being rendered, no artifacts. Without `is_checked`,
    /// patches that Talos would refuse are rendered too.
    pub(crate) fn render(self, project: &Project<'_>, is_checked: bool) -> (Option<Vec<Artifact>>, Vec<Diagnostic>) {
        let rendered = match self {
            Self::Device(device) if !is_checked => {
                project.renderer.device(device).map(|artifacts| (share_files(device, artifacts), Vec::new()))
            }
            Self::Device(device) => render_device(device, project),
            Self::Cluster(cluster) => project.renderer.cluster(cluster).map(|artifacts| (artifacts, Vec::new())),
            Self::User(user) => render_user(user, project),
        };
        match rendered {
            Ok((artifacts, findings)) => (Some(artifacts), findings),
            Err(errors) => (None, errors.into_iter().map(|error| self.finding(project, error)).collect()),
        }
    }

    /// Proves that these artifacts are valid whatever the values in them. Returns what is wrong.
    pub(crate) fn prove(self, project: &Project<'_>, artifacts: &[&Artifact]) -> Vec<Diagnostic> {
        let errors = match self {
            Self::Device(device) => project.renderer.prove_device(device, artifacts),
            Self::Cluster(cluster) => project.renderer.prove_cluster(cluster, artifacts),
            Self::User(user) => return prove_user(user, project, artifacts),
        };
        if errors.is_empty() {
            return artifacts.iter().flat_map(|artifact| invalid(project, artifact)).collect();
        }
        errors.into_iter().map(|error| self.finding(project, ArtifactError::Template(error))).collect()
    }

    fn finding(self, project: &Project<'_>, error: ArtifactError) -> Diagnostic {
        let mut finding = match error {
            ArtifactError::Finding(finding) => *finding,
            ArtifactError::Template(error) => {
                let (source, origin) = template_source(project, &error.template);
                error.diagnostic(source, origin)
            }
            ArtifactError::Invalid(invalid) => {
                let (source, origin) = template_source(project, &invalid.template);
                invalid.diagnostic(source, origin)
            }
        };
        if let Self::Device(device) = self {
            finding.devices.insert(device.name.clone());
        }
        finding
    }
}

/// Renders the artifacts of a device and checks them.
fn render_device(
    device: &Arc<Device>,
    project: &Project<'_>,
) -> Result<(Vec<Artifact>, Vec<Diagnostic>), Vec<ArtifactError>> {
    let mut errors = findings_as_errors(wrong_files(device));
    let artifacts = match project.renderer.device(device) {
        Ok(artifacts) => artifacts,
        Err(found) => {
            errors.extend(found);
            return Err(errors);
        }
    };
    match project.renderer.check_patches(device, &artifacts) {
        Ok(mut findings) if errors.is_empty() => {
            let artifacts = share_files(device, artifacts);
            findings.extend(own_collisions(device, &artifacts));
            return Ok((artifacts, findings));
        }
        Ok(findings) => errors.extend(findings_as_errors(findings)),
        Err(found) => {
            // A value that changes the structure of a patch is the cause of what Talos refuses in it.
            let causes = project.renderer.prove_device(device, &artifacts.iter().collect::<Vec<_>>());
            let causes: Vec<_> = causes.into_iter().map(ArtifactError::Template).collect();
            errors.extend(if causes.is_empty() { found } else { causes });
        }
    }
    Err(errors)
}

fn findings_as_errors(findings: Vec<Diagnostic>) -> Vec<ArtifactError> {
    findings.into_iter().map(Box::new).map(ArtifactError::Finding).collect()
}

/// Renders the artifacts of the user's templates and places them in their files.
fn render_user(
    user: &UserArtifacts<'_>,
    project: &Project<'_>,
) -> Result<(Vec<Artifact>, Vec<Diagnostic>), Vec<ArtifactError>> {
    let (mut rendered, mut errors) = (Vec::new(), Vec::new());
    for part in user.parts() {
        match part.render(&project.renderer) {
            Ok(body) => rendered.push((part, body)),
            Err(error) => errors.push(ArtifactError::Template(error)),
        }
    }
    if errors.is_empty() { Ok(place(project.tree, &project.sources, user, &rendered)) } else { Err(errors) }
}

/// Proves that what the user's templates render is valid whatever the values in it, and the files around it too.
fn prove_user(user: &UserArtifacts<'_>, project: &Project<'_>, artifacts: &[&Artifact]) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for part in user.parts() {
        let Some(artifact) = artifacts.iter().find(|artifact| part.is_in(artifact)) else { continue };
        match part.prove(&project.renderer, &project.user) {
            Ok(invalid) => {
                if invalid.is_empty() {
                    findings.extend(part.check_whole(&project.sources, artifact));
                }
                findings.extend(invalid.into_iter().map(|invalid| {
                    let (source, origin) = template_source(project, &invalid.template);
                    invalid.diagnostic(source, origin)
                }));
            }
            Err(error) => {
                let (source, origin) = template_source(project, &error.template);
                findings.push(error.diagnostic(source, origin));
            }
        }
    }
    findings
}

/// Returns what is certainly wrong with the merged patches of a device that has errors, and of which nothing is generated.
pub(crate) fn merge_findings(project: &Project<'_>, planned: &PlannedDevice) -> Vec<Diagnostic> {
    let Ok(artifacts) = project.renderer.device(&planned.device) else { return Vec::new() };
    let mut findings = match project.renderer.check_patches(&planned.device, &artifacts) {
        Ok(findings) => findings,
        Err(errors) => {
            let found = |error| if let ArtifactError::Finding(finding) = error { Some(*finding) } else { None };
            errors.into_iter().filter_map(found).collect()
        }
    };
    findings.extend(wrong_files(&planned.device));
    findings.extend(own_collisions(&planned.device, &share_files(&planned.device, artifacts)));
    findings.retain(|finding| planned.is_certain(finding));
    findings
}

/// The findings on artifacts of a device that would be written to one file.
fn own_collisions(device: &Device, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    let mut paths: Vec<&str> = artifacts.iter().map(|artifact| artifact.path.as_str()).collect();
    let secrets = secret_files(device);
    paths.extend(secrets.iter().map(|file| file.path.as_str()));
    let is_same = |one: &str, other: &str| {
        one.eq_ignore_ascii_case(other) || (!one.is_ascii() && one.to_lowercase() == other.to_lowercase())
    };
    let is_double = |(index, path): (usize, &&str)| paths[..index].iter().any(|other| is_same(path, other));
    if !paths.iter().enumerate().any(is_double) {
        return Vec::new();
    }
    let files = generated_files(device);
    let findings = collisions(files.iter().map(|file| (file.path.as_path(), &file.location)));
    let limits = "keys can share a file if Talos applies what they generate, and it is no raw patch, not that of kata, and has no secret";
    findings.into_iter().map(|finding| finding.note(limits)).collect()
}

fn invalid(project: &Project<'_>, artifact: &Artifact) -> Vec<Diagnostic> {
    let parts = artifact.parts().iter().flat_map(|part| project.renderer.check_schema(part));
    let invalid = parts.map(|invalid| {
        let (source, origin) = template_source(project, &invalid.template);
        invalid.diagnostic(source, origin)
    });
    invalid.collect()
}

/// The source of a template, and whether the user wrote it.
fn template_source(project: &Project<'_>, name: &str) -> (SourceId, TemplateOrigin) {
    match project.overrides.get(name) {
        Some(source) => (*source, TemplateOrigin::Override),
        None => {
            let text = project.renderer.template(name).unwrap_or_default();
            (project.sources.add_template(name, text), TemplateOrigin::BuiltIn)
        }
    }
}
