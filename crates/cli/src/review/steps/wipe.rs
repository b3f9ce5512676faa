//! What must be wiped before the next boot, and the steps that do it. The data on it is lost.
//!
//! Source: internal/app/machined of siderolabs/talos 1.12.7, 1.13.8 and 1.14.1: `reset` finds a label by the status of the volume, wipes and
//! drops its partition, and fails at a volume without one (internal/pkg/partition/wipe.go). Without STATE a node boots into
//! maintenance mode, from the system that is installed. Up to 1.13.6 a volume that cannot be made holds up the next reset, reboot and
//! upgrade (siderolabs/talos#13733), so nothing may boot with it in the config before it is wiped.

use talosmith_machinery::{Class, DifferenceKind, Role};
use talosmith_model::plan::{Device, Volume};

use super::apply::CONFIG;
use super::volumes::{Partition, SYSTEM, abandoned, is_renamed, is_whole, kept};
use super::{NodeSteps, ReviewRow};
use crate::printable::shell_quote;

const STATE: &str = "STATE";
const EPHEMERAL: &str = "EPHEMERAL";

/// What must be wiped.
#[derive(Debug, Default)]
pub(super) struct Wipe {
    /// The partitions that `reset` wipes; with none of them and no disk, the whole system disk.
    partitions: Vec<Partition>,
    /// The volumes that are whole disks.
    disks: Vec<Partition>,
    is_whole_disk: bool,
    /// The disk that Talos is installed on instead.
    moves_to: Option<String>,
    /// Whether the node becomes another one for Kubernetes.
    pub is_new_node: bool,
}

impl Wipe {
    /// Returns what must be wiped for some changes on a node with a device.
    pub(super) fn of(rows: &[&ReviewRow], before: &Device) -> Option<Self> {
        let mut wipe = Self::default();
        for row in rows {
            let what = row.what.as_str();
            match row.class() {
                Class::Wipe if what.ends_with(".secureboot") => wipe.is_whole_disk = true,
                Class::Wipe if what.starts_with(SYSTEM) => wipe.partitions.extend(Partition::of(row, before)),
                Class::Wipe => match what.strip_prefix("machine.systemDiskEncryption.") {
                    Some(path) if path.starts_with("state") => wipe.partitions.push(system(STATE)),
                    Some(_) => wipe.partitions.push(system(EPHEMERAL)),
                    None => wipe.is_new_node = true,
                },
                Class::Broken if is_backing(row) => {
                    let own = before.storage.volumes.iter().filter(|volume| is_own(volume, row));
                    wipe.partitions.extend(own.map(|volume| system(&volume.name)));
                    wipe.partitions.extend([system(EPHEMERAL), system(STATE)]);
                }
                Class::Broken if is_renamed(row) || is_whole(row) => {
                    // There is no room for it.
                    abandoned(rows, before).into_iter().for_each(|partition| wipe.add(partition));
                    kept(rows, before).into_iter().for_each(|partition| wipe.add(partition));
                }
                Class::Broken => Partition::of(row, before).into_iter().for_each(|partition| wipe.add(partition)),
                _ => {}
            }
        }
        wipe.is_new_node |= wipe.is_whole_disk;
        if wipe.is_new_node {
            wipe.partitions.extend([system(EPHEMERAL), system(STATE)]);
        }
        wipe.partitions.sort_by(|one, other| one.id.cmp(&other.id));
        wipe.partitions.dedup();
        (wipe.is_whole_disk || !wipe.partitions.is_empty() || !wipe.disks.is_empty()).then_some(wipe)
    }

    pub(super) fn of_partition(partition: Partition) -> Self {
        let mut wipe = Self::default();
        wipe.add(partition);
        wipe
    }

    /// The whole system disk.
    pub(super) fn whole_disk() -> Self {
        Self {
            partitions: vec![system(EPHEMERAL), system(STATE)],
            is_whole_disk: true,
            is_new_node: true,
            ..Self::default()
        }
    }

    /// The whole system disk, since Talos is to be on another one.
    pub(super) fn for_disk([before, after]: [&str; 2]) -> Self {
        let disk = match before == after {
            true => format!("the disk that `{after}` finds now"),
            false => format!("the disk `{after}`"),
        };
        Self { moves_to: Some(disk), ..Self::whole_disk() }
    }

    /// Wipes the whole system disk instead, so that the node is installed from its image.
    pub(super) fn install_again(&mut self) {
        self.is_whole_disk = true;
    }

    fn add(&mut self, partition: Partition) {
        let list = if partition.is_disk { &mut self.disks } else { &mut self.partitions };
        if !list.contains(&partition) {
            list.push(partition);
        }
    }

    pub(super) const fn is_whole_disk(&self) -> bool {
        self.is_whole_disk
    }

    pub(super) fn has(&self, partition: &Partition) -> bool {
        let is_on_disk = self.is_whole_disk && partition.is_on_system_disk;
        is_on_disk || self.partitions.contains(partition) || self.disks.contains(partition)
    }

    /// Whether it erases a user volume, if that is on the system disk.
    pub(super) fn erases(&self, volume: &str) -> bool {
        let is_it = |partition: &Partition| partition.name == volume && partition.kind == "UserVolumeConfig";
        self.is_whole_disk || self.partitions.iter().chain(&self.disks).any(is_it)
    }

    fn wipes(&self, name: &str) -> bool {
        self.partitions.iter().any(|partition| partition.kind == SYSTEM && partition.name == name)
    }

    /// What it is for, if it is only taken on request.
    pub(super) fn optional_title(&self) -> String {
        match &self.moves_to {
            Some(disk) => format!("Only if Talos must move to {disk}: install the node again"),
            None => format!("Only if {} must match the model", self.names()),
        }
    }

    /// What it erases, for people.
    fn names(&self) -> String {
        if self.is_whole_disk {
            return "the system disk".to_owned();
        }
        let names: Vec<&str> =
            self.disks.iter().chain(&self.partitions).map(|partition| partition.id.as_str()).collect();
        match names.split_last() {
            Some((last, rest)) if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
            _ => names.concat(),
        }
    }

    pub(super) fn title(&self) -> String {
        match (self.is_whole_disk, self.is_new_node) {
            (true, _) => "The node must be installed again".to_owned(),
            (_, true) => "The node must be reset, and join again".to_owned(),
            _ => format!("{} must be wiped before the node boots with the new config", self.names()),
        }
    }
}

fn system(name: &str) -> Partition {
    let folder = (name == EPHEMERAL).then(|| "/var/".to_owned());
    let (kind, name, id) = (SYSTEM.to_owned(), name.to_owned(), name.to_owned());
    Partition { kind, name, id, folder, is_disk: false, is_on_system_disk: true }
}

/// Whether a row is about the backing of a volume of Talos, which the node refuses to change.
fn is_backing(row: &ReviewRow) -> bool {
    row.what.starts_with(SYSTEM) && row.what.contains("` provisioning")
}

/// Whether a volume of Talos is that of a row, and has a partition of its own.
fn is_own(volume: &Volume, row: &ReviewRow) -> bool {
    volume.kind == SYSTEM && volume.is_provisioned && row.what.split('`').nth(1) == Some(&volume.name)
}

impl NodeSteps<'_> {
    /// Wipes something, and returns whether the node has its config afterwards. `staged` is the one for the boot in between.
    pub(super) fn wipe_and_apply(&mut self, title: &str, wipe: &Wipe, staged: Option<&str>) -> bool {
        let lines = self.lost(wipe);
        self.step(&format!("{title}. What is lost, so move the data first:"), &lines);
        for disk in &wipe.disks {
            self.erase_disk(disk);
        }
        if wipe.partitions.is_empty() {
            return false;
        }
        let is_maintenance = wipe.wipes(STATE);
        let (loses_etcd, is_single) = (self.loses_etcd(wipe), self.node.size.control_planes < 2);
        let is_recovered = loses_etcd && is_single && self.node.device.role == Role::ControlPlane;
        let mut commands: Vec<String> = Vec::new();
        commands.extend(staged.filter(|_| !is_maintenance).map(|name| self.apply_config(name, "staged")));
        commands.extend(self.drain());
        commands.push(self.reset(wipe, true));
        let old_name = self.node_name.clone();
        self.arrive();
        let is_deleted = wipe.is_new_node && self.node.size.nodes > 1;
        commands.extend(is_deleted.then(|| format!("kubectl delete node {old_name}")));
        let (old, new) = (&self.node.before.cluster, &self.node.device.cluster);
        let other = || format!("# From here on, talosctl and kubectl need the configs of the cluster `{new}`.");
        commands.extend((old != new).then(other));
        if !is_maintenance {
            commands.extend(is_recovered.then(|| self.recover()).into_iter().flatten());
            commands.push(self.wait_until_ready());
            commands.extend(self.uncordon());
            self.step("Wipe: without the labels, the same command erases the whole system disk", &commands);
            return true;
        }
        self.step("Reset the node: it loses its config, and waits in maintenance mode", &commands);
        if wipe.is_whole_disk {
            self.boot_from_image();
        }
        let mut afterwards: Vec<String> = is_recovered.then(|| self.recover()).into_iter().flatten().collect();
        afterwards.push(self.wait_until_ready());
        if !wipe.is_new_node {
            afterwards.extend(self.uncordon());
        }
        self.apply_in_maintenance(staged.unwrap_or(CONFIG), afterwards);
        true
    }

    fn loses_etcd(&self, wipe: &Wipe) -> bool {
        self.node.before.role == Role::ControlPlane && (wipe.wipes(EPHEMERAL) || wipe.wipes("ETCD"))
    }

    /// What is lost, and the gates.
    pub(super) fn lost(&self, wipe: &Wipe) -> Vec<String> {
        let mut lines = Vec::new();
        let is_single = self.node.size.control_planes < 2;
        if self.loses_etcd(wipe) {
            let ends = is_single
                && (self.node.device.role == Role::Worker || self.node.before.cluster != self.node.device.cluster);
            lines.push(match (is_single, ends || self.node.change == DifferenceKind::Removed) {
                (true, true) => {
                    format!("#    the cluster `{}`: this is its only control plane", self.node.before.cluster)
                }
                (true, false) => {
                    "#    etcd, which is restored from a snapshot below: go on only when the snapshot is written"
                        .to_owned()
                }
                _ => "#    this member of etcd: go on only when `etcd members` lists more than two".to_owned(),
            });
        }
        if let Some(disk) = &wipe.moves_to {
            lines.push(format!("#    everything on {disk} too, since Talos is installed on it"));
        }
        if wipe.wipes(EPHEMERAL) {
            lines.push("#    images, logs, and the local volumes of pods below /var".to_owned());
        }
        if wipe.wipes(STATE) {
            lines.push(
                "#    the config of the node, its identity, and what only a key with `lockToState` opens".to_owned(),
            );
        }
        let folders: Vec<String> = match wipe.is_whole_disk {
            true => vec!["/".to_owned()],
            false => {
                wipe.disks.iter().chain(&wipe.partitions).filter_map(|partition| partition.folder.clone()).collect()
            }
        };
        if !folders.is_empty() {
            lines.extend(self.claims_gate(&folders));
        }
        if self.loses_etcd(wipe) || wipe.wipes(STATE) && self.node.before.role == Role::ControlPlane {
            lines.push(format!("{} etcd snapshot {}/etcd.db", self.talosctl, self.folder));
            lines.push(format!("{} etcd members", self.talosctl));
        }
        lines
    }

    /// Removes a volume from the config that runs, and erases its disk: `reset` would fail, as there is no partition to drop.
    fn erase_disk(&mut self, disk: &Partition) {
        let file = format!("{}/remove.yaml", self.folder);
        let id = shell_quote(&disk.id);
        let mut commands = vec![
            self.find("DISK", disk),
            "echo \"$DISK\"".to_owned(),
            format!(
                "printf 'apiVersion: v1alpha1\\nkind: %s\\nname: %s\\n$patch: delete\\n' {} {} > {file}",
                disk.kind,
                shell_quote(&disk.name)
            ),
            format!(
                "{} patch machineconfig --mode=no-reboot --patch @{}",
                self.talosctl,
                file.replacen('~', "$HOME", 1)
            ),
            format!("# As long as this lists {id}, a pod has a file open:"),
            format!("{} get volumestatus", self.talosctl),
            self.wipe_disk("DISK", disk),
        ];
        if self.node.size.nodes > 1 {
            commands.insert(0, format!("kubectl cordon {}", self.node_name));
            self.is_cordoned = true;
        }
        self.step(&format!("Erase the disk of {id}, which must be the one that `echo` prints"), &commands);
    }

    /// Wipes partitions or the whole system disk; a node that does not reboot stays off. A control plane that goes gracefully leaves etcd.
    pub(super) fn reset(&self, wipe: &Wipe, reboots: bool) -> String {
        let labels: String = match wipe.is_whole_disk {
            true => String::new(),
            false => {
                let label = |partition: &Partition| format!(" --system-labels-to-wipe {}", shell_quote(&partition.id));
                wipe.partitions.iter().map(label).collect()
            }
        };
        let is_single = self.node.before.role == Role::ControlPlane && self.node.size.control_planes < 2;
        let is_graceful = wipe.wipes(EPHEMERAL) && !is_single;
        let reboot = if reboots { " --reboot" } else { "" };
        format!("{} reset{labels} --wipe-mode system-disk{reboot} --graceful={is_graceful}", self.talosctl)
    }

    /// Restores etcd from the snapshot, once the node waits for that.
    fn recover(&self) -> [String; 2] {
        [
            format!("# When `{} service etcd` shows STATE Preparing:", self.talosctl),
            format!("{} bootstrap --recover-from {}/etcd.db", self.talosctl, self.folder),
        ]
    }
}
