//! Another version of Talos.

use talosmith_document::Pointer;
use talosmith_machinery::{Class, DifferenceKind};
use talosmith_model::plan::{Device, Volume};

use super::row::{LocatedRow, ReviewRow};

/// The path of the file that Talos has up to 1.13. An `overwrite` of it keeps 1.14 from booting for 35 minutes.
///
/// Source: internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_sequencer_tasks.go, `WriteUserFiles`.
const CUSTOMIZATION: &str = "machine.files./etc/cri/conf.d/20-customization.part";

/// What an upgrade does to a config that overwrites a file which the new Talos does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwritten {
    No,
    /// The new config creates the file, and must be there when the new Talos boots.
    Created,
    /// The new config writes it in another way.
    Moved,
}

pub(super) fn overwritten<'r>(
    rows: impl IntoIterator<Item = &'r ReviewRow>,
    old: &Device,
    new: &Device,
) -> Overwritten {
    if old.versions.talos.minor() >= (1, 14) || new.versions.talos.minor() < (1, 14) {
        return Overwritten::No;
    }
    let found = rows.into_iter().find_map(|row| match row.what.strip_prefix(CUSTOMIZATION)? {
        ".op" if matches!(row.before.as_deref(), Some("overwrite" | "append")) => Some(Overwritten::Created),
        "" if row.change == DifferenceKind::Removed && old.kubernetes.kata => Some(Overwritten::Moved),
        _ => None,
    });
    found.unwrap_or(Overwritten::No)
}

/// Another version of Talos, of which one minor at a time can be installed. `refused` are the files that the old one does not read.
pub(super) fn talos_version(
    old: &Device,
    new: &Device,
    refused: &[(String, String)],
    overwritten: Overwritten,
) -> Option<LocatedRow> {
    let (before, after) = (&old.versions.talos, &new.versions.talos);
    if before == after {
        return None;
    }
    let (from, to) = (before.minor(), after.minor());
    let row = |class, sentence: String| {
        ReviewRow::new(class, DifferenceKind::Changed, "talosVersion", sentence)
            .values(before.to_string(), after.to_string())
    };
    let refuses = refused.first().map(|(key, why)| format!("Talos {before} refuses the file of `{key}` ({why})"));
    let row = if old.cluster != new.cluster || old.role != new.role {
        row(Class::Install, "the node is installed again with it".to_owned())
    } else if to < from {
        let sentence =
            "Talos does not support going back to an older minor: `talosctl rollback` boots the image before";
        row(Class::Manual, sentence.to_owned())
    } else if after < before {
        row(Class::Upgrade, "`talosctl upgrade` installs an older release of the same minor too".to_owned())
    } else if to.1 > from.1 + 1 {
        let next = format!("v{}.{}", from.0, from.1 + 1);
        row(Class::Broken, format!("Talos upgrades one minor at a time: change it to a release of {next} first"))
    } else if let (Overwritten::Moved, Some(refuses)) = (overwritten, &refuses) {
        row(
            Class::Broken,
            format!(
                "Talos {after} does not boot with the files of kata containers that the node has, and {refuses}: change `talosVersion` first, and `baseConfig` in a second change"
            ),
        )
    } else if overwritten != Overwritten::No {
        row(
            Class::Upgrade,
            format!(
                "stage the other changes before the upgrade: Talos {after} does not boot with a config that overwrites 20-customization.part, as the one that the node has"
            ),
        )
    } else {
        let reason = refuses.map(|refuses| format!(", since {refuses}")).unwrap_or_default();
        let sentence = "upgrade the node first, with the config that it has; apply the other changes afterwards";
        row(Class::Upgrade, format!("{sentence}{reason}"))
    };
    Some(row.at(new.versions.talos_location.clone()))
}

/// What the new Talos does otherwise with the volumes of a config that stays as it is.
///
/// Source: `Secure` and `NoExec` of ctl/block/internal/volumes/volumeconfig/user_volumes.go in 1.13.8 and 1.14.1; 1.12 has neither.
pub(super) fn mount_options(old: &Device, new: &Device) -> Vec<LocatedRow> {
    let (from, to) = (old.versions.talos.minor(), new.versions.talos.minor());
    let (options, effect) = match to {
        _ if to.1 != from.1 + 1 => return Vec::new(),
        (1, 14) => ("noexec", "programs in it do not start any more"),
        (1, 13) => ("nosuid,nodev", "setuid programs and device files in it do not work any more"),
        _ => return Vec::new(),
    };
    let is_mounted = |volume: &&Volume| {
        let is_old = old.storage.volumes.iter().any(|other| (other.kind, &other.name) == (volume.kind, &volume.name));
        is_old && volume.mount_path.is_some() && volume.mount.as_ref().and_then(|mount| mount.secure).is_none()
    };
    let rows = new.storage.volumes.iter().filter(is_mounted).map(|volume| {
        let sentence = format!(
            "Talos {}.{} mounts it with `{options}`: {effect}, unless it has `mount: {{ secure: false }}`",
            to.0, to.1
        );
        let what = format!("{} `{}` mount", volume.kind, volume.name);
        let row = ReviewRow::new(Class::Upgrade, DifferenceKind::Changed, what, sentence);
        row.at(new.keys.at(Pointer::new("/volumes").child(&volume.name)).as_key())
    });
    rows.collect()
}
