//! A fake that starts no programs, for tests.

use std::collections::VecDeque;
use std::io;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

use super::{Command, InteractiveProgram, Output, ProcessError, Processes};

/// Returns prepared results in order, and records the commands. Without a further result, a program is not found.
#[derive(Default)]
pub(crate) struct Script {
    answers: Mutex<VecDeque<Result<Output, ProcessError>>>,
    commands: Mutex<Vec<Command>>,
}

impl Script {
    pub(crate) fn answer(self, status: i32, stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        self.push(Ok(Output {
            status: Some(status),
            stdout: Zeroizing::new(stdout.into()),
            stderr: Zeroizing::new(stderr.into()),
        }))
    }

    pub(crate) fn fail(self, error: ProcessError) -> Self {
        self.push(Err(error))
    }

    pub(crate) fn commands(&self) -> Vec<Command> {
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

    /// The program prints the prepared standard output, whatever the requests are.
    fn start_interactive(&self, command: &Command) -> Result<InteractiveProgram, ProcessError> {
        let output = self.run(command)?;
        let answers = io::Cursor::new(output.stdout.to_vec());
        Ok(InteractiveProgram { input: Box::new(io::sink()), output: Box::new(answers), _child: None })
    }
}
