//! The whole machine config of a node: the base config and all patches that are applied to it.

use std::cell::Cell;

use secrecy::ExposeSecret as _;
use talosmith_document::{Code, Diagnostic, Document, Level, Node, SourceId};
use talosmith_machinery::{
    AppliedPatch, BaseOptions, GeneratedBase, MachineConfig, Patch, PatchLocator, PatchSource, Side, check_patches,
    decode_patch, is_unknown, placeholder_name,
};
use talosmith_model::plan::Device;
use zeroize::Zeroizing;

use crate::Secrets;
use crate::consequences::{AppliedFiles, LocatedConsequence, applied_base, applied_files};
use crate::emit;
use crate::merge_check::{MergeCheck, target_of};
use crate::provenance::source_of;
use crate::secrets_bundle::SecretsBundle;

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
    patch: Patch,
}

/// The values of the placeholders in a machine config.
#[derive(Debug, Clone, Copy)]
pub struct ConfigSecrets<'s> {
    /// The secrets of talosmith.yaml.
    pub named: &'s Secrets,
    /// Those of the cluster, for a generated base config.
    pub bundle: Option<&'s SecretsBundle>,
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

    fn decode(device: &Device, name: &str, source: SourceId, documents: &[Node]) -> (Self, Vec<Diagnostic>) {
        let locator = PatchLocator::File(source);
        let (patch, findings) = decode_patch(documents, &locator, &target_of(device));
        (Self { name: name.to_owned(), locator, patch }, findings)
    }
}

/// Why there is no machine config.
#[derive(Debug)]
pub enum MachineConfigError {
    /// What Talos refuses.
    Findings(Vec<Diagnostic>),
    /// The keys that lead to a value which the secrets bundle lacks.
    Incomplete(String),
    /// A base config with placeholders of secrets.
    UnfilledBase,
    /// A file that is no patch, by the model key that requests it.
    Unreadable { key: String, message: String },
}

impl MergeCheck {
    /// Merges the files into the base config, and fills in the placeholders of secrets; without `secrets` they stay.
    pub(crate) fn machine_config(
        &self,
        files: AppliedFiles<'_>,
        base: &NodeBase,
        secrets: Option<ConfigSecrets<'_>>,
    ) -> Result<Zeroizing<String>, MachineConfigError> {
        let device = files.device;
        let decoded = self.decode(files).map_err(|(key, message)| MachineConfigError::Unreadable { key, message })?;
        let of_base: Vec<AppliedPatch<'_>> = match base {
            NodeBase::Generated(_) => Vec::new(),
            NodeBase::Files(files) => files.iter().map(BaseFile::applied).collect(),
            NodeBase::Model => applied_base(device).collect(),
        };
        let base_files = of_base.len();
        let patches: Vec<AppliedPatch<'_>> = of_base.into_iter().chain(applied_files(files, &decoded)).collect();
        let target = target_of(device);
        let config = match base {
            NodeBase::Generated(base) => {
                require_secrets(base, secrets)?;
                MachineConfig::generated(&target, device.role, base, &patches)
            }
            NodeBase::Files(_) => {
                let location = |key: &str, line: &str| source_of(device, key, line);
                let mut found = check_patches(&target, device.role, &patches, self.expressions(), &location);
                found.retain(|finding| finding.level == Level::Error);
                if !found.is_empty() {
                    return Err(MachineConfigError::Findings(found));
                }
                MachineConfig::merged(&target, device.role, &patches)
            }
            NodeBase::Model => MachineConfig::merged(&target, device.role, &patches),
        };
        let unfilled = Cell::new(false);
        let documents = config.nodes(&|patch, text| match (patch, secrets?) {
            (None, secrets) => Some(secrets.bundle?.get(placeholder_name(text)?)?.to_string()),
            (Some(patch), secrets) => match patch.checked_sub(base_files) {
                Some(file) => filled(device, &files.files.get(file)?.key, text, secrets.named),
                None => {
                    unfilled.set(unfilled.get() || is_secret_reference(text));
                    None
                }
            },
        });
        if unfilled.get() {
            return Err(MachineConfigError::UnfilledBase);
        }
        // A string that grows would leave copies of the secrets in memory.
        let mut text = Zeroizing::new(String::with_capacity(256 * 1024));
        for (index, document) in documents.iter().enumerate() {
            text.push_str(if index > 0 { "---\n" } else { "" });
            text.push_str(&Zeroizing::new(emit::node_document(document)));
        }
        Ok(text)
    }
}

impl MergeCheck {
    /// Returns what applying the files changes on a node that has a config.
    pub(crate) fn drift(
        &self,
        files: AppliedFiles<'_>,
        base: &NodeBase,
        node: &BaseFile,
    ) -> Result<Vec<LocatedConsequence>, MachineConfigError> {
        let device = files.device;
        let decoded = self.decode(files).map_err(|(key, message)| MachineConfigError::Unreadable { key, message })?;
        let of_model: Vec<AppliedPatch<'_>> = match base {
            NodeBase::Model => applied_base(device).collect(),
            NodeBase::Generated(_) | NodeBase::Files(_) => Vec::new(),
        };
        let patches: Vec<AppliedPatch<'_>> = of_model.into_iter().chain(applied_files(files, &decoded)).collect();
        let (target, of_node) = (target_of(device), [node.applied()]);
        let wanted = match base {
            NodeBase::Generated(base) => MachineConfig::generated(&target, device.role, base, &patches),
            NodeBase::Files(_) | NodeBase::Model => MachineConfig::merged(&target, device.role, &patches),
        };
        let found = wanted.drift(&MachineConfig::merged(&target, device.role, &of_node));
        let located = found.into_iter().map(|consequence| {
            let written = consequence.written.as_ref().filter(|(side, _)| *side == Side::After);
            let location = written.map(|(side, written)| {
                let of_key = |key: &str, line: &str| source_of(device, key, line);
                (*side, patches[written.patch].location(&written.bytes, &of_key))
            });
            LocatedConsequence { consequence, location }
        });
        Ok(located.collect())
    }
}

impl BaseFile {
    fn applied(&self) -> AppliedPatch<'_> {
        let source = PatchSource::Base { name: &self.name, locator: &self.locator };
        AppliedPatch { patch: &self.patch, source }
    }
}

/// Requires that the bundle has every secret of a generated base config.
fn require_secrets(base: &GeneratedBase, secrets: Option<ConfigSecrets<'_>>) -> Result<(), MachineConfigError> {
    let Some(secrets) = secrets else { return Ok(()) };
    let is_missing = |name: &&str| secrets.bundle.and_then(|bundle| bundle.get(name)).is_none();
    let missing = base.secrets().into_iter().find(is_missing).map(SecretsBundle::path_of);
    missing.map_or(Ok(()), |path| Err(MachineConfigError::Incomplete(path)))
}

/// Whether a text as a whole is what another program replaces by a secret.
fn is_secret_reference(text: &str) -> bool {
    is_unknown(text) && (placeholder_name(text).is_some() || !text.contains("${"))
}

/// Returns a text of the artifact of a key with the values of its secrets; none if it has no placeholder.
fn filled(device: &Device, key: &str, text: &str, secrets: &Secrets) -> Option<String> {
    let mut filled: Option<String> = None;
    for held in device.secrets.iter().filter(|held| held.key == key) {
        let placeholder = format!("${{{}}}", held.placeholder);
        let current = filled.as_deref().unwrap_or(text);
        if let Some(value) = secrets.get(&held.secret).filter(|_| current.contains(&placeholder)) {
            filled = Some(current.replace(&placeholder, value.expose_secret()));
        }
    }
    filled
}
