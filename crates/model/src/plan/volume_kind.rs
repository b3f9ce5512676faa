//! Kinds of volumes, and which keys and which versions of Talos each goes with.

use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion};
use talosmith_machinery::talos_data::talos;

use super::Check;
use super::versions::since;
use crate::device;
use crate::device::{FilesystemType, VolumeKind, VolumeType};
use crate::scalar::{UpperBound, VolumeName};

/// The kind of a volume, which decides the keys that it can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Talos's own.
    System,
    Partition,
    WholeDisk,
    Directory,
    Raw,
    Existing,
    Swap,
}

impl Kind {
    pub(super) const fn document(self) -> &'static str {
        match self {
            Self::System => "VolumeConfig",
            Self::Partition | Self::WholeDisk | Self::Directory => "UserVolumeConfig",
            Self::Raw => "RawVolumeConfig",
            Self::Existing => "ExistingVolumeConfig",
            Self::Swap => "SwapVolumeConfig",
        }
    }

    pub(super) const fn description(self) -> &'static str {
        match self {
            Self::System => "a volume of Talos's own",
            Self::Partition => "a user volume",
            Self::WholeDisk => "a user volume on a whole disk",
            Self::Directory => "a user volume in a directory",
            Self::Raw => "a raw volume",
            Self::Existing => "an existing volume",
            Self::Swap => "a swap volume",
        }
    }

    /// Whether a key fits. Source: the `Validate` methods in Talos's pkg/machinery/config/types/block.
    pub(super) fn allows(self, key: &str) -> bool {
        match key {
            "disk" => !matches!(self, Self::Directory | Self::Existing),
            "size" | "minSize" | "maxSize" | "grow" => {
                matches!(self, Self::System | Self::Partition | Self::Raw | Self::Swap)
            }
            "selector" => self == Self::Existing,
            "filesystem" => matches!(self, Self::Partition | Self::WholeDisk),
            "mount" => !matches!(self, Self::Raw | Self::Swap),
            "encryption" => !matches!(self, Self::Directory | Self::Existing),
            _ => true,
        }
    }

    pub(super) const fn is_mounted_below_mnt(self) -> bool {
        matches!(self, Self::Partition | Self::WholeDisk | Self::Directory | Self::Existing)
    }
}

/// Returns the kind of a volume, by its name and its keys.
pub(super) fn kind(
    check: &mut Check<'_>,
    at: &Pointer,
    name: &VolumeName,
    volume: &device::Volume,
    version: &TalosVersion,
) -> Option<Kind> {
    let own = talos::system_volumes(version).any(|own| own == name.as_str());
    if own {
        let other = match (volume.kind, volume.volume_type) {
            (Some(_), _) => "kind",
            (None, Some(_)) => "volumeType",
            (None, None) => return Some(Kind::System),
        };
        let location = check.key(at.child(other));
        check.push(
            Diagnostic::new(Code::VolumeKind, format!("`{name}` is a volume of Talos's own"), location)
                .help("remove the line, or rename the volume"),
        );
        return None;
    }
    if let Some(first) = talos::system_volume_since(name.as_str()) {
        since(check, first, version, &format!("the system volume `{name}`"), at);
        return None;
    }
    nearly_system(check, at, name, version);
    Some(match (volume.kind, volume.volume_type) {
        (Some(_), Some(_)) => {
            let location = check.key(at.child("volumeType"));
            check.push(
                Diagnostic::new(Code::VolumeKind, "only a user volume has a `volumeType`", location)
                    .help("remove the line, or `kind`"),
            );
            return None;
        }
        (Some(VolumeKind::Raw), None) => Kind::Raw,
        (Some(VolumeKind::Existing), None) => Kind::Existing,
        (Some(VolumeKind::Swap), None) => Kind::Swap,
        (None, Some(VolumeType::Disk)) => Kind::WholeDisk,
        (None, Some(VolumeType::Directory)) => Kind::Directory,
        (None, Some(VolumeType::Partition) | None) => Kind::Partition,
    })
}

/// Whether the volume has the keys that its kind needs, and none that it may not have.
pub(super) fn fits(check: &mut Check<'_>, at: &Pointer, kind: Kind, volume: &device::Volume) -> bool {
    let name = at.last().unwrap_or_default();
    let before = check.findings.len();
    let keys = [
        ("disk", volume.disk.is_some()),
        ("selector", volume.selector.is_some()),
        ("size", volume.size.is_some()),
        ("minSize", volume.min_size.is_some()),
        ("maxSize", volume.max_size.is_some()),
        ("grow", volume.grow.is_some()),
        ("filesystem", volume.filesystem.is_some()),
        ("mount", volume.mount.is_some()),
        ("encryption", volume.encryption.is_some()),
    ];
    for (key, _) in keys.iter().filter(|(key, is_there)| *is_there && !kind.allows(key)) {
        not_allowed(check, &at.child(key), format!("{} has no `{key}`", kind.description()));
    }
    // Its partition is made by the installer.
    if name == "STATE" {
        for (key, _) in
            keys.iter().filter(|(key, is_there)| *is_there && Kind::Partition.allows(key) && *key != "encryption")
        {
            not_allowed(check, &at.child(key), format!("`STATE` has no `{key}`"));
        }
    }
    if kind != Kind::Existing && volume.mount.as_ref().is_some_and(|mount| mount.read_only.is_some()) {
        not_allowed(
            check,
            &at.child("mount").child("readOnly"),
            "only an existing volume is mounted read-only".to_owned(),
        );
    }
    if volume.filesystem.as_ref().is_some_and(|filesystem| {
        filesystem.project_quota_support == Some(true) && !matches!(filesystem.kind, None | Some(FilesystemType::Xfs))
    }) {
        let key = at.child("filesystem").child("projectQuotaSupport");
        not_allowed(check, &key, "only xfs supports project quotas".to_owned());
    }
    // Without a partition of its own, it is a directory of EPHEMERAL.
    if kind == Kind::System
        && volume.mount.is_some()
        && volume.disk.is_none()
        && !["EPHEMERAL", "STATE"].contains(&name.as_str())
    {
        not_allowed(check, &at.child("mount"), format!("`{name}` has its own `mount` only if it has its own `disk`"));
    }
    if kind == Kind::Existing && volume.selector.is_none() {
        check.missing(at, "selector", "selector: volume.partition_label == 'data'");
    }
    if matches!(kind, Kind::Partition | Kind::WholeDisk | Kind::Raw | Kind::Swap) && volume.disk.is_none() {
        check.missing(at, "disk", "disk: nvme0n1");
    }
    check.findings.len() == before
}

fn not_allowed(check: &mut Check<'_>, at: &Pointer, message: String) {
    check.push(
        Diagnostic::new(Code::VolumeKind, message, check.key(at.clone()))
            .note("Talos rejects a config with it")
            .help("remove the line"),
    );
}

/// Checks the keys that need a newer Talos. Source: the fields of Talos's pkg/machinery/config/types/block on its release branches.
pub(super) fn versions(
    check: &mut Check<'_>,
    at: &Pointer,
    kind: Kind,
    volume: &device::Volume,
    version: &TalosVersion,
) {
    if volume.filesystem.as_ref().is_some_and(|filesystem| filesystem.kind == Some(FilesystemType::Btrfs)) {
        since(check, (1, 14), version, "btrfs on a user volume", &at.child("filesystem").child("type"));
    }
    if matches!(volume.max_size, Some(UpperBound::AllBut(_))) {
        since(check, (1, 13), version, "an upper bound that leaves something free", &at.child("maxSize"));
    }
    let Some(mount) = &volume.mount else { return };
    let at = at.child("mount");
    let first = if kind == Kind::Directory { (1, 14) } else { (1, 13) };
    if mount.secure.is_some() {
        since(check, first, version, &format!("`mount.secure` of {}", kind.description()), &at.child("secure"));
    }
    if mount.disable_access_time.is_some() {
        if kind == Kind::Directory {
            not_allowed(
                check,
                &at.child("disableAccessTime"),
                format!("{} has no access times of its own", kind.description()),
            );
        } else {
            let first = if kind == Kind::System { (1, 14) } else { (1, 13) };
            let what = format!("`mount.disableAccessTime` of {}", kind.description());
            since(check, first, version, &what, &at.child("disableAccessTime"));
        }
    }
    let name = at.parent().and_then(|at| at.last()).unwrap_or_default();
    if version.minor() >= (1, 14) && ["STATE", "IMAGECACHE"].contains(&name.as_str()) {
        not_allowed(check, &at, format!("Talos {version} does not allow `mount` for this volume"));
    }
}

/// A user volume whose name is a system volume's but for its case was meant to be that.
fn nearly_system(check: &mut Check<'_>, at: &Pointer, name: &VolumeName, version: &TalosVersion) {
    if let Some(meant) = talos::system_volumes(version).find(|own| own.eq_ignore_ascii_case(name.as_str())) {
        check.push(
            Diagnostic::new(Code::VolumeName, format!("`{name}` would be a user volume"), check.key(at.clone()))
                .label(format!("did you mean `{meant}`?"))
                .note("Talos's own volumes are written in capitals"),
        );
    }
}
