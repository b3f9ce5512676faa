//! What becomes of a file with a secret, and of the run's exit code.

use camino::Utf8Path;
use talosmith_document::{Code, Diagnostic, Level};

use super::{Need, Outcome, Resolution, tailscale_key};

/// What becomes of one file with a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The value is there: the file can be written.
    Written,
    /// No source is there, and no older file either.
    Left,
    /// No source is there, and an older file lies at the target.
    Outdated,
    /// A source is there and failed, or gave a wrong kind of key.
    Failed,
}

impl Fate {
    /// The exit code that the run owes to this file: 0 or 2. Secrets are not findings about the model, so it is never 1.
    #[must_use]
    pub const fn exit_code(self, require_secrets: bool) -> u8 {
        match self {
            Self::Written => 0,
            Self::Left if !require_secrets => 0,
            Self::Left | Self::Outdated | Self::Failed => 2,
        }
    }
}

/// What becomes of all files with secrets of a run.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Settlement {
    /// One for each need, in the order of the needs.
    pub fates: Vec<Fate>,
    /// What there is to say, the resolution's findings first.
    pub findings: Vec<Diagnostic>,
    /// 0, or 2 if a file that should have been written was not.
    pub exit_code: u8,
}

/// Judges each need by what its secret's sources gave, and takes over the resolution's findings. The value itself stays in the
/// resolution, since one device may be able to use what another cannot: only a need whose fate is [`Fate::Written`] may be written.
///
/// `is_there` says whether a file lies at a path of the repository.
pub fn settle(
    needs: &[Need],
    resolution: &mut Resolution,
    require_secrets: bool,
    is_there: &dyn Fn(&Utf8Path) -> bool,
) -> Settlement {
    let mut findings = std::mem::take(&mut resolution.findings);
    if require_secrets {
        let unavailable = |finding: &&mut Diagnostic| finding.code == Code::SecretUnavailable;
        findings.iter_mut().filter(unavailable).for_each(|finding| finding.level = Level::Error);
    }
    let mut fates = Vec::with_capacity(needs.len());
    for need in needs {
        fates.push(match resolution.outcomes.get(&need.secret) {
            Some(Outcome::Found(source)) => match tailscale_key::judge(need, source, &resolution.secrets) {
                Some(finding) => {
                    findings.push(finding);
                    Fate::Failed
                }
                None => Fate::Written,
            },
            Some(Outcome::Failed) => Fate::Failed,
            Some(Outcome::Unavailable) | None if is_there(&need.target) => {
                findings.push(outdated(need));
                Fate::Outdated
            }
            Some(Outcome::Unavailable) | None => Fate::Left,
        });
    }
    let exit_code = fates.iter().map(|fate| fate.exit_code(require_secrets)).max().unwrap_or(0);
    talosmith_document::merge(&mut findings);
    Settlement { fates, findings, exit_code }
}

fn outdated(need: &Need) -> Diagnostic {
    let Need { secret, target, .. } = need;
    let message = format!("`{target}` could not be renewed, since no source of the secret `{secret}` is there");
    Diagnostic::new(Code::SecretOutdated, message, need.at.clone())
        .note("the file from an earlier run was left as it is: its key and its settings may be old, and nothing compares them")
        .help(format!("make a source of `{secret}` available, and run `talosmith generate` again"))
        .help(format!("or remove the old file: rm {}", super::shell_word(target.as_str())))
        .device(&need.device)
}

#[cfg(test)]
mod tests;
