//! The secrets of a run: what needs them, where their values come from, and what may be said about them.
//!
//! Only `generate` comes here. The order is: [`hygiene::judge`], then [`resolve`], then [`policy::settle`].

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};
use talosmith_model::SecretSource;
use talosmith_model::plan::Expected;
use talosmith_render::Secrets;

use crate::process::Processes;

mod answer;
mod environment;
mod redactor;
mod value;
mod program;
mod env;
mod file;
mod sops;
mod op;
mod command;
mod tailscale_key;
pub mod hygiene;
pub mod policy;

use answer::{Absence, Answer, Failure};
pub use environment::Environment;
pub use redactor::Redactor;

/// What a source may give at most, in bytes; a key has some sixty.
const LARGEST_VALUE: usize = 64 * 1024;

/// The `secrets` of the fleet file: each secret's sources, in the order in which they are asked.
pub type Definitions<'a> = BTreeMap<&'a str, &'a [SecretSource]>;

/// A file that cannot be written without a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The name of the secret in the fleet file.
    pub secret: String,
    /// The device that the file belongs to.
    pub device: String,
    /// Where the device names the secret.
    pub at: Location,
    /// The file, relative to the repository's root.
    pub target: Utf8PathBuf,
    /// What the value must be.
    pub expected: Expected,
}

/// What the sources can reach.
pub struct SourceContext<'a> {
    /// Starts programs, in the environment that talosmith was started in.
    pub processes: &'a dyn Processes,
    /// That environment.
    pub environment: &'a Environment,
    /// The root of the repository, absolute: relative files lie there, and programs run there.
    pub root: &'a Utf8Path,
}

/// What became of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The source at this place gave a value.
    Found(Location),
    /// No source is there.
    Unavailable,
    /// The first source that is there failed.
    Failed,
}

/// The secrets of a run.
#[derive(Debug, Default)]
pub struct Resolution {
    /// The values.
    pub secrets: Secrets,
    /// What became of each secret that was asked for, by its name.
    pub outcomes: BTreeMap<String, Outcome>,
    /// What there is to say.
    pub findings: Vec<Diagnostic>,
}

impl Resolution {
    /// Masks these secrets in a text.
    #[must_use]
    pub fn redactor(&self) -> Redactor {
        Redactor::of(&self.secrets)
    }
}

/// Asks the sources of every secret that is needed, each secret once. `fleet` is the text that defines them.
///
/// A name without a definition is left out: the model has refused it before.
#[must_use]
pub fn resolve(
    needs: &[Need],
    definitions: &Definitions<'_>,
    fleet: SourceId,
    context: &SourceContext<'_>,
) -> Resolution {
    let mut resolution = Resolution::default();
    for need in needs {
        let name = &need.secret;
        if resolution.outcomes.contains_key(name) {
            continue;
        }
        let Some(sources) = definitions.get(name.as_str()) else { continue };
        let pointer = Pointer::root().child("secrets").child(name);
        let mut absences = Vec::new();
        let mut outcome = Outcome::Unavailable;
        for (index, source) in sources.iter().enumerate() {
            let location = Location::value(fleet, pointer.item(index));
            match ask(source, context, &resolution.secrets) {
                Answer::Absent(absence) => absences.push((source.kind(), absence)),
                Answer::Failed(failure) => {
                    resolution.findings.push(failed(name, source.kind(), failure, location, needs));
                    outcome = Outcome::Failed;
                    break;
                }
                Answer::Value(value) => {
                    resolution.secrets.insert(name, value);
                    outcome = Outcome::Found(location);
                    break;
                }
            }
        }
        if outcome == Outcome::Unavailable {
            resolution.findings.push(unavailable(name, absences, Location::key(fleet, pointer), needs));
        }
        resolution.outcomes.insert(name.clone(), outcome);
    }
    resolution
}

fn ask(source: &SecretSource, context: &SourceContext<'_>, known: &Secrets) -> Answer {
    match source {
        SecretSource::Env(name) => env::ask(name, context),
        SecretSource::File(path) => file::ask(path, context),
        SecretSource::Sops(value) => sops::ask(value, context, known),
        SecretSource::Op(reference) => op::ask(reference, context, known),
        SecretSource::Command(command) => command::ask(command, context, known),
    }
}

fn failed(name: &str, kind: &str, failure: Failure, at: Location, needs: &[Need]) -> Diagnostic {
    let message = format!("the secret `{name}` cannot be taken from `{kind}`: {}", failure.why);
    let mut finding = Diagnostic::new(failure.code, message, at);
    finding.notes = failure.notes;
    finding.devices = devices(name, needs);
    finding
        .note(format!("a source that is there and fails is not passed over; not written: {}", targets(name, needs)))
        .help(failure.help)
}

fn unavailable(name: &str, absences: Vec<(&str, Absence)>, at: Location, needs: &[Need]) -> Diagnostic {
    let mut finding =
        Diagnostic::new(Code::SecretUnavailable, format!("no source of the secret `{name}` is there"), at);
    for (kind, absence) in absences {
        finding.notes.push(format!("{kind}: {}", absence.lacks));
        finding.helps.push(absence.help);
    }
    finding.devices = devices(name, needs);
    finding
        .note(format!("the tracked files do not need the secret; not written: {}", targets(name, needs)))
        .help("or leave the files with secrets out: talosmith generate --tracked-only")
}

/// The files that need a secret, as a list to read; a fleet's is cut short.
fn targets(name: &str, needs: &[Need]) -> String {
    const SHOWN: usize = 3;
    let targets: Vec<&str> = needs.iter().filter(|need| need.secret == name).map(|need| need.target.as_str()).collect();
    let shown = targets.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match targets.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn devices(name: &str, needs: &[Need]) -> BTreeSet<String> {
    needs.iter().filter(|need| need.secret == name).map(|need| need.device.clone()).collect()
}

/// A word as a POSIX shell must get it, for lines to paste.
fn shell_word(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
pub(crate) mod tests;
