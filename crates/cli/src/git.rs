//! What git knows about the repository. Git is never needed to generate or to check: without it we can say less.

#[cfg(test)]
pub(crate) mod sandbox;

use camino::{Utf8Path, Utf8PathBuf};

use crate::environment::GIT_DIR;
use crate::process::{Command, InteractiveProgram, Output, ProcessError, Processes};

/// The exit code of git when it cannot do what it is asked.
const FATAL: i32 = 128;

/// The variable that makes git take paths as they are and not as patterns. `check-ignore` fails where it is set.
const LITERAL: &str = "GIT_LITERAL_PATHSPECS";

/// A listing of a hundred thousand files takes less than 20 MB.
const CAP: usize = 512 << 20;

/// Git could not answer.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// Git is not installed.
    #[error("git is not installed")]
    NotFound,
    /// The folder belongs to no work tree of git.
    #[error("{0} is not in a git repository")]
    NotARepository(Utf8PathBuf),
    /// The revision does not exist: in a new repository, `HEAD` does not.
    #[error("git knows no revision `{0}`")]
    NoSuchRevision(String),
    /// Git is there and refuses.
    #[error("git {command} failed: {message}")]
    Failed {
        /// The command of git, such as `ls-files`.
        command: String,
        /// What git says, without `fatal:`.
        message: String,
    },
    /// Git answers in a way that we do not understand.
    #[error("cannot understand the answer of git {command}")]
    Answer {
        /// The command of git, such as `ls-files`.
        command: &'static str,
    },
    /// Git cannot be run.
    #[error(transparent)]
    Process(ProcessError),
}

impl From<ProcessError> for GitError {
    fn from(error: ProcessError) -> Self {
        match error {
            ProcessError::NotFound { .. } => Self::NotFound,
            other => Self::Process(other),
        }
    }
}

/// Whether, and by what, a path is ignored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ignore {
    /// By a `.gitignore` that git tracks, so it holds in every clone.
    Tracked {
        /// The `.gitignore`, relative to the git repository's top.
        file: Utf8PathBuf,
        /// The line of the pattern, from 1.
        line: u32,
    },
    /// By a `.gitignore` that git does not track (yet): other clones do not have it. The path is relative to the top.
    Untracked(Utf8PathBuf),
    /// By a setting of this machine alone: the user's global excludes, or `.git/info/exclude`.
    Elsewhere(Utf8PathBuf),
    /// By nothing.
    No,
}

/// The git repository that talosmith's root lies in.
pub struct Git<'a> {
    processes: &'a dyn Processes,
    /// The top of git's work tree.
    top: Utf8PathBuf,
    /// Where talosmith's root lies below the top; empty if it is the top.
    prefix: Utf8PathBuf,
}

impl<'a> Git<'a> {
    /// Finds the repository around `root`, the folder of talosmith.yaml. Starts git once.
    ///
    /// # Errors
    /// [`GitError::NotFound`] without git, [`GitError::NotARepository`] outside a work tree (a bare repository has none).
    pub fn open(processes: &'a dyn Processes, root: &Utf8Path) -> Result<Self, GitError> {
        // Git sets GIT_DIR for some hooks; then the work tree is the folder that we were started in, whatever lies around `root`.
        let start = if GIT_DIR.value().is_some() { Utf8Path::new(".") } else { root };
        Self::open_from(processes, start, root)
    }

    fn open_from(processes: &'a dyn Processes, start: &Utf8Path, root: &Utf8Path) -> Result<Self, GitError> {
        let output = processes.run(&command(start, &["rev-parse", "--show-toplevel"]))?;
        if output.status == Some(FATAL) {
            let message = message(&output);
            let outside = message.starts_with("not a git repository") || message.contains("must be run in a work tree");
            return Err(if outside {
                GitError::NotARepository(root.to_owned())
            } else {
                GitError::Failed { command: "rev-parse".into(), message }
            });
        }
        let answer = std::str::from_utf8(&output.stdout).ok().and_then(|text| text.strip_suffix('\n'));
        let top = answer.filter(|top| !top.is_empty()).ok_or(GitError::Answer { command: "rev-parse" })?;
        // Git resolves symbolic links in its answer, so we do in ours.
        let real = root.canonicalize_utf8().map_err(|_| GitError::NotARepository(root.to_owned()))?;
        let prefix = real.strip_prefix(top).map_err(|_| GitError::NotARepository(root.to_owned()))?;
        Ok(Self { processes, top: top.into(), prefix: prefix.to_owned() })
    }

    /// The top of git's work tree: talosmith's root or a folder above it.
    #[must_use]
    pub fn top(&self) -> &Utf8Path {
        &self.top
    }

    /// Where talosmith's root lies below the top; empty if it is the top.
    #[must_use]
    pub fn prefix(&self) -> &Utf8Path {
        &self.prefix
    }

    /// Whether git tracks the file at `path`, relative to talosmith's root: it stands in the index, committed or not.
    ///
    /// # Errors
    /// Git fails.
    pub fn is_tracked(&self, path: &Utf8Path) -> Result<bool, GitError> {
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

    /// Whether, and by what, `path` is ignored, relative to talosmith's root. That the path itself is tracked plays no part.
    ///
    /// # Errors
    /// Git fails.
    pub fn ignored_by(&self, path: &Utf8Path) -> Result<Ignore, GitError> {
        const NAME: &str = "check-ignore";
        // `--no-index`, or git says of a tracked path that nothing ignores it; `-v`, since git also answers yes for what only this
        // machine ignores; `-z` needs `--stdin`. It takes paths and no patterns, all but a colon at the start, which `./` hides.
        let mut command = command(&self.top, &[NAME, "-v", "-z", "--no-index", "--stdin"]);
        command.input = Some(format!("./{}\0", self.prefix.join(path)).into_bytes());
        command.variables.retain(|(name, _)| name != LITERAL);
        command.variables.push((LITERAL.to_owned(), "0".to_owned()));
        let output = self.processes.run(&command)?;
        match output.status {
            Some(0) => {}
            Some(1) => return Ok(Ignore::No),
            _ => return Err(failed(NAME, &output)),
        }
        let text = std::str::from_utf8(&output.stdout).map_err(|_| GitError::Answer { command: NAME })?;
        let mut fields = text.split('\0');
        let (Some(file), Some(line), Some(pattern)) = (fields.next(), fields.next(), fields.next()) else {
            return Err(GitError::Answer { command: NAME });
        };
        // The last pattern that matches decides, and `!` takes the path out again; git exits with 0 for both.
        if pattern.starts_with('!') {
            return Ok(Ignore::No);
        }
        let file = Utf8Path::new(file);
        if file.is_absolute() || file.file_name() != Some(".gitignore") {
            Ok(Ignore::Elsewhere(file.to_owned()))
        } else if self.tracks(file)? {
            let line = line.parse().map_err(|_| GitError::Answer { command: NAME })?;
            Ok(Ignore::Tracked { file: file.to_owned(), line })
        } else {
            Ok(Ignore::Untracked(file.to_owned()))
        }
    }

    /// The files of the index below talosmith's root, as `git ls-files -s -z` writes them.
    pub(crate) fn list_index(&self) -> Result<Output, GitError> {
        let mut arguments = vec!["ls-files", "-s", "-z"];
        self.push_prefix(&mut arguments);
        let output = self.run(&arguments)?;
        if output.success() { Ok(output) } else { Err(failed("ls-files", &output)) }
    }

    /// The files of a revision below talosmith's root, as `git ls-tree -r -z` writes them.
    pub(crate) fn list_revision(&self, revision: &str) -> Result<Output, GitError> {
        let unknown = || GitError::NoSuchRevision(revision.to_owned());
        if revision.starts_with('-') {
            return Err(unknown());
        }
        let mut arguments = vec!["ls-tree", "-r", "-z", "--full-tree", revision];
        self.push_prefix(&mut arguments);
        let output = self.run(&arguments)?;
        if output.success() {
            return Ok(output);
        }
        // Asked only now, since a revision that is there needs no second process.
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

/// Git with its own settings, whose messages we can read, and which writes nothing and asks no network.
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
        // In a hook, GIT_INDEX_FILE says which index will be committed (`git commit -a` makes one for the purpose).
        environment: vec!["GIT_*".to_owned()],
        variables: variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec(),
        cap: CAP,
        ..Command::new("git", arguments.iter().copied())
    }
}

fn failed(command: &str, output: &Output) -> GitError {
    GitError::Failed { command: command.to_owned(), message: message(output) }
}

/// The first thing that git says, without its `fatal: `.
fn message(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let text = text.trim();
    text.strip_prefix("fatal: ").unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests;
