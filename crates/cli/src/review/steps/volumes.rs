//! The partitions and disks of volumes, and the steps for those that stay as they are unless they are wiped.

use talosmith_machinery::{Class, DifferenceKind};
use talosmith_model::VolumeType;
use talosmith_model::plan::Device;

use super::apply::{CONFIG, WITHOUT_KATA};
use super::wipe::Wipe;
use super::{NodeSteps, ReviewRow};
use crate::printable::shell_quote;
use crate::review::device::moved_system_disk;

/// The kind of Talos's own volumes.
pub(super) const SYSTEM: &str = "VolumeConfig";

/// Where a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Partition {
    /// The kind of its document.
    pub kind: String,
    pub name: String,
    /// The name of its status.
    pub id: String,
    /// Where it is mounted; none if it is not.
    pub folder: Option<String>,
    /// Whether it is a whole disk.
    pub is_disk: bool,
    pub is_on_system_disk: bool,
}

impl Partition {
    /// The partition of the volume of a row, whose name is quoted in it, on a node with a device; none if it has none of its own.
    pub(super) fn of(row: &ReviewRow, device: &Device) -> Option<Self> {
        let kind = row.what.split(' ').next()?;
        let prefix = match kind {
            "UserVolumeConfig" => "u-",
            "RawVolumeConfig" => "r-",
            "SwapVolumeConfig" => "s-",
            SYSTEM => "",
            _ => return None,
        };
        // That of a volume that was renamed has its old name.
        let name = if is_renamed(row) { row.before.as_deref() } else { row.what.split('`').nth(1) }?;
        let planned = device.storage.volumes.iter().find(|volume| (volume.kind, &*volume.name) == (kind, name));
        let volume_type = planned.and_then(|volume| volume.volume_type);
        let folder = match (kind, name) {
            (SYSTEM, "EPHEMERAL") => Some("/var/".to_owned()),
            ("UserVolumeConfig", _) => Some(format!("/var/mnt/{name}/")),
            _ => None,
        };
        let disk = planned.and_then(|volume| volume.disk.as_ref());
        let disk = device.storage.disks.iter().find(|other| Some(&other.name) == disk);
        (volume_type != Some(VolumeType::Directory)).then(|| Self {
            kind: kind.to_owned(),
            name: name.to_owned(),
            id: format!("{prefix}{name}"),
            folder,
            is_disk: volume_type == Some(VolumeType::Disk),
            is_on_system_disk: kind == SYSTEM || disk.is_some_and(|disk| disk.system),
        })
    }
}

/// Whether a row is about a whole volume, and not about a value of one.
pub(super) fn is_whole(row: &ReviewRow) -> bool {
    row.what.ends_with('`')
}

pub(super) fn is_renamed(row: &ReviewRow) -> bool {
    row.what.ends_with("` name")
}

/// The partitions of volumes that are in the model no more.
pub(super) fn abandoned(rows: &[&ReviewRow], before: &Device) -> Vec<Partition> {
    let is_gone = |row: &&&ReviewRow| row.change == DifferenceKind::Removed && is_whole(row) || is_renamed(row);
    rows.iter().filter(is_gone).filter_map(|row| Partition::of(row, before)).collect()
}

/// The partitions of volumes that differ from the model and keep their state.
pub(super) fn kept(rows: &[&ReviewRow], before: &Device) -> Vec<Partition> {
    let mut found: Vec<Partition> = Vec::new();
    for row in rows.iter().filter(|row| *row.class() == Class::Kept && !is_whole(row) && !is_renamed(row)) {
        found.extend(Partition::of(row, before).filter(|partition| !found.contains(partition)));
    }
    found
}

impl NodeSteps<'_> {
    /// The partitions of volumes that are in the model no more and that need not be wiped.
    fn left(&self) -> Vec<Partition> {
        let is_wiped = |partition: &Partition| self.wipe.as_ref().is_some_and(|wipe| wipe.has(partition));
        abandoned(&self.rows, &self.node.before).into_iter().filter(|partition| !is_wiped(partition)).collect()
    }

    /// What may be wiped, so that it matches the model.
    fn optional(&self) -> Vec<Wipe> {
        let is_wiped = |partition: &Partition| self.wipe.as_ref().is_some_and(|wipe| wipe.has(partition));
        let (old, new) = (&self.node.before, &self.node.device);
        if let Some(disks) = moved_system_disk(self.rows.iter().copied(), old, new) {
            let is_installed_again = self.wipe.as_ref().is_some_and(Wipe::is_whole_disk);
            return if is_installed_again { Vec::new() } else { vec![Wipe::for_disk(disks)] };
        }
        let kept = kept(&self.rows, &self.node.before).into_iter();
        kept.filter(|partition| !is_wiped(partition)).map(Wipe::of_partition).collect()
    }

    /// Whether a step that may be taken erases the scratch file of kata containers.
    pub(super) fn optional_needs_scratch(&self) -> bool {
        let kata = self.cluster.kata.filter(|_| self.node.device.kubernetes.kata);
        kata.is_some_and(|kata| self.optional().iter().any(|wipe| wipe.erases(&kata.scratch_volume)))
    }

    /// Finds the partitions of volumes that the node will know no more.
    pub(super) fn find_partitions(&mut self) {
        let find = |(index, partition): (usize, Partition)| self.find(&format!("PARTITION_{}", index + 1), &partition);
        let commands: Vec<String> = self.left().into_iter().enumerate().map(find).collect();
        if !commands.is_empty() {
            self.step("Note where the volumes are that the model has no more", &commands);
        }
    }

    /// Sets a variable to the device of a volume.
    pub(super) fn find(&self, variable: &str, partition: &Partition) -> String {
        let id = shell_quote(&partition.id);
        format!("{variable}=$({} get volumestatus {id} -o jsonpath='{{.spec.location}}')", self.talosctl)
    }

    pub(super) fn wipe_disk(&self, variable: &str, partition: &Partition) -> String {
        let drop = if partition.is_disk { "" } else { " --drop-partition" };
        format!("{} wipe disk \"${{{variable}#/dev/}}\"{drop}", self.talosctl)
    }

    /// Volumes that stay as they are unless they are wiped.
    pub(super) fn volumes(&mut self) {
        for (index, partition) in self.left().into_iter().enumerate() {
            let title = format!("Only if the data of {} is not needed any more: free its room", partition.id);
            let mut commands: Vec<String> =
                partition.folder.iter().flat_map(|folder| self.claims_gate(std::slice::from_ref(folder))).collect();
            commands.push(self.wipe_disk(&format!("PARTITION_{}", index + 1), &partition));
            self.step(&title, &commands);
        }
        for wipe in self.optional() {
            let title = wipe.optional_title();
            let kata =
                self.cluster.kata.filter(|kata| self.node.device.kubernetes.kata && wipe.erases(&kata.scratch_volume));
            let staged = kata.map(|_| WITHOUT_KATA);
            if !self.wipe_and_apply(&title, &wipe, staged) {
                let commands = [self.apply_config(staged.unwrap_or(CONFIG), "no-reboot")];
                self.step("Apply the config, which makes the volume anew", &commands);
            }
            if let Some(kata) = kata {
                self.turn_kata_on(kata);
            }
        }
    }

    /// Lists the persistent volumes of Kubernetes below folders.
    pub(super) fn claims_gate(&self, folders: &[String]) -> Vec<String> {
        let has_others = self.node.size.nodes > 1;
        let node = if has_others { format!("--arg node {} ", self.node_name) } else { String::new() };
        let of_node = if has_others {
            "select([.spec.nodeAffinity.required.nodeSelectorTerms[]?.matchExpressions[]?.values[]?] | . == [] or index($node)) | "
        } else {
            ""
        };
        let list = |folder: &String| match folder.as_str() {
            "/var/" => format!(
                "kubectl get pv -o json | jq -r {node}'.items[] | {of_node}(.spec.hostPath.path // .spec.local.path // \"\") as $path | select(($path | startswith(\"/var/\")) and ($path | startswith(\"/var/mnt/\") | not)) | .metadata.name'"
            ),
            _ => format!(
                "kubectl get pv -o json | jq -r {node}--arg path {} '.items[] | {of_node}select((.spec.hostPath.path // .spec.local.path // \"\") | startswith($path)) | .metadata.name'",
                shell_quote(folder)
            ),
        };
        let gate = "# It must print nothing; move the data of what it prints first.".to_owned();
        std::iter::once(gate).chain(folders.iter().map(list)).collect()
    }
}
