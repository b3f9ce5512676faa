//! `talosmith man`

use clap::CommandFactory;

use super::{CommandLine, Exit, World};

/// Runs the command.
///
/// # Errors
/// The output cannot be written.
pub fn run(world: &mut World<'_>) -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(CommandLine::command()).render(&mut page)?;
    world.console.result(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Success)
}
