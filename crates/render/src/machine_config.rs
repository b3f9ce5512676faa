//! The whole machine config of a node: the base config and all patches that are applied to it.

use std::cell::Cell;

use secrecy::ExposeSecret as _;
use talosmith_document::{Diagnostic, Level};
use talosmith_machinery::{GeneratedBase, Side, is_unknown, placeholder_name};
use talosmith_model::plan::Device;
use zeroize::Zeroizing;

use crate::Secrets;
use crate::emit;
use crate::merge_check::MergeCheck;
use crate::node_config::{AppliedFiles, BaseFile, LocatedConsequence, NodeBase, NodeConfig};
use crate::secrets_bundle::SecretsBundle;

/// The values of the placeholders in a machine config.
#[derive(Debug, Clone, Copy)]
pub struct ConfigSecrets<'s> {
    /// The secrets of talosmith.yaml.
    pub named: &'s Secrets,
    /// Those of the cluster, for a generated base config.
    pub bundle: Option<&'s SecretsBundle>,
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
        let decoded = self.decode(files).map_err(|(key, message)| MachineConfigError::Unreadable { key, message })?;
        let node = NodeConfig::of_files(files, base, &decoded);
        match base {
            NodeBase::Generated(base) => require_secrets(base, secrets)?,
            NodeBase::Files(_) => {
                let mut found = node.findings(self.expressions());
                found.retain(|finding| finding.level == Level::Error);
                if !found.is_empty() {
                    return Err(MachineConfigError::Findings(found));
                }
            }
            NodeBase::Model => {}
        }
        let unfilled = Cell::new(false);
        let documents = node.merged().nodes(&|patch, text| match (patch, secrets?) {
            (None, secrets) => Some(secrets.bundle?.get(placeholder_name(text)?)?.to_string()),
            (Some(patch), secrets) => match node.file_of(patch) {
                Some(file) => filled(files.device, &files.files.get(file)?.key, text, secrets.named),
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

    /// Returns what applying the files changes on a node that has a config.
    pub(crate) fn drift(
        &self,
        files: AppliedFiles<'_>,
        base: &NodeBase,
        found: BaseFile,
    ) -> Result<Vec<LocatedConsequence>, MachineConfigError> {
        let decoded = self.decode(files).map_err(|(key, message)| MachineConfigError::Unreadable { key, message })?;
        let wanted = NodeConfig::of_files(files, base, &decoded);
        let found = NodeBase::Files(vec![found]);
        let found = NodeConfig::new(files.device, &found, []);
        let located = wanted.merged().drift(&found.merged()).into_iter().map(|consequence| {
            let written = consequence.written.as_ref().filter(|(side, _)| *side == Side::After);
            let location = written.map(|(side, written)| (*side, wanted.location(written)));
            LocatedConsequence { consequence, location }
        });
        Ok(located.collect())
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
