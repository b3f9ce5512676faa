//! What is known about extensions, Tailscale and the local-path-provisioner: text tables, searched in place.

pub mod extensions;
pub mod local_path;
pub mod tailscale;
