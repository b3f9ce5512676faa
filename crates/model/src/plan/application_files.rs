//! The names of the generated files of applications.

use serde::Serialize;

use crate::fleet;
use crate::scalar::RelativePath;

/// The names of the generated files of the local-path-provisioner, relative to its folder.
#[derive(Debug, Serialize)]
pub struct LocalPathFiles {
    pub config: String,
    pub storage_class: String,
    pub namespace: String,
    /// The folder of the StorageClasses of single devices.
    pub storage_classes: String,
}

/// The names of the generated files of kata containers, relative to their folder.
#[derive(Debug, Serialize)]
pub struct KataFiles {
    pub daemon_set: String,
    pub runtime_class: String,
}

/// The names of the generated files of the DaemonSets for GPUs, relative to their folder.
#[derive(Debug, Serialize)]
pub struct GpuFiles {
    pub amd_device_plugin: String,
    pub amd_labeller: String,
    pub intel_device_plugin: String,
    pub nvidia_device_plugin: String,
}

impl LocalPathFiles {
    pub(super) fn new(written: &fleet::LocalPathFiles) -> Self {
        Self {
            config: name(written.config.as_ref(), "patches/local-path-config.patch.yaml"),
            storage_class: name(written.storage_class.as_ref(), "patches/local-path-storageclass.patch.yaml"),
            namespace: name(written.namespace.as_ref(), "patches/namespace-labels.patch.yaml"),
            storage_classes: name(written.storage_classes.as_ref(), "storageclasses"),
        }
    }
}

impl KataFiles {
    pub(super) fn new(written: &fleet::KataFiles, runtime: &str) -> Self {
        Self {
            daemon_set: name(written.daemon_set.as_ref(), "blockfile-scratch-daemonset.yaml"),
            runtime_class: name(written.runtime_class.as_ref(), &format!("runtimeclass-{runtime}.yaml")),
        }
    }
}

impl GpuFiles {
    pub(super) fn new(written: &fleet::GpuFiles) -> Self {
        Self {
            amd_device_plugin: name(written.amd_device_plugin.as_ref(), "amdgpu-device-plugin.yaml"),
            amd_labeller: name(written.amd_labeller.as_ref(), "amdgpu-device-labeller.yaml"),
            intel_device_plugin: name(written.intel_device_plugin.as_ref(), "intel-gpu-plugin.yaml"),
            nvidia_device_plugin: name(written.nvidia_device_plugin.as_ref(), "nvidia-device-plugin.yaml"),
        }
    }
}

/// Returns the name of a file, as the user wrote it or the usual one.
fn name(written: Option<&RelativePath>, usual: &str) -> String {
    written.map_or_else(|| usual.to_owned(), ToString::to_string)
}
