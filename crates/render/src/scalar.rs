//! Strings as YAML scalars that every parser reads back as the same string.
//!
//! YAML 1.1 (PyYAML, libyaml, go-yaml) and 1.2 disagree on which plain scalars are strings, so a scalar is plain only where both
//! read a string in every position: as a value, a key (go-yaml 2 reads a plain `n:` as the key `false`), or an item of a flow list.
//! Quotes are those that prettier keeps.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::Number;
use talosmith_document::has_other_type;

/// The longest string that is written without quotes, in bytes. A key may have 1024 characters (YAML 1.2.2, section 7.4.2).
const PLAIN_LIMIT: usize = 512;

/// For each byte, whether it is allowed anywhere in a plain scalar but at its start.
const IS_PLAIN: [bool; 256] = {
    let mut is_plain = [false; 256];
    let bytes = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@+=-%~^$();!<>|&*";
    let mut at = 0;
    while at < bytes.len() {
        is_plain[bytes[at] as usize] = true;
        at += 1;
    }
    is_plain
};

/// Returns a string as a YAML scalar on one line: a value or a key, without quotes where that is safe.
pub(crate) fn inline(text: &str) -> Cow<'_, str> {
    if is_plain(text) { Cow::Borrowed(text) } else { Cow::Owned(quoted(text)) }
}

/// Returns a string as a YAML scalar in quotes, even where it needs none.
///
/// In double quotes, unless the string has double quotes or backslashes itself: prettier would change those to single ones, or
/// people would have to count backslashes.
pub(crate) fn quoted(text: &str) -> String {
    let printable = text.chars().all(is_printable);
    let single = match (text.contains('"'), text.contains('\\')) {
        (true, false) => true,
        (_, true) => !text.contains('\''),
        (false, false) => false,
    };
    if printable && single { format!("'{}'", text.replace('\'', "''")) } else { double(text) }
}

/// Returns a string as the `|` block of a mapping value or list item, its lines indented by `indent` spaces, without a newline at
/// the end.
///
/// None if a block cannot hold the string exactly, or an editor would change it: one line, blanks at the start or before a line's
/// end, more than one newline at the end, characters that need an escape, or more than two empty lines in a row, which yamllint
/// reports.
pub(crate) fn literal(text: &str, indent: usize) -> Option<String> {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let blank_at_end = |line: &str| line.ends_with([' ', '\t']);
    if indent == 0
        || !text.contains('\n')
        || text.starts_with([' ', '\t', '\n'])
        || body.ends_with('\n')
        || body.contains("\n\n\n\n")
        || body.split('\n').any(blank_at_end)
        || !text.chars().all(|c| c == '\n' || c == '\t' || is_printable(c))
    {
        return None;
    }
    let mut block = String::from(if text.ends_with('\n') { "|" } else { "|-" });
    for line in body.split('\n') {
        block.push('\n');
        if !line.is_empty() {
            block.extend(std::iter::repeat_n(' ', indent));
            block.push_str(line);
        }
    }
    Some(block)
}

/// Returns a number as YAML 1.1 and 1.2, TOML and JSON all read it.
///
/// YAML 1.1 requires a dot in every float and a sign in every exponent.
pub(crate) fn number(number: &Number) -> String {
    let text = number.to_string();
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return text };
    let dot = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['-', '+']) { "" } else { "+" };
    format!("{digits}{dot}e{sign}{exponent}")
}

/// Whether every parser reads the text, written without quotes, as a string.
fn is_plain(text: &str) -> bool {
    let bytes = text.as_bytes();
    let starts_well = match bytes {
        [b'-', second, ..] => second.is_ascii_alphabetic(),
        [first, ..] => first.is_ascii_alphanumeric() || matches!(first, b'/' | b'_'),
        [] => false,
    };
    starts_well
        && bytes.len() <= PLAIN_LIMIT
        && bytes.iter().enumerate().all(|(at, byte)| {
            let next = || bytes.get(at + 1);
            match byte {
                _ if IS_PLAIN[usize::from(*byte)] => true,
                b':' => next().is_some_and(|next| next.is_ascii_alphanumeric() || b"/:_.-".contains(next)),
                b' ' => next().is_some_and(|next| !b" #:".contains(next)),
                _ => false,
            }
        })
        && !has_other_type(text)
}

/// Whether a character needs no escape in quotes: all parsers accept it, and a reviewer sees it.
///
/// Besides what YAML forbids, this excludes line ends of other standards, the no-break space, and invisible characters that change
/// the direction or the joining of the text around them.
const fn is_printable(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => false,
        '\u{feff}' | '\u{fffe}' | '\u{ffff}' | '\u{ad}' => false,
        _ => c > '\u{a0}',
    }
}

fn double(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            _ if is_printable(c) => out.push(c),
            _ => {
                let code = u32::from(c);
                let escape = match code {
                    0..=0xff => write!(out, "\\x{code:02X}"),
                    0x100..=0xffff => write!(out, "\\u{code:04X}"),
                    _ => write!(out, "\\U{code:08X}"),
                };
                escape.expect("writing to a string cannot fail");
            }
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
pub(crate) mod tests;
