//! Artifacts of the user's own templates: what they render, and where that is placed.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, SourceId};
use talosmith_model::ArtifactScope;
use talosmith_model::plan::{Cluster, Device, UserArtifact};
use talosmith_render::{
    Artifact, FleetView, GeneratedFile, InvalidArtifact, Mark, Reader, Renderer, TemplateError, check_user_artifact,
    cluster_paths, collisions, documents, template_name, user_header,
};

use crate::change::is_of_fleet_file;
use crate::named_files::symlink;
use crate::regions::{Fault, splice};
use crate::selection::Selection;
use crate::source_cache::SourceCache;
use crate::tree::{EntryKind, ReadError, Tree};
use crate::user_templates::UserTemplates;

/// The artifacts of the user's templates, with the devices and clusters that these see.
#[derive(Debug)]
pub struct UserArtifacts<'a> {
    templates: &'a UserTemplates,
    clusters: &'a [Cluster],
    /// The devices without errors, in natural order of their names, by cluster.
    devices: BTreeMap<&'a str, Vec<Arc<Device>>>,
    /// The same, all of them; none if a device has errors.
    all: Option<&'a [Arc<Device>]>,
    selection: &'a Selection,
}

/// What one template renders for one device, for one cluster, or for the fleet.
pub(crate) struct Part<'a> {
    artifact: &'a UserArtifact,
    path: Utf8PathBuf,
    view: FleetView<'a>,
}

impl<'a> UserArtifacts<'a> {
    pub(crate) fn new(
        templates: &'a UserTemplates,
        clusters: &'a [Cluster],
        devices: &'a [Arc<Device>],
        is_complete: bool,
        selection: &'a Selection,
    ) -> Self {
        let mut by_cluster: BTreeMap<&str, Vec<Arc<Device>>> = BTreeMap::new();
        for device in devices {
            by_cluster.entry(&device.cluster).or_default().push(Arc::clone(device));
        }
        Self { templates, clusters, devices: by_cluster, all: is_complete.then_some(devices), selection }
    }

    /// Returns what is rendered: of devices and clusters what is selected, and for the fleet everything.
    pub(crate) fn parts(&'a self) -> Vec<Part<'a>> {
        let mut parts = Vec::new();
        for artifact in &self.templates.artifacts {
            let mut add = |name: &str, view| parts.push(Part { artifact, path: artifact.path_of(name), view });
            match artifact.scope {
                ArtifactScope::Fleet => {
                    if let Some(devices) = self.all {
                        add("", FleetView::Fleet(self.clusters, devices));
                    }
                }
                ArtifactScope::Cluster => {
                    for cluster in self.clusters.iter().filter(|cluster| !cluster.incomplete) {
                        let devices = self.devices.get(cluster.name.as_str()).map_or(&[][..], Vec::as_slice);
                        if *self.selection == Selection::Everything
                            || devices.iter().any(|device| self.selection.has_device(&device.name))
                        {
                            add(&cluster.name, FleetView::Cluster(cluster, devices));
                        }
                    }
                }
                ArtifactScope::Device => {
                    for device in self.devices.values().flatten().filter(|it| self.selection.has_device(&it.name)) {
                        add(&device.name, FleetView::Device(device));
                    }
                }
            }
        }
        parts
    }

    /// Returns generated files in the folders of whole files that no artifact has. `expected` must be sorted.
    pub(crate) fn strays(&self, tree: &dyn Tree, expected: &[&str]) -> Result<Vec<Utf8PathBuf>, ReadError> {
        let mut strays = Vec::new();
        if *self.selection != Selection::Everything || self.all.is_none() {
            return Ok(strays);
        }
        let whole = expected.iter().filter_map(|path| Utf8Path::new(path).parent());
        let mut folders: Vec<&Utf8Path> = whole.collect();
        folders.dedup();
        for folder in folders {
            for entry in tree.list(folder)?.into_iter().filter(|entry| entry.kind == EntryKind::File) {
                let path = folder.join(&entry.name);
                let is_stray = expected.binary_search(&path.as_str()).is_err()
                    && tree.read(&path)?.is_some_and(|bytes| is_of_fleet_file(&bytes));
                if is_stray {
                    strays.push(path);
                }
            }
        }
        Ok(strays)
    }
}

impl Part<'_> {
    pub(crate) fn render(&self, renderer: &Renderer) -> Result<String, TemplateError> {
        renderer.user(self.artifact, &self.view)
    }

    /// Proves that the values in what was rendered change no structure, and that it is valid.
    pub(crate) fn prove(
        &self,
        renderer: &Renderer,
        templates: &UserTemplates,
    ) -> Result<Vec<InvalidArtifact>, TemplateError> {
        let body = self.render(renderer)?;
        renderer.prove_user(self.artifact, &self.view, &body)?;
        let schema = self.artifact.schema.as_ref().and_then(|path| templates.schema(path));
        let invalid =
            check_user_artifact(self.artifact.format, &body, schema).into_iter().map(|message| self.invalid(message));
        Ok(invalid.collect())
    }

    fn invalid(&self, message: String) -> InvalidArtifact {
        let template = Cow::Owned(template_name(self.artifact));
        InvalidArtifact { path: self.path.clone(), template, location: String::new(), message }
    }

    /// Whether it is in the file of an artifact.
    pub(crate) fn is_in(&self, artifact: &Artifact) -> bool {
        self.path == artifact.path
    }

    /// The check that the file around a region is still valid.
    pub(crate) fn check_whole(&self, sources: &SourceCache<'_>, artifact: &Artifact) -> Option<Diagnostic> {
        let wrong = check_user_artifact(self.artifact.format, &artifact.text, None).into_iter().next();
        wrong.filter(|_| self.artifact.is_region).map(|message| {
            let file = Location::file(sources.add(self.path.clone(), ""));
            Diagnostic::new(Code::OutputSchema, format!("`{}` would not be valid: {message}", self.path), file)
                .note(format!("this is the file with the region `{}`", self.artifact.name))
                .help(format!("fix the lines around the region, or `{}`", self.artifact.template))
        })
    }
}

/// Places what was rendered in files. Returns their artifacts, and what is wrong.
pub(crate) fn place(
    tree: &dyn Tree,
    sources: &SourceCache<'_>,
    user: &UserArtifacts<'_>,
    rendered: &[(Part<'_>, String)],
) -> (Vec<Artifact>, Vec<Diagnostic>) {
    let documents: Vec<GeneratedFile> = user.devices.values().flatten().flat_map(|device| documents(device)).collect();
    let documents = documents.iter().map(|file| (file.path.clone(), &file.location));
    let mut owners: Vec<(Utf8PathBuf, &Location)> =
        user.clusters.iter().flat_map(cluster_paths).chain(documents).collect();
    let mut regions: BTreeMap<&Utf8Path, Vec<(&UserArtifact, &str)>> = BTreeMap::new();
    let mut artifacts = Vec::new();
    for (part, body) in rendered {
        if part.artifact.is_region {
            regions.entry(&part.path).or_default().push((part.artifact, body));
            continue;
        }
        owners.push((part.path.clone(), &part.artifact.location));
        let header = user_header(part.artifact);
        let mark = if header.is_empty() { Mark::Path } else { Mark::Header };
        artifacts.push(artifact(&part.path, part.artifact, header + body, mark));
    }
    owners.extend(regions.iter().map(|(path, parts)| ((*path).to_owned(), &parts[0].0.location)));
    let mut findings = collisions(owners.iter().map(|(path, location)| (path.as_path(), *location)));
    for (path, parts) in regions {
        match region_file(tree, sources, path, &parts) {
            Ok(text) => artifacts.push(artifact(path, parts[0].0, text, Mark::Region)),
            Err(wrong) => findings.extend(wrong),
        }
    }
    (artifacts, findings)
}

fn artifact(path: &Utf8Path, artifact: &UserArtifact, text: String, mark: Mark) -> Artifact {
    Artifact {
        path: path.to_owned(),
        key: Cow::Owned(format!("artifacts.{}", artifact.name)),
        text,
        template: Some(Cow::Owned(template_name(artifact))),
        reader: Reader::Other,
        mark,
        applied: false,
        raw: true,
        merged: Vec::new(),
    }
}

/// Returns a file with new contents of its regions.
fn region_file(
    tree: &dyn Tree,
    sources: &SourceCache<'_>,
    path: &Utf8Path,
    parts: &[(&UserArtifact, &str)],
) -> Result<String, Vec<Diagnostic>> {
    let into = |message: String| {
        let (artifact, _) = parts[0];
        Diagnostic::new(Code::Missing, message, artifact.location.clone())
    };
    let text = match tree.read(path) {
        Ok(Some(bytes)) => String::from_utf8(bytes).map_err(|_| vec![into(format!("`{path}` is not UTF-8"))])?,
        Ok(None) => {
            let help = format!("create it with these lines:\n{}", markers(parts[0].0));
            return Err(vec![into(format!("there is no `{path}`")).help(help)]);
        }
        Err(ReadError::Symlink(link)) => return Err(vec![symlink(sources, &link)]),
        Err(error) => return Err(vec![into(error.to_string())]),
    };
    let contents: BTreeMap<&str, &str> = parts.iter().map(|(artifact, body)| (artifact.name.as_str(), *body)).collect();
    splice(&text, &contents).map_err(|faults| {
        let source = sources.add(path, text.as_str());
        faults.into_iter().map(|fault| marker_finding(fault, path, source, parts)).collect()
    })
}

fn marker_finding(fault: Fault, path: &Utf8Path, source: SourceId, parts: &[(&UserArtifact, &str)]) -> Diagnostic {
    let at = |at| Location::bytes(source, at);
    let artifact =
        |name: &str| parts.iter().find(|(artifact, _)| artifact.name == *name).map_or(parts[0].0, |(it, _)| it);
    match fault {
        Fault::Missing { name } => {
            let artifact = artifact(&name);
            Diagnostic::new(Code::Missing, format!("`{path}` has no region `{name}`"), artifact.location.clone())
                .note("everything outside of the region stays as it is")
                .help(format!("add these lines where the content belongs:\n{}", markers(artifact)))
        }
        Fault::Open { name, at: range } => {
            let message = format!("the region `{name}` does not end");
            Diagnostic::new(Code::Missing, message, at(range))
                .help(format!("add the line `talosmith:end {name}` as a comment after its content"))
        }
        Fault::Twice { name, at: range } => {
            Diagnostic::new(Code::OutputCollision, format!("`{path}` has the region `{name}` twice"), at(range))
                .help("remove one of the two")
        }
        Fault::Unknown { name, at: range } => {
            Diagnostic::new(Code::Orphan, format!("no artifact renders the region `{name}`"), at(range))
                .note("talosmith never removes a region: its content may be wanted")
                .help("remove it with its markers, or the markers alone to keep its content")
        }
        Fault::Nested { name } => {
            let message = format!("the template renders a marker in the region `{name}`");
            Diagnostic::new(Code::TemplateShape, message, artifact(&name).location.clone())
                .note("the region would end there, and grow each time that it is generated")
                .help("remove the marker from the template, and write it in the file around the region")
        }
    }
}

/// The lines around a region, in the comments of the file.
fn markers(artifact: &UserArtifact) -> String {
    let (start, end) = artifact.comment.unwrap_or_default();
    let name = &artifact.name;
    format!("{start}talosmith:begin {name}{end}\n{start}talosmith:end {name}{end}")
}
