//! Kubernetes objects that more than one device of a cluster defines.

use std::collections::BTreeMap;

use super::fleet::Seen;
use super::storage_classes;
use crate::device::Device;
use crate::scalar::Image;
use crate::{Code, DeviceFile, Diagnostic, Place};

/// The DaemonSets of AMD: the key that asks for one, as `files` names it, its name in kube-system, and its image.
type DaemonSet = (&'static str, &'static str, fn(&Device) -> Option<&Image>);

const DAEMON_SETS: [DaemonSet; 2] = [
    ("gpu.amd.devicePlugin", "amdgpu-device-plugin-daemonset", |device| {
        device.gpu.amd.as_ref()?.device_plugin.as_ref()
    }),
    ("gpu.amd.labeller", "amdgpu-labeller-daemonset", |device| device.gpu.amd.as_ref()?.labeller.as_ref()),
];

/// Judges the objects of devices, one device after the other.
#[derive(Default)]
pub struct Judge {
    /// The image that the first device of a cluster gives a DaemonSet, by both names, and where.
    images: BTreeMap<(String, &'static str), (Image, Place, String)>,
    classes: Seen,
}

impl Judge {
    /// Judges a device that could be read, those with errors of their own included.
    pub fn see(&mut self, file: &DeviceFile, findings: &mut Vec<Diagnostic>) {
        for daemon_set in DAEMON_SETS {
            findings.extend(self.image(file, daemon_set));
        }
        self.classes(file, findings);
    }

    /// The finding on a device that gives a DaemonSet another image than the first one that gives it any.
    fn image(&mut self, file: &DeviceFile, (key, name, image): DaemonSet) -> Option<Diagnostic> {
        let device = &file.device;
        if device.files.iter().any(|(file, name)| file.as_str() == key && name.is_none()) {
            return None;
        }
        let image = image(device)?;
        let place = file.at(format!("/{}", key.replace('.', "/")).as_str());
        let first = self
            .images
            .entry((device.cluster.to_string(), name))
            .or_insert_with(|| (image.clone(), place.clone(), device.name.to_string()));
        let (wanted, first, one) = first;
        if wanted == image {
            return None;
        }
        let two = device.name.as_str();
        Some(
            Diagnostic::new(
                Code::ObjectConflict,
                format!("`{one}` and `{two}` define the DaemonSet `{name}` with different images"),
                place,
            )
            .also(first.clone(), "first here")
            .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
            .help("write one image for both, best in the cluster's `defaults`")
            .device(one.clone())
            .device(two),
        )
    }

    /// StorageClasses of one name, that of the release included.
    fn classes(&mut self, file: &DeviceFile, findings: &mut Vec<Diagnostic>) {
        let (device, cluster) = (file.device.name.as_str(), file.device.cluster.as_str());
        for (volume, name) in storage_classes::names(&file.device) {
            let at = storage_classes::pointer(volume);
            let class = file.device.local_path.as_ref().and_then(|offered| offered.storage_classes.get(volume));
            let place = if class.is_some_and(|class| class.name.is_some()) {
                file.at(at.child("name"))
            } else {
                file.at(at).as_key()
            };
            let finding = if name == storage_classes::OF_THE_RELEASE {
                Diagnostic::new(
                    Code::ObjectConflict,
                    format!("the StorageClass `{name}` is the one that the release brings"),
                    place,
                )
                .help(format!("write another name, such as `{volume}-{}`", storage_classes::node(&file.device)))
            } else if let Some((first, owner)) = self.classes.twice(format!("{cluster}/{name}"), &place, device) {
                twice(&name, cluster, (first, &owner), place, device)
            } else {
                continue;
            };
            findings.push(
                finding
                    .note("a StorageClass is the cluster's: kustomize refuses to build two of one name")
                    .device(device),
            );
        }
    }
}

fn twice(name: &str, cluster: &str, (first, owner): (Place, &str), place: Place, device: &str) -> Diagnostic {
    let message = format!("two StorageClasses of `{cluster}` are called `{name}`");
    let help = "write a name for each, or leave `name` out: it is made from the volume's and the node's then";
    let finding = Diagnostic::new(Code::ObjectConflict, message, place.clone()).help(help).device(owner);
    if first == place {
        return finding;
    }
    finding.also(first, if owner == device { "first here".to_owned() } else { format!("first here, by `{owner}`") })
}
