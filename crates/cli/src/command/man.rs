//! `talosmith man`

use clap::{Args, CommandFactory};
use talosmith_document::closest;

use super::{CommandLine, Context, Exit};

/// Print the manual page, or that of a command
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith man | man -l -\n  \
    talosmith man generate > talosmith-generate.1")]
pub(crate) struct Arguments {
    /// The command, such as `generate`
    #[arg(value_name = "COMMAND")]
    command: Option<String>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("man")?;
    let mut program = CommandLine::command().disable_help_subcommand(true);
    program.build();
    let (title, command) = match &arguments.command {
        None => ("talosmith".to_owned(), program),
        // The pages are called `talosmith-generate(1)`.
        Some(name) => {
            let name = name.strip_prefix("talosmith-").unwrap_or(name);
            let Some(command) = program.find_subcommand(name) else {
                let near = closest(name, program.get_subcommands().map(clap::Command::get_name));
                let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                anyhow::bail!("there is no command `{name}`{near}");
            };
            (format!("talosmith-{name}"), command.clone())
        }
    };
    let mut text = Vec::new();
    let source = concat!("talosmith ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command).title(title).source(source).render(&mut text)?;
    context.console.result(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Success)
}
