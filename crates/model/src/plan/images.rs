//! Schematics and installer images.

use std::collections::BTreeMap;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Level, Pointer, TalosVersion};

use super::versions::Versions;
use super::{Check, ConfigFormat, Disk, selectors};
use crate::device;
use crate::device::{Arch, InstallImage as Written};
use crate::scalar::{DnsLabel, Extension, Name, Registry};
use crate::schematic::{
    Bootloader, Customization, EnrollKeys, Meta, PlannedOverlay, Schematic, SystemExtensions, Unstable,
};
use crate::upstream::extensions;

/// The factory that builds images: <https://factory.talos.dev>.
pub(super) const FACTORY: &str = "factory.talos.dev";

/// The schematics and installer images of a device.
#[derive(Debug, Serialize)]
pub struct Images {
    /// The schematics in the order of their names.
    pub schematics: Vec<PlannedSchematic>,
    /// How Talos is installed.
    pub install: Install,
}

impl Images {
    /// Returns the schematic of the installer image that is applied; none if it is not one of the device's.
    #[must_use]
    pub fn applied(&self) -> Option<&PlannedSchematic> {
        let name = self.install.image.as_ref()?.schematic.as_ref()?;
        self.schematics.iter().find(|schematic| schematic.name == *name)
    }
}

/// A schematic of a device.
#[derive(Debug, Serialize)]
pub struct PlannedSchematic {
    pub name: String,
    /// The hash of its content: 64 hexadecimal digits.
    pub id: String,
    /// Kernel arguments in order.
    pub extra_kernel_args: Vec<String>,
    /// Extensions in order.
    pub extensions: Vec<String>,
    /// The overlay of a single-board computer, if there is one.
    pub overlay: Option<PlannedOverlay>,
    /// Whether the schematic has anything but an overlay.
    pub is_customized: bool,
    /// Values of the META partition, in order.
    pub meta: Vec<Meta>,
    /// What SecureBoot enrols, none if the model does not specify it.
    pub secureboot: Option<SecureBoot>,
    /// The boot loader, none if the model does not specify it.
    pub bootloader: Option<Bootloader>,
    /// A machine config in the image, if there is one.
    pub embedded_machine_configuration: Option<String>,
    /// The bytes of a sector of disk images, none if the model does not specify it.
    pub sector_size: Option<u32>,
}

/// What SecureBoot enrols.
#[derive(Debug, Serialize)]
pub struct SecureBoot {
    /// When the keys are enrolled, none if the model does not specify it.
    pub enroll_keys: Option<EnrollKeys>,
    /// Whether Microsoft's certificates are enrolled too.
    pub include_well_known_certificates: bool,
}

/// How Talos is installed.
#[derive(Debug, Serialize)]
pub struct Install {
    /// The image that is applied.
    pub image: Option<InstallImage>,
    /// Images that are not.
    pub alternatives: Vec<NamedImage>,
    /// Whether the model requests that the system disk is named.
    pub disk: bool,
    /// Whether installing wipes the system disk, none if the model does not specify it.
    pub wipe: Option<bool>,
    /// The selector of the system disk, if there is one.
    pub disk_selector: Option<String>,
    /// The path of the system disk, if the model has it.
    pub disk_path: Option<String>,
    /// Properties of the system disk, as keys of `machine.install.diskSelector`.
    pub disk_facts: BTreeMap<&'static str, String>,
}

impl Install {
    /// Returns the key for which a patch names the system disk.
    pub fn disk_key(&self) -> Option<&'static str> {
        if self.disk { Some("/install/disk") } else { self.wipe.map(|_| "/install/wipe") }
    }
}

/// An installer image.
#[derive(Debug, Clone, Serialize)]
pub struct InstallImage {
    pub reference: String,
    /// The schematic that it was made from, if it is the device's.
    pub schematic: Option<String>,
}

/// An installer image with a name.
#[derive(Debug, Clone, Serialize)]
pub struct NamedImage {
    pub name: String,
    pub reference: String,
}

/// Plans the schematics of a device, and how Talos is installed on one of its `disks`.
pub(super) fn plan(check: &mut Check<'_>, versions: &Versions, disks: &[Disk]) -> Images {
    let schematics = schematics(check, &versions.talos);
    let mut install = install(check, &versions.talos, &schematics);
    if let Some(disk) = disks.iter().find(|disk| disk.system) {
        install.disk_selector = Some(disk.selector.clone());
        let described = check.file.device.disks.values().find(|disk| disk.system);
        install.disk_path = described.and_then(|disk| disk.path.as_ref()).map(ToString::to_string);
        if let (None, Some(described)) = (&install.disk_path, described) {
            install.disk_facts = selectors::install_facts(check, disk, described, &versions.talos);
        }
    }
    system_disk(check, &install, versions.config_format);
    Images { schematics, install }
}

/// The install documents of 1.14 need the disk's selector, and so does a patch that only sets `wipe`.
fn system_disk(check: &mut Check<'_>, install: &Install, config_format: ConfigFormat) {
    let has_image = install.image.is_some() || !install.alternatives.is_empty();
    let pointer = match install.disk_key() {
        Some(key) => key,
        None if config_format == ConfigFormat::Documents && has_image => "/install",
        None => return,
    };
    if install.disk_selector.is_none() {
        let location = check.key(Pointer::from(pointer));
        check.push(
            Diagnostic::new(Code::MissingKey, "no disk is `system`, so the disk to install on is not known", location)
                .help("mark it under `disks` with a line\nsystem: true"),
        );
    } else if config_format == ConfigFormat::V1Alpha1 && install.disk_path.is_none() && install.disk_facts.is_empty() {
        let system = check.file.device.disks.iter().find(|(_, disk)| disk.system);
        let Some((name, _)) = system else { return };
        check.push(
            Diagnostic::new(Code::MissingKey, format!("the installer cannot find `{name}` with its selector"), check.key(Pointer::new("/disks").child(name)))
                .also(check.key(pointer), "the disk to install on is needed here")
                .note("with a base config before 1.14 it looks for a path, or for a serial number, a WWID, a model, a bus path or NVMe")
                .help("add a property of the disk, as in\nserial: S5GXNF0R1"),
        );
    }
}

/// Plans the schematics of a device.
fn schematics(check: &mut Check<'_>, version: &TalosVersion) -> Vec<PlannedSchematic> {
    let mut planned = Vec::with_capacity(check.file.device.schematics.len());
    for (name, written) in &check.file.device.schematics {
        let at = Pointer::new("/schematics").child(name);
        check_extensions(check, &at.child("extensions"), &written.extensions, version);
        let schematic = factory_schematic(written);
        match schematic_id(check, &schematic) {
            Ok(id) => planned.push(PlannedSchematic {
                name: name.to_string(),
                id,
                is_customized: schematic.customization != Customization::default(),
                extra_kernel_args: schematic.customization.extra_kernel_args,
                extensions: schematic.customization.system_extensions.official_extensions,
                overlay: written.overlay.as_ref().map(PlannedOverlay::new),
                meta: schematic.customization.meta,
                secureboot: written.secureboot.as_ref().map(|secureboot| SecureBoot {
                    enroll_keys: secureboot.enroll_keys,
                    include_well_known_certificates: secureboot.include_well_known_certificates,
                }),
                bootloader: written.bootloader,
                embedded_machine_configuration: written.embedded_machine_configuration.clone(),
                sector_size: written.disk_image.as_ref().map(|image| image.sector_size).filter(|size| *size > 0),
            }),
            Err(unstable) => report_unstable(check, &at, &unstable),
        }
    }
    planned
}

/// Returns a schematic as the Image Factory receives it.
fn factory_schematic(written: &device::Schematic) -> Schematic {
    let official_extensions = written.extensions.iter().map(ToString::to_string).collect();
    let customization = Customization {
        embedded_machine_configuration: written.embedded_machine_configuration.clone().unwrap_or_default(),
        extra_kernel_args: written.extra_kernel_args.iter().map(ToString::to_string).collect(),
        meta: written.meta.clone(),
        system_extensions: SystemExtensions { official_extensions },
        bootloader: written.bootloader.unwrap_or_default(),
        secure_boot: written.secureboot.clone().unwrap_or_default(),
        disk_image: written.disk_image.clone().unwrap_or_default(),
    };
    Schematic { overlay: written.overlay.clone().unwrap_or_default(), customization, ..Schematic::default() }
}

/// Reports a schematic at `at` without a certain ID, at the value that the factory's versions write differently.
fn report_unstable(check: &mut Check<'_>, at: &Pointer, unstable: &Unstable) {
    let inner = unstable.pointer.as_str();
    let inner = inner.replace("/customization/systemExtensions/officialExtensions", "/extensions");
    let location = check.at(Pointer::new(format!("{at}{}", inner.replace("/customization", ""))));
    check.push(
        Diagnostic::new(Code::SchematicIdUnstable, unstable.reason.to_string(), location)
            .note("versions of the Image Factory write such a string differently, so the image's ID is not known")
            .help("write the string on one line, without white space at its ends"),
    );
}

fn schematic_id(check: &Check<'_>, schematic: &Schematic) -> Result<String, Unstable> {
    match serde_json::to_string(schematic) {
        Ok(key) => check.caches.schematic_ids.get_or_compute(&key, || schematic.id()),
        Err(_) => schematic.id(),
    }
}

/// Checks the list of extensions at `list`.
fn check_extensions(check: &mut Check<'_>, list: &Pointer, extensions: &[Extension], version: &TalosVersion) {
    for (index, extension) in extensions.iter().enumerate() {
        let at = list.item(index);
        check_extension(check, &at, extension.as_str(), version);
        check_architecture(check, &at, extension.as_str());
        if let Some(first) = extensions[..index].iter().position(|other| other == extension) {
            check.push(
                Diagnostic::new(Code::DuplicateExtension, format!("`{extension}` is listed twice"), check.at(at))
                    .also(check.at(list.item(first)), "first here")
                    .note("a second one only changes the schematic's ID")
                    .help("remove the line"),
            );
        }
    }
}

/// Checks that an extension is available for the machine's architecture.
fn check_architecture(check: &mut Check<'_>, at: &Pointer, name: &str) {
    let Some(arch) = check.file.device.arch else { return };
    let arch = if arch == Arch::Amd64 { "amd64" } else { "arm64" };
    let mut architectures = extensions::architectures(name).peekable();
    if architectures.peek().is_none() || architectures.any(|made| made == arch) {
        return;
    }
    let (location, other) = (check.at(at.clone()), check.at("/arch"));
    check.push(
        Diagnostic::new(Code::ExtensionArch, format!("`{name}` is not available for {arch}"), location)
            .also(other, "the machine's architecture")
            .note("the extension is installed without content")
            .help("remove the line"),
    );
}

fn check_extension(check: &mut Check<'_>, at: &Pointer, name: &str, version: &TalosVersion) {
    if extensions::knows(version, name) != Some(false) {
        return;
    }
    let location = check.at(at.clone());
    let mut finding = Diagnostic::new(
        Code::UnknownExtension,
        format!("Talos {version} has no official extension `{name}`"),
        location,
    );
    if check.file.device.install.factory.is_some() {
        finding.level = Level::Warning;
        check.push(finding.note("your own factory may have more extensions than the official catalogue"));
        return;
    }
    if let Some(now) = extensions::alias(name) {
        // The factory resolves its aliases, but keeps the submitted name in the ID.
        check.push(finding.label(format!("did you mean `{now}`?")).note(format!("`{name}` is an old name of `{now}`")));
        return;
    }
    check.push(
        finding
            .did_you_mean(name, extensions::names(version))
            .unwrap_or_else(|finding| finding.note("the factory accepts the schematic, but cannot build the image")),
    );
}

/// The installer images of a device.
fn install(check: &mut Check<'_>, version: &TalosVersion, planned: &[PlannedSchematic]) -> Install {
    let written = &check.file.device.install;
    let at = Pointer::new("/install");
    let image =
        written.image.as_ref().and_then(|image| self::image(check, &at.child("image"), image, version, planned));
    let alternatives = written.alternatives.iter().filter_map(|(name, image)| {
        let at = at.child("alternatives").child(name);
        let version = other_version(check, &at, image).unwrap_or(version);
        let reference = self::image(check, &at, image, version, planned)?.reference;
        Some(NamedImage { name: name.to_string(), reference })
    });
    Install {
        image,
        alternatives: alternatives.collect(),
        disk: written.disk == Some(true),
        wipe: written.wipe,
        disk_selector: None,
        disk_path: None,
        disk_facts: BTreeMap::new(),
    }
}

/// Returns the version of an alternative that is for another Talos than the device's, and checks the extensions of its schematic.
fn other_version<'w>(check: &mut Check<'_>, at: &Pointer, written: &'w Written) -> Option<&'w TalosVersion> {
    let version = written.talos_version.as_ref()?;
    if written.reference.is_some() {
        check.exclusive(at, "reference", "talosVersion");
    }
    let schematic = written.schematic.as_ref().and_then(|name| check.file.device.schematics.get(name));
    for extension in schematic.map(|schematic| &schematic.extensions[..]).unwrap_or_default() {
        check_extension(check, &at.child("talosVersion"), extension.as_str(), version);
    }
    Some(version)
}

fn image(
    check: &mut Check<'_>,
    at: &Pointer,
    written: &Written,
    version: &TalosVersion,
    planned: &[PlannedSchematic],
) -> Option<InstallImage> {
    match (&written.schematic, &written.reference) {
        (Some(name), None) => {
            if !check.file.device.schematics.contains_key(name) {
                unknown_schematic(check, &at.child("schematic"), name);
                return None;
            }
            let schematic = planned.iter().find(|schematic| schematic.name == name.as_str())?;
            if schematic.secureboot.is_some() && !written.secureboot {
                let enrols = check.key(Pointer::new("/schematics").child(name).child("secureboot"));
                let message = format!("the installer of `{name}` is not the one for SecureBoot");
                check.push(
                    Diagnostic::new(Code::SecurebootMismatch, message, check.at(at.child("schematic")))
                        .also(enrols, "the schematic enrols keys")
                        .note("a node that boots with SecureBoot does not start after an upgrade with this installer")
                        .help(format!("write `{{ schematic: {name}, secureboot: true }}`")),
                );
            }
            let install = &check.file.device.install;
            let factory = install.factory.as_ref().map_or(FACTORY, Registry::as_str);
            let platform = install.platform.as_ref().map_or("metal", DnsLabel::as_str);
            let installer = if written.secureboot { "installer-secureboot" } else { "installer" };
            Some(InstallImage {
                reference: format!("{factory}/{platform}-{installer}/{}:{version}", schematic.id),
                schematic: Some(schematic.name.clone()),
            })
        }
        (None, Some(_)) if written.secureboot => {
            let location = check.key(at.child("secureboot"));
            check.push(
                Diagnostic::new(Code::ExclusiveKeys, "`secureboot` and `reference` are mutually exclusive", location)
                    .note("`secureboot` selects the installer of a schematic; a reference names its installer")
                    .help("remove the line"),
            );
            None
        }
        (None, Some(reference)) => Some(InstallImage { reference: reference.to_string(), schematic: None }),
        (Some(_), Some(_)) => {
            check.exclusive(at, "schematic", "reference");
            None
        }
        (None, None) => {
            check.missing(at, "schematic", "schematic: tailscale");
            None
        }
    }
}

fn unknown_schematic(check: &mut Check<'_>, at: &Pointer, name: &Name) {
    let names: Vec<&str> = check.file.device.schematics.keys().map(Name::as_str).collect();
    let message = format!("the device has no schematic `{name}`");
    let finding = Diagnostic::new(Code::UnknownSchematic, message, check.at(at.clone()));
    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    check.push(
        finding
            .did_you_mean(name.as_str(), names.iter().copied())
            .unwrap_or_else(|finding| finding.note(format!("its schematics: {list}"))),
    );
}
