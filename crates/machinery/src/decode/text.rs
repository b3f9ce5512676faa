//! Texts with a form of their own: durations, sizes, ports, base64, dates.

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

/// Whether go-yaml takes a plain scalar for a date: `2024-1-31`, alone or with a time behind a blank or, with a zone, behind a `T`.
pub(super) fn is_timestamp(text: &str) -> bool {
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
    let is_day = (1..=12).contains(&month) && (1..=days).contains(&day);
    is_day
        && match rest.chars().next() {
            None => true,
            Some(' ') => is_time(&rest[1..]),
            Some('T' | 't') => {
                let time = &rest[1..];
                match time.strip_suffix('Z') {
                    Some(time) => is_time(time),
                    None => time.rfind(['+', '-']).is_some_and(|at| is_time(&time[..at]) && is_zone(&time[at + 1..])),
                }
            }
            Some(_) => false,
        }
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
    use super::{is_base64, is_port_range, is_timestamp};

    #[test]
    fn dates_are_those_that_go_yaml_knows() {
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
