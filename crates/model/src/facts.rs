//! What is known about Talos, its extensions and Tailscale: text tables, searched where they lie.

mod table;
pub mod extensions;
pub mod fields;
pub mod secrets;
pub mod tailscale;
pub mod talos;
