//! BGP.

use ipnet::IpNet;

use super::section::{Section, is_repeated};
use crate::format::prefix;

pub(crate) fn check_instance(instance: Section<'_>) {
    let mut seen = Vec::new();
    for neighbor in instance.items("neighbors") {
        let (address, link) = (neighbor.text("address"), neighbor.text("link"));
        if address.is_empty() == link.is_empty() {
            neighbor.refuse("", "a neighbor needs either `address` or `link`", "write one of the two");
        } else if is_repeated(&mut seen, if address.is_empty() { link } else { address }) {
            neighbor.refuse("", format!("two neighbors are `{address}{link}`"), "remove one of the two");
        }
        if neighbor.has("bfd") && instance.is_filled("vrf") {
            neighbor.refuse("bfd", "`bfd` cannot be combined with `vrf`", "remove one of the two");
        }
    }
    let mut sources = Vec::new();
    let mut networks: Vec<IpNet> = Vec::new();
    for route in instance.items("importRoutes") {
        let source = route.text("bgpInstance");
        route.require("bgpInstance");
        if source == instance.name() {
            route.refuse("bgpInstance", "a BGP instance imports its own routes", "write another `bgpInstance`");
        } else if is_repeated(&mut sources, source) && !source.is_empty() {
            route.refuse("bgpInstance", format!("`{source}` is imported twice"), "write one item for it");
        }
        route.require("prefixes");
        for item in route.items("prefixes") {
            let Some(network) = prefix(item.scalar()) else { continue };
            if network.addr() != network.network() {
                let help = format!("write `{}`", network.trunc());
                item.refuse("", format!("{} has host bits set", item.scalar()), help);
            } else if networks.iter().any(|other| network.contains(other) || other.contains(&network)) {
                let message = format!("{} overlaps with a network before it", item.scalar());
                item.refuse("", message, "write each network once");
            }
            networks.push(network);
        }
    }
}
