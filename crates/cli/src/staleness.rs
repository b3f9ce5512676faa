//! Why a file differs from what would be generated: the model changed, or the file was edited by hand.

mod grouped;

use grouped::is_absent;

pub(crate) use grouped::{Generate, group, is_any_grouped};

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Location, Locator, SourceId, line_column};
use talosmith_model::plan::{UserArtifact, user_artifacts};
use talosmith_render::provenance::{Edit, Provenance, of_cluster, of_device};

use crate::change::{Change, ChangeKind};
use crate::diff;
use crate::head::{EditedDevice, Head};
use crate::inspection::Inspection;

/// Returns a finding for each file that differs. The inspection keeps the devices with a changed file.
pub(crate) fn explain(inspection: &mut Inspection<'_, EditedDevice>, head: Option<&Head>) -> Vec<Diagnostic> {
    let changes = std::mem::take(&mut inspection.differences.changes);
    let findings = changes.iter().map(|change| explain_change(inspection, change, head)).collect();
    inspection.differences.changes = changes;
    findings
}

fn explain_change(inspection: &mut Inspection<'_, EditedDevice>, change: &Change, head: Option<&Head>) -> Diagnostic {
    let command = change.command();
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
    let (old, new) = (text(&change.old), text(&change.new));
    let source = inspection.sources.add(change.path.clone(), old.as_str());
    let file = Location::file(source);
    match change.kind {
        ChangeKind::Added => Diagnostic::new(Code::Missing, format!("`{}` does not exist", change.path), file)
            .note("the model requests it")
            .help(format!("`{command}`")),
        ChangeKind::Removed => {
            let option = if is_absent(inspection, &change.path) { " --remove-devices" } else { "" };
            let finding =
                Diagnostic::new(Code::Orphan, format!("no model key requests `{}` any more", change.path), file)
                    .note("its first line shows that talosmith generated it");
            let finding = match head.is_some_and(|head| head.is_changed_orphan(&change.path)) {
                true => finding.note(format!(
                    "it differs from HEAD, and the difference is lost with it: `git diff HEAD -- {}`",
                    change.path
                )),
                false => finding,
            };
            finding.help(format!("`{command}{option}`\nremoves what no key requests"))
        }
        ChangeKind::Changed if change.is_foreign() => {
            Diagnostic::new(Code::ForeignFile, format!("talosmith did not generate `{}`", change.path), file)
                .note("it lacks the first line that every generated file has")
                .figure(diff::excerpt(&old, &new))
                .help(format!("to replace it:  `{command} --force`"))
        }
        ChangeKind::Changed if old.contains("\n<<<<<<< ") => {
            Diagnostic::new(Code::Stale, format!("`{}` has an unresolved conflict of a merge", change.path), file)
                .note("its content follows from the model, so it needs no merging")
                .help(format!("`{command}`"))
        }
        ChangeKind::Changed => {
            let is_model_unchanged = head.is_some_and(|head| head.renders(&change.path, &new));
            if head.is_some_and(|head| head.is_hand_edit(change)) {
                return hand_edited(inspection, change, source, &Edit::new(&new, &old));
            }
            let finding = Diagnostic::new(Code::Stale, format!("`{}` is older than the model", change.path), file)
                .figure(diff::excerpt(&old, &new))
                .help(format!("`{command}`"));
            if is_model_unchanged {
                return finding.note("neither the model nor the file changed since HEAD: they were committed so, or another version of talosmith generated the file");
            }
            finding
        }
    }
}

fn hand_edited(
    inspection: &mut Inspection<'_, EditedDevice>,
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
    if let Some(artifact) = user_artifact(inspection, change) {
        return finding
            .note(format!("the artifact `{}` of talosmith.yaml generates it", artifact.name))
            .help(format!("to keep the edit, make it in `{}` or in the model, and run\n{command}", artifact.template))
            .help(format!("to drop it:  `{command}`"));
    }
    let provenance = provenance(inspection, change, edit);
    match provenance
        .and_then(|provenance| Some((provenance.is_exact, ModelLine::find(inspection, &provenance.location)?)))
    {
        Some((is_exact, ModelLine { path, line, text })) => {
            let makes = if is_exact { "specifies this line" } else { "requests this file" };
            finding
                .note(format!("{path}:{line} {makes}:  `{text}`"))
                .help(format!("to keep the edit, make it at {path}:{line} and run\n{command}"))
                .help(format!("to drop it:  `{command}`"))
        }
        None => finding.help(format!("to keep the edit, make it in the model; to drop it:  `{command}`")),
    }
}

/// The artifact of a user's template that a file belongs to.
fn user_artifact(inspection: &Inspection<'_, EditedDevice>, change: &Change) -> Option<UserArtifact> {
    let (artifacts, _) = user_artifacts(inspection.fleet.as_ref()?);
    artifacts.into_iter().find(|artifact| artifact.owns(&change.path))
}

fn provenance(inspection: &Inspection<'_, EditedDevice>, change: &Change, edit: &Edit<'_>) -> Option<Provenance> {
    let fleet = inspection.fleet.as_ref()?;
    let edited = |kept: &'_ EditedDevice| kept.files.contains_key(&change.path);
    if let Some(EditedDevice { device, files }) = inspection.kept.iter().find(|kept| edited(kept)) {
        return Some(of_device(fleet, device, files[&change.path].key(device, edit), edit));
    }
    inspection.clusters.iter().find_map(|cluster| of_cluster(fleet, cluster, &change.path, edit))
}

struct ModelLine {
    path: Utf8PathBuf,
    /// From 1.
    line: usize,
    /// The line without its indent.
    text: String,
}

impl ModelLine {
    fn find(inspection: &mut Inspection<'_, EditedDevice>, location: &Location) -> Option<Self> {
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
