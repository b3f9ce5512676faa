//! The commands that make a change, for one node after the other, in the order that keeps them safe.
//!
//! Source of the order: siderolabs/talos, cmd/talosctl, and internal/app/machined of 1.12.7, 1.13.8 and 1.14.1: `apply-config` reboots a
//! node without draining it up to 1.13, and never from 1.14 on, and `talosctl reboot` drains since 1.13.

use std::fmt::Write as _;
use std::sync::Arc;

use talosmith_document::TalosVersion;
use talosmith_machinery::{Class, DifferenceKind, Role};
use talosmith_model::layout::device_folder;
use talosmith_model::plan::Device;
use talosmith_render::{Reader, generated_files};

use super::row::{LocatedRow, ReviewRow};
use super::{Review, Reviewed};
use crate::printable::shell_quote;

/// A node whose device changes.
pub(crate) struct ReviewedNode {
    pub device: Arc<Device>,
    /// What it runs now.
    pub running: TalosVersion,
    /// The name of its Kubernetes node now.
    pub hostname: String,
}

/// Formats the steps as a script with comments, for an operator to read and run.
pub(crate) fn steps(review: &Review<'_, '_>) -> String {
    let mut nodes: Vec<(&Reviewed, &ReviewedNode)> =
        review.reviewed.iter().filter_map(|reviewed| Some((reviewed, reviewed.node.as_ref()?))).collect();
    nodes.sort_by_key(|(_, node)| node.device.role != Role::ControlPlane);
    let mut out = String::new();
    if nodes.len() > 1 {
        out.push_str("# One node after the other: go on when the one before is Ready and its volumes are there.\n\n");
    }
    for (reviewed, node) in &nodes {
        out.push_str(&NodeSteps::new(reviewed, node).text());
    }
    let objects = review.reviewed.iter().flat_map(|reviewed| &reviewed.rows).map(|located| &located.row);
    let (manual, others): (Vec<&ReviewRow>, Vec<&ReviewRow>) =
        objects.filter(|row| is_object(row)).partition(|row| *row.class() == Class::Manual);
    if !others.is_empty() || !manual.is_empty() {
        out.push_str("# Kubernetes: Argo CD applies the objects once the change is merged.\n");
        manual.iter().for_each(|row| _ = writeln!(out, "#   {}: {}", row.what, row.sentence));
    }
    if out.is_empty() {
        out.push_str("# Nothing is to be done.\n");
    }
    out
}

fn is_object(row: &ReviewRow) -> bool {
    let kind = row.what.split(' ').next().unwrap_or_default();
    *row.class() == Class::Kubernetes || matches!(kind, "StorageClass" | "RuntimeClass" | "DaemonSet")
}

struct NodeSteps<'r> {
    rows: Vec<&'r ReviewRow>,
    node: &'r ReviewedNode,
    /// `-n` and the address.
    talosctl: String,
    folder: String,
    number: usize,
    out: String,
}

impl<'r> NodeSteps<'r> {
    fn new(reviewed: &'r Reviewed, node: &'r ReviewedNode) -> Self {
        let rows = reviewed.rows.iter().map(|located: &LocatedRow| &located.row).collect();
        let talosctl = format!("talosctl -n {}", node.device.address);
        let folder = format!("~/.talos/{}", shell_quote(&node.device.name));
        Self { rows, node, talosctl, folder, number: 0, out: String::new() }
    }

    fn has(&self, class: &str) -> bool {
        self.rows.iter().any(|row| row.classes.iter().any(|each| each.code() == class))
    }

    fn step(&mut self, title: &str, commands: &[String]) {
        self.number += 1;
        _ = writeln!(self.out, "# {}. {title}", self.number);
        for command in commands {
            _ = writeln!(self.out, "{command}");
        }
        self.out.push('\n');
    }

    fn text(mut self) -> String {
        let device = &self.node.device;
        let role = if device.role == Role::ControlPlane { "control plane" } else { "worker" };
        let name = &device.name;
        _ = writeln!(self.out, "# {name}: {role} at {}, Talos {}\n", device.address, self.node.running);
        if self.has("wipe") || self.has("unknown") {
            let title = "Stop: this change has no steps. What it does, and why:";
            let rows = self.rows.iter().filter(|row| matches!(row.class(), Class::Wipe | Class::Unknown));
            let lines: Vec<String> = rows.map(|row| format!("#    {}: {}", row.what, row.sentence)).collect();
            self.step(title, &lines);
            return self.out;
        }
        let is_newer = self.node.running != device.versions.talos;
        if is_newer {
            self.upgrade("Upgrade first, with the config that the node has");
        }
        if self.rows.iter().any(|row| !is_object(row)) {
            self.config();
            self.apply();
        }
        if self.has("upgrade") && !is_newer {
            self.upgrade("Upgrade to the image that the config names now");
        }
        self.volumes();
        self.by_hand();
        self.ready();
        self.out
    }

    /// The whole config, which `apply-config` replaces the node's by, and the way back.
    fn config(&mut self) {
        let device = &self.node.device;
        let (folder, talosctl) = (self.folder.clone(), self.talosctl.clone());
        let patches = generated_files(device).into_iter().filter(|file| file.reader == Reader::Talos && file.applied);
        let patches: Vec<String> =
            patches.map(|file| format!("  --patch @{} \\", shell_quote(file.path.as_str()))).collect();
        let mut commands = vec![
            "umask 077".to_owned(),
            format!("mkdir -p {folder}"),
            format!("talosmith generate {}", shell_quote(device_folder(&device.name).as_str())),
            format!("talosctl machineconfig patch {folder}/base.yaml \\"),
        ];
        commands.extend(patches);
        commands.push(format!("  --output {folder}/config.yaml"));
        commands.push(format!("talosctl validate --config {folder}/config.yaml --mode metal"));
        commands.push(format!("{talosctl} get machineconfig v1alpha1 -o jsonpath='{{.spec}}' > {folder}/before.yaml"));
        self.step("Build the whole config from the base config and all patches, and save the way back", &commands);
    }

    fn apply(&mut self) {
        let (talosctl, file) = (self.talosctl.clone(), format!("--file {}/config.yaml", self.folder));
        let apply = |mode: &str| format!("{talosctl} apply-config {file} --mode={mode}");
        let node = shell_quote(&self.node.hostname);
        let drain = format!("kubectl drain {node} --ignore-daemonsets --delete-emptydir-data");
        let reboots_itself = self.node.device.versions.talos.minor() < (1, 14);
        let drains = self.node.device.versions.talos.minor() >= (1, 13);
        // containerd reads its own file only at boot, and its parts at once.
        let is_staged = !reboots_itself && self.rows.iter().any(|row| row.what.contains("/etc/cri/containerd.toml"));
        if self.rows.iter().any(|row| row.may_cut) && !self.has("reboot") && !is_staged {
            let title = "Try it, through the LAN: the node goes back by itself after two minutes";
            self.step(title, &[apply("try --timeout=2m"), format!("{talosctl} get machinestatus")]);
        }
        let reboot = match drains {
            true => vec![format!("{talosctl} reboot --drain")],
            false => vec![drain.clone(), format!("{talosctl} reboot"), format!("kubectl uncordon {node}")],
        };
        match () {
            () if is_staged => {
                let commands = [vec![apply("staged")], reboot].concat();
                self.step("Stage it, and reboot: applied at once, containerd would stop", &commands);
            }
            () if self.has("reboot") => {
                let commands = [drain, apply("auto"), format!("kubectl uncordon {node}")];
                self.step("Apply it: the node reboots, and does not drain itself", &commands);
            }
            () if self.has("pending") => {
                self.step("Apply it", &[apply("no-reboot")]);
                self.step("Reboot, so that all of it takes effect", &reboot);
            }
            () => self.step("Apply it, without a reboot", &[apply("no-reboot")]),
        }
    }

    fn upgrade(&mut self, title: &str) {
        let device = &self.node.device;
        let talosctl = self.talosctl.clone();
        let mut commands = Vec::new();
        let files = generated_files(device);
        let image = device.images.install.image.as_ref();
        if let Some(schematic) = device.images.applied() {
            let key = format!("schematics.{}", schematic.name);
            if let Some(file) = files.iter().find(|file| file.key == key) {
                let path = shell_quote(file.path.as_str());
                let reference = image.map_or("", |image| &image.reference);
                let factory = reference.split('/').next().unwrap_or_default();
                commands.push(format!(
                    "ID=$(curl -fsS -X POST -H 'Content-Type: application/yaml' --data-binary @{path} https://{factory}/schematics | jq -r .id)"
                ));
                commands.push(format!("test \"$ID\" = {} && echo same", schematic.id));
            }
        }
        if device.role == Role::ControlPlane {
            commands.push(format!("{talosctl} etcd snapshot {}/etcd.db", self.folder));
            commands.push(format!("{talosctl} etcd status"));
        }
        commands.push("kubectl get pdb -A".to_owned());
        match image {
            Some(image) => commands.push(format!("{talosctl} upgrade --image {}", image.reference)),
            None => commands.push("# the model names no image: talosctl upgrade --image IMAGE".to_owned()),
        }
        commands.push(format!("{talosctl} get extensions"));
        self.step(title, &commands);
    }

    /// Volumes that stay as they are unless they are wiped.
    fn volumes(&mut self) {
        let talosctl = self.talosctl.clone();
        let kept = self.rows.iter().filter(|row| {
            let is_volume = row.what.starts_with("UserVolumeConfig") || row.what.starts_with("RawVolumeConfig");
            is_volume && matches!(row.class(), Class::Kept | Class::Broken) && row.change != DifferenceKind::Removed
        });
        let mut wiped: Vec<(String, String)> = Vec::new();
        for row in kept {
            let name = row.what.split('`').nth(1).unwrap_or_default();
            let prefix = if row.what.starts_with("Raw") { "r" } else { "u" };
            let label = format!("{prefix}-{name}");
            if !wiped.iter().any(|(other, _)| *other == label) {
                wiped.push((label, format!("/var/mnt/{name}/")));
            }
        }
        for (label, folder) in wiped {
            let title = format!("Only if {label} must become what the model says: everything on it is lost");
            let volumes = format!(
                "kubectl get pv -o json | jq -r --arg path {} '.items[] | select((.spec.hostPath.path // .spec.local.path // \"\") | startswith($path)) | .metadata.name'",
                shell_quote(&folder)
            );
            let reset = format!(
                "{talosctl} reset --system-labels-to-wipe {} --wipe-mode system-disk --reboot --graceful=false",
                shell_quote(&label)
            );
            self.step(
                &title,
                &["# It must print nothing; move the data of what it prints first.".to_owned(), volumes, reset],
            );
        }
    }

    fn by_hand(&mut self) {
        let rows = self.rows.iter().filter(|row| row.classes.contains(&Class::Manual) && !is_object(row));
        let lines: Vec<String> = rows.map(|row| format!("#    {}: {}", row.what, row.sentence)).collect();
        if !lines.is_empty() {
            self.step("By hand:", &lines);
        }
        let name = self.node.device.network.hostname.clone();
        if name != self.node.hostname {
            let command = format!("kubectl delete node {}", shell_quote(&self.node.hostname));
            self.step("When the node is there with its new name, remove the old one", &[command]);
        }
    }

    fn ready(&mut self) {
        let name = shell_quote(&self.node.device.network.hostname);
        let commands = [
            format!("kubectl wait --for=condition=Ready --timeout=10m node/{name}"),
            format!("{} get volumestatus", self.talosctl),
        ];
        self.step("Wait until the node is Ready and every volume is `ready`", &commands);
    }
}
