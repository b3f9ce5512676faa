//! A review as the comment of a pull request.

use super::Review;
use super::group::{Group, blocks, changed, headline};
use super::text::{ASSUMPTIONS, rest, sentence, shown};
use crate::report::count;

/// The line by which a program finds the comment that it wrote before.
const MARKER: &str = "<!-- talosmith review -->";

/// The reasons that are shown; a comment of GitHub holds 65,536 characters.
const BLOCKS: usize = 40;

/// The changes of one reason that are shown.
const CHANGES: usize = 6;

/// The devices that are named with their headlines.
const DEVICES: usize = 20;

const NAMES: usize = 6;

/// Formats a review. Values are in `<code>`, where GitHub finds neither mentions nor links to issues.
pub(crate) fn markdown(review: &Review<'_, '_>, groups: &[Group], base: &str) -> String {
    let mut out = format!("{MARKER}\n### talosmith review\n\n");
    if groups.is_empty() && review.after.has_errors() {
        out.push_str("What happens is unknown: the model has errors.\n");
        return out;
    }
    if groups.is_empty() {
        out.push_str(&format!("Nothing happens to {}.\n", count(review.devices, "device")));
        return out;
    }
    out.push_str(&format!("{}, compared with {}.\n\n", changed(review), code(base)));
    for reviewed in review.reviewed.iter().take(DEVICES) {
        out.push_str(&format!("- {}: {}\n", code(&reviewed.name), headline(reviewed)));
    }
    if let Some(more) = review.reviewed.len().checked_sub(DEVICES).filter(|more| *more > 0) {
        out.push_str(&format!("- and {more} more\n"));
    }
    out.push_str("\n| | where | change |\n| --- | --- | --- |\n");
    let blocks: Vec<&[Group]> = blocks(groups).collect();
    for block in blocks.iter().take(BLOCKS) {
        let Some(first) = block.first() else { continue };
        let changes = changes(block, |group| code(&group.row.title().0));
        out.push_str(&format!("| **{}** | {} | {changes} |\n", first.class(), code(&first.owners(NAMES))));
    }
    if let Some(left_out) = blocks.get(BLOCKS..).filter(|blocks| !blocks.is_empty()) {
        out.push_str(&format!("\n…and {}.\n", rest(left_out)));
    }
    out.push_str("\n<details>\n<summary>What happens, and where it is written</summary>\n\n");
    for block in blocks.iter().take(BLOCKS) {
        out.push_str(&details(block));
    }
    out.push_str("</details>\n\n");
    out.push_str(&format!("<sub>{ASSUMPTIONS}</sub>\n"));
    out
}

fn details(block: &[Group]) -> String {
    let Some(first) = block.first() else { return String::new() };
    let classes = first.row.classes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let changes = changes(block, |group| {
        let (what, values) = group.row.title();
        let values = if values.is_empty() { String::new() } else { format!(": {}", code(&values)) };
        let place = group.place.as_ref().map(|place| format!(" ({})", code(&shown(place)))).unwrap_or_default();
        format!("{}{values}{place}", code(&what))
    });
    format!("- **{classes}** {}<br>{changes}<br>{}\n", code(&first.owners(NAMES)), prose(&sentence(first)))
}

/// The changes of one reason, as many as fit.
fn changes(block: &[Group], shown: impl Fn(&Group) -> String) -> String {
    let mut lines: Vec<String> = block.iter().take(CHANGES).map(shown).collect();
    if let Some(more) = block.len().checked_sub(CHANGES).filter(|more| *more > 0) {
        lines.push(format!("and {}", count(more, "more change")));
    }
    lines.join("<br>")
}

/// A value that GitHub shows as it is.
fn code(text: &str) -> String {
    let mut out = String::from("<code>");
    for each in text.chars() {
        match each {
            '&' | '<' | '>' | '|' | '`' | '*' | '_' | '[' | ']' | '\\' | '~' | '!' | '$' => {
                out.push_str(&format!("&#{};", u32::from(each)));
            }
            '\n' | '\r' | '\t' => out.push(' '),
            other => out.push(other),
        }
    }
    out + "</code>"
}

/// A sentence of ours, in which a value can be.
fn prose(text: &str) -> String {
    let parts = text.split('`').enumerate();
    parts.map(|(index, part)| if index % 2 == 1 { code(part) } else { escaped(part) }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('|', "&#124;")
        .replace('@', "<span>@</span>")
}
