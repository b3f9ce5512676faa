//! Raw patches against everything else that is applied to a device.

use std::sync::{Arc, LazyLock};

use talosmith_document::{Cache, Diagnostic, Document};
use talosmith_machinery::{AppliedPatch, Patch, PatchLocator, PatchSource, Target, check_patches, decode_patch};
use talosmith_model::plan::Device;

use crate::Artifact;
use crate::catalogue::Reader;
use crate::target::location_of_key;

/// The patches in artifacts that are not raw: those of many devices are the same. Nothing points into them.
static DECODED: LazyLock<Cache<String, Option<Arc<Patch>>>> = LazyLock::new(Cache::default);

/// Checks a device's patches on its base config, in the order of the catalogue; a device without raw patches has nothing to check, since
/// all its patches are talosmith's own.
pub fn verify(device: &Device, artifacts: &[Artifact]) -> Vec<Diagnostic> {
    if device.patches.is_empty() {
        return Vec::new();
    }
    let target = Target { version: &device.versions.talos, base: device.versions.base.minor() };
    let applied = artifacts.iter().filter(|artifact| artifact.applied && artifact.reader == Reader::Talos);
    let own: Vec<Option<Arc<Patch>>> = applied
        .clone()
        .map(|artifact| {
            let decode = |body: &String| {
                let source = device.location.source;
                let documents = Document::parse_stream(source, body).ok()?;
                Some(Arc::new(decode_patch(&documents, &PatchLocator::File(source), &target).0))
            };
            DECODED.get_or_compute(artifact.body().to_owned(), decode).filter(|_| !artifact.raw)
        })
        .collect();
    let patches: Vec<AppliedPatch<'_>> = applied
        .zip(&own)
        .filter_map(|(artifact, own)| {
            if let Some(name) = artifact.key.strip_prefix("patches.") {
                let raw = device.patches.iter().find(|patch| patch.name == name)?;
                let source = PatchSource::User { name: &raw.name, locator: &raw.locator };
                return Some(AppliedPatch { patch: raw.decoded.as_ref()?, source });
            }
            Some(AppliedPatch { patch: own.as_deref()?, source: PatchSource::Model { key: &artifact.key } })
        })
        .collect();
    let location = |key: &str| location_of_key(device, key).unwrap_or_else(|| device.location.clone());
    let findings = check_patches(target.base, device.role, target.version, &patches, &location);
    findings.into_iter().map(|finding| finding.device(device.name.clone())).collect()
}
