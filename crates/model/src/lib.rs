//! From the text that a user wrote to the plan that the rest of talosmith relies on.
//!
//! The modules are in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

pub mod layout;
pub mod facts;
mod partitions;
mod schematic;
mod secret_source;
pub mod scalar;
pub mod device;
pub mod fleet;
mod schema;
mod layer;
mod partial_device;
mod input;
mod resolved_key;
pub mod plan;

pub use input::{DeviceFile, FleetFile, Keys, LayerRank};
pub use partial_device::PartialDevice;
pub use partitions::{aligned, free_space};
pub use plan::Plan;
pub use resolved_key::{ResolvedKey, resolved_keys};
pub use schema::Schema;
pub use schematic::{
    Bootloader, Customization, DiskImage, EnrollKeys, Meta, Overlay, Reason, Schematic, SecureBoot, SystemExtensions,
    Unstable,
};
pub use secret_source::{SecretSource, SopsValue};
