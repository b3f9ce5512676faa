//! What is known about Talos, its extensions and Tailscale: text tables, searched where they lie.

pub(crate) mod table;
pub mod extensions;
pub mod fields;
pub mod secrets;
pub mod tailscale;
pub mod talos;
pub(crate) mod types;
