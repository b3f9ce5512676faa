//! The Image Factory's schematic, and its ID worked out without the factory.
//!
//! An ID is the SHA-256 of the schematic as the factory's YAML library (go-yaml 4) writes it, so the bytes count.

mod natural;
mod resolve;
mod scalar;
mod stability;
mod block;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use stability::Unstable;

/// What an image is made of, as one posts it to the Image Factory.
///
/// The fields are in the order in which the factory writes them; that order decides the ID.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Schematic {
    /// Who owns the schematic; only the Enterprise factory knows owners.
    #[serde(skip_serializing_if = "is_default")]
    pub owner: String,
    /// The overlay of a single-board computer.
    #[serde(skip_serializing_if = "is_default")]
    pub overlay: Overlay,
    /// Everything else; written even if empty.
    pub customization: Customization,
}

/// An overlay as templates see it: with every key, also where it has no options.
#[derive(Debug, Clone, Serialize)]
pub struct PlannedOverlay {
    /// The overlay's image.
    pub image: String,
    /// The overlay's name.
    pub name: String,
    /// Options in the overlay's own terms; empty if there are none.
    #[serde(serialize_with = "natural::serialize")]
    pub options: serde_json::Map<String, serde_json::Value>,
}

impl PlannedOverlay {
    pub(crate) fn new(overlay: &Overlay) -> Self {
        let Overlay { image, name, options } = overlay.clone();
        Self { image, name, options }
    }
}

/// The overlay that an image for a single-board computer needs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Overlay {
    /// The overlay's image, such as `siderolabs/sbc-raspberrypi`.
    pub image: String,
    /// The overlay's name, such as `rpi_generic`.
    pub name: String,
    /// Options in the overlay's own terms.
    #[serde(skip_serializing_if = "is_default", serialize_with = "natural::serialize")]
    pub options: serde_json::Map<String, serde_json::Value>,
}

/// How an image differs from the one that Talos ships.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Customization {
    /// A machine config inside the image, from Talos 1.12 on.
    #[serde(skip_serializing_if = "is_default")]
    pub embedded_machine_configuration: String,
    /// Kernel arguments; one that starts with `-` removes a default one.
    #[serde(skip_serializing_if = "is_default")]
    pub extra_kernel_args: Vec<String>,
    /// First contents of the META partition.
    #[serde(skip_serializing_if = "is_default")]
    pub meta: Vec<Meta>,
    #[serde(skip_serializing_if = "is_default")]
    pub system_extensions: SystemExtensions,
    /// The boot loader of disk images.
    #[serde(skip_serializing_if = "is_default")]
    pub bootloader: Bootloader,
    #[serde(rename = "secureboot", skip_serializing_if = "is_default")]
    pub secure_boot: SecureBoot,
    /// Disk images.
    #[serde(skip_serializing_if = "is_default")]
    pub disk_image: DiskImage,
}

/// A value of the META partition.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Meta {
    /// The tag, such as 10 for the network configuration.
    pub key: u8,
    pub value: String,
}

/// The system extensions of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SystemExtensions {
    /// Extensions of the official catalogue, such as `siderolabs/tailscale`. Another order is another ID.
    #[serde(skip_serializing_if = "is_default")]
    pub official_extensions: Vec<String>,
}

/// The boot loader of a disk image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bootloader {
    /// As if the key were not there.
    #[default]
    None,
    /// Chosen by the factory.
    Auto,
    /// systemd-boot for UEFI and GRUB for BIOS.
    DualBoot,
    Grub,
    /// systemd-boot.
    SdBoot,
}

/// The Secure Boot settings of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct SecureBoot {
    /// When systemd-boot enrolls its keys.
    #[serde(skip_serializing_if = "is_default")]
    pub enroll_keys: Option<EnrollKeys>,
    /// Whether Microsoft's certificates are enrolled too.
    #[serde(skip_serializing_if = "is_default")]
    pub include_well_known_certificates: bool,
}

/// When systemd-boot enrolls Secure Boot keys: its `secure-boot-enroll`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EnrollKeys {
    /// Never.
    Off,
    /// When a person chooses so in the boot menu.
    Manual,
    /// In virtual machines only.
    IfSafe,
    /// Always.
    Force,
}

/// The settings of disk images.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct DiskImage {
    /// The sector size in bytes, 512 or 4096; 0 is as if the key were not there.
    #[serde(skip_serializing_if = "is_default")]
    pub sector_size: u32,
}

impl Schematic {
    /// Writes the schematic as the Image Factory does before it takes the hash.
    ///
    /// # Errors
    /// A string that versions of the factory write differently, or that does not survive being written.
    pub fn canonical(&self) -> Result<String, Unstable> {
        // A schematic has no map with keys other than strings, so it always becomes a JSON value.
        block::write(&serde_json::to_value(self).unwrap_or_default())
    }

    /// The schematic's ID: 64 hexadecimal digits.
    ///
    /// # Errors
    /// As [`Schematic::canonical`].
    pub fn id(&self) -> Result<String, Unstable> {
        let hash = Sha256::digest(self.canonical()?);
        Ok(hash
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .map(|digit| char::from(HEX[usize::from(digit)]))
            .collect())
    }
}

const HEX: &[u8; 16] = b"0123456789abcdef";

fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}
