//! From the text that a user wrote to the plan that the rest of talosmith relies on.
//!
//! The modules stand in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

mod memo;
mod code;
mod place;
mod diagnostic;
mod document;
mod locate;
mod version;
mod suggestion;
mod order;
pub mod facts;
mod partitions;
pub mod cel;
mod schematic;
mod secret_source;
pub mod scalar;
pub mod device;
pub mod fleet;
mod schema;
mod layer;
mod sketch;
mod read;
pub mod machine_config;
mod fact;
pub mod plan;

pub use code::{Code, Level, NoSuchCode};
pub use diagnostic::{Diagnostic, Label, merge};
pub use document::{BlockText, Document, Entry, Node, NodeValue, Style, decode};
pub use fact::{Fact, facts};
pub use locate::{Locator, line_column};
pub use memo::Memo;
pub use order::natural;
pub use partitions::{Free, Shortfall, aligned};
pub use place::{Place, Pointer, Range32, Source, SourceId, Sources, Spot};
pub use plan::Plan;
pub use read::{DeviceFile, FleetFile, Keys, LayerRank};
pub use schema::Schema;
pub use schematic::{
    Bootloader, Customization, DiskImage, EnrollKeys, Meta, Overlay, Reason, Schematic, SecureBoot, SystemExtensions,
    Unstable,
};
pub use secret_source::{SecretSource, SopsValue};
pub use sketch::Sketch;
pub use suggestion::closest;
pub use version::{TalosVersion, VersionError};
