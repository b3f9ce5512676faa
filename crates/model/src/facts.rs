//! What is known about Talos, its extensions, Tailscale and the local-path-provisioner: text tables, searched where they
//! lie.

pub(crate) mod table;
pub mod extensions;
pub mod fields;
pub mod local_path;
pub mod secrets;
pub mod tailscale;
pub mod talos;
pub(crate) mod types;
