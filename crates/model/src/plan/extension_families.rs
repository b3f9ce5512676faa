//! Extensions of one schematic that exclude or need each other.

use talosmith_document::{Code, Diagnostic, Level, Pointer};

use super::Check;
use crate::scalar::{Extension, Name};

/// The parts of NVIDIA's driver, of which each exists for every flavour. Source: the catalogue of siderolabs/extensions.
const OPEN: &str = "siderolabs/nvidia-open-gpu-kernel-modules-";
const NONFREE: &str = "siderolabs/nonfree-kmod-nvidia-";
const TOOLKIT: &str = "siderolabs/nvidia-container-toolkit-";
const FABRIC: &str = "siderolabs/nvidia-fabricmanager-";

/// The extensions with NVIDIA's kernel modules.
pub(super) const NVIDIA_DRIVERS: [&str; 4] = [
    "siderolabs/nvidia-open-gpu-kernel-modules-lts",
    "siderolabs/nvidia-open-gpu-kernel-modules-production",
    "siderolabs/nonfree-kmod-nvidia-lts",
    "siderolabs/nonfree-kmod-nvidia-production",
];

/// Extensions that do nothing without another one. Source: their READMEs in siderolabs/extensions.
const NEEDS: &[(&str, &[&str])] = &[
    ("siderolabs/gvisor-debug", &["siderolabs/gvisor"]),
    ("siderolabs/kata-containers-snp", &["siderolabs/kata-containers"]),
    (
        "siderolabs/nvidia-gdrdrv-device",
        &["siderolabs/nvidia-open-gpu-kernel-modules-lts", "siderolabs/nvidia-open-gpu-kernel-modules-production"],
    ),
];

/// Checks the extensions of every schematic of a device.
pub(super) fn check(check: &mut Check<'_>) {
    for (name, schematic) in &check.file.device.schematics {
        check_nvidia(check, name, &schematic.extensions);
        for (extension, needed) in NEEDS {
            let Some(index) = position(&schematic.extensions, extension) else { continue };
            if needed.iter().any(|needed| position(&schematic.extensions, needed).is_some()) {
                continue;
            }
            let message = format!("`{extension}` does nothing without `{}`", needed[0]);
            let finding = Diagnostic::new(Code::ExtensionConflict, message, check.at(item(name, index)));
            check.push(finding.help(add(name, needed[0])));
        }
    }
}

/// Checks that all parts of NVIDIA's driver are of one kind and one flavour, and that none is missing.
fn check_nvidia(check: &mut Check<'_>, name: &Name, extensions: &[Extension]) {
    let part = |prefix: &'static str| {
        let of_part = extensions.iter().enumerate();
        of_part.filter_map(move |(index, extension)| Some((index, prefix, extension.as_str().strip_prefix(prefix)?)))
    };
    let mut parts = [OPEN, NONFREE, TOOLKIT, FABRIC].into_iter().flat_map(part);
    let Some((first, _, flavour)) = parts.next() else { return };
    if let Some((index, ..)) = parts.find(|(_, _, other)| *other != flavour) {
        let (one, other) = (&extensions[first], &extensions[index]);
        let wanted = other.as_str().rsplit_once('-').map_or("", |(part, _)| part);
        let message = format!("`{other}` is not of the driver version of `{one}`");
        let finding = conflict(check, name, [first, index], &message)
            .note("containers find no GPU if the kernel modules and the other parts differ in their version")
            .help(format!("write `{wanted}-{flavour}` instead, or the other flavour everywhere"));
        check.push(finding);
        return;
    }
    let (open, nonfree, toolkit) = (part(OPEN).next(), part(NONFREE).next(), part(TOOLKIT).next());
    match (open, nonfree, toolkit) {
        (Some((open, ..)), Some((nonfree, ..)), _) => {
            let message = "the open and the nonfree kernel modules of NVIDIA exclude each other";
            let finding = conflict(check, name, [open, nonfree], message)
                .note("both have modules of the same names")
                .help(format!("remove one: `{}` is for Turing and newer GPUs", extensions[open]));
            check.push(finding);
        }
        (None, None, Some((index, ..))) => {
            let message = format!("`{}` does nothing without kernel modules of NVIDIA", extensions[index]);
            let finding = Diagnostic::new(Code::ExtensionConflict, message, check.at(item(name, index)));
            check.push(finding.help(add(name, &format!("{OPEN}{flavour}"))));
        }
        (Some((index, ..)), None, None) | (None, Some((index, ..)), None) => {
            let message = format!("containers cannot use the GPU of `{}` without NVIDIA's toolkit", extensions[index]);
            let mut finding = Diagnostic::new(Code::ExtensionConflict, message, check.at(item(name, index)));
            if check.file.device.gpu.nvidia.is_none() {
                finding.level = Level::Warning;
            }
            check.push(finding.help(add(name, &format!("{TOOLKIT}{flavour}"))));
        }
        _ => {}
    }
}

fn conflict(check: &Check<'_>, name: &Name, [one, other]: [usize; 2], message: &str) -> Diagnostic {
    Diagnostic::new(Code::ExtensionConflict, message, check.at(item(name, other)))
        .also(check.at(item(name, one)), "together with this one")
}

fn item(name: &Name, index: usize) -> Pointer {
    Pointer::new("/schematics").child(name).child("extensions").item(index)
}

fn position(extensions: &[Extension], name: &str) -> Option<usize> {
    extensions.iter().position(|extension| extension.as_str() == name)
}

fn add(schematic: &Name, extension: &str) -> String {
    format!("add a line under `schematics.{schematic}.extensions`:\n- {extension}")
}
