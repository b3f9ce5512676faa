//! The storage of a device.

use std::sync::Arc;

use serde::Serialize;
use talosmith_document::TalosVersion;

use super::{Check, Disk, Patch, StorageClass, Volume, disks, features, selectors, storage_classes, volumes};

/// The disks and volumes of a device, and what it offers for persistent volumes.
#[derive(Debug, Serialize)]
pub struct Storage {
    /// The disks in the order of their names.
    pub disks: Vec<Disk>,
    /// The volumes, Talos's own first, then in the order of their names.
    pub volumes: Vec<Volume>,
    /// The paths that the node offers to the local-path-provisioner; none if `localPath` is not written.
    pub local_paths: Option<Vec<String>>,
    /// StorageClasses for its volumes, in the order of the volumes' names.
    pub storage_classes: Vec<StorageClass>,
}

/// Plans the storage of a device with some raw patches.
pub(super) fn plan(check: &mut Check<'_>, version: &TalosVersion, patches: &[Arc<Patch>]) -> Storage {
    let disks = disks::disks(check);
    selectors::check_selectors(check, &disks, version);
    let volumes = volumes::volumes(check, &disks, version, patches);
    let local_paths = features::applications(check, &volumes, version);
    let storage_classes = storage_classes::plan(check, &volumes);
    Storage { disks, volumes, local_paths, storage_classes }
}
