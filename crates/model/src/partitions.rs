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

/// Returns the space in bytes for partitions on a disk of some bytes; on a `system` disk, after the partitions of Talos that
/// precede EPHEMERAL.
pub fn free_space(disk: u64, system: bool, version: &TalosVersion) -> u64 {
    let end = (disk / SECTOR).saturating_sub(BACKUP_SECTORS) * SECTOR / ALIGNMENT * ALIGNMENT;
    // The first partition table uses the first MiB.
    let mut used = ALIGNMENT;
    if system {
        used += talos::system_partitions(version).map(|(_, bytes)| aligned(bytes)).sum::<u64>();
    }
    end.saturating_sub(used)
}

/// Returns the bytes of `free` that remain after partitions of some sizes.
///
/// # Errors
/// The bytes that the disk lacks.
pub(crate) fn allocate(free: u64, sizes: impl IntoIterator<Item = u64>) -> Result<u64, u64> {
    let needed = sizes.into_iter().map(aligned).fold(0, u64::saturating_add);
    free.checked_sub(needed).ok_or_else(|| needed - free)
}

/// Returns the bytes that a partition of a size uses: whole MiB.
pub const fn aligned(size: u64) -> u64 {
    match size.checked_next_multiple_of(ALIGNMENT) {
        Some(bytes) => bytes,
        None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::{aligned, allocate, free_space};
    use talosmith_document::TalosVersion;

    const GB: u64 = 1_000_000_000;
    const GIB: u64 = 1 << 30;

    fn version() -> TalosVersion {
        "v1.12.1".parse().expect("a version")
    }

    /// The bytes that are left after partitions of some sizes; none if they do not fit.
    fn left(disk: u64, sizes: &[u64]) -> Option<u64> {
        allocate(free_space(disk, true, &version()), sizes.iter().copied()).ok()
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
        let free = free_space(2_000_398_934_016, true, &version());
        let free = allocate(free, [100 * GIB, 500 * GB]).expect("they fit");
        assert_eq!(allocate(free, [free]), Ok(0));
        assert_eq!(allocate(free, [free + 1]), Err(1 << 20));
        assert_eq!(allocate(free, [1405 * GB]), Err(aligned(1405 * GB) - 1_390_713_765_888));
    }

    #[test]
    fn a_disk_without_talos_has_only_its_tables() {
        assert_eq!(free_space(500_107_862_016, false, &version()), 497_797_824_512 + 2202 * (1 << 20));
        // Two tables and one MiB: the least that holds a partition.
        assert_eq!(free_space((2 << 20) + 33 * 512, false, &version()), 1 << 20);
        assert_eq!(free_space((2 << 20) + 33 * 512 - 1, false, &version()), 0);
        assert_eq!(free_space(0, true, &version()), 0);
        assert_eq!(free_space(GB, true, &version()), 0);
    }

    #[test]
    fn sizes_round_up_to_whole_mebibytes() {
        assert_eq!([0, 1, 1 << 20, (1 << 20) + 1].map(aligned), [0, 1 << 20, 1 << 20, 2 << 20]);
        let free = free_space(u64::MAX, true, &version());
        assert_eq!(allocate(free, [u64::MAX]), Err(u64::MAX - free));
        assert_eq!(allocate(free, [u64::MAX, u64::MAX]), Err(u64::MAX - free));
    }
}
