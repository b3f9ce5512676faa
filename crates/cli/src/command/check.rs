//! `talosmith check`

use std::time::Instant;

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;

use super::{Context, Exit, count, exit_of};
use crate::console::Channel;
use crate::git::Git;
use crate::inspection::{Inspection, Keep, inspect};
use crate::report;
use crate::staleness::{Head, judge};
use crate::tree::{GitTree, Tree, WorkTree};

/// Check that the files are what the model says; reads only, and never a secret
#[derive(Debug, Args)]
pub struct Arguments {
    /// Devices to compare, by name or folder, with their clusters; all are validated [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Read model and files from git's index: what would be committed
    #[arg(long)]
    staged: bool,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read or written, or the output is closed.
pub fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    if arguments.staged {
        let git = Git::open(context.processes, &root.path)?;
        let tree = GitTree::index(&git)?;
        check(context, arguments, &root, &tree)
    } else {
        let tree = WorkTree::new(root.path.clone());
        check(context, arguments, &root, &tree)
    }
}

fn check(
    context: &mut Context<'_>,
    arguments: &Arguments,
    root: &super::Root,
    tree: &dyn Tree,
) -> anyhow::Result<Exit> {
    let started = Instant::now();
    let Inspection { mut project, selection, owners, differences } =
        inspect(tree, &arguments.paths, &root.below, Keep::Changed)?;
    if differences.real().next().is_some() {
        let head = Head::read(context.processes, &root.path, &differences);
        let findings = judge(&mut project, &differences, head.as_ref(), tree);
        project.findings.extend(findings);
        project.apply_levels();
    }
    let exit = exit_of(&project.findings);
    let counted = report::count_line(&project.findings);
    let (devices, files) = (owners.iter().filter(|owner| owner.is_device).count(), differences.files());
    let broken = project.plan.broken.iter().filter(|name| selection.has_device(name)).cloned();
    let clusters = project.plan.clusters.iter().filter(|cluster| cluster.incomplete);
    let left_out: Vec<String> =
        broken.chain(clusters.map(|cluster| format!("applications of {}", cluster.name))).collect();
    let milliseconds = started.elapsed().as_secs_f64() * 1e3;
    let summary = json!({ "devices": devices, "files": files, "notCompared": left_out });
    context.report(
        Channel::Result,
        &mut project.findings,
        &project.sources,
        summary.as_object().cloned().unwrap_or_default(),
    )?;
    if !left_out.is_empty() {
        context.console.status(&format!("not compared because of errors: {}", left_out.join(", ")));
    }
    let verdict = if counted.is_empty() { "up to date".to_owned() } else { counted };
    context.console.status(&format!(
        "{verdict}: {} and {} checked in {milliseconds:.1} ms",
        count(devices, "device"),
        count(files, "file")
    ));
    // The process ends here and gives its memory back at once; to free a big fleet's piece by piece takes a while.
    std::mem::forget((project, owners, differences));
    Ok(exit)
}
