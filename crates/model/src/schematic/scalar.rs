//! How go-yaml writes one string or number. Strings that [`super::stability`] refuses never come here.

use std::fmt::Write;

use super::resolve;

/// Appends a string that has one line, or that cannot be a literal.
pub(super) fn write(out: &mut String, text: &str) {
    if text.contains('\n') || resolve::is_old_yaml(text) || resolve::is_not_string(text) {
        double(out, text);
    } else if plain_allowed(text) {
        out.push_str(text);
    } else if text.contains('\t') || text.contains(is_special) {
        double(out, text);
    } else {
        out.push('\'');
        out.push_str(&text.replace('\'', "''"));
        out.push('\'');
    }
}

/// Returns whether a string becomes a literal, `|`.
pub(super) fn is_literal(text: &str) -> bool {
    text.contains('\n') && !text.contains(is_special)
}

/// Appends a literal, its lines indented by `indent` and the last one ended.
pub(super) fn write_literal(out: &mut String, text: &str, indent: usize) {
    out.push('|');
    if text.ends_with("\n\n") {
        out.push('+');
    } else if !text.ends_with('\n') {
        out.push('-');
    }
    out.push('\n');
    for line in text.split_terminator('\n') {
        if !line.is_empty() {
            out.extend(std::iter::repeat_n(' ', indent));
            out.push_str(line);
        }
        out.push('\n');
    }
}

/// Appends a number: floats with the fewest digits that read back, as Go's format `g` has them.
pub(super) fn write_number(out: &mut String, number: &serde_json::Number) {
    let Some(float) = number.as_f64().filter(|_| number.is_f64()) else {
        out.push_str(&number.to_string());
        return;
    };
    let shortest = format!("{float:e}");
    let (mantissa, exponent) = shortest.split_once('e').unwrap_or((&shortest, ""));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    // With a fixed number of digits Rust resolves a tie between two shortest forms as Go does; without one it does not.
    let decimals = mantissa.split_once('.').map_or(0, |(_, decimals)| decimals.len());
    // Go counts six digits in front of the dot as too many.
    if (-4..=5).contains(&exponent) {
        let decimals = i32::try_from(decimals).unwrap_or_default() - exponent;
        out.push_str(&format!("{float:.*}", usize::try_from(decimals).unwrap_or_default()));
    } else {
        let rounded = format!("{float:.decimals$e}");
        let mantissa = rounded.split_once('e').map_or(rounded.as_str(), |(mantissa, _)| mantissa);
        let sign = if exponent < 0 { '-' } else { '+' };
        out.push_str(&format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs()));
    }
}

fn plain_allowed(text: &str) -> bool {
    let blank = |character: Option<char>| matches!(character, None | Some(' ' | '\t'));
    if text.starts_with("---") || text.starts_with("...") || text.starts_with(' ') || text.ends_with(' ') {
        return false;
    }
    let mut before = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let next = characters.peek().copied();
        let allowed = match (character, before) {
            ('#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`', None) => {
                false
            }
            ('?' | '-', None) | (':', _) => !blank(next),
            ('#', _) => !blank(before),
            ('\t', _) => false,
            _ => !is_special(character),
        };
        if !allowed {
            return false;
        }
        before = Some(character);
    }
    true
}

fn double(out: &mut String, text: &str) {
    // A byte order mark at the start makes go-yaml escape the whole string.
    let all = text.starts_with('\u{FEFF}');
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            _ if all || is_special(character) => escape(out, character),
            _ => out.push(character),
        }
    }
    out.push('"');
}

fn escape(out: &mut String, character: char) {
    let code = u32::from(character);
    // Writing to a string cannot fail.
    let _ = match code {
        0xA0 => write!(out, "\\_"),
        0..=0xFF => write!(out, "\\x{code:02X}"),
        0x100..=0xFFFF => write!(out, "\\u{code:04X}"),
        _ => write!(out, "\\U{code:08X}"),
    };
}

/// Characters that are only written in double quotes, as an escape: go-yaml knows none above U+FFFF.
fn is_special(character: char) -> bool {
    !matches!(character, '\t' | '\n' | ' '..='~' | '\u{A0}'..='\u{D7FF}' | '\u{E000}'..='\u{FEFE}' | '\u{FF00}'..='\u{FFFD}')
}
