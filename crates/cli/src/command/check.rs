//! `talosmith check`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::Code;

use super::{Context, Exit, count, exit_of, open};
use crate::console::Channel;
use crate::git::{Compared, Git};
use crate::head::{EditedDevice, Head, find_foreign_json};
use crate::inspection::inspect;
use crate::report;
use crate::staleness::{Generate, explain, group, is_any_grouped};
use crate::steps::Purpose;
use crate::tree::{GitTree, Root, Tree, WorkTree};

/// Check that the generated files match the model; writes nothing and fetches no secrets
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith check\n  \
    talosmith check --staged node-1")]
pub(crate) struct Arguments {
    /// Devices to compare, by name, folder or cluster, with their clusters' applications; all are validated [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Read model and files from git's index: what would be committed
    #[arg(long)]
    staged: bool,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    if arguments.staged {
        let git = Git::open(context.processes, &root.path)?;
        let tree = GitTree::index(&git)?;
        check(context, arguments, &root, &tree)
    } else {
        let tree = WorkTree::new(root.path.clone());
        check(context, arguments, &root, &tree)
    }
}

fn check(context: &mut Context<'_>, arguments: &Arguments, root: &Root, tree: &dyn Tree) -> anyhow::Result<Exit> {
    let (project, selection) = open(root, tree, &arguments.paths)?;
    let mut inspection = inspect(project, &selection, Purpose::Compare, EditedDevice::keep)?;
    find_foreign_json(context.processes, &root.path, &mut inspection.differences.changes);
    if !inspection.differences.changes.is_empty() {
        let compared = if arguments.staged { Compared::Index } else { Compared::WorkTree };
        let head = Head::read(context.processes, &root.path, compared, &inspection, inspection.kept.iter());
        let findings = explain(&mut inspection, head.as_ref());
        let findings = if context.is_text() { group(&inspection, findings) } else { findings };
        inspection.add_findings(findings);
    }
    let command = Generate::new(&inspection, &selection);
    let command = command.map(|generate| context.command_line(&generate, &arguments.paths));
    let exit = exit_of(&inspection.findings);
    let counted = report::count_line(&inspection.findings);
    let (devices, files) = (inspection.rendered_devices, inspection.differences.files());
    let broken = inspection.broken.iter().filter(|name| selection.has_device(name)).cloned();
    let clusters = inspection.clusters.iter().filter(|cluster| cluster.incomplete);
    let left_out: Vec<String> =
        broken.chain(clusters.map(|cluster| format!("applications of {}", cluster.name))).collect();
    let milliseconds = context.console.elapsed().as_secs_f64() * 1e3;
    let summary = json!({ "devices": devices, "files": files, "notCompared": left_out });
    context.report(Channel::Result, &mut inspection.findings, &mut inspection.sources, summary)?;
    if let Some(command) = command.filter(|_| context.is_text() && is_any_grouped(&inspection.findings)) {
        let is_edited = inspection.findings.iter().any(|finding| finding.code == Code::HandEdited);
        let loss = if is_edited { ", which drops what was edited by hand" } else { "" };
        context.console.closing_help(&format!("`{command}`{loss}"))?;
    }
    if !left_out.is_empty() {
        context.console.status(&format!("not compared because of errors: {}", left_out.join(", ")));
    }
    let verdict = if counted.is_empty() { "up to date".to_owned() } else { counted };
    context.console.status(&format!(
        "{verdict}: {} and {} checked in {milliseconds:.1} ms",
        count(devices, "device"),
        count(files, "file")
    ));
    Ok(exit)
}
