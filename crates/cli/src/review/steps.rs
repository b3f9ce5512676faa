//! The commands that make a change, for one node after the other, in the order that keeps them safe.
//!
//! Source of the order: siderolabs/talos, cmd/talosctl, and internal/app/machined of 1.12.7, 1.13.8 and 1.14.1: `apply-config` reboots a
//! node without draining it up to 1.13, and never from 1.14 on, and `talosctl reboot` drains since 1.13.

mod apply;
mod upgrade;
mod volumes;

use std::fmt::Write as _;
use std::sync::Arc;

use talosmith_machinery::{Class, Role};
use talosmith_model::plan::{Device, KataContainers};

use super::row::{LocatedRow, ReviewRow};
use super::{Review, Reviewed};
use crate::printable::shell_quote;

/// A node whose device changes.
pub(crate) struct ReviewedNode {
    pub device: Arc<Device>,
    /// The device that it runs with now.
    pub before: Arc<Device>,
    /// The size of its cluster now.
    pub size: ClusterSize,
}

/// The number of nodes of a cluster, and how many of them are control planes.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ClusterSize {
    pub nodes: usize,
    pub control_planes: usize,
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
        let cluster = review.after.clusters.iter().find(|cluster| cluster.name == node.device.cluster);
        let kata = cluster.and_then(|cluster| cluster.kata.as_ref());
        out.push_str(&NodeSteps::new(reviewed, node, kata).text());
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
    /// The application that kata containers need, where the change turns them on.
    kata: Option<&'r KataContainers>,
    /// `-n` and the address.
    talosctl: String,
    folder: String,
    number: usize,
    out: String,
}

impl<'r> NodeSteps<'r> {
    fn new(reviewed: &'r Reviewed, node: &'r ReviewedNode, kata: Option<&'r KataContainers>) -> Self {
        let rows = reviewed.rows.iter().map(|located: &LocatedRow| &located.row).collect();
        let talosctl = format!("talosctl -n {}", node.device.address);
        let folder = format!("~/.talos/{}", shell_quote(&node.device.name));
        let kata = kata.filter(|_| node.device.kubernetes.kata && !node.before.kubernetes.kata);
        Self { rows, node, kata, talosctl, folder, number: 0, out: String::new() }
    }

    fn has(&self, class: &str) -> bool {
        has(&self.rows, class)
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
        let running = &self.node.before.versions.talos;
        let role = if device.role == Role::ControlPlane { "control plane" } else { "worker" };
        _ = writeln!(self.out, "# {}: {role} at {}, Talos {running}\n", device.name, device.address);
        let is_stop = |row: &&&ReviewRow| {
            *row.class() == Class::Unknown || *row.class() == Class::Wipe && !volumes::is_ephemeral(row)
        };
        let stops: Vec<&ReviewRow> = self.rows.iter().filter(is_stop).copied().collect();
        if !stops.is_empty() {
            let lines: Vec<String> = stops.iter().map(|row| format!("#    {}: {}", row.what, row.sentence)).collect();
            self.step("Stop: this change has no steps. What it does, and why:", &lines);
            return self.out;
        }
        let is_newer = *running != device.versions.talos;
        let upgrades_first = is_newer || self.kata.is_some() && self.has("upgrade");
        match is_newer {
            true => self.upgrade("Upgrade first, with the config that the node has"),
            false if upgrades_first => self.upgrade("Upgrade first: kata containers need the extension"),
            false => {}
        }
        if self.rows.iter().any(|row| !is_object(row)) {
            self.find_partitions();
            self.config();
            self.apply_in_order();
        }
        if self.has("upgrade") && !upgrades_first {
            self.upgrade("Upgrade to the image that the config names now");
        }
        self.volumes();
        self.by_hand();
        self.ready();
        self.out
    }

    fn by_hand(&mut self) {
        let rows = self.rows.iter().filter(|row| row.classes.contains(&Class::Manual) && !is_object(row));
        let lines: Vec<String> = rows.map(|row| format!("#    {}: {}", row.what, row.sentence)).collect();
        if !lines.is_empty() {
            self.step("By hand:", &lines);
        }
        let (old, new) = (&self.node.before.network.hostname, &self.node.device.network.hostname);
        if old != new {
            let command = format!("kubectl delete node {}", shell_quote(old));
            self.step("When the node is there with its new name, remove the old one", &[command]);
        }
    }

    fn ready(&mut self) {
        let commands = [self.wait_until_ready(), format!("{} get volumestatus", self.talosctl)];
        self.step("Wait until the node is Ready and every volume is `ready`", &commands);
    }

    /// Waits for the node; a single control plane does not answer while it boots.
    fn wait_until_ready(&self) -> String {
        let name = shell_quote(&self.node.device.network.hostname);
        format!("until kubectl wait --for=condition=Ready --timeout=1m node/{name}; do sleep 5; done")
    }

    /// Moves the pods of the node elsewhere; nothing where there is no other node.
    fn drain(&self) -> Option<String> {
        let name = shell_quote(&self.node.before.network.hostname);
        (self.node.size.nodes > 1).then(|| format!("kubectl drain {name} --ignore-daemonsets --delete-emptydir-data"))
    }

    fn uncordon(&self) -> Option<String> {
        let name = shell_quote(&self.node.before.network.hostname);
        (self.node.size.nodes > 1).then(|| format!("kubectl uncordon {name}"))
    }
}

fn has(rows: &[&ReviewRow], class: &str) -> bool {
    rows.iter().any(|row| row.classes.iter().any(|each| each.code() == class))
}
