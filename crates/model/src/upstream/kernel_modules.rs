//! Kernel modules of system extensions.

use talosmith_document::table;

const MODULES: &str = include_str!("kernel_modules.txt");

/// The extensions of which one has a kernel module; empty if Talos may ship the module.
pub(crate) fn extensions_with(module: &str) -> impl Iterator<Item = &'static str> {
    table::list(table::find(MODULES, module).and_then(|mut fields| fields.next()))
}

/// Returns the modules of an extension that nothing loads by itself, so that the machine config must.
///
/// Source: the READMEs of zfs, drbd and gasket-driver in siderolabs/extensions; Talos's documentation of 1.13, "NVIDIA GPU".
pub(crate) fn to_load(extension: &str) -> &'static [&'static str] {
    match extension {
        "siderolabs/zfs" => &["zfs"],
        "siderolabs/drbd" => &["drbd", "drbd_transport_tcp"],
        "siderolabs/gasket-driver" => &["gasket", "apex"],
        "siderolabs/nvidia-open-gpu-kernel-modules-lts"
        | "siderolabs/nvidia-open-gpu-kernel-modules-production"
        | "siderolabs/nonfree-kmod-nvidia-lts"
        | "siderolabs/nonfree-kmod-nvidia-production" => &["nvidia", "nvidia_uvm", "nvidia_drm", "nvidia_modeset"],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::MODULES;
    use talosmith_document::table;

    #[test]
    fn the_table_is_sorted() {
        let keys: Vec<&str> = table::rows(MODULES).filter_map(|mut row| row.next()).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
    }
}
