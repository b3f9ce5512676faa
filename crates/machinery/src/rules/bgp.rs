//! BGP.

use super::{Rules, format};
use crate::config::Document;
use crate::value::Value;

/// A router.
pub(crate) fn check_instance(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let value = &document.value;
    if value.number("localASN").unwrap_or_default() == 0 {
        rules.require(document, "localASN");
        if value.has("localASN") {
            rules.refuse(document, "localASN", "`localASN` is 0", "write the number of the autonomous system");
        }
    }
    if format::address(value.text("routerID")).is_some_and(|address| address.is_ipv6()) {
        rules.refuse(document, "routerID", "`routerID` is no IPv4 address", "write an IPv4 address");
    }
    neighbors(rules, document);
    imports(rules, document);
}

fn neighbors(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for neighbor in document.value.items("neighbors") {
        let (address, link) = (neighbor.text("address"), neighbor.text("link"));
        if address.is_empty() == link.is_empty() {
            rules.refuse_value(
                document,
                neighbor,
                "a neighbor needs either `address` or `link`",
                "write one of the two",
            );
        } else {
            let key = if address.is_empty() { link } else { address };
            if seen.contains(&key) {
                rules.refuse_value(document, neighbor, format!("the neighbor {key} is there twice"), "remove one");
            }
            seen.push(key);
        }
        for field in ["holdTime", "bfd.transmitInterval", "bfd.receiveInterval"] {
            if format::duration(neighbor.text(field)).is_some_and(|seconds| seconds < 0.0) {
                rules.refuse_value(
                    document,
                    neighbor,
                    format!("`{field}` is negative"),
                    "write a time of zero or more",
                );
            }
        }
        if neighbor.has("bfd") && !document.value.text("vrf").is_empty() {
            let at = neighbor.get("bfd").unwrap_or(neighbor);
            rules.refuse_value(document, at, "`bfd` does not work with a `vrf`", "remove one of the two");
        }
    }
}

fn imports(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let mut sources: Vec<&str> = Vec::new();
    let mut networks = Vec::new();
    for route in document.value.items("importRoutes") {
        let source = route.text("bgpInstance");
        if source.is_empty() {
            rules.refuse_value(document, route, "`importRoutes` names no `bgpInstance`", "add `bgpInstance`");
        } else if source == document.name {
            rules.refuse_value(document, route, "a BGP instance imports its own routes", "name another `bgpInstance`");
        } else if sources.contains(&source) {
            rules.refuse_value(document, route, format!("`{source}` is imported twice"), "write one item for it");
        }
        sources.push(source);
        let prefixes: &[Value<'_>] = route.items("prefixes");
        if prefixes.is_empty() {
            rules.refuse_value(document, route, "`importRoutes` names no `prefixes`", "add `prefixes`");
        }
        for item in prefixes {
            let Some(prefix) = format::prefix(item.scalar()) else { continue };
            if format::masked(prefix) != prefix.0 {
                rules.refuse_value(document, item, format!("{} has host bits set", item.scalar()), "cut them off");
            } else if networks.iter().any(|other| format::overlap(*other, prefix)) {
                let message = format!("{} overlaps with a network before it", item.scalar());
                rules.refuse_value(document, item, message, "write each network once");
            }
            networks.push(prefix);
        }
    }
}
