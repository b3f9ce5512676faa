//! The findings about files that differ, for people: one for each code and device or application, and one command for all.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location};
use talosmith_model::layout::{self, DEVICES, FLEET_FILE};

use crate::change::{Change, ChangeKind};
use crate::inspection::Inspection;
use crate::selection::Selection;

/// The codes of findings that `generate` removes, whatever the file contains.
const GROUPED: [Code; 3] = [Code::Missing, Code::Orphan, Code::Stale];

/// The lines of excerpts that a finding about several files shows; of more it names the files alone.
const EXCERPTS: usize = 24;

/// A command names at most this many devices, or else none, which is for all of them.
const NAMED: usize = 5;

/// Merges the findings of one code about files of one device or application.
pub(crate) fn group<K>(inspection: &Inspection<'_, K>, findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let mut groups: Vec<(Utf8PathBuf, Vec<Diagnostic>)> = Vec::new();
    let mut others = Vec::new();
    for mut finding in findings {
        if !GROUPED.contains(&finding.code) {
            others.push(finding);
            continue;
        }
        let path = inspection.sources.path(finding.at.location.source);
        let folder = folder_of(inspection, &path);
        if finding.code != Code::Orphan || !is_absent(inspection, &path) {
            finding.helps.clear();
        }
        let is_same = |group: &(Utf8PathBuf, Vec<Diagnostic>)| {
            group.0 == folder && (group.1[0].code, &group.1[0].notes) == (finding.code, &finding.notes)
        };
        match groups.iter().rposition(is_same) {
            Some(index) => groups[index].1.push(finding),
            None => groups.push((folder, vec![finding])),
        }
    }
    others.extend(groups.into_iter().map(|(folder, findings)| merge(inspection, &folder, findings)));
    others
}

/// A `generate` that writes every file that the findings are about.
#[derive(Debug)]
pub(crate) struct Generate<'a> {
    /// The devices; none means all.
    pub devices: Vec<&'a str>,
    /// Whether the files of devices without a `device.yaml` are removed.
    pub removes_devices: bool,
}

impl<'a> Generate<'a> {
    /// None if there is nothing to write, or only files of devices to remove, whose findings have a command of their own.
    pub(crate) fn new<K>(inspection: &'a Inspection<'_, K>, selection: &'a Selection) -> Option<Self> {
        let changes = &inspection.differences.changes;
        let is_left = |change: &&Change| change.kind == ChangeKind::Removed && is_absent(inspection, &change.path);
        let written: Vec<&Change> = changes.iter().filter(|change| !is_left(change)).collect();
        if written.is_empty() {
            return None;
        }
        let names: Option<BTreeSet<&str>> = match selection {
            Selection::Devices(names) => Some(names.iter().map(String::as_str).collect()),
            // An application belongs to no single device.
            Selection::Everything => written.iter().map(|change| layout::device_of(&change.path)).collect(),
        };
        let has_left = written.len() < changes.len();
        let is_whole = |names: &BTreeSet<&str>| names.len() > NAMED || names.len() == inspection.devices.len();
        let named = names.filter(|names| has_left || !is_whole(names));
        let removes_devices = has_left && named.is_none();
        Some(Self { devices: named.into_iter().flatten().collect(), removes_devices })
    }
}

/// Whether some findings are about files that `generate` writes or removes, whatever is in them.
pub(crate) fn is_any_grouped(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| GROUPED.contains(&finding.code))
}

/// Whether a file belongs to a device whose `device.yaml` does not exist.
pub(super) fn is_absent<K>(inspection: &Inspection<'_, K>, path: &Utf8Path) -> bool {
    layout::device_of(path).is_some_and(|name| !inspection.devices.iter().any(|device| device == name))
}

/// Returns the folder of generated files that a file is in: that of its device or of an application; an empty path for an artifact of
/// the user's templates, which can be anywhere.
fn folder_of<K>(inspection: &Inspection<'_, K>, path: &Utf8Path) -> Utf8PathBuf {
    if let Some(name) = layout::device_of(path) {
        return layout::manifests(name);
    }
    let folders = inspection.differences.within.iter().filter(|folder| folder.as_str() != DEVICES);
    let folder = folders.filter(|folder| path.starts_with(folder)).max_by_key(|folder| folder.as_str().len());
    folder.cloned().unwrap_or_default()
}

/// Merges findings of one code about files below a folder; one finding stays as it is.
fn merge<K>(inspection: &Inspection<'_, K>, folder: &Utf8Path, mut findings: Vec<Diagnostic>) -> Diagnostic {
    if findings.len() == 1 {
        return findings.remove(0);
    }
    let count = findings.len();
    let of = match layout::device_of(folder) {
        Some(name) => format!("{count} files of `{name}`"),
        None if folder.as_str().is_empty() => format!("{count} files of `artifacts`"),
        None => format!("{count} files in `{folder}`"),
    };
    let message = match findings[0].code {
        Code::Missing => format!("{of} do not exist"),
        Code::Orphan => format!("no model key requests {of} any more"),
        _ => format!("{of} are older than the model"),
    };
    let names: Vec<String> = findings
        .iter()
        .map(|finding| {
            let path = inspection.sources.path(finding.at.location.source);
            path.strip_prefix(folder).unwrap_or(&path).to_string()
        })
        .collect();
    let file = if folder.as_str().is_empty() { Utf8Path::new(FLEET_FILE) } else { folder };
    let mut merged = Diagnostic::new(findings[0].code, message, Location::file(inspection.sources.add(file, "")));
    merged.level = findings[0].level;
    match merged.code {
        Code::Missing => merged.notes.push(format!("the model requests them: {}", names.join(", "))),
        Code::Orphan => {
            merged.notes.push(format!("their first lines show that talosmith generated them: {}", names.join(", ")));
            merged.notes.extend(findings[0].notes.iter().skip(1).cloned());
        }
        _ => {
            merged.figure = excerpts(&names, &findings);
            if merged.figure.is_none() {
                merged.notes.push(format!("the files: {}", names.join(", ")));
                let name = layout::device_of(folder).map(|name| format!(" {name}")).unwrap_or_default();
                merged.helps.push(format!("`talosmith diff{name}` shows the lines"));
            }
            merged.notes.extend(findings[0].notes.iter().cloned());
        }
    }
    merged.helps.extend(findings[0].helps.first().cloned());
    merged
}

/// Returns the names of stale files with the lines that differ; none if these are many.
fn excerpts(names: &[String], findings: &[Diagnostic]) -> Option<String> {
    let figures: Vec<&str> = findings.iter().map(|finding| finding.figure.as_deref().unwrap_or_default()).collect();
    if figures.iter().map(|figure| figure.lines().count()).sum::<usize>() > EXCERPTS {
        return None;
    }
    Some(names.iter().zip(figures).map(|(name, figure)| format!("{name}\n{figure}")).collect())
}
