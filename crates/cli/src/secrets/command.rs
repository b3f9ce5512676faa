//! The source `command`: any program that prints the value.

use talosmith_render::Secrets;

use super::answer::Answer;
use super::program::{Program, run};
use super::{SourceContext, shell_word};

/// Asks a program, without a shell. It gets the whole environment: only its user knows which token, host or profile it wants,
/// and he would start it by hand from the same shell.
pub fn ask(command: &[String], context: &SourceContext<'_>, known: &Secrets) -> Answer {
    let Some((name, arguments)) = command.split_first() else {
        return Answer::failed("the command is empty", "write it as [program, argument, argument]");
    };
    let words: Vec<String> = command.iter().map(|word| shell_word(word)).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // A path is one from the root of the repository, wherever talosmith was started.
    let path = if name.contains('/') { context.root.join(name) } else { name.into() };
    run(
        &Program {
            name,
            path,
            arguments: &arguments,
            environment: &["*"],
            install: &format!("install `{name}`, or write where it is"),
            help: &format!("try it: {} > /dev/null", words.join(" ")),
        },
        context,
        known,
    )
}
