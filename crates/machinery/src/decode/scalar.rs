//! Which scalars go-yaml v4 and Talos's own types decode into a field.
//!
//! Source: go.yaml.in/yaml/v4, the decoding of scalars, and the `UnmarshalText` and `UnmarshalYAML` methods of Talos's types.

use super::network;
use crate::format;
use crate::scalar::{Resolved, Scalar};
use crate::talos_data::Minor;

/// Whether a minor of Talos decodes a scalar into a field of a type of the table.
pub(super) fn is_decoded_as(kind: &str, scalar: &Scalar<'_>, minor: Minor) -> bool {
    let (written, resolved) = (&*scalar.text, scalar.resolved);
    // From 1.14 on a timestamp without quotes is no string.
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
            matches!(resolved, Resolved::Bool(_)) || resolved == Resolved::String && word.contains(&written)
        }
        "duration" => match resolved {
            Resolved::String => format::duration(written).is_some(),
            Resolved::Integer(0) => minor >= (1, 13),
            // 1.14 takes a float without a fraction for nanoseconds, and still no whole number.
            Resolved::Float(_) => minor >= (1, 14) && is_number("int64", resolved, minor),
            _ => false,
        },
        "ports" => is_number("uint16", resolved, minor) || is_text && is_port_range(written),
        "bytes" => written.is_empty() || is_byte_size(unsigned(written, minor)),
        "size" => written.is_empty() || is_size(unsigned(written, minor)),
        "disk-size" => is_text && is_byte_size(written),
        "disk-condition" => is_text && is_disk_condition(written),
        "base64" => is_text && format::base64(written).is_some(),
        "key" => is_text && (format::base64(written).is_some() || written == super::secret::REDACTED),
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

fn is_number(kind: &str, resolved: Resolved, minor: Minor) -> bool {
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

fn is_byte_size(text: &str) -> bool {
    format::bytes(text).is_some_and(|(_, is_negative)| !is_negative)
}

/// Whether a string without sign is a size or a percentage from 0% to 100%.
fn is_size(text: &str) -> bool {
    if !text.contains('%') {
        return is_byte_size(text);
    }
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    number.is_some_and(|number| (0.0..=100.0).contains(&number))
}

/// Whether a string compares a size: `>= 100GB`.
fn is_disk_condition(text: &str) -> bool {
    let text = text.trim();
    let operators = [">=", "<=", "==", ">", "<"];
    let size = operators.iter().find_map(|operator| text.strip_prefix(operator)).unwrap_or(text);
    is_byte_size(size.trim())
}

/// Whether a string is two ports with a hyphen between them.
fn is_port_range(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    text.split_once('-').is_some_and(|(low, high)| is_port(low) && is_port(high))
}

#[cfg(test)]
mod tests {
    use super::{bounds, is_decoded_as, is_port_range};
    use crate::scalar::Scalar;
    use talosmith_document::Style;

    /// The scalars that a minor decodes into a field of a type; those in single quotes are quoted.
    fn read<'a>(kind: &str, minor: u64, texts: &[&'a str]) -> Vec<&'a str> {
        let is_read = |text: &&&str| match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(quoted) => is_decoded_as(kind, &Scalar::read(quoted, Style::Quoted), (1, minor)),
            None => is_decoded_as(kind, &Scalar::read(text, Style::Plain), (1, minor)),
        };
        texts.iter().filter(is_read).copied().collect()
    }

    #[test]
    fn strings_are_every_scalar_but_a_timestamp_since_1_14() {
        let all = ["a", "1", "1.5", "true", "yes", "'2024-01-01'", "2024-01-01", "2024-1-1 10:00:00", "2024-13-01"];
        assert_eq!(read("text", 12, &all), all);
        assert_eq!(read("text", 13, &all), all);
        assert_eq!(read("text", 14, &all), ["a", "1", "1.5", "true", "yes", "'2024-01-01'", "2024-13-01"]);
    }

    #[test]
    fn booleans_are_those_of_yaml_1_1_even_in_quotes() {
        let all = ["true", "'true'", "yes", "'yes'", "'off'", "on", "Y", "tRue", "1", "'no'", "none", "False"];
        assert_eq!(read("bool", 14, &all), ["true", "yes", "'yes'", "'off'", "on", "Y", "'no'", "False"]);
    }

    #[test]
    fn numbers_are_those_of_go() {
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
    fn enum_values_are_decoded_in_any_case() {
        assert_eq!(read("word:off|stable", 12, &["off", "OFF", "'Stable'", "on", "''"]), ["off", "OFF", "'Stable'"]);
        assert_eq!(read("word:Do53|DoT", 14, &["Do53", "dot", "DOH"]), ["Do53", "dot"]);
        assert_eq!(read("fail-over-mac", 14, &["active", "Active", "1", "3", "''"]), ["active", "1", "''"]);
        let tables = ["main", "LOCAL", "0", "1", "252", "253", "254", "300", "unspec", "default"];
        assert_eq!(read("routing-table", 14, &tables), ["main", "LOCAL", "1", "252", "unspec", "default"]);
    }

    #[test]
    fn ports_are_two_numbers() {
        assert!(is_port_range("8000-9000") && is_port_range("1-1"));
        assert!(!["8000", "8000-", "-1", "1-70000", "+1-2", "a-b", "1 - 2"].iter().any(|text| is_port_range(text)));
    }
}
