//! Schematics and installation.

use std::collections::BTreeMap;

use serde::Deserialize;
use talosmith_document::TalosVersion;

use crate::scalar::{DnsLabel, Extension, Image, KernelArgument, Name, Registry};
use crate::schematic::{Bootloader, DiskImage, Meta, Overlay, SecureBoot};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Schematic {
    pub extra_kernel_args: Vec<KernelArgument>,
    pub extensions: Vec<Extension>,
    pub overlay: Option<Overlay>,
    pub meta: Vec<Meta>,
    pub secureboot: Option<SecureBoot>,
    pub bootloader: Option<Bootloader>,
    pub embedded_machine_configuration: Option<String>,
    pub disk_image: Option<DiskImage>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Install {
    pub image: Option<InstallImage>,
    pub alternatives: BTreeMap<Name, InstallImage>,
    pub factory: Option<Registry>,
    pub platform: Option<DnsLabel>,
    pub disk: Option<bool>,
    pub wipe: Option<bool>,
}

/// An installer image; `schematic` and `reference` are mutually exclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct InstallImage {
    pub schematic: Option<Name>,
    #[serde(default)]
    pub secureboot: bool,
    pub reference: Option<Image>,
    /// Only of an alternative.
    pub talos_version: Option<TalosVersion>,
}
