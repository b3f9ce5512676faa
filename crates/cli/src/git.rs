//! What git knows about the repository. Git is never required to generate or to check: without it findings are less exact.

mod base;
#[cfg(test)]
pub(crate) mod sandbox;

use std::collections::BTreeSet;
use std::time::Duration;

use camino::{Utf8Path, Utf8PathBuf};

use crate::environment::GIT_DIR;
use crate::process::{Command, InteractiveProgram, Output, ProcessError, Processes};

/// The variable that makes git take paths as they are and not as patterns. `check-ignore` fails where it is set.
const LITERAL: &str = "GIT_LITERAL_PATHSPECS";

/// Settings that take precedence over those of the repository. A file system monitor and hooks are programs that a repository can name,
/// and a folder that looks like a bare repository can be part of a commit, with settings of its own.
const CONFIG: &[&str] = &[
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "safe.bareRepository=explicit",
    "--no-pager",
];

/// How long one command of git may take, and one answer of `git cat-file`.
const TIMEOUT: Duration = Duration::from_secs(4);

/// The memory of git, of which the files that it maps are no part. A file of git's own may be /dev/zero.
const MEMORY: u64 = 768 << 20;

#[derive(Debug, thiserror::Error)]
pub enum GitError {
    #[error("git is not installed")]
    NotFound,
    #[error("{0} is not in a git repository")]
    NotARepository(Utf8PathBuf),
    /// A `.git` exists, in which git does not recognize a repository.
    #[error(
        "git does not recognize a repository at {0}/.git, so it is not known what it would ignore; `git -C {0} status` prints the reason"
    )]
    Unrecognized(Utf8PathBuf),
    /// The revision does not exist: in a new repository, `HEAD` does not.
    #[error("git knows no revision `{0}`")]
    NoSuchRevision(String),
    /// The message is git's own, without `fatal:`.
    #[error("git {command} failed: {message}")]
    Failed { command: &'static str, message: String },
    #[error("cannot understand the answer of git {command}")]
    Answer { command: &'static str },
    #[error(
        "git did not end within {} s: it waits, as for a named pipe that is called .gitignore or is a file of .git, or the disk is slow",
        TIMEOUT.as_secs()
    )]
    Waits,
    #[error(transparent)]
    Process(ProcessError),
}

impl From<ProcessError> for GitError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::NotFound { .. } => Self::NotFound,
            ProcessError::Timeout { .. } => Self::Waits,
            other => Self::Process(other),
        }
    }
}

/// Which file makes git ignore a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ignore {
    /// A `.gitignore` that git tracks, so every clone has it.
    Tracked,
    /// A `.gitignore` that git does not track (yet): other clones do not have it. The path is relative to the top.
    Untracked(Utf8PathBuf),
    /// A setting of this machine only: the user's global excludes, or `.git/info/exclude`.
    Elsewhere(Utf8PathBuf),
    No,
}

/// The files that are compared with HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    WorkTree,
    Index,
}

/// The git repository that contains talosmith's root.
pub(crate) struct Git<'a> {
    processes: &'a dyn Processes,
    /// The top of git's work tree: talosmith's root or a folder above it.
    pub(crate) top: Utf8PathBuf,
    /// The path of talosmith's root below the top; empty if it is the top.
    pub(crate) prefix: Utf8PathBuf,
}

impl<'a> Git<'a> {
    /// Finds the repository around `root`, the folder of talosmith.yaml, whose path has no symbolic links. Starts git once. In a bare
    /// repository, which has no work tree, the error is [`GitError::NotARepository`].
    pub(crate) fn open(processes: &'a dyn Processes, root: &Utf8Path) -> Result<Self, GitError> {
        // Git sets GIT_DIR for some hooks; then the work tree is the current folder, whichever repository contains `root`.
        let start = if GIT_DIR.value().is_some() { Utf8Path::new(".") } else { root };
        Self::open_from(processes, start, root)
    }

    fn open_from(processes: &'a dyn Processes, start: &Utf8Path, root: &Utf8Path) -> Result<Self, GitError> {
        let output = processes.run(&command(start, &["rev-parse", "--show-toplevel"]))?;
        // The exit code of git after a fatal error.
        if output.status == Some(128) {
            let message = message(&output);
            let outside = message.starts_with("not a git repository") || message.contains("must be run in a work tree");
            return Err(if outside {
                GitError::NotARepository(root.to_owned())
            } else {
                GitError::Failed { command: "rev-parse", message }
            });
        }
        let answer = std::str::from_utf8(&output.stdout).ok().and_then(|text| text.strip_suffix('\n'));
        let top = answer.filter(|top| !top.is_empty()).ok_or(GitError::Answer { command: "rev-parse" })?;
        let prefix = root.strip_prefix(top).map_err(|_| GitError::NotARepository(root.to_owned()))?;
        Ok(Self { processes, top: top.into(), prefix: prefix.to_owned() })
    }

    /// Whether the index contains the file at `path`, relative to talosmith's root.
    pub(crate) fn is_tracked(&self, path: &Utf8Path) -> Result<bool, GitError> {
        self.tracks(&self.prefix.join(path))
    }

    fn tracks(&self, from_top: &Utf8Path) -> Result<bool, GitError> {
        let output = self.run(&["ls-files", "-z", "--error-unmatch", "--", from_top.as_str()])?;
        match output.status {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(failed("ls-files", &output)),
        }
    }

    /// Returns the file that makes git ignore `path`, relative to talosmith's root, even if the path itself is tracked.
    pub(crate) fn ignored_by(&self, path: &Utf8Path) -> Result<Ignore, GitError> {
        const NAME: &str = "check-ignore";
        // `--no-index`, or git reports a tracked path as not ignored; `-v`, since git also answers yes for what only this machine
        // ignores; `-z` needs `--stdin`. It reads paths and no patterns, except for a colon at the start, which `./` hides.
        let mut command = command(&self.top, &[NAME, "-v", "-z", "--no-index", "--stdin"]);
        command.input = Some(format!("./{}\0", self.prefix.join(path)).into_bytes());
        let output = self.processes.run(&with_patterns(command))?;
        match output.status {
            Some(0) => {}
            Some(1) => return Ok(Ignore::No),
            _ => return Err(failed(NAME, &output)),
        }
        let text = std::str::from_utf8(&output.stdout).map_err(|_| GitError::Answer { command: NAME })?;
        // The file, the line and the pattern.
        let [file, _, pattern, ..] = text.split('\0').collect::<Vec<_>>()[..] else {
            return Err(GitError::Answer { command: NAME });
        };
        // The last pattern that matches decides, and one with `!` includes the path again; git exits with 0 for both.
        if pattern.starts_with('!') {
            return Ok(Ignore::No);
        }
        let file = Utf8Path::new(file);
        if file.is_absolute() || file.file_name() != Some(".gitignore") {
            Ok(Ignore::Elsewhere(file.to_owned()))
        } else if self.tracks(file)? {
            Ok(Ignore::Tracked)
        } else {
            Ok(Ignore::Untracked(file.to_owned()))
        }
    }

    /// Returns the files of the index below talosmith's root, as `git ls-files -s -z` prints them.
    pub(crate) fn list_index(&self) -> Result<Output, GitError> {
        let mut arguments = vec!["ls-files", "-s", "-z"];
        self.push_prefix(&mut arguments);
        let output = self.run(&arguments)?;
        if output.success() { Ok(output) } else { Err(failed("ls-files", &output)) }
    }

    /// Returns the files that differ from HEAD, of `paths` and of those that match `globs`; of all if there are no paths. Paths are
    /// relative to talosmith's root. A folder represents all files in it, none of which git tracks.
    pub(crate) fn changed_since_head(
        &self,
        paths: &[Utf8PathBuf],
        globs: &[&str],
        compared: Compared,
    ) -> Result<BTreeSet<Utf8PathBuf>, GitError> {
        let mut arguments: Vec<String> = [
            "status",
            "--porcelain=v1",
            "-z",
            "--no-renames",
            "--untracked-files=normal",
            "--ignore-submodules=all",
            "--",
        ]
        .map(str::to_owned)
        .to_vec();
        let literal = |path: &Utf8Path| format!(":(literal){}", self.prefix.join(path));
        if paths.is_empty() {
            arguments.extend((!self.prefix.as_str().is_empty()).then(|| literal(Utf8Path::new(""))));
        } else {
            arguments.extend(paths.iter().map(|path| literal(path)));
            arguments.extend(globs.iter().map(|glob| format!(":(glob){}", self.escaped_prefix().join(glob))));
        }
        let options = self.without_filters()?;
        let arguments: Vec<&str> = options.iter().chain(&arguments).map(String::as_str).collect();
        let output = self.processes.run(&with_patterns(command(&self.top, &arguments)))?;
        if !output.success() {
            return Err(failed("status", &output));
        }
        let mut changed = BTreeSet::new();
        for entry in output.stdout.split(|byte| *byte == 0).filter(|entry| !entry.is_empty()) {
            // The state in the index, that in the work tree, a space, the path.
            let entry = std::str::from_utf8(entry).ok().filter(|entry| entry.is_char_boundary(3) && entry.len() > 3);
            let (states, path) = entry.ok_or(GitError::Answer { command: "status" })?.split_at(3);
            let in_index = !states.starts_with([' ', '?']);
            if in_index || compared == Compared::WorkTree {
                let path = path.trim_end_matches('/');
                changed.extend(Utf8Path::new(path).strip_prefix(&self.prefix).ok().map(Utf8Path::to_owned));
            }
        }
        Ok(changed)
    }

    /// Returns options that turn off the filters of file contents that the repository's own config defines: git runs them as programs where
    /// it compares a file of the work tree. Those of the user's config stay.
    fn without_filters(&self) -> Result<Vec<String>, GitError> {
        const CONFIG: &str = "config";
        let output = self.run(&[CONFIG, "--null", "--show-scope", "--name-only", "--get-regexp", r"^filter\."])?;
        // 1 means that no name matches.
        if !output.success() && output.status != Some(1) {
            return Err(failed(CONFIG, &output));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let fields: Vec<&str> = text.split('\0').collect();
        let own = fields.chunks_exact(2).filter(|field| matches!(field[0], "local" | "worktree"));
        let mut options = Vec::new();
        for name in own.map(|field| field[1]) {
            // The value would begin at the first `=`.
            if name.contains('=') {
                return Err(GitError::Answer { command: CONFIG });
            }
            let value = if name.ends_with(".required") { "false" } else { "" };
            options.extend(["-c".to_owned(), format!("{name}={value}")]);
        }
        Ok(options)
    }

    /// The prefix as a pattern that matches nothing else.
    fn escaped_prefix(&self) -> Utf8PathBuf {
        let mut escaped = String::new();
        for c in self.prefix.as_str().chars() {
            if matches!(c, '*' | '?' | '[' | ']' | '\\') {
                escaped.push('\\');
            }
            escaped.push(c);
        }
        escaped.into()
    }

    /// Returns the files of a revision below talosmith's root, as `git ls-tree -r -z` prints them; only those at or below `paths`, if
    /// there are any.
    pub(crate) fn list_revision(&self, revision: &str, paths: &[Utf8PathBuf]) -> Result<Output, GitError> {
        let unknown = || GitError::NoSuchRevision(revision.to_owned());
        if revision.starts_with('-') {
            return Err(unknown());
        }
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", revision];
        let paths: Vec<Utf8PathBuf> = paths.iter().map(|path| self.prefix.join(path)).collect();
        if paths.is_empty() {
            self.push_prefix(&mut arguments);
        } else {
            arguments.push("--");
            arguments.extend(paths.iter().map(|path| path.as_str()));
        }
        let output = self.run(&arguments)?;
        if output.success() {
            return Ok(output);
        }
        // Checked only now, since a revision that exists needs no second process.
        let object = format!("{revision}^{{tree}}");
        let known = self.run(&["rev-parse", "--quiet", "--verify", &object])?.success();
        Err(if known { failed("ls-tree", &output) } else { unknown() })
    }

    /// Starts the one process that all blobs are read from.
    pub(crate) fn cat_files(&self) -> Result<InteractiveProgram, GitError> {
        Ok(self.processes.start_interactive(&command(&self.top, &["cat-file", "--batch"]))?)
    }

    fn push_prefix<'b>(&'b self, arguments: &mut Vec<&'b str>) {
        if !self.prefix.as_str().is_empty() {
            arguments.extend(["--", self.prefix.as_str()]);
        }
    }

    fn run(&self, arguments: &[&str]) -> Result<Output, GitError> {
        Ok(self.processes.run(&command(&self.top, arguments))?)
    }
}

/// Creates a command of git that prints English messages, writes nothing and does not use the network.
fn command(folder: &Utf8Path, arguments: &[&str]) -> Command {
    let variables = [
        ("LC_ALL", "C"),
        (LITERAL, "1"),
        ("GIT_OPTIONAL_LOCKS", "0"),
        ("GIT_NO_LAZY_FETCH", "1"),
        ("GIT_TERMINAL_PROMPT", "0"),
    ];
    Command {
        folder: Some(folder.to_owned()),
        // In a hook, GIT_INDEX_FILE is the index that will be committed (`git commit -a` makes one for the purpose).
        environment: vec!["GIT_*".to_owned()],
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        // A listing of a hundred thousand files takes less than 20 MB.
        cap: 512 << 20,
        timeout: TIMEOUT,
        is_given_up: true,
        memory: Some(MEMORY),
        ..Command::new("git", CONFIG.iter().chain(arguments).copied())
    }
}

/// The same command, where paths can have magic such as `:(glob)`.
fn with_patterns(mut command: Command) -> Command {
    command.variables.retain(|(name, _)| name != LITERAL);
    command.variables.push((LITERAL.to_owned(), "0".to_owned()));
    command
}

fn failed(command: &'static str, output: &Output) -> GitError {
    GitError::Failed { command, message: message(output) }
}

fn message(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    text.strip_prefix("fatal: ").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests;
