//! The steps that recreate volumes as the model specifies them. Their data is lost.

use talosmith_machinery::{Class, DifferenceKind, Role};

use super::{NodeSteps, ReviewRow};
use crate::printable::shell_quote;

/// Whether a row is about the volume without which a node does not boot.
pub(super) fn is_ephemeral(row: &ReviewRow) -> bool {
    row.what.starts_with("VolumeConfig `EPHEMERAL`")
}

/// Whether a change needs EPHEMERAL to be wiped.
pub(super) fn wipes_ephemeral(rows: &[&ReviewRow]) -> bool {
    rows.iter().any(|row| *row.class() == Class::Wipe && is_ephemeral(row))
}

/// Whether a row is about a whole volume, and not about a value of one.
fn is_whole(row: &ReviewRow) -> bool {
    row.what.ends_with('`')
}

fn is_renamed(row: &ReviewRow) -> bool {
    row.what.ends_with("` name")
}

/// A partition: its label, and the folder where it is mounted.
struct Partition {
    label: String,
    folder: String,
}

impl Partition {
    /// The partition of the volume of a row, whose name is quoted in it; none if its volume has none of its own.
    fn of(row: &ReviewRow) -> Option<Self> {
        let prefix = match row.what.split(' ').next()? {
            "UserVolumeConfig" => "u",
            "RawVolumeConfig" => "r",
            "SwapVolumeConfig" => "s",
            _ => return None,
        };
        // That of a volume that was renamed has its old name.
        let name = if is_renamed(row) { row.before.as_deref() } else { row.what.split('`').nth(1) }?;
        Some(Self { label: format!("{prefix}-{name}"), folder: format!("/var/mnt/{name}/") })
    }

    /// Lists the persistent volumes of Kubernetes on it.
    fn gate(&self) -> [String; 2] {
        [
            "# It must print nothing; move the data of what it prints first.".to_owned(),
            format!(
                "kubectl get pv -o json | jq -r --arg path {} '.items[] | select((.spec.hostPath.path // .spec.local.path // \"\") | startswith($path)) | .metadata.name'",
                shell_quote(&self.folder)
            ),
        ]
    }
}

impl NodeSteps<'_> {
    /// The partitions of volumes that are in the model no more.
    fn abandoned(&self) -> Vec<Partition> {
        let rows =
            self.rows.iter().filter(|row| row.change == DifferenceKind::Removed && is_whole(row) || is_renamed(row));
        rows.filter_map(|row| Partition::of(row)).collect()
    }

    /// Finds the partitions of volumes that the node will know no more.
    pub(super) fn find_partitions(&mut self) {
        let talosctl = &self.talosctl;
        let find = |(index, partition): (usize, Partition)| {
            let label = shell_quote(&partition.label);
            format!("PARTITION_{}=$({talosctl} get volumestatus {label} -o jsonpath='{{.spec.location}}')", index + 1)
        };
        let commands: Vec<String> = self.abandoned().into_iter().enumerate().map(find).collect();
        if !commands.is_empty() {
            self.step("Note where the volumes are that the model has no more", &commands);
        }
    }

    /// Volumes that stay as they are unless they are wiped.
    pub(super) fn volumes(&mut self) {
        for (index, partition) in self.abandoned().into_iter().enumerate() {
            let title = format!("Only if the data of {} is not needed any more: free its room", partition.label);
            let wipe = format!("{} wipe disk \"${{PARTITION_{}#/dev/}}\" --drop-partition", self.talosctl, index + 1);
            self.step(&title, &[&partition.gate()[..], &[wipe]].concat());
        }
        let mut wiped: Vec<Partition> = Vec::new();
        for row in &self.rows {
            let is_kept = matches!(row.class(), Class::Kept | Class::Broken) && !is_whole(row) && !is_renamed(row);
            let Some(partition) = Partition::of(row).filter(|_| is_kept) else { continue };
            if !wiped.iter().any(|other| other.label == partition.label) {
                wiped.push(partition);
            }
        }
        for partition in wiped {
            let title =
                format!("Only if {} must become what the model says: everything on it is lost", partition.label);
            let mut commands = partition.gate().to_vec();
            commands.extend(self.drain());
            commands.push(self.reset(&partition.label, false));
            commands.push(self.wait_until_ready());
            commands.extend(self.uncordon());
            self.step(&title, &commands);
        }
    }

    /// Wipes what has this label and reboots. A control plane that goes gracefully leaves etcd.
    fn reset(&self, label: &str, is_graceful: bool) -> String {
        let talosctl = &self.talosctl;
        let label = shell_quote(label);
        format!(
            "{talosctl} reset --system-labels-to-wipe {label} --wipe-mode system-disk --reboot --graceful={is_graceful}"
        )
    }

    /// Makes EPHEMERAL anew: until then the next boot waits for it without a limit.
    pub(super) fn wipe_ephemeral(&mut self) {
        let talosctl = self.talosctl.clone();
        let is_control_plane = self.node.device.role == Role::ControlPlane;
        let is_single = is_control_plane && self.node.size.control_planes < 2;
        let lost = match is_control_plane {
            true => "#    etcd, images, logs, and the local volumes of pods below /var",
            false => "#    images, logs, and the local volumes of pods below /var",
        };
        let commands = [
            lost.to_owned(),
            "# No persistent volume of this node may be among these:".to_owned(),
            "kubectl get pv -o json | jq -r '.items[] | (.spec.hostPath.path // .spec.local.path // \"\") as $path | select(($path | startswith(\"/var/\")) and ($path | startswith(\"/var/mnt/\") | not)) | .metadata.name'".to_owned(),
        ];
        self.step("EPHEMERAL is made anew, and everything on it is lost. Move the data first:", &commands);
        let mut commands = vec![self.apply_config("config", "staged")];
        commands.extend(is_control_plane.then(|| format!("{talosctl} etcd snapshot {}/etcd.db", self.folder)));
        commands.extend(self.drain());
        commands.push(self.reset("EPHEMERAL", !is_single));
        if is_single {
            commands.push(format!("# When `{talosctl} service etcd` shows STATE Preparing:"));
            commands.push(format!("{talosctl} bootstrap --recover-from {}/etcd.db", self.folder));
        }
        commands.push(self.wait_until_ready());
        commands.extend(self.uncordon());
        self.step("Stage the config, and wipe: a boot before would wait for EPHEMERAL without a limit", &commands);
    }
}
