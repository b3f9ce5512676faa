//! Two versions of a file, as people and `git apply` read them.

use std::fmt::Write as _;
use std::ops::Range;

use anstyle::AnsiColor;
use similar::{Algorithm, ChangeTag, DiffOp, TextDiff, group_diff_ops};

use crate::mask::mask;

/// Lines around a change, as git has them.
const CONTEXT: usize = 3;
/// Changed lines that an excerpt shows before it only counts the others.
const EXCERPT: usize = 12;
/// What stands between the number and the sign of an excerpt's line.
const RULE: &str = " │ ";

/// The unified diff with git's headers; an absent version is `/dev/null`. Empty if both are the same.
///
/// A Tailscale key in it is masked; with colour it is for eyes only.
#[must_use]
pub fn unified(path: &str, old: Option<&str>, new: Option<&str>, color: bool) -> String {
    if old == new {
        return String::new();
    }
    let name = |side: &str, text: Option<&str>| text.map_or("/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let mut out = String::new();
    let bold = anstyle::Style::new().bold();
    line(&mut out, bold, color, &format!("--- {}", name("a", old)));
    line(&mut out, bold, color, &format!("+++ {}", name("b", new)));

    let (old, new) = (lines(old.unwrap_or("")), lines(new.unwrap_or("")));
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old, &new);
    for hunk in group_diff_ops(diff.ops().to_vec(), CONTEXT) {
        let (Some(first), Some(last)) = (hunk.first(), hunk.last()) else { continue };
        let range = |side: fn(&DiffOp) -> Range<usize>| hunk_range(side(first).start, side(last).end);
        let header = format!("@@ -{} +{} @@", range(DiffOp::old_range), range(DiffOp::new_range));
        line(&mut out, AnsiColor::Cyan.on_default(), color, &header);
        for change in hunk.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Equal => (' ', anstyle::Style::new()),
                ChangeTag::Delete => ('-', AnsiColor::Red.on_default()),
                ChangeTag::Insert => ('+', AnsiColor::Green.on_default()),
            };
            let text = mask(change.value());
            line(&mut out, style, color, &format!("{sign}{}", text.strip_suffix('\n').unwrap_or(&text)));
            if !text.ends_with('\n') {
                out.push_str("\\ No newline at end of file\n");
            }
        }
    }
    out
}

/// The changed lines alone, with their numbers: those of the old version, and of the new one where lines were only added.
#[must_use]
pub fn excerpt(old: &str, new: &str) -> String {
    let (old, new) = (lines(old), lines(new));
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old, &new);
    let mut shown: Vec<(Option<usize>, char, &str)> = Vec::new();
    for op in diff.ops() {
        for change in diff.iter_changes(op) {
            let is_addition = op.old_range().is_empty();
            match change.tag() {
                ChangeTag::Equal => {}
                ChangeTag::Delete => shown.push((change.old_index(), '-', change.value())),
                ChangeTag::Insert => {
                    shown.push((change.new_index().filter(|_| is_addition), '+', change.value()));
                }
            }
        }
    }
    // The last line is shown where it would only be replaced by the count of itself.
    let cut = if shown.len() > EXCERPT + 1 { EXCERPT } else { shown.len() };
    let width =
        shown[..cut].iter().filter_map(|(index, ..)| *index).max().map_or(1, |index| (index + 1).to_string().len());
    let mut out = String::new();
    for (index, sign, text) in &shown[..cut] {
        let number = index.map_or(String::new(), |index| (index + 1).to_string());
        // Versions that differ by this alone would look the same.
        let text = mask(text);
        let (text, ending) = match text.strip_suffix('\n') {
            Some(text) => (text, ""),
            None => (&*text, " (no line break at the end)"),
        };
        let _ = writeln!(out, "{number:>width$}{RULE}{sign}{text}{ending}");
    }
    if cut < shown.len() {
        let _ = writeln!(out, "… {} more lines", shown.len() - cut);
    }
    out
}

/// The sign of an excerpt's line, so that it can be shown in colour.
#[must_use]
pub(crate) fn excerpt_sign(line: &str) -> Option<char> {
    let (number, text) = line.split_once(RULE)?;
    let is_number = number.bytes().all(|byte| byte == b' ' || byte.is_ascii_digit());
    text.chars().next().filter(|sign| is_number && matches!(sign, '-' | '+'))
}

/// The lines of a text with their breaks. Only `\n` ends a line, as for git.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// `start,length` from 1; an empty range is named by the line before it.
fn hunk_range(start: usize, end: usize) -> String {
    match end - start {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        length => format!("{},{length}", start + 1),
    }
}

fn line(out: &mut String, style: anstyle::Style, color: bool, text: &str) {
    if color && style != anstyle::Style::new() {
        let _ = writeln!(out, "{style}{text}{style:#}");
    } else {
        let _ = writeln!(out, "{text}");
    }
}

#[cfg(test)]
mod tests;
