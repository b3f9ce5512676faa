//! Kernel modules and the extensions that have them, and the IOMMU that some of them need.

use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::installer::{Applied, Source};
use super::raw::{self, MAIN, Place};
use super::{Check, Patch};
use crate::upstream::kernel_modules::{extensions_with, to_load};

const RAW: &[Place] = &[(MAIN, "machine.kernel.modules[].name"), ("KernelModuleConfig", "name")];

/// Kernel arguments that turn off the IOMMU. Source: the kernel's `admin-guide/kernel-parameters`.
const IOMMU_OFF: [&str; 3] = ["amd_iommu=off", "intel_iommu=off", "iommu=off"];
/// Modules that pass PCI devices to virtual machines.
const VFIO: [&str; 3] = ["vfio", "vfio_iommu_type1", "vfio_pci"];

/// A kernel module that the machine config loads, with `_` for `-` as the kernel has it, and where it is written.
type Module = (String, Location);

/// Checks the modules of a device against the image that is applied, if that is known.
pub(super) fn check(check: &mut Check<'_>, applied: Option<&Applied<'_>>, patches: &[Arc<Patch>]) {
    let written = check.file.device.kernel_modules.keys();
    let typed = written.map(|name| (name.as_str(), check.key(Pointer::new("/kernelModules").child(name))));
    let raw = raw::scalars(patches, RAW).into_iter().map(|scalar| (scalar.text, scalar.location));
    let modules: Vec<Module> = typed.chain(raw).map(|(name, at)| (name.replace('-', "_"), at)).collect();
    check_iommu(check, applied, &modules, patches);
    let Some(applied) = applied else { return };
    for (module, location) in &modules {
        let mut extensions = extensions_with(module).peekable();
        let Some(first) = extensions.peek().copied() else { continue };
        if extensions.any(|extension| applied.has(extension)) {
            continue;
        }
        let message = format!("Talos has no kernel module `{module}`, and the image has no extension with it");
        let finding = Diagnostic::new(Code::KernelModule, message, location.clone());
        check.push(match &applied.source {
            Source::Schematic(name) => {
                finding.help(format!("add a line under `schematics.{name}.extensions`:\n- {first}\nor remove the module"))
            }
            Source::Reference(image) => finding.also(image.clone(), "the image that is applied").help(format!(
                "describe the image instead of the reference, as in\nschematics:\n  main: {{ extensions: [{first}] }}\ninstall:\n  image: {{ schematic: main }}"
            )),
        });
    }
    check_unloaded(check, applied, &modules);
}

/// Whether the machine config loads a module, whose name is as the kernel has it.
pub(super) fn is_loaded(check: &Check<'_>, patches: &[Arc<Patch>], module: &str) -> bool {
    let is_it = |name: &str| name.replace('-', "_") == module;
    check.file.device.kernel_modules.keys().any(|name| is_it(name.as_str()))
        || raw::scalars(patches, RAW).iter().any(|scalar| is_it(scalar.text))
}

/// Reports extensions whose modules are not loaded.
fn check_unloaded(check: &mut Check<'_>, applied: &Applied<'_>, modules: &[Module]) {
    let Source::Schematic(schematic) = &applied.source else { return };
    for (index, extension) in applied.extensions.iter().enumerate() {
        let wanted = to_load(extension);
        if wanted.is_empty() || modules.iter().any(|(module, _)| wanted.contains(&module.as_str())) {
            continue;
        }
        let at = Pointer::new("/schematics").child(schematic).child("extensions").item(index);
        let lines: Vec<String> = wanted.iter().map(|module| format!("  {module}: {{}}")).collect();
        let message = format!("nothing loads the kernel modules of `{extension}`");
        check.push(
            Diagnostic::new(Code::KernelModule, message, check.at(at))
                .note("the driver does nothing without them, and services that need it wait")
                .help(format!("load them:\nkernelModules:\n{}", lines.join("\n"))),
        );
    }
}

/// Reports a kernel argument of the applied image that turns off the IOMMU, if the device uses VFIO.
fn check_iommu(check: &mut Check<'_>, applied: Option<&Applied<'_>>, modules: &[Module], patches: &[Arc<Patch>]) {
    let Some(Applied { source: Source::Schematic(schematic), .. }) = applied else { return };
    let device = &check.file.device;
    let arguments = device.schematics.iter().filter(|(name, _)| name.as_str() == schematic);
    let mut arguments = arguments.flat_map(|(name, schematic)| {
        let arguments = schematic.extra_kernel_args.iter().enumerate();
        arguments.map(move |(index, argument)| (name, index, argument.as_str()))
    });
    let Some((name, index, argument)) = arguments.find(|(_, _, argument)| IOMMU_OFF.contains(argument)) else { return };
    let module = modules.iter().find(|(module, _)| VFIO.contains(&module.as_str())).map(|(_, at)| at.clone());
    let rebind = raw::scalars(patches, &[("PCIDriverRebindConfig", "targetDriver")]);
    let rebind = rebind.into_iter().find(|scalar| scalar.text == "vfio-pci").map(|scalar| scalar.location);
    let Some(user) = module.or(rebind) else { return };
    let at = Pointer::new("/schematics").child(name).child("extraKernelArgs").item(index);
    let message = format!("`{argument}` turns off the IOMMU, which VFIO needs");
    check.push(
        Diagnostic::new(Code::IommuOff, message, check.at(at))
            .also(user, "VFIO is used here")
            .note("without an IOMMU, vfio-pci binds no device")
            .help("remove the argument, or what is for VFIO"),
    );
}
