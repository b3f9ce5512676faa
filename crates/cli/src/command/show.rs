//! `talosmith show`

use camino::{Utf8Path, Utf8PathBuf};
use clap::Args;
use talosmith_document::Diagnostic;
use talosmith_model::resolved_keys;

use super::{Context, Exit, count, json_text};
use crate::console::Channel;
use crate::device_report::DeviceReport;
use crate::project::{DEVICES, Project};
use crate::selection::Selection;
use crate::tree::WorkTree;

/// Show a device: its facts and where each is written, its disks, images and files
#[derive(Debug, Args)]
pub struct Arguments {
    /// The device, by name or folder
    #[arg(value_name = "DEVICE")]
    device: Utf8PathBuf,
}

/// Runs the command.
///
/// # Errors
/// A file cannot be read, an argument names no device, or the output cannot be written.
pub fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root()?;
    let tree = WorkTree::new(root.path.clone());
    let project = Project::load(&tree)?;
    let selection = Selection::resolve(std::slice::from_ref(&arguments.device), &root.below, &project)?;
    let Some(name) = selection.only_device() else {
        anyhow::bail!("`{}` is not one device; `talosmith fleet` shows all of them", arguments.device);
    };
    let Some(device) = project.plan.devices.iter().find(|device| device.name == name) else {
        let mut findings = of_device(&project, name);
        if project.plan.waiting.contains(name) {
            let unread: Vec<&str> = project.plan.broken.difference(&project.plan.waiting).map(String::as_str).collect();
            context.console.status(&format!("`{name}` waits for devices that cannot be read: {}", unread.join(", ")));
        }
        context.report(Channel::Status, &mut findings, &project.sources, serde_json::Map::new())?;
        return Ok(Exit::Findings);
    };
    let report = DeviceReport::new(device, resolved_keys(device), &project.sources);
    let text = if context.is_text() { report.text(context.console.style(Channel::Result)) } else { json_text(&report) };
    context.console.result(&text)?;
    let warnings = of_device(&project, name).len();
    if warnings > 0 {
        context.console.status(&format!("{}: talosmith validate {DEVICES}/{name}", count(warnings, "finding")));
    }
    Ok(Exit::Success)
}

/// What is wrong with a device, and with the fleet as a whole.
fn of_device(project: &Project, name: &str) -> Vec<Diagnostic> {
    let own = Utf8Path::new(DEVICES).join(name);
    let concerns = |finding: &&Diagnostic| {
        if finding.devices.is_empty() {
            let path = &project.sources.get(finding.at.location.source).path;
            path.starts_with(&own) || !path.starts_with(DEVICES)
        } else {
            finding.devices.contains(name)
        }
    };
    project.findings.iter().filter(concerns).cloned().collect()
}
