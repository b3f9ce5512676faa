//! Disks, volumes, and persistent volumes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ordered::Ordered;
use crate::scalar::{
    Cel, DevicePath, LabelKey, Name, ObjectName, SecretName, Size, UpperBound, Url, VolumeName, VolumeSize,
};

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Disk {
    pub size: Size,
    pub selector: Option<Cel>,
    pub path: Option<DevicePath>,
    #[serde(default)]
    pub system: bool,
    pub reserved: Option<String>,
    pub model: Option<String>,
    pub serial: Option<String>,
    pub wwid: Option<String>,
    pub uuid: Option<String>,
    pub modalias: Option<String>,
    pub bus_path: Option<String>,
    /// The bus; the schema lists the values. Source: github.com/siderolabs/go-blockdevice, block/device_linux.go.
    pub transport: Option<String>,
    pub rotational: Option<bool>,
    pub readonly: Option<bool>,
    pub symlinks: Option<Vec<DevicePath>>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Volume {
    pub kind: Option<VolumeKind>,
    pub volume_type: Option<VolumeType>,
    pub disk: Option<Name>,
    pub selector: Option<Cel>,
    pub size: Option<VolumeSize>,
    pub min_size: Option<Size>,
    pub max_size: Option<UpperBound>,
    pub grow: Option<bool>,
    pub filesystem: Option<Filesystem>,
    pub mount: Option<Mount>,
    pub encryption: Option<Encryption>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeKind {
    Raw,
    Existing,
    Swap,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum VolumeType {
    Partition,
    Disk,
    Directory,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Filesystem {
    #[serde(rename = "type")]
    pub kind: Option<FilesystemType>,
    pub project_quota_support: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FilesystemType {
    Xfs,
    Ext4,
    Btrfs,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Mount {
    pub secure: Option<bool>,
    pub disable_access_time: Option<bool>,
    pub read_only: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Encryption {
    pub keys: Vec<EncryptionKey>,
    pub cipher: Option<String>,
    pub key_size: Option<u32>,
    /// The bytes of a sector.
    pub block_size: Option<u32>,
    #[serde(default)]
    pub options: Vec<String>,
    pub allow_discards: Option<bool>,
}

/// A key of an encrypted volume: exactly one of `nodeID`, `tpm`, `kms` and `static`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct EncryptionKey {
    pub slot: u8,
    #[serde(rename = "nodeID")]
    pub node_id: Option<NodeId>,
    pub tpm: Option<Tpm>,
    pub kms: Option<Kms>,
    #[serde(rename = "static")]
    pub passphrase: Option<StaticKey>,
    pub lock_to_state: Option<bool>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeId {}

/// A key that the TPM keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Tpm {
    /// The registers that it is sealed to; none for Talos's choice.
    pub pcrs: Option<Vec<u8>>,
    /// Whether it is only enrolled while SecureBoot is on.
    pub check_secureboot_status_on_enroll: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kms {
    pub endpoint: Url,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaticKey {
    pub passphrase: SecretName,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct LocalPath {
    /// Absent is not the same as an empty list.
    pub volumes: Option<Vec<VolumeName>>,
    pub storage_classes: BTreeMap<VolumeName, StorageClass>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StorageClass {
    pub name: Option<ObjectName>,
    #[serde(default)]
    pub reclaim_policy: ReclaimPolicy,
    pub allow_volume_expansion: Option<bool>,
    #[serde(default)]
    pub annotations: Ordered<LabelKey, String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
pub enum ReclaimPolicy {
    /// It is deleted with its data.
    #[default]
    Delete,
    Retain,
}
