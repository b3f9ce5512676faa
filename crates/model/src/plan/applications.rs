//! Argo CD applications, which are built from all devices of a cluster.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer, natural};

use super::application_files::{GpuFiles, KataFiles, LocalPathFiles};
use super::claims::{Claims, DeviceClaims, NodeName};
use super::gpu::{self, ApplicationNode, GpuApplication};
use super::unnamed_disk::UnnamedDisk;
use super::{Cluster, Device, StorageClass};
use crate::FleetFile;
use crate::fleet;
use crate::fleet::{LocalPathApplication, NamespacePolicy, Snapshotter};
use crate::layout::{self, GPU, KATA_CONTAINERS, LOCAL_PATH};
use crate::ordered::Ordered;
use crate::scalar::{AbsolutePath, Image, RelativePath};
use crate::upstream;

/// The local-path-provisioner.
#[derive(Debug, Serialize)]
pub struct LocalPath {
    /// The folder of the application, from the repository's root.
    pub folder: String,
    /// The release of the provisioner.
    pub version: String,
    /// Other images for the provisioner, in kustomize's form; more than one where the release's own spelling is not known.
    pub images: Vec<ImageOverride>,
    /// The image of the pods that make and remove folders, if not the release's.
    pub helper_pod_image: Option<String>,
    /// Whether its namespace is labelled as privileged.
    pub label_namespace: bool,
    /// Whether its namespace is deleted, since another application makes it.
    pub delete_namespace: bool,
    /// Whether its StorageClass is the default one; none if the release's own stays as it is.
    pub default_class: Option<bool>,
    /// The paths on each node, the default entry last. Templates of devices do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node_path_map: Option<Vec<NodePaths>>,
    /// The StorageClasses of each device that has some, in natural order of the devices' names. Templates of devices do not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub storage_classes: Option<Vec<NodeClasses>>,
    /// Hand-written neighbours.
    pub resources: Vec<String>,
    /// The names of generated files.
    pub files: LocalPathFiles,
    /// Whether there is a path at all, by default or on a device: without one, nothing is written.
    #[serde(skip)]
    pub offered: bool,
    /// The key that requests it.
    #[serde(skip)]
    pub location: Location,
    #[serde(skip)]
    default_paths: Vec<String>,
    #[serde(skip)]
    default_paths_location: Location,
}

/// An image that kustomize puts in the place of another one.
#[derive(Debug, Serialize)]
pub struct ImageOverride {
    /// The name as the release spells it.
    pub name: String,
    /// The new name, if it is another.
    pub new_name: Option<String>,
    pub new_tag: Option<String>,
    pub digest: Option<String>,
}

/// The paths on one node, with the keys of the provisioner's `config.json`.
#[derive(Debug, Serialize)]
pub struct NodePaths {
    /// The node's Kubernetes name, or `DEFAULT_PATH_FOR_NON_LISTED_NODES`.
    pub node: String,
    /// Where persistent volumes are made; an empty list refuses them.
    pub paths: Vec<String>,
    /// The value that lists them.
    #[serde(skip)]
    pub location: Location,
}

/// The StorageClasses of one device.
#[derive(Debug, Serialize)]
pub struct NodeClasses {
    /// The device's name.
    pub device: String,
    /// The node's Kubernetes name.
    pub node: String,
    /// The classes in the order of their volumes' names.
    pub classes: Vec<StorageClass>,
    /// The key that requests them.
    #[serde(skip)]
    pub location: Location,
}

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
    pub scratch_file: String,
    /// The size of the scratch file in bytes.
    pub scratch_bytes: u64,
    /// The pause image.
    pub sandbox_image: String,
    /// The Kubernetes names of the nodes that take part, in natural order: without one, nothing is written. Templates of devices do
    /// not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nodes: Option<Vec<ApplicationNode>>,
    /// Labels of the nodes on which the DaemonSet runs.
    pub node_selector: Ordered<String, String>,
    /// The image that makes the scratch file.
    pub scratch_image: String,
    /// The image that keeps the pod.
    pub hold_image: String,
    /// Hand-written neighbours.
    pub resources: Vec<String>,
    /// The names of generated files.
    pub files: KataFiles,
    /// The key that requests it.
    #[serde(skip)]
    pub location: Location,
}

/// The folder of an application.
#[derive(Debug, Clone, Copy)]
pub struct ApplicationFolder<'a> {
    /// The name of the application.
    pub name: &'static str,
    /// The folder, from the repository's root.
    pub folder: &'a str,
    /// The key that requests it.
    pub location: &'a Location,
    /// Hand-written neighbours.
    pub resources: &'a [String],
}

impl Cluster {
    /// Returns the folders of its applications.
    pub fn folders(&self) -> impl Iterator<Item = ApplicationFolder<'_>> {
        let local_path = self.local_path.iter().map(|it| (LOCAL_PATH, &it.folder, &it.location, &it.resources));
        let kata = self.kata.iter().map(|it| (KATA_CONTAINERS, &it.folder, &it.location, &it.resources));
        let gpu = self.gpu.iter().map(|it| (GPU, &it.folder, &it.location, &it.resources));
        let all = local_path.chain(kata).chain(gpu);
        all.map(|(name, folder, location, resources)| ApplicationFolder { name, folder, location, resources })
    }
}

/// The local-path-provisioner of the cluster at `at`, without its nodes.
pub(super) fn local_path(file: &FleetFile, cluster: &fleet::Cluster, at: &Pointer) -> Option<LocalPath> {
    let written = cluster.applications.local_path.as_ref()?;
    let version = written.version.as_str();
    Some(LocalPath {
        folder: folder(written.path.as_ref(), LOCAL_PATH),
        version: version.to_owned(),
        images: written.image.as_ref().map(|image| images(version, image)).unwrap_or_default(),
        helper_pod_image: written.helper_pod_image.as_ref().map(ToString::to_string),
        label_namespace: written.namespace == NamespacePolicy::Label,
        delete_namespace: written.namespace == NamespacePolicy::Delete,
        default_class: written.default_class,
        node_path_map: None,
        storage_classes: None,
        resources: written.resources.iter().map(ToString::to_string).collect(),
        files: LocalPathFiles::new(&written.files),
        offered: false,
        location: requested_by(file, at, LOCAL_PATH, written.path.is_some()),
        default_paths: written.default_paths.iter().map(ToString::to_string).collect(),
        default_paths_location: file.at(at.child("applications").child(LOCAL_PATH).child("defaultPaths")),
    })
}

/// What makes kustomize write `image` where the manifests at a Git reference have the provisioner's own.
fn images(reference: &str, image: &Image) -> Vec<ImageOverride> {
    let names = upstream::local_path::image_names(reference).into_iter();
    let overrides = names.map(|name| ImageOverride {
        name: name.to_owned(),
        new_name: Some(image.name()).filter(|new| *new != name).map(str::to_owned),
        new_tag: image.tag().map(str::to_owned),
        digest: image.digest().map(str::to_owned),
    });
    overrides.collect()
}

/// The kata containers of the cluster at `at`, without its nodes.
pub(super) fn kata(file: &FleetFile, cluster: &fleet::Cluster, at: &Pointer) -> Option<KataContainers> {
    let written = cluster.applications.kata_containers.as_ref()?;
    let mount = format!("/var/mnt/{}", written.scratch.volume);
    let scratch = format!("{mount}/{}", written.scratch.path);
    let root = scratch.rsplit_once('/').map_or(mount.as_str(), |(root, _)| root).to_owned();
    Some(KataContainers {
        folder: folder(written.path.as_ref(), KATA_CONTAINERS),
        runtime: written.runtime.to_string(),
        snapshotter: written.snapshotter,
        scratch_volume: written.scratch.volume.to_string(),
        scratch_mount: mount,
        scratch_root: root,
        scratch_file: scratch,
        scratch_bytes: written.scratch.size.bytes(),
        sandbox_image: written.sandbox_image.to_string(),
        nodes: None,
        node_selector: written.node_selector.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect(),
        scratch_image: written.images.scratch.to_string(),
        hold_image: written.images.hold.to_string(),
        resources: written.resources.iter().map(ToString::to_string).collect(),
        files: KataFiles::new(&written.files, written.runtime.as_str()),
        location: requested_by(file, at, KATA_CONTAINERS, written.path.is_some()),
    })
}

/// The DaemonSets for GPUs of the cluster at `at`, without their nodes.
pub(super) fn gpu(file: &FleetFile, cluster: &fleet::Cluster, at: &Pointer) -> Option<GpuApplication> {
    let written = cluster.applications.gpu.as_ref()?;
    Some(GpuApplication {
        folder: folder(written.path.as_ref(), GPU),
        pods: gpu::of_application(written),
        generated: None,
        is_used: false,
        resources: written.resources.iter().map(ToString::to_string).collect(),
        files: GpuFiles::new(&written.files),
        location: requested_by(file, at, GPU, written.path.is_some()),
    })
}

/// Returns the folder of an application, from the repository's root.
pub(super) fn folder(path: Option<&RelativePath>, name: &str) -> String {
    path.map_or_else(|| layout::application(name).into_string(), ToString::to_string)
}

/// Returns the key that specifies where an application is written: its `path`, or else its name.
fn requested_by(file: &FleetFile, cluster: &Pointer, name: &str, has_path: bool) -> Location {
    let application = cluster.child("applications").child(name);
    if has_path { file.at(application.child("path")) } else { file.at(application).as_key() }
}

/// What the applications of a cluster, and the checks across devices, take from a planned device.
#[derive(Debug)]
pub struct ApplicationInput {
    pub(super) cluster: String,
    /// The device's name.
    pub(super) device: String,
    /// The name of its Kubernetes node.
    node: String,
    /// The location of its hostname, if that is not the node's name.
    hostname: Option<Location>,
    claims: DeviceClaims,
    /// The key by which it takes part in kata-containers.
    kata: Option<Location>,
    /// The vendors of its GPUs, and their keys.
    gpu: Vec<(&'static str, Location)>,
    /// The paths that it offers to the local-path-provisioner, and their key.
    local_paths: Option<(Vec<String>, Location)>,
    classes: Option<Box<NodeClasses>>,
    pub(super) unnamed_disk: Option<Box<UnnamedDisk>>,
}

impl ApplicationInput {
    pub(super) fn new(device: &Device) -> Self {
        let storage = &device.storage;
        let classes = (!storage.storage_classes.is_empty()).then(|| {
            Box::new(NodeClasses {
                device: device.name.clone(),
                node: device.network.node_name.clone(),
                classes: storage.storage_classes.clone(),
                location: device.keys.at("/localPath/storageClasses").as_key(),
            })
        });
        let local_paths = storage.local_paths.clone();
        Self {
            cluster: device.cluster.clone(),
            device: device.name.clone(),
            hostname: (device.network.hostname != device.network.node_name)
                .then(|| device.network.hostname_location.clone()),
            claims: DeviceClaims::of(device),
            node: device.network.node_name.clone(),
            kata: device.kubernetes.kata.then(|| device.keys.at("/kata").as_key()),
            gpu: device.kubernetes.gpu.locations(&device.keys),
            local_paths: local_paths.map(|paths| (paths, device.keys.at("/localPath/volumes"))),
            classes,
            unnamed_disk: UnnamedDisk::of(device),
        }
    }

    /// Adds what the checks across devices need of the device.
    pub(super) fn add_claims(&mut self, claims: &mut Claims) {
        if let Some(location) = self.hostname.take() {
            claims.nodes.push(NodeName {
                cluster: self.cluster.as_str().into(),
                device: self.device.as_str().into(),
                node: self.node.as_str().into(),
                location,
            });
        }
        claims.add(&self.device, &self.cluster, std::mem::take(&mut self.claims));
    }

    pub fn cluster(&self) -> &str {
        &self.cluster
    }

    /// Whether one of these applications of its cluster mentions the device.
    pub(super) fn is_needed(&self, applications: &fleet::Applications) -> bool {
        let is_kata_node = self.kata.is_some() && applications.kata_containers.is_some();
        let offers = |application: &LocalPathApplication| {
            let defaults = application.default_paths.iter().map(AbsolutePath::as_str);
            let is_default =
                |(paths, _): &(Vec<String>, Location)| paths.iter().map(String::as_str).eq(defaults.clone());
            self.classes.is_some() || self.local_paths.as_ref().is_some_and(|offered| !is_default(offered))
        };
        let has_gpu =
            |application: &fleet::GpuApplication| self.gpu.iter().any(|(vendor, _)| application.of(vendor).is_some());
        is_kata_node
            || applications.local_path.as_ref().is_some_and(offers)
            || applications.gpu.as_ref().is_some_and(has_gpu)
    }
}

/// Adds what the devices of each cluster provide to its applications.
pub(super) fn gather(clusters: &mut [Cluster], mut inputs: BTreeMap<String, Vec<ApplicationInput>>) {
    for cluster in clusters {
        let mut inputs = inputs.remove(&cluster.name).unwrap_or_default();
        inputs.sort_by(|one, other| natural(&one.node, &other.node));
        if let Some(kata) = &mut cluster.kata {
            let nodes = inputs
                .iter()
                .filter_map(|input| Some(ApplicationNode { node: input.node.clone(), location: input.kata.clone()? }));
            kata.nodes = Some(nodes.collect());
        }
        if let Some(gpu) = &mut cluster.gpu {
            gpu.gather(inputs.iter().flat_map(|input| {
                input.gpu.iter().map(|(vendor, location)| {
                    (*vendor, ApplicationNode { node: input.node.clone(), location: location.clone() })
                })
            }));
        }
        if let Some(local_path) = &mut cluster.local_path {
            local_path.gather(inputs);
        }
    }
}

impl LocalPath {
    /// Adds what devices offer, which are in natural order of their nodes' names.
    fn gather(&mut self, inputs: Vec<ApplicationInput>) {
        let (mut paths, mut classes) = (Vec::new(), Vec::new());
        for input in inputs {
            let Some((offered, location)) = input.local_paths else { continue };
            self.offered |= !offered.is_empty();
            if offered != self.default_paths {
                paths.push(NodePaths { node: input.node, paths: offered, location });
            }
            classes.extend(input.classes.map(|classes| *classes));
        }
        self.offered |= !self.default_paths.is_empty();
        paths.push(NodePaths {
            node: "DEFAULT_PATH_FOR_NON_LISTED_NODES".to_owned(),
            paths: self.default_paths.clone(),
            location: self.default_paths_location.clone(),
        });
        classes.sort_by(|one, other| natural(&one.device, &other.device));
        self.node_path_map = Some(paths);
        self.storage_classes = Some(classes);
    }
}

/// Checks the paths that each cluster's local-path-provisioner uses on nodes that it does not list.
pub(super) fn check_default_paths(fleet: &FleetFile) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (name, cluster) in &fleet.fleet.clusters {
        let Some(application) = &cluster.applications.local_path else { continue };
        let at = Pointer::new("/clusters").child(name).child("applications").child(LOCAL_PATH).child("defaultPaths");
        let mut seen = BTreeSet::new();
        for (index, path) in application.default_paths.iter().enumerate() {
            let location = fleet.at(at.item(index));
            if !seen.insert(path) {
                findings.push(
                    Diagnostic::new(Code::DuplicateItem, format!("`{path}` is listed twice"), location)
                        .note("the provisioner refuses a configuration that names a path twice")
                        .help("remove one"),
                );
            } else if !path.as_str().starts_with("/var/") {
                findings.push(
                    Diagnostic::new(Code::ReadOnlyPath, format!("`{path}` cannot be written on Talos"), location)
                        .note("only paths below /var can; the folder of each persistent volume is created when a claim requests it")
                        .help("write the mount point of a user volume, such as `/var/mnt/local-path-provisioner`"),
                );
            }
        }
    }
    findings
}
