//! The revision that a change is compared with.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};

use super::{Git, GitError, failed};

/// A revision to compare with.
#[derive(Debug)]
pub(crate) struct BaseRevision {
    /// The ID of the commit.
    pub id: String,
    /// As people name it, with a short ID.
    pub title: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum BaseError {
    #[error("git has no commit `{revision}` here: {}", fetch(.revision, *.is_shallow))]
    NoSuchCommit { revision: String, is_shallow: bool },
    #[error(
        "the history of `HEAD` and `{upstream}` does not meet in this shallow clone: `git fetch --unshallow`, and try again"
    )]
    Shallow { upstream: String },
    #[error("there is no commit yet to compare with: `git commit` first")]
    NoCommit,
    #[error(
        "nothing is changed here since `HEAD`, and the branch has no upstream: name the commit before the change, such as `talosmith review --base HEAD~1`"
    )]
    Unknown,
    #[error(transparent)]
    Git(#[from] GitError),
}

/// What to type to get a commit.
fn fetch(revision: &str, is_shallow: bool) -> String {
    match revision.split_once('/') {
        _ if is_shallow => "this is a shallow clone; `git fetch --unshallow`, and try again".to_owned(),
        Some((remote, branch)) => format!("`git fetch {remote} {branch}`, and try again"),
        None => "`git log` shows those that it has".to_owned(),
    }
}

impl Git<'_> {
    /// Returns the commit to compare with: the one that the user names, or else the one where the branch left its upstream, or `HEAD` if
    /// there is none and files are changed.
    pub(crate) fn base(&self, named: Option<&str>) -> Result<BaseRevision, BaseError> {
        if let Some(revision) = named {
            let id = self.commit(revision)?.ok_or_else(|| BaseError::NoSuchCommit {
                revision: revision.to_owned(),
                is_shallow: self.is_shallow().unwrap_or_default(),
            })?;
            return Ok(BaseRevision { title: titled(revision, &id), id });
        }
        let head = self.commit("HEAD")?.ok_or(BaseError::NoCommit)?;
        let is_changed = !self.changed_since_head(&[], &[], super::Compared::WorkTree)?.is_empty();
        for upstream in ["@{upstream}", "origin/HEAD"] {
            let Some(tip) = self.commit(upstream)? else { continue };
            let Some(id) = self.merge_base(&head, &tip)? else {
                let upstream = self.name(upstream)?;
                return Err(match self.is_shallow()? {
                    true => BaseError::Shallow { upstream },
                    false => BaseError::NoSuchCommit { revision: upstream, is_shallow: false },
                });
            };
            // A branch that was pushed as it is has left another one before.
            if id != head || is_changed {
                let title = format!("the merge base with {}", self.name(upstream)?);
                return Ok(BaseRevision { title: titled(&title, &id), id });
            }
        }
        if is_changed { Ok(BaseRevision { title: titled("HEAD", &head), id: head }) } else { Err(BaseError::Unknown) }
    }

    /// Returns the files that differ between a commit and the work tree, relative to talosmith's root.
    pub(crate) fn changed_since(&self, id: &str) -> Result<BTreeSet<Utf8PathBuf>, GitError> {
        const DIFF: &str = "diff";
        let options = self.without_filters()?;
        let mut arguments: Vec<&str> = options.iter().map(String::as_str).collect();
        arguments.extend([DIFF, "--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-textconv"]);
        arguments.extend(["--ignore-submodules=all", id]);
        self.push_prefix(&mut arguments);
        let output = self.run(&arguments)?;
        if !output.success() {
            return Err(failed(DIFF, &output));
        }
        // No file of talosmith has a path that is not UTF-8.
        let paths = String::from_utf8_lossy(&output.stdout);
        let paths = paths.split('\0').filter_map(|path| Utf8Path::new(path).strip_prefix(&self.prefix).ok());
        Ok(paths.map(Utf8Path::to_owned).collect())
    }

    /// The ID of a commit; none if git does not know it.
    fn commit(&self, revision: &str) -> Result<Option<String>, GitError> {
        if revision.starts_with('-') {
            return Ok(None);
        }
        let commit = format!("{revision}^{{commit}}");
        let output = self.run(&["rev-parse", "--quiet", "--verify", &commit])?;
        Ok(output.success().then(|| text(&output.stdout)))
    }

    /// The commit at which two histories meet; none if they do not.
    fn merge_base(&self, one: &str, other: &str) -> Result<Option<String>, GitError> {
        let output = self.run(&["merge-base", one, other])?;
        match output.status {
            Some(0) => Ok(Some(text(&output.stdout))),
            Some(1) => Ok(None),
            _ => Err(failed("merge-base", &output)),
        }
    }

    fn is_shallow(&self) -> Result<bool, GitError> {
        let output = self.run(&["rev-parse", "--is-shallow-repository"])?;
        Ok(text(&output.stdout) == "true")
    }

    /// A revision as people name it: `origin/main`.
    fn name(&self, revision: &str) -> Result<String, GitError> {
        let output = self.run(&["rev-parse", "--abbrev-ref", revision])?;
        Ok(if output.success() { text(&output.stdout) } else { revision.to_owned() })
    }
}

fn titled(name: &str, id: &str) -> String {
    let short = &id[..id.len().min(12)];
    if id.starts_with(name) { short.to_owned() } else { format!("{name} ({short})") }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
