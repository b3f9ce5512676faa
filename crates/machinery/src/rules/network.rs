//! Hostnames, resolvers, time, addresses and rules of the network.

use super::{Rules, format, volumes};
use crate::config::Document;
use crate::scalar::integer;
use crate::value::Value;

/// A DHCP client.
pub(crate) fn dhcp(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let has_raw = !document.value.text("duidRaw").is_empty();
    match (document.value.word("clientIdentifier") == "duid", has_raw) {
        (false, true) => {
            let message = "`duidRaw` needs `clientIdentifier: duid`";
            rules.refuse(document, "duidRaw", message, "add it, or remove `duidRaw`");
        }
        (true, false) => {
            let message = "`clientIdentifier: duid` needs `duidRaw`";
            rules.refuse(document, "clientIdentifier", message, "add `duidRaw`");
        }
        _ => {}
    }
}

/// The hostname.
pub(crate) fn hostname(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let (auto, name) = (document.value.word("auto"), document.value.text("hostname"));
    // Talos 1.12 takes `auto: off` for nothing.
    let nothing = auto.is_empty() || (auto == "off" && !rules.config.since(13));
    if nothing && name.is_empty() {
        let message = "HostnameConfig has neither `hostname` nor an `auto` that makes one";
        rules.refuse(document, "hostname", message, "add `hostname`, or write `auto: stable`");
    }
    if !matches!(auto.as_str(), "" | "off") && !name.is_empty() {
        let message = format!("HostnameConfig has the hostname `{name}` and does not turn `auto` off");
        // The patch that turned it on again is the one to mend.
        let (path, help) = if Rules::is_written(document.value.at("auto")) {
            ("auto", "remove it, or the hostname")
        } else {
            ("hostname", "add `auto: off`")
        };
        rules.refuse(document, path, message, help);
    }
    if !matches!(auto.as_str(), "" | "off" | "stable") {
        rules.refuse(document, "auto", format!("`auto` is `{auto}`"), "write `off` or `stable`");
    }
    if name.is_empty() {
        return;
    }
    if name.len() > 253 {
        let message = format!("the hostname has {} characters, more than 253", name.len());
        rules.refuse(document, "hostname", message, "choose a shorter name");
    }
    let first = name.split('.').next().unwrap_or_default();
    if first.is_empty() || first.len() > 63 {
        let message = format!("the first part of the hostname has {} characters, not 1 to 63", first.len());
        rules.refuse(document, "hostname", message, "choose another name");
    }
}

/// The resolver.
pub(crate) fn resolver(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if !rules.config.since(14) {
        return;
    }
    let value = &document.value;
    if !value.is_true("hostDNS.enabled") {
        for feature in ["forwardKubeDNSToHost", "resolveMemberNames"] {
            let path = format!("hostDNS.{feature}");
            if value.is_true(&path) {
                let message = format!("`{path}` needs `hostDNS.enabled: true`");
                rules.refuse(document, &path, message, "add `enabled: true`");
            }
        }
    }
    for server in value.items("nameservers") {
        let protocol = server.text("protocol");
        let is_encrypted = matches!(server.word("protocol").as_str(), "dot" | "doh");
        match (is_encrypted, server.text("tlsServerName")) {
            (true, "") => {
                let message = format!("a nameserver with `protocol: {protocol}` has no `tlsServerName`");
                rules.refuse_value(document, server, message, "add `tlsServerName`");
            }
            (false, name) if !name.is_empty() => {
                let message = "a nameserver without encryption has a `tlsServerName`";
                rules.refuse_value(document, server, message, "remove it, or add `protocol: DoT`");
            }
            _ => {}
        }
        if server.text("address").is_empty() {
            rules.refuse_value(document, server, "a nameserver has no `address`", "add `address`");
        }
    }
}

/// Time servers.
pub(crate) fn time(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    volumes::not_negative(rules, document, "bootTimeout");
    let value = &document.value;
    if value.has("ntp") && value.has("ptp") {
        rules.refuse(document, "ptp", "TimeSyncConfig has `ntp` and `ptp`", "keep one of the two");
    }
    if rules.config.since(14) && value.is_true("ntp.useNTS") {
        for server in value.items("ntp.servers").iter().filter(|server| format::address(server.scalar()).is_some()) {
            let message = format!("the time server {} is an address, which `useNTS` cannot verify", server.scalar());
            rules.refuse_value(document, server, message, "write a hostname, or remove `useNTS`");
        }
    }
}

/// A line of /etc/hosts.
pub(crate) fn static_host(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if format::address(document.name).is_none() {
        let message = format!("the name of a StaticHostConfig, `{}`, is no address", document.name);
        rules.refuse(document, "name", message, "write the address that the hostnames stand for");
    }
    if document.value.items("hostnames").is_empty() {
        let message = format!("{} has no hostnames", document.title());
        rules.refuse(document, "hostnames", message, "add `hostnames`");
    }
}

/// An address that machines share.
pub(crate) fn vip(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if format::address(document.name).is_none() {
        let message = format!("the name of a {}, `{}`, is no address", document.kind, document.name);
        rules.refuse(document, "name", message, "write the shared address");
    }
    rules.require(document, "link");
    if document.kind == "HCloudVIPConfig" {
        rules.require(document, "apiToken");
    }
}

/// KubeSpan.
pub(crate) fn kubespan(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if document.value.number("mtu").is_some_and(|mtu| mtu < 1280) {
        rules.refuse(document, "mtu", "the MTU of KubeSpan is less than 1280", "write 1280 or more");
    }
    filters(rules, document, document.value.items("filters.endpoints"));
}

/// Lists of networks and addresses, with or without a `!`.
pub(crate) fn filters(rules: &mut Rules<'_, '_>, document: &Document<'_>, items: &[Value<'_>]) {
    for item in items.iter().filter(|item| !format::filter(item.scalar())) {
        let message = format!("`{}` is no network and no address", item.scalar());
        rules.refuse_value(document, item, message, "write it as `192.0.2.0/24`, or with a `!` in front");
    }
}

/// A network that leads nowhere.
pub(crate) fn blackhole(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if format::prefix(document.name).is_none() {
        let message = format!("the name of a BlackholeRouteConfig, `{}`, is no network", document.name);
        rules.refuse(document, "name", message, "write a network such as `192.0.2.0/24`");
    }
}

/// A rule that chooses a routing table.
pub(crate) fn routing_rule(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let priority =
        document.name.parse::<u32>().ok().filter(|_| document.name.bytes().all(|byte| byte.is_ascii_digit()));
    match priority {
        None => {
            let message = format!("the name of a RoutingRuleConfig, `{}`, is no priority", document.name);
            rules.refuse(document, "name", message, "write a number from 1 to 32765, in quotes");
        }
        // Linux's own rules, and KubeSpan's.
        Some(0 | 32500 | 32766 | 32767) => {
            let message = format!("the priority {} is taken", document.name);
            rules.refuse(document, "name", message, "write another number from 1 to 32765");
        }
        Some(_) => {}
    }
    let value = &document.value;
    let unset = |word: &str| matches!(word, "" | "0" | "unspec");
    let (table, action) = (value.word("table"), value.word("action"));
    if unset(&table) && (unset(&action) || action == "unicast") {
        let message = format!("{} names no table", document.title());
        rules.refuse(document, "table", message, "add `table`, or an `action` that needs none");
    }
    if value.number("fwMask").is_some_and(|mask| mask != 0) && value.number("fwMark").unwrap_or_default() == 0 {
        rules.refuse(document, "fwMask", "`fwMask` needs `fwMark`", "add `fwMark`");
    }
}

/// A rule of the firewall.
pub(crate) fn rule(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let ports = document.value.items("portSelector.ports");
    rules.require(document, "portSelector.protocol");
    if ports.is_empty() {
        let message = format!("{} selects no ports", document.title());
        rules.refuse(document, "portSelector.ports", message, "add `portSelector: { ports: [..], protocol: tcp }`");
    }
    let mut ranges: Vec<(i128, i128, &Value<'_>)> =
        ports.iter().filter_map(|port| range(port.scalar()).map(|(low, high)| (low, high, port))).collect();
    ranges.sort_by_key(|(low, ..)| *low);
    for (at, (low, high, port)) in ranges.iter().enumerate() {
        if low > high {
            let message = format!("the range of ports `{}` ends before it begins", port.scalar());
            rules.refuse_value(document, port, message, "write the smaller number first");
        } else if at > 0 && *low <= ranges[at - 1].1 {
            let message = format!("the ports `{}` overlap with `{}`", port.scalar(), ranges[at - 1].2.scalar());
            rules.refuse_value(document, port, message, "name each port once");
        }
    }
    for item in document.value.items("ingress").iter().filter(|item| item.text("subnet").is_empty()) {
        rules.refuse_value(document, item, "an `ingress` rule has no `subnet`", "add `subnet`");
    }
}

fn range(text: &str) -> Option<(i128, i128)> {
    match text.split_once('-') {
        Some((low, high)) => Some((integer(low)?, integer(high)?)),
        None => integer(text).map(|port| (port, port)),
    }
}
