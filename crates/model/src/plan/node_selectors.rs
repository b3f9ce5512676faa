//! Labels by which workloads select nodes, and the devices that set them.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use crate::fleet::KataApplication;
use crate::scalar::{LabelKey, LabelValue};
use crate::{DeviceFile, FleetFile};

/// Checks the selector of each cluster's kata-containers, one device after the other.
#[derive(Default)]
pub(super) struct Checks(BTreeMap<String, Members>);

/// What is kept of the devices of a cluster.
#[derive(Default)]
struct Members {
    /// Whether a device uses kata.
    uses_kata: bool,
    /// The labels of the selector that a device sets.
    set: BTreeSet<LabelKey>,
    /// Devices that use kata and lack a label of the selector: the label, the name, and the location of the device's `kata`.
    lacking: Vec<(LabelKey, String, Location)>,
    /// Devices that the DaemonSet selects and that do not use kata: the name, and the locations of the name and the label.
    strays: Vec<(String, Location, Location)>,
}

/// The relation of a device to the selector of its cluster's kata-containers.
#[derive(Debug)]
pub(super) struct Input {
    uses_kata: bool,
    set: Vec<LabelKey>,
    /// Those that it lacks though it uses kata, and the location of its `kata`.
    lacking: Vec<(LabelKey, Location)>,
    /// The locations of its name and of the label, if the DaemonSet selects it and it does not use kata.
    stray: Option<(Location, Location)>,
}

impl Input {
    /// Returns the labels that a device sets and whether it uses kata; none in a cluster without the application.
    pub(super) fn new(fleet: &FleetFile, file: &DeviceFile) -> Option<Self> {
        let device = &file.device;
        let kata = kata(fleet, device.cluster.as_str())?;
        let sets = |key: &LabelKey| device.labels.get(key) == kata.node_selector.get(key);
        let (set, lacking): (Vec<_>, Vec<_>) = kata.node_selector.keys().cloned().partition(sets);
        let is_stray = !device.kata && lacking.is_empty() && !device.volumes.contains_key(&kata.scratch.volume);
        let label = kata.node_selector.keys().next().filter(|_| is_stray);
        let stray = label.map(|key| (file.at("/name"), file.at(Pointer::new("/labels").child(key))));
        let lacking = lacking.into_iter().filter(|_| device.kata).map(|key| (key, file.at("/kata")));
        Some(Self { uses_kata: device.kata, set, lacking: lacking.collect(), stray })
    }
}

impl Checks {
    /// Adds a device.
    pub(super) fn add(&mut self, device: &str, cluster: &str, input: Input) {
        let members = self.0.entry(cluster.to_owned()).or_default();
        members.uses_kata |= input.uses_kata;
        members.set.extend(input.set);
        members.lacking.extend(input.lacking.into_iter().map(|(key, location)| (key, device.to_owned(), location)));
        members.strays.extend(input.stray.map(|(name, label)| (device.to_owned(), name, label)));
    }

    /// Checks the clusters once all their devices were added. `all_read` is false if a device's file could not be read: that device
    /// may set a label.
    pub(super) fn finish(&self, fleet: &FleetFile, all_read: bool, findings: &mut Vec<Diagnostic>) {
        for (name, members) in &self.0 {
            let Some(kata) = kata(fleet, name) else { continue };
            let selector = |key: &LabelKey| {
                let application = Pointer::new("/clusters").child(name).child("applications").child("kata-containers");
                fleet.at(application.child("nodeSelector").child(key))
            };
            for (key, value) in &kata.node_selector {
                lacking(name, members, (key, value), &selector(key), all_read, findings);
            }
            if let Some(key) = kata.node_selector.keys().next().filter(|_| members.uses_kata) {
                findings.extend(members.strays.iter().map(|stray| stray_label(kata, key, &selector(key), stray)));
            }
        }
    }
}

fn kata<'a>(fleet: &'a FleetFile, cluster: &str) -> Option<&'a KataApplication> {
    let cluster = fleet.fleet.clusters.get(cluster)?;
    cluster.applications.kata_containers.as_ref()
}

/// Reports a device that the DaemonSet selects and that does not use kata and has no scratch volume.
fn stray_label(
    kata: &KataApplication,
    key: &LabelKey,
    selector: &Location,
    (name, node, label): &(String, Location, Location),
) -> Diagnostic {
    let volume = &kata.scratch.volume;
    let message = format!("kata's DaemonSet selects the node, which does not use kata and has no volume `{volume}`");
    Diagnostic::new(Code::StrayLabel, message, label.clone())
        .also(selector.clone(), "selected here")
        .also(node.clone(), "the node")
        .note("the pod would wait for the volume, and the application would never become healthy")
        .help(format!("remove the label: `{key}: null` removes one that a default sets"))
        .help("or use kata on the node:\nkata: true")
        .device(name.as_str())
}

fn lacking(
    cluster: &str,
    members: &Members,
    (key, value): (&LabelKey, &LabelValue),
    selector: &Location,
    all_read: bool,
    findings: &mut Vec<Diagnostic>,
) {
    let lacking: Vec<_> = members.lacking.iter().filter(|(label, ..)| label == key).collect();
    let Some((_, first, location)) = lacking.first() else { return };
    let note = "without the label no scratch file is created, and containerd fails when it needs one";
    let help = format!("add a line under `labels`, unless something else sets it:\n{key}: {}", value.in_yaml());
    if all_read && !members.set.contains(key) {
        let message = format!("no device of `{cluster}` sets the label `{key}: {value}`");
        let finding = Diagnostic::new(Code::MissingLabel, message, selector.clone())
            .label("the DaemonSet selects it")
            .also(location.clone(), format!("`{first}` uses kata"));
        let finding = finding.note(note).help(help);
        findings.push(lacking.iter().fold(finding, |finding, (_, name, _)| finding.device(name.as_str())));
        return;
    }
    for (_, name, location) in lacking {
        let message = format!("the node uses kata, and does not set the label `{key}: {value}`");
        findings.push(
            Diagnostic::new(Code::MissingLabel, message, location.clone())
                .also(selector.clone(), "the DaemonSet selects it")
                .note(note)
                .help(help.clone())
                .device(name.as_str()),
        );
    }
}
