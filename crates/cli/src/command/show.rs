//! `talosmith show`

use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::{Diagnostic, Level};
use talosmith_model::layout;
use talosmith_model::plan::Device;
use talosmith_model::resolved_keys;
use talosmith_render::{Artifact, Renderer};

use super::{Context, Exit, open};
use crate::console::Channel;
use crate::device_report::{DeviceReport, UserFile};
use crate::inspection::inspect;
use crate::rendering::Owner;
use crate::report::{count_line, json_document};
use crate::steps::{Inspected, Purpose};
use crate::tree::WorkTree;

/// Show a device: its keys and where each is set, its disks, images and files
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith show node-1\n  \
    talosmith show node-1 --svg > disks.svg")]
pub(crate) struct Arguments {
    /// The device, by name or folder [default: the one whose folder is the current one]
    #[arg(value_name = "DEVICE")]
    device: Option<Utf8PathBuf>,
    /// Print a picture of its disks and their volumes instead, as SVG
    #[arg(long)]
    svg: bool,
}

/// What is kept of the device, and of the user's own artifacts.
enum Kept {
    Device(Arc<Device>),
    Artifacts(Vec<UserFile>),
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let here = Utf8PathBuf::from(".");
    let paths = std::slice::from_ref(arguments.device.as_ref().unwrap_or(&here));
    let root = context.root(paths)?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, paths)?;
    let Some(name) = selection.only_device() else {
        match &arguments.device {
            Some(device) => anyhow::bail!("`{device}` is not one device; `talosmith fleet` shows all of them"),
            None => anyhow::bail!("name a device, or run it in the folder of one; `talosmith fleet` shows all of them"),
        }
    };
    let keep = |inspected: &Inspected<'_>| match inspected.owner {
        Owner::Device(device) => Some(Kept::Device(Arc::clone(device))),
        Owner::User(_) => inspected.artifacts.map(|artifacts| Kept::Artifacts(user_files(artifacts))),
        Owner::Cluster(_) => None,
    };
    let mut inspection = inspect(project, &selection, Purpose::Validate, keep)?;
    // Those on the fleet as a whole are included.
    let findings = inspection.findings.iter().filter(|finding| inspection.is_about(finding, name) != Some(false));
    let findings = findings.filter(|finding| finding.level != Level::Note);
    let mut findings: Vec<Diagnostic> = findings.cloned().collect();
    let (mut device, mut artifacts) = (None, Vec::new());
    for kept in std::mem::take(&mut inspection.kept) {
        match kept {
            Kept::Device(kept) => device = Some(kept),
            Kept::Artifacts(kept) => artifacts = kept,
        }
    }
    let Some(device) = &device else {
        if inspection.waiting.contains(name) {
            let unread: Vec<&str> = inspection.broken.difference(&inspection.waiting).map(String::as_str).collect();
            context.console.status(&format!("`{name}` depends on devices that cannot be read: {}", unread.join(", ")));
        }
        context.report(Channel::Status, &mut findings, &mut inspection.sources, json!({}))?;
        return Ok(Exit::Findings);
    };
    let source = device.location.source;
    if arguments.svg {
        return show_map(context, &inspection.renderer, device);
    }
    let report = DeviceReport::new(device, resolved_keys(device), artifacts, inspection.sources.load_one(source));
    let text =
        if context.is_text() { report.text(context.console.style(Channel::Result)) } else { json_document(&report) };
    context.console.result(&text)?;
    if !findings.is_empty() {
        let counted = count_line(&findings);
        context.console.status(&format!("{counted}: talosmith validate {}", layout::device_folder(name)));
    }
    Ok(Exit::Success)
}

/// Prints the picture of a device's disks.
fn show_map(context: &mut Context<'_>, renderer: &Renderer, device: &Arc<Device>) -> anyhow::Result<Exit> {
    if device.storage.disks.is_empty() {
        anyhow::bail!("`{}` lists no `disks` to draw", device.name);
    }
    let map = renderer.disk_map(device).map_err(|error| anyhow::anyhow!("{}: {}", error.template, error.message))?;
    context.console.result(&map)?;
    Ok(Exit::Success)
}

fn user_files(artifacts: &[Artifact]) -> Vec<UserFile> {
    artifacts.iter().map(|artifact| UserFile { path: artifact.path.clone(), key: artifact.key.to_string() }).collect()
}
