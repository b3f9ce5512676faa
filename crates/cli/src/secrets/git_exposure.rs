//! Whether git would publish the files with secrets. Checked before any value is fetched.

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, SourceId};
use talosmith_model::SecretSource;
use talosmith_model::layout::DEVICES;

use super::{Definitions, RequiredSecret};
use crate::git::{Git, GitError, Ignore};
use crate::printable::shell_quote;
use crate::process::Processes;
use crate::tree::exists;

/// Reports every target that git tracks or that a clone would not ignore, and every `file` source that git tracks.
/// If there is a finding, nothing may be fetched or written.
///
/// Outside a git repository nothing is reported, because a secret could not be published by a commit.
/// If git fails, nothing may be fetched either.
pub(crate) fn find_exposed_secrets(
    required: &[RequiredSecret],
    definitions: &Definitions<'_>,
    fleet: SourceId,
    processes: &dyn Processes,
    root: &Utf8Path,
) -> Result<Vec<Diagnostic>, GitError> {
    if required.is_empty() {
        return Ok(Vec::new());
    }
    let Some(git) = repository(processes, root)? else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    for required in required {
        findings.extend(check_target(required, &git)?);
    }
    findings.extend(find_exposed_sources(required, definitions, fleet, &git, root)?);
    Ok(findings)
}

/// Returns the git repository that a folder is in, if it is in one.
///
/// # Errors
/// Git fails: what it would publish is unknown then.
pub(crate) fn repository<'p>(processes: &'p dyn Processes, folder: &Utf8Path) -> Result<Option<Git<'p>>, GitError> {
    match Git::open(processes, folder) {
        Ok(git) => Ok(Some(git)),
        // Git is not installed, or knows of no repository. That is right only if no folder looks like one: `.git` may be damaged,
        // and GIT_DIR may name another one.
        Err(error @ (GitError::NotARepository(_) | GitError::NotFound)) => {
            let damaged = folder.ancestors().find(|folder| exists(&folder.join(".git")));
            match (damaged, error) {
                (None, _) => Ok(None),
                (Some(folder), GitError::NotARepository(_)) => Err(GitError::Unrecognized(folder.to_owned())),
                (Some(_), error) => Err(error),
            }
        }
        Err(error) => Err(error),
    }
}

/// Reports every `file` source of the required secrets that git tracks.
pub(crate) fn find_exposed_sources(
    required: &[RequiredSecret],
    definitions: &Definitions<'_>,
    fleet: SourceId,
    git: &Git<'_>,
    root: &Utf8Path,
) -> Result<Vec<Diagnostic>, GitError> {
    let mut findings = Vec::new();
    for (name, definition) in definitions.iter().filter(|(name, _)| required.iter().any(|one| one.secret == **name)) {
        for (source, pointer) in &definition.sources {
            let SecretSource::File(path) = source else { continue };
            // Git knows nothing about files outside the repository.
            let inside = root.join(path).strip_prefix(root).map(Utf8Path::to_owned);
            let Ok(inside) = inside else { continue };
            if inside.components().all(|part| part.as_str() != "..") && git.is_tracked(&inside)? {
                let location = Location::value(fleet, pointer.child("file"));
                findings.push(tracked_source(name, &inside, location, required));
            }
        }
    }
    Ok(findings)
}

fn check_target(required: &RequiredSecret, git: &Git<'_>) -> Result<Option<Diagnostic>, GitError> {
    let target = &required.target;
    if git.is_tracked(target)? {
        return Ok(Some(tracked_target(required)));
    }
    let line = pattern(target);
    let add_line = format!("add this line to the .gitignore next to talosmith.yaml, and git add .gitignore:\n{line}");
    let (note, help) = match git.ignored_by(target)? {
        Ignore::Tracked => return Ok(None),
        Ignore::Untracked(file) => (
            format!("only `{file}` covers it, which is not tracked itself: other clones do not have it"),
            // An absolute path, so that the command works in any folder.
            format!("git add {}", shell_quote(git.top.join(file).as_str())),
        ),
        Ignore::Elsewhere(file) => (format!("only `{file}` covers it, which other clones do not have"), add_line),
        Ignore::No => ("a `git add` would add it to the repository".to_owned(), add_line),
    };
    // Without the folder: the files of all devices that one line covers are merged into one finding.
    let file = target.file_name().unwrap_or(target.as_str());
    let message = format!("no tracked .gitignore covers `{file}`, which will contain the secret `{}`", required.secret);
    let finding = Diagnostic::new(Code::SecretNotIgnored, message, required.location.clone())
        .note(note)
        .note("nothing was fetched or written")
        .help(help)
        .device(&required.device);
    Ok(Some(finding))
}

fn tracked_target(required: &RequiredSecret) -> Diagnostic {
    let RequiredSecret { secret, target, .. } = required;
    let message = format!("git tracks `{target}`, which will contain the secret `{secret}`");
    Diagnostic::new(Code::SecretTracked, message, required.location.clone())
        .note("a .gitignore has no effect on a tracked file; nothing was fetched or written")
        .help(format!("git rm --cached {}", shell_quote(target.as_str())))
        .help("revoke the key if it was ever committed: it is in the history")
        .device(&required.device)
}

fn tracked_source(name: &str, path: &Utf8Path, location: Location, required: &[RequiredSecret]) -> Diagnostic {
    let message = format!("git tracks `{path}`, which contains the secret `{name}` unencrypted");
    let mut finding = Diagnostic::new(Code::LiteralSecret, message, location)
        .note("everyone who can read the repository can read the secret; nothing was fetched or written")
        .help(format!("git rm --cached {}", shell_quote(path.as_str())))
        .help("revoke the key: it is in the history");
    finding.devices = super::devices(name, required);
    finding
}

/// A line for a .gitignore that covers `target` and the file of the same name of every other device.
fn pattern(target: &Utf8Path) -> String {
    let mut parts: Vec<&str> = target.components().map(|part| part.as_str()).collect();
    if let [DEVICES, device, _, ..] = parts.as_mut_slice() {
        *device = "*";
        return format!("/{}/*/{}", escape(parts[0]), escape(parts[2..].iter().collect::<Utf8PathBuf>().as_str()));
    }
    format!("/{}", escape(target.as_str()))
}

/// Escapes the characters with a special meaning in a .gitignore (gitignore(5)). `#` and `!` have one only at the start of a line,
/// where the pattern has a `/`.
fn escape(path: &str) -> String {
    let mut escaped = String::with_capacity(path.len());
    for character in path.chars() {
        if r"\*?[ ".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests;
