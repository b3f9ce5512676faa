//! Whose images may run.

use super::Rules;
use crate::config::Document;

/// Rules that verify signatures.
pub(crate) fn verification(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    for rule in document.value.items("rules") {
        let mut refuse = |message: &str, help: &str| rules.refuse_value(document, rule, message, help);
        if rule.text("image").is_empty() {
            refuse("a rule of ImageVerificationConfig has no `image`", "add `image: \"*\"` or a narrower pattern");
        }
        let (skip, deny) = (rule.is_true("skip"), rule.is_true("deny"));
        let (keyless, public) = (rule.has("keyless"), rule.has("publicKey"));
        if skip && deny {
            refuse("a rule has `skip` and `deny`", "keep one of the two");
        }
        if (skip || deny) && (keyless || public) {
            refuse("a rule with `skip` or `deny` has a verifier", "remove `keyless` and `publicKey`");
        }
        if !skip && !deny && !keyless && !public {
            refuse("a rule has no verifier", "add `keyless`, `publicKey`, `skip: true` or `deny: true`");
        }
        if keyless && public {
            refuse("a rule has two verifiers", "keep one of `keyless` and `publicKey`");
        }
        if keyless && rule.text("keyless.issuer").is_empty() {
            refuse("a keyless verifier has no `issuer`", "add `issuer`");
        }
        if keyless && rule.text("keyless.subject").is_empty() && rule.text("keyless.subjectRegex").is_empty() {
            refuse("a keyless verifier has neither `subject` nor `subjectRegex`", "add one of the two");
        }
        if public && rule.text("publicKey.certificate").is_empty() {
            refuse("a verifier with a public key has no `certificate`", "add `certificate`");
        }
    }
}
