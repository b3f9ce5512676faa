//! The machine config of a node: the base config, and the patches that are applied to it, decoded, in order, each with what it was made
//! from.

use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Document, Level, Location, Node, SourceId};
use talosmith_machinery::{
    AppliedPatch, BaseOptions, Consequence, GeneratedBase, MachineConfig, Patch, PatchLocator, PatchSource, Side,
    Target, Written, cel, check_patches, decode_patch,
};
use talosmith_model::plan::{self, Device};

use crate::provenance::source_of;
use crate::raw_patch;

/// The patches that are applied to a node, in order.
#[derive(Debug, Clone, Copy)]
pub struct AppliedFiles<'a> {
    pub device: &'a Device,
    pub files: &'a [AppliedFile],
}

/// What makes the machine config of a node.
#[derive(Debug, Clone, Copy)]
pub struct BaseAndFiles<'a> {
    pub base: &'a NodeBase,
    pub files: AppliedFiles<'a>,
}

/// The text of a patch as a file has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppliedFile {
    /// The model key that requests it, as in `files`.
    pub key: String,
    /// The text without the header line.
    pub body: String,
}

/// The base config of a node.
#[derive(Debug)]
pub enum NodeBase {
    /// The one that `talosctl gen config` generates.
    Generated(GeneratedBase),
    /// Files in the order in which they are merged.
    Files(Vec<BaseFile>),
    /// Those that the model names.
    Model,
}

/// A file with a base config, or with the config of a node.
#[derive(Debug)]
pub struct BaseFile {
    name: String,
    locator: PatchLocator,
    patch: Arc<Patch>,
}

/// What a change does to a node, and where the model or a patch has the value.
#[derive(Debug)]
pub struct LocatedConsequence {
    pub consequence: Consequence,
    pub location: Option<(Side, Location)>,
}

/// The patches that make the machine config of a node.
#[derive(Debug)]
pub(crate) struct NodeConfig<'a> {
    device: &'a Device,
    /// The base config, if it is generated for the cluster.
    generated: Option<&'a GeneratedBase>,
    patches: Vec<AppliedPatch<'a>>,
    /// How many of the first patches are the base config.
    base_files: usize,
}

impl<'a> NodeConfig<'a> {
    /// The config of a device with a base config and decoded patches.
    pub(crate) fn new(
        device: &'a Device,
        base: &'a NodeBase,
        patches: impl IntoIterator<Item = AppliedPatch<'a>>,
    ) -> Self {
        let (mut all, mut generated) = (Vec::new(), None);
        match base {
            NodeBase::Generated(base) => generated = Some(base),
            NodeBase::Files(files) => all.extend(files.iter().map(BaseFile::applied)),
            NodeBase::Model => all.extend(device.base.iter().filter_map(|base| {
                let source = PatchSource::Base { name: &base.name, locator: &base.locator };
                Some(AppliedPatch { patch: base.decoded.as_ref()?, source })
            })),
        }
        let base_files = all.len();
        all.extend(patches);
        Self { device, generated, patches: all, base_files }
    }

    /// The same with decoded files, a raw patch of the model among them as the user wrote it.
    pub(crate) fn of_files(files: AppliedFiles<'a>, base: &'a NodeBase, decoded: &'a [Arc<Patch>]) -> Self {
        let device = files.device;
        let patch = |(file, patch): (&'a AppliedFile, &'a Arc<Patch>)| {
            let raw = raw_patch_of(device, &file.key);
            raw.filter(|(raw, _)| raw_patch::text(device, &raw.name) == file.body).map_or_else(
                || AppliedPatch { patch, source: PatchSource::Model { key: &file.key, template: None } },
                |(raw, patch)| raw_applied(raw, patch),
            )
        };
        Self::new(device, base, files.files.iter().zip(decoded).map(patch))
    }

    /// Merges another config of the node before all others, as a base config.
    pub(crate) fn on_top_of(mut self, config: &'a BaseFile) -> Self {
        self.patches.insert(0, config.applied());
        self
    }

    /// Merges the patches into the base config.
    pub(crate) fn merged(&self) -> MachineConfig<'_> {
        let (target, role) = (target_of(self.device), self.device.role);
        match self.generated {
            Some(base) => MachineConfig::generated(&target, role, base, &self.patches),
            None => MachineConfig::merged(&target, role, &self.patches),
        }
    }

    /// Returns everything for which Talos refuses the config, and warnings.
    pub(crate) fn findings(&self, expressions: &cel::Checker) -> Vec<Diagnostic> {
        let of_key = |key: &str, line: &str| source_of(self.device, key, line);
        check_patches(&target_of(self.device), self.device.role, &self.patches, expressions, &of_key)
    }

    /// Where the model or a patch has a value.
    pub(crate) fn location(&self, written: &Written) -> Location {
        let of_key = |key: &str, line: &str| source_of(self.device, key, line);
        self.patches[written.patch].location(&written.bytes, &of_key)
    }

    /// The position of a patch among the files that are applied; none for one of the base config.
    pub(crate) const fn file_of(&self, patch: usize) -> Option<usize> {
        patch.checked_sub(self.base_files)
    }
}

/// Returns the decoded raw patch of the model that a model key names.
pub(crate) fn raw_patch_of<'a>(device: &'a Device, key: &str) -> Option<(&'a plan::Patch, &'a Patch)> {
    let name = key.strip_prefix("patches.")?;
    let raw = device.patches.iter().find(|patch| patch.name == name)?;
    Some((raw, raw.decoded.as_ref()?))
}

pub(crate) fn raw_applied<'a>(raw: &'a plan::Patch, patch: &'a Patch) -> AppliedPatch<'a> {
    let source = PatchSource::User { name: &raw.name, locator: &raw.locator, layer: raw.layer.number() };
    AppliedPatch { patch, source }
}

/// Returns the Talos that the patches of a device are applied with.
pub(crate) fn target_of(device: &Device) -> Target<'_> {
    Target { version: &device.versions.talos, base: device.versions.base.minor() }
}

impl NodeBase {
    /// Returns what `talosctl gen config` of the device's base generates.
    pub fn generated(device: &Device, options: &BaseOptions<'_>) -> Self {
        Self::Generated(GeneratedBase::new(device.versions.base.minor(), device.role, options))
    }
}

impl BaseFile {
    /// Reads a file for a device. `source` has its text.
    ///
    /// # Errors
    /// Everything for which Talos refuses it.
    pub fn read(device: &Device, name: &str, source: SourceId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let documents = Document::parse_stream(source, text)?;
        let (file, mut findings) = Self::decode(device, name, source, &documents);
        // A whole config has secrets, and is not tracked.
        let is_refused = |finding: &Diagnostic| {
            finding.level == Level::Error && !matches!(finding.code, Code::LiteralSecret | Code::SecretReference)
        };
        findings.retain(is_refused);
        if findings.is_empty() { Ok(file) } else { Err(findings) }
    }

    /// Reads the documents of a config that a node has accepted.
    pub fn of_node(device: &Device, name: &str, source: SourceId, documents: &[Node]) -> Self {
        Self::decode(device, name, source, documents).0
    }

    pub(crate) fn decoded(name: &str, source: SourceId, patch: Arc<Patch>) -> Self {
        Self { name: name.to_owned(), locator: PatchLocator::File(source), patch }
    }

    fn decode(device: &Device, name: &str, source: SourceId, documents: &[Node]) -> (Self, Vec<Diagnostic>) {
        let locator = PatchLocator::File(source);
        let (patch, findings) = decode_patch(documents, &locator, &target_of(device));
        (Self { name: name.to_owned(), locator, patch: Arc::new(patch) }, findings)
    }

    fn applied(&self) -> AppliedPatch<'_> {
        let source = PatchSource::Base { name: &self.name, locator: &self.locator };
        AppliedPatch { patch: &self.patch, source }
    }
}
