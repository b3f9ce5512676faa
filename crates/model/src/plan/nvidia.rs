//! What a node with an NVIDIA GPU needs besides the extensions. Source: Talos's documentation of 1.12 and 1.13, "NVIDIA GPU".

use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion};

use super::extension_families::NVIDIA_DRIVERS;
use super::gpu::key;
use super::installer::{Applied, Source};
use super::raw::{self, MAIN};
use super::{Check, Patch, kernel_modules};
use crate::upstream::kernel_modules::to_load;

/// The first minor whose toolkit makes GPUs available to containers by the Container Device Interface, without a runtime of its own.
const CDI_SINCE: (u64, u64) = (1, 13);
/// The kernel parameter that keeps the toolkit of older versions from changing the device rules of a container.
const HARDENING: &str = "net.core.bpf_jit_harden";

/// Checks what a device with `gpu.nvidia` configures.
pub(super) fn check(
    check: &mut Check<'_>,
    version: &TalosVersion,
    applied: Option<&Applied<'_>>,
    patches: &[Arc<Patch>],
) {
    if check.file.device.gpu.nvidia.is_none() {
        return;
    }
    check_modules(check, applied, patches);
    if version.minor() < CDI_SINCE {
        check_hardening(check, patches);
    } else {
        check_plugin(check, version);
    }
}

/// Reports that nothing loads the module for CUDA, which the kernel loads for no other. An image of which no module is loaded at all
/// is reported at its extension.
fn check_modules(check: &mut Check<'_>, applied: Option<&Applied<'_>>, patches: &[Arc<Patch>]) {
    let wanted = to_load(NVIDIA_DRIVERS[0]);
    let is_loaded = |module: &str| kernel_modules::is_loaded(check, patches, module);
    let is_reported = applied.is_some_and(|applied| {
        matches!(applied.source, Source::Reference(_)) || NVIDIA_DRIVERS.iter().any(|driver| applied.has(driver))
    });
    if is_loaded("nvidia_uvm") || (is_reported && !wanted.iter().any(|module| is_loaded(module))) {
        return;
    }
    let missing = wanted.iter().filter(|module| !is_loaded(module));
    let lines: Vec<String> = missing.map(|module| format!("{module}: {{}}")).collect();
    let location = check.key(key("nvidia"));
    check.push(
        Diagnostic::new(Code::KernelModule, "nothing loads the kernel module `nvidia_uvm` of the NVIDIA GPU", location)
            .note("without it there is no /dev/nvidia-uvm, and CUDA finds no GPU")
            .help(format!("add under `kernelModules`:\n{}", lines.join("\n"))),
    );
}

/// Reports the hardening of BPF programs, which Talos turns on, where it is not lowered.
fn check_hardening(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    let typed = check.file.device.sysctls.iter().find(|(name, _)| name.as_str().replace('/', ".") == HARDENING);
    let raw = raw::documents(patches, MAIN).filter_map(|(_, document)| document.entry("machine.sysctls", HARDENING));
    let value = raw.last().or(typed.map(|(_, value)| value.as_str()));
    if matches!(value, Some("0" | "1")) {
        return;
    }
    let message = match value {
        Some(value) => format!("NVIDIA's toolkit does not work with `{HARDENING}: {value}`"),
        None => format!("NVIDIA's toolkit needs `{HARDENING}` to be 1, and Talos sets 2"),
    };
    let location = check.key(key("nvidia"));
    check.push(
        Diagnostic::new(Code::FeatureNeeds, message, location)
            .note("the toolkit cannot read the device rules of a container then, so containers with a GPU do not start")
            .help(format!("set it, as long as the node runs Talos 1.12 or older:\nsysctls:\n  {HARDENING}: \"1\"")),
    );
}

/// Reports a device plugin that needs the runtime that newer versions do not have.
fn check_plugin(check: &mut Check<'_>, version: &TalosVersion) {
    let own = check.file.device.gpu.nvidia.as_ref().is_some_and(|pods| pods.device_plugin.is_some());
    let application = check.cluster().and_then(|cluster| cluster.applications.gpu.as_ref());
    let of_cluster = application.and_then(|gpu| gpu.of("nvidia")).is_some_and(|pods| pods.device_plugin.is_some());
    let location = match (own, of_cluster) {
        (true, _) => check.key(key("nvidia").child("devicePlugin")),
        (false, true) => check.key(key("nvidia")),
        (false, false) => return,
    };
    let message = format!("NVIDIA's device plugin needs the runtime `nvidia`, which Talos {version} does not have");
    let mut finding = Diagnostic::new(Code::RemovedFeature, message, location);
    if !own {
        let at = Pointer::new("/clusters").child(&check.file.device.cluster);
        let plugin = at.child("applications").child("gpu").child("nvidia").child("devicePlugin");
        finding = finding.also(check.fleet.at(plugin).as_key(), "the cluster has the plugin");
    }
    check.push(
        finding
            .note("from 1.13 on, the toolkit provides GPUs to containers through CDI: pods of the plugin and of the RuntimeClass do not start")
            .help("remove `devicePlugin`, delete the plugin and the RuntimeClass from the cluster before the upgrade, and install NVIDIA's GPU operator (v26.3.1 or later) with driver.enabled=false, toolkit.enabled=false and hostPaths.driverInstallDir=/usr/local"),
    );
}
