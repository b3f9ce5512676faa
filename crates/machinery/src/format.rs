//! How Go parses strings: sizes, durations, addresses, URLs and so on.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::IpNet;

/// The number of bytes that go-humanize parses, and whether it is negative.
///
/// Source: github.com/dustin/go-humanize, `ParseBytes`.
pub(crate) fn bytes(text: &str) -> Option<(u64, bool)> {
    let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let end = text.find(|each: char| !each.is_ascii_digit() && each != '.' && each != ',').unwrap_or(text.len());
    let number: f64 = text[..end].replace(',', "").parse().ok()?;
    let unit = text[end..].trim().to_lowercase();
    let unit = unit.strip_suffix('b').unwrap_or(&unit);
    let (letter, step) = unit.strip_suffix('i').map_or((unit, 1000.0), |letter| (letter, 1024.0_f64));
    let factor = match letter {
        "" if step < 1024.0 => 1.0,
        _ if letter.len() == 1 => step.powi(i32::try_from("kmgtpe".find(letter)?).ok()? + 1),
        _ => return None,
    };
    let bytes = number * factor;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "as Go converts it")]
    (bytes < u64::MAX as f64).then_some((bytes as u64, is_negative))
}

/// The seconds that Go's `time.ParseDuration` parses: `1h30m`, `-1.5s`, `0`.
pub(crate) fn duration(text: &str) -> Option<f64> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    if matches!(rest, "" | "0") {
        return (rest == "0").then_some(0.0);
    }
    let mut seconds = 0.0;
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|each: char| !each.is_ascii_digit() && each != '.')?);
        let end = after.find(|each: char| each.is_ascii_digit() || each == '.').unwrap_or(after.len());
        let factor = match &after[..end] {
            "ns" => 1e-9,
            "us" | "µs" | "μs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        seconds += digits.parse::<f64>().ok()? * factor;
        rest = &after[end..];
    }
    Some(sign * seconds)
}

/// An address, with a zone if it is of IPv6.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        Some((address, zone)) if !zone.is_empty() => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        Some(_) => None,
        None => text.parse().ok(),
    }
}

/// An address and the length of its network.
pub(crate) fn prefix(text: &str) -> Option<IpNet> {
    let (address, length) = text.rsplit_once('/')?;
    let is_number = length == "0" || !length.starts_with('0') && length.bytes().all(|byte| byte.is_ascii_digit());
    IpNet::new(address.parse().ok()?, length.parse().ok().filter(|_| is_number)?).ok()
}

/// A hardware address as Go writes it, `02:00:00:00:00:14`; none for what is not pairs of hexadecimal digits, with colons between them or not.
pub(crate) fn hardware_address(text: &str) -> Option<String> {
    let digits: Vec<char> = text.chars().filter(|c| *c != ':').collect();
    let is_address = digits.len().is_multiple_of(2) && digits.iter().all(char::is_ascii_hexdigit);
    let pairs = digits.chunks(2).map(|pair| pair.iter().collect::<String>().to_ascii_lowercase());
    is_address.then(|| pairs.collect::<Vec<_>>().join(":"))
}

/// A host and a port, as Go's `net.SplitHostPort` splits them.
pub(crate) fn host_port(text: &str) -> Option<(&str, &str)> {
    let (host, port) = text.rsplit_once(':')?;
    if let Some(inner) = host.strip_prefix('[') {
        let inner = inner.strip_suffix(']')?;
        return (!inner.contains(['[', ']'])).then_some((inner, port));
    }
    (!host.contains([':', '[', ']']) && !port.contains(['[', ']'])).then_some((host, port))
}

/// The number of bytes that a Base64 string encodes, in which line ends do not count.
pub(crate) fn base64(text: &str) -> Option<usize> {
    let text: String = text.chars().filter(|each| !matches!(each, '\r' | '\n')).collect();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let digits = text.trim_end_matches('=');
    let padding = text.len() - digits.len();
    let legal = digits.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
    (legal && padding <= 2).then_some(text.len() / 4 * 3 - padding)
}

/// The kinds of the valid PEM blocks in a string, and whether each contains DER.
pub(crate) fn pem(text: &str) -> Vec<(&str, bool)> {
    let mut kinds = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let Some((kind, after)) = after.split_once("-----") else { break };
        let end = format!("-----END {kind}-----");
        let Some((body, after)) = after.split_once(&end) else { break };
        let body = body.rsplit("\n\n").next().unwrap_or_default();
        let body: String = body.chars().filter(|each| !each.is_whitespace()).collect();
        if let Some(length) = base64(&body) {
            kinds.push((kind, is_der(&body, length)));
        }
        rest = after;
    }
    kinds
}

/// Whether a Base64 string of some bytes is a sequence of DER that fills them.
fn is_der(text: &str, bytes: usize) -> bool {
    let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = |digit: u8| digits.iter().position(|&other| other == digit).unwrap_or_default();
    let start: Vec<usize> = text
        .as_bytes()
        .chunks(4)
        .take(2)
        .filter(|four| four.len() == 4)
        .flat_map(|four| {
            let bits = four.iter().fold(0, |bits, &digit| bits << 6 | value(digit));
            [bits >> 16 & 255, bits >> 8 & 255, bits & 255]
        })
        .collect();
    let [first, length, high, low, ..] = start[..] else { return false };
    let whole = match length {
        0..=127 => length + 2,
        129 => high + 3,
        130 => (high << 8 | low) + 4,
        _ => bytes,
    };
    first == 0x30 && whole == bytes
}

/// Whether go-containerregistry parses a string as the name of an image.
pub(crate) fn is_image(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let is_digest = |digest: &str| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let (rest, tag) = match rest.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (rest, None),
    };
    let is_tag = |tag: &str| {
        (1..=128).contains(&tag.len()) && tag.chars().all(|each| each.is_ascii_alphanumeric() || "_-.".contains(each))
    };
    let repository = match rest.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => rest,
    };
    let legal = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || "_-./".contains(each);
    (2..=255).contains(&repository.len())
        && repository.chars().all(legal)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_has_its_padding() {
        let good = ["", "YQ==", "YWI=", "YWJj", "YWJj\nYWJj\r\n", "+/8="];
        assert!(good.iter().all(|text| base64(text).is_some()));
        let bad = ["YQ", "YQ=", "Y===", "YW-j", "YWJj ", "YQ==YQ=="];
        assert!(!bad.iter().any(|text| base64(text).is_some()));
    }
}
