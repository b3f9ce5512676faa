//! A disk as a bar: each partition has the columns of its share, and at least one.

use talosmith_render::DiskLayout;

use crate::report::Style;

/// The glyph of the partitions of Talos, in Unicode and ASCII.
const SYSTEM: [char; 2] = ['▓', '#'];

const FREE: [char; 2] = ['·', '.'];

/// The glyphs of volumes, which differ without colour. Further volumes have letters.
const VOLUMES: [&str; 2] = ["▒█▆░▚▄▌▂▞▐", "=+*o%@x~:-"];
const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part<'a> {
    pub glyph: char,
    pub name: &'a str,
    pub bytes: u64,
}

/// Returns the parts of a disk from its start, each with its own glyph. Leaves out free space of fewer bytes than `least`.
pub(super) fn parts(disk: &DiskLayout, least: u64, style: Style) -> Vec<Part<'_>> {
    let set = usize::from(!style.unicode);
    let mut glyphs =
        VOLUMES[set].chars().chain(LETTERS.chars().filter(|letter| !VOLUMES[set].contains(*letter))).cycle();
    let system = Part { glyph: SYSTEM[set], name: "system", bytes: disk.reserved_bytes };
    let volumes = disk.volumes.iter().map(|volume| Part {
        glyph: glyphs.next().unwrap_or('?'),
        name: &volume.name,
        bytes: volume.bytes,
    });
    let free = Part { glyph: FREE[set], name: "free", bytes: disk.free_bytes };
    let system = Some(system).filter(|_| disk.system);
    system.into_iter().chain(volumes).chain(Some(free).filter(|free| free.bytes >= least)).collect()
}

/// Formats parts as a bar, at most 72 columns wide.
pub(super) fn bar(parts: &[Part<'_>], columns: usize) -> String {
    let sizes: Vec<u64> = parts.iter().map(|part| part.bytes).collect();
    let widths = shares(&sizes, columns.min(72));
    parts.iter().zip(widths).map(|(part, width)| part.glyph.to_string().repeat(width)).collect()
}

/// Returns the columns of each part by its share, at least one: the biggest part is reduced by what the small ones have too much.
fn shares(sizes: &[u64], columns: usize) -> Vec<usize> {
    let total: u128 = sizes.iter().map(|size| u128::from(*size)).sum::<u128>().max(1);
    let share = |size: &u64| usize::try_from(u128::from(*size) * columns as u128 / total).unwrap_or(columns).max(1);
    let mut widths: Vec<usize> = sizes.iter().map(share).collect();
    let Some(biggest) = (0..sizes.len()).max_by_key(|at| sizes[*at]) else { return widths };
    let others = widths.iter().sum::<usize>() - widths[biggest];
    widths[biggest] = columns.saturating_sub(others).max(1);
    widths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_full_and_show_every_part() {
        assert_eq!(shares(&[50, 50], 10), [5, 5]);
        assert_eq!(shares(&[1, 1, 998], 10), [1, 1, 8]);
        assert_eq!(shares(&[1, 333, 333, 333], 10), [1, 3, 3, 3]);
        assert_eq!(shares(&[u64::MAX, 0], 10), [9, 1]);
        assert_eq!(shares(&[0], 10), [10]);
        assert_eq!(shares(&[], 10), [0; 0]);
        // More parts than columns: the bar grows rather than hide one.
        assert_eq!(shares(&[1; 5], 3), [1; 5]);
    }

    #[test]
    fn glyphs_are_unique() {
        for (set, glyphs) in VOLUMES.iter().enumerate() {
            let mut all: Vec<char> = glyphs.chars().chain([SYSTEM[set], FREE[set]]).collect();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            assert_eq!(all.len(), count, "{glyphs}");
        }
    }
}
