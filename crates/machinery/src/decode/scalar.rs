//! Scalars as go-yaml v4 decodes them into Go's types.
//!
//! Source: go.yaml.in/yaml/v4, `resolve` and the decoding of scalars, in the releases that the machinery requires: rc.3 (Talos 1.12),
//! rc.4 (1.13) and rc.6 (1.14).

use talosmith_document::Style;

use super::{network, text};
use crate::talos_data::fields::Minor;

/// What go-yaml takes a scalar for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Resolved<'a> {
    Null,
    Bool,
    Integer(i128),
    Float(f64),
    Timestamp,
    Text(&'a str),
}

/// Whether a minor of Talos reads a scalar as a value of a type of the table of fields.
pub(super) fn is_read_as(kind: &str, written: &str, style: Style, minor: Minor) -> bool {
    let resolved = if style == Style::Plain { resolve(written) } else { Resolved::Text(written) };
    // Later than 1.13 a date without quotes is no text.
    let is_text = resolved != Resolved::Timestamp || minor < (1, 14);
    if let Some(words) = kind.strip_prefix("word:") {
        let lower = written.to_lowercase();
        return words.split('|').any(|word| word == written || word.to_lowercase() == lower);
    }
    match kind {
        "any" => true,
        "text" | "argument" => is_text,
        "bool" => {
            let word =
                ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];
            resolved == Resolved::Bool || matches!(resolved, Resolved::Text(text) if word.contains(&text))
        }
        "duration" => match resolved {
            Resolved::Text(text) => text::is_duration(text),
            Resolved::Integer(0) => minor >= (1, 13),
            // 1.14 takes a float without a fraction for nanoseconds, and still no whole number.
            Resolved::Float(_) => minor >= (1, 14) && is_number("int64", resolved, minor),
            _ => false,
        },
        "ports" => is_number("uint16", resolved, minor) || is_text && text::is_port_range(written),
        "bytes" => written.is_empty() || text::is_byte_size(unsigned(written, minor)),
        "size" => written.is_empty() || text::is_size(unsigned(written, minor)),
        "disk-size" => is_text && text::is_byte_size(written),
        "disk-condition" => is_text && text::is_disk_condition(written),
        "base64" => is_text && text::is_base64(written),
        "key" => is_text && (text::is_base64(written) || written == super::secret::REDACTED),
        "cel" => true,
        "url" => is_text && network::is_url(written),
        "address" => network::is_address(written),
        "address-port" => network::is_address_port(written),
        "cidr" => network::is_prefix(written),
        "hardware-address" => network::is_hardware_address(written),
        "routing-table" => network::is_routing_table(written),
        "fail-over-mac" => matches!(written, "" | "none" | "active" | "follow" | "0" | "1" | "2"),
        _ => is_number(kind, resolved, minor),
    }
}

/// The numbers that a type such as `uint16` holds; none if it is no type of numbers.
pub(super) fn bounds(kind: &str) -> Option<(i128, i128)> {
    let (is_signed, bits) = match kind.strip_prefix('u') {
        Some(rest) => (false, rest.strip_prefix("int")?),
        None => (true, kind.strip_prefix("int")?),
    };
    let bits: u32 = if bits.is_empty() { 64 } else { bits.parse().ok()? };
    Some(if is_signed { (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) } else { (0, (1 << bits) - 1) })
}

/// Sizes have taken a sign since 1.13.
fn unsigned(written: &str, minor: Minor) -> &str {
    if minor < (1, 13) { written } else { written.strip_prefix('-').unwrap_or(written) }
}

fn is_number(kind: &str, resolved: Resolved<'_>, minor: Minor) -> bool {
    let Some((low, high)) = bounds(kind) else { return false };
    #[expect(clippy::cast_possible_truncation, reason = "the cast keeps to the bounds, and so did Go's on amd64")]
    match resolved {
        Resolved::Integer(number) => (low..=high).contains(&number),
        // 1.12 cuts a fraction off, later ones refuse it.
        Resolved::Float(number) => {
            let whole = number.trunc();
            (whole == number || minor < (1, 13) && !number.is_nan()) && (low..=high).contains(&(whole as i128))
        }
        _ => false,
    }
}

fn resolve(written: &str) -> Resolved<'_> {
    match written {
        "" | "~" | "null" | "Null" | "NULL" => return Resolved::Null,
        "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => return Resolved::Bool,
        ".nan" | ".NaN" | ".NAN" => return Resolved::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => return Resolved::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Resolved::Float(f64::NEG_INFINITY),
        "-0" | "-0.0" => return Resolved::Float(-0.0),
        _ => {}
    }
    match written.as_bytes()[0] {
        b'.' if is_float(written) => return written.parse().map_or(Resolved::Text(written), Resolved::Float),
        b'0'..=b'9' | b'+' | b'-' => {
            if text::is_timestamp(written) {
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
    Resolved::Text(written)
}

/// A whole number as Go's `ParseInt` and `ParseUint` read it with base 0.
fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let radix = |prefix: [&str; 2]| prefix.iter().find_map(|prefix| digits.strip_prefix(prefix));
    let (digits, radix) = if let Some(rest) = radix(["0x", "0X"]) {
        (rest, 16)
    } else if let Some(rest) = radix(["0o", "0O"]) {
        (rest, 8)
    } else if let Some(rest) = radix(["0b", "0B"]) {
        (rest, 2)
    } else if let Some(rest) = digits.strip_prefix('0').filter(|rest| !rest.is_empty()) {
        (rest, 8)
    } else {
        (digits, 10)
    };
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

#[cfg(test)]
mod tests {
    use super::{bounds, is_read_as};
    use talosmith_document::Style;

    /// What of some texts each minor reads as a value of a type; in single quotes for a quoted one.
    fn read<'a>(kind: &str, minor: u64, texts: &[&'a str]) -> Vec<&'a str> {
        let is_read = |text: &&&str| match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(quoted) => is_read_as(kind, quoted, Style::Quoted, (1, minor)),
            None => is_read_as(kind, text, Style::Plain, (1, minor)),
        };
        texts.iter().filter(is_read).copied().collect()
    }

    #[test]
    fn texts_take_every_scalar_but_a_date_since_1_14() {
        let all = ["a", "1", "1.5", "true", "yes", "'2024-01-01'", "2024-01-01", "2024-1-1 10:00:00", "2024-13-01"];
        assert_eq!(read("text", 12, &all), all);
        assert_eq!(read("text", 13, &all), all);
        assert_eq!(read("text", 14, &all), ["a", "1", "1.5", "true", "yes", "'2024-01-01'", "2024-13-01"]);
    }

    #[test]
    fn booleans_have_words_of_yaml_1_1_even_in_quotes() {
        let all = ["true", "'true'", "yes", "'yes'", "'off'", "on", "Y", "tRue", "1", "'no'", "none", "False"];
        assert_eq!(read("bool", 14, &all), ["true", "yes", "'yes'", "'off'", "on", "Y", "'no'", "False"]);
    }

    #[test]
    fn numbers_are_gos() {
        let all = [
            "1500", "'1500'", "1_500", "0x10", "0o17", "017", "0b11", "08", "1e3", "1.0", "1.5", "-1", "70000", "+5",
            ".5", "1k", "-0", "0x", "_1",
        ];
        let later = ["1500", "1_500", "0x10", "0o17", "017", "0b11", "08", "1e3", "1.0", "+5", "-0"];
        assert_eq!(read("uint16", 13, &all), later);
        assert_eq!(
            read("uint16", 12, &all),
            ["1500", "1_500", "0x10", "0o17", "017", "0b11", "08", "1e3", "1.0", "1.5", "+5", ".5", "-0"]
        );
        assert_eq!(
            read("int", 14, &["-1", "9223372036854775807", "9223372036854775808"]),
            ["-1", "9223372036854775807"]
        );
        assert_eq!(read("uint64", 14, &["18446744073709551615", "18446744073709551616"]), ["18446744073709551615"]);
        assert_eq!((bounds("int8"), bounds("uint32")), (Some((-128, 127)), Some((0, 4_294_967_295))));
        assert_eq!((bounds("int"), bounds("text")), (Some((i64::MIN.into(), i64::MAX.into())), None));
    }

    #[test]
    fn durations_need_their_unit() {
        let all = ["1m30s", "'10s'", "5", "0", "'0'", "1.5h", "-1s", "1 s", "1d", "100us", "1µs", "s", "'5'", ""];
        let both = ["1m30s", "'10s'", "'0'", "1.5h", "-1s", "100us", "1µs"];
        assert_eq!(read("duration", 12, &all), both);
        assert_eq!(read("duration", 13, &all), ["1m30s", "'10s'", "0", "'0'", "1.5h", "-1s", "100us", "1µs"]);
        assert_eq!(read("duration", 13, &["08", "1e3", "1.5"]), Vec::<&str>::new());
        assert_eq!(read("duration", 14, &["08", "1e3", "1.5"]), ["08", "1e3"]);
    }

    #[test]
    fn sizes_have_a_sign_since_1_13() {
        let all = ["10GiB", "1405", "1,000GB", ".5GB", "100g", "10XB", "-10GiB", "50%", "101%", "''", "GB", "50 %"];
        assert_eq!(read("size", 12, &all), ["10GiB", "1405", "1,000GB", ".5GB", "100g", "50%", "''"]);
        assert_eq!(read("size", 13, &all), ["10GiB", "1405", "1,000GB", ".5GB", "100g", "-10GiB", "50%", "''"]);
        assert_eq!(
            read("bytes", 13, &["50%", "-1GB", "1e3", "15EiB", "16EiB", "5 TB", "5ib", "b", "1.2.3"]),
            ["-1GB", "15EiB", "5 TB"]
        );
        assert_eq!(read("disk-size", 14, &["4GB", "''", "100GiB"]), ["4GB", "100GiB"]);
        assert_eq!(
            read("disk-condition", 14, &["'>= 100GB'", "<=1TB", "== 5", "~5GB"]),
            ["'>= 100GB'", "<=1TB", "== 5"]
        );
    }

    #[test]
    fn words_are_taken_in_any_case() {
        assert_eq!(read("word:off|stable", 12, &["off", "OFF", "'Stable'", "on", "''"]), ["off", "OFF", "'Stable'"]);
        assert_eq!(read("word:Do53|DoT", 14, &["Do53", "dot", "DOH"]), ["Do53", "dot"]);
        assert_eq!(read("fail-over-mac", 14, &["active", "Active", "1", "3", "''"]), ["active", "1", "''"]);
        let tables = ["main", "LOCAL", "0", "1", "252", "253", "254", "300", "unspec", "default"];
        assert_eq!(read("routing-table", 14, &tables), ["main", "LOCAL", "1", "252", "unspec", "default"]);
    }
}
