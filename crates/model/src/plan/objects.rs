//! Kubernetes objects that more than one device of a cluster defines.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::network::hostname;
use super::storage_classes;
use crate::DeviceFile;
use crate::device::Device;
use crate::scalar::{Image, LabelKey, LabelValue};

/// The DaemonSets of AMD: the key that requests one, as `files` names it, its name in kube-system, and its image.
type DaemonSet = (&'static str, &'static str, fn(&Device) -> Option<&Image>);

const DAEMON_SETS: [DaemonSet; 2] = [
    ("gpu.amd.devicePlugin", "amdgpu-device-plugin-daemonset", |device| {
        device.gpu.amd.as_ref()?.device_plugin.as_ref()
    }),
    ("gpu.amd.labeller", "amdgpu-labeller-daemonset", |device| device.gpu.amd.as_ref()?.labeller.as_ref()),
];

/// What a DaemonSet runs: its image, and the labels of the nodes.
type Pods = (Image, BTreeMap<LabelKey, LabelValue>);

/// The objects of a device that other devices can define too.
#[derive(Debug)]
pub(super) struct Input {
    /// The name of each DaemonSet, what it runs where, and the location of the image.
    images: Vec<(&'static str, Pods, Location)>,
    /// The name of each StorageClass, and its location.
    classes: Vec<(String, Location)>,
    findings: Vec<Diagnostic>,
}

impl Input {
    /// The objects that a device defines whose file could be read; it may have errors.
    pub(super) fn new(file: &DeviceFile) -> Self {
        let images = DAEMON_SETS.iter().filter_map(|(key, name, image)| {
            let device = &file.device;
            if device.files.iter().any(|(file, name)| file.as_str() == *key && name.is_none()) {
                return None;
            }
            let selector = device.gpu.amd.as_ref()?.node_selector.clone();
            Some((
                *name,
                (image(device)?.clone(), selector),
                file.at(Pointer::new(format!("/{}", key.replace('.', "/")))),
            ))
        });
        let mut input = Self { images: images.collect(), classes: Vec::new(), findings: Vec::new() };
        input.add_classes(file);
        input
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
}

impl Checks {
    /// Checks the objects of a device against those of the devices added before.
    pub(super) fn add(&mut self, device: &str, cluster: &str, input: Input) -> Vec<Diagnostic> {
        let mut findings = input.findings;
        for (name, pods, location) in input.images {
            let key = (cluster.to_owned(), name);
            let first = self.images.entry(key).or_insert_with(|| (pods.clone(), location.clone(), device.to_owned()));
            if first.0 != pods {
                let what = if first.0.0 == pods.0 { "node selectors" } else { "images" };
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
}

/// The finding on a device whose DaemonSet has other images or node selectors than the first device's.
fn other_pods(
    name: &str,
    what: &str,
    device: &str,
    location: Location,
    first: &(Pods, Location, String),
) -> Diagnostic {
    let (_, first, owner) = first;
    let message = format!("`{owner}` and `{device}` define the DaemonSet `{name}` with different {what}");
    Diagnostic::new(Code::ObjectConflict, message, location)
        .also(first.clone(), "first here")
        .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
        .help("write the same for both, best in a layer of the cluster")
        .device(owner.clone())
        .device(device)
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
