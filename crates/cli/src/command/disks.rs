//! `talosmith disks`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::decode;
use talosmith_model::NodeDisks;

use super::{Context, Exit, exit_of, open, read_input};
use crate::console::Channel;
use crate::inspection::inspect;
use crate::rendering::Owner;
use crate::report;
use crate::source_cache::SourceCache;
use crate::steps::{Inspected, Purpose};
use crate::tree::{MemoryTree, WorkTree};

/// Print the key `disks` of a device from what `talosctl get disks -o yaml` printed, or compare the model with it
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosctl get disks --insecure --nodes 192.168.1.10 -o yaml | talosmith disks\n  \
    talosmith disks node-1.yaml --device node-1")]
pub(crate) struct Arguments {
    /// The file with that output; `-` is standard input. The output of `talosctl get systemdisk -o yaml` may follow it
    #[arg(value_name = "FILE", default_value = "-")]
    file: Utf8PathBuf,
    /// A device of the repository, whose `disks` are compared with the file: sizes, selectors, and disks that are missing
    #[arg(long, value_name = "DEVICE")]
    device: Option<Utf8PathBuf>,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("disks")?;
    let Some(disks) = read_disks(context, &arguments.file)? else { return Ok(Exit::Findings) };
    if let Some(device) = &arguments.device {
        return check(context, &disks, device);
    }
    context.console.result(&disks.block())?;
    Ok(Exit::Success)
}

/// Compares the disks of a device with those of its node.
fn check(context: &mut Context<'_>, disks: &NodeDisks, device: &Utf8PathBuf) -> anyhow::Result<Exit> {
    let paths = std::slice::from_ref(device);
    let root = context.root(paths)?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, paths)?;
    let compared = |inspected: &Inspected<'_>| match inspected.owner {
        Owner::Device(device) => Some(disks.check(device)),
        Owner::Cluster(_) | Owner::User(_) => None,
    };
    let mut inspection = inspect(project, &selection, Purpose::Validate, compared)?;
    inspection.remove_findings_about_others(&selection);
    if !inspection.has_errors() {
        inspection.findings = std::mem::take(&mut inspection.kept).into_iter().flatten().collect();
    }
    let exit = exit_of(&inspection.findings);
    let counted = report::count_line(&inspection.findings);
    context.report(Channel::Result, &mut inspection.findings, &mut inspection.sources, json!({}))?;
    let verdict = if counted.is_empty() { "the disks of the model are those of the node" } else { &counted };
    context.console.status(verdict);
    Ok(exit)
}

/// Reads the disks of a node from a file; none if it has none, which is reported.
pub(super) fn read_disks(context: &mut Context<'_>, file: &Utf8PathBuf) -> anyhow::Result<Option<NodeDisks>> {
    let start = context.global.directory.clone().unwrap_or_default();
    let (path, bytes) = read_input(&start, file)?;
    let tree = MemoryTree::default();
    let mut sources = SourceCache::new(&tree);
    let source = sources.add(path, String::from_utf8_lossy(&bytes).into_owned());
    let text = decode(source, &bytes).map_err(|finding| vec![finding]);
    match text.and_then(|text| NodeDisks::read(source, text)) {
        Ok(disks) => Ok(Some(disks)),
        Err(mut findings) => {
            context.report(Channel::Status, &mut findings, &mut sources, json!({}))?;
            Ok(None)
        }
    }
}
