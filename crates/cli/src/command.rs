//! The commands: one file each, its arguments and one function.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod explain;
pub(crate) mod fleet;
pub(crate) mod generate;
pub(crate) mod man;
pub(crate) mod schema;
pub(crate) mod schematic_id;
pub(crate) mod show;
pub(crate) mod validate;

use camino::Utf8PathBuf;
use clap::{Args, Parser, Subcommand, ValueEnum};
use serde_json::Value;
use talosmith_document::{Diagnostic, Level};

use crate::console::{Channel, ColorChoice, Console, PrintError};
use crate::process::Processes;
use crate::project::LoadError;
use crate::report;
use crate::source_cache::SourceCache;
use crate::tree::Root;

/// A config compiler for Git repositories of Talos Linux nodes
#[derive(Debug, Parser)]
#[command(name = "talosmith", version, propagate_version = true, arg_required_else_help = true)]
#[command(about = "A config compiler for Git repositories of Talos Linux nodes")]
#[command(after_help = "Exit codes: 0 fine, 1 findings about your files, 2 could not run.")]
pub struct CommandLine {
    #[command(flatten)]
    /// What all commands take.
    pub(crate) global: Global,
    #[command(subcommand)]
    /// What to do.
    pub(crate) command: Command,
}

/// Options of every command
#[derive(Debug, Args)]
pub(crate) struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub directory: Option<Utf8PathBuf>,
    /// Say nothing but results and findings
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true)]
    pub verbose: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// How results and findings are written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
}

/// How results and findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: `talosmith schema` has the schemas
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write every file that the model asks for
    Generate(generate::Arguments),
    /// Check that the files are what the model says; reads only, and never a secret
    Check(check::Arguments),
    /// Show what `generate` would write, as a unified diff
    Diff(diff::Arguments),
    /// Check the model and render everything, and compare nothing
    Validate(validate::Arguments),
    /// Show a device: its facts and where each is written, its disks, images and files
    Show(show::Arguments),
    /// Show all devices at a glance: versions, images, volumes, and how their files stand
    Fleet(fleet::Arguments),
    /// Explain the code of a finding
    Explain(explain::Arguments),
    /// Work out the ID that the Image Factory gives a schematic
    SchematicId(schematic_id::Arguments),
    /// Print the JSON Schema of a file that you write
    Schema(schema::Arguments),
    /// Print completions for a shell
    Completions(completions::Arguments),
    /// Print the manual page
    Man,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    /// Fine.
    Success = 0,
    /// Findings about the user's files.
    Findings = 1,
    /// Could not run.
    Failure = 2,
}

/// What a command works with.
pub(crate) struct Context<'a> {
    /// Where it prints.
    pub console: Console,
    /// What it starts.
    pub processes: &'a dyn Processes,
    /// The options of every command.
    pub global: Global,
}

impl Context<'_> {
    /// Finds the repository from the current folder upward.
    ///
    /// # Errors
    /// There is none, or the folder cannot be read.
    pub(crate) fn root(&self) -> anyhow::Result<Root> {
        let start = self.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
        let root = Root::find(&start).map_err(|error| anyhow::anyhow!("cannot open the folder {start}: {error}"))?;
        root.ok_or_else(|| LoadError::NoFleetFile.into())
    }

    /// Prints findings as the user wants them, on standard output if they are the command's result.
    ///
    /// # Errors
    /// The output is closed or cannot be written.
    pub(crate) fn report(
        &mut self,
        channel: Channel,
        findings: &mut Vec<Diagnostic>,
        sources: &mut SourceCache<'_>,
        summary: Value,
    ) -> Result<(), PrintError> {
        let sources = sources.load(findings);
        report::sort(findings, sources);
        match self.global.format {
            Format::Json => {
                let text = report::json(findings, sources, summary.as_object().cloned().unwrap_or_default());
                self.console.result(&format!("{}\n", text.trim_end()))
            }
            Format::Text => self.console.report(channel, findings, sources),
        }
    }

    /// Whether results are for people.
    #[must_use]
    pub(crate) fn is_text(&self) -> bool {
        self.global.format == Format::Text
    }
}

/// A result as programs read it.
fn json_text(result: &impl serde::Serialize) -> String {
    let mut text = serde_json::to_string_pretty(result).expect("texts and numbers are always JSON");
    text.push('\n');
    text
}

/// The exit code of a list of findings.
#[must_use]
pub(crate) fn exit_of(findings: &[Diagnostic]) -> Exit {
    if findings.iter().any(|finding| finding.level == Level::Error) { Exit::Findings } else { Exit::Success }
}

/// `1 file`, `2 files`.
#[must_use]
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}
