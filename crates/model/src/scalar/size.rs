//! Sizes of disks and volumes.

use std::str::FromStr;

use serde::Deserialize;

use super::{ScalarError, text_scalar, try_from_text};

/// The units that a size may have, and the bytes of each.
const UNITS: &[(&str, u64)] = &[
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A size in bytes, and how the user wrote it.
///
/// Talos reads sizes with go-humanize's `ParseBytes`, which accepts much that a person reads differently: `1405` is 1,405 bytes, a
/// comma is dropped, `G` is decimal, and a fraction goes through a float. Only whole numbers with a full unit pass here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size {
    text: String,
    bytes: u64,
}

impl Size {
    /// The size as it was written, which is how it is emitted.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// A size of whole gigabytes (10⁹ bytes).
    ///
    /// # Panics
    /// Over 18 exabytes.
    pub fn from_gigabytes(gigabytes: u64) -> Self {
        Self { text: format!("{gigabytes}GB"), bytes: gigabytes.checked_mul(1_000_000_000).expect("below 2^64 bytes") }
    }
}

impl FromStr for Size {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let trimmed = text.trim();
        if trimmed.is_empty() {
            return Err(ScalarError::new("a size is missing").help("write a whole number and a unit, such as `100GiB`"));
        }
        let split = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == ',')).unwrap_or(trimmed.len());
        let (number, unit) = trimmed.split_at(split);
        if number.is_empty() {
            return Err(ScalarError::new(format!("`{text}` is not a size"))
                .help("write a whole number and a unit, such as `100GiB`"));
        }
        if let Some((whole, fraction)) = number.split_once(',') {
            return Err(comma(text, whole, fraction, unit));
        }
        if number.contains('.') {
            return Err(fraction(text, number, unit));
        }
        let factor = factor(text, number, unit)?;
        if trimmed != text || unit.starts_with(char::is_whitespace) {
            return Err(ScalarError::new(format!("`{text}` contains white space"))
                .help(format!("write `{number}{}`", unit.trim())));
        }
        let too_large = || ScalarError::new(format!("`{text}` is too large for a disk"));
        let bytes = number.parse::<u64>().ok().and_then(|count| count.checked_mul(factor)).ok_or_else(too_large)?;
        if bytes == 0 {
            return Err(ScalarError::new("a size of zero")
                .note("Talos counts a zero as a size that is set")
                .help("leave the key out if there is no bound"));
        }
        Ok(Self { text: text.to_owned(), bytes })
    }
}

fn factor(text: &str, number: &str, unit: &str) -> Result<u64, ScalarError> {
    let unit = unit.trim_start();
    if let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) {
        return Ok(*factor);
    }
    if unit.is_empty() {
        let fault = ScalarError::new(format!("`{text}` has no unit"))
            .label(format!("{} bytes", grouped(number.parse().unwrap_or(u64::MAX))));
        return Err(fault
            .note("Talos reads a bare number as bytes")
            .help(format!("write `{number}GB`, or `{number}B` if you mean bytes")));
    }
    let lower = unit.to_ascii_lowercase();
    if let Some((name, _)) = UNITS.iter().find(|(name, _)| name.to_ascii_lowercase() == lower) {
        return Err(
            ScalarError::new(format!("`{text}` has a unit in the wrong case")).help(format!("write `{number}{name}`"))
        );
    }
    let prefix = lower.trim_end_matches('i');
    if let "k" | "m" | "g" | "t" = prefix {
        let decimal = if prefix == "k" { "kB".to_owned() } else { format!("{}B", prefix.to_ascii_uppercase()) };
        let binary = format!("{}iB", prefix.to_ascii_uppercase());
        if lower.ends_with('i') {
            return Err(
                ScalarError::new(format!("`{text}` has an incomplete unit")).help(format!("write `{number}{binary}`"))
            );
        }
        let powers = match prefix {
            "k" => ("1000", "1024"),
            "m" => ("1000²", "1024²"),
            "g" => ("1000³", "1024³"),
            _ => ("1000⁴", "1024⁴"),
        };
        return Err(ScalarError::new(format!(
            "`{text}` can be read as {decimal} ({}) or {binary} ({})",
            powers.0, powers.1
        ))
        .label(format!("Talos reads it as {decimal}"))
        .help(format!("write `{number}{decimal}` or `{number}{binary}`")));
    }
    Err(ScalarError::new(format!("`{unit}` is not a unit of size"))
        .help("the units are B, kB, MB, GB, TB (powers of 1000) and KiB, MiB, GiB, TiB (powers of 1024)"))
}

fn comma(text: &str, whole: &str, fraction: &str, unit: &str) -> ScalarError {
    let digits: String = text.chars().filter(|c| *c != ',').collect();
    let fault = ScalarError::new(format!("`{text}` contains a comma"))
        .note(format!("Talos drops the comma and reads {digits}"));
    match scaled(whole, fraction, unit.trim()) {
        Some(size) => {
            fault.help(format!("write `{digits}` if the comma groups digits, `{size}` if it is a decimal comma"))
        }
        None => fault.help(format!("write `{digits}`")),
    }
}

fn fraction(text: &str, number: &str, unit: &str) -> ScalarError {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let fault = ScalarError::new(format!("`{text}` is not a whole number"))
        .note("Talos computes fractions in floating point and truncates to whole bytes");
    match scaled(whole, fraction, unit.trim()) {
        Some(size) => fault.help(format!("write `{size}`")),
        None => fault.help("write a whole number of a smaller unit"),
    }
}

/// `1.405 TB` as a whole number of the largest unit that makes it one: `1405GB`.
fn scaled(whole: &str, fraction: &str, unit: &str) -> Option<String> {
    if fraction.contains(['.', ',']) {
        return None;
    }
    let at = UNITS.iter().position(|(name, _)| *name == unit)?;
    let factor = u128::from(UNITS[at].1);
    let denominator = 10_u128.checked_pow(u32::try_from(fraction.len()).ok()?)?;
    let digits: u128 = format!("{whole}{fraction}").parse().ok()?;
    let bytes = digits.checked_mul(factor)?;
    if bytes % denominator != 0 {
        return None;
    }
    let bytes = u64::try_from(bytes / denominator).ok()?;
    let same_family = |name: &str| name.contains('i') == unit.contains('i') || name == "B";
    UNITS
        .iter()
        .filter(|(name, factor)| same_family(name) && bytes % factor == 0)
        .max_by_key(|(_, factor)| *factor)
        .map(|(name, factor)| format!("{}{name}", bytes / factor))
}

/// A number with its digits in groups of three: `1,405,000`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// The largest size that fits into `bytes` and reads well: whole gigabytes from 10 GB on, whole megabytes below.
pub(crate) fn suggested(bytes: u64) -> String {
    if bytes >= 10_000_000_000 { format!("{}GB", bytes / 1_000_000_000) } else { format!("{}MB", bytes / 1_000_000) }
}

/// The size of a volume: a number, or what the others leave.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum VolumeSize {
    /// As written.
    Fixed(Size),
    /// What system partitions and the other volumes leave of the disk.
    Remaining,
}

impl FromStr for VolumeSize {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        match text {
            "remaining" => Ok(Self::Remaining),
            "rest" | "all" | "max" => {
                Err(ScalarError::new(format!("`{text}` is not a size")).label("did you mean `remaining`?"))
            }
            _ => text.parse().map(Self::Fixed),
        }
    }
}

try_from_text!(VolumeSize);
text_scalar!(Size);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_with_a_unit_are_bytes() {
        let bytes = |text: &str| text.parse::<Size>().map(|size| size.bytes());
        assert_eq!(bytes("2048408248320B"), Ok(2_048_408_248_320));
        assert_eq!(bytes("100GiB"), Ok(107_374_182_400));
        assert_eq!(bytes("1405GB"), Ok(1_405_000_000_000));
        assert_eq!(bytes("7kB"), Ok(7_000));
        assert_eq!(bytes("2TiB"), Ok(2_199_023_255_552));
    }

    #[test]
    fn each_surprising_spelling_has_its_message_and_help() {
        let cases = [
            ("1405", "`1405` has no unit", Some("write `1405GB`, or `1405B` if you mean bytes")),
            ("1390G", "`1390G` can be read as GB (1000³) or GiB (1024³)", Some("write `1390GB` or `1390GiB`")),
            ("100Gi", "`100Gi` has an incomplete unit", Some("write `100GiB`")),
            ("100gb", "`100gb` has a unit in the wrong case", Some("write `100GB`")),
            (
                "1,405TB",
                "`1,405TB` contains a comma",
                Some("write `1405TB` if the comma groups digits, `1405GB` if it is a decimal comma"),
            ),
            ("1.4TB", "`1.4TB` is not a whole number", Some("write `1400GB`")),
            ("0.5GiB", "`0.5GiB` is not a whole number", Some("write `512MiB`")),
            ("100 GB", "`100 GB` contains white space", Some("write `100GB`")),
            ("0GB", "a size of zero", Some("leave the key out if there is no bound")),
            ("GB", "`GB` is not a size", Some("write a whole number and a unit, such as `100GiB`")),
            ("-5GB", "`-5GB` is not a size", Some("write a whole number and a unit, such as `100GiB`")),
            ("99999999TB", "`99999999TB` is too large for a disk", None),
        ];
        for (text, message, help) in cases {
            let fault = text.parse::<Size>().expect_err(text);
            assert_eq!((fault.message.as_str(), fault.help.as_deref()), (message, help), "{text}");
        }
    }

    #[test]
    fn suggestions_fit() {
        assert_eq!(suggested(1_438_722_818_048), "1438GB");
        assert_eq!(suggested(9_999_999_999), "9999MB");
        assert_eq!(grouped(2_048_408_248_320), "2,048,408,248,320");
        assert_eq!(grouped(7), "7");
    }
}
