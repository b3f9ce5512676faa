//! The rows of clusters.

use talosmith_model::plan::{Cluster, GpuApplication, GpuFiles, KataContainers, KataFiles, LocalPathFiles};

use super::templates::{AMD_DEVICE_PLUGIN, AMD_LABELLER, INTEL_DEVICE_PLUGIN, NVIDIA_DEVICE_PLUGIN, embedded};
use super::{Application, ClusterEach, ClusterRow};

fn local_path(cluster: &Cluster, name: fn(&LocalPathFiles) -> &Option<String>) -> Option<String> {
    name(&cluster.local_path.as_ref()?.files).clone()
}

fn kata(cluster: &Cluster, name: fn(&KataFiles) -> &Option<String>) -> Option<String> {
    name(&cluster.kata.as_ref()?.files).clone()
}

fn gpu(cluster: &Cluster, name: fn(&GpuFiles) -> &Option<String>) -> Option<String> {
    name(&cluster.gpu.as_ref()?.files).clone()
}

/// The artifacts of clusters.
pub static CLUSTER: &[ClusterRow] = &[
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|_| true),
        file: "kustomization.yaml",
        key: None,
        path: |_, _| Some("kustomization.yaml".to_owned()),
        template: embedded!("cluster/local-path-kustomization.yaml.j2"),
        about: "the release of the provisioner and its patches",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|_| true),
        file: "patches/local-path-config.patch.yaml",
        key: Some("config"),
        path: |cluster, _| local_path(cluster, |files| &files.config),
        template: embedded!("cluster/local-path-config.yaml.j2"),
        about: "the paths on each node",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|cluster| {
            cluster.local_path.as_ref().is_some_and(|application| application.default_class.is_some())
        }),
        file: "patches/local-path-storageclass.patch.yaml",
        key: Some("storageClass"),
        path: |cluster, _| local_path(cluster, |files| &files.storage_class),
        template: embedded!("cluster/local-path-storageclass.yaml.j2"),
        about: "whether the StorageClass is the default one",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::DeviceWithClasses,
        file: "storageclasses/*.yaml",
        key: Some("storageClasses"),
        path: |cluster, item| {
            let folder = local_path(cluster, |files| &files.storage_classes)?;
            Some(format!("{folder}/{}.yaml", item.map_or("", |item| item.device.as_str())))
        },
        template: embedded!("cluster/local-path-storageclasses.yaml.j2"),
        about: "the StorageClasses for single volumes of a device",
    },
    ClusterRow {
        application: Application::LocalPath,
        each: ClusterEach::Application(|cluster| {
            cluster.local_path.as_ref().is_some_and(|application| application.label_namespace)
        }),
        file: "patches/namespace-labels.patch.yaml",
        key: Some("namespace"),
        path: |cluster, _| local_path(cluster, |files| &files.namespace),
        template: embedded!("cluster/local-path-namespace.yaml.j2"),
        about: "lets helper pods mount host paths",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|cluster| {
            let is_empty = |it: &KataContainers| {
                it.files.daemon_set.is_none() && it.files.runtime_class.is_none() && it.resources.is_empty()
            };
            cluster.kata.as_ref().is_some_and(|it| !is_empty(it))
        }),
        file: "kustomization.yaml",
        key: None,
        path: |_, _| Some("kustomization.yaml".to_owned()),
        template: embedded!("cluster/kata-kustomization.yaml.j2"),
        about: "lists the files below and hand-written ones",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|_| true),
        file: "blockfile-scratch-daemonset.yaml",
        key: Some("daemonSet"),
        path: |cluster, _| kata(cluster, |files| &files.daemon_set),
        template: embedded!("cluster/kata-daemonset.yaml.j2"),
        about: "creates the scratch file of the blockfile snapshotter",
    },
    ClusterRow {
        application: Application::Kata,
        each: ClusterEach::Application(|_| true),
        file: "runtimeclass-*.yaml",
        key: Some("runtimeClass"),
        path: |cluster, _| kata(cluster, |files| &files.runtime_class),
        template: embedded!("cluster/kata-runtimeclass.yaml.j2"),
        about: "the RuntimeClass",
    },
    ClusterRow {
        application: Application::Gpu,
        each: ClusterEach::Application(|cluster| {
            let is_empty = |it: &GpuApplication| it.generated.iter().flatten().chain(&it.resources).next().is_none();
            cluster.gpu.as_ref().is_some_and(|it| !is_empty(it))
        }),
        file: "kustomization.yaml",
        key: None,
        path: |_, _| Some("kustomization.yaml".to_owned()),
        template: embedded!("cluster/gpu-kustomization.yaml.j2"),
        about: "lists the files below and hand-written ones",
    },
    ClusterRow {
        application: Application::Gpu,
        each: ClusterEach::Gpu(|gpu| gpu.amd.as_ref(), |pods| pods.device_plugin.as_ref()),
        file: "amdgpu-device-plugin.yaml",
        key: Some("amdDevicePlugin"),
        path: |cluster, _| gpu(cluster, |files| &files.amd_device_plugin),
        template: AMD_DEVICE_PLUGIN,
        about: "the DaemonSet that provides `amd.com/gpu`",
    },
    ClusterRow {
        application: Application::Gpu,
        each: ClusterEach::Gpu(|gpu| gpu.amd.as_ref(), |pods| pods.labeller.as_ref()),
        file: "amdgpu-device-labeller.yaml",
        key: Some("amdLabeller"),
        path: |cluster, _| gpu(cluster, |files| &files.amd_labeller),
        template: AMD_LABELLER,
        about: "the DaemonSet that labels nodes by their GPUs",
    },
    ClusterRow {
        application: Application::Gpu,
        each: ClusterEach::Gpu(|gpu| gpu.intel.as_ref(), |pods| pods.device_plugin.as_ref()),
        file: "intel-gpu-plugin.yaml",
        key: Some("intelDevicePlugin"),
        path: |cluster, _| gpu(cluster, |files| &files.intel_device_plugin),
        template: INTEL_DEVICE_PLUGIN,
        about: "the DaemonSet that provides `gpu.intel.com/i915` or `gpu.intel.com/xe`",
    },
    ClusterRow {
        application: Application::Gpu,
        each: ClusterEach::Gpu(|gpu| gpu.nvidia.as_ref(), |pods| pods.device_plugin.as_ref()),
        file: "nvidia-device-plugin.yaml",
        key: Some("nvidiaDevicePlugin"),
        path: |cluster, _| gpu(cluster, |files| &files.nvidia_device_plugin),
        template: NVIDIA_DEVICE_PLUGIN,
        about: "the RuntimeClass `nvidia`, and the DaemonSet that provides `nvidia.com/gpu`",
    },
];
