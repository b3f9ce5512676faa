//! `talosmith show`

use std::sync::Arc;

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::Diagnostic;
use talosmith_model::layout;
use talosmith_model::plan::Device;
use talosmith_model::resolved_keys;

use super::{Context, Exit, count, json_text};
use crate::console::Channel;
use crate::device_report::DeviceReport;
use crate::inspection::{Inspection, inspect};
use crate::project::Project;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::{Inspected, Purpose};
use crate::tree::WorkTree;

/// Show a device: its facts and where each is written, its disks, images and files
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The device, by name or folder
    #[arg(value_name = "DEVICE")]
    device: Utf8PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read, an argument names no device, or the output cannot be written.
pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    let tree = WorkTree::new(root.path.clone());
    let project = Project::open(&tree)?;
    let selection = Selection::resolve(std::slice::from_ref(&arguments.device), &root.below, &project)?;
    let Some(name) = selection.only_device() else {
        anyhow::bail!("`{}` is not one device; `talosmith fleet` shows all of them", arguments.device);
    };
    let keep = |inspected: &Inspected<'_>| match inspected.owner {
        Owner::Device(device) => Some(Arc::clone(device)),
        Owner::Cluster(_) => None,
    };
    let mut inspection = inspect(project, &selection, Purpose::Render, keep)?;
    let mut findings = findings_of(&inspection, name);
    let Some(device) = inspection.kept.first() else {
        if inspection.waiting.contains(name) {
            let unread: Vec<&str> = inspection.broken.difference(&inspection.waiting).map(String::as_str).collect();
            context.console.status(&format!("`{name}` waits for devices that cannot be read: {}", unread.join(", ")));
        }
        context.report(Channel::Status, &mut findings, &mut inspection.sources, json!({}))?;
        return Ok(Exit::Findings);
    };
    let source = device.location.source;
    let report = DeviceReport::new(device, resolved_keys(device), inspection.sources.load_one(source));
    let text = if context.is_text() { report.text(context.console.style(Channel::Result)) } else { json_text(&report) };
    context.console.result(&text)?;
    if !findings.is_empty() {
        let counted = count(findings.len(), "finding");
        context.console.status(&format!("{counted}: talosmith validate {}", layout::device_folder(name)));
    }
    Ok(Exit::Success)
}

/// Returns the findings on a device, and on the fleet as a whole.
fn findings_of(inspection: &Inspection<'_, Arc<Device>>, name: &str) -> Vec<Diagnostic> {
    let concerns = |finding: &&Diagnostic| {
        if finding.devices.is_empty() {
            let path = inspection.sources.path(finding.at.location.source);
            layout::device_of(&path).is_none_or(|device| device == name)
        } else {
            finding.devices.contains(name)
        }
    };
    inspection.findings.iter().filter(concerns).cloned().collect()
}
