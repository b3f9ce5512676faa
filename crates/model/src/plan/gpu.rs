//! What Kubernetes runs for GPUs: for those of one node, and as an application for those of a cluster.

use std::collections::BTreeMap;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::Check;
use super::application_files::GpuFiles;
use crate::fleet::{self, FileName};
use crate::ordered::Ordered;
use crate::{Keys, device};

/// The key of each vendor of GPUs, and the phrase in messages for a node that has its GPU: "the node has an AMD GPU".
pub(super) const VENDORS: [(&str, &str); 3] =
    [("amd", "has an AMD GPU"), ("intel", "has an Intel GPU"), ("nvidia", "has an NVIDIA GPU")];

/// What Kubernetes runs for GPUs, by the vendors of these.
#[derive(Debug, Default, Serialize)]
pub struct Gpu {
    pub amd: Option<GpuPods>,
    pub intel: Option<GpuPods>,
    pub nvidia: Option<GpuPods>,
}

/// What Kubernetes runs on nodes with GPUs of a vendor; an image is none where the workload is not wanted.
#[derive(Debug, Default, Serialize)]
pub struct GpuPods {
    pub device_plugin: Option<String>,
    /// AMD's node labeller.
    pub labeller: Option<String>,
    /// How many containers share a GPU of Intel's.
    pub shared_dev_num: Option<u8>,
    /// The labels by which the pods select nodes, besides what the templates add.
    pub node_selector: Ordered<String, String>,
    /// The Kubernetes names of the nodes, in natural order; empty if labels select them.
    pub nodes: Vec<ApplicationNode>,
}

/// A node that takes part in an application; templates see its name.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct ApplicationNode {
    /// The node's Kubernetes name.
    pub node: String,
    /// The key by which the device takes part.
    #[serde(skip)]
    pub location: Location,
}

/// The DaemonSets for GPUs of a cluster.
#[derive(Debug, Serialize)]
pub struct GpuApplication {
    /// The folder of the application, from the repository's root.
    pub folder: String,
    /// What runs, without the vendors that no device has. Templates see that of one vendor as `item`.
    #[serde(skip)]
    pub pods: Gpu,
    /// The names of the generated files besides the kustomization. Templates of devices do not see them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub generated: Option<Vec<String>>,
    /// Whether a device has a GPU for which something runs: without one, nothing is written.
    #[serde(skip)]
    pub is_used: bool,
    /// Hand-written neighbours.
    pub resources: Vec<String>,
    /// The names of generated files.
    pub files: GpuFiles,
    /// The key that requests it.
    #[serde(skip)]
    pub location: Location,
}

/// Plans what runs for the GPUs of a device whose node has this name in Kubernetes.
pub(super) fn plan(check: &mut Check<'_>, node: &str) -> Gpu {
    let written = &check.file.device.gpu;
    let pods = |vendor: &str, written: Option<&device::GpuPods>| {
        let mut pods = GpuPods::new(written?);
        // AMD's pods run on every node of its architecture.
        if pods.node_selector.is_empty() && vendor != "amd" {
            pods.nodes.push(ApplicationNode { node: node.to_owned(), location: check.key(key(vendor)) });
        }
        Some(pods)
    };
    let gpu = Gpu {
        amd: pods("amd", written.amd.as_ref()),
        intel: pods("intel", written.intel.as_ref()),
        nvidia: pods("nvidia", written.nvidia.as_ref()),
    };
    for (vendor, has) in VENDORS {
        check_labels(check, vendor, has);
    }
    gpu
}

/// Reports the labels by which the pods of a device select nodes and which the device lacks.
fn check_labels(check: &mut Check<'_>, vendor: &str, has: &str) {
    let device = &check.file.device;
    let Some(pods) = device.gpu.of(vendor) else { return };
    for (label, value) in pods.node_selector.iter() {
        if device.labels.get(label) == Some(value) {
            continue;
        }
        let location = check.key(key(vendor).child("nodeSelector").child(label));
        let message = format!("the node {has}, and does not set the label `{label}: {value}`");
        check.push(
            Diagnostic::new(Code::MissingLabel, message, location).note(WITHOUT_LABEL).help(format!(
                "add a line under `labels`, unless something else sets it:\n{label}: {}",
                value.in_yaml()
            )),
        );
    }
}

/// What happens on a node without the label that the pods select.
pub(super) const WITHOUT_LABEL: &str = "without the label no pod of the device plugin runs on the node";

/// Returns the key of a vendor in a device.
pub(super) fn key(vendor: &str) -> Pointer {
    Pointer::new("/gpu").child(vendor)
}

/// Plans what an application runs, without the nodes.
pub(super) fn of_application(written: &fleet::GpuApplication) -> Gpu {
    let pods = |pods: &Option<device::GpuPods>| pods.as_ref().map(GpuPods::new);
    Gpu { amd: pods(&written.amd), intel: pods(&written.intel), nvidia: pods(&written.nvidia) }
}

impl device::Gpu {
    /// Returns what the model has for the GPUs of a vendor.
    pub(super) fn of(&self, vendor: &str) -> Option<&device::GpuPods> {
        match vendor {
            "amd" => self.amd.as_ref(),
            "intel" => self.intel.as_ref(),
            _ => self.nvidia.as_ref(),
        }
    }
}

impl fleet::GpuApplication {
    /// Returns what the application runs for the GPUs of a vendor.
    pub(super) fn of(&self, vendor: &str) -> Option<&device::GpuPods> {
        match vendor {
            "amd" => self.amd.as_ref(),
            "intel" => self.intel.as_ref(),
            _ => self.nvidia.as_ref(),
        }
    }
}

impl fleet::GpuFiles {
    /// Whether the application writes what runs for the GPUs of a vendor; `key` is that of the image.
    pub(super) fn has(&self, vendor: &str, key: &str) -> bool {
        let name = match (vendor, key) {
            ("amd", "labeller") => &self.amd_labeller,
            ("amd", _) => &self.amd_device_plugin,
            ("intel", _) => &self.intel_device_plugin,
            _ => &self.nvidia_device_plugin,
        };
        *name != FileName::Disabled
    }
}

impl Gpu {
    /// Returns the vendors of a device's GPUs, with their keys.
    pub(super) fn locations(&self, keys: &Keys) -> Vec<(&'static str, Location)> {
        let pods = [&self.amd, &self.intel, &self.nvidia].into_iter().zip(VENDORS);
        pods.filter(|(pods, _)| pods.is_some())
            .map(|(_, (vendor, _))| (vendor, keys.at(key(vendor)).as_key()))
            .collect()
    }

    /// Returns the nodes that are selected by their names.
    pub fn nodes(&self) -> impl Iterator<Item = &ApplicationNode> {
        [&self.amd, &self.intel, &self.nvidia].into_iter().flatten().flat_map(|pods| &pods.nodes)
    }
}

impl GpuPods {
    fn new(written: &device::GpuPods) -> Self {
        let selector = written.node_selector.iter();
        Self {
            device_plugin: written.device_plugin.as_ref().map(ToString::to_string),
            labeller: written.labeller.as_ref().map(ToString::to_string),
            shared_dev_num: written.shared_dev_num,
            node_selector: selector.map(|(label, value)| (label.to_string(), value.to_string())).collect(),
            nodes: Vec::new(),
        }
    }
}

impl GpuApplication {
    /// Adds the nodes with GPUs, each with its vendor and in natural order, and removes the vendors without a node.
    pub(super) fn gather(&mut self, nodes: impl Iterator<Item = (&'static str, ApplicationNode)>) {
        let mut of_vendor: BTreeMap<&str, Vec<ApplicationNode>> = BTreeMap::new();
        for (vendor, node) in nodes {
            of_vendor.entry(vendor).or_default().push(node);
        }
        let Gpu { amd, intel, nvidia } = &mut self.pods;
        for (pods, (vendor, _)) in [amd, intel, nvidia].into_iter().zip(VENDORS) {
            match (of_vendor.remove(vendor), &mut *pods) {
                (None, _) => *pods = None,
                (Some(nodes), Some(pods)) if pods.node_selector.is_empty() => pods.nodes = nodes,
                (Some(_), _) => {}
            }
        }
        let Gpu { amd, intel, nvidia } = &self.pods;
        let image = |pods: &Option<GpuPods>| pods.as_ref().is_some_and(|pods| pods.device_plugin.is_some());
        let labels = amd.as_ref().is_some_and(|pods| pods.labeller.is_some());
        let files = [
            (image(amd), &self.files.amd_device_plugin),
            (labels, &self.files.amd_labeller),
            (image(intel), &self.files.intel_device_plugin),
            (image(nvidia), &self.files.nvidia_device_plugin),
        ];
        let wanted = || files.iter().filter(|(is_wanted, _)| *is_wanted);
        self.is_used = wanted().next().is_some();
        self.generated = Some(wanted().filter_map(|(_, name)| (*name).clone()).collect());
    }
}
