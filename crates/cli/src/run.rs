//! From the command line to an exit code.

use std::process::ExitCode;

use clap::Parser;

use crate::command::{self, Command, CommandLine, Exit, World};
use crate::console::{Console, PrintError};
use crate::process::System;

/// Runs talosmith with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let line = CommandLine::parse();
    let console = Console::new(line.global.color, line.global.quiet, line.global.verbose);
    let mut world = World { console, processes: &System, global: line.global };
    match dispatch(&mut world, &line.command) {
        Ok(exit) => ExitCode::from(exit as u8),
        // Who closed the pipe, such as `head`, has what it wanted.
        Err(error) if matches!(error.downcast_ref(), Some(PrintError::Closed)) => ExitCode::SUCCESS,
        Err(error) => {
            world.console.failure(&error);
            ExitCode::from(Exit::Failure as u8)
        }
    }
}

fn dispatch(world: &mut World<'_>, command: &Command) -> anyhow::Result<Exit> {
    match command {
        Command::Generate(arguments) => command::generate::run(world, arguments),
        Command::Check(arguments) => command::check::run(world, arguments),
        Command::Diff(arguments) => command::diff::run(world, arguments),
        Command::Validate(arguments) => command::validate::run(world, arguments),
        Command::Show(arguments) => command::show::run(world, arguments),
        Command::Fleet(arguments) => command::fleet::run(world, arguments),
        Command::Explain(arguments) => command::explain::run(world, arguments),
        Command::SchematicId(arguments) => command::schematic_id::run(world, arguments),
        Command::Schema(arguments) => command::schema::run(world, arguments),
        Command::Completions(arguments) => command::completions::run(world, arguments),
        Command::Man => command::man::run(world),
    }
}
