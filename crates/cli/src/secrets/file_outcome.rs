//! Decides which files with secrets are written, and the exit code.

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Level};

use super::{RequiredSecret, Resolution, SecretOutcome, list, tailscale_key, unavailable_message};
use crate::printable::shell_quote;
use crate::tree::exists;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileOutcome {
    Writable,
    /// No source is available, and the file does not exist.
    Skipped,
    /// No source is available, and the file of an earlier run has the settings of the model.
    Kept,
    /// No source is available, and the file exists from an earlier run, with other settings than the model's.
    Outdated,
    /// The source failed, or returned the wrong kind of key.
    Failed,
}

impl FileOutcome {
    /// The exit code that this file requires: 0 or 2. It is never 1, because secrets are not findings about the model.
    const fn exit_code(self, require_secrets: bool) -> u8 {
        match self {
            Self::Writable => 0,
            Self::Skipped | Self::Kept if !require_secrets => 0,
            Self::Skipped | Self::Kept | Self::Outdated | Self::Failed => 2,
        }
    }
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct FileOutcomes {
    /// One for each required secret, in the same order.
    pub outcomes: Vec<FileOutcome>,
    /// The findings of the resolution, then those about single files.
    pub findings: Vec<Diagnostic>,
    /// 0, or 2 if a file that should have been written cannot be.
    pub exit_code: u8,
}

/// Decides for each required secret whether its file can be written, and moves the findings out of the resolution.
///
/// The values stay in the resolution even where the key is of the wrong kind, since another device may accept that kind: write only
/// files that are [`FileOutcome::Writable`]. `current` are the files of an earlier run that have the settings of the model.
pub(crate) fn decide_files(
    required: &[RequiredSecret],
    resolution: &mut Resolution,
    current: &BTreeSet<Utf8PathBuf>,
    require_secrets: bool,
    root: &Utf8Path,
) -> FileOutcomes {
    let mut findings = std::mem::take(&mut resolution.findings);
    if require_secrets {
        let unavailable = |finding: &&mut Diagnostic| finding.code == Code::SecretUnavailable;
        findings.iter_mut().filter(unavailable).for_each(|finding| finding.level = Level::Error);
    }
    let mut outcomes = Vec::with_capacity(required.len());
    for required in required {
        outcomes.push(match resolution.outcomes.get(&required.secret) {
            Some(SecretOutcome::Found(source)) => {
                let wrong_kind = tailscale_key::check_kind(required, source, &resolution.secrets);
                let outcome = if wrong_kind.is_some() { FileOutcome::Failed } else { FileOutcome::Writable };
                findings.extend(wrong_kind);
                outcome
            }
            Some(SecretOutcome::Failed) => FileOutcome::Failed,
            Some(SecretOutcome::Unavailable) | None if current.contains(&required.target) => FileOutcome::Kept,
            Some(SecretOutcome::Unavailable) | None if exists(&root.join(&required.target)) => {
                findings.push(outdated(required));
                FileOutcome::Outdated
            }
            Some(SecretOutcome::Unavailable) | None => FileOutcome::Skipped,
        });
    }
    note_kept_files(&mut findings, required, &outcomes);
    let exit_code = outcomes.iter().map(|outcome| outcome.exit_code(require_secrets)).max().unwrap_or(0);
    talosmith_document::merge(&mut findings);
    FileOutcomes { outcomes, findings, exit_code }
}

/// Adds the files that were kept to the findings on their secrets.
fn note_kept_files(findings: &mut [Diagnostic], required: &[RequiredSecret], outcomes: &[FileOutcome]) {
    let kept = required.iter().zip(outcomes).filter(|(_, outcome)| **outcome == FileOutcome::Kept);
    let mut by_secret: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (required, _) in kept {
        by_secret.entry(&required.secret).or_default().push(required.target.as_str());
    }
    for (secret, targets) in by_secret {
        let message = unavailable_message(secret);
        let note = format!("kept from an earlier run, with the settings of the model: {}", list(targets.into_iter()));
        findings.iter_mut().filter(|finding| finding.message == message).for_each(|finding| {
            finding.notes.push(note.clone());
        });
    }
}

fn outdated(required: &RequiredSecret) -> Diagnostic {
    let RequiredSecret { secret, target, .. } = required;
    let message =
        format!("`{target}` could not be regenerated, because no source of the secret `{secret}` is available");
    Diagnostic::new(Code::SecretOutdated, message, required.location.clone())
        .note("the file from an earlier run was left as it is: its settings are not those of the model, and its key may be old")
        .help(format!("make a source of `{secret}` available, and run `talosmith generate` again"))
        .help(format!("or remove the old file: rm {}", shell_quote(target.as_str())))
        .device(&required.device)
}

#[cfg(test)]
mod tests;
