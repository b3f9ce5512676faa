//! One device, planned.

use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer, TalosVersion};
use talosmith_machinery::Role;
use talosmith_machinery::Target;

use super::{
    ApiServer, Check, ConfigFormat, Disk, Etcd, ExtensionService, Files, Install, KernelModule, Kubelet, LayerPatches,
    MachineFiles, Mirror, Patch, PlannedSchematic, SearchDomains, SecretUse, StorageClass, Tailscale, Time, Volume,
    disks, features, images, kubernetes, network, patches, selectors, services, storage_classes, system, versions,
    volumes,
};
use crate::Keys;
use crate::device::Arch;

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
    /// Its architecture, if the model says so.
    pub arch: Option<Arch>,
    /// Its hostname, which is its Kubernetes node's name too.
    pub hostname: String,
    /// The URL of the Kubernetes API that it is told to talk to, if the model says so.
    pub endpoint: Option<String>,
    /// Further names in the certificate of its Talos API.
    pub cert_sans: Vec<String>,
    /// The version that it runs.
    pub talos_version: TalosVersion,
    /// Whose base config it has: the version as written, or the one that it runs.
    pub base_config: TalosVersion,
    /// Which kind of patches its base config takes.
    pub flavour: ConfigFormat,
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
    /// StorageClasses for its volumes.
    pub storage_classes: Vec<StorageClass>,
    /// Whether it takes part in the cluster's kata-containers application.
    pub kata: bool,
    /// Its GPUs.
    pub gpu: Gpu,
    /// Labels of its Kubernetes node.
    pub labels: BTreeMap<String, String>,
    /// Annotations of its Kubernetes node.
    pub annotations: BTreeMap<String, String>,
    /// Taints of its Kubernetes node, as `value:effect`.
    pub taints: BTreeMap<String, String>,
    /// DNS servers, if the model lists them.
    pub nameservers: Option<Vec<String>>,
    /// Where names that are not whole are looked up, if the model says so.
    pub search_domains: Option<SearchDomains>,
    /// How it keeps time, if the model says so.
    pub time: Option<Time>,
    /// Kernel modules that are loaded.
    pub kernel_modules: Vec<KernelModule>,
    /// Kernel parameters.
    pub sysctls: BTreeMap<String, String>,
    /// Files that Talos writes.
    pub machine_files: MachineFiles,
    /// Mirrors of registries.
    pub mirrors: Vec<Mirror>,
    /// The Tailscale extension service, if it has one.
    pub tailscale: Option<Tailscale>,
    /// Other extension services.
    pub extension_services: Vec<ExtensionService>,
    /// The kubelet.
    pub kubelet: Kubelet,
    /// etcd, if the model says something.
    pub etcd: Option<Etcd>,
    /// The Kubernetes API server, if the model says something.
    pub api_server: Option<ApiServer>,
    /// Whether workloads run on control-plane nodes, if the model says so.
    pub allow_scheduling_on_control_planes: Option<bool>,
    /// Raw patches.
    #[serde(skip)]
    pub patches: Vec<Arc<Patch>>,
    /// Other names for generated files, with the place that says so; no name means that the file is not written.
    #[serde(skip)]
    pub files: BTreeMap<String, (Option<Utf8PathBuf>, Location)>,
    /// The secrets that its artifacts hold.
    #[serde(skip)]
    pub secrets: Vec<SecretUse>,
    /// Where the device's name is written.
    #[serde(skip)]
    pub location: Location,
    /// Where its hostname is written, or else its name.
    #[serde(skip)]
    pub hostname_place: Location,
    /// Where all its keys are written.
    #[serde(skip)]
    pub keys: Keys,
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
pub fn plan(check: &mut Check<'_>, files: &Files, of_layers: &LayerPatches) -> Device {
    let written = &check.file.device;
    let versions = versions::device(check);
    let schematics = images::schematics(check, &versions.talos);
    let mut install = images::install(check, &versions.talos, &schematics);
    let disks = disks::disks(check);
    selectors::judge(check, &disks, &versions.talos);
    if let Some(disk) = disks.iter().find(|disk| disk.system) {
        install.disk_selector = Some(disk.selector.clone());
        let described = written.disks.values().find(|disk| disk.system);
        install.disk_path = described.and_then(|disk| disk.path.as_ref()).map(ToString::to_string);
        if let (None, Some(described)) = (&install.disk_path, described) {
            install.disk_facts = selectors::install_facts(disk, described, &versions.talos);
        }
    }
    system_disk(check, &install, versions.flavour);
    let volumes = volumes::volumes(check, &disks, &versions.talos);
    features::extensions(check, &install, &schematics);
    let applied = install.image.as_ref().and_then(|image| image.schematic.as_ref());
    let applied = schematics.iter().find(|schematic| Some(&schematic.name) == applied);
    let extension_services = services::services(check, files, &versions.talos, applied);
    let local_paths = features::applications(check, &volumes);
    let storage_classes = storage_classes::plan(check, &volumes);
    let hostname = written.hostname.as_ref().map_or_else(|| written.name.to_string(), ToString::to_string);
    if written.hostname.is_none() {
        named_as_a_host(check, &hostname);
    }
    if versions.flavour == ConfigFormat::Documents {
        no_successors(check);
    }
    let tailscale = network::tailscale(check);
    let target = Target { version: &versions.talos, base: versions.base.minor() };
    let patches = patches::plan(check, files, of_layers, &target);
    Device {
        name: written.name.to_string(),
        cluster: written.cluster.to_string(),
        role: written.role,
        address: written.address.to_string(),
        arch: written.arch,
        endpoint: kubernetes::endpoint(check),
        cert_sans: kubernetes::cert_sans(&written.cert_sans),
        machine_files: system::machine_files(check, files, versions.flavour, &versions.talos),
        api_server: kubernetes::api_server(check, versions.flavour),
        ships_cri_customization: versions.talos.minor() < (1, 14),
        talos_version: versions.talos,
        base_config: versions.base,
        flavour: versions.flavour,
        schematics,
        install,
        disks,
        volumes,
        local_paths,
        storage_classes,
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
        annotations: written.annotations.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        taints: written.taints.iter().map(|(key, taint)| (key.to_string(), taint.to_string())).collect(),
        search_domains: network::search_domains(check),
        time: system::time(check),
        kernel_modules: system::kernel_modules(check),
        sysctls: system::sysctls(check),
        mirrors: system::mirrors(check),
        tailscale,
        extension_services,
        kubelet: kubernetes::kubelet(check),
        etcd: kubernetes::etcd(check),
        hostname,
        allow_scheduling_on_control_planes: written.allow_scheduling_on_control_planes,
        patches,
        files: written
            .files
            .iter()
            .map(|(key, name)| {
                let location = check.at(Pointer::new("/files").child(key));
                (key.to_string(), (name.as_ref().map(|name| Utf8PathBuf::from(name.as_str())), location))
            })
            .collect(),
        secrets: std::mem::take(&mut check.secrets),
        location: check.at("/name"),
        hostname_place: check.at(if written.hostname.is_some() { "/hostname" } else { "/name" }),
        keys: check.file.keys.clone(),
    }
}

/// A device's name is its hostname where nothing else is said.
fn named_as_a_host(check: &mut Check<'_>, name: &str) {
    if let Err(fault) = name.parse::<crate::scalar::Hostname>() {
        let location = check.at("/name");
        let mut finding = fault.at(Code::BadHostname, location);
        finding.helps.push("or keep the name, and write the node's as `hostname`".to_owned());
        check.push(finding);
    }
}

/// The install documents of 1.14 need the disk's selector, and so does a patch that only sets `wipe`.
fn system_disk(check: &mut Check<'_>, install: &Install, flavour: ConfigFormat) {
    let pointer = match (flavour, install.image.is_some() || !install.alternatives.is_empty(), install.wipe) {
        (_, _, Some(_)) => "/install/wipe",
        (ConfigFormat::Documents, true, None) => "/install",
        _ => return,
    };
    if install.disk_selector.is_none() {
        let location = check.at(Pointer::from(pointer)).as_key();
        check.push(
            Diagnostic::new(Code::MissingKey, "no disk is `system`, so the disk to install on is not known", location)
                .help("mark it under `disks` with a line\nsystem: true"),
        );
    } else if flavour == ConfigFormat::V1alpha1 && install.disk_path.is_none() && install.disk_facts.is_empty() {
        let system = check.file.device.disks.iter().find(|(_, disk)| disk.system);
        let Some((name, _)) = system else { return };
        let location = check.at(Pointer::new("/disks").child(name)).as_key();
        let wipe = check.at("/install/wipe").as_key();
        check.push(
            Diagnostic::new(Code::MissingKey, format!("the installer cannot find `{name}` by its selector"), location)
                .also(wipe, "the disk to install on is asked for here")
                .note("with a base config before 1.14 it looks for a path, or for a serial number, a WWID, a model, a bus path or NVMe")
                .help("say what the disk is known by, as in\nserial: S5GXNF0R1"),
        );
    }
}

/// Facts that the documents of 1.14 have no field for.
fn no_successors(check: &mut Check<'_>) {
    if check.file.device.kubelet.disable_manifests_directory.is_some() {
        let location = check.at("/kubelet/disableManifestsDirectory").as_key();
        check.push(
            Diagnostic::new(
                Code::NoSuccessor,
                "`disableManifestsDirectory` has no place in the documents of Talos 1.14",
                location,
            )
            .note("KubeletConfig has no such field, and a base that 1.14 generated refuses `machine.kubelet`")
            .help("remove the line"),
        );
    }
}
