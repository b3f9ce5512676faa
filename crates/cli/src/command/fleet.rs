//! `talosmith fleet`

use camino::Utf8PathBuf;
use clap::Args;

use super::{Exit, World, count, json_text};
use crate::console::Channel;
use crate::inspection::{Inspection, Keep, inspect};
use crate::roster::{Roster, State, dots};
use crate::tree::WorkTree;

/// Show all devices at a glance: versions, images, volumes, and how their files stand
#[derive(Debug, Args)]
pub struct Arguments {
    /// Devices to show, by name or folder [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// Show which device has which extension, in its applied image or in a schematic alone
    #[arg(long)]
    extensions: bool,
}

/// Runs the command.
///
/// # Errors
/// The world's, and an argument that names no device.
pub fn run(world: &mut World<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = world.root()?;
    let tree = WorkTree::new(root.path);
    let Inspection { project, selection, owners, differences } =
        inspect(&tree, &arguments.paths, &root.below, Keep::All)?;
    let roster = Roster::new(&project, &selection, &owners, &differences);
    let style = world.console.style(Channel::Result);
    let (text, hidden) = match (world.is_text(), arguments.extensions) {
        (false, _) => (json_text(&roster), Vec::new()),
        (true, true) => (roster.extensions(style), Vec::new()),
        (true, false) => roster.text(style),
    };
    world.console.result(&text)?;
    if world.is_text() && arguments.extensions {
        let [applied, listed, _] = dots(style);
        world.console.talk(&format!("{applied} in the applied image, {listed} in a schematic only"));
    }
    if !hidden.is_empty() {
        world.console.talk(&format!("no room for {}", hidden.join(", ")));
    }
    let broken = roster.devices.iter().filter(|row| row.state == State::Errors).count();
    if broken > 0 {
        let have = if broken == 1 { "has" } else { "have" };
        world.console.talk(&format!("{} {have} errors: talosmith validate", count(broken, "device")));
    }
    Ok(Exit::Success)
}
