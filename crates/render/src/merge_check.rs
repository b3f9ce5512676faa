//! The check that Talos accepts the patches of a device: each on its own, and all of them merged into the base config.

use std::collections::BTreeSet;
use std::sync::Arc;

use talosmith_document::{Cache, Diagnostic, Level, TalosVersion};
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{AppliedPatch, GeneratedPatchError, Patch, PatchSource, Target, cel, decode_generated};
use talosmith_model::plan::Device;

use crate::catalogue::Reader;
use crate::node_config::{NodeBase, NodeConfig, raw_applied, raw_patch_of, target_of};
use crate::{Artifact, ArtifactError, InvalidArtifact};

/// Checks the patches of devices. Threads can share it.
#[derive(Debug)]
pub(crate) struct MergeCheck {
    /// The names of the templates that the user wrote.
    overrides: BTreeSet<String>,
    /// The generated patches, of which many devices have the same, for each Talos version and minor of the base.
    decoded: Cache<(TalosVersion, Minor), Arc<Cache<String, Decoded>>>,
    expressions: cel::Checker,
}

pub(crate) type Decoded = Result<Arc<Patch>, Arc<[GeneratedPatchError]>>;

impl MergeCheck {
    pub(crate) fn new(overrides: BTreeSet<String>) -> Self {
        Self { overrides, decoded: Cache::default(), expressions: cel::Checker::default() }
    }

    pub(crate) const fn expressions(&self) -> &cel::Checker {
        &self.expressions
    }

    /// The patches that were decoded for a version of Talos and a base.
    pub(crate) fn decoded(&self, target: &Target<'_>) -> Arc<Cache<String, Decoded>> {
        self.decoded.get_or_compute(&(target.version.clone(), target.base), Arc::default)
    }

    /// Returns the warnings about the patches of a device, which are applied in the order of the artifacts.
    pub(crate) fn check(&self, device: &Device, artifacts: &[Artifact]) -> Result<Vec<Diagnostic>, Vec<ArtifactError>> {
        let target = target_of(device);
        let patches = artifacts.iter().filter(|artifact| artifact.reader == Reader::Talos);
        let decoded = self.decoded(&target);
        let mut errors = Vec::new();
        let mut generated = Vec::new();
        for artifact in patches.clone().filter(|artifact| !artifact.raw) {
            match decode(&decoded, artifact.body(), &target) {
                Ok(patch) if artifact.applied => generated.push((artifact, patch)),
                Ok(_) => {}
                Err(wrong) => errors.extend(wrong.iter().map(|error| invalid(artifact, error))),
            }
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let generated = generated.iter().map(|(artifact, patch)| {
            let template = artifact.template.as_deref().filter(|name| self.overrides.contains(*name));
            let source = PatchSource::Model { key: &artifact.key, template };
            AppliedPatch { patch, source }
        });
        // The catalogue has the raw patches last.
        let raw = patches.filter(|artifact| artifact.raw && artifact.applied);
        let raw = raw.filter_map(|artifact| raw_patch_of(device, &artifact.key));
        let node =
            NodeConfig::new(device, &NodeBase::Model, generated.chain(raw.map(|(raw, patch)| raw_applied(raw, patch))));
        let findings = node.findings(&self.expressions);
        let with_values = |finding| device.patches.iter().fold(finding, |finding, patch| patch.with_values(finding));
        let findings = findings.into_iter().map(|finding| with_values(finding).device(device.name.clone()));
        let findings: Vec<Diagnostic> = findings.collect();
        if findings.iter().any(|finding| finding.level == Level::Error) {
            return Err(findings.into_iter().map(Box::new).map(ArtifactError::Finding).collect());
        }
        Ok(findings)
    }
}

/// Decodes a generated patch.
pub(crate) fn decode(decoded: &Cache<String, Decoded>, body: &str, target: &Target<'_>) -> Decoded {
    decoded.get_or_compute(body, || decode_generated(body, target).map(Arc::new).map_err(Arc::from))
}

fn invalid(artifact: &Artifact, error: &GeneratedPatchError) -> ArtifactError {
    let at = error.location.as_ref().map(|(index, pointer)| (*index, pointer.as_str()));
    ArtifactError::Invalid(Box::new(InvalidArtifact::new(artifact, at, error.message.clone())))
}
