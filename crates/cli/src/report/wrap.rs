//! Wraps prose to the width of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Breaks a line at spaces: the first part has at most `first` columns, each other one at most `rest`.
///
/// Does not break text in backticks, since people copy it, nor a word that is too long.
pub(crate) fn wrap(line: &str, first: usize, rest: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut room = first;
    for (spaces, word) in words(line) {
        let current = lines.last_mut().expect("there is always a line");
        let is_start = current.trim_start().is_empty();
        if !is_start && current.width() + spaces.len() + word.width() > room {
            lines.push(word.to_owned());
            room = rest;
        } else {
            current.push_str(spaces);
            current.push_str(word);
        }
    }
    lines
}

/// Returns the words of a line, each with the spaces before it.
fn words(line: &str) -> Vec<(&str, &str)> {
    let has_pairs = line.matches('`').count().is_multiple_of(2);
    let mut words = Vec::new();
    let mut rest = line.trim_end();
    while !rest.is_empty() {
        let start = rest.len() - rest.trim_start_matches(' ').len();
        let mut quoted = false;
        let end = rest[start..]
            .char_indices()
            .find(|(_, c)| {
                quoted ^= has_pairs && *c == '`';
                *c == ' ' && !quoted
            })
            .map_or(rest.len(), |(at, _)| start + at);
        words.push((&rest[..start], &rest[start..end]));
        rest = &rest[end..];
    }
    words
}

/// Returns the start of a text that fits into some columns.
pub(crate) fn clip(text: &str, columns: usize) -> &str {
    let mut used = 0;
    let end = text.char_indices().find(|(_, c)| {
        used += c.width().unwrap_or(0);
        used > columns
    });
    end.map_or(text, |(at, _)| &text[..at])
}

/// Replaces the non-ASCII characters that talosmith itself uses, for terminals whose locale is not UTF-8. Other characters, which
/// the user wrote, are kept.
pub(super) fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '−' | '–' | '—' | '─' => plain.push('-'),
            '│' | '┃' | '▏' => plain.push('|'),
            '…' => plain.push_str("..."),
            '≥' => plain.push_str(">="),
            '≤' => plain.push_str("<="),
            '×' | '╳' => plain.push('x'),
            '→' => plain.push_str("->"),
            '’' => plain.push('\''),
            '“' | '”' => plain.push('"'),
            '█' | '▓' => plain.push('#'),
            '▒' | '▆' => plain.push('='),
            '░' => plain.push('.'),
            '\u{a0}' | '\u{202f}' => plain.push(' '),
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn breaks_at_spaces() {
        assert_eq!(wrap("one two three four", 9, 8), ["one two", "three", "four"]);
        assert_eq!(wrap("one  two   three", 99, 99), ["one  two   three"]);
        assert_eq!(wrap("  one two", 6, 6), ["  one", "two"]);
        assert_eq!(wrap("", 5, 5), [""]);
        assert_eq!(wrap("a averyverylongword b", 5, 5), ["a", "averyverylongword", "b"]);
    }

    #[test]
    fn measures_columns_and_not_bytes() {
        assert_eq!(wrap("ää öö üü", 8, 8), ["ää öö üü"]);
        assert_eq!(wrap("日本 語", 6, 6), ["日本", "語"]);
    }

    #[test]
    fn does_not_break_text_in_backticks() {
        assert_eq!(wrap("type `git rm --cached a` now", 12, 12), ["type", "`git rm --cached a`", "now"]);
        assert_eq!(wrap("a ` b c", 3, 3), ["a `", "b c"]);
    }
}
