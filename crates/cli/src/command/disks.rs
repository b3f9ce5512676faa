//! `talosmith disks`

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::decode;
use talosmith_model::NodeDisks;

use super::{Context, Exit, read_input};
use crate::console::Channel;
use crate::source_cache::SourceCache;
use crate::tree::MemoryTree;

/// Print the key `disks` of a device from what `talosctl get disks -o yaml` printed
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosctl get disks --insecure --nodes 192.168.1.10 -o yaml | talosmith disks\n  \
    talosmith disks node-1.yaml >> devices/node-1/device.yaml")]
pub(crate) struct Arguments {
    /// The file with that output; `-` is standard input. The output of `talosctl get systemdisk -o yaml` may follow it
    #[arg(value_name = "FILE", default_value = "-")]
    file: Utf8PathBuf,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.refuse_json("disks")?;
    match read_disks(context, &arguments.file)? {
        Some(disks) => {
            context.console.result(&disks.block())?;
            Ok(Exit::Success)
        }
        None => Ok(Exit::Findings),
    }
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
