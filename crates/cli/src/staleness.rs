//! Why a file differs from what would be generated: the model changed, or somebody edited the file.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Locator, SourceId, line_column};
use talosmith_model::layout;
use talosmith_model::plan::Device;
use talosmith_render::generated_files;
use talosmith_render::provenance::{Edit, Provenance, of_cluster, of_device};

use crate::change::{Change, ChangeKind};
use crate::diff;
use crate::git::Git;
use crate::inspection::{Inspection, inspect};
use crate::process::Processes;
use crate::project::Project;
use crate::selection::Selection;
use crate::steps::Purpose;
use crate::tree::{GitTree, Tree};

/// The state of HEAD, as far as the files that differ need it.
pub(crate) struct Head {
    /// What its model renders to.
    rendered: BTreeMap<Utf8PathBuf, String>,
    /// The files that it contains.
    files: BTreeMap<Utf8PathBuf, Vec<u8>>,
}

impl Head {
    /// Reads HEAD for the files that differ; none if there is no HEAD, or its model has errors.
    pub(crate) fn read(processes: &dyn Processes, root: &Utf8Path, changes: &[Change]) -> Option<Self> {
        let git = Git::open(processes, root).ok()?;
        let tree = GitTree::revision(&git, "HEAD").ok()?;
        let project = Project::open(&tree).ok()?;
        let wanted: HashSet<&Utf8Path> = changes.iter().map(|change| change.path.as_path()).collect();
        let inspection = inspect(project, &Selection::Everything, Purpose::Render, |inspected| {
            let artifacts = inspected.artifacts?.iter().filter(|artifact| wanted.contains(artifact.path.as_path()));
            Some(artifacts.map(|artifact| (artifact.path.clone(), artifact.text.clone())).collect::<Vec<_>>())
        });
        let inspection = inspection.ok().filter(|inspection| !inspection.has_errors())?;
        let rendered = inspection.kept.into_iter().flatten().collect();
        let file = |change: &Change| Some((change.path.clone(), tree.read(&change.path).ok()??));
        Some(Self { rendered, files: changes.iter().filter_map(file).collect() })
    }
}

/// Returns a finding for each file that differs. The inspection keeps the devices with a changed file.
pub(crate) fn explain(inspection: &mut Inspection<'_, Arc<Device>>, head: Option<&Head>) -> Vec<Diagnostic> {
    let changes = std::mem::take(&mut inspection.differences.changes);
    let findings = changes.iter().map(|change| explain_change(inspection, change, head)).collect();
    inspection.differences.changes = changes;
    findings
}

fn explain_change(inspection: &mut Inspection<'_, Arc<Device>>, change: &Change, head: Option<&Head>) -> Diagnostic {
    let command = change.command();
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let (old, new) = (text(&change.old), text(&change.new));
    let source = inspection.sources.add(change.path.clone(), old.as_str());
    let file = Location::file(source);
    match change.kind {
        ChangeKind::Added | ChangeKind::Same => {
            Diagnostic::new(Code::Missing, format!("`{}` is not there", change.path), file)
                .note("the model asks for it")
                .help(format!("`{command}`"))
        }
        ChangeKind::Removed => {
            Diagnostic::new(Code::Orphan, format!("nothing asks for `{}` any more", change.path), file)
                .note("its first line says that talosmith made it")
                .help(format!("`{command}`\nremoves it"))
        }
        ChangeKind::Changed if change.is_foreign() => {
            Diagnostic::new(Code::ForeignFile, format!("talosmith did not make `{}`", change.path), file)
                .note("it lacks the first line that every generated file has")
                .figure(diff::excerpt(&old, &new))
                .help(format!("to replace it:  `{command} --force`"))
        }
        ChangeKind::Changed => {
            let is_model_unchanged =
                head.and_then(|head| head.rendered.get(&change.path)).is_some_and(|then| *then == new);
            let committed = head.and_then(|head| head.files.get(&change.path));
            if is_model_unchanged && committed.map(Vec::as_slice) != Some(old.as_bytes()) {
                return hand_edited(inspection, change, source, &Edit::new(&new, &old));
            }
            let finding = Diagnostic::new(Code::Stale, format!("`{}` is older than the model", change.path), file)
                .figure(diff::excerpt(&old, &new))
                .help(format!("`{command}`"));
            if is_model_unchanged {
                return finding.note("neither the model nor the file changed since HEAD: they were committed so, or another version of talosmith made the file");
            }
            finding
        }
    }
}

fn hand_edited(
    inspection: &mut Inspection<'_, Arc<Device>>,
    change: &Change,
    source: SourceId,
    edit: &Edit<'_>,
) -> Diagnostic {
    let command = change.command();
    let finding = Diagnostic::new(
        Code::HandEdited,
        format!("`{}` differs from what the model generates", change.path),
        Location::bytes(source, line_range(edit.edited, edit.line)),
    )
    .figure(diff::excerpt(edit.edited, edit.generated))
    .note("the model did not change since HEAD, so the edit was made here");
    let provenance = provenance(inspection, change, edit);
    match provenance
        .and_then(|provenance| Some((provenance.is_exact, ModelLine::find(inspection, &provenance.location)?)))
    {
        Some((is_exact, ModelLine { path, line, text })) => {
            let makes = if is_exact { "makes this line" } else { "requests this file" };
            finding
                .note(format!("{path}:{line} {makes}:  `{text}`"))
                .help(format!("to keep the edit, make it at {path}:{line} and run\n{command}"))
                .help(format!("to drop it:  `{command}`"))
        }
        None => finding.help(format!("to keep the edit, make it in the model; to drop it:  `{command}`")),
    }
}

/// Where the model specifies the line that was edited.
fn provenance(inspection: &Inspection<'_, Arc<Device>>, change: &Change, edit: &Edit<'_>) -> Option<Provenance> {
    let fleet = inspection.fleet.as_ref()?;
    let name = layout::device_of(&change.path);
    if let Some(device) = inspection.kept.iter().find(|device| Some(device.name.as_str()) == name) {
        let files = generated_files(device);
        let file = files.iter().find(|file| file.path == change.path && !file.secret)?;
        return Some(of_device(fleet, device, &file.key, edit));
    }
    inspection.clusters.iter().find_map(|cluster| of_cluster(fleet, cluster, &change.path, edit))
}

/// A line of the model.
struct ModelLine {
    path: Utf8PathBuf,
    /// From 1.
    line: usize,
    /// The line without its indent.
    text: String,
}

impl ModelLine {
    fn find(inspection: &mut Inspection<'_, Arc<Device>>, location: &Location) -> Option<Self> {
        let sources = inspection.sources.load_one(location.source);
        let start = Locator::new(sources).locate(location)?.start;
        let source = sources.get(location.source);
        let (line, _) = line_column(&source.text, start);
        let text = source.text.lines().nth(line - 1)?.trim().to_owned();
        Some(Self { path: source.path.clone(), line, text })
    }
}

fn line_range(text: &str, line: usize) -> std::ops::Range<usize> {
    let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
    let length = text[start.min(text.len())..].lines().next().map_or(0, str::len);
    let indent = text[start.min(text.len())..].chars().take_while(|c| *c == ' ').count().min(length);
    start + indent..start + length
}
