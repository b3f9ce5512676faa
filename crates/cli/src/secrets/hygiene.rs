//! Whether the files with secrets are out of git's reach. Judged before any value is fetched.

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};
use talosmith_model::SecretSource;

use super::{Definitions, Need, shell_word};
use crate::git::{Git, GitError, Ignore};
use crate::process::Processes;

/// Finds fault with every target that git tracks, or that a clone would not ignore, and with every `file` source that git tracks.
/// With a finding, nothing may be fetched or written.
///
/// Outside a git repository there is nothing that a secret could leak into.
///
/// # Errors
/// Git cannot say: then nothing may be fetched either.
pub fn judge(
    needs: &[Need],
    definitions: &Definitions<'_>,
    fleet: SourceId,
    processes: &dyn Processes,
    root: &Utf8Path,
) -> Result<Vec<Diagnostic>, GitError> {
    if needs.is_empty() {
        return Ok(Vec::new());
    }
    let git = match Git::open(processes, root) {
        Ok(git) => git,
        Err(GitError::NotARepository(_)) => return Ok(Vec::new()),
        // Without the program, a folder that is plainly no repository is all the same.
        Err(GitError::NotFound) if root.ancestors().all(|folder| !folder.join(".git").exists()) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(error),
    };
    let mut findings = Vec::new();
    for need in needs {
        findings.extend(target(need, &git)?);
    }
    for (name, sources) in definitions.iter().filter(|(name, _)| needs.iter().any(|need| need.secret == **name)) {
        for (index, source) in sources.iter().enumerate() {
            let SecretSource::File(path) = source else { continue };
            // Git is not asked about what lies outside.
            let inside = root.join(path).strip_prefix(root).map(Utf8Path::to_owned);
            let Ok(inside) = inside else { continue };
            if inside.components().all(|part| part.as_str() != "..") && git.is_tracked(&inside)? {
                let at = Location::value(fleet, Pointer::root().child("secrets").child(name).item(index).child("file"));
                findings.push(literal(name, &inside, at, needs));
            }
        }
    }
    Ok(findings)
}

fn target(need: &Need, git: &Git<'_>) -> Result<Option<Diagnostic>, GitError> {
    let Need { secret, target, .. } = need;
    let word = shell_word(target.as_str());
    if git.is_tracked(target)? {
        let message = format!("git tracks `{target}`, which is to hold the secret `{secret}`");
        let finding = Diagnostic::new(Code::SecretTracked, message, need.at.clone())
            .note("a .gitignore does nothing for a file that is tracked; nothing was fetched or written")
            .help(format!("git rm --cached {word}"))
            .help("revoke the key if it was ever committed: it is in the history")
            .device(&need.device);
        return Ok(Some(finding));
    }
    let found = git.ignored_by(target)?;
    let note = match &found {
        Ignore::Tracked { .. } => return Ok(None),
        Ignore::Untracked(file) => {
            format!("only `{file}` covers it, which is not tracked itself: other clones do not have it")
        }
        Ignore::Elsewhere(file) => format!("only `{file}` covers it, which other clones do not have"),
        Ignore::No => "a `git add` would put it into the repository".to_owned(),
    };
    let help = match &found {
        // Relative to the top of the repository, from where the line works wherever talosmith's root is.
        Ignore::Untracked(file) => format!("git add {}", shell_word(git.top().join(file).as_str())),
        _ => format!("add this line to .gitignore beside talosmith.yaml, and git add .gitignore:\n{}", pattern(target)),
    };
    // The files of all devices that one line covers are one finding.
    let file = target.file_name().unwrap_or(target.as_str());
    let message = format!("no tracked .gitignore covers `{file}`, which is to hold the secret `{secret}`");
    let finding = Diagnostic::new(Code::SecretNotIgnored, message, need.at.clone())
        .note(note)
        .note("nothing was fetched or written")
        .help(help)
        .device(&need.device);
    Ok(Some(finding))
}

fn literal(name: &str, path: &Utf8Path, at: Location, needs: &[Need]) -> Diagnostic {
    let message = format!("git tracks `{path}`, which holds the secret `{name}` in the clear");
    let mut finding = Diagnostic::new(Code::LiteralSecret, message, at)
        .note("everyone who can read the repository can read the secret; nothing was fetched or written")
        .help(format!("git rm --cached {}", shell_word(path.as_str())))
        .help("revoke the key: it is in the history");
    finding.devices = super::devices(name, needs);
    finding
}

/// The line of a .gitignore that covers `target`, and the files of the same name of all other devices.
fn pattern(target: &Utf8Path) -> String {
    let mut parts: Vec<&str> = target.components().map(|part| part.as_str()).collect();
    if let ["devices", device, _, ..] = parts.as_mut_slice() {
        *device = "*";
        return format!("/{}/*/{}", escape(parts[0]), escape(parts[2..].iter().collect::<Utf8PathBuf>().as_str()));
    }
    format!("/{}", escape(target.as_str()))
}

/// Takes the meaning from the characters that have one in a .gitignore (gitignore(5)). The leading `/` of a pattern disarms `#` and `!`.
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
