//! What features need: extensions, volumes, applications. Nothing is added silently; what is missing is reported.

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, TalosVersion};
use talosmith_machinery::talos_data::talos;

use super::extension_families::NVIDIA_DRIVERS;
use super::installer::{Applied, Source};
use super::{Check, Volume};
use crate::Device;

/// A feature: its key, what it is called, whether a device has it, and the extensions of which the node needs one to offer it.
type Feature = (&'static str, &'static str, fn(&Device) -> bool, &'static [&'static str]);

const FEATURES: [Feature; 5] = [
    ("/tailscale", "the Tailscale service", |device| device.tailscale.is_some(), &["siderolabs/tailscale"]),
    ("/kata", "kata containers", |device| device.kata, &["siderolabs/kata-containers"]),
    ("/gpu/amd", "the AMD GPU", |device| device.gpu.amd.is_some(), &["siderolabs/amdgpu"]),
    ("/gpu/intel", "the Intel GPU", |device| device.gpu.intel.is_some(), &["siderolabs/i915", "siderolabs/xe"]),
    ("/gpu/nvidia", "the NVIDIA GPU", |device| device.gpu.nvidia.is_some(), &NVIDIA_DRIVERS),
];

/// Extensions that the applied image lacks, if it is known which ones it has.
pub(super) fn extensions(check: &mut Check<'_>, applied: Option<&Applied<'_>>) {
    let Some(applied) = applied else { return };
    let device = &check.file.device;
    for (pointer, feature, is_wanted, extensions) in FEATURES {
        if is_wanted(device) && !extensions.iter().any(|extension| applied.has(extension)) {
            let location = check.key(Pointer::from(pointer));
            missing_extension(check, applied, feature, extensions[0], location);
        }
    }
}

/// Reports an extension that `user`, which is written at `location`, needs and that the applied image does not have.
pub(super) fn missing_extension(
    check: &mut Check<'_>,
    applied: &Applied<'_>,
    user: &str,
    extension: &str,
    location: Location,
) {
    let finding =
        Diagnostic::new(Code::MissingExtension, format!("{user} needs the extension `{extension}`"), location);
    check.push(match &applied.source {
        Source::Schematic(name) => finding
            .also(check.key(Pointer::new("/schematics").child(name)), "the image that is applied lacks it")
            .note("it is not added automatically, because the order of extensions is part of the image's ID")
            .help(format!("add a line under `schematics.{name}.extensions`:\n- {extension}")),
        Source::Reference(image) => finding
            .also(image.clone(), "this image has no extension")
            .help(format!("describe the image instead of the reference, as in\nschematics:\n  main: {{ extensions: [{extension}] }}\ninstall:\n  image: {{ schematic: main }}")),
    });
}

/// Checks what the node offers to the cluster's applications, and returns its paths for local-path.
pub(super) fn applications(check: &mut Check<'_>, volumes: &[Volume], version: &TalosVersion) -> Option<Vec<String>> {
    let device = &check.file.device;
    let cluster = check.fleet.fleet.clusters.get(&device.cluster)?;
    if device.kata {
        check_known_version(check, version);
        match &cluster.applications.kata_containers {
            None => unknown_application(check, "/kata", "kata-containers"),
            Some(kata) => scratch_volume(check, volumes, kata.scratch.volume.as_str()),
        }
    }
    let offered = device.local_path.as_ref()?;
    if cluster.applications.local_path.is_none() {
        unknown_application(check, "/localPath", "local-path");
    }
    let Some(names) = &offered.volumes else {
        check.missing(&Pointer::new("/localPath"), "volumes", "volumes: [local-path-provisioner]");
        return None;
    };
    let mut paths = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let at = Pointer::new("/localPath/volumes").item(index);
        match volumes.iter().find(|volume| volume.name == name.as_str()) {
            Some(Volume { mount_path: Some(path), .. }) if !paths.contains(path) => paths.push(path.clone()),
            Some(Volume { mount_path: Some(_), .. }) => {
                check.push(
                    Diagnostic::new(Code::DuplicateItem, format!("`{name}` is listed twice"), check.at(at))
                        .help("remove one"),
                );
            }
            Some(_) => {
                check.push(own_volume(name.as_str(), check.at(at)));
            }
            None if device.volumes.contains_key(name) => {}
            None => unknown_volume(check, at, volumes, name.as_str()),
        }
    }
    Some(paths)
}

/// Reports kata containers on a Talos whose own files of containerd are not known: overwriting one that it does not ship ends a boot.
fn check_known_version(check: &mut Check<'_>, version: &TalosVersion) {
    let newest = talos::newest_minor();
    if version.minor() <= newest {
        return;
    }
    let message = format!("kata containers replace files of containerd, and those of Talos {version} are not known");
    let mut finding = Diagnostic::new(Code::NewerTalos, message, check.key("/kata"));
    finding.level = Level::Error;
    check.push(
        finding
            .note("a file that this Talos does not ship as expected would keep the node from booting")
            .help(format!("stay on Talos {}.{}, use a newer talosmith, or write `kata: false`", newest.0, newest.1)),
    );
}

/// Reports one of Talos's own volumes where a user volume is required.
pub(super) fn own_volume(name: &str, location: Location) -> Diagnostic {
    Diagnostic::new(Code::UnknownVolume, format!("`{name}` is not mounted below /var/mnt"), location)
        .note("only user volumes and existing volumes are")
}

/// Reports a volume that does not exist, at the item of a list or the key of a mapping.
pub(super) fn unknown_volume(check: &mut Check<'_>, at: Pointer, volumes: &[Volume], name: &str) {
    let is_key = at.last().is_some_and(|last| last == name);
    let location = if is_key { check.key(at) } else { check.at(at) };
    let finding = Diagnostic::new(Code::UnknownVolume, format!("the device has no volume `{name}`"), location)
        .note("without it the data would be written to EPHEMERAL, at the same path");
    let names = volumes.iter().filter(|volume| volume.mount_path.is_some()).map(|volume| volume.name.as_str());
    check.push(finding.did_you_mean(name, names).unwrap_or_else(|finding| {
        finding.help(format!("add it under `volumes`, as in\n{name}: {{ disk: nvme0n1, size: 100GB }}"))
    }));
}

fn scratch_volume(check: &mut Check<'_>, volumes: &[Volume], name: &str) {
    if volumes.iter().any(|volume| volume.name == name && volume.mount_path.is_some())
        || check.file.device.volumes.keys().any(|volume| volume.as_str() == name)
    {
        return;
    }
    let cluster = Pointer::new("/clusters").child(&check.file.device.cluster);
    let scratch =
        check.fleet.at(cluster.child("applications").child("kata-containers").child("scratch").child("volume"));
    let message = format!("kata needs the volume `{name}`, which the device does not have");
    check.push(
        Diagnostic::new(Code::UnknownVolume, message, check.at("/kata"))
            .also(scratch, "named here")
            .note("without it the scratch file would be created on EPHEMERAL, at the same path")
            .help(format!("add it under `volumes`, as in\n{name}: {{ disk: nvme0n1, size: 500GB }}")),
    );
}

fn unknown_application(check: &mut Check<'_>, pointer: &str, name: &str) {
    let cluster = check.file.device.cluster.clone();
    let message = format!("the cluster `{cluster}` has no application `{name}`");
    check.push(
        Diagnostic::new(Code::UnknownApplication, message, check.key(Pointer::from(pointer)))
            .help(format!("describe it in talosmith.yaml, under `clusters.{cluster}.applications.{name}`")),
    );
}
