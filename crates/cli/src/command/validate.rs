//! `talosmith validate`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_render::Proof;

use super::{Context, Exit, count, exit_of};
use crate::console::Channel;
use crate::project::Project;
use crate::rendering::render;
use crate::report;
use crate::selection::Selection;
use crate::tree::WorkTree;

/// Check the model and render everything, and compare nothing
#[derive(Debug, Args)]
pub struct Arguments {
    /// Devices to render, by name or folder; all are validated [default: all]
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
    let mut project = Project::load(&tree)?;
    let selection = Selection::resolve(&arguments.paths, &root.below, &project)?;
    let owners = render(&mut project, &selection, Proof::Required);
    let files: usize = owners.iter().map(|owner| owner.artifacts.len()).sum();
    let exit = exit_of(&project.findings);
    let counted = report::count_line(&project.findings);
    let devices = count(project.folders.len(), "device");
    let summary = json!({ "devices": project.folders.len(), "files": files });
    context.report(
        Channel::Result,
        &mut project.findings,
        &project.sources,
        summary.as_object().cloned().unwrap_or_default(),
    )?;
    let verdict = if counted.is_empty() { "valid".to_owned() } else { counted };
    context.console.status(&format!("{verdict}: {devices}, {} rendered", count(files, "file")));
    Ok(exit)
}
