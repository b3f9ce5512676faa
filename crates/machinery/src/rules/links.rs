//! Network links.

use super::section::Section;
use crate::format::address;

/// Checks the addresses and routes of a link.
pub(crate) fn check_link(link: Section<'_>) {
    for item in link.items("addresses") {
        let address = item.text("address");
        item.require("address");
        if is_unspecified(address) {
            item.refuse("address", format!("a link cannot have the address {address}"), "write an address");
        }
    }
    for route in link.items("routes") {
        for path in ["destination", "gateway", "source"].into_iter().filter(|path| is_unspecified(route.text(path))) {
            let message = format!("the `{path}` of a route is {}", route.text(path));
            let help = match path {
                "destination" => "remove `destination` for the default route",
                _ => "write an address",
            };
            route.refuse(path, message, help);
        }
    }
}

fn is_unspecified(text: &str) -> bool {
    address(text.split('/').next().unwrap_or_default()).is_some_and(|address| address.is_unspecified())
}

pub(crate) fn check_vrf(vrf: Section<'_>) {
    let table = vrf.word("table");
    // Linux reserves 253 to 255.
    if matches!(table.as_str(), "" | "0" | "253" | "254" | "255" | "unspec" | "default" | "main" | "local") {
        let message = format!("{} has no routing table of its own", vrf.title());
        vrf.refuse("table", message, "write a number other than 0 and 253 to 255");
    }
}

/// Checks two links that are connected to each other.
pub(crate) fn check_veth(veth: Section<'_>) {
    for path in ["name", "peer.name"] {
        let fault = match veth.text(path) {
            "" => "is missing",
            "." | ".." => "is not a name",
            name if name.len() > 15 => "is longer than 15 bytes",
            name if name.contains(['/', ':']) => "contains a `/` or a `:`",
            name if name.chars().any(|each| each.is_whitespace() || each.is_control()) => "contains a blank",
            _ => continue,
        };
        let message = format!("`{path}` of a VethConfig {fault}");
        veth.refuse(path, message, "write a name of 1 to 15 letters and digits");
    }
    if veth.is_filled("peer.name") && veth.name() == veth.text("peer.name") {
        veth.refuse("peer.name", "a VethConfig and its peer have the same name", "rename the peer");
    }
    veth.section("peer").into_iter().for_each(check_link);
}

/// Checks another name for links.
pub(crate) fn check_alias(alias: Section<'_>) {
    if alias.since(13)
        && let Some((before, verb)) = alias.name().split_once('%')
        && (verb != "d" || before.is_empty())
    {
        let message = format!("the alias `{}` has a `%` that is not `%d` at its end", alias.name());
        alias.refuse("name", message, "write it as `net%d`");
    }
}
