//! Gateways that no address of their link reaches.
//!
//! Linux refuses a route through a gateway that is in no network of the link, and Talos sets no `onlink` flag on routes: release-1.13
//! controllers/network/route_config.go.

use ipnet::IpNet;
use talosmith_document::Code;

use super::identity::LINKS;
use super::section::Section;
use crate::format::{address, prefix};
use crate::placeholder::is_unknown;
use crate::talos_data::types::MAIN;

pub(crate) fn check_routes(document: Section<'_>) {
    match document.document.kind {
        MAIN => {
            for interface in document.items("machine.network.interfaces").filter(|item| !item.may_be_true("ignore")) {
                check_interface(interface);
                interface.items("vlans").for_each(check_interface);
            }
        }
        kind if LINKS.contains(&kind) => {
            let clients = |kind: &str| {
                document.config().all(kind).any(|client| client.name == document.name() || is_unknown(client.name))
            };
            let link = Link {
                addresses: document.items("addresses").map(|item| item.text("address")).collect(),
                has_dhcp: [clients("DHCPv4Config"), clients("DHCPv6Config")],
                network: "destination",
            };
            link.check(document);
        }
        _ => {}
    }
}

/// Checks an interface of the main document, or a VLAN of it.
fn check_interface(interface: Section<'_>) {
    let mut addresses: Vec<&str> = interface.items("addresses").map(Section::scalar).collect();
    addresses.extend(Some(interface.text("cidr")).filter(|address| !address.is_empty()));
    let has_dhcp = [
        interface.may_be_true("dhcp") && interface.value.flag("dhcpOptions.ipv4") != Some(false),
        interface.may_be_true("dhcp") && interface.may_be_true("dhcpOptions.ipv6"),
    ];
    Link { addresses, has_dhcp, network: "network" }.check(interface);
}

/// The addresses of a link.
struct Link<'a> {
    addresses: Vec<&'a str>,
    /// Whether DHCP assigns others, of IPv4 and of IPv6.
    has_dhcp: [bool; 2],
    /// The key of a route's destination.
    network: &'static str,
}

impl Link<'_> {
    /// Checks that a route and its gateway are of one family. Talos takes the family of the gateway, also for `0.0.0.0/0`.
    fn check_family(&self, route: Section<'_>) {
        let (Some(gateway), Some(network)) = (address(route.text("gateway")), prefix(route.text(self.network))) else {
            return;
        };
        if gateway.is_ipv4() == network.addr().is_ipv4() {
            return;
        }
        let family = |is_ipv4: bool| if is_ipv4 { "IPv4" } else { "IPv6" };
        let [of_gateway, of_network] = [gateway.is_ipv4(), network.addr().is_ipv4()].map(family);
        let message = format!("the gateway {gateway} is of {of_gateway}, and the route to {network} of {of_network}");
        let note = match network.prefix_len() {
            0 => format!("Talos adds a default route of {of_gateway}, and none of {of_network}"),
            _ => "Linux refuses the route, so the node has no such route".to_owned(),
        };
        route.report(Code::UnreachableGateway, "gateway", message, |finding| {
            finding.note(note).help(format!("write a gateway of {of_network}"))
        });
    }

    fn check(&self, link: Section<'_>) {
        link.items("routes").for_each(|route| self.check_family(route));
        // The platform may assign addresses that the config does not have.
        if link.items("routes").len() == 0 || self.addresses.is_empty() {
            return;
        }
        let parse = |text: &&str| prefix(text).or_else(|| text.parse::<std::net::IpAddr>().ok().map(IpNet::from));
        let own: Option<Vec<IpNet>> = self.addresses.iter().map(parse).collect();
        // An address that cannot be parsed is a placeholder.
        let Some(own) = own else { return };
        let direct: Vec<IpNet> = link
            .items("routes")
            .filter(|route| !route.is_filled("gateway"))
            .filter_map(|route| prefix(route.text(self.network)))
            .collect();
        for route in link.items("routes") {
            let Some(gateway) = address(route.text("gateway")) else { continue };
            let is_link_local = match gateway {
                std::net::IpAddr::V6(gateway) => gateway.is_unicast_link_local(),
                std::net::IpAddr::V4(gateway) => gateway.is_link_local(),
            };
            let is_reached = own.iter().chain(&direct).any(|network| network.contains(&gateway));
            let has_family = own.iter().any(|network| network.addr().is_ipv4() == gateway.is_ipv4());
            if own.iter().any(|network| network.addr() == gateway) {
                let message = format!("the gateway {gateway} is the link's own address");
                route.report(Code::UnreachableGateway, "gateway", message, |finding| {
                    finding
                        .note("Linux refuses the route, so the node has no such route")
                        .help("write the address of the router")
                });
                continue;
            }
            if is_link_local || is_reached || !has_family || self.has_dhcp[usize::from(gateway.is_ipv6())] {
                continue;
            }
            let message = format!("no address of the link is in the network of the gateway {gateway}");
            route.report(Code::UnreachableGateway, "gateway", message, |finding| {
                finding
                    .note(format!("its addresses are {}; Linux refuses the route, so the node has no such route", self.addresses.join(", ")))
                    .help("write the gateway's address in this network, or the right length after the `/` of the link's address")
            });
        }
    }
}
