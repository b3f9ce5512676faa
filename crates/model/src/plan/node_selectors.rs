//! Labels by which workloads select nodes, and the devices that set them.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use crate::fleet::KataApplication;
use crate::scalar::LabelKey;
use crate::{DeviceFile, FleetFile};

/// Judges the selector of each cluster's kata-containers, one device after the other.
#[derive(Default)]
pub(super) struct Judge(BTreeMap<String, Members>);

/// What is kept of the devices of a cluster.
#[derive(Default)]
struct Members {
    /// Whether a device takes part.
    takes_part: bool,
    /// The labels of the selector that a device sets.
    set: BTreeSet<LabelKey>,
    /// Devices that take part and lack a label of the selector: the label, the name, and where the device says that it takes part.
    lacking: Vec<(LabelKey, String, Location)>,
    /// Devices on which the DaemonSet would run though they take no part: the name, and where it and the label are.
    strays: Vec<(String, Location, Location)>,
}

/// What a device of a cluster with kata-containers has to do with their selector.
#[derive(Debug)]
pub(super) struct Sighting {
    takes_part: bool,
    set: Vec<LabelKey>,
    /// Those that it lacks though it takes part, and where it says that.
    lacking: Vec<(LabelKey, Location)>,
    /// Where it and the label are, if the DaemonSet would run on it though it takes no part.
    stray: Option<(Location, Location)>,
}

impl Sighting {
    /// What a device sets and whether it takes part; none where nothing selects nodes.
    pub(super) fn new(fleet: &FleetFile, file: &DeviceFile) -> Option<Self> {
        let device = &file.device;
        let kata = kata(fleet, device.cluster.as_str())?;
        let sets = |key: &LabelKey| device.labels.get(key) == kata.node_selector.get(key);
        let (set, lacking): (Vec<_>, Vec<_>) = kata.node_selector.keys().cloned().partition(sets);
        let is_stray = !device.kata && lacking.is_empty() && !device.volumes.contains_key(&kata.scratch.volume);
        let label = kata.node_selector.keys().next().filter(|_| is_stray);
        let stray = label.map(|key| (file.at("/name"), file.at(Pointer::new("/labels").child(key))));
        let lacking = lacking.into_iter().filter(|_| device.kata).map(|key| (key, file.at("/kata")));
        Some(Self { takes_part: device.kata, set, lacking: lacking.collect(), stray })
    }
}

impl Judge {
    /// Notes what was seen of a device.
    pub(super) fn see(&mut self, device: &str, cluster: &str, sighting: Sighting) {
        let members = self.0.entry(cluster.to_owned()).or_default();
        members.takes_part |= sighting.takes_part;
        members.set.extend(sighting.set);
        members.lacking.extend(sighting.lacking.into_iter().map(|(key, location)| (key, device.to_owned(), location)));
        members.strays.extend(sighting.stray.map(|(name, label)| (device.to_owned(), name, label)));
    }

    /// Judges the clusters once all their devices were seen. `whole` says that all could be read: one that could not may be the one
    /// that sets a label.
    pub(super) fn conclude(&self, fleet: &FleetFile, whole: bool, findings: &mut Vec<Diagnostic>) {
        for (name, members) in &self.0 {
            let Some(kata) = kata(fleet, name) else { continue };
            let selector = |key: &LabelKey| {
                let application = Pointer::new("/clusters").child(name).child("applications").child("kata-containers");
                fleet.at(application.child("nodeSelector").child(key))
            };
            for (key, value) in &kata.node_selector {
                lacking(name, members, key, value.as_str(), &selector(key), whole, findings);
            }
            if let Some(key) = kata.node_selector.keys().next().filter(|_| members.takes_part) {
                findings.extend(members.strays.iter().map(|stray| stray_label(kata, key, &selector(key), stray)));
            }
        }
    }
}

fn kata<'a>(fleet: &'a FleetFile, cluster: &str) -> Option<&'a KataApplication> {
    let cluster = fleet.fleet.clusters.get(cluster)?;
    cluster.applications.kata_containers.as_ref()
}

/// Devices on which the DaemonSet would run though they take no part and have no scratch volume.
fn stray_label(
    kata: &KataApplication,
    key: &LabelKey,
    selector: &Location,
    (name, node, label): &(String, Location, Location),
) -> Diagnostic {
    let volume = &kata.scratch.volume;
    let message = format!("kata's DaemonSet selects the node, which takes no part and has no volume `{volume}`");
    Diagnostic::new(Code::StrayLabel, message, label.clone())
        .also(selector.clone(), "selected here")
        .also(node.clone(), "the node")
        .note("the pod would wait for the volume, and the application would never be healthy")
        .help(format!("leave the label out: `{key}: null` takes away one that a default sets"))
        .help("or let the node take part:\nkata: true")
        .device(name.as_str())
}

fn lacking(
    cluster: &str,
    members: &Members,
    key: &LabelKey,
    value: &str,
    selector: &Location,
    whole: bool,
    findings: &mut Vec<Diagnostic>,
) {
    let lacking: Vec<_> = members.lacking.iter().filter(|(label, ..)| label == key).collect();
    let Some((_, first, location)) = lacking.first() else { return };
    let note = "without the label no scratch file is made, and containerd fails when it needs one";
    let help = format!("add a line under `labels`, unless something else sets it:\n{key}: {value}");
    if whole && !members.set.contains(key) {
        let message = format!("no device of `{cluster}` sets the label `{key}: {value}`");
        let finding = Diagnostic::new(Code::MissingLabel, message, selector.clone())
            .label("the DaemonSet selects it")
            .also(location.clone(), format!("`{first}` takes part in kata"));
        let finding = finding.note(note).help(help);
        findings.push(lacking.iter().fold(finding, |finding, (_, name, _)| finding.device(name.as_str())));
        return;
    }
    for (_, name, location) in lacking {
        let message = format!("the node takes part in kata, and does not set the label `{key}: {value}`");
        findings.push(
            Diagnostic::new(Code::MissingLabel, message, location.clone())
                .also(selector.clone(), "the DaemonSet selects it")
                .note(note)
                .help(help.clone())
                .device(name.as_str()),
        );
    }
}
