//! `talosmith diff`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;

use super::{Context, Exit, exit_of};
use crate::change::Change;
use crate::console::Channel;
use crate::inspection::inspect;
use crate::project::Project;
use crate::selection::Selection;
use crate::steps::Purpose;
use crate::tree::WorkTree;

/// Show what `generate` would write, as a unified diff
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Devices to compare, by name or folder, with their clusters [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or the output is closed.
pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    let tree = WorkTree::new(root.path.clone());
    let project = Project::open(&tree)?;
    let selection = Selection::resolve(&arguments.paths, &root.below, &project)?;
    let mut inspection = inspect(project, &selection, Purpose::Compare, |_| None::<()>)?;
    let exit = exit_of(&inspection.findings);
    context.report(Channel::Status, &mut inspection.findings, &mut inspection.sources, json!({}))?;
    if exit == Exit::Findings {
        return Ok(exit);
    }
    let color = context.console.style(Channel::Result).color;
    let changes = &inspection.differences.changes;
    for change in changes {
        context.console.result(&unified(change, color))?;
    }
    Ok(if changes.is_empty() { Exit::Success } else { Exit::Findings })
}

/// Returns a change as a unified diff.
pub(super) fn unified(change: &Change, color: bool) -> String {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    crate::diff::unified(change.path.as_str(), text(&change.old).as_deref(), text(&change.new).as_deref(), color)
}
