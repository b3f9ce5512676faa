//! Whether go-yaml reads a plain scalar as something other than a string.

/// Returns whether a plain scalar would be read as null, a boolean, a number, a time or a merge key.
pub(super) fn is_not_string(text: &str) -> bool {
    let Some(&first) = text.as_bytes().first() else { return true };
    match first {
        // Go itself accepts underscores between the digits of a float.
        b'.' => RESERVED.contains(&text) || (digits_around_underscores(text) && is_float(&text.replace('_', ""))),
        b'0'..=b'9' | b'+' | b'-' => {
            let number = text.replace('_', "");
            RESERVED.contains(&text) || is_time(text) || is_integer(&number) || is_float(&number)
        }
        _ => RESERVED.contains(&text),
    }
}

const RESERVED: &[&str] = &[
    "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", ".nan", ".NaN", ".NAN", ".inf",
    ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<",
];

/// Returns whether YAML 1.1 reads a boolean or a number of base 60, such as `12:30` or the start of a MAC address, where go-yaml
/// reads a string; go-yaml quotes these for other readers.
pub(super) fn is_old_yaml(text: &str) -> bool {
    const BOOLEANS: &[&str] =
        &["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
    BOOLEANS.contains(&text) || is_base_60(text)
}

fn is_base_60(text: &str) -> bool {
    let mut parts = without_sign(text).split(':');
    let first = parts.next().unwrap_or_default();
    if !first.starts_with(is_digit) || !first.chars().all(|c| is_digit(c) || c == '_') {
        return false;
    }
    let mut parts = parts.peekable();
    if parts.peek().is_none() {
        return false;
    }
    while let Some(part) = parts.next() {
        let digits = match part.split_once('.') {
            Some((digits, fraction)) if parts.peek().is_none() => {
                if !fraction.chars().all(|c| is_digit(c) || c == '_') {
                    return false;
                }
                digits
            }
            _ => part,
        };
        if !matches!(digits.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']) {
            return false;
        }
    }
    true
}

/// An integer as Go reads it with its prefix, if 64 bits hold it.
fn is_integer(text: &str) -> bool {
    let digits = without_sign(text);
    let (digits, radix) = match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&digits[2..], 16),
        [b'0', b'o' | b'O', ..] => (&digits[2..], 8),
        [b'0', b'b' | b'B', ..] => (&digits[2..], 2),
        [b'0', _, ..] => (&digits[1..], 8),
        _ => (digits, 10),
    };
    // `from_str_radix` would accept a second sign.
    if !digits.starts_with(|c: char| c.is_ascii_hexdigit()) {
        return false;
    }
    let Ok(value) = u64::from_str_radix(digits, radix) else { return false };
    match text.as_bytes()[0] {
        b'-' => value <= i64::MIN.unsigned_abs(),
        b'+' => value <= i64::MAX.unsigned_abs(),
        _ => true,
    }
}

fn digits_around_underscores(text: &str) -> bool {
    let parts: Vec<&str> = text.split('_').collect();
    parts.windows(2).all(|pair| pair[0].ends_with(is_digit) && pair[1].starts_with(is_digit))
}

fn is_float(text: &str) -> bool {
    let rest = without_sign(text);
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(without_sign(exponent))),
        None => (rest, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all_digits = |part: &str| part.chars().all(is_digit);
    all_digits(whole)
        && all_digits(fraction)
        && !(whole.is_empty() && fraction.is_empty())
        && exponent.is_none_or(|exponent| !exponent.is_empty() && all_digits(exponent))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// A day, or a day and a time: with `T` and a zone, or with spaces and no zone.
fn is_time(text: &str) -> bool {
    let Some((year, rest)) = digits(text, 4, 4) else { return false };
    let Some((month, rest)) = rest.strip_prefix('-').and_then(|rest| digits(rest, 1, 2)) else { return false };
    let Some((day, rest)) = rest.strip_prefix('-').and_then(|rest| digits(rest, 1, 2)) else { return false };
    if day == 0 || day > days(year, month) {
        return false;
    }
    match rest.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => clock(&rest[1..]).is_some_and(is_zone),
        Some(b' ') => clock(rest.trim_start_matches(' ')).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

/// Removes `h:m:s` and a fraction from the start of a string.
fn clock(text: &str) -> Option<&str> {
    let (hour, rest) = digits(text, 1, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    let (second, rest) = digits(rest.strip_prefix(':')?, 1, 2)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    match rest.strip_prefix(['.', ',']).and_then(|fraction| digits(fraction, 1, 9)) {
        Some((_, rest)) => Some(rest),
        None => Some(rest),
    }
}

fn is_zone(text: &str) -> bool {
    let offset = |text| {
        let (hours, rest) = digits(text, 2, 2)?;
        let (minutes, rest) = digits(rest.strip_prefix(':')?, 2, 2)?;
        (hours <= 24 && minutes <= 60 && rest.is_empty()).then_some(())
    };
    text == "Z" || text.strip_prefix(['+', '-']).and_then(offset).is_some()
}

/// Removes at least `min` and at most `max` digits from the start of a string.
fn digits(text: &str, min: usize, max: usize) -> Option<(u32, &str)> {
    let count = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if count < min {
        return None;
    }
    Some((text[..count].parse().ok()?, &text[count..]))
}

/// The days of a month; none for a month that does not exist.
const fn days(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        _ => 0,
    }
}

fn without_sign(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

const fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}
