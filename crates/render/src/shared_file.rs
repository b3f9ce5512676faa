//! Files that several model keys share, because `files` has one name for their artifacts.

use talosmith_machinery::{PatchParts, decode_generated};
use talosmith_model::plan::Device;

use crate::formats::{self, Format};
use crate::node_config::target_of;
use crate::provenance::Edit;
use crate::target::can_share;
use crate::{Artifact, TemplateError, TemplateErrorKind, emit};

/// Merges the artifacts of a device that share a file; the merged one is where the first of them was. The patches must have been
/// checked. Artifacts with one path that cannot share a file stay as they are.
pub fn share_files(device: &Device, artifacts: Vec<Artifact>) -> Vec<Artifact> {
    if device.files.is_empty() {
        return artifacts;
    }
    let mut files: Vec<Vec<Artifact>> = Vec::with_capacity(artifacts.len());
    for artifact in artifacts {
        let file = files.iter_mut().find(|parts| parts[0].path == artifact.path);
        match file.filter(|parts| can_share(device, &parts[0].key) && can_share(device, &artifact.key)) {
            Some(parts) => parts.push(artifact),
            None => files.push(vec![artifact]),
        }
    }
    files.into_iter().filter_map(|parts| merged(device, parts)).collect()
}

/// Returns the file of these parts; that of a single one is its own.
fn merged(device: &Device, mut parts: Vec<Artifact>) -> Option<Artifact> {
    if parts.len() < 2 {
        return parts.pop();
    }
    let documents = read(device, &parts).merged();
    let body = documents.iter().map(emit::quoted_document).collect::<Vec<_>>().join("---\n");
    let first = &parts[0];
    let header = first.text.split_inclusive('\n').next().unwrap_or_default();
    let text = [header, &body].concat();
    let (path, key, template) = (first.path.clone(), first.key.clone(), first.template.clone());
    let Artifact { reader, applied, mark, raw, .. } = *first;
    Some(Artifact { path, key, text, template, reader, applied, mark, raw, merged: parts })
}

fn read(device: &Device, parts: &[Artifact]) -> PatchParts {
    PatchParts::read(parts.iter().map(Artifact::body), &target_of(device))
}

/// Proves that a file has the data of its parts, merged, and that Talos reads it.
pub(crate) fn prove(device: &Device, artifact: &Artifact) -> Result<(), TemplateError> {
    if artifact.merged.is_empty() {
        return Ok(());
    }
    let expected = read(device, &artifact.merged).merged().into_iter().map(|document| document.into_json());
    let is_same =
        formats::parse(Format::Yaml, &artifact.text).is_ok_and(|parsed| parsed == expected.collect::<Vec<_>>());
    if is_same && decode_generated(artifact.body(), &target_of(device)).is_ok() {
        return Ok(());
    }
    Err(TemplateError {
        template: artifact.template.as_deref().unwrap_or_default().to_owned(),
        range: None,
        kind: TemplateErrorKind::Other,
        message: format!("`{}` would not have the values of the keys that share it", artifact.path),
    })
}

/// Returns the model key whose part of a shared file has the edited line, or the line before one that was inserted.
pub fn key_of_line<'a>(device: &Device, parts: &'a [Artifact], edit: &Edit<'_>) -> Option<&'a str> {
    let lines = edit.generated.split_inclusive('\n').take(edit.last_line() + 1);
    let end = lines.map(str::len).sum::<usize>().saturating_sub(1);
    let at = read(device, parts).part_of(edit.generated, end);
    parts.get(at.unwrap_or_default()).map(|part| &*part.key)
}
