//! The commands: one file each, its arguments and one function.

pub(crate) mod check;
pub(crate) mod complete;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod diff;
pub(crate) mod disks;
pub(crate) mod drift;
pub(crate) mod explain;
pub(crate) mod fleet;
pub(crate) mod generate;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod review;
pub(crate) mod schema;
pub(crate) mod schematic_id;
pub(crate) mod show;
pub(crate) mod validate;

use std::cell::OnceCell;

use camino::{Utf8Path, Utf8PathBuf};
use clap::{ArgAction, Args, Parser, Subcommand, ValueEnum};
use serde_json::{Value, json};
use talosmith_document::{Diagnostic, Level};

use crate::change::Change;
use crate::console::{Channel, ColorChoice, Console, PrintError};
use crate::git::Git;
use crate::printable::shell_quote;
use crate::process::Processes;
use crate::project::{LoadError, Project};
use crate::report::{self, Entries, count};
use crate::selection::Selection;
use crate::source_cache::SourceCache;
use crate::staleness::Generate;
use crate::tree::{Root, Tree, WorkTree, fleet_folder_above, misnamed_fleet_file, read_standard_input, resolve_links};

/// A config compiler for Git repositories of Talos Linux nodes
#[derive(Debug, Parser)]
#[command(name = "talosmith", version, propagate_version = true, arg_required_else_help = true)]
#[command(about = "A config compiler for Git repositories of Talos Linux nodes")]
#[command(disable_help_flag = true, disable_version_flag = true)]
#[command(after_help = "Examples:\n  \
    talosmith init node-1 --address 192.168.1.10\n  \
    talosmith -C infrastructure check\n\n\
    Exit codes: 0 fine, 1 findings about your files, 2 could not run.")]
pub struct CommandLine {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// Run as if started in this folder
    #[arg(short = 'C', long = "directory", global = true, value_name = "DIR")]
    pub directory: Option<Utf8PathBuf>,
    /// Print only results and findings
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// When to use colour
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub color: ColorChoice,
    /// How results and findings are written
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub format: Format,
    /// Print help; `--help` prints more than `-h`
    #[arg(short, long, global = true, action = ArgAction::Help)]
    help: Option<bool>,
    /// Print version
    #[arg(short = 'V', long, global = true, action = ArgAction::Version)]
    version: Option<bool>,
}

/// How results and findings are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: `talosmith schema` has the schemas
    Json,
    /// For the comment of a pull request: only `review`
    Markdown,
    /// Annotations of GitHub Actions: only `check` and `validate`
    Github,
    /// For code scanning: only `check` and `validate`
    Sarif,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(init::Arguments),
    Import(import::Arguments),
    Generate(generate::Arguments),
    Check(check::Arguments),
    Diff(diff::Arguments),
    Validate(validate::Arguments),
    Review(review::Arguments),
    Config(config::Arguments),
    Drift(drift::Arguments),
    Show(show::Arguments),
    Fleet(fleet::Arguments),
    Explain(explain::Arguments),
    Disks(disks::Arguments),
    SchematicId(schematic_id::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Complete(complete::Arguments),
    Man(man::Arguments),
}

impl Command {
    /// Refuses a format that only other commands write.
    pub(crate) fn check_format(&self, format: Format) -> anyhow::Result<()> {
        let (has_format, others) = match format {
            Format::Text | Format::Json => return Ok(()),
            Format::Markdown => (matches!(self, Self::Review(_)), "`talosmith review` writes"),
            Format::Github | Format::Sarif => {
                (matches!(self, Self::Check(_) | Self::Validate(_)), "`talosmith check` and `talosmith validate` write")
            }
        };
        let name = format.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default();
        anyhow::ensure!(has_format, "only {others} `--format {name}`: leave it out");
        Ok(())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Exit {
    Success = 0,
    Findings = 1,
    Failure = 2,
}

pub(crate) struct Context<'a> {
    pub console: Console,
    pub processes: &'a dyn Processes,
    pub global: Global,
    /// The repository's root where a PATH argument led to it.
    pub found_at: OnceCell<Utf8PathBuf>,
}

/// Reads the repository in a tree, and resolves the PATH arguments of a command.
fn open<'a>(root: &Root, tree: &'a dyn Tree, paths: &[Utf8PathBuf]) -> anyhow::Result<(Project<'a>, Selection)> {
    let project = Project::open(tree)?;
    let paths: Vec<Utf8PathBuf> = paths.iter().map(|path| root.relative(path)).collect();
    let selection = Selection::resolve(&paths, &root.below, &project)?;
    Ok((project, selection))
}

impl Context<'_> {
    /// Finds the repository from the current folder upward, or from the first of some PATH arguments if that is absolute.
    pub(crate) fn root(&self, paths: &[Utf8PathBuf]) -> anyhow::Result<Root> {
        let absolute = paths.first().filter(|path| path.is_absolute());
        let start = self.global.directory.as_ref().or(absolute).cloned().unwrap_or_else(|| Utf8PathBuf::from("."));
        let root = Root::find(&start).map_err(|error| anyhow::anyhow!("cannot open the folder {start}: {error}"))?;
        if let Some(root) = root.as_ref().filter(|_| absolute.is_some() && self.global.directory.is_none()) {
            let _ = self.found_at.set(root.path.clone());
        }
        let missing =
            || LoadError::NoFleetFile { misnamed: misnamed_fleet_file(&start), outside: fleet_folder_above(&start) };
        root.ok_or_else(|| missing().into())
    }

    /// Prints findings in the format that the user chose, on standard output if they are the command's result; notes for programs alone.
    pub(crate) fn report(
        &mut self,
        channel: Channel,
        findings: &mut Vec<Diagnostic>,
        sources: &mut SourceCache<'_>,
        summary: Value,
    ) -> Result<(), PrintError> {
        if self.is_text() {
            findings.retain(|finding| finding.level != Level::Note);
        }
        self.report_with_notes(channel, findings, sources, summary)
    }

    pub(crate) fn report_with_notes(
        &mut self,
        channel: Channel,
        findings: &mut Vec<Diagnostic>,
        sources: &mut SourceCache<'_>,
        summary: Value,
    ) -> Result<(), PrintError> {
        self.name_directory(findings);
        if self.is_text() {
            report::group_deprecations(findings);
        }
        let prefix = self.prefix();
        let sources = sources.load(findings);
        report::sort(findings, sources);
        let entries = || Entries::new(findings, sources, &prefix);
        let summary = || summary.as_object().cloned().unwrap_or_default();
        let text = match self.global.format {
            Format::Json => report::json(entries(), summary()),
            Format::Github => report::github(&entries()),
            Format::Sarif => report::sarif(&entries(), summary()),
            Format::Text | Format::Markdown => return self.console.report(channel, findings, sources),
        };
        self.console.result(&text)
    }

    /// Returns the path of talosmith's root below the top of the git repository, to which the paths of CI systems are relative.
    fn prefix(&self) -> Utf8PathBuf {
        if !matches!(self.global.format, Format::Github | Format::Sarif) {
            return Utf8PathBuf::new();
        }
        let found: Vec<Utf8PathBuf> = self.found_at.get().cloned().into_iter().collect();
        let root = self.root(&found).ok();
        let git = root.and_then(|root| Git::open(self.processes, &root.path).ok());
        git.map(|git| git.prefix).unwrap_or_default()
    }

    /// Adds the folder of the repository to the commands of talosmith that helps name, where the user gave one.
    fn name_directory(&self, findings: &mut [Diagnostic]) {
        let Some(directory) = self.global.directory.as_deref().or(self.found_at.get().map(|path| path.as_path()))
        else {
            return;
        };
        let directory = shell_quote(directory.as_str());
        for help in findings.iter_mut().flat_map(|finding| &mut finding.helps) {
            for command in ["generate", "diff", "validate", "check"] {
                let short = format!("talosmith {command}");
                if help.contains(&short) {
                    *help = help.replace(&short, &format!("talosmith -C {directory} {command}"));
                }
            }
        }
    }

    pub(crate) fn is_text(&self) -> bool {
        matches!(self.global.format, Format::Text | Format::Markdown)
    }

    /// Returns the command line that finds the repository where this command found it with these paths.
    fn command_line(&self, generate: &Generate<'_>, paths: &[Utf8PathBuf]) -> String {
        let mut words = vec!["talosmith"];
        let folder = self.global.directory.as_ref();
        words.extend(folder.into_iter().flat_map(|folder| ["-C", folder.as_str()]));
        words.push("generate");
        match paths.first() {
            Some(path) if path.is_absolute() && folder.is_none() => {
                words.extend(paths.iter().map(|path| path.as_str()))
            }
            _ => words.extend(&generate.devices),
        }
        words.extend(generate.removes_devices.then_some("--remove-devices"));
        words.into_iter().map(shell_quote).collect::<Vec<_>>().join(" ")
    }

    /// Refuses `--format json` for a command whose output is for another program.
    fn refuse_json(&self, command: &str) -> anyhow::Result<()> {
        anyhow::ensure!(self.is_text(), "`talosmith {command}` has no JSON form: leave `--format json` out");
        Ok(())
    }
}

/// Returns the path for findings of a file that a user names, and its content; `-` is standard input.
fn read_input(start: &Utf8Path, file: &Utf8Path) -> anyhow::Result<(Utf8PathBuf, Vec<u8>)> {
    if file == "-" || file == "/dev/stdin" {
        let bytes = read_standard_input().map_err(|error| anyhow::anyhow!("cannot read standard input: {error}"))?;
        return Ok((Utf8PathBuf::from("<stdin>"), bytes));
    }
    let path = start.join(file);
    let folder = path.parent().filter(|folder| !folder.as_str().is_empty()).unwrap_or(Utf8Path::new("."));
    let name = path.file_name().ok_or_else(|| anyhow::anyhow!("{path} is not a file"))?;
    let tree = WorkTree::new(resolve_links(folder).map_err(|error| anyhow::anyhow!("cannot open {folder}: {error}"))?);
    let bytes = tree.read(Utf8Path::new(name))?.ok_or_else(|| anyhow::anyhow!("there is no file {path}"))?;
    Ok((path, bytes))
}

pub(crate) fn exit_of(findings: &[Diagnostic]) -> Exit {
    if findings.iter().any(|finding| finding.level == Level::Error) { Exit::Findings } else { Exit::Success }
}

/// Returns the unified diffs of changes for a summary.
fn diffs<'a>(changes: impl Iterator<Item = &'a Change>) -> Value {
    changes.map(|change| json!({ "path": change.path, "diff": change.unified_diff(false) })).collect()
}
