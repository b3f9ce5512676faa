//! `talosmith diff`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;

use super::{Context, Exit, count, diffs, exit_of, open};
use crate::console::Channel;
use crate::inspection::inspect;
use crate::staleness::Generate;
use crate::steps::Purpose;
use crate::tree::WorkTree;

/// Show what `generate` would write, as a unified diff
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith diff\n  \
    talosmith diff node-1 node-2")]
pub(crate) struct Arguments {
    /// Devices to compare, by name, folder or cluster, with their clusters' applications [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, &arguments.paths)?;
    let mut inspection = inspect(project, &selection, Purpose::Compare, |_| None::<()>)?;
    let exit = exit_of(&inspection.findings);
    let changes = &inspection.differences.changes;
    let is_shown = exit == Exit::Success && !changes.is_empty();
    let summary = if is_shown && !context.is_text() { json!({ "diffs": diffs(changes.iter()) }) } else { json!({}) };
    context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, summary)?;
    if !is_shown || !context.is_text() {
        return Ok(if is_shown { Exit::Findings } else { exit });
    }
    let color = context.console.style(Channel::Result).color;
    for change in changes {
        context.console.result(&change.unified_diff(color))?;
    }
    let verb = if changes.len() == 1 { "differs" } else { "differ" };
    let command = Generate::new(&inspection, &selection);
    let command = command.map(|generate| format!(": `{}`", context.command_line(&generate, &arguments.paths)));
    let command = command.unwrap_or_default();
    context.console.status(&format!("{} {verb}{command}", count(changes.len(), "file")));
    Ok(Exit::Findings)
}
