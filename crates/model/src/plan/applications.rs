//! Argo CD applications, which are built from all devices of a cluster.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{Cluster, Device};
use crate::fleet::{self, NamespacePolicy, Snapshotter};

/// The local-path-provisioner.
#[derive(Debug, Serialize)]
pub struct LocalPath {
    /// The folder of the application, from the repository's root.
    pub folder: String,
    /// The release of the provisioner.
    pub version: String,
    /// Whether its namespace is labelled as privileged.
    pub label_namespace: bool,
    /// Whether its namespace is deleted, since another application makes it.
    pub delete_namespace: bool,
    /// Whether its StorageClass is the default one.
    pub default_class: bool,
    /// The paths on each node, the default entry last.
    pub node_path_map: Vec<NodePaths>,
    /// Hand-written neighbours.
    pub resources: Vec<String>,
    #[serde(skip)]
    default_paths: Vec<String>,
}

/// The paths on one node, with the keys of the provisioner's `config.json`.
#[derive(Debug, Serialize)]
pub struct NodePaths {
    /// The node's Kubernetes name, or `DEFAULT_PATH_FOR_NON_LISTED_NODES`.
    pub node: String,
    /// Where persistent volumes are made; an empty list refuses them.
    pub paths: Vec<String>,
}

/// Kata containers.
#[derive(Debug, Serialize)]
pub struct KataContainers {
    /// The folder of the application, from the repository's root.
    pub folder: String,
    /// RuntimeClass and containerd's handler.
    pub runtime: String,
    /// containerd's snapshotter.
    pub snapshotter: Snapshotter,
    /// The user volume with the scratch file.
    pub scratch_volume: String,
    /// Where that volume is mounted.
    pub scratch_mount: String,
    /// The snapshotter's root: the folder of the scratch file.
    pub scratch_root: String,
    /// The scratch file.
    pub scratch_file: String,
    /// The size of the scratch file in bytes.
    pub scratch_bytes: u64,
    /// The pause image.
    pub sandbox_image: String,
    /// Labels of the nodes on which the DaemonSet runs.
    pub node_selector: BTreeMap<String, String>,
    /// The image that makes the scratch file.
    pub scratch_image: String,
    /// The image that keeps the pod.
    pub hold_image: String,
    /// Hand-written neighbours.
    pub resources: Vec<String>,
}

/// The local-path-provisioner of a cluster, without its nodes.
pub fn local_path(cluster: &fleet::Cluster) -> Option<LocalPath> {
    let written = cluster.applications.local_path.as_ref()?;
    Some(LocalPath {
        folder: folder(written.path.as_ref(), "local-path"),
        version: written.version.as_str().to_owned(),
        label_namespace: written.namespace == NamespacePolicy::Label,
        delete_namespace: written.namespace == NamespacePolicy::Delete,
        default_class: written.default_class,
        node_path_map: Vec::new(),
        resources: written.resources.iter().map(ToString::to_string).collect(),
        default_paths: written.default_paths.iter().map(ToString::to_string).collect(),
    })
}

/// The kata containers of a cluster.
pub fn kata(cluster: &fleet::Cluster) -> Option<KataContainers> {
    let written = cluster.applications.kata_containers.as_ref()?;
    let mount = format!("/var/mnt/{}", written.scratch.volume);
    let file = format!("{mount}/{}", written.scratch.path);
    let root = file.rsplit_once('/').map_or(mount.as_str(), |(root, _)| root).to_owned();
    Some(KataContainers {
        folder: folder(written.path.as_ref(), "kata-containers"),
        runtime: written.runtime.to_string(),
        snapshotter: written.snapshotter,
        scratch_volume: written.scratch.volume.to_string(),
        scratch_mount: mount,
        scratch_root: root,
        scratch_file: file,
        scratch_bytes: written.scratch.size.bytes(),
        sandbox_image: written.sandbox_image.to_string(),
        node_selector: written.node_selector.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        scratch_image: written.images.scratch.to_string(),
        hold_image: written.images.hold.to_string(),
        resources: written.resources.iter().map(ToString::to_string).collect(),
    })
}

fn folder(path: Option<&crate::scalar::RelativePath>, name: &str) -> String {
    path.map_or_else(|| format!("argocd/applications/{name}"), ToString::to_string)
}

/// Puts what the devices offer into the applications of their cluster.
pub fn gather(cluster: &mut Cluster, devices: &[Device]) {
    let Some(application) = &mut cluster.local_path else { return };
    for device in devices.iter().filter(|device| device.cluster == cluster.name) {
        let Some(paths) = &device.local_paths else { continue };
        if *paths != application.default_paths {
            application.node_path_map.push(NodePaths { node: device.hostname.clone(), paths: paths.clone() });
        }
    }
    application.node_path_map.push(NodePaths {
        node: "DEFAULT_PATH_FOR_NON_LISTED_NODES".to_owned(),
        paths: application.default_paths.clone(),
    });
}
