//! A review for people.

use std::collections::BTreeMap;

use anstyle::AnsiColor;
use talosmith_machinery::Class;

use super::Review;
use super::group::{Group, Place, blocks, changed, headline};
use crate::report::{Style, count, wrap};

/// How many devices are listed one by one; of more, those with the same headline are counted.
const LISTED: usize = 8;

/// The names of devices that a row shows.
const NAMES: usize = 4;

/// The reasons that are shown; the less harmful ones are counted.
const BLOCKS: usize = 12;

/// The changes of one reason that are shown.
const CHANGES: usize = 6;

/// Formats a review. `base` is what was compared with.
pub(crate) fn text(review: &Review<'_, '_>, groups: &[Group], base: &str, style: Style) -> String {
    let mut out = format!("compared with {base}\n\n");
    let (devices, clusters): (Vec<_>, Vec<_>) = review.reviewed.iter().partition(|reviewed| !reviewed.is_cluster);
    if devices.is_empty() && clusters.is_empty() && review.after.has_errors() {
        out.push_str("unknown: the model has errors\n");
        return out;
    }
    if devices.is_empty() && clusters.is_empty() {
        out.push_str(&format!("nothing happens to {}\n", count(review.devices, "device")));
        return out;
    }
    out.push_str(&format!("{}\n", changed(review)));
    out.push_str(&headlines(&devices));
    out.push_str(&headlines(&clusters));
    let blocks: Vec<&[Group]> = blocks(groups).collect();
    for block in blocks.iter().take(BLOCKS) {
        out.push('\n');
        out.push_str(&block_text(block, style));
    }
    if let Some(left_out) = blocks.get(BLOCKS..).filter(|blocks| !blocks.is_empty()) {
        out.push_str(&format!("\nand {}: name a device to see all of its own\n", rest(left_out)));
    }
    out.push('\n');
    for line in wrap(ASSUMPTIONS, style.width.max(40), style.width.max(40)) {
        out.push_str(&format!("{line}\n"));
    }
    out
}

/// What a review cannot know.
pub(crate) const ASSUMPTIONS: &str = "The nodes are taken to have the files of that commit, and their volumes to exist as they \
    declare. Rotated secrets and what was set by hand are not seen.";

fn headlines(reviewed: &[&super::Reviewed]) -> String {
    let mut out = String::new();
    if reviewed.len() <= LISTED {
        let width = reviewed.iter().map(|reviewed| reviewed.name.chars().count()).max().unwrap_or_default();
        for reviewed in reviewed {
            out.push_str(&format!("  {:width$}  {}\n", reviewed.name, headline(reviewed)));
        }
        return out;
    }
    let mut counted: BTreeMap<String, usize> = BTreeMap::new();
    for reviewed in reviewed {
        *counted.entry(headline(reviewed)).or_default() += 1;
    }
    let mut counted: Vec<(String, usize)> = counted.into_iter().collect();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (headline, number) in counted {
        out.push_str(&format!("  {number:>5}  {headline}\n"));
    }
    out
}

/// What happens for the same reason, in as many lines as changes.
pub(crate) fn block_text(block: &[Group], style: Style) -> String {
    let Some(first) = block.first() else { return String::new() };
    let class = first.row.classes.iter().map(Class::to_string).collect::<Vec<_>>().join(", ");
    let class = style.paint(color(first.class()).on_default().bold(), &class);
    let mut out = format!("{class}  {}\n", first.owners(NAMES));
    let width = style.width.max(40).saturating_sub(4);
    let mut line = |indent: &str, text: &str| {
        for part in wrap(text, width, width) {
            out.push_str(&format!("{indent}{part}\n"));
        }
    };
    for group in block.iter().take(CHANGES) {
        let (what, values) = group.row.title();
        line("  ", &if values.is_empty() { what } else { format!("{what}: {values}") });
        if let Some(place) = &group.place {
            line("    ", &shown(place));
        }
    }
    if let Some(more) = block.len().checked_sub(CHANGES).filter(|more| *more > 0) {
        line("  ", &format!("and {}", count(more, "more change")));
    }
    line("  ", &format!("= {}", sentence(first)));
    out
}

/// What happens, and what else to think of.
pub(crate) fn sentence(group: &Group) -> String {
    let cut = if group.row.may_cut { "; the connection may break: apply it with `--mode=try`" } else { "" };
    let inferred = if group.row.is_inferred { " (inferred)" } else { "" };
    format!("{}{inferred}{cut}", group.row.sentence)
}

pub(crate) fn shown(place: &Place) -> String {
    let line = place.line.map(|line| format!(":{line}")).unwrap_or_default();
    let before = if place.before { " before the change" } else { "" };
    format!("{}{line}{before}", place.path)
}

fn color(class: &Class) -> AnsiColor {
    match class {
        Class::Wipe | Class::Identity | Class::Broken => AnsiColor::BrightRed,
        Class::Unknown | Class::Reboot | Class::Pending | Class::Upgrade | Class::Manual => AnsiColor::Yellow,
        _ => AnsiColor::Green,
    }
}

/// The classes of what is not shown, with the numbers of changes.
pub(crate) fn rest(blocks: &[&[Group]]) -> String {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for group in blocks.iter().copied().flatten() {
        *words.entry(group.class().code()).or_default() += 1;
    }
    let all = words.values().sum();
    let words = words.into_iter().map(|(word, number)| format!("{number} {word}"));
    format!("{} ({})", count(all, "more change"), words.collect::<Vec<_>>().join(", "))
}
