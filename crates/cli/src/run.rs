//! From the command line to an exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::command::{self, Command, CommandLine, Context, Exit};
use crate::console::{Console, PrintError};
use crate::process::System;

/// Runs talosmith with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let console = Console::new(line.global.color, line.global.quiet, line.global.verbose);
    let mut context = Context { console, processes: &System, global: line.global };
    match dispatch(&mut context, &line.command) {
        Ok(exit) => ExitCode::from(exit as u8),
        // A reader such as `head` closes the pipe when it needs no more output.
        Err(error) if matches!(error.downcast_ref(), Some(PrintError::Closed)) => ExitCode::SUCCESS,
        Err(error) => {
            context.console.failure(&error);
            ExitCode::from(Exit::Failure as u8)
        }
    }
}

fn dispatch(context: &mut Context<'_>, command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Generate(arguments) => command::generate::run(context, arguments),
        Command::Check(arguments) => command::check::run(context, arguments),
        Command::Diff(arguments) => command::diff::run(context, arguments),
        Command::Validate(arguments) => command::validate::run(context, arguments),
        Command::Show(arguments) => command::show::run(context, arguments),
        Command::Fleet(arguments) => command::fleet::run(context, arguments),
        Command::Explain(arguments) => command::explain::run(context, arguments),
        Command::SchematicId(arguments) => command::schematic_id::run(context, arguments),
        Command::Schema(arguments) => command::schema::run(context, arguments),
        Command::Completions(arguments) => command::completions::run(context, arguments),
        Command::Man => command::man::run(context),
    }
}
