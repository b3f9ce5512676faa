//! The encryption of volumes.

use super::section::{Section, is_repeated};

/// Checks `encryption` of a document about a volume.
pub(crate) fn check_encryption(volume: Section<'_>) {
    let Some(encryption) = volume.section("encryption") else { return };
    let provider = encryption.word("provider");
    if matches!(provider.as_str(), "" | "none") && !encryption.is_filled("keys") {
        return;
    }
    if provider != "luks2" {
        let message = format!("the encryption of {} has no provider that Talos supports", volume.title());
        encryption.refuse("provider", message, "write `provider: luks2`");
    }
    check_keys(encryption);
    for register in encryption.items("keys").flat_map(|key| key.items("tpm.options.pcrs")) {
        if !register.value.integer().is_some_and(|number| (0..=23).contains(&number)) {
            let message = format!("{} is not a register of a TPM", register.scalar());
            register.refuse("", message, "write a number from 0 to 23");
        }
    }
}

pub(crate) fn check_keys(encryption: Section<'_>) {
    if !encryption.is_filled("keys") {
        let message = format!("the encryption of {} has no keys", encryption.document.title());
        encryption.refuse("keys", message, "add `keys: [{ slot: 0, nodeID: {} }]`");
    }
    let mut slots = Vec::new();
    for key in encryption.items("keys") {
        let slot = key.number("slot").unwrap_or_default();
        let title = key.document.title();
        if is_repeated(&mut slots, slot) {
            key.refuse("slot", format!("two encryption keys of {title} have the slot {slot}"), "choose another slot");
        }
        if !["static", "nodeID", "kms", "tpm"].iter().any(|kind| key.has(kind)) {
            let message = format!("the encryption key in slot {slot} of {title} has no source");
            key.refuse("", message, "add one of `nodeID: {}`, `tpm: {}`, `kms` and `static`");
        }
    }
}
