//! Text that a terminal shows as it is: without control characters, escape sequences and characters that change the direction.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Whether a terminal would interpret a character instead of showing it.
fn is_control(c: char) -> bool {
    c.is_control()
        // Marks, embeddings, overrides and isolates of the direction, and the separators of lines and paragraphs.
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns a text of several lines in which every control character but tabs and line breaks is replaced by one that can be seen. With
/// `colors`, the escape sequences of colours are kept.
pub(crate) fn lines(text: &str, colors: bool) -> Cow<'_, str> {
    let is_fine = |c: char| !is_control(c) || matches!(c, '\n' | '\t');
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let kept = match c {
            '\u{1b}' if colors => color_length(rest),
            // A file whose lines end so is shown as any other.
            '\r' if rest.starts_with("\r\n") => 1,
            c if is_fine(c) => c.len_utf8(),
            _ => 0,
        };
        match kept {
            0 => out.push(picture(c)),
            length => out.push_str(&rest[..length]),
        }
        rest = &rest[kept.max(c.len_utf8())..];
    }
    out.into()
}

/// Returns a text for the middle of a line: line breaks become spaces, other control characters one that can be seen.
pub(crate) fn line(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_control) {
        return Cow::Borrowed(text);
    }
    text.chars()
        .map(|c| {
            if c == '\n' {
                ' '
            } else if is_control(c) {
                picture(c)
            } else {
                c
            }
        })
        .collect::<String>()
        .into()
}

/// Quotes a string for a POSIX shell if it needs quotes.
pub(crate) fn shell_quote(argument: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:=@%+,-".contains(c);
    if !argument.is_empty() && argument.chars().all(plain) {
        argument.to_owned()
    } else {
        format!("'{}'", argument.replace('\'', r"'\''"))
    }
}

/// Returns JSON in which these characters are escapes. Outside of strings there are none but line breaks.
pub(crate) fn json(text: &str) -> Cow<'_, str> {
    let is_fine = |c: char| !is_control(c) || c == '\n';
    if text.chars().all(is_fine) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_fine(c) {
            out.push(c);
        } else {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        }
    }
    out.into()
}

/// The picture of a control character of ASCII, or the replacement character.
fn picture(c: char) -> char {
    match u32::from(c) {
        code @ 0..=0x1f => char::from_u32(0x2400 + code).unwrap_or('\u{fffd}'),
        0x7f => '\u{2421}',
        _ => '\u{fffd}',
    }
}

/// The length of the escape sequence of a colour at the start of a text; 0 if it is another one.
fn color_length(text: &str) -> usize {
    let Some(rest) = text.strip_prefix("\u{1b}[") else { return 0 };
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';').len();
    if rest[digits..].starts_with('m') { "\u{1b}[".len() + digits + 1 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_shows_every_character() {
        let text = "a\tb\r\nc\rd\u{1b}[31me\u{1b}]8;;x\u{7}\u{9b}2K\u{85}\u{202e}f\u{200f}\u{7f}\n";
        let shown = "a\tb\r\nc␍d␛[31me␛]8;;x␇\u{fffd}2K\u{fffd}\u{fffd}f\u{fffd}␡\n";
        assert_eq!(lines(text, false), shown);
        assert_eq!(lines(text, true), shown.replace("␛[31m", "\u{1b}[31m"));
        assert_eq!(lines("\u{1b}[1;38;5;9mé\u{1b}[0m\u{1b}[2K\u{1b}[", true), "\u{1b}[1;38;5;9mé\u{1b}[0m␛[2K␛[");
    }

    #[test]
    fn a_name_does_not_start_a_line() {
        assert_eq!(line("a\n::error::b\r\tc"), "a ::error::b␍␉c");
        assert_eq!(line("é"), "é");
    }

    #[test]
    fn json_keeps_its_values() {
        let value = serde_json::json!({ "a": "x\u{9b}\u{202e}\u{7f}\n\u{1b}é" });
        let text = serde_json::to_string_pretty(&value).unwrap();
        let escaped = json(&text);
        assert_eq!(escaped, "{\n  \"a\": \"x\\u009b\\u202e\\u007f\\n\\u001bé\"\n}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&escaped).unwrap(), value);
    }
}
