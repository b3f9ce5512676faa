//! Labels by which workloads select nodes, and the devices that set them.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::gpu::{VENDORS, WITHOUT_LABEL, key};
use crate::device::Device;
use crate::fleet::FileName;
use crate::layout::{GPU, KATA_CONTAINERS};
use crate::ordered::Ordered;
use crate::scalar::{LabelKey, LabelValue};
use crate::{DeviceFile, FleetFile};

/// A DaemonSet of a cluster's applications, which selects nodes by labels.
struct Workload<'a> {
    /// The key of a device that uses it.
    user: Pointer,
    /// What such a device does, in a sentence.
    uses: &'static str,
    /// What does not happen on a node without the label.
    note: &'static str,
    /// The selector's keys and values, and its place below `applications`.
    selector: &'a Ordered<LabelKey, LabelValue>,
    at: Pointer,
    /// What happens on a selected node that does not use it.
    stray: Stray<'a>,
}

/// Why a node that the selector matches does not need the workload, which decides the message.
enum Stray<'a> {
    /// It lacks kata's scratch volume.
    Kata(&'a str),
    /// It has no such GPU.
    Gpu(&'static str),
}

/// Checks the selectors of each cluster's applications, one device after the other.
#[derive(Default)]
pub(super) struct Checks(BTreeMap<(String, Pointer), Members>);

/// What is kept of the devices of a cluster for one workload.
#[derive(Default)]
struct Members {
    /// Whether a device uses the workload.
    is_used: bool,
    /// The labels of the selector that a device sets.
    set: BTreeSet<LabelKey>,
    /// Devices that use it and lack a label of the selector: the label, the name, and the location of the device's key.
    lacking: Vec<(LabelKey, String, Location)>,
    /// Devices that the DaemonSet selects and that do not use it: the name, and the locations of the name and the label.
    strays: Vec<(String, Location, Location)>,
}

/// The relation of a device to the selector of a workload of its cluster.
#[derive(Debug)]
pub(super) struct Input {
    /// The key of a device that uses it.
    user: Pointer,
    is_used: bool,
    set: Vec<LabelKey>,
    /// Those that it lacks though it uses the workload, and the location of its key.
    lacking: Vec<(LabelKey, Location)>,
    /// The locations of its name and of the label, if the DaemonSet selects it and it does not use the workload.
    stray: Option<(Location, Location)>,
}

impl Input {
    /// Returns the labels that a device sets for each workload of its cluster.
    pub(super) fn all(fleet: &FleetFile, file: &DeviceFile) -> Vec<Self> {
        let device = &file.device;
        workloads(fleet, device.cluster.as_str()).map(|workload| Self::new(file, &workload)).collect()
    }

    fn new(file: &DeviceFile, workload: &Workload<'_>) -> Self {
        let device = &file.device;
        let is_used = workload.is_used(device);
        let sets = |key: &LabelKey| device.labels.get(key) == workload.selector.get(key);
        let (set, lacking): (Vec<_>, Vec<_>) = workload.selector.keys().cloned().partition(sets);
        let is_stray = !is_used && lacking.is_empty() && workload.needs_more(device);
        let label = workload.selector.keys().next().filter(|_| is_stray);
        let stray = label.map(|key| (file.at("/name"), file.at(Pointer::new("/labels").child(key))));
        let lacking =
            lacking.into_iter().filter(|_| is_used).map(|key| (key, file.at(workload.user.clone()))).collect();
        Self { user: workload.user.clone(), is_used, set, lacking, stray }
    }
}

impl Checks {
    /// Adds a device.
    pub(super) fn add(&mut self, device: &str, cluster: &str, inputs: Vec<Input>) {
        for input in inputs {
            let members = self.0.entry((cluster.to_owned(), input.user)).or_default();
            members.is_used |= input.is_used;
            members.set.extend(input.set);
            members.lacking.extend(input.lacking.into_iter().map(|(key, location)| (key, device.to_owned(), location)));
            members.strays.extend(input.stray.map(|(name, label)| (device.to_owned(), name, label)));
        }
    }

    /// Checks the clusters once all their devices were added. `all_read` is false if a device's file could not be read: that device
    /// may set a label.
    pub(super) fn finish(&self, fleet: &FleetFile, all_read: bool, findings: &mut Vec<Diagnostic>) {
        for ((cluster, user), members) in &self.0 {
            let Some(workload) = workloads(fleet, cluster).find(|workload| workload.user == *user) else { continue };
            let applications = Pointer::new("/clusters").child(cluster).child("applications");
            let selector = |key: &LabelKey| fleet.at(applications.join(&workload.at).child(key));
            for key in workload.selector.keys() {
                findings.extend(workload.lacking(cluster, members, key, &selector(key), all_read));
            }
            if let Some(key) = workload.selector.keys().next().filter(|_| members.is_used) {
                findings.extend(members.strays.iter().map(|stray| workload.stray_label(key, &selector(key), stray)));
            }
        }
    }
}

/// Returns the workloads of a cluster that select nodes by labels.
fn workloads<'a>(fleet: &'a FleetFile, cluster: &str) -> impl Iterator<Item = Workload<'a>> {
    let applications = fleet.fleet.clusters.get(cluster).map(|cluster| &cluster.applications);
    let kata = applications.and_then(|all| all.kata_containers.as_ref());
    let kata = kata.filter(|kata| kata.files.daemon_set != FileName::Disabled).map(|kata| Workload {
        user: Pointer::new("/kata"),
        uses: "uses kata",
        note: "without the label no scratch file is created, and containerd fails when it needs one",
        selector: &kata.node_selector,
        at: Pointer::root().child(KATA_CONTAINERS).child("nodeSelector"),
        stray: Stray::Kata(kata.scratch.volume.as_str()),
    });
    let gpu = applications.and_then(|all| all.gpu.as_ref()).into_iter().flat_map(|gpu| {
        VENDORS.into_iter().filter(|(vendor, _)| gpu.files.has(vendor, "devicePlugin")).filter_map(|(vendor, has)| {
            Some(Workload {
                user: key(vendor),
                uses: has,
                note: WITHOUT_LABEL,
                selector: &gpu.of(vendor)?.node_selector,
                at: Pointer::root().child(GPU).child(vendor).child("nodeSelector"),
                stray: Stray::Gpu(vendor),
            })
        })
    });
    kata.into_iter().chain(gpu).filter(|workload| !workload.selector.is_empty())
}

impl Workload<'_> {
    fn is_used(&self, device: &Device) -> bool {
        match self.stray {
            Stray::Kata(_) => device.kata,
            Stray::Gpu(vendor) => device.gpu.of(vendor).is_some(),
        }
    }

    /// Whether the DaemonSet's pod does not run on a device that does not use it.
    fn needs_more(&self, device: &Device) -> bool {
        match self.stray {
            Stray::Kata(volume) => !device.volumes.keys().any(|name| name.as_str() == volume),
            Stray::Gpu(_) => true,
        }
    }

    /// Reports a device that the DaemonSet selects and on which it does not run.
    fn stray_label(
        &self,
        key: &LabelKey,
        selector: &Location,
        (name, node, label): &(String, Location, Location),
    ) -> Diagnostic {
        let (message, note, use_it) = match self.stray {
            Stray::Kata(volume) => (
                format!("kata's DaemonSet selects the node, which does not use kata and has no volume `{volume}`"),
                "the pod would wait for the volume, and the application would never become healthy",
                "or use kata on the node:\nkata: true".to_owned(),
            ),
            Stray::Gpu(vendor) => (
                format!("the DaemonSet of `gpu.{vendor}` selects the node, which has no `gpu.{vendor}`"),
                "the device plugin finds no GPU or no driver there",
                format!("or describe the GPU of the node:\ngpu: {{ {vendor}: {{}} }}"),
            ),
        };
        Diagnostic::new(Code::StrayLabel, message, label.clone())
            .also(selector.clone(), "selected here")
            .also(node.clone(), "the node")
            .note(note)
            .help(format!("remove the label: `{key}: null` removes one that a default sets"))
            .help(use_it)
            .device(name.as_str())
    }

    /// Reports the devices that use the workload and lack a label, together if no device sets it.
    fn lacking(
        &self,
        cluster: &str,
        members: &Members,
        key: &LabelKey,
        selector: &Location,
        all_read: bool,
    ) -> Vec<Diagnostic> {
        let lacking: Vec<_> = members.lacking.iter().filter(|(label, ..)| label == key).collect();
        let (Some((_, first, location)), Some(value)) = (lacking.first(), self.selector.get(key)) else {
            return Vec::new();
        };
        let help = format!("add a line under `labels`, unless something else sets it:\n{key}: {}", value.in_yaml());
        if all_read && !members.set.contains(key) {
            let message = format!("no device of `{cluster}` sets the label `{key}: {value}`");
            let finding = Diagnostic::new(Code::MissingLabel, message, selector.clone())
                .label("the DaemonSet selects it")
                .also(location.clone(), format!("`{first}` {}", self.uses))
                .note(self.note)
                .help(help);
            return vec![lacking.iter().fold(finding, |finding, (_, name, _)| finding.device(name.as_str()))];
        }
        let of_device = |(_, name, location): &&(LabelKey, String, Location)| {
            let message = format!("the node {}, and does not set the label `{key}: {value}`", self.uses);
            Diagnostic::new(Code::MissingLabel, message, location.clone())
                .also(selector.clone(), "the DaemonSet selects it")
                .note(self.note)
                .help(help.clone())
                .device(name.as_str())
        };
        lacking.iter().map(of_device).collect()
    }
}
