//! Raw patches against everything else that is applied to a device.

use talosmith_model::machine_config::{Maker, Patch, judge};
use talosmith_model::plan::Device;
use talosmith_model::{Diagnostic, Document, Node};

use crate::Artifact;
use crate::artifact::outputs;
use crate::catalogue::Reader;

/// What Talos says when a device's patches are applied to its base config, in the order of the catalogue; nothing for a device without
/// raw patches, whose patches are all talosmith's own.
#[must_use]
pub fn verify(device: &Device, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    if device.patches.is_empty() {
        return Vec::new();
    }
    let outputs = outputs(device);
    let applied = outputs.iter().filter(|output| output.applied && output.reader == Reader::Talos);
    let parsed: Vec<(Vec<Node>, Maker<'_>)> = applied
        .filter_map(|output| {
            let raw = output.key.strip_prefix("patches.");
            if let Some(patch) = raw.and_then(|name| device.patches.iter().find(|patch| patch.name == name)) {
                let documents = patch.content.documents(device.place.source).ok()?;
                return Some((documents, Maker::User { name: &patch.name, origin: &patch.origin }));
            }
            let artifact = artifacts.iter().find(|artifact| artifact.path == output.path)?;
            let documents = Document::parse_stream(device.place.source, &artifact.text).ok()?;
            let place = device.keys.get(&output.key).unwrap_or(&device.place);
            Some((documents, Maker::Model { key: &output.key, place }))
        })
        .collect();
    let patches: Vec<Patch<'_>> = parsed.iter().map(|(documents, maker)| Patch { documents, maker: *maker }).collect();
    let findings = judge(device.base_config.minor(), device.role, &device.talos_version, &patches);
    findings.into_iter().map(|finding| finding.device(device.name.clone())).collect()
}
