//! The secrets that artifacts contain.

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::Check;
use crate::scalar::SecretName;

/// A secret in an artifact of a device. The tracked file has its placeholder, `${NAME}`, instead of the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    /// The model key of the artifact, as in `files`.
    pub key: String,
    /// The secret's name in talosmith.yaml.
    pub secret: String,
    pub placeholder: String,
    /// What the value must be.
    pub expected: Expected,
    /// The location of its name in the device.
    pub location: Location,
}

/// What the value of a secret must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Any string.
    Text,
    /// A Tailscale auth key, or with tags the secret of an OAuth client.
    TailscaleKey {
        /// Whether `tailscale up` advertises tags.
        advertises_tags: bool,
    },
}

/// Registers the secret that `at` names for the artifact of a model key, and returns its placeholder.
pub(super) fn use_secret(
    check: &mut Check<'_>,
    key: &str,
    secret: &SecretName,
    at: &Pointer,
    expected: Expected,
) -> String {
    let location = check.at(at.clone());
    let names: Vec<&str> = check.fleet.fleet.secrets.keys().map(String::as_str).collect();
    if !names.contains(&secret.as_str()) {
        let message = format!("talosmith.yaml has no secret `{secret}`");
        let finding = Diagnostic::new(Code::UnknownSecret, message, location.clone());
        let finding = finding.did_you_mean(secret.as_str(), names.iter().copied()).unwrap_or_else(|finding| {
            finding.help(format!(
                "list its sources in talosmith.yaml:\nsecrets:\n  {secret}:\n    - env: {}",
                secret.placeholder()
            ))
        });
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

/// A part of the model that lists the secrets whose placeholders it has.
pub(super) struct SecretOwner<'a> {
    /// What it is: `patch`.
    pub what: &'static str,
    pub name: &'a str,
    pub listed: &'a [SecretName],
    /// `/patches/<name>`. With a dot between, it is the model key of the artifact.
    pub at: &'a Pointer,
}

impl SecretOwner<'_> {
    /// Registers the listed secrets for the artifact.
    pub(super) fn use_listed(&self, check: &mut Check<'_>) {
        for (index, secret) in self.listed.iter().enumerate() {
            let key = self.at.segments().collect::<Vec<_>>().join(".");
            use_secret(check, &key, secret, &self.at.child("secrets").item(index), Expected::Text);
        }
    }

    /// Reports listed secrets that are not used, and used ones that are not listed.
    pub(super) fn check_uses(&self, check: &mut Check<'_>, is_used: impl Fn(&str) -> bool) {
        if self.listed.is_empty() && !is_used("${") {
            return;
        }
        let Self { what, name, .. } = self;
        for (index, secret) in self.listed.iter().enumerate() {
            let placeholder = format!("${{{}}}", secret.placeholder());
            if !is_used(&placeholder) {
                let message = format!("`{placeholder}` is not used by the {what} `{name}`");
                check.push(
                    Diagnostic::new(Code::UnknownSecret, message, check.at(self.at.child("secrets").item(index))).help(
                        format!("write `{placeholder}` where the value of `{secret}` belongs, or remove the line"),
                    ),
                );
            }
        }
        let secrets = check.fleet.fleet.secrets.keys().filter_map(|key| key.parse::<SecretName>().ok());
        for secret in secrets.filter(|secret| !self.listed.contains(secret)) {
            let placeholder = format!("${{{}}}", secret.placeholder());
            if is_used(&placeholder) {
                let message = format!("`{placeholder}` is used by the {what} `{name}`, which does not list the secret");
                check.push(
                    Diagnostic::new(Code::UnknownSecret, message, check.key(self.at.clone()))
                        .note("Talos expands nothing: the node would get the placeholder itself")
                        .help(format!("add a line to the {what}:\nsecrets: [{secret}]")),
                );
            }
        }
    }
}
