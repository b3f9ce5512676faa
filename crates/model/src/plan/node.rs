//! One device, planned.

use std::collections::BTreeMap;

use camino::Utf8PathBuf;
use serde::Serialize;

use super::{
    Check, Disk, Files, Flavour, Install, Patch, PlannedSchematic, Tailscale, Volume, disks, features, images, network,
    patches, versions, volumes,
};
use crate::device::Role;
use crate::machine_config::Target;
use crate::{Code, Diagnostic, Place, Pointer, TalosVersion};

/// A device.
#[derive(Debug, Serialize)]
pub struct Device {
    /// Its name and its folder's.
    pub name: String,
    /// Its cluster's name.
    pub cluster: String,
    /// What it is there.
    pub role: Role,
    /// Where talosctl reaches it.
    pub address: String,
    /// Its hostname, which is its Kubernetes node's name too.
    pub hostname: String,
    /// The version that it runs.
    pub talos_version: TalosVersion,
    /// Whose base config it has: the version as written, or the one that it runs.
    pub base_config: TalosVersion,
    /// Which kind of patches its base config takes.
    pub flavour: Flavour,
    /// Whether its Talos ships `/etc/cri/conf.d/20-customization.part`, which then must be overwritten: before 1.14.
    pub ships_cri_customization: bool,
    /// Its schematics in the order of their names.
    pub schematics: Vec<PlannedSchematic>,
    /// How Talos is installed.
    pub install: Install,
    /// Its disks.
    pub disks: Vec<Disk>,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// Where it offers persistent volumes, if it says so.
    pub local_paths: Option<Vec<String>>,
    /// Whether it takes part in the cluster's kata-containers application.
    pub kata: bool,
    /// Its GPUs.
    pub gpu: Gpu,
    /// Labels of its Kubernetes node.
    pub labels: BTreeMap<String, String>,
    /// DNS servers, if the model lists them.
    pub nameservers: Option<Vec<String>>,
    /// The Tailscale extension service, if it has one.
    pub tailscale: Option<Tailscale>,
    /// Whether static pod manifests are ignored, if the model says so.
    pub disable_manifests_directory: Option<bool>,
    /// Whether workloads run on control-plane nodes, if the model says so.
    pub allow_scheduling_on_control_planes: Option<bool>,
    /// Raw patches.
    #[serde(skip)]
    pub patches: Vec<Patch>,
    /// Other names for generated files, with the place that says so; no name means that the file is not written.
    #[serde(skip)]
    pub files: BTreeMap<String, (Option<Utf8PathBuf>, Place)>,
    /// Where the keys are written that ask for patches of the machine config, as `files` names them; empty without raw patches.
    #[serde(skip)]
    pub keys: BTreeMap<String, Place>,
    /// Where the auth key's name is written.
    #[serde(skip)]
    pub auth_key: Place,
    /// Where the device's name is written.
    #[serde(skip)]
    pub place: Place,
}

/// GPUs, as Kubernetes sees them.
#[derive(Debug, Serialize)]
pub struct Gpu {
    /// The image of AMD's device plugin.
    pub amd_device_plugin: Option<String>,
    /// The image of AMD's node labeller.
    pub amd_labeller: Option<String>,
}

/// Plans one device; what is wrong with it goes into `check`.
pub fn plan(check: &mut Check<'_>, files: &Files) -> Device {
    let written = &check.file.device;
    let versions = versions::device(check);
    let schematics = images::schematics(check, &versions.talos);
    let mut install = images::install(check, &versions.talos, &schematics);
    let disks = disks::disks(check);
    install.disk_selector = disks.iter().find(|disk| disk.system).map(|disk| disk.selector.clone());
    install.disk_path =
        written.disks.values().find(|disk| disk.system).and_then(|disk| disk.path.as_ref()).map(ToString::to_string);
    system_disk(check, &install, versions.flavour);
    let volumes = volumes::volumes(check, &disks, &versions.talos);
    features::extensions(check, &install, &schematics);
    let local_paths = features::applications(check, &volumes);
    let hostname = written.hostname.as_ref().map_or_else(|| written.name.to_string(), ToString::to_string);
    if written.hostname.is_none() {
        named_as_a_host(check, &hostname);
    }
    if versions.flavour == Flavour::Documents {
        no_successors(check);
    }
    let patches = patches::plan(check, files, &Target { version: &versions.talos, base: versions.base.minor() });
    let keys = if patches.is_empty() { BTreeMap::new() } else { keys(check, &volumes) };
    Device {
        keys,
        name: written.name.to_string(),
        cluster: written.cluster.to_string(),
        role: written.role,
        address: written.address.to_string(),
        ships_cri_customization: versions.talos.minor() < (1, 14),
        talos_version: versions.talos,
        base_config: versions.base,
        flavour: versions.flavour,
        schematics,
        install,
        disks,
        volumes,
        local_paths,
        kata: written.kata,
        gpu: Gpu {
            amd_device_plugin: written
                .gpu
                .amd
                .as_ref()
                .and_then(|amd| amd.device_plugin.as_ref())
                .map(ToString::to_string),
            amd_labeller: written.gpu.amd.as_ref().and_then(|amd| amd.labeller.as_ref()).map(ToString::to_string),
        },
        labels: written.labels.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        nameservers: network::nameservers(check),
        tailscale: network::tailscale(check, &hostname),
        hostname,
        disable_manifests_directory: written.kubelet.disable_manifests_directory,
        allow_scheduling_on_control_planes: written.allow_scheduling_on_control_planes,
        patches,
        files: written
            .files
            .iter()
            .map(|(key, name)| {
                let place = check.at(Pointer::new("/files").child(key));
                (key.to_string(), (name.as_ref().map(|name| Utf8PathBuf::from(name.as_str())), place))
            })
            .collect(),
        auth_key: check.at("/tailscale/authKey"),
        place: check.at("/name"),
    }
}

/// Where the keys are written that ask for patches of the machine config.
fn keys(check: &Check<'_>, volumes: &[Volume]) -> BTreeMap<String, Place> {
    let known = [
        "install.image",
        "install.wipe",
        "nameservers",
        "labels",
        "kubelet.disableManifestsDirectory",
        "allowSchedulingOnControlPlanes",
        "kata",
        "tailscale",
    ];
    let written =
        known.into_iter().map(str::to_owned).chain(volumes.iter().map(|volume| format!("volumes.{}", volume.name)));
    // A device without a hostname has its name for one.
    let hostname = if check.file.device.hostname.is_some() { "/hostname" } else { "/name" };
    written
        .map(|key| {
            let pointer = key.split('.').fold(Pointer::root(), |pointer, part| pointer.child(part));
            let place = check.at(pointer).as_key();
            (key, place)
        })
        .chain([("hostname".to_owned(), check.at(hostname).as_key())])
        .collect()
}

/// A device's name is its hostname where nothing else is said.
fn named_as_a_host(check: &mut Check<'_>, name: &str) {
    if let Err(fault) = name.parse::<crate::scalar::Hostname>() {
        let place = check.at("/name");
        let mut finding = fault.at(Code::BadHostname, place);
        finding.helps.push("or keep the name, and write the node's as `hostname`".to_owned());
        check.push(finding);
    }
}

/// The install documents of 1.14 need the disk's selector, and so does a patch that only sets `wipe`.
fn system_disk(check: &mut Check<'_>, install: &Install, flavour: Flavour) {
    let pointer = match (flavour, install.image.is_some() || !install.alternatives.is_empty(), install.wipe) {
        (_, _, Some(_)) => "/install/wipe",
        (Flavour::Documents, true, None) => "/install",
        _ => return,
    };
    if install.disk_selector.is_none() {
        let place = check.at(Pointer::from(pointer)).as_key();
        check.push(
            Diagnostic::new(Code::MissingKey, "no disk is `system`, so the disk to install on is not known", place)
                .help("mark it under `disks` with a line\nsystem: true"),
        );
    }
}

/// Facts that the documents of 1.14 have no field for.
fn no_successors(check: &mut Check<'_>) {
    if check.file.device.kubelet.disable_manifests_directory.is_some() {
        let place = check.at("/kubelet/disableManifestsDirectory").as_key();
        check.push(
            Diagnostic::new(
                Code::NoSuccessor,
                "`disableManifestsDirectory` has no place in the documents of Talos 1.14",
                place,
            )
            .note("KubeletConfig has no such field, and a base that 1.14 generated refuses `machine.kubelet`")
            .help("remove the line"),
        );
    }
}
