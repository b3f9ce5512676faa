//! Scalars as go-yaml v4 resolves them where it decodes into Go's `any`.
//!
//! Source: go.yaml.in/yaml/v4, `resolve`, in the releases that the machinery requires: rc.3 (Talos 1.12), rc.4 (1.13) and rc.6 (1.14).

use std::borrow::Cow;

use talosmith_document::Style;

/// A scalar: how it is written, and what YAML resolves it to.
#[derive(Debug, Clone)]
pub(crate) struct Scalar<'a> {
    /// Without quotes and escapes.
    pub text: Cow<'a, str>,
    pub style: Style,
    pub resolved: Resolved,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Resolved {
    Null,
    Bool(bool),
    /// From -2^63 to 2^64 - 1.
    Integer(i128),
    Float(f64),
    Timestamp,
    /// What is quoted, or nothing else: the text is the value.
    String,
}

impl Scalar<'_> {
    pub(crate) fn read(text: &str, style: Style) -> Scalar<'static> {
        let resolved = if style == Style::Plain { resolve(text) } else { Resolved::String };
        Scalar { text: Cow::Owned(text.to_owned()), style, resolved }
    }

    /// Whether it is a text only because it is quoted, such as `"1"`.
    pub(crate) fn is_quoted_word(&self) -> bool {
        self.resolved == Resolved::String && resolve(&self.text) != Resolved::String
    }

    /// The same scalar without a copy of its text.
    pub(crate) fn borrowed(&self) -> Scalar<'_> {
        Scalar { text: Cow::Borrowed(&self.text), style: self.style, resolved: self.resolved }
    }
}

impl Resolved {
    /// Whether Go has one type for both: a number above 2^63 - 1 is no `int` but a `uint64`.
    pub(crate) fn has_type_of(self, other: Self) -> bool {
        let is_unsigned = |number: i128| number > i128::from(i64::MAX);
        match (self, other) {
            (Self::Integer(one), Self::Integer(other)) => is_unsigned(one) == is_unsigned(other),
            _ => std::mem::discriminant(&self) == std::mem::discriminant(&other),
        }
    }

    /// How Talos writes a value that it decoded into Go's `any`; none for texts and timestamps. A whole number below a million that is written
    /// as a float becomes an integer this way.
    pub(crate) fn written(self) -> Option<String> {
        Some(match self {
            Self::Null => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => float(number),
            Self::Timestamp | Self::String => return None,
        })
    }
}

/// Source: `floatv` in encode.go of go.yaml.in/yaml/v4, which is `FormatFloat(number, 'g', -1, 64)` of Go's `strconv`.
fn float(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or_default() {
        -4..6 => number.to_string(),
        exponent => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

fn resolve(written: &str) -> Resolved {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" => return Resolved::Bool(true),
        "false" | "False" | "FALSE" => return Resolved::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        "-0" | "-0.0" => return Resolved::Float(-0.0),
        _ => {}
    }
    match written.as_bytes()[0] {
        b'.' if is_float(written) => return written.parse().map_or(Resolved::String, Resolved::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            if is_timestamp(written) {
                return Resolved::Timestamp;
            }
            let plain = written.replace('_', "");
            if let Some(number) = integer(&plain) {
                return Resolved::Integer(number);
            }
            if is_float(&plain)
                && let Ok(number) = plain.parse()
            {
                return Resolved::Float(number);
            }
        }
        _ => {}
    }
    Resolved::String
}

/// A whole number as Go's `ParseInt` and `ParseUint` read it with base 0.
pub(crate) fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let prefixes = [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)];
    let prefixed = prefixes.iter().find_map(|(prefix, radix)| Some((digits.strip_prefix(prefix)?, *radix)));
    let octal = digits.strip_prefix('0').filter(|rest| !rest.is_empty()).map(|rest| (rest, 8));
    let (digits, radix) = prefixed.or(octal).unwrap_or((digits, 10));
    if !digits.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        return None;
    }
    let number = sign * i128::from(u64::from_str_radix(digits, radix).ok()?);
    let high = if text.starts_with('+') { i128::from(i64::MAX) } else { i128::from(u64::MAX) };
    (i128::from(i64::MIN)..=high).contains(&number).then_some(number)
}

/// Whether a text is `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !whole.is_empty() || !fraction.is_empty();
    has_digits && digits(whole) && digits(fraction) && !exponent.is_empty() && digits(exponent)
}

/// Whether go-yaml resolves a plain scalar to a timestamp: `2024-1-31`, alone, with a time after a space, or with a time and a zone after a `T`.
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-').filter(|(year, _)| year.len() == 4) else { return false };
    let Some((month, rest)) = rest.split_once('-') else { return false };
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let (day, rest) = rest.split_at(digits);
    let (Some(year), Some(month), Some(day)) = (number(year, 4), number(month, 2), number(day, 2)) else {
        return false;
    };
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    };
    let time = rest.get(1..).unwrap_or_default();
    let is_valid_time = match rest.chars().next() {
        None => true,
        Some(' ') => is_time(time),
        Some('T' | 't') => match time.strip_suffix('Z') {
            Some(time) => is_time(time),
            None => time.rfind(['+', '-']).is_some_and(|at| is_time(&time[..at]) && is_zone(&time[at + 1..])),
        },
        Some(_) => false,
    };
    (1..=12).contains(&month) && (1..=days).contains(&day) && is_valid_time
}

fn is_time(text: &str) -> bool {
    let (clock, fraction) = text.split_once(['.', ',']).unwrap_or((text, "0"));
    let mut parts = clock.split(':').map(|part| number(part, 2));
    let (Some(Some(hour)), Some(Some(minute)), Some(Some(second)), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    hour < 24 && minute < 60 && second < 60 && is_fraction
}

fn is_zone(text: &str) -> bool {
    text.len() == 5
        && text.split_once(':').is_some_and(|(hours, minutes)| {
            number(hours, 2).is_some_and(|hours| hours <= 24) && number(minutes, 2).is_some_and(|minutes| minutes < 60)
        })
}

/// A number of at most so many digits.
fn number(text: &str, digits: usize) -> Option<u32> {
    let is_number = !text.is_empty() && text.len() <= digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::{Resolved, integer, is_timestamp, resolve};

    #[test]
    fn timestamps_are_those_of_go_yaml() {
        let dates = [
            "2024-01-01",
            "2024-1-1",
            "2024-02-29",
            "2024-01-01 10:20:30",
            "2024-01-01 1:2:3.5",
            "2024-01-01T10:20:30Z",
            "2024-01-01t10:20:30.123+02:00",
        ];
        let others = [
            "2023-02-29",
            "2024-13-01",
            "24-01-01",
            "2024-01",
            "2024-01-01T10:20:30",
            "2024-01-01 10:20",
            "2024-01-01 10:20:30Z",
            "2024-01-01x",
            "2024-01-001",
            "192-168-1-1",
        ];
        assert!(dates.iter().all(|text| is_timestamp(text)), "{dates:?}");
        assert_eq!(others.iter().filter(|text| is_timestamp(text)).count(), 0, "{others:?}");
    }

    #[test]
    fn numbers_beyond_64_bits_are_floats() {
        let cases = [
            ("250", Resolved::Integer(250)),
            ("0X64", Resolved::Integer(100)),
            ("0B11", Resolved::Integer(3)),
            ("017", Resolved::Integer(15)),
            ("1_000.5", Resolved::Float(1000.5)),
            ("-0", Resolved::Float(-0.0)),
            ("18446744073709551615", Resolved::Integer(u64::MAX.into())),
            ("18446744073709551616", Resolved::Float(18_446_744_073_709_551_616.0)),
            ("99999999999999999999999", Resolved::Float(1e23)),
            ("2020-01-02", Resolved::Timestamp),
            ("off", Resolved::String),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text), expected, "{text}");
        }
        assert_eq!(integer("1-2"), None);
        assert!(Resolved::Integer(5).has_type_of(Resolved::Integer(-5)));
        assert!(!Resolved::Integer(5).has_type_of(Resolved::Integer(u64::MAX.into())));
        assert!(!Resolved::Integer(5).has_type_of(Resolved::Float(5.0)));
    }

    #[test]
    fn numbers_are_written_as_go_writes_them() {
        let cases = [
            ("0x10", "16"),
            ("True", "true"),
            ("~", "null"),
            ("-0", "-0"),
            ("1.50", "1.5"),
            ("5.0", "5"),
            ("1e3", "1000"),
            ("1_000.5", "1000.5"),
            ("999999.5", "999999.5"),
            ("1000000.5", "1.0000005e+06"),
            ("99999999999999999999999", "1e+23"),
            ("0.0001", "0.0001"),
            ("0.00001234", "1.234e-05"),
            ("1e100", "1e+100"),
            ("-.Inf", "-.inf"),
            (".NaN", ".nan"),
        ];
        for (text, expected) in cases {
            assert_eq!(resolve(text).written().as_deref(), Some(expected), "{text}");
        }
        assert_eq!(resolve("2020-01-02").written(), None);
    }
}
