//! Which artifacts hold secrets.

use talosmith_document::{Code, Diagnostic, Location, Pointer, closest};

use super::Check;
use crate::scalar::SecretName;

/// A secret that an artifact of a device holds. What is tracked has its placeholder, `${NAME}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The key of the model that asks for the artifact, as `files` names it.
    pub key: String,
    /// The secret's name in talosmith.yaml.
    pub secret: String,
    /// The name in the placeholder.
    pub placeholder: String,
    /// What its value must be.
    pub expected: Expected,
    /// Where the device names it.
    pub location: Location,
}

/// What the value of a secret must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Anything.
    Text,
    /// A key that Tailscale's extension can log in with; with tags an OAuth client's secret will do.
    TailscaleKey {
        /// Whether `tailscale up` advertises tags.
        advertises_tags: bool,
    },
}

/// Notes that the artifact of a model key holds a secret, which the place at `at` names; gives the placeholder.
pub(super) fn hold(check: &mut Check<'_>, key: &str, secret: &SecretName, at: &Pointer, expected: Expected) -> String {
    let location = check.at(at.clone());
    let names: Vec<&str> = check.fleet.fleet.secrets.keys().map(String::as_str).collect();
    if !names.contains(&secret.as_str()) {
        let message = format!("talosmith.yaml has no secret `{secret}`");
        let finding = Diagnostic::new(Code::UnknownSecret, message, location.clone());
        let finding = match closest(secret.as_str(), names.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding.help(format!(
                "list its sources in talosmith.yaml:\nsecrets:\n  {secret}:\n    - env: {}",
                secret.placeholder()
            )),
        };
        check.push(finding);
    }
    let placeholder = secret.placeholder();
    check.secrets.reserve_exact(1);
    check.secrets.push(SecretUse {
        key: key.to_owned(),
        secret: secret.as_str().to_owned(),
        placeholder: placeholder.clone(),
        expected,
        location,
    });
    format!("${{{placeholder}}}")
}
