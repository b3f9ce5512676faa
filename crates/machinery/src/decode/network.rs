//! Addresses, networks and URLs as Go's `net/netip` and `net/url` read them. Each accepts an empty string.

use std::net::Ipv4Addr;

use crate::{format, url};

/// The highest number of a routing table; what is above has a name.
const LAST_NUMBERED_TABLE: u32 = 252;

pub(super) fn is_address(text: &str) -> bool {
    text.is_empty() || format::address(text).is_some()
}

pub(super) fn is_address_port(text: &str) -> bool {
    let Some((address, port)) = text.rsplit_once(':') else { return text.is_empty() };
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok();
    let is_address = match address.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').is_some_and(|inner| inner.contains(':') && is_address(inner)),
        None => address.parse::<Ipv4Addr>().is_ok(),
    };
    is_port && is_address
}

pub(super) fn is_prefix(text: &str) -> bool {
    text.is_empty() || format::prefix(text).is_some()
}

pub(super) fn is_hardware_address(text: &str) -> bool {
    format::hardware_address(text).is_some()
}

pub(super) fn is_routing_table(text: &str) -> bool {
    let is_number =
        !text.starts_with(['0', '+']) && text.parse().is_ok_and(|number| (1..=LAST_NUMBERED_TABLE).contains(&number));
    is_number || matches!(text.to_lowercase().as_str(), "unspec" | "default" | "main" | "local")
}

pub(super) fn is_url(text: &str) -> bool {
    let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
    if text.bytes().any(|byte| byte < b' ' || byte == 0x7f) || !is_escaped(fragment) {
        return false;
    }
    if text.starts_with(':') {
        return false;
    }
    let (scheme, rest) = url::scheme(text);
    let rest = rest.split_once('?').map_or(rest, |(path, _)| path);
    if !rest.starts_with('/') {
        if !scheme.is_empty() {
            return true;
        }
        let first = rest.split('/').next().unwrap_or_default();
        return !first.contains(':') && is_escaped(rest);
    }
    let (authority, path) = match rest.strip_prefix("//") {
        Some(after) if !scheme.is_empty() || !after.starts_with('/') => {
            after.find('/').map_or((after, ""), |at| after.split_at(at))
        }
        _ => ("", rest),
    };
    is_authority(authority) && is_escaped(path)
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.rsplit_once('@').unwrap_or(("", text));
    let (name, port) = match host.strip_prefix('[').map(|inside| inside.rsplit_once(']')) {
        Some(None) => return false,
        Some(Some((address, port))) => (address.split("%25").next().unwrap_or_default(), port),
        None => host.split_at(host.rfind(':').unwrap_or(host.len())),
    };
    let is_legal = |text: &str, marks: &str, is_other: fn(char) -> bool| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || is_other(c) || marks.contains(c))
    };
    let is_port = port.strip_prefix(':').unwrap_or("x").bytes().all(|byte| byte.is_ascii_digit());
    is_legal(user, "-._:~!$&'()*+,;=%@", |_| false)
        && is_escaped(user)
        && is_legal(name, "-_.~!$&'()*+,;=:[]<>\"", |c| !c.is_ascii())
        && (port.is_empty() || is_port)
}

/// Whether each percent sign has two hexadecimal digits after it.
fn is_escaped(text: &str) -> bool {
    text.match_indices('%').all(|(at, _)| {
        let digits = text.as_bytes().get(at + 1..at + 3);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::{is_address, is_address_port, is_hardware_address, is_prefix, is_url};

    #[test]
    fn addresses_are_gos() {
        assert!(["", "192.0.2.1", "::1", "fe80::1%eth0", "::ffff:192.0.2.1"].iter().all(|text| is_address(text)));
        assert!(
            !["192.0.2.01", "192.0.2", "192.0.2.1/24", "node", "fe80::1%", "1.1.1.1%a"]
                .iter()
                .any(|text| is_address(text))
        );
        assert!(["", "192.0.2.1:80", "[::1]:80"].iter().all(|text| is_address_port(text)));
        assert!(
            !["192.0.2.1", "::1:80", "[192.0.2.1]:80", "node:80", "192.0.2.1:99999"]
                .iter()
                .any(|text| is_address_port(text))
        );
        assert!(["", "192.0.2.1/24", "10.0.0.0/8", "fd00::/64", "0.0.0.0/0"].iter().all(|text| is_prefix(text)));
        assert!(
            !["192.0.2.1", "10.0.0.0/33", "10.0.0.0/08", "fe80::1%a/64", "10/8", "a/8"]
                .iter()
                .any(|text| is_prefix(text))
        );
        assert!(["", "aa:bb:cc:00:11:22", "aabb"].iter().all(|text| is_hardware_address(text)));
        assert!(!["a", "gg", "aa-bb"].iter().any(|text| is_hardware_address(text)));
    }

    #[test]
    fn urls_are_gos() {
        for text in [
            "",
            "https://192.0.2.1:6443",
            "tcp://node:5044/path?a=b#c",
            "udp://[fd00::1]:514",
            "https://user:pw@node",
            "node",
            "node/path:1",
            "/a b",
            "mailto:a",
            "https://node:",
            "http://a_b.c",
        ] {
            assert!(is_url(text), "{text}");
        }
        for text in [
            "192.0.2.1:80",
            ":80",
            "https://node:port",
            "https://a b",
            "https://node/%zz",
            "https://[::1",
            "https://{node}",
            "a\tb",
            "1a:b",
        ] {
            assert!(!is_url(text), "{text}");
        }
    }
}
