//! The imported files to which the differences between the machine configs of a device belong.

use std::collections::BTreeSet;

use talosmith_document::Pointer;
use talosmith_machinery::{Consequence, Side};
use talosmith_render::AppliedFile;

use super::device::is_about;
use crate::import::draft::Draft;
use crate::import::json_patch::is_position;
use crate::import::source_file::{NotMapped, SourceFile};

/// The patches of a device in the order in which they are applied.
pub(super) struct AppliedPatches<'a> {
    /// The number of patches of the base config before the imported ones.
    pub base_before: usize,
    /// The indexes of the imported files.
    pub before: &'a [usize],
    /// The number of patches of the base config before the generated ones.
    pub base_after: usize,
    pub after: &'a [AppliedFile],
}

/// Returns the imported files, by their indexes, with the value that differs; all of the device if none is known to have it.
pub(super) fn changed_files(draft: &Draft, consequence: &Consequence, applied: &AppliedPatches<'_>) -> BTreeSet<usize> {
    let mapped = draft.mapped.iter().filter(|value| is_about(value, &consequence.document, &consequence.path));
    let mut found: BTreeSet<usize> = mapped.map(|value| value.source).collect();
    match &consequence.written {
        Some((Side::Before, written)) => {
            found.extend(written.patch.checked_sub(applied.base_before).and_then(|at| applied.before.get(at)));
        }
        Some((Side::After, written)) => {
            let file = written.patch.checked_sub(applied.base_after).and_then(|at| applied.after.get(at));
            found.extend(file.into_iter().flat_map(|file| sources_of(draft, &file.key)));
        }
        None => {}
    }
    if found.is_empty() { draft.sources().collect() } else { found }
}

/// Returns the imported files with values in an artifact.
fn sources_of<'d>(draft: &'d Draft, artifact: &'d str) -> impl Iterator<Item = usize> + 'd {
    let mapped = draft.mapped.iter().filter(move |value| value.artifacts.iter().any(|key| key == artifact));
    let name = artifact.strip_prefix("patches.");
    let raw = draft.raw.iter().filter(move |raw| Some(raw.name.as_str()) == name);
    mapped.map(|value| value.source).chain(raw.map(|raw| raw.source))
}

/// An operation of a JSON patch that causes a difference, because no merge patch is equal to it.
pub(super) struct UnequalOperation {
    /// The index of the file.
    pub source: usize,
    pub reason: String,
}

/// Returns the operation of a JSON patch that causes a difference at a path of the main document.
pub(super) fn unequal_operation(draft: &Draft, sources: &[SourceFile], path: &str) -> Option<UnequalOperation> {
    let own = || sources.iter().enumerate().filter(|(_, source)| source.applies_to(&draft.name, draft.role));
    let patches = || own().filter_map(|(index, source)| Some((index, source, source.json_patch.as_ref()?)));
    let replaced = || patches().filter(|(_, _, patch)| patch.text.is_some());
    let is_in = |keys: &str| path == keys || path.starts_with(&format!("{keys}."));
    let lost = replaced().find_map(|(source, _, patch)| {
        let lost = patch.refused.iter().find(|operation| !operation.is_test && is_in(&config_path(&operation.path)))?;
        let NotMapped { key, place, .. } = &lost.not_mapped;
        Some(UnequalOperation { source, reason: format!("`{key}` in {place} is not in the model") })
    });
    lost.or_else(|| {
        let (source, file, _) =
            replaced().find(|(_, _, patch)| patch.set.iter().any(|keys| is_in(keys) || keys.starts_with(path)))?;
        let reason = format!("the JSON patch in {} replaces the value, and a merge patch adds to it", file.path);
        Some(UnequalOperation { source, reason })
    })
}

/// Returns the keys of the value that an operation changes, joined by dots.
fn config_path(path: &str) -> String {
    Pointer::new(path).segments().take_while(|key| !is_position(key)).collect::<Vec<_>>().join(".")
}
