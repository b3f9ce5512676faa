//! The source `command`: any program that prints the value.

use talosmith_render::Secrets;

use super::fetched::Fetched;
use super::program::{Program, run};
use super::{SourceContext, shell_quote};

/// Runs a program without a shell, and returns what it prints. It gets the whole environment, because only the user knows which
/// variables it needs, and would run it by hand from the same shell.
pub(super) fn fetch(command: &[String], context: &SourceContext<'_>, known: &Secrets) -> Fetched {
    let Some((name, arguments)) = command.split_first() else {
        return Fetched::failed("the command is empty", "write it as [program, argument, argument]");
    };
    let quoted: Vec<String> = command.iter().map(|argument| shell_quote(argument)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // A relative path starts at the root of the repository, in whichever folder talosmith was started.
    let path = if name.contains('/') { context.root.join(name) } else { name.into() };
    run(
        &Program {
            name,
            path,
            arguments: &arguments,
            environment: &["*"],
            install: &format!("install `{name}`, or write its path"),
            help: &format!("try it: {} > /dev/null", quoted.join(" ")),
        },
        context,
        known,
    )
}
