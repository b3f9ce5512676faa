//! Kubernetes objects that more than one device of a cluster defines.

use super::fleet::Seen;
use super::storage_classes;
use crate::device::Device;
use crate::scalar::Image;
use crate::{Code, DeviceFile, Diagnostic, FleetFile, Place};

/// The DaemonSets of AMD: the key that asks for one, as `files` names it, its name in kube-system, and its image.
type DaemonSet = (&'static str, &'static str, fn(&Device) -> Option<&Image>);

const DAEMON_SETS: [DaemonSet; 2] = [
    ("gpu.amd.devicePlugin", "amdgpu-device-plugin-daemonset", |device| {
        device.gpu.amd.as_ref()?.device_plugin.as_ref()
    }),
    ("gpu.amd.labeller", "amdgpu-labeller-daemonset", |device| device.gpu.amd.as_ref()?.labeller.as_ref()),
];

/// Judges the devices that could be read, those with errors of their own included.
pub fn judge(fleet: &FleetFile, devices: &[DeviceFile], findings: &mut Vec<Diagnostic>) {
    for cluster in fleet.fleet.clusters.keys() {
        let members: Vec<_> = devices.iter().filter(|file| file.device.cluster == *cluster).collect();
        for daemon_set in DAEMON_SETS {
            images(&members, daemon_set, findings);
        }
        classes(&members, cluster.as_str(), findings);
    }
}

/// Each device that gives a DaemonSet another image than the first one that gives it any.
fn images(members: &[&DeviceFile], (key, name, image): DaemonSet, findings: &mut Vec<Diagnostic>) {
    let is_written = |device: &Device| device.files.iter().all(|(file, name)| file.as_str() != key || name.is_some());
    let at = |file: &DeviceFile| file.at(format!("/{}", key.replace('.', "/")).as_str());
    let mut given = members.iter().filter(|file| is_written(&file.device));
    let Some((first, wanted)) = given.by_ref().find_map(|file| Some((file, image(&file.device)?))) else { return };
    for file in given {
        if image(&file.device).is_none_or(|other| other == wanted) {
            continue;
        }
        let (one, two) = (first.device.name.as_str(), file.device.name.as_str());
        findings.push(
            Diagnostic::new(
                Code::ObjectConflict,
                format!("`{one}` and `{two}` define the DaemonSet `{name}` with different images"),
                at(file),
            )
            .also(at(first), "first here")
            .note("a DaemonSet is the cluster's: the one that is applied last replaces the other on every node")
            .help("write one image for both, best in the cluster's `defaults`")
            .device(one)
            .device(two),
        );
    }
}

/// StorageClasses of one name, that of the release included.
fn classes(members: &[&DeviceFile], cluster: &str, findings: &mut Vec<Diagnostic>) {
    let mut seen = Seen::default();
    for file in members {
        let device = file.device.name.as_str();
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
            } else if let Some((first, owner)) = seen.twice(name.clone(), &place, device) {
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
