//! The geometry of the picture of a device's disks, in pixels.

use serde::Serialize;
use talosmith_machinery::talos_data::talos;
use talosmith_model::plan::{Device, Volume};

use crate::disk_layout::{DiskLayout, SizeUnit, VolumeLayout, disk_layouts};

const WIDTH: u64 = 960;
/// Around everything.
const MARGIN: u64 = 24;
/// The least width of a segment, so that a partition of a few MiB is visible.
const LEAST: u64 = 6;
/// Of a disk: its title, its bar, a row of its legend, and the space after it.
const TITLE: u64 = 28;
const BAR: u64 = 52;
const ROW: u64 = 24;
const GAP: u64 = 20;
/// The columns of the legend.
const COLUMNS: [u64; 3] = [24, 300, 440];
/// The width of a letter of the labels, at most.
const LETTER: u64 = 9;
/// The number of colours of volumes; further ones repeat them.
const COLORS: usize = 6;

/// The picture of the disks of a device.
#[derive(Debug, Serialize)]
pub(crate) struct DiskMap {
    width: u64,
    height: u64,
    margin: u64,
    disks: Vec<DiskPicture>,
}

#[derive(Debug, Serialize)]
struct DiskPicture {
    name: String,
    about: String,
    title_y: u64,
    bar_y: u64,
    bar_height: u64,
    segments: Vec<Segment>,
}

/// A part of a disk, and its row in the legend.
#[derive(Debug, Serialize)]
struct Segment {
    name: String,
    /// The size to read.
    size: String,
    /// Where it is mounted, and what else there is to know.
    note: String,
    /// `system`, `free`, `reserved`, or `v` and the number of a colour.
    class: String,
    x: u64,
    width: u64,
    /// Where its name is in the bar; none if it does not fit.
    label: Option<(u64, u64)>,
    /// Where its row of the legend is: the square, then its columns.
    row: Row,
}

#[derive(Debug, Default, Serialize)]
struct Row {
    y: u64,
    text_y: u64,
    columns: [u64; 3],
}

impl DiskMap {
    pub(crate) fn new(device: &Device) -> Self {
        let mut y = MARGIN;
        let mut disks = Vec::new();
        for disk in disk_layouts(device) {
            let picture = DiskPicture::new(device, &disk, y);
            y += TITLE + BAR + GAP / 2 + ROW * picture.segments.len() as u64 + GAP;
            disks.push(picture);
        }
        Self { width: WIDTH, height: y - GAP + MARGIN, margin: MARGIN, disks }
    }
}

impl DiskPicture {
    fn new(device: &Device, disk: &DiskLayout, y: u64) -> Self {
        let unit = SizeUnit::for_disk(disk.bytes);
        let mut parts = parts(device, disk, unit);
        let widths = widths(&parts.iter().map(|(bytes, _)| *bytes).collect::<Vec<_>>(), WIDTH - 2 * MARGIN);
        let (mut x, mut row_y) = (MARGIN, y + TITLE + BAR + GAP / 2);
        for ((_, segment), width) in parts.iter_mut().zip(widths) {
            (segment.x, segment.width) = (x, width);
            let fits = (segment.name.chars().count() as u64 + 1) * LETTER <= width;
            segment.label = fits.then_some((x + LETTER, y + TITLE + BAR / 2 + 5));
            segment.row = Row { y: row_y + 5, text_y: row_y + 16, columns: COLUMNS.map(|column| MARGIN + column) };
            x += width;
            row_y += ROW;
        }
        let system = if disk.system { ", system disk" } else { "" };
        let kept = disk.kept_for.as_ref().map(|purpose| format!(", reserved for {purpose}")).unwrap_or_default();
        Self {
            name: disk.name.clone(),
            about: one_line(&format!("{}{system}{kept}", unit.text(disk.bytes))),
            title_y: y + 16,
            bar_y: y + TITLE,
            bar_height: BAR,
            segments: parts.into_iter().map(|(_, segment)| segment).collect(),
        }
    }
}

/// The parts of a disk from its start, each with its bytes.
fn parts(device: &Device, disk: &DiskLayout, unit: SizeUnit) -> Vec<(u64, Segment)> {
    let part = |name: &str, bytes: u64, note: String, class: String| {
        let (name, note) = (name.to_owned(), one_line(&note));
        let segment =
            Segment { name, size: unit.text(bytes), note, class, x: 0, width: 0, label: None, row: Row::default() };
        (bytes, segment)
    };
    let mut parts = Vec::new();
    if disk.system {
        let names: Vec<&str> = talos::system_partitions(&device.versions.talos).map(|(name, _)| name).collect();
        parts.push(part("Talos", disk.reserved_bytes, names.join(", "), "system".to_owned()));
    }
    for (index, layout) in disk.volumes.iter().enumerate() {
        let volume = device.storage.volumes.iter().find(|volume| volume.name == layout.name);
        let note = volume.map(|volume| note(volume, layout, unit)).unwrap_or_default();
        parts.push(part(&layout.name, layout.bytes, note, format!("v{}", index % COLORS + 1)));
    }
    match &disk.kept_for {
        Some(purpose) => parts.push(part("reserved", disk.free_bytes, purpose.clone(), "reserved".to_owned())),
        None if disk.free_bytes >= unit.bytes() / 10 => {
            parts.push(part("free", disk.free_bytes, String::new(), "free".to_owned()));
        }
        None => {}
    }
    parts
}

/// What there is to know of a volume besides its name and its size.
fn note(volume: &Volume, layout: &VolumeLayout, unit: SizeUnit) -> String {
    let mut notes = Vec::new();
    match (volume.name.as_str(), volume.kind, &volume.mount_path) {
        ("EPHEMERAL", "VolumeConfig", _) => notes.push("/var".to_owned()),
        (_, _, Some(path)) => notes.push(path.clone()),
        (_, "RawVolumeConfig", _) => notes.push("no file system".to_owned()),
        (_, "SwapVolumeConfig", _) => notes.push("swap".to_owned()),
        (_, _, None) => {}
    }
    match (layout.min_bytes, layout.max_bytes) {
        (Some(min), Some(max)) if min == max => {}
        (Some(min), Some(max)) => notes.push(format!("{} to {}", unit.text(min), unit.text(max))),
        (Some(min), None) => notes.push(format!("at least {}", unit.text(min))),
        (None, Some(max)) => notes.push(format!("at most {}", unit.text(max))),
        (None, None) => notes.push("all that is left".to_owned()),
    }
    if volume.grow == Some(true) {
        notes.push("grows".to_owned());
    }
    if volume.encryption.is_some() {
        notes.push("encrypted".to_owned());
    }
    notes.join(", ")
}

/// Returns the width of each part by its share, at least `LEAST`: the others are reduced by what the small ones have too much.
fn widths(sizes: &[u64], width: u64) -> Vec<u64> {
    let total: u128 = sizes.iter().map(|size| u128::from(*size)).sum::<u128>().max(1);
    let share = |size: &u64| u64::try_from(u128::from(*size) * u128::from(width) / total).unwrap_or(width).max(LEAST);
    let mut widths: Vec<u64> = sizes.iter().map(share).collect();
    while let Some(biggest) = (0..widths.len()).max_by_key(|at| widths[*at]) {
        let sum: u64 = widths.iter().sum();
        let surplus = sum.saturating_sub(width);
        if sum < width {
            widths[biggest] += width - sum;
        }
        if surplus == 0 || widths[biggest] <= 1 {
            break;
        }
        // One by one, so that no part becomes smaller than the others' least.
        widths[biggest] -= surplus.min((widths[biggest] / 2).max(1));
    }
    widths
}

/// Replaces line breaks, which a line of the picture cannot have.
fn one_line(text: &str) -> String {
    text.replace(char::is_control, " ")
}

#[cfg(test)]
mod tests {
    use super::widths;

    #[test]
    fn bars_are_full_and_show_every_part() {
        assert_eq!(widths(&[50, 50], 100), [50, 50]);
        assert_eq!(widths(&[1, 1, 998], 100), [6, 6, 88]);
        assert_eq!(widths(&[0], 100), [100]);
        assert_eq!(widths(&[u64::MAX, u64::MAX], 100), [50, 50]);
        assert_eq!(widths(&[], 100), [0; 0]);
        let many = [1; 200];
        assert_eq!(widths(&many, 100).iter().filter(|width| **width == 0).count(), 0);
    }
}
