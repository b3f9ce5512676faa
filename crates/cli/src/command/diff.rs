//! `talosmith diff`

use camino::Utf8PathBuf;
use clap::Args;

use super::{Exit, World, exit_of};
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
/// The world's.
pub fn run(world: &mut World<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = world.root()?;
    let tree = WorkTree::new(root.path.clone());
    let Inspection { mut project, differences, .. } = inspect(&tree, &arguments.paths, &root.below, Keep::Changed)?;
    let mut exit = exit_of(&project.findings);
    world.report(Channel::Talk, &mut project.findings, &project.sources, serde_json::Map::new())?;
    if exit == Exit::Findings {
        return Ok(exit);
    }
    let color = world.console.style(Channel::Result).color;
    for change in differences.real() {
        exit = Exit::Findings;
        world.console.result(&unified(change, color))?;
    }
    Ok(exit)
}

/// A change as a unified diff.
#[must_use]
pub fn unified(change: &Change, color: bool) -> String {
    let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    crate::diff::unified(change.path.as_str(), text(&change.old).as_deref(), text(&change.new).as_deref(), color)
}
