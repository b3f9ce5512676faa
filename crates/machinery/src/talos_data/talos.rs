//! What depends on the version of Talos alone.

use std::sync::LazyLock;

use super::types::{self, Types};

use talosmith_document::TalosVersion;
use talosmith_document::table;

const MINORS: &str = include_str!("minors.txt");

/// A minor of Talos, such as `(1, 12)`.
pub type Minor = (u64, u64);

const MIB: u64 = 1 << 20;

struct Row {
    minor: Minor,
    volumes: &'static str,
    partitions: &'static str,
    kubernetes: &'static str,
}

/// The few rows of the table of minors, oldest first: every device uses several of their fields.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = table::rows(MINORS).filter_map(|mut row| {
        Some(Row {
            minor: table::minor(row.next()?)?,
            volumes: row.next()?,
            partitions: row.next()?,
            kubernetes: row.next()?,
        })
    });
    rows.collect()
});

/// The oldest minor of Talos that talosmith writes for.
#[must_use]
pub fn oldest_minor() -> Minor {
    ROWS.first().map(|row| row.minor).unwrap_or_default()
}

/// The newest minor of Talos that talosmith has facts about.
#[must_use]
pub fn newest_minor() -> Minor {
    ROWS.last().map(|row| row.minor).unwrap_or_default()
}

/// The names of Talos's own volumes that a `VolumeConfig` may configure.
pub fn system_volumes(version: &TalosVersion) -> impl Iterator<Item = &'static str> {
    table::list(row(version).map(|row| row.volumes))
}

/// The oldest and the newest minor of Kubernetes that a version of Talos supports; none for a minor that is not known.
#[must_use]
pub fn kubernetes(version: &TalosVersion) -> Option<(Minor, Minor)> {
    let row = ROWS.iter().find(|row| row.minor == version.minor())?;
    let (oldest, newest) = row.kubernetes.split_once(',')?;
    Some((table::minor(oldest)?, table::minor(newest)?))
}

/// The minor that first knew a system volume; none for any other name.
#[must_use]
pub fn system_volume_since(name: &str) -> Option<Minor> {
    ROWS.iter().find(|row| table::list(Some(row.volumes)).any(|own| own == name)).map(|row| row.minor)
}

/// The partitions that Talos makes on its disk before EPHEMERAL, with their bytes.
///
/// The names are systemd-boot's; with GRUB there are more, and the same bytes in total. A node that was installed with Talos 1.10
/// or before, and upgraded, keeps its smaller ones.
pub fn system_partitions(version: &TalosVersion) -> impl Iterator<Item = (&'static str, u64)> {
    table::list(row(version).map(|row| row.partitions)).filter_map(|partition| {
        let (name, mebibytes) = partition.split_once(':')?;
        Some((name, mebibytes.parse::<u64>().ok()? * MIB))
    })
}

/// The bytes of the partitions that Talos makes on its disk before EPHEMERAL.
#[must_use]
pub fn system_partitions_bytes(version: &TalosVersion) -> u64 {
    system_partitions(version).map(|(_, bytes)| bytes).sum()
}

/// The minors of Talos that talosmith has facts about, oldest first.
pub fn minors() -> impl Iterator<Item = Minor> + Clone {
    ROWS.iter().map(|row| row.minor)
}

/// The kind of document that a name is, or is without its `Config`, in any case; `None` if there is no such kind.
#[must_use]
pub fn kind_named(name: &str) -> Option<&'static str> {
    types::kinds().find(|kind| {
        [*kind, kind.strip_suffix("Config").unwrap_or_default()].iter().any(|kind| kind.eq_ignore_ascii_case(name))
    })
}

/// The first minor that has a kind of configuration document, the oldest known one where it is older; `None` for an unknown kind.
#[must_use]
pub fn kind_since(kind: &str) -> Option<Minor> {
    let is_kind = !kind.contains('.') && kind != types::MAIN;
    minors().find(|minor| is_kind && Types::of(*minor).get(kind).is_some())
}

/// All kinds of configuration documents, sorted, without the main document.
pub fn kinds() -> impl Iterator<Item = &'static str> {
    types::kinds()
}

/// The row of a version's minor, or of the nearest minor that is known.
fn row(version: &TalosVersion) -> Option<&'static Row> {
    let minor = version.minor().clamp(oldest_minor(), newest_minor());
    ROWS.iter().find(|row| row.minor == minor)
}

#[cfg(test)]
mod tests {
    use super::{
        kind_since, kinds, newest_minor, oldest_minor, system_partitions, system_partitions_bytes, system_volumes,
    };
    use talosmith_document::TalosVersion;

    fn version(text: &str) -> TalosVersion {
        text.parse().expect(text)
    }

    #[test]
    fn minors_are_a_range() {
        assert_eq!((oldest_minor(), newest_minor()), ((1, 12), (1, 14)));
        // A minor that is not known is as the nearest one.
        for (unknown, known) in [("v1.11.0", "v1.12.0"), ("v1.15.0-alpha.0", "v1.14.0"), ("v2.0.0", "v1.14.0")] {
            let volumes = |text| system_volumes(&version(text)).collect::<Vec<_>>();
            assert_eq!(volumes(unknown), volumes(known), "{unknown}");
        }
    }

    #[test]
    fn system_volumes_depend_on_the_minor() {
        let volumes = |text| system_volumes(&version(text)).collect::<Vec<_>>();
        assert_eq!(volumes("v1.12.1"), ["STATE", "EPHEMERAL", "IMAGECACHE"]);
        assert_eq!(volumes("v1.13.9"), ["STATE", "EPHEMERAL", "IMAGECACHE"]);
        assert_eq!(volumes("v1.14.0"), ["STATE", "EPHEMERAL", "IMAGECACHE", "ETCD", "CRI", "KUBELET", "LOG"]);
    }

    #[test]
    fn system_partitions_add_up() {
        for text in ["v1.12.1", "v1.13.0", "v1.14.0"] {
            let partitions: Vec<_> = system_partitions(&version(text)).collect();
            assert_eq!(partitions, [("EFI", 2_203_058_176), ("META", 1_048_576), ("STATE", 104_857_600)], "{text}");
            assert_eq!(system_partitions_bytes(&version(text)), 2_308_964_352, "{text}");
        }
    }

    #[test]
    fn kinds_have_their_first_minor() {
        assert_eq!(kind_since("HostnameConfig"), Some((1, 12)));
        assert_eq!(kind_since("ExtensionServiceConfig"), Some((1, 12)), "1.9, before the oldest known minor");
        assert_eq!(kind_since("ImageVerificationConfig"), Some((1, 13)));
        assert_eq!(kind_since("UnattendedInstallConfig"), Some((1, 14)));
        assert_eq!(kind_since("UnattendedInstall"), None, "the name in the published schema");
        assert_eq!(kind_since("hostnameconfig"), None);
        // How many kinds the official machinery of each minor registers.
        for (minor, count) in [((1, 12), 36), ((1, 13), 44), ((1, 14), 89)] {
            assert_eq!(kinds().filter(|kind| kind_since(kind) <= Some(minor)).count(), count, "{minor:?}");
        }
        assert_eq!(kind_since("v1alpha1.MachineConfig"), None, "a struct that is no document");
    }
}
