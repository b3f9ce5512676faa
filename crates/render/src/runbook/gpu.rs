//! The GPUs of a node, as the model describes them.

use serde::Serialize;
use talosmith_model::plan::Device;

/// A kind of GPU.
#[derive(Debug, Serialize)]
pub(crate) struct GpuFacts<'a> {
    vendor: &'static str,
    /// The extension of the image that has the driver; none if the image is not known to have it.
    driver: Option<&'a str>,
    /// The kernel module, as `/proc/modules` names it.
    module: &'static str,
    /// The resource that the device plugin provides.
    resource: &'static str,
}

/// For each kind of GPU: its vendor, the start of the extensions with the driver, the module, and the resource.
/// Sources: Talos's documentation of 1.12 to 1.14, "AMD GPU" and "NVIDIA GPU"; the READMEs of the device plugins.
const KINDS: [(&str, &str, &str, &str); 4] = [
    ("AMD", "siderolabs/amdgpu", "amdgpu", "amd.com/gpu"),
    ("Intel", "siderolabs/i915", "i915", "gpu.intel.com/i915"),
    ("Intel", "siderolabs/xe", "xe", "gpu.intel.com/xe"),
    ("NVIDIA", "siderolabs/nvidia-", "nvidia", "nvidia.com/gpu"),
];

/// Returns the GPUs for which the device has a key, or its image a driver.
pub(crate) fn gpus(device: &Device) -> Vec<GpuFacts<'_>> {
    let extensions = device.images.applied().map_or(&[][..], |schematic| &schematic.extensions);
    let gpu = &device.kubernetes.gpu;
    let kinds = KINDS.iter().filter_map(|(vendor, extension, module, resource)| {
        let driver = extensions.iter().find(|other| other.starts_with(extension)).map(String::as_str);
        // An integrated GPU of Intel's has a driver on nodes that run nothing on it.
        let is_wanted = match *vendor {
            "AMD" => gpu.amd.is_some() || driver.is_some(),
            "Intel" => gpu.intel.is_some() && driver.is_some(),
            _ => gpu.nvidia.is_some() || driver.is_some(),
        };
        is_wanted.then_some(GpuFacts { vendor, driver, module, resource })
    });
    kinds.collect()
}
