//! How volumes are encrypted.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion};

use super::Check;
use super::secrets::{Expected, use_secret};
use super::versions::since;
use crate::device;

/// How a volume is encrypted; the provider is LUKS2.
#[derive(Debug, Serialize)]
pub struct Encryption {
    /// The keys in the order of the model.
    pub keys: Vec<EncryptionKey>,
    /// The cipher, if it is not Talos's choice.
    pub cipher: Option<String>,
    /// The bits of the key.
    pub key_size: Option<u32>,
    /// The bytes of a sector.
    pub block_size: Option<u32>,
    /// Options for speed.
    pub options: Vec<String>,
    /// Whether discards reach the disk.
    pub allow_discards: Option<bool>,
}

/// A key of an encrypted volume.
#[derive(Debug, Serialize)]
pub struct EncryptionKey {
    /// The slot of the LUKS header.
    pub slot: u8,
    /// Whether it is derived from the machine's UUID and the partition's label.
    pub node_id: bool,
    /// The TPM settings; none for another kind of key.
    pub tpm: Option<device::Tpm>,
    /// The server that seals it, if one does.
    pub kms_endpoint: Option<String>,
    /// The placeholder of the passphrase, if it is one.
    pub passphrase: Option<String>,
    /// Whether the volume opens only together with this machine's STATE.
    pub lock_to_state: Option<bool>,
}

/// The encryption of the volume at `at`.
pub(super) fn encryption(
    check: &mut Check<'_>,
    at: &Pointer,
    written: &device::Encryption,
    version: &TalosVersion,
) -> Encryption {
    let name = at.last().unwrap_or_default().to_owned();
    let at = at.child("encryption");
    if written.allow_discards.is_some() {
        since(check, (1, 14), version, "`allowDiscards`", &at.child("allowDiscards"));
    }
    let mut keys = Vec::with_capacity(written.keys.len());
    for (index, key) in written.keys.iter().enumerate() {
        check_key(check, &at.child("keys"), &name, &written.keys, index);
        let at = at.child("keys").item(index);
        let passphrase = key.passphrase.as_ref().map(|passphrase| {
            let at = at.child("static").child("passphrase");
            use_secret(check, &format!("volumes.{name}"), &passphrase.passphrase, &at, Expected::Text)
        });
        keys.push(EncryptionKey {
            slot: key.slot,
            node_id: key.node_id.is_some(),
            tpm: key.tpm.clone(),
            kms_endpoint: key.kms.as_ref().map(|kms| kms.endpoint.to_string()),
            passphrase,
            lock_to_state: key.lock_to_state,
        });
    }
    Encryption {
        keys,
        cipher: written.cipher.clone(),
        key_size: written.key_size,
        block_size: written.block_size,
        options: written.options.clone(),
        allow_discards: written.allow_discards,
    }
}

/// Checks the key at `index` of the keys at `list`, which encrypt the volume `name`.
fn check_key(check: &mut Check<'_>, list: &Pointer, name: &str, keys: &[device::EncryptionKey], index: usize) {
    let (key, at) = (&keys[index], list.item(index));
    if let Some(first) = keys[..index].iter().position(|other| other.slot == key.slot) {
        let message = format!("two keys of `{name}` are in slot {}", key.slot);
        check.push(
            Diagnostic::new(Code::EncryptionKey, message, check.at(at.child("slot")))
                .also(check.at(list.item(first).child("slot")), "first here")
                .help("write a different slot for each key"),
        );
    }
    let kinds = [key.node_id.is_some(), key.tpm.is_some(), key.kms.is_some(), key.passphrase.is_some()];
    if kinds.iter().filter(|is_there| **is_there).count() != 1 {
        let message = format!("the key in slot {} has not exactly one kind", key.slot);
        check.push(
            Diagnostic::new(Code::EncryptionKey, message, check.key(at.child("slot")))
                .help("write exactly one of `nodeID`, `tpm`, `kms` and `static`, as in\ntpm: {}"),
        );
    }
    if name == "STATE" && key.lock_to_state == Some(true) {
        let location = check.at(at.child("lockToState"));
        let finding = Diagnostic::new(Code::EncryptionKey, "STATE cannot be locked to itself", location);
        check.push(finding.help("remove the line"));
    }
}
