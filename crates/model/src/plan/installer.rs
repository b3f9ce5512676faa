//! Installer images that are given by their reference, and versions of Kubernetes images.

use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, TalosVersion};
use talosmith_machinery::talos_data::talos;

use super::images::{FACTORY, Images};
use super::raw::{self, MAIN, Place, RawScalar};
use super::{Check, Patch};
use crate::scalar::{Image, Registry};

/// The image that Talos publishes without extensions, up to 1.13.
const OFFICIAL: &str = "ghcr.io/siderolabs/installer";
/// The first minor without it. Source: Talos's documentation of 1.14, "What's New in Talos".
const NOT_OFFICIAL_SINCE: (u64, u64) = (1, 14);
/// The ID of the schematic without anything. Source: the documentation of the Image Factory.
const EMPTY: &str = "376567988ad370138ad8b2698212367b8edcb69b5fd68c80be1f2ec7d603b4ba";

const RAW: &[Place] = &[(MAIN, "machine.install.image"), ("UnattendedInstallConfig", "installer.image")];
/// Images of Kubernetes components, whose tag is its version.
const KUBERNETES: &[Place] = &[
    (MAIN, "machine.kubelet.image"),
    (MAIN, "cluster.apiServer.image"),
    (MAIN, "cluster.controllerManager.image"),
    (MAIN, "cluster.scheduler.image"),
    (MAIN, "cluster.proxy.image"),
    ("KubeletConfig", "image"),
    ("KubeAPIServerConfig", "image"),
    ("KubeControllerManagerConfig", "image"),
    ("KubeSchedulerConfig", "image"),
    ("KubeProxyConfig", "image"),
];

/// What is known of the image that is applied.
pub(super) struct Applied<'a> {
    pub extensions: &'a [String],
    pub source: Source,
}

/// What specifies an image.
pub(super) enum Source {
    /// The name of a schematic of the device.
    Schematic(String),
    /// The location of the reference of an image without extensions.
    Reference(Location),
}

impl Applied<'_> {
    pub(super) fn has(&self, extension: &str) -> bool {
        self.extensions.iter().any(|listed| listed == extension)
    }
}

/// Returns the reference of the installer image of a version without extensions, which `talosctl gen config` writes.
pub fn stock_installer(version: &TalosVersion) -> String {
    match version.minor() >= NOT_OFFICIAL_SINCE {
        true => format!("{FACTORY}/metal-installer/{EMPTY}:{version}"),
        false => format!("{OFFICIAL}:{version}"),
    }
}

/// Checks the references of a device's images, and returns what is known of the one that is applied.
pub(super) fn check<'a>(
    check: &mut Check<'_>,
    version: &TalosVersion,
    images: &'a Images,
    patches: &[Arc<Patch>],
) -> Option<Applied<'a>> {
    check_kubernetes(check, version, patches);
    let at = Pointer::new("/install/image/reference");
    let mut applied = images.applied().map(|schematic| Applied {
        extensions: &schematic.extensions,
        source: Source::Schematic(schematic.name.clone()),
    });
    let install = &check.file.device.install;
    if let Some(reference) = install.image.as_ref().and_then(|image| image.reference.as_ref()) {
        let location = check.at(at);
        applied = check_reference(check, reference, location, version, images);
    }
    for scalar in raw::scalars(patches, RAW) {
        let Ok(reference) = scalar.text.parse::<Image>() else { continue };
        applied = check_reference(check, &reference, scalar.location, version, images);
    }
    applied
}

/// Checks one reference, and returns what is known of the image.
fn check_reference<'a>(
    check: &mut Check<'_>,
    reference: &Image,
    location: Location,
    version: &TalosVersion,
    images: &'a Images,
) -> Option<Applied<'a>> {
    let own_factory = check.file.device.install.factory.as_ref().map(Registry::as_str);
    let (registry, path) = reference.name().split_once('/')?;
    let is_official = reference.name() == OFFICIAL;
    let is_factory = registry == FACTORY || Some(registry) == own_factory;
    if !is_official && !is_factory {
        return None;
    }
    let help = describe(images);
    let unpublished = reference.tag().and_then(|tag| tag.parse::<TalosVersion>().ok());
    let unpublished = unpublished.as_ref().unwrap_or(version).minor() >= NOT_OFFICIAL_SINCE;
    if is_official && unpublished {
        let message = format!("`{OFFICIAL}` is not published for Talos 1.14 and later");
        let finding = Diagnostic::new(Code::InstallerImage, message, location.clone());
        check.push(finding.note("the node could not pull it to install or upgrade Talos").help(&*help));
    }
    if let Some(tag) = reference.tag() {
        check_tag(check, reference, tag, &location, version);
    }
    if is_official {
        return Some(Applied { extensions: &[], source: Source::Reference(location) });
    }
    let id = path.rsplit('/').next().unwrap_or_default();
    if let Some(schematic) = images.schematics.iter().find(|schematic| schematic.id == id) {
        return Some(Applied { extensions: &schematic.extensions, source: Source::Schematic(schematic.name.clone()) });
    }
    if let Some(schematic) = images.schematics.first() {
        let short = id.get(..12).unwrap_or(id);
        let message = format!("no schematic of the device has the ID {short}…");
        let mut finding = Diagnostic::new(Code::InstallerImage, message, location.clone());
        finding.level = Level::Warning;
        let at = check.key(Pointer::new("/schematics").child(&schematic.name));
        check.push(
            finding
                .also(at, format!("`{}` has the ID {}…", schematic.name, &schematic.id[..12.min(schematic.id.len())]))
                .note("the extensions and kernel arguments of the model are not in the image")
                .help(help),
        );
    }
    (id == EMPTY).then_some(Applied { extensions: &[], source: Source::Reference(location) })
}

/// What to write instead of a reference.
fn describe(images: &Images) -> String {
    match images.schematics.first() {
        Some(schematic) => {
            format!("write `image: {{ schematic: {} }}` under `install` instead of the reference", schematic.name)
        }
        None => "describe the image instead of the reference, as in\nschematics:\n  main: {}\ninstall:\n  image: { schematic: main }".to_owned(),
    }
}

/// Checks the tag of an image of Talos or of the Image Factory, which is a version of Talos.
fn check_tag(check: &mut Check<'_>, reference: &Image, tag: &str, location: &Location, version: &TalosVersion) {
    let name = reference.name();
    let mut finding = match tag.parse::<TalosVersion>() {
        Ok(tagged) if tagged == *version => return,
        Ok(tagged) => {
            let message = format!("the installer is that of Talos {tagged}, and `talosVersion` is {version}");
            Diagnostic::new(Code::InstallerImage, message, location.clone())
                .note("the next installation or upgrade would change the version, and the files are generated for another one")
                .help(format!("write `{name}:{version}`, or `talosVersion: {tagged}`"))
        }
        Err(_) => Diagnostic::new(
            Code::InstallerImage,
            format!("there is no installer with the tag `{tag}`"),
            location.clone(),
        )
        .note("tags are the names of Talos's releases, which begin with `v`")
        .help(format!("write `{name}:{version}`")),
    };
    finding.level = Level::Warning;
    check.push(finding);
}

/// Checks the version of the cluster, and those of Kubernetes images in raw patches.
fn check_kubernetes(check: &mut Check<'_>, version: &TalosVersion, patches: &[Arc<Patch>]) {
    let Some((oldest, newest)) = talos::kubernetes(version) else { return };
    let of_image = |RawScalar { text, location }: RawScalar| {
        let image = text.parse::<Image>().ok()?;
        Some((image.tag()?.parse::<TalosVersion>().ok()?.minor(), location))
    };
    let of_cluster = check.cluster().and_then(|cluster| cluster.kubernetes_version.as_ref()).map(|version| {
        let at = Pointer::new("/clusters").child(&check.file.device.cluster).child("kubernetesVersion");
        (version.minor(), check.fleet.at(at))
    });
    let written = raw::scalars(patches, KUBERNETES).into_iter().filter_map(of_image);
    let versions: Vec<((u64, u64), Location)> = of_cluster.into_iter().chain(written).collect();
    for (minor, location) in versions {
        if (oldest..=newest).contains(&minor) {
            continue;
        }
        let message = format!(
            "Talos {}.{} does not support Kubernetes {}.{}",
            version.major,
            version.minor().1,
            minor.0,
            minor.1
        );
        let nearest = if minor > newest { newest } else { oldest };
        check.push(
            Diagnostic::new(Code::KubernetesVersion, message, location)
                .note(format!("it supports {}.{} to {}.{}", oldest.0, oldest.1, newest.0, newest.1))
                .help(format!(
                    "write a version such as v{}.{}.0, or upgrade Talos or Kubernetes first",
                    nearest.0, nearest.1
                )),
        );
    }
}
