//! Starts other programs. No other module does.

mod capture;
#[cfg(test)]
mod script;
mod system;

use std::fmt;
use std::io::{self, BufRead, Write};
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

/// A program to start, with its input and its limits.
#[derive(Clone)]
pub struct Command {
    /// A name that is searched in PATH, or a path.
    pub program: String,
    /// The arguments, without the program's name; not interpreted by a shell. Never a secret: other users can read them.
    pub arguments: Vec<String>,
    /// The folder that it runs in; none for the current folder.
    pub folder: Option<Utf8PathBuf>,
    /// Its standard input; none for an empty one.
    pub input: Option<Vec<u8>>,
    /// The environment variables that it inherits besides `PATH`, `HOME` and the like. `GIT_*` stands for all that start with `GIT_`.
    pub environment: Vec<String>,
    /// Environment variables that are set for it.
    pub variables: Vec<(String, String)>,
    /// The time after which it is killed.
    pub timeout: Duration,
    /// The number of bytes on either of its two outputs after which it is killed.
    pub cap: usize,
}

impl Command {
    /// Creates a command without input that may run for a minute and write a mebibyte.
    #[must_use]
    pub fn new<Argument: Into<String>>(
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
        }
    }

    /// Whether the program inherits the environment variable `name`.
    fn inherits(&self, name: &str) -> bool {
        ALWAYS.contains(&name)
            || self.environment.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == allowed,
            })
    }
}

/// Shows the program and the number of its arguments, which no log may contain.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

/// The exit code and the outputs of a program that has ended. The outputs may hold secrets and are cleared when they are dropped.
pub struct Output {
    /// The exit code; `None` if a signal ended the program.
    pub status: Option<i32>,
    /// The standard output.
    pub stdout: Zeroizing<Vec<u8>>,
    /// The standard error.
    pub stderr: Zeroizing<Vec<u8>>,
}

impl Output {
    /// Whether the exit code is 0.
    #[must_use]
    pub fn success(&self) -> bool {
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
    /// The program is not installed, or not in PATH.
    #[error("there is no program `{program}`")]
    NotFound {
        /// The program's name.
        program: String,
    },
    /// The program exists and cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program's name.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The program ran longer than its timeout and was killed.
    #[error("`{program}` did not end within {} s", after.as_secs_f32())]
    Timeout {
        /// The program's name.
        program: String,
        /// The timeout.
        after: Duration,
    },
    /// The program wrote too much and was killed.
    #[error("`{program}` wrote more than {cap} bytes")]
    TooMuchOutput {
        /// The program's name.
        program: String,
        /// The limit in bytes.
        cap: usize,
    },
    /// The pipe to or from the program broke.
    #[error("cannot exchange data with `{program}`")]
    Pipe {
        /// The program's name.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
}

/// A running program that answers requests on its standard input. Dropping it ends the program.
pub struct InteractiveProgram {
    input: Box<dyn Write + Send>,
    output: Box<dyn BufRead + Send>,
    // The last field: it is dropped, and the program ended, after both pipes are closed.
    _child: Option<system::Child>,
}

impl InteractiveProgram {
    /// Writes a request to the standard input.
    ///
    /// # Errors
    /// The program has ended.
    pub fn send(&mut self, request: &[u8]) -> io::Result<()> {
        self.input.write_all(request)?;
        self.input.flush()
    }

    /// Returns the standard output.
    pub fn output(&mut self) -> &mut dyn BufRead {
        &mut *self.output
    }
}

/// Starts programs. [`System`] starts real ones; tests use a fake.
pub trait Processes: Send + Sync {
    /// Runs a program to its end. An exit code other than 0 is not an error.
    ///
    /// # Errors
    /// The program did not start or did not end by itself. It does not run any more.
    fn run(&self, command: &Command) -> Result<Output, ProcessError>;

    /// Starts a program that answers many requests. Its standard error is discarded; timeout, cap and input are ignored.
    ///
    /// # Errors
    /// The program cannot be started.
    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError>;
}

#[cfg(test)]
mod tests;
