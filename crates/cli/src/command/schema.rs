//! `talosmith schema`

use clap::{Args, ValueEnum};
use talosmith_model::Schema;

use super::{Context, Exit};

/// Print the JSON Schema of a file that you write
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith schema device > schemas/device.schema.json\n  \
    talosmith schema report")]
pub(crate) struct Arguments {
    /// The file or format
    #[arg(value_enum, default_value_t)]
    name: Name,
}

/// A file that the user writes, or a format that talosmith writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Name {
    /// `devices/<name>/device.yaml`
    #[default]
    Device,
    /// talosmith.yaml
    Fleet,
    /// The findings that `--format json` prints
    Report,
    /// What `talosmith show --format json` prints
    Show,
    /// What `talosmith fleet --format json` prints
    FleetReport,
    /// What `talosmith review --format json` prints
    Review,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    context.console.result(match arguments.name {
        Name::Device => Schema::Device.published(),
        Name::Fleet => Schema::Fleet.published(),
        Name::Report => include_str!("../../../../schemas/report.schema.json"),
        Name::Show => include_str!("../../../../schemas/show.schema.json"),
        Name::FleetReport => include_str!("../../../../schemas/fleet-report.schema.json"),
        Name::Review => include_str!("../../../../schemas/review.schema.json"),
    })?;
    Ok(Exit::Success)
}
