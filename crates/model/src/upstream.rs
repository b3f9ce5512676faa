//! Tables about projects around Talos: system extensions, Tailscale and the local-path-provisioner. They are searched in place.

pub(crate) mod extensions;
pub(crate) mod kernel_modules;
pub(crate) mod local_path;
pub(crate) mod tailscale;
