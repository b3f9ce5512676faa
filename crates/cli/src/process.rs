//! The one door through which other programs are started.

mod capture;
mod script;
mod system;

use std::fmt;
use std::io::{self, BufRead, Write};
use std::time::Duration;

use camino::Utf8PathBuf;
use zeroize::Zeroizing;

pub use script::Script;
pub use system::System;

/// What every program gets of our environment: where it finds itself, its settings and the user's session.
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

/// A program to start, and what it may see and take.
#[derive(Clone)]
pub struct Command {
    /// A name that is looked up in PATH, or a path.
    pub program: String,
    /// The arguments, without the program's name. No shell reads them. Never a secret: other users can see them.
    pub arguments: Vec<String>,
    /// The folder that it runs in; ours if nothing is said.
    pub folder: Option<Utf8PathBuf>,
    /// What it reads on its standard input; nothing if nothing is said.
    pub input: Option<Vec<u8>>,
    /// The variables of our environment that it gets beside `PATH`, `HOME` and their like. `GIT_*` names all that start with `GIT_`.
    pub environment: Vec<String>,
    /// Variables that are set for it.
    pub variables: Vec<(String, String)>,
    /// How long it may take before it is killed.
    pub timeout: Duration,
    /// How many bytes it may write, on each of its two outputs, before it is killed.
    pub cap: usize,
}

impl Command {
    /// A command without input that may take a minute and write a mebibyte.
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

    /// Whether the program may see the variable `name` of our environment.
    fn lets_through(&self, name: &str) -> bool {
        ALWAYS.contains(&name)
            || self.environment.iter().any(|allowed| match allowed.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == allowed,
            })
    }
}

/// Shows the program and how many arguments it gets: an argument can be a thing that no log may hold.
impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments.len())
            .finish_non_exhaustive()
    }
}

/// What a program that has ended left behind. Both texts may hold secrets and are wiped when they are dropped.
pub struct Output {
    /// The exit code; `None` if a signal ended the program.
    pub status: Option<i32>,
    /// What it wrote to its standard output.
    pub stdout: Zeroizing<Vec<u8>>,
    /// What it wrote to its standard error.
    pub stderr: Zeroizing<Vec<u8>>,
}

impl Output {
    /// Whether the program says that all went well.
    #[must_use]
    pub fn success(&self) -> bool {
        self.status == Some(0)
    }
}

/// Shows the status alone.
impl fmt::Debug for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Output").field("status", &self.status).finish_non_exhaustive()
    }
}

/// A program could not be started or did not end as it should. No text that the program wrote is in it.
#[derive(Debug, thiserror::Error)]
pub enum ProcessError {
    /// The program is not installed, or not in PATH.
    #[error("there is no program `{program}`")]
    NotFound {
        /// The program's name.
        program: String,
    },
    /// The program is there and cannot be started.
    #[error("cannot start `{program}`")]
    Start {
        /// The program's name.
        program: String,
        /// What the system says.
        source: io::Error,
    },
    /// The program took too long and was killed.
    #[error("`{program}` did not end within {} s", after.as_secs_f32())]
    Timeout {
        /// The program's name.
        program: String,
        /// How long it was given.
        after: Duration,
    },
    /// The program wrote too much and was killed.
    #[error("`{program}` wrote more than {cap} bytes")]
    TooMuchOutput {
        /// The program's name.
        program: String,
        /// How much it might write.
        cap: usize,
    },
    /// The pipe to or from the program broke.
    #[error("cannot exchange data with `{program}`")]
    Pipe {
        /// The program's name.
        program: String,
        /// What the system says.
        source: io::Error,
    },
}

/// A program that runs beside us, asked line by line. Dropping it ends the program.
pub struct Dialogue {
    input: Box<dyn Write + Send>,
    output: Box<dyn BufRead + Send>,
    // The last field, so that the program has lost both pipes when it is ended.
    _child: Option<system::Child>,
}

impl Dialogue {
    /// Sends `question`.
    ///
    /// # Errors
    /// The program is gone.
    pub fn ask(&mut self, question: &[u8]) -> io::Result<()> {
        self.input.write_all(question)?;
        self.input.flush()
    }

    /// What the program says.
    pub fn answer(&mut self) -> &mut dyn BufRead {
        &mut *self.output
    }
}

/// Starts programs: [`System`] starts real ones, [`Script`] is the fake.
pub trait Processes: Send + Sync {
    /// Runs a program to its end. That it fails is no error here: see [`Output::status`].
    ///
    /// # Errors
    /// [`ProcessError`]; the program is gone then.
    fn run(&self, command: &Command) -> Result<Output, ProcessError>;

    /// Starts a program and leaves it running, for many small questions to one process. What it writes to its standard error is
    /// lost; timeout, cap and input do not count.
    ///
    /// # Errors
    /// The program cannot be started.
    fn converse(&self, command: &Command) -> Result<Dialogue, ProcessError>;
}

#[cfg(test)]
mod tests;
