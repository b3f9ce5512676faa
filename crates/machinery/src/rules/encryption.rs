//! The encryption of volumes.

use super::Rules;
use crate::config::Document;
use crate::value::Value;

/// Judges the section `encryption` of a volume.
pub(crate) fn check_encryption(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let Some(encryption) = document.value.at("encryption") else { return };
    let (provider, keys) = (encryption.word("provider"), encryption.items("keys"));
    if matches!(provider.as_str(), "" | "none") && keys.is_empty() {
        return;
    }
    if provider != "luks2" {
        let message = format!("the encryption of {} has no provider that Talos supports", document.title());
        rules.refuse(document, "encryption.provider", message, "write `provider: luks2`");
    }
    if keys.is_empty() {
        let message = format!("the encryption of {} has no keys", document.title());
        rules.refuse(document, "encryption.keys", message, "add `keys: [{ slot: 0, nodeID: {} }]`");
    }
    let mut slots = Vec::new();
    for key in keys {
        let slot = key.number("slot").unwrap_or_default();
        if slots.contains(&slot) {
            let message = format!("two encryption keys of {} have the slot {slot}", document.title());
            let at = key.get("slot").unwrap_or(key);
            rules.refuse_value(document, at, message, "give each key a slot of its own");
        }
        slots.push(slot);
        if !["static", "nodeID", "kms", "tpm"].iter().any(|kind| key.has(kind)) {
            let message =
                format!("the encryption key in slot {slot} of {} says not where it comes from", document.title());
            rules.refuse_value(document, key, message, "add one of `nodeID: {}`, `tpm: {}`, `kms` and `static`");
        }
        for register in key.items("tpm.options.pcrs").iter().filter(|register| !is_register(register)) {
            let message = format!("{} is no register of a TPM", register.scalar());
            rules.refuse_value(document, register, message, "write a number from 0 to 23");
        }
    }
}

fn is_register(value: &Value<'_>) -> bool {
    value.integer().is_some_and(|number| (0..=23).contains(&number))
}
