//! Schematics and installation.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::scalar::{DnsLabel, Extension, Image, KernelArgument, Name, Registry};
use crate::{Bootloader, EnrollKeys};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Schematic {
    #[serde(default)]
    pub extra_kernel_args: Vec<KernelArgument>,
    #[serde(default)]
    pub extensions: Vec<Extension>,
    pub overlay: Option<Overlay>,
    #[serde(default)]
    pub meta: Vec<Meta>,
    pub secureboot: Option<SecureBoot>,
    pub bootloader: Option<Bootloader>,
    pub embedded_machine_configuration: Option<String>,
    pub disk_image: Option<DiskImage>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlay {
    pub name: Name,
    pub image: Extension,
    #[serde(default)]
    pub options: serde_json::Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meta {
    pub key: u8,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SecureBoot {
    pub enroll_keys: Option<EnrollKeys>,
    #[serde(default)]
    pub include_well_known_certificates: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskImage {
    /// The bytes of a sector.
    pub sector_size: Option<u16>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Install {
    pub image: Option<InstallImage>,
    #[serde(default)]
    pub alternatives: BTreeMap<Name, InstallImage>,
    pub factory: Option<Registry>,
    pub platform: Option<DnsLabel>,
    pub wipe: Option<bool>,
}

/// An installer image; `schematic` and `reference` are mutually exclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstallImage {
    pub schematic: Option<Name>,
    #[serde(default)]
    pub secureboot: bool,
    pub reference: Option<Image>,
}
