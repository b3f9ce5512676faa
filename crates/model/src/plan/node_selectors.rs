//! Labels by which workloads select nodes, and the devices that set them.

use crate::fleet::KataApplication;
use crate::{Code, DeviceFile, Diagnostic, FleetFile, Pointer};

/// Judges the selector of each cluster's kata-containers over the devices of the cluster that could be read.
/// `whole` says that these are all: one that cannot be read may be the one that sets a label.
pub fn judge(fleet: &FleetFile, devices: &[DeviceFile], whole: bool, findings: &mut Vec<Diagnostic>) {
    for (name, cluster) in &fleet.fleet.clusters {
        let Some(kata) = &cluster.applications.kata_containers else { continue };
        let members: Vec<_> = devices.iter().filter(|file| file.device.cluster == *name).collect();
        let application = Pointer::new("/clusters").child(name).child("applications").child("kata-containers");
        select(fleet, kata, &application, name.as_str(), &members, whole, findings);
        strays(fleet, kata, &application, &members, findings);
    }
}

/// Devices on which the DaemonSet would run though they take no part and have no scratch volume.
fn strays(
    fleet: &FleetFile,
    kata: &KataApplication,
    application: &Pointer,
    members: &[&DeviceFile],
    findings: &mut Vec<Diagnostic>,
) {
    let Some(key) = kata.node_selector.keys().next() else { return };
    if !members.iter().any(|file| file.device.kata) {
        return;
    }
    let is_selected = |file: &DeviceFile| {
        kata.node_selector.iter().all(|(key, value)| file.device.labels.get(key) == Some(value))
            && !file.device.volumes.contains_key(&kata.scratch.volume)
    };
    for file in members.iter().filter(|file| !file.device.kata && is_selected(file)) {
        let volume = &kata.scratch.volume;
        findings.push(
            Diagnostic::new(
                Code::StrayLabel,
                format!("kata's DaemonSet selects the node, which takes no part and has no volume `{volume}`"),
                file.at(Pointer::new("/labels").child(key)),
            )
            .also(fleet.at(application.child("nodeSelector").child(key)), "selected here")
            .also(file.at("/name"), "the node")
            .note("the pod would wait for the volume, and the application would never be healthy")
            .help(format!("leave the label out: `{key}: null` takes away one that a default sets"))
            .help("or let the node take part:\nkata: true")
            .device(file.device.name.as_str()),
        );
    }
}

fn select(
    fleet: &FleetFile,
    kata: &KataApplication,
    application: &Pointer,
    cluster: &str,
    members: &[&DeviceFile],
    whole: bool,
    findings: &mut Vec<Diagnostic>,
) {
    for (key, value) in &kata.node_selector {
        let sets = |file: &DeviceFile| file.device.labels.get(key) == Some(value);
        let lacking: Vec<_> = members.iter().filter(|file| file.device.kata && !sets(file)).collect();
        let Some(first) = lacking.first() else { continue };
        let selector = fleet.at(application.child("nodeSelector").child(key));
        let note = "without the label no scratch file is made, and containerd fails when it needs one";
        let help = format!("add a line under `labels`, unless something else sets it:\n{key}: {value}");
        if whole && !members.iter().any(|file| sets(file)) {
            let finding = Diagnostic::new(
                Code::MissingLabel,
                format!("no device of `{cluster}` sets the label `{key}: {value}`"),
                selector,
            )
            .label("the DaemonSet selects it")
            .also(first.at("/kata"), format!("`{}` takes part in kata", first.device.name));
            let finding = finding.note(note).help(help);
            findings.push(lacking.iter().fold(finding, |finding, file| finding.device(file.device.name.as_str())));
            continue;
        }
        for file in lacking {
            findings.push(
                Diagnostic::new(
                    Code::MissingLabel,
                    format!("the node takes part in kata, and does not set the label `{key}: {value}`"),
                    file.at("/kata"),
                )
                .also(selector.clone(), "the DaemonSet selects it")
                .note(note)
                .help(help.clone())
                .device(file.device.name.as_str()),
            );
        }
    }
}
