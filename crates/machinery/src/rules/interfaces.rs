//! The interfaces of the main document's network.

use talosmith_document::Code;

use super::bonds::check_bond;
use super::formats;
use super::main_document::is_control_plane;
use super::section::Section;

pub(crate) fn check_interfaces(main: Section<'_>) {
    let path = "machine.network.interfaces";
    let mut owners: Vec<(&str, &str)> = Vec::new();
    for interface in main.items(path) {
        let name = interface.text("interface");
        if interface.has("bond") && interface.has("bridge") {
            interface.refuse_both("bond", "bridge");
        }
        if interface.is_filled("bond.interfaces") && interface.is_filled("bond.deviceSelectors") {
            interface.refuse_both("bond.interfaces", "bond.deviceSelectors");
        }
        let links = if interface.has("bridge") { "bridge.interfaces" } else { "bond.interfaces" };
        for link in interface.items(links) {
            if owners.iter().any(|(owned, owner)| *owned == link.scalar() && *owner != name) {
                let message = format!("the link `{}` is part of two interfaces", link.scalar());
                link.refuse("", message, "remove it from one of them");
            }
            owners.push((link.scalar(), name));
        }
        let vlans = interface.items("vlans");
        for owner in vlans.chain([interface]).filter(|owner| owner.has("vip") && !is_control_plane(main.value)) {
            owner.find(Code::ControlPlaneOnly, "vip", "a worker cannot have a shared address", "remove `vip`");
        }
    }
    for interface in main.items(path).filter(|interface| !interface.may_be_true("ignore")) {
        check_selector(interface);
        interface.section("bond").into_iter().for_each(check_bond);
        check_wireguard(interface);
        check_addresses(interface, &owners);
        interface.items("vlans").for_each(check_cidr);
        for route in interface.items("routes") {
            route.require_either("network", "gateway");
            route.require_format("network", &formats::NETWORK);
            route.require_format("gateway", &formats::ADDRESS_WITHOUT_ZONE);
            route.require_format("source", &formats::ADDRESS_WITHOUT_ZONE);
        }
    }
}

fn check_selector(interface: Section<'_>) {
    interface.require_either("interface", "deviceSelector");
    if interface.has("deviceSelector") && interface.is_filled("interface") {
        interface.refuse_both("interface", "deviceSelector");
    } else if interface.at("deviceSelector").is_some_and(|selector| !selector.is_filled()) {
        interface.refuse("deviceSelector", "`deviceSelector` is empty", "add `hardwareAddr` or `busPath`");
    }
}

fn check_addresses(interface: Section<'_>, owners: &[(&str, &str)]) {
    let name = interface.text("interface");
    let has_address = interface.is_true("dhcp")
        || interface.is_filled("cidr")
        || interface.is_filled("addresses")
        || interface.has("vip");
    if has_address && owners.iter().any(|(owned, _)| *owned == name) {
        let message = format!("the interface `{name}` is part of a bond or a bridge and has addresses of its own");
        interface.refuse("", message, "move the addresses to the bond or the bridge");
    }
    check_cidr(interface);
    if let Some(vip) = interface.section("vip") {
        vip.require("ip");
        vip.require_format("ip", &formats::ADDRESS_WITHOUT_ZONE);
    }
}

fn check_cidr(interface: Section<'_>) {
    if interface.is_filled("cidr") && interface.is_filled("addresses") {
        interface.refuse("cidr", "`cidr` cannot be combined with `addresses`", "remove `cidr`");
    }
    interface.require_formats("addresses", &formats::ADDRESS_OR_PREFIX);
    interface.require_format("cidr", &formats::ADDRESS_OR_PREFIX);
}

fn check_wireguard(interface: Section<'_>) {
    let Some(wireguard) = interface.section("wireguard") else { return };
    wireguard.require("privateKey");
    wireguard.require_format("privateKey", &formats::WIREGUARD_KEY);
    for peer in wireguard.items("peers") {
        peer.require("publicKey");
        peer.require_format("publicKey", &formats::WIREGUARD_KEY);
        peer.require_format("endpoint", &formats::HOST_PORT);
        peer.require_formats("allowedIPs", &formats::NETWORK);
    }
}
