//! The catalogue: one row for every artifact that talosmith can generate.

mod cluster_rows;
mod rows;
mod templates;

use std::borrow::Cow;

use camino::Utf8PathBuf;
use minijinja::Value;
use serde::Serialize;
use talosmith_model::layout::{GPU, KATA_CONTAINERS, LOCAL_PATH, device_folder, manifests};
use talosmith_model::plan::{Cluster, ConfigFormat, Device, Gpu, GpuPods, NodeClasses};

use crate::engine::template_value;

pub use cluster_rows::CLUSTER;
pub use rows::DEVICE;
pub(crate) use rows::DISK_MAP;
pub use templates::{BuiltInTemplate, built_in_templates};

/// A row of the catalogue: an artifact of a device.
#[derive(Debug)]
pub struct Row {
    /// The model key that requests the artifact, as `files` names it; `*` is replaced by an item's name.
    pub key: &'static str,
    pub each: Each,
    /// The path below `manifests/`, of a document below the folder of the device; `*` is replaced by an item's name, `@` by the device's. An artifact with a secret is tracked as
    /// `….template.yaml`, and the file with the value is `….yaml`.
    pub file: &'static str,
    pub template: Template,
    pub reader: Reader,
    /// Whether the artifact is applied together with the others.
    pub applied: bool,
    /// One line for the reference.
    pub about: &'static str,
}

/// A row of the catalogue: an artifact of a cluster's application.
#[derive(Debug)]
pub struct ClusterRow {
    pub application: Application,
    pub each: ClusterEach,
    /// The path below the application's folder as the reference shows it: `*` is the name of the runtime, or of the device.
    pub file: &'static str,
    /// The key of the application's `files` that renames it; none if it cannot be renamed.
    pub key: Option<&'static str>,
    /// Returns that path for a cluster and a device; none if `files` disables the artifact.
    pub path: fn(&Cluster, Option<&NodeClasses>) -> Option<String>,
    pub template: BuiltInTemplate,
    /// One line for the reference.
    pub about: &'static str,
}

/// The items of a device that an artifact is generated for, one file each.
#[derive(Debug, Clone, Copy)]
pub enum Each {
    /// The device itself, if the function returns true.
    Device(fn(&Device) -> bool),
    Schematic,
    /// An installer image that is not applied.
    Alternative,
    Volume,
    /// An extension service other than Tailscale.
    ExtensionService,
    /// What runs for the GPUs of a vendor, if the functions find it and its image.
    Gpu(fn(&Gpu) -> Option<&GpuPods>, fn(&GpuPods) -> Option<&String>),
    Patch,
}

/// The items of a cluster that an artifact is generated for, one file each.
#[derive(Debug, Clone, Copy)]
pub enum ClusterEach {
    /// The application itself, if the function returns true.
    Application(fn(&Cluster) -> bool),
    /// A device with StorageClasses of its own.
    DeviceWithClasses,
    /// What runs for the GPUs of a vendor, if the functions find it and its image.
    Gpu(fn(&Gpu) -> Option<&GpuPods>, fn(&GpuPods) -> Option<&String>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Application {
    /// Rancher's local-path-provisioner.
    LocalPath,
    Kata,
    /// The DaemonSets for GPUs.
    Gpu,
}

impl Application {
    pub const ALL: [Self; 3] = [Self::LocalPath, Self::Kata, Self::Gpu];

    /// Returns its name under `applications`.
    pub fn name(self) -> &'static str {
        match self {
            Self::LocalPath => LOCAL_PATH,
            Self::Kata => KATA_CONTAINERS,
            Self::Gpu => GPU,
        }
    }
}

/// What an artifact of a device is rendered from.
#[derive(Debug, Clone, Copy)]
pub enum Template {
    /// The same template for every base config.
    Same(BuiltInTemplate),
    /// A template for each format of the base config.
    PerFormat { v1alpha1: BuiltInTemplate, documents: BuiltInTemplate },
    /// No template: the content of the user's raw patch.
    Raw,
}

/// The program that reads an artifact. Reports contain its name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(into = "&'static str")]
pub enum Reader {
    ImageFactory,
    /// Talos, as a patch of the machine config.
    Talos,
    /// Kubernetes or kustomize.
    Kubernetes,
    /// The people who operate the node.
    Operator,
    /// Whatever reads an artifact of the user's own templates.
    Other,
}

impl From<Reader> for &'static str {
    fn from(reader: Reader) -> Self {
        match reader {
            Reader::ImageFactory => "image-factory",
            Reader::Talos => "talos",
            Reader::Kubernetes => "kubernetes",
            Reader::Operator => "operator",
            Reader::Other => "other",
        }
    }
}

impl Template {
    /// Returns the name of the template for a format of the base config; none for a raw patch.
    pub(crate) const fn name(self, format: ConfigFormat) -> Option<&'static str> {
        match (self, format) {
            (Self::Same(template), _)
            | (Self::PerFormat { v1alpha1: template, .. }, ConfigFormat::V1Alpha1)
            | (Self::PerFormat { documents: template, .. }, ConfigFormat::Documents) => Some(template.name),
            (Self::Raw, _) => None,
        }
    }
}

/// Returns the artifacts of a device in the order of the catalogue, each as its row and the name of its item.
pub(crate) fn artifacts_of(device: &Device) -> impl Iterator<Item = (&'static Row, &str)> {
    DEVICE.iter().flat_map(move |row| row.items(device).into_iter().map(move |item| (row, item)))
}

impl Row {
    /// Returns the folder in which its artifacts of a device are.
    pub(crate) fn folder(&self, device: &str) -> Utf8PathBuf {
        match self.reader {
            Reader::Operator => device_folder(device),
            _ => manifests(device),
        }
    }

    /// Returns the names of the items that a device has; one empty name for the device itself.
    pub(crate) fn items<'a>(&self, device: &'a Device) -> Vec<&'a str> {
        match self.each {
            Each::Schematic => device.images.schematics.iter().map(|item| item.name.as_str()).collect(),
            Each::Alternative => device.images.install.alternatives.iter().map(|item| item.name.as_str()).collect(),
            Each::Volume => device.storage.volumes.iter().map(|item| item.name.as_str()).collect(),
            Each::ExtensionService => device.system.extension_services.iter().map(|item| item.name.as_str()).collect(),
            Each::Patch => device.patches.iter().map(|item| item.name.as_str()).collect(),
            Each::Device(is_wanted) if is_wanted(device) => vec![""],
            Each::Gpu(pods, image) if pods(&device.kubernetes.gpu).and_then(image).is_some() => vec![""],
            Each::Device(_) | Each::Gpu(..) => Vec::new(),
        }
    }

    /// Returns the model key that requests the artifact of an item.
    pub(crate) fn key_of(&self, item: &str) -> Cow<'static, str> {
        match self.key.split_once('*') {
            Some((before, after)) => Cow::Owned([before, item, after].concat()),
            None => Cow::Borrowed(self.key),
        }
    }
}

impl ClusterRow {
    /// Returns the items of a cluster: devices, or `None` for the application itself. Empty if no device uses the
    /// application, or if `files` disables the artifact.
    pub(crate) fn items<'a>(&self, cluster: &'a Cluster) -> Vec<Option<&'a NodeClasses>> {
        let local_path = cluster.local_path.as_ref().filter(|it| it.offered);
        let is_used = match self.application {
            Application::LocalPath => local_path.is_some(),
            Application::Kata => {
                cluster.kata.as_ref().and_then(|it| it.nodes.as_ref()).is_some_and(|nodes| !nodes.is_empty())
            }
            Application::Gpu => cluster.gpu.as_ref().is_some_and(|it| it.is_used),
        };
        let pods = |of: fn(&Gpu) -> Option<&GpuPods>| cluster.gpu.as_ref().and_then(|it| of(&it.pods));
        let mut items = match self.each {
            ClusterEach::Application(is_wanted) if is_used && is_wanted(cluster) => vec![None],
            ClusterEach::Gpu(of, image) if is_used && pods(of).and_then(image).is_some() => vec![None],
            ClusterEach::Application(_) | ClusterEach::Gpu(..) => Vec::new(),
            ClusterEach::DeviceWithClasses => {
                local_path.iter().flat_map(|it| &it.storage_classes).flatten().map(Some).collect()
            }
        };
        items.retain(|item| (self.path)(cluster, *item).is_some());
        items
    }

    /// Returns what templates see as `item`.
    pub(crate) fn item_value(&self, cluster: &Cluster, item: Option<&NodeClasses>) -> Value {
        match self.each {
            ClusterEach::Gpu(pods, _) => template_value(&cluster.gpu.as_ref().and_then(|it| pods(&it.pods))),
            ClusterEach::Application(_) | ClusterEach::DeviceWithClasses => template_value(&item),
        }
    }
}
