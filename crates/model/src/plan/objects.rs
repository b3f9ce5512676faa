//! Kubernetes objects that more than one device of a cluster defines.

use std::collections::{BTreeMap, HashMap};

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::network::hostname;
use super::storage_classes;
use crate::DeviceFile;
use crate::device::Device;
use crate::scalar::Image;

/// The DaemonSets of AMD: the key that asks for one, as `files` names it, its name in kube-system, and its image.
type DaemonSet = (&'static str, &'static str, fn(&Device) -> Option<&Image>);

const DAEMON_SETS: [DaemonSet; 2] = [
    ("gpu.amd.devicePlugin", "amdgpu-device-plugin-daemonset", |device| {
        device.gpu.amd.as_ref()?.device_plugin.as_ref()
    }),
    ("gpu.amd.labeller", "amdgpu-labeller-daemonset", |device| device.gpu.amd.as_ref()?.labeller.as_ref()),
];

/// The objects of a device that others may define too.
#[derive(Debug)]
pub struct Sighting {
    /// The name of each DaemonSet, its image, and where the device gives it.
    images: Vec<(&'static str, Image, Location)>,
    /// The name of each StorageClass, and where it comes from.
    classes: Vec<(String, Location)>,
}

impl Sighting {
    /// What a device that could be read defines, those with errors of their own included.
    pub fn new(file: &DeviceFile, findings: &mut Vec<Diagnostic>) -> Self {
        let images = DAEMON_SETS.iter().filter_map(|(key, name, image)| {
            let device = &file.device;
            if device.files.iter().any(|(file, name)| file.as_str() == *key && name.is_none()) {
                return None;
            }
            Some((*name, image(device)?.clone(), file.at(Pointer::new(format!("/{}", key.replace('.', "/"))))))
        });
        Self { images: images.collect(), classes: classes(file, findings) }
    }
}

/// The StorageClasses of a device, with a finding for one that is called like that of the release.
fn classes(file: &DeviceFile, findings: &mut Vec<Diagnostic>) -> Vec<(String, Location)> {
    let mut classes = Vec::new();
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
            findings.push(conflict(message, location, file.device.name.as_str()).help(help));
        } else {
            classes.push((name, location));
        }
    }
    classes
}

/// Judges the objects of devices, one device after the other.
#[derive(Default)]
pub struct Judge {
    /// The image that the first device of a cluster gives a DaemonSet, by both names, and where.
    images: BTreeMap<(String, &'static str), (Image, Location, String)>,
    classes: Seen,
}

impl Judge {
    /// Judges the objects of a device among those of the devices before it.
    pub fn see(&mut self, device: &str, cluster: &str, sighting: Sighting, findings: &mut Vec<Diagnostic>) {
        for (name, image, location) in sighting.images {
            findings.extend(self.image(device, cluster, name, image, location));
        }
        for (name, location) in sighting.classes {
            if let Some((first, owner)) = self.classes.twice(format!("{cluster}/{name}"), &location, device) {
                findings.push(twice(&name, cluster, (first, &owner), location, device));
            }
        }
    }

    /// The finding on a device that gives a DaemonSet another image than the first one that gives it any.
    fn image(
        &mut self,
        device: &str,
        cluster: &str,
        name: &'static str,
        image: Image,
        location: Location,
    ) -> Option<Diagnostic> {
        let first = self
            .images
            .entry((cluster.to_owned(), name))
            .or_insert_with(|| (image.clone(), location.clone(), device.to_owned()));
        let (wanted, first, one) = first;
        if *wanted == image {
            return None;
        }
        Some(
            Diagnostic::new(
                Code::ObjectConflict,
                format!("`{one}` and `{device}` define the DaemonSet `{name}` with different images"),
                location,
            )
            .also(first.clone(), "first here")
            .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
            .help("write one image for both, best in the cluster's `defaults`")
            .device(one.clone())
            .device(device),
        )
    }
}

/// A StorageClass that is there twice.
fn conflict(message: String, location: Location, device: &str) -> Diagnostic {
    Diagnostic::new(Code::ObjectConflict, message, location)
        .note("a StorageClass is the cluster's: kustomize refuses to build two of one name")
        .device(device)
}

fn twice(name: &str, cluster: &str, (first, owner): (Location, &str), location: Location, device: &str) -> Diagnostic {
    let message = format!("two StorageClasses of `{cluster}` are called `{name}`");
    let help = "write a name for each, or leave `name` out: it is made from the volume's and the node's then";
    let finding = conflict(message, location.clone(), device).help(help).device(owner);
    if first == location {
        return finding;
    }
    finding.also(first, if owner == device { "first here".to_owned() } else { format!("first here, by `{owner}`") })
}

/// What was seen, where, and whose it was.
#[derive(Default)]
pub struct Seen(HashMap<String, (Location, String)>);

impl Seen {
    /// The first place and owner of a text that was seen before.
    pub fn twice(&mut self, text: String, location: &Location, owner: &str) -> Option<(Location, String)> {
        if let Some(first) = self.0.get(&text) {
            return Some(first.clone());
        }
        self.0.insert(text, (location.clone(), owner.to_owned()));
        None
    }
}
