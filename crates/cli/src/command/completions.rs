//! `talosmith completions`

use clap::{Args, ValueEnum};

use super::{Context, Exit};

/// Print completions for a shell, which know the devices and clusters of the repository
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith completions bash > ~/.local/share/bash-completion/completions/talosmith\n  \
    talosmith completions fish > ~/.config/fish/completions/talosmith.fish")]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Shell {
    Bash,
    Elvish,
    Fish,
    #[value(name = "powershell")]
    Pwsh,
    Zsh,
}

/// Scripts that run `talosmith complete`. Where it prints nothing, the shell completes the names of files.
pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("completions")?;
    context.console.result(match arguments.shell {
        Shell::Bash => include_str!("../../completions/talosmith.bash"),
        Shell::Elvish => include_str!("../../completions/talosmith.elv"),
        Shell::Fish => include_str!("../../completions/talosmith.fish"),
        Shell::Pwsh => include_str!("../../completions/talosmith.ps1"),
        Shell::Zsh => include_str!("../../completions/_talosmith"),
    })?;
    Ok(Exit::Success)
}
