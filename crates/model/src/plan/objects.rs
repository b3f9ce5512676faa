//! Kubernetes objects that more than one device of a cluster defines.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::network::hostname;
use super::storage_classes;
use crate::device::{Arch, Device, GpuPods};
use crate::fleet::{self, FileName};
use crate::scalar::{Image, LabelKey, LabelValue};
use crate::{DeviceFile, FleetFile};

/// A DaemonSet: the key that requests it, as `files` names it, its vendor, its name in kube-system, and its image.
type DaemonSet = (&'static str, &'static str, &'static str, fn(&GpuPods) -> Option<&Image>);

const DAEMON_SETS: [DaemonSet; 4] = [
    ("gpu.amd.devicePlugin", "amd", "amdgpu-device-plugin-daemonset", |pods| pods.device_plugin.as_ref()),
    ("gpu.amd.labeller", "amd", "amdgpu-labeller-daemonset", |pods| pods.labeller.as_ref()),
    ("gpu.intel.devicePlugin", "intel", "intel-gpu-plugin", |pods| pods.device_plugin.as_ref()),
    ("gpu.nvidia.devicePlugin", "nvidia", "nvidia-device-plugin-daemonset", |pods| pods.device_plugin.as_ref()),
];

/// The number of nodes that a finding names.
const SHOWN: usize = 3;

/// What a DaemonSet runs where.
#[derive(Debug, Clone, PartialEq)]
struct Pods {
    image: Image,
    /// How many containers share a GPU.
    shared: Option<u8>,
    /// The labels of the nodes.
    selector: BTreeMap<LabelKey, LabelValue>,
    /// The device whose node is the only one, where neither labels nor the architecture select more.
    only_on: Option<String>,
}

/// The objects of a device that other devices can define too.
#[derive(Debug)]
pub(super) struct Input {
    /// The name of each DaemonSet, what it runs where, and the location of the image.
    images: Vec<(&'static str, Pods, Location)>,
    /// The name of each StorageClass, and its location.
    classes: Vec<(String, Location)>,
    /// Whether AMD's pods run on the node, where no labels select them, though it has no such GPU.
    is_without_amd: bool,
    findings: Vec<Diagnostic>,
}

impl Input {
    /// The objects that a device defines whose file could be read; it may have errors.
    pub(super) fn new(fleet: &FleetFile, file: &DeviceFile) -> Self {
        let device = &file.device;
        let is_without_amd = device.gpu.amd.is_none() && device.arch != Some(Arch::Arm64);
        let mut input = Self { images: Vec::new(), classes: Vec::new(), is_without_amd, findings: Vec::new() };
        input.add_daemon_sets(fleet, file);
        let local_path =
            fleet.fleet.clusters.get(&file.device.cluster).and_then(|it| it.applications.local_path.as_ref());
        if local_path.is_none_or(|it| it.files.storage_classes != FileName::Disabled) {
            input.add_classes(file);
        }
        input
    }

    /// Adds the DaemonSets of a device, with a finding for one that the cluster's application has.
    fn add_daemon_sets(&mut self, fleet: &FleetFile, file: &DeviceFile) {
        let device = &file.device;
        let application = || fleet.fleet.clusters.get(&device.cluster)?.applications.gpu.as_ref();
        for (key, vendor, name, image) in DAEMON_SETS {
            let Some(pods) = device.gpu.of(vendor) else { continue };
            let Some(image_of_device) = image(pods) else { continue };
            if device.files.iter().any(|(file, name)| file.as_str() == key && name.is_none()) {
                continue;
            }
            let pointer = Pointer::new(format!("/{}", key.replace('.', "/")));
            let location = file.at(pointer.clone());
            let image_of = |gpu: &fleet::GpuApplication| gpu.of(vendor).and_then(image).is_some();
            let kind = key.rsplit('.').next().unwrap_or_default();
            if application().is_some_and(|gpu| image_of(gpu) && gpu.files.has(vendor, kind)) {
                let cluster = Pointer::new("/clusters").child(&device.cluster);
                let first = fleet.at(cluster.child("applications").join(&pointer)).as_key();
                self.findings.push(of_application(name, vendor, device, location.as_key(), first));
                continue;
            }
            let is_for_one = pods.node_selector.is_empty() && vendor != "amd";
            let pods = Pods {
                image: image_of_device.clone(),
                shared: pods.shared_dev_num,
                selector: pods.node_selector.iter().map(|(label, value)| (label.clone(), value.clone())).collect(),
                only_on: is_for_one.then(|| device.name.to_string()),
            };
            self.images.push((name, pods, location));
        }
    }

    /// Adds the StorageClasses of a device, with a finding for one that has the name of the release's own.
    fn add_classes(&mut self, file: &DeviceFile) {
        for (volume, name) in storage_classes::names(&file.device) {
            let at = storage_classes::pointer(volume);
            let class = file.device.local_path.as_ref().and_then(|offered| offered.storage_classes.get(volume));
            let location = if class.is_some_and(|class| class.name.is_some()) {
                file.at(at.child("name"))
            } else {
                file.at(at).as_key()
            };
            if name == storage_classes::OF_THE_RELEASE {
                let message = format!("the StorageClass `{name}` is the one that the release brings");
                let help = format!("write another name, such as `{volume}-{}`", hostname(&file.device));
                self.findings.push(conflict(message, location, file.device.name.as_str()).help(help));
            } else {
                self.classes.push((name, location));
            }
        }
    }
}

/// Finds the objects that devices of a cluster define differently, or twice.
#[derive(Default)]
pub(super) struct Checks {
    /// What each cluster's DaemonSets run by the first device that defines them, with the location of the image.
    images: BTreeMap<(String, &'static str), (Pods, Location, String)>,
    /// The first StorageClass of each name in a cluster, and its device.
    classes: BTreeMap<String, (Location, String)>,
    /// The first nodes of each cluster without a GPU of AMD's, and the number of all.
    without_amd: BTreeMap<String, (Vec<String>, usize)>,
}

impl Checks {
    /// Checks the objects of a device against those of the devices added before.
    pub(super) fn add(&mut self, device: &str, cluster: &str, input: Input) -> Vec<Diagnostic> {
        let mut findings = input.findings;
        if input.is_without_amd {
            self.add_without_amd(device, cluster);
        }
        for (name, pods, location) in input.images {
            let key = (cluster.to_owned(), name);
            let first = self.images.entry(key).or_insert_with(|| (pods.clone(), location.clone(), device.to_owned()));
            if first.0 != pods {
                let what = match &first.0 {
                    other if other.image != pods.image => "images",
                    other if other.shared != pods.shared => "`sharedDevNum`",
                    _ => "node selectors",
                };
                findings.push(other_pods(name, what, device, location, first));
            }
        }
        for (name, location) in input.classes {
            match self.classes.entry(format!("{cluster}/{name}")) {
                Entry::Occupied(first) => findings.push(twice(&name, cluster, first.get(), location, device)),
                Entry::Vacant(free) => drop(free.insert((location, device.to_owned()))),
            }
        }
        findings
    }

    fn add_without_amd(&mut self, device: &str, cluster: &str) {
        match self.without_amd.get_mut(cluster) {
            Some((names, count)) => {
                *count += 1;
                if names.len() < SHOWN {
                    names.push(device.to_owned());
                }
            }
            None => drop(self.without_amd.insert(cluster.to_owned(), (vec![device.to_owned()], 1))),
        }
    }

    /// Returns the findings on AMD's pods that run on nodes without its GPU, once all devices were added.
    pub(super) fn finish(&self) -> Vec<Diagnostic> {
        let mut findings: Vec<Diagnostic> = Vec::new();
        for ((cluster, name), (pods, location, device)) in &self.images {
            let is_amd = DAEMON_SETS.iter().any(|(_, vendor, called, _)| called == name && *vendor == "amd");
            let Some((names, count)) = self.without_amd.get(cluster) else { continue };
            if !is_amd || !pods.selector.is_empty() || findings.iter().any(|finding| finding.devices.contains(device)) {
                continue;
            }
            let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
            let rest = if *count > SHOWN { format!(" and {} more", count - SHOWN) } else { String::new() };
            let nodes = if *count == 1 { "a node" } else { "nodes" };
            let message = format!("the pods for AMD GPUs also run on {nodes} without one: {}{rest}", names.join(", "));
            findings.push(
                Diagnostic::new(Code::StrayPods, message, location.clone())
                    .note("they are privileged, and without `nodeSelector` they run on every amd64 node")
                    .help("select the nodes by a label, and set it on those with the GPU:\nlabels: { gpu: amd }\ngpu: { amd: { nodeSelector: { gpu: amd } } }")
                    .help("or move the images to the cluster's `applications.gpu`, which selects the devices that have `gpu: { amd: {} }`")
                    .device(device.as_str()),
            );
        }
        findings
    }
}

/// The finding on a device whose DaemonSet has other images or node selectors than the first device's.
fn other_pods(
    name: &str,
    what: &str,
    device: &str,
    location: Location,
    first: &(Pods, Location, String),
) -> Diagnostic {
    let (pods, first, owner) = first;
    let (message, help) = match &pods.only_on {
        Some(_) => (
            format!("`{owner}` and `{device}` define the DaemonSet `{name}`, each for its own node"),
            "move `devicePlugin` to the cluster's `applications.gpu`, which is built from all devices with the GPU",
        ),
        None => (
            format!("`{owner}` and `{device}` define the DaemonSet `{name}` with different {what}"),
            "write the same for both, best in a layer of the cluster",
        ),
    };
    Diagnostic::new(Code::ObjectConflict, message, location)
        .also(first.clone(), "first here")
        .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
        .help(help)
        .device(owner.clone())
        .device(device)
}

/// A DaemonSet that a device and the application of its cluster define.
fn of_application(name: &str, vendor: &str, device: &Device, location: Location, first: Location) -> Diagnostic {
    let message =
        format!("`{}` defines the DaemonSet `{name}`, which the application `gpu` of the cluster has too", device.name);
    Diagnostic::new(Code::ObjectConflict, message, location)
        .also(first, "the application has it")
        .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
        .help(format!("remove the line: the application selects each device with `gpu: {{ {vendor}: {{}} }}`"))
        .device(device.name.as_str())
}

/// A StorageClass that is there twice.
fn conflict(message: String, location: Location, device: &str) -> Diagnostic {
    Diagnostic::new(Code::ObjectConflict, message, location)
        .note("a StorageClass is the cluster's: kustomize refuses to build two of one name")
        .device(device)
}

fn twice(
    name: &str,
    cluster: &str,
    (first, owner): &(Location, String),
    location: Location,
    device: &str,
) -> Diagnostic {
    let message = format!("two StorageClasses of `{cluster}` are called `{name}`");
    let help = "write a name for each, or remove `name`: the default is made of the volume's and the node's";
    let finding = conflict(message, location.clone(), device).help(help).device(owner.as_str());
    if *first == location {
        return finding;
    }
    finding.also(
        first.clone(),
        if owner == device { "first here".to_owned() } else { format!("first here, by `{owner}`") },
    )
}
