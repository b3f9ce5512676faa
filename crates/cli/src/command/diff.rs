//! `talosmith diff`

use camino::Utf8PathBuf;
use clap::Args;

use super::{Context, Exit, exit_of};
use crate::change::Change;
use crate::console::Channel;
use crate::inspection::{Inspection, Keep, inspect};
use crate::tree::WorkTree;

/// Show what `generate` would write, as a unified diff
#[derive(Debug, Args)]
pub struct Arguments {
    /// Devices to compare, by name or folder, with their clusters [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or the output is closed.
pub fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    let tree = WorkTree::new(root.path.clone());
    let Inspection { mut project, differences, .. } = inspect(&tree, &arguments.paths, &root.below, Keep::Changed)?;
    let mut exit = exit_of(&project.findings);
    context.report(Channel::Status, &mut project.findings, &project.sources, serde_json::Map::new())?;
    if exit == Exit::Findings {
        return Ok(exit);
    }
    let color = context.console.style(Channel::Result).color;
    for change in differences.real() {
        exit = Exit::Findings;
        context.console.result(&unified(change, color))?;
    }
    Ok(exit)
}

/// A change as a unified diff.
#[must_use]
pub fn unified(change: &Change, color: bool) -> String {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    crate::diff::unified(change.path.as_str(), text(&change.old).as_deref(), text(&change.new).as_deref(), color)
}
