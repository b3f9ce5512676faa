//! The commands that make a change, for one node after the other, in the order that keeps them safe.
//!
//! Source of the order: siderolabs/talos, cmd/talosctl, and internal/app/machined of 1.12.7, 1.13.8 and 1.14.1: `apply-config` reboots a
//! node without draining it up to 1.13, and never from 1.14 on, and `talosctl reboot` drains since 1.13.

mod apply;
mod cluster;
mod install;
mod stop;
mod upgrade;
mod volumes;
mod wipe;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;

use talosmith_machinery::{Class, DifferenceKind, Role};
use talosmith_model::plan::{Device, KataContainers};

use super::device::moves_address;
use super::row::{LocatedRow, ReviewRow};
use super::talos_version::{Overwritten, overwritten};
use super::{Review, Reviewed};
use crate::printable::shell_quote;
use apply::CONFIG;
use cluster::{ClusterSteps, is_manifest};
use wipe::Wipe;

/// A node whose device changes, is new or is removed.
pub(crate) struct ReviewedNode {
    /// The device that it gets; that which it has, if it is removed.
    pub device: Arc<Device>,
    /// The device that it runs with now; that which it gets, if it is new.
    pub before: Arc<Device>,
    pub change: DifferenceKind,
    /// The size of its cluster now.
    pub size: ClusterSize,
    /// Whether the cluster that it belongs to afterwards has control planes now.
    pub has_cluster: bool,
}

/// The number of nodes of a cluster, and how many of them are control planes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClusterSize {
    pub nodes: usize,
    pub control_planes: usize,
}

/// Formats the steps as a script with comments, for an operator to read and run.
pub(crate) fn steps(review: &Review<'_, '_>) -> String {
    let nodes = review.reviewed.iter().filter(|reviewed| reviewed.rows.iter().any(|located| is_of_node(&located.row)));
    let mut nodes: Vec<(&Reviewed, &ReviewedNode)> =
        nodes.filter_map(|reviewed| Some((reviewed, reviewed.node.as_ref()?))).collect();
    nodes.sort_by_key(|(_, node)| (node.change == DifferenceKind::Removed, node.device.role != Role::ControlPlane));
    let mut out = String::new();
    if nodes.len() > 1 {
        out.push_str("# One node after the other: go on when the one before is Ready and its volumes are there.\n\n");
    }
    for reviewed in review.reviewed.iter().filter(|reviewed| reviewed.node.is_none() && !reviewed.is_cluster) {
        let sentences = reviewed.rows.iter().map(|located| located.row.sentence.as_str()).collect::<Vec<_>>();
        _ = writeln!(out, "# {}: no steps, {}\n", reviewed.name, sentences.join("; "));
    }
    let mut clusters = ClusterSteps::all(review);
    clusters.iter_mut().for_each(|cluster| out.push_str(&cluster.before()));
    let mut bootstrapped = BTreeSet::new();
    for (reviewed, node) in &nodes {
        let cluster = review.after.clusters.iter().find(|cluster| cluster.name == node.device.cluster);
        let written = review.after.fleet.as_ref().and_then(|it| it.fleet.clusters.get(node.device.cluster.as_str()));
        let bootstraps = !node.has_cluster && node.device.role == Role::ControlPlane;
        let cluster = ClusterFacts {
            kata: cluster.and_then(|cluster| cluster.kata.as_ref()),
            generates_base: written.is_some_and(|cluster| cluster.has_base()),
            bootstraps: bootstraps && bootstrapped.insert(&node.device.cluster),
        };
        out.push_str(&NodeSteps::new(reviewed, node, cluster).text());
    }
    clusters.iter_mut().for_each(|cluster| out.push_str(&cluster.after()));
    let objects = review.reviewed.iter().flat_map(|reviewed| &reviewed.rows).map(|located| &located.row);
    let (manual, others): (Vec<&ReviewRow>, Vec<&ReviewRow>) =
        objects.filter(|row| is_object(row)).partition(|row| *row.class() == Class::Manual);
    if !others.is_empty() || !manual.is_empty() {
        out.push_str("# Kubernetes: Argo CD applies the objects once the change is merged.\n");
        manual.iter().for_each(|row| _ = writeln!(out, "#   {}: {}", row.what, row.sentence));
    }
    if out.is_empty() {
        out.push_str(match review.after.has_errors() {
            true => "# The steps are unknown, since the model has errors: talosmith validate\n",
            false => "# Nothing is to be done on a node or in Kubernetes.\n",
        });
    }
    out
}

/// Whether a row is about the node, and not only about objects of Kubernetes or about what commands call the node.
fn is_of_node(row: &ReviewRow) -> bool {
    let is_only_called = row.classes == [Class::None] && matches!(row.what.as_str(), "address" | "name");
    !is_object(row) && !is_only_called
}

fn is_object(row: &ReviewRow) -> bool {
    let kind = row.what.split(' ').next().unwrap_or_default();
    *row.class() == Class::Kubernetes || matches!(kind, "StorageClass" | "RuntimeClass" | "DaemonSet")
}

/// What the steps of a node need to know about the cluster that it belongs to afterwards.
#[derive(Clone, Copy)]
struct ClusterFacts<'r> {
    kata: Option<&'r KataContainers>,
    /// Whether talosmith generates the base config.
    generates_base: bool,
    /// Whether etcd starts on this node for the first time.
    bootstraps: bool,
}

struct NodeSteps<'r> {
    rows: Vec<&'r ReviewRow>,
    node: &'r ReviewedNode,
    cluster: ClusterFacts<'r>,
    /// What must be wiped for the change.
    wipe: Option<Wipe>,
    /// The application that kata containers need, where the node gets them or loses their scratch file.
    kata: Option<&'r KataContainers>,
    /// With `-n` and the address that the node has at this step.
    talosctl: String,
    /// The name that the node has in Kubernetes at this step, as a word.
    node_name: String,
    /// Whether it has its new config.
    is_arrived: bool,
    folder: String,
    /// Whether the node has no new pods until the last step.
    is_cordoned: bool,
    number: usize,
    out: String,
}

impl<'r> NodeSteps<'r> {
    fn new(reviewed: &'r Reviewed, node: &'r ReviewedNode, cluster: ClusterFacts<'r>) -> Self {
        let rows: Vec<&ReviewRow> = reviewed.rows.iter().map(|located: &LocatedRow| &located.row).collect();
        // A node that has another address without this config has it already.
        let is_moved = moves_address(rows.iter().copied(), &node.before, &node.device);
        let now = if is_moved { &node.before } else { &node.device };
        let talosctl = talosctl_at(&now.address);
        let folder = format!("~/.talos/{}", shell_quote(&node.device.name));
        let mut wipe = Wipe::of(&rows, &node.before);
        if node.before.versions.talos != node.device.versions.talos {
            wipe.iter_mut().filter(|wipe| wipe.is_new_node).for_each(Wipe::install_again);
        }
        let node_name = node_word(&node.before);
        let had_kata = node.before.kubernetes.kata && node.change == DifferenceKind::Changed;
        let loses = |kata: &KataContainers| wipe.as_ref().is_some_and(|wipe| wipe.erases(&kata.scratch_volume));
        let kata = cluster.kata.filter(|kata| node.device.kubernetes.kata && (!had_kata || loses(kata)));
        Self {
            rows,
            node,
            cluster,
            wipe,
            kata,
            talosctl,
            node_name,
            is_arrived: false,
            folder,
            is_cordoned: false,
            number: 0,
            out: String::new(),
        }
    }

    fn has(&self, class: &str) -> bool {
        has(&self.rows, class)
    }

    fn step(&mut self, title: &str, commands: &[String]) {
        self.number += 1;
        push_step(&mut self.out, self.number, title, commands);
    }

    fn text(mut self) -> String {
        let device = &self.node.device;
        let running = &self.node.before.versions.talos;
        let (note, version) = match self.node.change {
            DifferenceKind::Added => ("a new ", &device.versions.talos),
            DifferenceKind::Removed => ("removed, a ", running),
            DifferenceKind::Changed => ("", running),
        };
        let role = if device.role == Role::ControlPlane { "control plane" } else { "worker" };
        _ = writeln!(self.out, "# {}: {note}{role} at {}, Talos {version}\n", device.name, device.address);
        match self.node.change {
            DifferenceKind::Added => self.install(),
            DifferenceKind::Removed => self.leave(),
            DifferenceKind::Changed => self.change(),
        }
        self.out
    }

    fn change(&mut self) {
        // An installation brings the image.
        let installs = self.wipe.as_ref().is_some_and(Wipe::is_whole_disk);
        let counts = |row: &&&ReviewRow| !(installs && row.what == "talosVersion");
        let counting: Vec<&ReviewRow> = self.rows.iter().filter(counts).copied().collect();
        let reasons = stop::reasons(&counting, &self.node.before.versions.talos);
        if !reasons.is_empty() {
            self.step("Stop: this change has no steps. What it does, and why:", &reasons);
            return;
        }
        let is_newer = self.node.before.versions.talos != self.node.device.versions.talos;
        let upgrades_first = !installs && (is_newer || self.kata.is_some() && self.has("upgrade"));
        let customization = overwritten(self.rows.iter().copied(), &self.node.before, &self.node.device);
        if upgrades_first && customization == Overwritten::Created {
            self.config();
            let commands = [self.apply_config(CONFIG, "staged")];
            self.step(
                "Stage it for the boot of the upgrade, since the new Talos does not boot with the old one",
                &commands,
            );
            self.upgrade("Upgrade before anything else boots the node");
            self.arrive();
            self.volumes();
            self.by_hand();
            self.ready();
            return;
        }
        match is_newer {
            _ if !upgrades_first => {}
            true => self.upgrade("Upgrade first, with the config that the node has"),
            false => self.upgrade("Upgrade first: kata containers need the extension"),
        }
        if self.rows.iter().any(|row| is_of_node(row)) {
            self.find_partitions();
            self.config();
            self.apply_in_order();
        }
        if self.has("upgrade") && !upgrades_first && !installs {
            self.upgrade("Upgrade to the image that the config names now");
        }
        self.volumes();
        self.by_hand();
        self.ready();
    }

    fn by_hand(&mut self) {
        if self.is_new_node() {
            return;
        }
        let node = node_word(&self.node.device);
        let by_hand = |row: &&&ReviewRow| row.classes.contains(&Class::Manual) && !is_object(row) && !is_manifest(row);
        let mut lines = Vec::new();
        for row in self.rows.iter().filter(by_hand) {
            lines.push(format!("#    {}: {}", row.what, row.sentence));
            lines.extend(taint_commands(row, &node));
        }
        if !lines.is_empty() {
            self.step("By hand:", &lines);
        }
        if self.is_renamed() {
            let old = if self.has_unknown_name() { OLD_NAME.to_owned() } else { node_word(&self.node.before) };
            let commands = [self.wait_until_ready(), format!("kubectl delete node {old}")];
            self.step("When the node is there with its new name, remove the old one", &commands);
        }
    }

    /// Whether Kubernetes gets a second node, with another name.
    fn is_renamed(&self) -> bool {
        let (before, after) = (&self.node.before.network, &self.node.device.network);
        let is_hostname = |row: &&ReviewRow| *row.class() == Class::Identity && row.what.starts_with("HostnameConfig");
        let is_other =
            before.node_name != after.node_name || self.has_unknown_name() && self.rows.iter().any(is_hostname);
        is_other && !self.is_new_node()
    }

    /// Whether the node alone knows its name, before or after the change.
    fn has_unknown_name(&self) -> bool {
        self.node.before.network.has_generated_name || self.node.device.network.has_generated_name
    }

    fn is_new_node(&self) -> bool {
        self.wipe.as_ref().is_some_and(|wipe| wipe.is_new_node)
    }

    /// The node has its new config, and with it its new address and name.
    fn arrive(&mut self) {
        self.talosctl = talosctl_at(&self.node.device.address);
        self.node_name = node_word(&self.node.device);
        self.is_arrived = true;
    }

    fn ready(&mut self) {
        let mut commands = vec![self.wait_until_ready(), format!("{} get volumestatus", self.talosctl)];
        commands.extend(self.uncordon().filter(|_| self.is_cordoned));
        let has_others = self.node.size.control_planes > 1 && self.node.device.role == Role::ControlPlane;
        if !has_others {
            return self.step("Wait until the node is Ready and every volume is `ready`", &commands);
        }
        commands.push(format!("{} etcd status", self.talosctl));
        commands.push(format!("{} etcd members", self.talosctl));
        self.step(
            "Wait until the node is Ready, every volume is `ready`, and etcd lists every member without errors",
            &commands,
        );
    }

    /// Waits for the node; a single control plane does not answer while it boots.
    fn wait_until_ready(&self) -> String {
        let name = node_word(&self.node.device);
        format!("until kubectl wait --for=condition=Ready --timeout=1m node/{name}; do sleep 5; done")
    }

    /// Moves the pods of the node elsewhere; nothing where there is no other node.
    fn drain(&self) -> Option<String> {
        let name = &self.node_name;
        (self.node.size.nodes > 1).then(|| format!("kubectl drain {name} --ignore-daemonsets --delete-emptydir-data"))
    }

    fn uncordon(&self) -> Option<String> {
        let name = node_word(&self.node.device);
        (self.node.size.nodes > 1).then(|| format!("kubectl uncordon {name}"))
    }
}

fn push_step(out: &mut String, number: usize, title: &str, commands: &[String]) {
    _ = writeln!(out, "# {number}. {title}");
    for command in commands {
        _ = writeln!(out, "{command}");
    }
    out.push('\n');
}

/// The variable with the name that a node had before the change, where only the node knows it.
const OLD_NAME: &str = "\"$OLD\"";

/// The name of a node in Kubernetes, or the command that asks the node for it, as a word.
fn node_word(device: &Device) -> String {
    match device.network.has_generated_name {
        true => format!("\"$({})\"", get_name(&talosctl_at(&device.address))),
        false => shell_quote(&device.network.node_name),
    }
}

fn get_name(talosctl: &str) -> String {
    format!("{talosctl} get nodename -o jsonpath='{{.spec.nodename}}'")
}

fn talosctl_at(address: &str) -> String {
    format!("talosctl -n {}", shell_quote(address))
}

/// The commands that change a taint of a worker, which cannot do so itself.
fn taint_commands(row: &ReviewRow, node: &str) -> Vec<String> {
    let prefixes = ["machine.nodeTaints.", "KubeNodeConfig taints."];
    let Some(key) = prefixes.iter().find_map(|prefix| row.what.strip_prefix(prefix)) else { return Vec::new() };
    let taint = |value: &String| match value.rsplit_once(':') {
        Some((value, effect)) if !value.is_empty() => (format!("{key}={value}:{effect}"), effect.to_owned()),
        Some((_, effect)) => (format!("{key}:{effect}"), effect.to_owned()),
        None => (format!("{key}:{value}"), value.clone()),
    };
    let (before, after) = (row.before.as_ref().map(taint), row.after.as_ref().map(taint));
    let effect = after.as_ref().map(|(_, effect)| effect.as_str());
    let gone = before.filter(|(_, old)| Some(old.as_str()) != effect);
    let gone = gone.map(|(_, effect)| shell_quote(&format!("{key}:{effect}-")));
    let gone = gone.map(|taint| format!("kubectl taint node {node} {taint}"));
    let added = after.map(|(taint, _)| format!("kubectl taint node {node} {} --overwrite", shell_quote(&taint)));
    gone.into_iter().chain(added).collect()
}

fn has(rows: &[&ReviewRow], class: &str) -> bool {
    rows.iter().any(|row| row.classes.iter().any(|each| each.code() == class))
}
