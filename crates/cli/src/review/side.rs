//! What a revision or the work tree has for a node and for a cluster.

use std::sync::Arc;

use talosmith_document::Location;
use talosmith_model::plan::Device;
use talosmith_render::{AppliedFile, Artifact, Reader, cluster_paths, location_of_key};

use crate::rendering::Owner;
use crate::steps::Inspected;

/// What a side has for a device or a cluster.
pub(crate) enum Kept {
    Device(DeviceFiles),
    Cluster(ClusterFiles),
}

/// A device, and its files as they are; as they would be where there is none.
pub(crate) struct DeviceFiles {
    pub device: Arc<Device>,
    /// The patches that are applied to the node, in order.
    pub applied: Vec<AppliedFile>,
    pub objects: Vec<ObjectFile>,
}

pub(crate) struct ClusterFiles {
    pub name: String,
    pub objects: Vec<ObjectFile>,
}

/// A file of Kubernetes objects.
#[derive(Debug)]
pub(crate) struct ObjectFile {
    pub text: String,
    /// Where the model requests it.
    pub location: Location,
}

impl Kept {
    /// Keeps the files that the tree has.
    pub(crate) fn existing(inspected: &Inspected<'_>) -> Option<Self> {
        Self::new(inspected, |index, artifact| {
            let old = inspected.changed.iter().find(|(changed, _)| *changed == index);
            old.map_or_else(|| artifact.text.clone(), |(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        })
    }

    /// Keeps the files that are rendered.
    pub(crate) fn rendered(inspected: &Inspected<'_>) -> Option<Self> {
        Self::new(inspected, |_, artifact| artifact.text.clone())
    }

    /// Takes the files of a device.
    pub(crate) fn take_device(kept: &mut Vec<Self>, name: &str) -> Option<DeviceFiles> {
        let devices = std::mem::take(kept).into_iter().filter_map(|kept| match kept {
            Self::Device(files) => Some(files),
            Self::Cluster(_) => None,
        });
        devices.into_iter().find(|files| files.device.name == name)
    }

    fn new(inspected: &Inspected<'_>, text: impl Fn(usize, &Artifact) -> String) -> Option<Self> {
        let artifacts = || inspected.artifacts.into_iter().flatten().enumerate();
        let objects = artifacts().filter(|(_, artifact)| artifact.reader == Reader::Kubernetes);
        let objects = objects.map(|(index, artifact)| {
            let location = match inspected.owner {
                Owner::Device(device) => location_of_key(device, &artifact.key),
                Owner::Cluster(cluster) => {
                    let mut paths = cluster_paths(cluster).into_iter();
                    paths.find(|(path, _)| *path == artifact.path).map(|(_, location)| location.clone())
                }
                Owner::User(_) => None,
            };
            Some(ObjectFile { text: text(index, artifact), location: location? })
        });
        let objects = objects.flatten();
        inspected.artifacts?;
        match inspected.owner {
            Owner::Device(device) => {
                let applied = artifacts().filter(|(_, artifact)| artifact.reader == Reader::Talos && artifact.applied);
                let applied = applied.flat_map(|(index, artifact)| {
                    let text = text(index, artifact);
                    // The keys that share a file are told apart as long as it is what they render.
                    let parts = if text == artifact.text { artifact.parts() } else { std::slice::from_ref(artifact) };
                    let text_of = |part: &Artifact| if parts.len() > 1 { part.text.clone() } else { text.clone() };
                    let file = |part: &Artifact| AppliedFile {
                        key: part.key.clone().into_owned(),
                        body: body(&text_of(part)),
                    };
                    parts.iter().map(file).collect::<Vec<_>>()
                });
                let (applied, objects) = (applied.collect(), objects.collect());
                Some(Self::Device(DeviceFiles { device: Arc::clone(device), applied, objects }))
            }
            Owner::Cluster(cluster) => {
                Some(Self::Cluster(ClusterFiles { name: cluster.name.clone(), objects: objects.collect() }))
            }
            Owner::User(_) => None,
        }
    }
}

/// The text without its header line, if it has one.
fn body(text: &str) -> String {
    match text.split_once('\n') {
        Some((first, rest)) if first.starts_with('#') => rest.to_owned(),
        _ => text.to_owned(),
    }
}
