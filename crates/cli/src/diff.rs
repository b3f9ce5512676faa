//! Differences between two versions of a file: unified for `git apply`, and as an excerpt in a report.

use std::fmt::Write as _;

use anstyle::AnsiColor;
use similar::{Algorithm, ChangeTag, TextDiff};

use crate::mask::mask;
use crate::printable;

/// The lines of context around a change, as in git.
const CONTEXT: usize = 3;
/// The number of changed lines that an excerpt shows; it counts the others.
const EXCERPT: usize = 12;
/// The characters of a line that an excerpt shows.
const LONGEST: usize = 500;
/// The separator between the number and the sign in a line of an excerpt.
const RULE: &str = " │ ";

/// Returns the unified diff with the headers of git; an absent version is `/dev/null`. Empty if both versions are equal.
///
/// Keys are masked. With colour, no program can read it.
pub(crate) fn unified(path: &str, old: Option<&str>, new: Option<&str>, color: bool) -> String {
    if old == new {
        return String::new();
    }
    let path = printable::line(path);
    let name = |side: &str, text: Option<&str>| text.map_or("/dev/null".to_owned(), |_| format!("{side}/{path}"));
    let mut out = String::new();
    let bold = anstyle::Style::new().bold();
    line(&mut out, bold, color, &format!("--- {}", name("a", old)));
    line(&mut out, bold, color, &format!("+++ {}", name("b", new)));

    let (old, new) = (lines(old.unwrap_or("")), lines(new.unwrap_or("")));
    let diff = TextDiff::configure().algorithm(Algorithm::Myers).diff_slices(&old, &new);
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        line(&mut out, AnsiColor::Cyan.on_default(), color, &hunk.header().to_string());
        for change in hunk.iter_changes() {
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

/// Returns the changed lines with their numbers: those of the old version, or of the new one where lines were only added.
pub(crate) fn excerpt(old: &str, new: &str) -> String {
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
    // A single further line is shown, since its count would take a line too.
    let cut = if shown.len() > EXCERPT + 1 { EXCERPT } else { shown.len() };
    let width =
        shown[..cut].iter().filter_map(|(index, ..)| *index).max().map_or(1, |index| (index + 1).to_string().len());
    let mut out = String::new();
    for (index, sign, text) in &shown[..cut] {
        let number = index.map_or(String::new(), |index| (index + 1).to_string());
        // Otherwise versions that differ only in this would look equal.
        let text = mask(text);
        let (text, ending) = match (text.strip_suffix("\r\n"), text.strip_suffix('\n')) {
            (Some(text), _) => (text, " (CRLF)"),
            (None, Some(text)) => (text, ""),
            (None, None) => (&*text, " (no line break at the end)"),
        };
        let cut_text = text.char_indices().nth(LONGEST).map(|(end, _)| format!("{}…", &text[..end]));
        let text = cut_text.as_deref().unwrap_or(text);
        let _ = writeln!(out, "{number:>width$}{RULE}{sign}{text}{ending}");
    }
    if cut < shown.len() {
        let _ = writeln!(out, "… {} more lines", shown.len() - cut);
    }
    out
}

/// Returns the sign in a line of an excerpt, from which its colour follows; none for any other line.
pub(crate) fn excerpt_sign(line: &str) -> Option<char> {
    let (number, text) = line.split_once(RULE)?;
    let is_number = number.bytes().all(|byte| byte == b' ' || byte.is_ascii_digit());
    text.chars().next().filter(|sign| is_number && matches!(sign, '-' | '+'))
}

/// Returns the lines of a text with their line breaks. Only `\n` ends a line, as in git.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
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
