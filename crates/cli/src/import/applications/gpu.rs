//! A folder with the DaemonSets for GPUs of a cluster.

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};
use talosmith_model::layout::GPU;

use super::KustomizationFolder;
use crate::import::draft::Draft;
use crate::import::file_kind::gpu_key;
use crate::import::value::only;

/// The key of each file in `gpu`, its key in `files`, and the name that it has without one.
const FILES: [(&str, &str, &str); 4] = [
    ("gpu/amd/devicePlugin", "amdDevicePlugin", "amdgpu-device-plugin.yaml"),
    ("gpu/amd/labeller", "amdLabeller", "amdgpu-device-labeller.yaml"),
    ("gpu/intel/devicePlugin", "intelDevicePlugin", "intel-gpu-plugin.yaml"),
    ("gpu/nvidia/devicePlugin", "nvidiaDevicePlugin", "nvidia-device-plugin.yaml"),
];

/// The extensions in the images of nodes with GPUs of a vendor.
const EXTENSIONS: [(&str, &[&str]); 3] = [
    ("amd", &["siderolabs/amdgpu"]),
    ("intel", &["siderolabs/i915", "siderolabs/xe"]),
    ("nvidia", &["siderolabs/nvidia-"]),
];

/// The application of the DaemonSets for GPUs.
#[derive(Debug)]
pub(super) struct GpuFolder {
    pub keys: Map<String, Value>,
    pub generated: Vec<Utf8PathBuf>,
    /// The names of the nodes in the node affinity of each vendor's DaemonSet.
    nodes: Vec<(String, Vec<Value>)>,
}

impl GpuFolder {
    /// Returns the application in a folder; none if the folder is another one.
    pub(super) fn find(bundle: &KustomizationFolder<'_>) -> Option<Self> {
        only(&bundle.kustomization, &["apiVersion", "kind", "metadata", "namespace", "resources"])?;
        let mut folder = Self { keys: Map::new(), generated: Vec::new(), nodes: Vec::new() };
        let (mut files, mut own) = (Map::new(), Vec::new());
        for resource in bundle.resources() {
            if resource.contains("://") || resource.starts_with("github.com/") {
                return None;
            }
            let path = bundle.folder.join(resource);
            let documents: Vec<Value> =
                bundle.objects.iter().filter(|(other, _)| *other == path).map(|(_, object)| object.clone()).collect();
            let Some((key, image, labels)) = gpu_key(&documents) else { continue };
            let (_, file_key, default) = FILES.into_iter().find(|(known, ..)| *known == key)?;
            let (vendor, field) = key.strip_prefix("gpu/")?.split_once('/')?;
            let keys = folder.keys.entry(vendor).or_insert_with(|| json!({}));
            keys[field] = image;
            if !labels.is_empty() {
                keys["nodeSelector"] = labels.into();
            }
            folder.add_pods(vendor, &documents);
            if resource != default {
                files.insert(file_key.to_owned(), resource.into());
            }
            own.push(resource.to_owned());
            folder.generated.push(path);
        }
        if own.is_empty() {
            return None;
        }
        bundle.add_common(GPU, &mut folder.keys, &own);
        if !files.is_empty() {
            folder.keys.insert("files".to_owned(), files.into());
        }
        Some(folder)
    }

    /// Adds the settings in the DaemonSet of a vendor.
    fn add_pods(&mut self, vendor: &str, documents: &[Value]) {
        let set = documents.iter().find(|object| object["kind"] == "DaemonSet").unwrap_or(&Value::Null);
        let pod = &set["spec"]["template"]["spec"];
        let arguments = pod["containers"][0]["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
        let mut shared = arguments.filter_map(|argument| argument.strip_prefix("-shared-dev-num=")?.parse::<u8>().ok());
        if let Some(number) = shared.next_back().filter(|_| vendor == "intel") {
            self.keys[vendor]["sharedDevNum"] = number.into();
        }
        let terms =
            &pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"];
        let nodes = terms[0]["matchExpressions"][0]["values"].as_array().cloned().unwrap_or_default();
        self.nodes.push((vendor.to_owned(), nodes));
    }

    /// Adds the key `gpu` to the devices that run the pods: those with the labels of the node selector or in the node affinity, or else those
    /// whose image has a driver. Returns whether there is one.
    pub(super) fn add_devices(&self, drafts: &mut [Draft]) -> bool {
        let mut is_used = false;
        for (vendor, nodes) in &self.nodes {
            let selector = self.keys[vendor]["nodeSelector"].as_object();
            let runs = |draft: &Draft| match selector {
                Some(selector) => {
                    let labels = draft.facts.keys.get("labels");
                    selector.iter().all(|(key, value)| labels.and_then(|labels| labels.get(key)) == Some(value))
                }
                None if nodes.is_empty() => has_driver(draft, vendor),
                None => nodes.iter().any(|node| *node == *draft.name),
            };
            for draft in drafts.iter_mut().filter(|draft| runs(draft)) {
                let gpu = draft.facts.keys.entry("gpu").or_insert_with(|| json!({}));
                gpu.as_object_mut().map(|gpu| gpu.entry(vendor).or_insert_with(|| json!({})));
                is_used = true;
            }
        }
        is_used
    }
}

/// Whether a schematic of a device has a driver for the GPUs of a vendor.
fn has_driver(draft: &Draft, vendor: &str) -> bool {
    let known = EXTENSIONS.iter().find(|(name, _)| *name == vendor).map_or(&[][..], |(_, extensions)| extensions);
    let schematics = draft.facts.keys.get("schematics").and_then(Value::as_object);
    let extensions =
        schematics.into_iter().flat_map(Map::values).filter_map(|schematic| schematic["extensions"].as_array());
    extensions.flatten().filter_map(Value::as_str).any(|name| known.iter().any(|known| name.starts_with(known)))
}
