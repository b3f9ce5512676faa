//! The names of the generated files of applications; none for a file that `files` disables.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer};

use crate::FleetFile;
use crate::fleet::{self, FileName};
use crate::layout::LOCAL_PATH;

/// The names of the generated files of the local-path-provisioner, relative to its folder.
#[derive(Debug, Serialize)]
pub struct LocalPathFiles {
    pub config: Option<String>,
    pub storage_class: Option<String>,
    pub namespace: Option<String>,
    /// The folder of the StorageClasses of single devices.
    pub storage_classes: Option<String>,
}

/// The names of the generated files of kata containers, relative to their folder.
#[derive(Debug, Serialize)]
pub struct KataFiles {
    pub daemon_set: Option<String>,
    pub runtime_class: Option<String>,
}

/// The names of the generated files of the DaemonSets for GPUs, relative to their folder.
#[derive(Debug, Serialize)]
pub struct GpuFiles {
    pub amd_device_plugin: Option<String>,
    pub amd_labeller: Option<String>,
    pub intel_device_plugin: Option<String>,
    pub nvidia_device_plugin: Option<String>,
}

impl LocalPathFiles {
    pub(super) fn new(written: &fleet::LocalPathFiles) -> Self {
        Self {
            config: name(&written.config, "patches/local-path-config.patch.yaml"),
            storage_class: name(&written.storage_class, "patches/local-path-storageclass.patch.yaml"),
            namespace: name(&written.namespace, "patches/namespace-labels.patch.yaml"),
            storage_classes: name(&written.storage_classes, "storageclasses"),
        }
    }
}

impl KataFiles {
    pub(super) fn new(written: &fleet::KataFiles, runtime: &str) -> Self {
        Self {
            daemon_set: name(&written.daemon_set, "blockfile-scratch-daemonset.yaml"),
            runtime_class: name(&written.runtime_class, &format!("runtimeclass-{runtime}.yaml")),
        }
    }
}

impl GpuFiles {
    pub(super) fn new(written: &fleet::GpuFiles) -> Self {
        Self {
            amd_device_plugin: name(&written.amd_device_plugin, "amdgpu-device-plugin.yaml"),
            amd_labeller: name(&written.amd_labeller, "amdgpu-device-labeller.yaml"),
            intel_device_plugin: name(&written.intel_device_plugin, "intel-gpu-plugin.yaml"),
            nvidia_device_plugin: name(&written.nvidia_device_plugin, "nvidia-device-plugin.yaml"),
        }
    }
}

/// Returns the name of a file, as the user wrote it or the usual one.
fn name(written: &FileName, usual: &str) -> Option<String> {
    match written {
        FileName::Usual => Some(usual.to_owned()),
        FileName::Other(name) => Some(name.to_string()),
        FileName::Disabled => None,
    }
}

/// Checks that each cluster's local-path-provisioner keeps the patch without which it has no path that Talos can write.
pub(super) fn check_disabled(fleet: &FleetFile) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (name, cluster) in &fleet.fleet.clusters {
        if !cluster.applications.local_path.as_ref().is_some_and(|it| it.files.config == FileName::Disabled) {
            continue;
        }
        let at = Pointer::new("/clusters").child(name).child("applications").child(LOCAL_PATH);
        let message = "`files` disables `config`, without which the provisioner does not work on Talos".to_owned();
        findings.push(
            Diagnostic::new(Code::MissingKey, message, fleet.at(at.child("files").child("config")))
                .note("the release alone makes volumes in `/opt/local-path-provisioner`, which cannot be written on Talos")
                .help("remove the line, or rename the file"),
        );
    }
    findings
}
