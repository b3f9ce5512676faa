//! Gateways that no address of their link reaches.
//!
//! Linux refuses a route through a gateway that is in no network of the link, and Talos sets no `onlink` flag on routes: release-1.13
//! controllers/network/route_config.go.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ipnet::IpNet;
use talosmith_document::Code;

use super::DhcpClients;
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
            if document.items("routes").len() == 0 {
                return;
            }
            let clients = document.rules.dhcp_clients.get_or_init(|| {
                ["DHCPv4Config", "DHCPv6Config"].map(|kind| {
                    let names: BTreeSet<String> =
                        document.config().all(kind).map(|client| client.name.to_owned()).collect();
                    DhcpClients { is_any_unknown: names.iter().any(|name| is_unknown(name)), names }
                })
            });
            let link = Link {
                addresses: document.items("addresses").map(|item| item.text("address")).collect(),
                has_dhcp: clients
                    .each_ref()
                    .map(|clients| clients.is_any_unknown || clients.names.contains(document.name())),
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

/// What is wrong with a gateway, what happens, and what to write instead.
#[derive(Debug)]
pub struct GatewayFault {
    pub message: String,
    pub note: String,
    pub help: String,
}

/// Returns what is wrong with a gateway that is not of the family of its route. Talos takes the family of the gateway, also for a default
/// route.
#[must_use]
pub fn other_family(gateway: IpAddr, network: IpNet) -> Option<GatewayFault> {
    if gateway.is_ipv4() == network.addr().is_ipv4() {
        return None;
    }
    let [own, other] = if gateway.is_ipv4() { ["IPv4", "IPv6"] } else { ["IPv6", "IPv4"] };
    let message = format!("the gateway {gateway} is of {own}, and the route to {network} of {other}");
    Some(match network.prefix_len() {
        0 => {
            let default = if gateway.is_ipv4() { "0.0.0.0/0" } else { "::/0" };
            GatewayFault {
                message,
                note: format!("Talos adds a default route of {own}, and none of {other}"),
                help: format!("write a gateway of {other}, or the destination `{default}`"),
            }
        }
        _ => GatewayFault {
            message,
            note: "Linux refuses the route, so the node has no such route".to_owned(),
            help: format!("write a gateway of {other}"),
        },
    })
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
    /// Checks that a route and its gateway are of one family.
    fn check_family(&self, route: Section<'_>) {
        let (gateway, network) = (address(route.text("gateway")), prefix(route.text(self.network)));
        if let Some(fault) = gateway.zip(network).and_then(|(gateway, network)| other_family(gateway, network)) {
            route.report(Code::UnreachableGateway, "gateway", fault.message, |finding| {
                finding.note(fault.note).help(fault.help)
            });
        }
    }

    fn check(&self, link: Section<'_>) {
        link.items("routes").for_each(|route| self.check_family(route));
        // The platform may assign addresses that the config does not have.
        if link.items("routes").len() == 0 || self.addresses.is_empty() {
            return;
        }
        let parse = |text: &&str| prefix(text).or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from));
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
                IpAddr::V6(gateway) => gateway.is_unicast_link_local(),
                IpAddr::V4(gateway) => gateway.is_link_local(),
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
