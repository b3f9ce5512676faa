//! Values of hand-written files that must be those of devices.

use camino::Utf8Path;
use talosmith_document::{Diagnostic, Document, Location};
use talosmith_model::plan::{self, DeviceNames, Reference};

use crate::change::is_generated;
use crate::glob;
use crate::project::Project;
use crate::regions::regions;

/// The number of bytes of files that are read for one reference.
const MAX_TOTAL: usize = 32 << 20;

/// Returns what is wrong with the values to which `references` leads. `names` is only called if there are references.
pub(crate) fn check_references(project: &Project<'_>, names: impl FnOnce() -> Option<DeviceNames>) -> Vec<Diagnostic> {
    let Some(fleet) = project.fleet.as_ref().filter(|fleet| !fleet.fleet.references.is_empty()) else {
        return Vec::new();
    };
    let Some(names) = names() else { return Vec::new() };
    let (references, mut findings) = plan::references(fleet, &names);
    findings.extend(references.into_iter().flat_map(|reference| check(project, reference)));
    findings
}

fn check(project: &Project<'_>, mut reference: Reference) -> Vec<Diagnostic> {
    let found = glob::matches(project.tree, &reference.files);
    if let Some(limit) = found.limit {
        reference.add_incomplete(limit);
        return reference.finish(found.files.len(), &found.links);
    }
    for error in found.refused {
        reference.add_incomplete(error.to_string());
    }
    let (mut checked, mut total) = (0, 0);
    for path in &found.files {
        total += check_file(project, &mut reference, path);
        checked += 1;
        if total > MAX_TOTAL {
            let rest = found.files.len() - checked;
            let files = if rest == 1 { "file is" } else { "files are" };
            reference.add_incomplete(format!("{rest} {files} not checked after {} MiB", MAX_TOTAL >> 20));
            break;
        }
    }
    reference.finish(checked, &found.links)
}

/// Checks one file, and returns its size.
fn check_file(project: &Project<'_>, reference: &mut Reference, path: &Utf8Path) -> usize {
    let sources = &project.sources;
    let (source, text) = match sources.read(path) {
        Ok(Some(Ok(read))) => read,
        Ok(Some(Err(finding))) => {
            reference.add_unreadable(path.as_str(), &finding.message, finding.at.location);
            return 0;
        }
        Ok(None) => return 0,
        Err(error) => {
            reference.add_unreadable(path.as_str(), &error.to_string(), Location::file(sources.add(path, "")));
            return 0;
        }
    };
    // A generated file is compared with the model as a whole.
    if !is_generated(text.as_bytes()) {
        match Document::parse_foreign(source, &text) {
            Ok(documents) => reference.check(source, &text, &documents, &regions(&text)),
            Err(finding) => reference.add_unreadable(path.as_str(), &finding.message, finding.at.location),
        }
    }
    // A report reads the text again if it needs it.
    sources.release(source);
    text.len()
}
