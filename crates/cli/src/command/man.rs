//! `talosmith man`

use clap::CommandFactory;

use super::{CommandLine, Context, Exit};

pub(crate) fn run(context: &mut Context<'_>) -> anyhow::Result<Exit> {
    let mut page = Vec::new();
    clap_mangen::Man::new(CommandLine::command()).render(&mut page)?;
    context.console.result(&String::from_utf8_lossy(&page))?;
    Ok(Exit::Success)
}
