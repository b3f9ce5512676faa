//! Programs that are not there: the fake for tests.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Command, Dialogue, Output, ProcessError, Processes};

/// Answers commands in the order in which the answers were given, and remembers the commands.
/// A command without an answer finds no program.
#[derive(Default)]
pub struct Script {
    answers: Mutex<VecDeque<Result<Output, ProcessError>>>,
    commands: Mutex<Vec<Command>>,
}

impl Script {
    /// Adds what the next command without an answer leaves behind.
    #[must_use]
    pub fn answer(self, status: i32, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        self.push(Ok(Output {
            status: Some(status),
            stdout: Zeroizing::new(stdout.into()),
            stderr: Zeroizing::new(stderr.into()),
        }))
    }

    /// Adds how the next command without an answer fails.
    #[must_use]
    pub fn fail(self, error: ProcessError) -> Self {
        self.push(Err(error))
    }

    /// The commands that were started so far, in order.
    #[must_use]
    pub fn commands(&self) -> Vec<Command> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn push(self, answer: Result<Output, ProcessError>) -> Self {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner).push_back(answer);
        self
    }
}

impl Processes for Script {
    fn run(&self, command: &Command) -> Result<Output, ProcessError> {
        self.commands.lock().unwrap_or_else(PoisonError::into_inner).push(command.clone());
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        answer.unwrap_or_else(|| Err(ProcessError::NotFound { program: command.program.clone() }))
    }

    /// The program says the whole stdout of its answer, whatever it is asked.
    fn converse(&self, command: &Command) -> Result<Dialogue, ProcessError> {
        let output = self.run(command)?;
        let answers = io::Cursor::new(output.stdout.to_vec());
        Ok(Dialogue { input: Box::new(io::sink()), output: Box::new(answers), _child: None })
    }
}
