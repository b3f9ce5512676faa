//! What a change of the files of a device does to its node.

use std::sync::Arc;

use talosmith_document::{Location, Sources, TalosVersion};
use talosmith_machinery::{AppliedPatch, Consequence, MachineConfig, Patch, PatchLocator, PatchSource, Side, Target};
use talosmith_model::plan::Device;

use crate::merge_check::{MergeCheck, decode, target_of};
use crate::provenance::source_of;
use crate::raw_patch;

/// The patches that are applied to a node, in order.
#[derive(Debug, Clone, Copy)]
pub struct AppliedFiles<'a> {
    pub device: &'a Device,
    pub files: &'a [AppliedFile],
}

/// The text of a patch as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedFile {
    /// The model key that requests it, as in `files`.
    pub key: String,
    /// The text without the header line.
    pub body: String,
}

/// What a change does to a node, and where the model or a patch has the value.
#[derive(Debug)]
pub struct LocatedConsequence {
    pub consequence: Consequence,
    pub location: Option<(Side, Location)>,
}

/// A file that cannot be read as a patch.
#[derive(Debug)]
pub struct UnreadableFile {
    pub side: Side,
    pub key: String,
    pub message: String,
}

impl MergeCheck {
    /// Returns what happens to a node with some Talos to which the files before were applied when it gets those after.
    pub(crate) fn consequences(
        &self,
        running: &TalosVersion,
        before: AppliedFiles<'_>,
        after: AppliedFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        let old = self.decode(before).map_err(|(key, message)| UnreadableFile { side: Side::Before, key, message })?;
        let new = self.decode(after).map_err(|(key, message)| UnreadableFile { side: Side::After, key, message })?;
        let (old, new) = (applied(before, &old), applied(after, &new));
        let consequences = merged(before.device, &old).upgraded(running).consequences(&merged(after.device, &new));
        Ok(located(consequences, (before.device, &old), (after.device, &new)))
    }

    /// Returns the differences between a whole machine config with some files and the base config with others.
    pub(crate) fn differences_from(
        &self,
        whole: &AppliedFile,
        before: AppliedFiles<'_>,
        after: AppliedFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        let unreadable = |side| move |(key, message)| UnreadableFile { side, key, message };
        let config = self.decode(AppliedFiles { files: std::slice::from_ref(whole), ..before });
        let config = config.map_err(unreadable(Side::Before))?;
        let old = self.decode(before).map_err(unreadable(Side::Before))?;
        let new = self.decode(after).map_err(unreadable(Side::After))?;
        let locator = PatchLocator::File(Sources::default().add("", ""));
        let source = PatchSource::Base { name: &whole.key, locator: &locator };
        let mut old = applied(before, &old);
        old.splice(..0, config.iter().map(|patch| AppliedPatch { patch, source }));
        let new = applied(after, &new);
        let sides = (merged(before.device, &old).as_whole(), merged(after.device, &new).as_whole());
        Ok(located(sides.0.consequences(&sides.1), (before.device, &old), (after.device, &new)))
    }

    /// Returns the model keys of the files that another version of Talos refuses, each with the reason.
    pub(crate) fn refused_by(&self, version: &TalosVersion, of: AppliedFiles<'_>) -> Vec<(String, String)> {
        let target = Target { version, ..target_of(of.device) };
        let decoded = self.decoded(&target);
        let refused = of.files.iter().filter_map(|file| {
            let errors = decode(&decoded, &file.body, &target).err()?;
            Some((file.key.clone(), errors.first()?.message.clone()))
        });
        refused.collect()
    }

    /// Decodes each file; a raw patch that the model has with the same text was decoded before.
    pub(crate) fn decode(&self, of: AppliedFiles<'_>) -> Result<Vec<Arc<Patch>>, (String, String)> {
        let target = target_of(of.device);
        let decoded = self.decoded(&target);
        let files = of.files.iter().map(|file| {
            let patch = decode(&decoded, &file.body, &target);
            patch.map_err(|errors| (file.key.clone(), errors.first().map(|e| e.message.clone()).unwrap_or_default()))
        });
        files.collect()
    }
}

/// A device, and the patches that are applied to its node.
type AppliedSide<'a> = (&'a Device, &'a [AppliedPatch<'a>]);

fn located(consequences: Vec<Consequence>, before: AppliedSide<'_>, after: AppliedSide<'_>) -> Vec<LocatedConsequence> {
    let located = consequences.into_iter().map(|consequence| {
        let location = consequence.written.as_ref().map(|(side, written)| {
            let (device, patches) = match side {
                Side::Before => before,
                Side::After => after,
            };
            let of_key = |key: &str, line: &str| source_of(device, key, line);
            (*side, patches[written.patch].location(&written.bytes, &of_key))
        });
        LocatedConsequence { consequence, location }
    });
    located.collect()
}

fn merged<'a>(device: &'a Device, patches: &'a [AppliedPatch<'a>]) -> MachineConfig<'a> {
    MachineConfig::merged(&target_of(device), device.role, patches)
}

/// The base configs of the repository and the decoded files.
fn applied<'a>(of: AppliedFiles<'a>, decoded: &'a [Arc<Patch>]) -> Vec<AppliedPatch<'a>> {
    applied_base(of.device).chain(applied_files(of, decoded)).collect()
}

/// The base configs of the repository.
pub(crate) fn applied_base(device: &Device) -> impl Iterator<Item = AppliedPatch<'_>> {
    device.base.iter().filter_map(|base| {
        let source = PatchSource::Base { name: &base.name, locator: &base.locator };
        Some(AppliedPatch { patch: base.decoded.as_ref()?, source })
    })
}

/// The decoded files, with what they were made from.
pub(crate) fn applied_files<'a>(
    of: AppliedFiles<'a>,
    decoded: &'a [Arc<Patch>],
) -> impl Iterator<Item = AppliedPatch<'a>> {
    of.files.iter().zip(decoded).map(move |(file, patch)| {
        let name = file.key.strip_prefix("patches.");
        let raw = name.and_then(|name| of.device.patches.iter().find(|patch| patch.name == name));
        match raw
            .filter(|raw| raw_patch::text(of.device, &raw.name) == file.body)
            .and_then(|raw| Some((raw, raw.decoded.as_ref()?)))
        {
            Some((raw, patch)) => {
                let source = PatchSource::User { name: &raw.name, locator: &raw.locator, layer: raw.layer.number() };
                AppliedPatch { patch, source }
            }
            None => AppliedPatch { patch, source: PatchSource::Model { key: &file.key, template: None } },
        }
    })
}
