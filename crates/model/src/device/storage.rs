//! Disks, volumes, and what is offered on them.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::scalar::{
    Cel, DevicePath, LabelKey, Name, ObjectName, SecretName, Size, UpperBound, Url, VolumeName, VolumeSize,
};

/// A disk of the machine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disk {
    /// Its raw size.
    pub size: Size,
    /// How Talos finds it.
    pub selector: Option<Cel>,
    /// Where it is below /dev.
    pub path: Option<DevicePath>,
    /// Whether Talos is installed on it.
    #[serde(default)]
    pub system: bool,
    /// What it is kept free for.
    pub reserved: Option<String>,
    /// Its model. This and what follows is known for judging selectors.
    pub model: Option<String>,
    /// Its serial number.
    pub serial: Option<String>,
    /// Its world-wide ID.
    pub wwid: Option<String>,
    /// Its UUID.
    pub uuid: Option<String>,
    /// The alias of its kernel module.
    pub modalias: Option<String>,
    /// Where it is on its bus.
    pub bus_path: Option<String>,
    /// What it is connected by.
    pub transport: Option<Transport>,
    /// Whether it has spinning platters.
    pub rotational: Option<bool>,
    /// Whether it cannot be written.
    pub readonly: Option<bool>,
    /// All its links below /dev/disk.
    pub symlinks: Option<Vec<DevicePath>>,
}

/// What a disk is connected by. Source: github.com/siderolabs/go-blockdevice, block/device_linux.go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Transport {
    /// Parallel ATA.
    Ata,
    /// Fibre Channel.
    Fc,
    /// InfiniBand.
    Ibp,
    /// SCSI over a network.
    Iscsi,
    /// Memory cards and eMMC.
    Mmc,
    /// NVMe.
    Nvme,
    /// Serial attached SCSI.
    Sas,
    /// Serial ATA.
    Sata,
    /// USB.
    Usb,
    /// A virtual machine's.
    Virtio,
}

impl Transport {
    /// The word that Talos has for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ata => "ata",
            Self::Fc => "fc",
            Self::Ibp => "ibp",
            Self::Iscsi => "iscsi",
            Self::Mmc => "mmc",
            Self::Nvme => "nvme",
            Self::Sas => "sas",
            Self::Sata => "sata",
            Self::Usb => "usb",
            Self::Virtio => "virtio",
        }
    }
}

/// A volume.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    /// What it is, if neither Talos's own nor a user volume.
    pub kind: Option<VolumeKind>,
    /// What a user volume is made of.
    pub volume_type: Option<VolumeType>,
    /// The disk that it is on.
    pub disk: Option<Name>,
    /// How an existing volume's partition is found.
    pub selector: Option<Cel>,
    /// Its exact size.
    pub size: Option<VolumeSize>,
    /// Its lower bound.
    pub min_size: Option<Size>,
    /// Its upper bound.
    pub max_size: Option<UpperBound>,
    /// Whether it grows at later boots.
    pub grow: Option<bool>,
    /// Its file system.
    pub filesystem: Option<Filesystem>,
    /// How it is mounted.
    pub mount: Option<Mount>,
    /// How it is encrypted.
    pub encryption: Option<Encryption>,
}

/// Kinds of volumes that are neither Talos's own nor user volumes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKind {
    /// Without file system and mount.
    Raw,
    /// A partition that is there already.
    Existing,
    /// Swap space.
    Swap,
}

/// What a user volume is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeType {
    /// A partition.
    Partition,
    /// A whole disk.
    Disk,
    /// A directory of EPHEMERAL.
    Directory,
}

/// The file system of a user volume.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Filesystem {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: Option<FilesystemType>,
    /// Whether xfs keeps quotas for projects.
    pub project_quota_support: Option<bool>,
}

/// File systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FilesystemType {
    /// The default.
    Xfs,
    /// Of old.
    Ext4,
    /// From Talos 1.14 on.
    Btrfs,
}

/// How a volume is mounted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Mount {
    /// Whether nosuid and nodev, and noexec from Talos 1.14 on.
    pub secure: Option<bool>,
    /// Whether noatime.
    pub disable_access_time: Option<bool>,
    /// Whether an existing volume is read-only.
    pub read_only: Option<bool>,
}

/// How a volume is encrypted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    /// The keys.
    pub keys: Vec<EncryptionKey>,
    /// The cipher.
    pub cipher: Option<String>,
    /// The bits of the key.
    pub key_size: Option<u32>,
    /// The bytes of a sector.
    pub block_size: Option<u32>,
    /// Options for speed.
    #[serde(default)]
    pub options: Vec<String>,
    /// Whether discards reach the disk.
    pub allow_discards: Option<bool>,
}

/// A key of an encrypted volume: one of the four.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionKey {
    /// The slot of the LUKS header.
    pub slot: u8,
    /// From the machine's UUID and the partition's label.
    #[serde(rename = "nodeID")]
    pub node_id: Option<NodeId>,
    /// Kept by the TPM.
    pub tpm: Option<Tpm>,
    /// Sealed by a server.
    pub kms: Option<Kms>,
    /// A passphrase.
    #[serde(rename = "static")]
    pub passphrase: Option<StaticKey>,
    /// Whether the volume opens only together with this machine's STATE.
    pub lock_to_state: Option<bool>,
}

/// A key from the machine's UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeId {}

/// A key that the TPM keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tpm {
    /// The registers that it is sealed to.
    pub pcrs: Option<Vec<u8>>,
    /// Whether it is only enrolled while SecureBoot is on.
    pub check_secureboot_status_on_enroll: Option<bool>,
}

/// A key that a server seals.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kms {
    /// The server.
    pub endpoint: Url,
}

/// A passphrase.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticKey {
    /// The secret with it.
    pub passphrase: SecretName,
}

/// What the node offers for persistent volumes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPath {
    /// User volumes in order; absent is not the same as none.
    pub volumes: Option<Vec<VolumeName>>,
    /// StorageClasses that stand for one volume of this node each.
    #[serde(default)]
    pub storage_classes: BTreeMap<VolumeName, StorageClass>,
}

/// A StorageClass for one volume of one node.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClass {
    /// Its name, if not made from the volume's and the node's.
    pub name: Option<ObjectName>,
    /// What becomes of the data of a claim that is deleted.
    #[serde(default)]
    pub reclaim_policy: ReclaimPolicy,
    /// Whether claims may ask for more later.
    pub allow_volume_expansion: Option<bool>,
    /// Annotations.
    #[serde(default)]
    pub annotations: BTreeMap<LabelKey, String>,
}

/// What becomes of a persistent volume whose claim is deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
pub enum ReclaimPolicy {
    /// It is deleted with its data.
    #[default]
    Delete,
    /// It is kept.
    Retain,
}
