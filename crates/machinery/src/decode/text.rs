//! Strings with a syntax of their own: durations, sizes, ports, base64.

/// Units of Go's `time.ParseDuration`.
const DURATION_UNITS: [&str; 8] = ["ns", "us", "µs", "μs", "ms", "s", "m", "h"];

/// Letters of the units of go-humanize's `ParseBytes`, which drops case: each is a thousand, or 1024, times the one before.
const SIZE_LETTERS: &str = "kmgtpe";

/// Whether Go's `time.ParseDuration` reads a text: `1h30m`, `-1.5s`, `0`.
pub(super) fn is_duration(text: &str) -> bool {
    let mut rest = text.strip_prefix(['+', '-']).unwrap_or(text);
    if rest == "0" {
        return true;
    }
    if rest.is_empty() {
        return false;
    }
    while !rest.is_empty() {
        let number = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let unit = rest[number..].find(|c: char| c.is_ascii_digit() || c == '.').map_or(rest.len(), |end| number + end);
        let (digits, name) = (&rest[..number], &rest[number..unit]);
        let is_number = digits.matches('.').count() < 2 && digits.bytes().any(|byte| byte.is_ascii_digit());
        if !is_number || !DURATION_UNITS.contains(&name) {
            return false;
        }
        rest = &rest[unit..];
    }
    true
}

/// Whether go-humanize's `ParseBytes` reads a text: digits with points and commas, blanks, a unit or none, and less than 2^64 bytes.
pub(super) fn is_byte_size(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.' && c != ',').unwrap_or(text.len());
    let number = text[..end].replace(',', "").parse::<f64>();
    let unit = unit(&text[end..].trim().to_lowercase());
    matches!((number, unit), (Ok(number), Some(unit)) if number * unit < u64::MAX as f64)
}

/// The bytes of a unit in small letters.
fn unit(name: &str) -> Option<f64> {
    let name = name.strip_suffix('b').unwrap_or(name);
    let (letter, step) = name.strip_suffix('i').map_or((name, 1000.0), |letter| (letter, 1024.0_f64));
    match letter {
        "" => (step < 1024.0).then_some(1.0),
        _ if letter.len() == 1 => {
            SIZE_LETTERS.find(letter).and_then(|at| i32::try_from(at).ok()).map(|at| step.powi(at + 1))
        }
        _ => None,
    }
}

/// Whether a text without sign is a size or a part of the whole, from 0% to 100%.
pub(super) fn is_size(text: &str) -> bool {
    if !text.contains('%') {
        return is_byte_size(text);
    }
    let number = text.strip_suffix('%').and_then(|number| number.parse::<f64>().ok());
    number.is_some_and(|number| (0.0..=100.0).contains(&number))
}

/// Whether a text compares a size: `>= 100GB`.
pub(super) fn is_disk_condition(text: &str) -> bool {
    let text = text.trim();
    let operators = [">=", "<=", "==", ">", "<"];
    let size = operators.iter().find_map(|operator| text.strip_prefix(operator)).unwrap_or(text);
    is_byte_size(size.trim())
}

/// Whether a text is two ports with a hyphen between them.
pub(super) fn is_port_range(text: &str) -> bool {
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    text.split_once('-').is_some_and(|(low, high)| is_port(low) && is_port(high))
}

/// Whether a text is standard base64 with its padding; line ends do not count.
pub(super) fn is_base64(text: &str) -> bool {
    let bytes: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect();
    let data = bytes.iter().take_while(|byte| **byte != b'=').count();
    let padding = bytes.len() - data;
    bytes.len().is_multiple_of(4)
        && padding <= 2
        && bytes[data..].iter().all(|byte| *byte == b'=')
        && bytes[..data].iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
}

#[cfg(test)]
mod tests {
    use super::{is_base64, is_port_range};

    #[test]
    fn base64_has_its_padding() {
        assert!(["", "YQ==", "YWI=", "YWJj", "YWJj\nYWJj\r\n", "+/8="].iter().all(|text| is_base64(text)));
        assert!(!["YQ", "YQ=", "Y===", "YW-j", "YWJj ", "YQ==YQ=="].iter().any(|text| is_base64(text)));
    }

    #[test]
    fn ports_are_two_numbers() {
        assert!(is_port_range("8000-9000") && is_port_range("1-1"));
        assert!(!["8000", "8000-", "-1", "1-70000", "+1-2", "a-b", "1 - 2"].iter().any(|text| is_port_range(text)));
    }
}
