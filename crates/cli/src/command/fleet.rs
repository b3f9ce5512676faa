//! `talosmith fleet`

use camino::Utf8PathBuf;
use clap::Args;

use super::{Context, Exit, count, open};
use crate::console::Channel;
use crate::fleet_overview::{FleetOverview, RenderedDevice, State, dots};
use crate::inspection::inspect;
use crate::report::{Style, json_document};
use crate::steps::Purpose;
use crate::tree::WorkTree;

/// Show an overview of all devices: versions, images, volumes, and the state of their files
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith fleet\n  \
    talosmith fleet home --extensions")]
pub(crate) struct Arguments {
    /// Devices to show, by name, folder or cluster [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Show which device has which extension, in its applied image or in a schematic only
    #[arg(long)]
    extensions: bool,
}

/// The width of a pipe in columns.
const UNLIMITED: usize = 10_000;

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    let tree = WorkTree::new(root.path.clone());
    let (project, selection) = open(&root, &tree, &arguments.paths)?;
    let inspection = inspect(project, &selection, Purpose::Compare, RenderedDevice::keep)?;
    let overview = FleetOverview::new(&inspection, &selection);
    // A program that reads the lines wants one for each device.
    let style = context.console.style(Channel::Result);
    let style = if context.console.is_piped() { Style { width: UNLIMITED, ..style } } else { style };
    let (text, hidden) = match (context.is_text(), arguments.extensions) {
        (false, _) => (json_document(&overview), Vec::new()),
        (true, true) => (overview.extensions(style), Vec::new()),
        (true, false) => overview.text(style),
    };
    context.console.result(&text)?;
    if context.is_text() && arguments.extensions {
        let [applied, listed, _] = dots(style);
        context.console.status(&format!("{applied} in the applied image, {listed} in a schematic only"));
    }
    if !hidden.is_empty() {
        context.console.status(&format!("no room for {}", hidden.join(", ")));
    }
    let broken = overview.devices.iter().filter(|row| row.state == State::Errors).count();
    if broken > 0 {
        let have = if broken == 1 { "has" } else { "have" };
        context.console.status(&format!("{} {have} errors: talosmith validate", count(broken, "device")));
    }
    Ok(Exit::Success)
}
