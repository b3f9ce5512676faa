//! Starts other programs. No other module does.

#[cfg(test)]
mod script;
mod system;

use std::fmt;
use std::io::{self, BufRead, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use camino::Utf8PathBuf;
use zeroize::Zeroizing;

#[cfg(test)]
pub(crate) use script::Script;
pub(crate) use system::System;

/// The environment variables that every program inherits: the search path, and where its settings and the user's session are.
const ALWAYS: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_CACHE_HOME",
    "XDG_RUNTIME_DIR",
];

/// A program to start, with its input and its limits. Without `Debug`, since no log may contain the arguments or the input.
#[derive(Clone)]
pub(crate) struct Command {
    /// A name that is searched in PATH, or a path.
    pub program: String,
    /// The arguments, without the program's name; not interpreted by a shell. Never a secret: other users can read them.
    pub arguments: Vec<String>,
    /// The folder that it runs in; none for the current folder.
    pub folder: Option<Utf8PathBuf>,
    /// The standard input; none for an empty one.
    pub input: Option<Vec<u8>>,
    /// The environment variables that it inherits besides `PATH`, `HOME` and the like. `GIT_*` matches all that start with `GIT_`.
    pub environment: Vec<String>,
    pub variables: Vec<(String, String)>,
    pub timeout: Duration,
    /// The number of bytes on either of its two outputs after which it is killed.
    pub cap: usize,
    /// Whether the program is not started again after it did not end in time, since it would wait for the same thing.
    pub is_given_up: bool,
    /// The bytes of memory that it may write to, on Linux; none for any number.
    pub memory: Option<u64>,
}

impl Command {
    /// Creates a command without input that may run for a minute and write a mebibyte.
    pub(crate) fn new<Argument: Into<String>>(
        program: impl Into<String>,
        arguments: impl IntoIterator<Item = Argument>,
    ) -> Self {
        Self {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            folder: None,
            input: None,
            environment: Vec::new(),
            variables: Vec::new(),
            timeout: Duration::from_secs(60),
            cap: 1 << 20,
            is_given_up: false,
            memory: None,
        }
    }

    fn inherits(&self, name: &str) -> bool {
        ALWAYS.contains(&name)
            || self.environment.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == allowed,
            })
    }
}

/// The exit code and the outputs of a program that has ended. The outputs may hold secrets and are cleared when they are dropped.
pub(crate) struct Output {
    /// The exit code; `None` if a signal ended the program.
    pub status: Option<i32>,
    pub stdout: Zeroizing<Vec<u8>>,
    pub stderr: Zeroizing<Vec<u8>>,
}

impl Output {
    pub(crate) fn success(&self) -> bool {
        self.status == Some(0)
    }
}

/// Shows only the status.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a program could not be started or did not end. Contains nothing that the program wrote.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    #[error("there is no program `{program}`")]
    NotFound { program: String },
    /// The program exists and cannot be started.
    #[error("cannot start `{program}`")]
    Start { program: String, source: io::Error },
    #[error("`{program}` did not end within {} s", after.as_secs_f32())]
    Timeout { program: String, after: Duration },
    #[error("`{program}` wrote more than {cap} bytes")]
    TooMuchOutput { program: String, cap: usize },
    #[error("cannot exchange data with `{program}`")]
    Pipe { program: String, source: io::Error },
}

/// A running program that answers requests on its standard input. Dropping it ends the program.
pub(crate) struct InteractiveProgram {
    pub input: Box<dyn Write + Send>,
    pub output: Box<dyn BufRead + Send>,
    // The last field: it is dropped, and the program ended, after both pipes are closed.
    _child: Option<Arc<Mutex<system::Child>>>,
}

/// Starts programs. [`System`] starts real ones; tests use a fake.
pub(crate) trait Processes: Send + Sync {
    /// Runs a program to its end. An exit code other than 0 is not an error. After an error the program does not run any more.
    fn run(&self, command: &Command) -> Result<Output, ProcessError>;

    /// Starts a program that answers many requests. It is killed when one answer takes longer than the timeout. Its standard error is
    /// discarded; cap and input are ignored.
    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError>;
}

#[cfg(test)]
mod tests;
