//! StorageClasses of the local-path-provisioner, each for one volume of one node.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer};

use super::network::hostname;
use super::{Check, Volume};
use crate::device::{Device, ReclaimPolicy};
use crate::ordered::Ordered;
use crate::scalar::{ObjectName, VolumeName};

/// The class that a release of the provisioner brings.
pub(super) const OF_THE_RELEASE: &str = "local-path";

/// Annotations that make a class the default one. Source: k8s.io/kubernetes `pkg/volume/util/storageclass.go`; the beta one is
/// still read.
const DEFAULT_CLASS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];

/// A StorageClass for one volume of one node.
#[derive(Debug, Clone, Serialize)]
pub struct StorageClass {
    pub name: String,
    /// Where the volume is mounted: one of the node's paths.
    pub path: String,
    /// What happens to the data when a claim is deleted.
    pub reclaim_policy: ReclaimPolicy,
    /// Whether claims can be expanded, none if the model does not specify it.
    pub allow_volume_expansion: Option<bool>,
    pub annotations: Ordered<String, String>,
}

/// Where the class of a volume is described.
pub(super) fn pointer(volume: &VolumeName) -> Pointer {
    Pointer::new("/localPath/storageClasses").child(volume)
}

/// The names of a device's classes by their volumes.
pub(super) fn names(device: &Device) -> impl Iterator<Item = (&VolumeName, String)> {
    let classes = device.local_path.iter().flat_map(|offered| &offered.storage_classes);
    classes.map(|(volume, class)| match &class.name {
        Some(name) => (volume, name.to_string()),
        None => (volume, format!("{volume}-{}", hostname(device))),
    })
}

/// The classes of a device, in the order of their volumes' names.
pub(super) fn plan(check: &mut Check<'_>, volumes: &[Volume]) -> Vec<StorageClass> {
    let Some(offered) = &check.file.device.local_path else { return Vec::new() };
    let listed = offered.volumes.as_deref().unwrap_or_default();
    let mut planned = Vec::new();
    for (volume, name) in names(&check.file.device) {
        let at = pointer(volume);
        let class = &offered.storage_classes[volume];
        if class.name.is_none()
            && let Err(fault) = name.parse::<ObjectName>()
        {
            let location = check.key(at.clone());
            let mut finding = fault.at(Code::BadName, location);
            finding.helps = vec![format!("write one, as in\nname: {}", name.to_ascii_lowercase())];
            check.push(finding);
        }
        for annotation in DEFAULT_CLASS {
            let set = class.annotations.iter().find(|(key, value)| key.as_str() == annotation && *value == "true");
            if set.is_some() {
                let message = format!("the class `{name}` of one node would be the cluster's default class");
                check.push(
                    Diagnostic::new(Code::DefaultClass, message, check.at(at.child("annotations").child(annotation)))
                    .note("every claim without a class would bind its pods to this node")
                    .help(
                        "remove the line; `defaultClass: true` of the application makes `local-path` the default one",
                    ),
                );
            }
        }
        let found = volumes.iter().find(|other| other.name == volume.as_str());
        let (Some(Volume { mount_path: Some(path), .. }), true) = (found, listed.contains(volume)) else {
            unoffered(check, at, volumes, volume.as_str());
            continue;
        };
        planned.push(StorageClass {
            name,
            path: path.clone(),
            reclaim_policy: class.reclaim_policy,
            allow_volume_expansion: class.allow_volume_expansion,
            annotations: class.annotations.iter().map(|(key, value)| (key.to_string(), value.clone())).collect(),
        });
    }
    planned
}

/// A class for what the node does not offer. A fault of the volume itself is reported there.
fn unoffered(check: &mut Check<'_>, at: Pointer, volumes: &[Volume], name: &str) {
    let has = check.file.device.volumes.keys().any(|volume| volume.as_str() == name);
    match volumes.iter().find(|volume| volume.name == name) {
        Some(Volume { mount_path: None, .. }) => {
            check.push(super::features::own_volume(name, check.key(at)));
        }
        Some(_) => {
            let location = check.key(at);
            let list = check.at("/localPath/volumes");
            check.push(
                Diagnostic::new(Code::UnknownVolume, format!("the node does not offer the volume `{name}`"), location)
                    .also(list, "the volumes that it offers")
                    .note("the provisioner refuses claims for a path that is not in the node's list")
                    .help(format!("add it to `localPath.volumes`:\n- {name}")),
            );
        }
        None if has => {}
        None => super::features::unknown_volume(check, at, volumes, name),
    }
}
