//! `talosmith drift`

use camino::Utf8PathBuf;
use clap::Args;
use talosmith_document::{Document, Node, SourceId};
use talosmith_render::{AppliedFiles, BaseFile, NodeBase};

use super::config::{generated_base, inspect_device, refused, report};
use super::{Context, Exit, read_input};
use crate::console::Channel;
use crate::report::count;
use crate::review::{LocatedRow, Reviewed, block_text, blocks, groups, json as review_json};
use crate::saved_config::saved_config;
use crate::tree::WorkTree;

/// Show what a node's saved machine config does not have of what its files set
///
/// Save the config with: talosctl -n ADDRESS get machineconfig -o yaml
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith drift node-1 saved.yaml\n  \
    talosctl -n 192.168.1.10 get machineconfig -o yaml | talosmith drift node-1 -")]
pub(crate) struct Arguments {
    /// The device, by name or folder
    #[arg(value_name = "DEVICE")]
    device: Utf8PathBuf,
    /// The saved config; `-` for standard input
    #[arg(value_name = "FILE")]
    file: Utf8PathBuf,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let start = context.global.directory.clone().unwrap_or_else(|| Utf8PathBuf::from("."));
    let (file, bytes) = read_input(&start, &arguments.file)?;
    let text = zeroize::Zeroizing::new(bytes);
    let text = std::str::from_utf8(&text).map_err(|_| anyhow::anyhow!("{file} is not UTF-8"))?;
    let root = context.root(std::slice::from_ref(&arguments.device))?;
    let tree = WorkTree::new(root.path.clone());
    let (mut inspection, files) = inspect_device(&root, &tree, &arguments.device)?;
    let Some(files) = files else { return report(context, &mut inspection) };
    // Nothing is shown of the file: it has secrets.
    let source = inspection.sources.add(file.as_str(), "");
    let node = node_config(text, source).map_err(|reason| anyhow::anyhow!("{file}: {reason}"))?;
    let device = &files.device;
    let node = BaseFile::of_node(device, file.as_str(), source, &node);
    let base = match device.base.is_empty() {
        true => generated_base(inspection.fleet.as_ref(), device, true)?,
        false => NodeBase::Model,
    };
    let applied = AppliedFiles { device, files: &files.applied };
    let found = inspection.renderer.drift(applied, &base, node).map_err(|error| refused(device, error))?;
    let rows: Vec<LocatedRow> = found.into_iter().map(LocatedRow::from).collect();
    let is_equal = rows.is_empty();
    let name = device.name.clone();
    let reviewed = Reviewed { name: name.clone(), is_cluster: false, old_name: None, rows, node: None };
    let reviewed: Vec<Reviewed> = Some(reviewed).filter(|_| !is_equal).into_iter().collect();
    let groups = groups(&reviewed, None, &mut inspection.sources);
    let style = context.console.style(Channel::Result);
    let result = if !context.is_text() {
        review_json(&reviewed, &groups, file.as_str())
    } else if is_equal {
        format!("no drift: {name} has what its files set\n")
    } else {
        let blocks: String = blocks(&groups).map(|block| format!("\n{}", block_text(block, style))).collect();
        format!("{name} differs from its files in {}; applying them does this:\n{blocks}", count(groups.len(), "value"))
    };
    context.console.result(&result)?;
    Ok(if is_equal { Exit::Success } else { Exit::Findings })
}

/// Returns the documents of the machine config in a file: the file itself, or the resource that `talosctl get` printed.
fn node_config(text: &str, source: SourceId) -> Result<Vec<Node>, String> {
    let saved = saved_config(text)?;
    let documents = Document::parse_stream(source, saved.as_deref().unwrap_or(text))
        .map_err(|_| "it is no YAML that talosmith reads".to_owned())?;
    let is_main = |node: &Node| node.get("version").and_then(Node::scalar).is_some_and(|(text, _)| text == "v1alpha1");
    match documents.iter().all(|node| is_main(node) || node.get("kind").is_some()) {
        true => Ok(documents),
        false => Err("it is no machine config: save it with `talosctl get machineconfig -o yaml`".to_owned()),
    }
}
