//! `talosmith complete`, which the scripts of `talosmith completions` run.

use camino::Utf8Path;
use clap::{Args, CommandFactory};
use talosmith_document::Code;
use talosmith_machinery::class_codes;

use super::{CommandLine, Context, Exit};
use crate::completion::{Candidate, Position};
use crate::project::Project;
use crate::tree::{Root, WorkTree};

/// Print the words that can replace one of a command line
#[derive(Debug, Args)]
#[command(hide = true)]
pub(crate) struct Arguments {
    /// The word at the cursor
    #[arg(long, allow_hyphen_values = true, default_value = "")]
    word: String,
    /// The words before it, without the program's name
    #[arg(value_name = "WORD", last = true)]
    before: Vec<String>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let mut program = CommandLine::command();
    program.build();
    let position = Position::new(&program, &arguments.before);
    let directory = position.directory.as_deref().unwrap_or(Utf8Path::new("."));
    let candidates = position.candidates(&arguments.word, |name| match name {
        "DEVICE" => devices(directory),
        "CLUSTER" => clusters(directory),
        "PATH" => [devices(directory), clusters(directory)].concat(),
        "CODE" => Code::ALL.iter().map(|code| Candidate::new(code.name(), code.summary())).collect(),
        "CLASS" => class_codes().map(|code| Candidate::new(code, "")).collect(),
        "COMMAND" => commands(),
        _ => Vec::new(),
    });
    let lines: String =
        candidates.iter().map(|candidate| format!("{}\t{}\n", candidate.word, candidate.about)).collect();
    context.console.result(&lines)?;
    Ok(Exit::Success)
}

fn devices(directory: &Utf8Path) -> Vec<Candidate> {
    with_project(directory, |project| project.folders.iter().map(|name| Candidate::new(name, "a device")).collect())
}

fn clusters(directory: &Utf8Path) -> Vec<Candidate> {
    with_project(directory, |project| {
        project.clusters.iter().map(|cluster| Candidate::new(&*cluster.name, "a cluster")).collect()
    })
}

/// Returns the candidates of a repository; where there is none that can be read, nothing is completed.
fn with_project(directory: &Utf8Path, candidates: impl Fn(&Project<'_>) -> Vec<Candidate>) -> Vec<Candidate> {
    let Ok(Some(root)) = Root::find(directory) else { return Vec::new() };
    let tree = WorkTree::new(root.path);
    Project::open(&tree).map(|project| candidates(&project)).unwrap_or_default()
}

fn commands() -> Vec<Candidate> {
    let program = CommandLine::command();
    let commands = program.get_subcommands().filter(|command| !command.is_hide_set());
    commands.map(|command| Candidate::new(command.get_name(), "")).collect()
}
