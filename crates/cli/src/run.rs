//! From the command line to an exit code.

use std::cell::OnceCell;
use std::process::ExitCode;

use clap::Parser;

use crate::command::{self, Command, CommandLine, Context, Exit};
use crate::console::{Channel, ColorChoice, Console, PrintError};
use crate::process::System;

/// Runs talosmith with the arguments of this process.
#[must_use]
pub fn main() -> ExitCode {
    let line = match CommandLine::try_parse() {
        Ok(line) => line,
        Err(error) => return usage(&error),
    };
    let console = Console::new(line.global.color, line.global.quiet);
    let mut context =
        Context { console, processes: &System::default(), global: line.global, found_at: OnceCell::new() };
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

/// Prints the help, the version, or what is wrong with the arguments.
fn usage(error: &clap::Error) -> ExitCode {
    let mut console = Console::new(ColorChoice::default(), false);
    let channel = if error.use_stderr() { Channel::Status } else { Channel::Result };
    let text = error.render();
    let text = if console.style(channel).color { text.ansi().to_string() } else { text.to_string() };
    match console.usage(channel, &text) {
        Ok(()) | Err(PrintError::Closed) if !error.use_stderr() => ExitCode::SUCCESS,
        _ => ExitCode::from(Exit::Failure as u8),
    }
}

fn dispatch(context: &mut Context<'_>, command: &Command) -> anyhow::Result<Exit> {
    command.check_format(context.global.format)?;
    match command {
        Command::Init(arguments) => command::init::run(context, arguments),
        Command::Import(arguments) => command::import::run(context, arguments),
        Command::Generate(arguments) => command::generate::run(context, arguments),
        Command::Check(arguments) => command::check::run(context, arguments),
        Command::Diff(arguments) => command::diff::run(context, arguments),
        Command::Validate(arguments) => command::validate::run(context, arguments),
        Command::Review(arguments) => command::review::run(context, arguments),
        Command::Config(arguments) => command::config::run(context, arguments),
        Command::Drift(arguments) => command::drift::run(context, arguments),
        Command::Show(arguments) => command::show::run(context, arguments),
        Command::Fleet(arguments) => command::fleet::run(context, arguments),
        Command::Explain(arguments) => command::explain::run(context, arguments),
        Command::Disks(arguments) => command::disks::run(context, arguments),
        Command::SchematicId(arguments) => command::schematic_id::run(context, arguments),
        Command::Schema(arguments) => command::schema::run(context, arguments),
        Command::Completions(arguments) => command::completions::run(context, arguments),
        Command::Complete(arguments) => command::complete::run(context, arguments),
        Command::Man(arguments) => command::man::run(context, arguments),
    }
}
