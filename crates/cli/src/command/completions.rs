//! `talosmith completions`

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{CommandLine, Context, Exit};

/// Print completions for a shell
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("completions")?;
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut CommandLine::command(), "talosmith", &mut script);
    context.console.result(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Success)
}
