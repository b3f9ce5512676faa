//! What a change of the files of a device does to its node.

use std::sync::Arc;

use talosmith_document::{Sources, TalosVersion};
use talosmith_machinery::{Consequence, Patch, Side, Target};

use crate::merge_check::{MergeCheck, decode};
use crate::node_config::{
    AppliedFile, AppliedFiles, BaseAndFiles, BaseFile, LocatedConsequence, NodeBase, NodeConfig, target_of,
};

/// The decoded patches of files, in the order of these.
type Patches = Vec<Arc<Patch>>;

/// A file that cannot be read as a patch.
#[derive(Debug)]
pub struct UnreadableFile {
    pub side: Side,
    pub key: String,
    pub message: String,
}

impl MergeCheck {
    /// Returns what happens to a node with some Talos and the config before when it gets the one after.
    pub(crate) fn consequences(
        &self,
        running: &TalosVersion,
        before: BaseAndFiles<'_>,
        after: BaseAndFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        let (old, new) = self.decode_both(before.files, after.files)?;
        let old = NodeConfig::of_files(before.files, before.base, &old);
        let new = NodeConfig::of_files(after.files, after.base, &new);
        Ok(located(old.merged().upgraded(running).consequences(&new.merged()), &old, &new))
    }

    /// Returns the differences between a whole machine config with some files and the base config with others.
    pub(crate) fn differences_from(
        &self,
        whole: &AppliedFile,
        before: AppliedFiles<'_>,
        after: AppliedFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        let config = self.decode(AppliedFiles { files: std::slice::from_ref(whole), ..before });
        let config = config.map_err(|(key, message)| UnreadableFile { side: Side::Before, key, message })?;
        let config: Vec<BaseFile> = config
            .into_iter()
            .map(|patch| BaseFile::decoded(&whole.key, Sources::default().add("", ""), patch))
            .collect();
        let (old, new) = self.decode_both(before, after)?;
        let old = NodeConfig::of_files(before, &NodeBase::Model, &old);
        let old = config.iter().fold(old, NodeConfig::on_top_of);
        let new = NodeConfig::of_files(after, &NodeBase::Model, &new);
        Ok(located(old.merged().as_whole().consequences(&new.merged().as_whole()), &old, &new))
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

    /// Decodes each file.
    pub(crate) fn decode(&self, of: AppliedFiles<'_>) -> Result<Patches, (String, String)> {
        let target = target_of(of.device);
        of.files.iter().map(|file| self.decode_file(file, &target)).collect()
    }

    fn decode_file(&self, file: &AppliedFile, target: &Target<'_>) -> Result<Arc<Patch>, (String, String)> {
        let patch = decode(&self.decoded(target), &file.body, target);
        patch.map_err(|errors| (file.key.clone(), errors.first().map(|e| e.message.clone()).unwrap_or_default()))
    }

    /// Decodes the files before and after, which may have JSON patches that Talos refuses for their base config.
    fn decode_both(
        &self,
        before: AppliedFiles<'_>,
        after: AppliedFiles<'_>,
    ) -> Result<(Patches, Patches), UnreadableFile> {
        let of = |side, files: AppliedFiles<'_>| {
            let target = target_of(files.device);
            let patches = files.files.iter().map(|file| self.decode_comparable(file, &target));
            patches.collect::<Result<_, _>>().map_err(|(key, message)| UnreadableFile { side, key, message })
        };
        Ok((of(Side::Before, before)?, of(Side::After, after)?))
    }

    fn decode_comparable(&self, file: &AppliedFile, target: &Target<'_>) -> Result<Arc<Patch>, (String, String)> {
        self.decode_file(file, target).or_else(|refused| {
            let patch = self.decode_file(file, &target.with_one_document());
            patch.ok().filter(|patch| patch.is_json_patch()).ok_or(refused)
        })
    }
}

fn located(consequences: Vec<Consequence>, old: &NodeConfig<'_>, new: &NodeConfig<'_>) -> Vec<LocatedConsequence> {
    let located = consequences.into_iter().map(|consequence| {
        let side = |side: Side| if side == Side::Before { old } else { new };
        let location = consequence.written.as_ref().map(|(at, written)| (*at, side(*at).location(written)));
        LocatedConsequence { consequence, location }
    });
    located.collect()
}
