//! Raw patches against everything else that is applied to a device.

use std::sync::{Arc, LazyLock};

use talosmith_document::{Cache, Diagnostic, Document, Node};
use talosmith_machinery::{Maker, Patch, judge};
use talosmith_model::plan::Device;

use crate::Artifact;
use crate::catalogue::Reader;
use crate::target::location_of_key;

/// The documents of artifacts that are not raw: those of many devices are the same. Nothing points into them.
static PARSED: LazyLock<Cache<String, Option<Arc<[Node]>>>> = LazyLock::new(Cache::default);

/// What Talos says when a device's patches are applied to its base config, in the order of the catalogue; nothing for a device without
/// raw patches, whose patches are all talosmith's own.
#[must_use]
pub fn verify(device: &Device, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    if device.patches.is_empty() {
        return Vec::new();
    }
    let applied = artifacts.iter().filter(|artifact| artifact.applied && artifact.reader == Reader::Talos);
    let parsed: Vec<(Arc<[Node]>, Maker<'_>)> = applied
        .filter_map(|artifact| {
            if let Some(name) = artifact.key.strip_prefix("patches.") {
                let patch = device.patches.iter().find(|patch| patch.name == name)?;
                return Some((patch.documents.clone()?, Maker::User { name: &patch.name, origin: &patch.origin }));
            }
            let parse = |body: &String| Document::parse_stream(device.location.source, body).ok().map(Arc::from);
            let documents = PARSED.get_or_compute(artifact.body().to_owned(), parse)?;
            Some((documents, Maker::Model { key: &artifact.key }))
        })
        .collect();
    let patches: Vec<Patch<'_>> = parsed.iter().map(|(documents, maker)| Patch { documents, maker: *maker }).collect();
    let location = |key: &str| location_of_key(device, key).unwrap_or_else(|| device.location.clone());
    let findings = judge(device.versions.base.minor(), device.role, &device.versions.talos, &patches, &location);
    findings.into_iter().map(|finding| finding.device(device.name.clone())).collect()
}
