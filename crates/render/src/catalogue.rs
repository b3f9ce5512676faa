//! The catalogue: every artifact that talosmith knows has one row in it.

mod rows;

use talosmith_model::plan::{Cluster, ConfigFormat, Content, Device, NodeClasses};

pub use rows::{CLUSTER, DEVICE};

/// What an artifact is made once for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Each {
    /// A device.
    Device,
    /// A schematic of a device.
    Schematic,
    /// An installer image that is not applied.
    Alternative,
    /// A volume of a device.
    Volume,
    /// An extension service of a device but Tailscale.
    ExtensionService,
    /// A raw patch of a device.
    Patch,
    /// The local-path application of a cluster.
    LocalPath,
    /// A device with StorageClasses of its own in the local-path application of a cluster.
    StorageClasses,
    /// The kata-containers application of a cluster.
    Kata,
}

/// The template of an artifact.
#[derive(Debug, Clone, Copy)]
pub enum Template {
    /// The same one for all base configs.
    One(&'static str),
    /// One for v1alpha1 bases and one for bases of documents.
    Two(&'static str, &'static str),
    /// None: the patch is the user's own.
    Raw,
}

/// What reads an artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    /// The Image Factory.
    ImageFactory,
    /// Talos, as a patch of the machine config.
    Talos,
    /// Kubernetes or kustomize.
    Kubernetes,
}

/// A row of the catalogue.
#[derive(Debug)]
pub struct Row {
    /// The key of the model that asks for the file, as `files` names it; `*` is the item's name.
    pub key: &'static str,
    /// What it is made once for.
    pub each: Each,
    /// The path below `manifests/`; `*` is the item's name, `@` the device's. An artifact with a secret is tracked as
    /// `….template.yaml`, and the file with the value is `….yaml`.
    pub file: &'static str,
    /// How it is rendered.
    pub template: Template,
    /// What reads it.
    pub reader: Reader,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether the model asks for it.
    pub wanted: fn(&Device) -> bool,
    /// One line for the documents.
    pub about: &'static str,
}

/// A row for an application of a cluster.
#[derive(Debug)]
pub struct ClusterRow {
    /// The application.
    pub each: Each,
    /// The path below the application's folder; `*` is the runtime's name, or the device's.
    pub file: &'static str,
    /// How it is rendered.
    pub template: &'static str,
    /// Whether the model asks for it.
    pub wanted: fn(&Cluster) -> bool,
    /// One line for the documents.
    pub about: &'static str,
}

impl Reader {
    /// How reports name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ImageFactory => "image-factory",
            Self::Talos => "talos",
            Self::Kubernetes => "kubernetes",
        }
    }
}

impl Template {
    /// The template for a base config.
    #[must_use]
    pub const fn of(self, config_format: ConfigFormat) -> Option<&'static str> {
        match (self, config_format) {
            (Self::One(name), _)
            | (Self::Two(name, _), ConfigFormat::V1Alpha1)
            | (Self::Two(_, name), ConfigFormat::Documents) => Some(name),
            (Self::Raw, _) => None,
        }
    }
}

impl Row {
    /// The names of the items that the artifact is made for; one empty name if it is made for the device as a whole.
    #[must_use]
    pub fn items<'a>(&self, device: &'a Device) -> Vec<&'a str> {
        match self.each {
            Each::Schematic => device.images.schematics.iter().map(|item| item.name.as_str()).collect(),
            Each::Alternative => device.images.install.alternatives.iter().map(|item| item.name.as_str()).collect(),
            Each::Volume => device.storage.volumes.iter().map(|item| item.name.as_str()).collect(),
            Each::ExtensionService => device.system.extension_services.iter().map(|item| item.name.as_str()).collect(),
            Each::Patch => device.patches.iter().map(|item| item.name.as_str()).collect(),
            Each::Device if (self.wanted)(device) => vec![""],
            Each::Device | Each::LocalPath | Each::StorageClasses | Each::Kata => Vec::new(),
        }
    }
}

impl ClusterRow {
    /// What the artifact is made for: devices, or once nothing in particular. None where no device takes part.
    #[must_use]
    pub fn items<'a>(&self, cluster: &'a Cluster) -> Vec<Option<&'a NodeClasses>> {
        let takes_part = match self.each {
            Each::Kata => {
                cluster.kata.as_ref().is_some_and(|kata| kata.nodes.as_ref().is_some_and(|nodes| !nodes.is_empty()))
            }
            _ => cluster.local_path.as_ref().is_some_and(|local_path| local_path.offered),
        };
        if !takes_part || !(self.wanted)(cluster) {
            return Vec::new();
        }
        match self.each {
            Each::StorageClasses => {
                cluster.local_path.iter().flat_map(|it| &it.storage_classes).flatten().map(Some).collect()
            }
            _ => vec![None],
        }
    }
}

/// The text of a raw patch, without our header.
#[must_use]
pub fn raw(device: &Device, name: &str) -> String {
    match device.patches.iter().find(|patch| patch.name == name).map(|patch| &patch.content) {
        Some(Content::Mapping(mapping)) => crate::emit::rewritten(mapping),
        Some(Content::Text(text)) => text.to_string(),
        None => String::new(),
    }
}
