//! The secrets of a run: which files need them, where their values come from, and whether those files can be written.
//!
//! Only `generate` uses this module, in this order: [`find_exposed_secrets`], [`resolve`], [`decide_files`].

use std::collections::{BTreeMap, BTreeSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};
use talosmith_model::plan::Expected;
use talosmith_model::{Fleet, SecretSource};
use talosmith_render::Secrets;

use crate::process::Processes;

mod process_variables;
mod redactor;
mod value;
mod program;
mod sources;
mod tailscale_key;
mod git_exposure;
mod previous_file;
mod file_outcome;

use sources::{Failure, fetch};

pub(crate) use file_outcome::{FileOutcome, decide_files};
pub(crate) use git_exposure::{find_exposed_secrets, find_exposed_sources, repository};
pub(crate) use previous_file::current_files;
pub(crate) use process_variables::ProcessVariables;

/// The maximum size of a value, in bytes. A Tailscale key has about sixty.
const LARGEST_VALUE: usize = 64 * 1024;

/// How talosmith.yaml defines a secret.
#[derive(Debug)]
pub(crate) struct Definition<'a> {
    /// The key of the definition.
    pub at: Pointer,
    /// The sources in the order in which they are tried, each with its place.
    pub sources: Vec<(&'a SecretSource, Pointer)>,
    pub form: Form,
}

/// What a source must return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// One line.
    Line,
    /// A whole file.
    File,
}

/// The secrets that talosmith.yaml defines, by name.
pub(crate) type Definitions<'a> = BTreeMap<&'a str, Definition<'a>>;

/// Returns the `secrets` of talosmith.yaml.
pub(crate) fn definitions(fleet: &Fleet) -> Definitions<'_> {
    let definitions = fleet.secrets.iter().map(|(name, sources)| {
        let at = Pointer::root().child("secrets").child(name);
        let sources = sources.iter().enumerate().map(|(index, source)| (source, at.item(index))).collect();
        (name.as_str(), Definition { at, sources, form: Form::Line })
    });
    definitions.collect()
}

/// Returns the secrets bundle of a cluster.
pub(crate) fn bundle_definition<'a>(cluster: &str, source: &'a SecretSource) -> Definition<'a> {
    let at = Pointer::new("/clusters").child(cluster).child("secretsBundle");
    Definition { at: at.clone(), sources: vec![(source, at)], form: Form::File }
}

/// A secret that a generated file needs. A secret that several files need has one of these for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RequiredSecret {
    /// A key of `secrets` in talosmith.yaml.
    pub secret: String,
    pub device: String,
    /// Where the device names the secret.
    pub location: Location,
    /// The path of the file that will contain the value, relative to the repository's root.
    pub target: Utf8PathBuf,
    pub expected: Expected,
}

pub(crate) struct SourceContext<'a> {
    pub processes: &'a dyn Processes,
    pub variables: &'a ProcessVariables,
    /// The absolute path of the repository's root, which relative paths start at and programs run in.
    pub root: &'a Utf8Path,
    /// Whether the run can leave out the files of a secret.
    pub can_skip: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SecretOutcome {
    /// The source at this location returned a value.
    Found(Location),
    Unavailable,
    Failed,
}

/// The values of the secrets of a run, and the findings about their sources.
#[derive(Debug, Default)]
pub(crate) struct Resolution {
    pub secrets: Secrets,
    /// The outcome for each required secret, by its name.
    pub outcomes: BTreeMap<String, SecretOutcome>,
    pub findings: Vec<Diagnostic>,
}

/// Tries the sources of every required secret, each secret once. `fleet` is talosmith.yaml, which defines them.
///
/// A name without a definition is skipped: the model has reported it already.
pub(crate) fn resolve(
    required: &[RequiredSecret],
    definitions: &Definitions<'_>,
    fleet: SourceId,
    context: &SourceContext<'_>,
) -> Resolution {
    let mut resolution = Resolution::default();
    for RequiredSecret { secret: name, .. } in required {
        if resolution.outcomes.contains_key(name) {
            continue;
        }
        let Some(definition) = definitions.get(name.as_str()) else { continue };
        let mut absences = Vec::new();
        let mut outcome = SecretOutcome::Unavailable;
        for (source, pointer) in &definition.sources {
            let location = Location::value(fleet, pointer.clone());
            match fetch(source, definition.form, context, &resolution.secrets) {
                Ok(value) => {
                    resolution.secrets.insert(name, value);
                    outcome = SecretOutcome::Found(location);
                    break;
                }
                Err(failure) if failure.code == Code::SecretUnavailable => absences.push((source.kind(), failure)),
                Err(failure) => {
                    resolution.findings.push(failed(name, source.kind(), failure, location, required));
                    outcome = SecretOutcome::Failed;
                    break;
                }
            }
        }
        if outcome == SecretOutcome::Unavailable {
            let finding = unavailable(name, absences, Location::key(fleet, definition.at.clone()), required);
            resolution.findings.push(if context.can_skip { can_skip(finding, name, required) } else { finding });
        }
        resolution.outcomes.insert(name.clone(), outcome);
    }
    resolution
}

fn failed(name: &str, kind: &str, failure: Failure, location: Location, required: &[RequiredSecret]) -> Diagnostic {
    let message = format!("the secret `{name}` cannot be read from `{kind}`: {}", failure.reason);
    let mut finding = Diagnostic::new(failure.code, message, location);
    finding.notes = failure.notes;
    finding.devices = devices(name, required);
    finding
        .note(format!("no other source is tried after one that fails; not written: {}", targets(name, required)))
        .help(failure.help)
}

fn unavailable_message(name: &str) -> String {
    format!("no source of the secret `{name}` is available")
}

fn unavailable(
    name: &str,
    absences: Vec<(&str, Failure)>,
    location: Location,
    required: &[RequiredSecret],
) -> Diagnostic {
    let mut finding = Diagnostic::new(Code::SecretUnavailable, unavailable_message(name), location);
    for (kind, absence) in absences {
        finding.notes.push(format!("{kind}: {}", absence.reason));
        finding.helps.push(absence.help);
    }
    finding.devices = devices(name, required);
    finding
}

fn can_skip(finding: Diagnostic, name: &str, required: &[RequiredSecret]) -> Diagnostic {
    finding
        .note(format!("the tracked files do not need the secret; not written: {}", targets(name, required)))
        .help("or skip the files with secrets: talosmith generate --tracked-only")
}

/// The files that need a secret, for a note.
fn targets(name: &str, required: &[RequiredSecret]) -> String {
    list(required.iter().filter(|required| required.secret == name).map(|required| required.target.as_str()))
}

/// Lists paths for a note: the first three and the number of the others.
fn list<'a>(targets: impl Iterator<Item = &'a str>) -> String {
    const SHOWN: usize = 3;
    let targets: Vec<&str> = targets.collect();
    let shown = targets.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    match targets.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}

fn devices(name: &str, required: &[RequiredSecret]) -> BTreeSet<String> {
    required.iter().filter(|required| required.secret == name).map(|required| required.device.clone()).collect()
}

#[cfg(test)]
pub(crate) mod tests;
