//! Hostnames, resolvers, time, addresses and rules of the network.

use super::section::Section;
use crate::format::address;
use crate::scalar::integer;

pub(crate) fn check_dhcp(client: Section<'_>) {
    match (client.word("clientIdentifier") == "duid", client.is_filled("duidRaw")) {
        _ if client.is_unknown("clientIdentifier") => {}
        (false, true) => {
            let message = "`duidRaw` needs `clientIdentifier: duid`";
            client.refuse("duidRaw", message, "add it, or remove `duidRaw`");
        }
        (true, false) => client.refuse("clientIdentifier", "`clientIdentifier: duid` needs `duidRaw`", "add `duidRaw`"),
        _ => {}
    }
}

pub(crate) fn check_hostname(document: Section<'_>) {
    let (auto, name) = (document.word("auto"), document.text("hostname"));
    // Talos 1.12 ignores `auto: off`.
    let is_unset = auto.is_empty() || auto == "off" && !document.since(13);
    if is_unset && name.is_empty() {
        let message = "HostnameConfig has neither `hostname` nor an `auto` that makes one";
        document.refuse("hostname", message, "add `hostname`, or write `auto: stable`");
    }
    if !matches!(auto.as_str(), "" | "off") && !name.is_empty() {
        let message = format!("HostnameConfig has the hostname `{name}` and does not turn `auto` off");
        // The patch that turned it on again is the one to fix.
        let (path, help) = match document.is_written("auto") {
            true => ("auto", "remove it, or the hostname"),
            false => ("hostname", "add `auto: off`"),
        };
        document.refuse(path, message, help);
    }
    if !matches!(auto.as_str(), "" | "off" | "stable") {
        document.refuse("auto", format!("`{auto}` is not a valid `auto`"), "write `off` or `stable`");
    }
    let first = name.split('.').next().unwrap_or_default();
    if name.len() > 253 {
        let message = format!("the hostname has {} characters, more than 253", name.len());
        document.refuse("hostname", message, "choose a shorter name");
    }
    if !name.is_empty() && !(1..=63).contains(&first.len()) {
        let message = format!("the first part of the hostname has {} characters, not 1 to 63", first.len());
        document.refuse("hostname", message, "choose another name");
    }
}

pub(crate) fn check_resolver(resolver: Section<'_>) {
    if !resolver.since(14) {
        return;
    }
    for path in ["hostDNS.forwardKubeDNSToHost", "hostDNS.resolveMemberNames"] {
        if resolver.is_true(path) && !resolver.may_be_true("hostDNS.enabled") {
            resolver.refuse(path, format!("`{path}` needs `hostDNS.enabled: true`"), "add `enabled: true`");
        }
    }
    for server in resolver.items("nameservers") {
        server.require("address");
        match (is_encrypted(server), server.is_filled("tlsServerName")) {
            _ if server.is_unknown("protocol") => {}
            (true, false) => {
                let message =
                    format!("a nameserver with `protocol: {}` has no `tlsServerName`", server.text("protocol"));
                server.refuse("tlsServerName", message, "add `tlsServerName`");
            }
            (false, true) => {
                let message = "a nameserver without encryption has a `tlsServerName`";
                server.refuse("tlsServerName", message, "remove it, or add `protocol: DoT`");
            }
            _ => {}
        }
    }
}

pub(crate) fn is_encrypted(server: Section<'_>) -> bool {
    ["dot", "doh"].iter().any(|protocol| server.text("protocol").eq_ignore_ascii_case(protocol))
}

pub(crate) fn check_time(document: Section<'_>) {
    if document.has("ntp") && document.has("ptp") {
        document.refuse_both("ntp", "ptp");
    }
    if document.since(14) && document.is_true("ntp.useNTS") {
        for server in document.items("ntp.servers").filter(|server| address(server.scalar()).is_some()) {
            let message = format!("the time server {} is an address, which `useNTS` cannot verify", server.scalar());
            server.refuse("", message, "write a hostname, or remove `useNTS`");
        }
    }
}

/// Checks a rule that chooses a routing table.
pub(crate) fn check_routing_rule(rule: Section<'_>) {
    let name = rule.name();
    match name.parse::<u32>().ok().filter(|_| name.bytes().all(|byte| byte.is_ascii_digit())) {
        None if name.is_empty() => {}
        None => {
            let message = format!("the name of a RoutingRuleConfig, `{name}`, is not a valid priority");
            rule.refuse("name", message, "write a number from 1 to 32765, in quotes");
        }
        // Linux's own rules, and KubeSpan's.
        Some(0 | 32500 | 32766 | 32767) => {
            let message = format!("the priority {name} is reserved");
            rule.refuse("name", message, "write another number from 1 to 32765");
        }
        Some(_) => {}
    }
    let is_unset = |path| matches!(rule.word(path).as_str(), "" | "0" | "unspec");
    if is_unset("table") && (is_unset("action") || rule.word("action") == "unicast") {
        let message = format!("{} has no `table`", rule.title());
        rule.refuse("table", message, "add `table`, or an `action` that needs none");
    }
    let is_known = !rule.is_unknown("fwMark");
    if is_known && rule.number("fwMask").unwrap_or_default() != 0 && rule.number("fwMark").unwrap_or_default() == 0 {
        rule.refuse_without("fwMask", "fwMark");
    }
}

pub(crate) fn check_firewall_rule(rule: Section<'_>) {
    let range = |text: &str| {
        let (low, high) = text.split_once('-').unwrap_or((text, text));
        Some((integer(low)?, integer(high)?))
    };
    let ports = rule.items("portSelector.ports");
    let mut ranges: Vec<_> = ports.filter_map(|port| Some((range(port.scalar())?, port))).collect();
    ranges.sort_by_key(|((low, _), _)| *low);
    for (at, ((low, high), port)) in ranges.iter().enumerate() {
        if low > high {
            let message = format!("the range of ports `{}` ends before it begins", port.scalar());
            port.refuse("", message, "write the smaller number first");
        } else if at > 0 && *low <= ranges[at - 1].0.1 {
            let message = format!("the ports `{}` overlap with `{}`", port.scalar(), ranges[at - 1].1.scalar());
            port.refuse("", message, "write each port once");
        }
    }
}
