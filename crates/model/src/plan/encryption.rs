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
    pub tpm: Option<Tpm>,
    /// The server that seals it, if one does.
    pub kms_endpoint: Option<String>,
    /// The placeholder of the passphrase, if it is one.
    pub passphrase: Option<String>,
    /// Whether the volume opens only together with this machine's STATE.
    pub lock_to_state: Option<bool>,
}

/// A key that the TPM keeps.
#[derive(Debug, Serialize)]
pub struct Tpm {
    /// The registers that it is sealed to, if they are not Talos's choice.
    pub pcrs: Option<Vec<u8>>,
    /// Whether it is only enrolled while SecureBoot is on.
    pub check_secureboot_status_on_enroll: Option<bool>,
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
    let mut keys: Vec<EncryptionKey> = Vec::with_capacity(written.keys.len());
    for (index, key) in written.keys.iter().enumerate() {
        let at = at.child("keys").item(index);
        if let Some(first) = keys.iter().position(|other| other.slot == key.slot) {
            let (location, first) = (
                check.at(at.child("slot")),
                check.at(Pointer::new(format!("/volumes/{name}/encryption/keys/{first}/slot"))),
            );
            check.push(
                Diagnostic::new(
                    Code::EncryptionKey,
                    format!("two keys of `{name}` are in slot {}", key.slot),
                    location,
                )
                .also(first, "first here")
                .help("write a different slot for each key"),
            );
        }
        let kinds = [key.node_id.is_some(), key.tpm.is_some(), key.kms.is_some(), key.passphrase.is_some()];
        if kinds.iter().filter(|is_there| **is_there).count() != 1 {
            let location = check.at(at.child("slot")).as_key();
            check.push(
                Diagnostic::new(
                    Code::EncryptionKey,
                    format!("the key in slot {} has not exactly one kind", key.slot),
                    location,
                )
                .help("write exactly one of `nodeID`, `tpm`, `kms` and `static`, as in\ntpm: {}"),
            );
        }
        if name == "STATE" && key.lock_to_state == Some(true) {
            let location = check.at(at.child("lockToState"));
            check.push(
                Diagnostic::new(Code::EncryptionKey, "STATE cannot be locked to itself", location)
                    .help("remove the line"),
            );
        }
        let passphrase = key.passphrase.as_ref().map(|passphrase| {
            let at = at.child("static").child("passphrase");
            use_secret(check, &format!("volumes.{name}"), &passphrase.passphrase, &at, Expected::Text)
        });
        keys.push(EncryptionKey {
            slot: key.slot,
            node_id: key.node_id.is_some(),
            tpm: key.tpm.as_ref().map(|tpm| Tpm {
                pcrs: tpm.pcrs.clone(),
                check_secureboot_status_on_enroll: tpm.check_secureboot_status_on_enroll,
            }),
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
