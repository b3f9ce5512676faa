//! The space that partitions take on a disk, to the byte as Talos computes it.
//!
//! Source: github.com/siderolabs/go-blockdevice, partitioning/gpt.

use talosmith_document::TalosVersion;
use talosmith_machinery::talos_data::talos;

/// Partitions start and end at multiples of this. Disks with an optimal I/O size above 1 MiB are not known to us.
const ALIGNMENT: u64 = 1 << 20;

const SECTOR: u64 = 512;

/// The sectors of the second partition table, at the end of the disk: 32 of entries and its header.
const BACKUP_SECTORS: u64 = 33;

/// What is free on a disk, as one range at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Free {
    bytes: u64,
}

/// A partition that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{missing} bytes are missing")]
pub struct Shortfall {
    /// The bytes that the disk would need in addition.
    pub missing: u64,
}

impl Free {
    /// The space of a disk of so many bytes that carries nothing; a `system` disk carries Talos's own partitions before EPHEMERAL.
    #[must_use]
    pub fn on(disk: u64, system: bool, version: &TalosVersion) -> Self {
        let end = (disk / SECTOR).saturating_sub(BACKUP_SECTORS) * SECTOR / ALIGNMENT * ALIGNMENT;
        // The first partition table takes the first MiB.
        let mut used = ALIGNMENT;
        if system {
            used += talos::system_partitions(version).map(|(_, bytes)| aligned(bytes)).sum::<u64>();
        }
        Self { bytes: end.saturating_sub(used) }
    }

    /// The free bytes, which are the size of the largest partition that fits.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.bytes
    }

    /// What is left with one more partition.
    ///
    /// # Errors
    /// The partition does not fit.
    pub const fn allocate(self, size: u64) -> Result<Self, Shortfall> {
        let size = aligned(size);
        match self.bytes.checked_sub(size) {
            Some(bytes) => Ok(Self { bytes }),
            None => Err(Shortfall { missing: size - self.bytes }),
        }
    }
}

/// The bytes that a partition of a size takes: whole MiB.
#[must_use]
pub const fn aligned(size: u64) -> u64 {
    match size.checked_next_multiple_of(ALIGNMENT) {
        Some(bytes) => bytes,
        None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::{Free, Shortfall, aligned};
    use talosmith_document::TalosVersion;

    const GB: u64 = 1_000_000_000;
    const GIB: u64 = 1 << 30;

    fn version() -> TalosVersion {
        "v1.12.1".parse().expect("a version")
    }

    /// The bytes that are free before and after partitions of some sizes; none where one does not fit.
    fn left(disk: u64, sizes: &[u64]) -> Option<u64> {
        let free = Free::on(disk, true, &version());
        sizes.iter().try_fold(free, |free, size| free.allocate(*size).ok()).map(Free::bytes)
    }

    #[test]
    fn disks_of_common_sizes_leave_what_talos_leaves() {
        let table =
            [2_000_398_934_016, 2_048_408_248_320, 4_000_787_030_016, 1_024_209_543_168, 500_107_862_016].map(|disk| {
                [&[][..], &[100 * GIB], &[100 * GIB, 500 * GB], &[100 * GB], &[100 * GB, 500 * GB]]
                    .map(|sizes| left(disk, sizes))
            });
        let expected = [
            [1_998_088_830_976, 1_890_714_648_576, 1_390_713_765_888, 1_898_088_235_008, 1_398_087_352_320],
            [2_046_097_883_136, 1_938_723_700_736, 1_438_722_818_048, 1_946_097_287_168, 1_446_096_404_480],
            [3_998_476_140_544, 3_891_101_958_144, 3_391_101_075_456, 3_898_475_544_576, 3_398_474_661_888],
            [1_021_899_177_984, 914_524_995_584, 414_524_112_896, 921_898_582_016, 421_897_699_328],
            [497_797_824_512, 390_423_642_112, 0, 397_797_228_544, 0],
        ];
        assert_eq!(table, expected.map(|row| row.map(|bytes| (bytes > 0).then_some(bytes))));
    }

    #[test]
    fn a_partition_that_does_not_fit_says_by_how_much() {
        let free = Free::on(2_000_398_934_016, true, &version());
        let free = free.allocate(100 * GIB).and_then(|free| free.allocate(500 * GB)).expect("they fit");
        assert_eq!(free.allocate(free.bytes()).map(Free::bytes), Ok(0));
        assert_eq!(free.allocate(free.bytes() + 1), Err(Shortfall { missing: 1 << 20 }));
        assert_eq!(free.allocate(1405 * GB), Err(Shortfall { missing: aligned(1405 * GB) - 1_390_713_765_888 }));
    }

    #[test]
    fn a_disk_without_talos_has_only_its_tables() {
        assert_eq!(Free::on(500_107_862_016, false, &version()).bytes(), 497_797_824_512 + 2202 * (1 << 20));
        // Two tables and one MiB: the least that holds a partition.
        assert_eq!(Free::on((2 << 20) + 33 * 512, false, &version()).bytes(), 1 << 20);
        assert_eq!(Free::on((2 << 20) + 33 * 512 - 1, false, &version()).bytes(), 0);
        assert_eq!(Free::on(0, true, &version()).bytes(), 0);
        assert_eq!(Free::on(GB, true, &version()).bytes(), 0);
    }

    #[test]
    fn sizes_round_up_to_whole_mebibytes() {
        assert_eq!([0, 1, 1 << 20, (1 << 20) + 1].map(aligned), [0, 1 << 20, 1 << 20, 2 << 20]);
        assert_eq!(
            Free::on(u64::MAX, true, &version()).allocate(u64::MAX).map_err(|shortfall| shortfall.missing > 0),
            Err(true)
        );
    }
}
