//! `talosmith validate`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;

use super::{Context, Exit, count, exit_of, open};
use crate::console::Channel;
use crate::inspection::inspect;
use crate::report;
use crate::steps::Purpose;
use crate::tree::WorkTree;

/// Check the model and render all files, without comparing them
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith validate\n  \
    talosmith validate devices/node-1 --format json")]
pub(crate) struct Arguments {
    /// Devices to render, by name, folder or cluster; all are validated [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, &arguments.paths)?;
    let mut inspection = inspect(project, &selection, Purpose::Validate, |_| None::<()>)?;
    let (devices, files) = (inspection.devices.len(), inspection.rendered_files);
    let exit = exit_of(&inspection.findings);
    let counted = report::count_line(&inspection.findings);
    let summary = json!({ "devices": devices, "files": files });
    context.report_with_notes(Channel::Result, &mut inspection.findings, &mut inspection.sources, summary)?;
    let verdict = if counted.is_empty() { "valid".to_owned() } else { counted };
    context.console.status(&format!("{verdict}: {}, {} rendered", count(devices, "device"), count(files, "file")));
    Ok(exit)
}
