//! What goes into images, and how Talos is installed.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::scalar::{DnsLabel, Extension, Image, KernelArgument, Name, Registry};
use crate::{Bootloader, EnrollKeys};

/// What goes into an image.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schematic {
    /// Kernel arguments in order.
    #[serde(default)]
    pub extra_kernel_args: Vec<KernelArgument>,
    /// Extensions in order.
    #[serde(default)]
    pub extensions: Vec<Extension>,
    /// The overlay of a single-board computer.
    pub overlay: Option<Overlay>,
    /// Values of the META partition, in order.
    #[serde(default)]
    pub meta: Vec<Meta>,
    /// What SecureBoot enrols.
    pub secureboot: Option<SecureBoot>,
    /// The boot loader.
    pub bootloader: Option<Bootloader>,
    /// A machine config in the image.
    pub embedded_machine_configuration: Option<String>,
    /// How disk images are made.
    pub disk_image: Option<DiskImage>,
}

/// The overlay of a single-board computer.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    /// Its name in its image.
    pub name: Name,
    /// Its image.
    pub image: Extension,
    /// Its options, in its own terms.
    #[serde(default)]
    pub options: serde_json::Map<String, Value>,
}

/// A value of the META partition.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    /// The key.
    pub key: u8,
    /// The value.
    pub value: String,
}

/// What a SecureBoot image enrols.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecureBoot {
    /// When the keys are enrolled.
    pub enroll_keys: Option<EnrollKeys>,
    /// Whether Microsoft's certificates are enrolled too.
    #[serde(default)]
    pub include_well_known_certificates: bool,
}

/// How disk images are made.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskImage {
    /// The bytes of a sector.
    pub sector_size: Option<u16>,
}

/// How Talos is installed.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    /// The image that is applied.
    pub image: Option<InstallImage>,
    /// Images that are not.
    #[serde(default)]
    pub alternatives: BTreeMap<Name, InstallImage>,
    /// The host of the Image Factory.
    pub factory: Option<Registry>,
    /// The platform of the installer.
    pub platform: Option<DnsLabel>,
    /// Whether installing wipes the system disk.
    pub wipe: Option<bool>,
}

/// An installer image: one of the two.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallImage {
    /// A schematic of the device.
    pub schematic: Option<Name>,
    /// Whether the node boots with SecureBoot.
    #[serde(default)]
    pub secureboot: bool,
    /// An image of another registry.
    pub reference: Option<Image>,
}
