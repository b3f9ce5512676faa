//! The interfaces of the main document's network.

use talosmith_document::Code;

use super::{Rules, bonds, format};
use crate::config::Document;
use crate::value::Value;

/// The interfaces.
pub(crate) fn check_interfaces(rules: &mut Rules<'_, '_>, document: &Document<'_>, is_control_plane: bool) {
    let devices = document.value.items("machine.network.interfaces");
    let mut owners: Vec<(&str, &str)> = Vec::new();
    for device in devices {
        let name = device.text("interface");
        if device.has("bond") && device.has("bridge") {
            let message = "an interface is a bond and a bridge";
            rules.refuse_value(document, device, message, "keep one of `bond` and `bridge`");
        }
        if !device.items("bond.interfaces").is_empty() && !device.items("bond.deviceSelectors").is_empty() {
            let message = "a bond names its links by `interfaces` and by `deviceSelectors`";
            rules.refuse_value(document, device, message, "keep one of the two");
        }
        let links =
            if device.has("bridge") { device.items("bridge.interfaces") } else { device.items("bond.interfaces") };
        for link in links {
            if owners.iter().any(|(owned, owner)| *owned == link.scalar() && *owner != name) {
                let message = format!("the link `{}` is part of two interfaces", link.scalar());
                rules.refuse_value(document, link, message, "remove it from one of them");
            }
            owners.push((link.scalar(), name));
        }
        if !is_control_plane {
            let vlans = device.items("vlans").iter().filter_map(|vlan| vlan.get("vip"));
            for vip in device.get("vip").into_iter().chain(vlans) {
                if let Some(at) = vip.origin.or(document.origin) {
                    let message = "a worker cannot have a shared address";
                    rules.push(Code::ControlPlaneOnly, at, message, "remove `vip`");
                }
            }
        }
    }
    for device in devices.iter().filter(|device| !device.is_true("ignore")) {
        identity(rules, document, device);
        if let Some(bond) = device.get("bond") {
            bonds::check_bond(rules, document, bond);
        }
        wireguard(rules, document, device);
        addresses(rules, document, device, &owners);
        for vlan in device.items("vlans") {
            cidr(rules, document, vlan);
        }
        routes(rules, document, device);
    }
}

fn identity(rules: &mut Rules<'_, '_>, document: &Document<'_>, device: &Value<'_>) {
    match (device.text("interface"), device.get("deviceSelector")) {
        ("", None) => {
            let message = "an interface has neither `interface` nor `deviceSelector`";
            rules.refuse_value(document, device, message, "add one of the two");
        }
        (_, Some(selector)) if !selector.is_filled() => {
            rules.refuse_value(document, selector, "`deviceSelector` is empty", "add `hardwareAddr` or `busPath`");
        }
        (name, Some(selector)) if !name.is_empty() => {
            let message = "an interface has `interface` and `deviceSelector`";
            rules.refuse_value(document, selector, message, "keep one of the two");
        }
        _ => {}
    }
}

fn addresses(rules: &mut Rules<'_, '_>, document: &Document<'_>, device: &Value<'_>, owners: &[(&str, &str)]) {
    let name = device.text("interface");
    let has_address = device.is_true("dhcp")
        || !device.text("cidr").is_empty()
        || !device.items("addresses").is_empty()
        || device.has("vip");
    if has_address && owners.iter().any(|(owned, _)| *owned == name) {
        let message = format!("the interface `{name}` is part of a bond or a bridge and has addresses of its own");
        rules.refuse_value(document, device, message, "give the addresses to the bond or the bridge");
    }
    cidr(rules, document, device);
    if let Some(vip) = device.get("vip")
        && format::address(vip.text("ip")).is_none_or(|_| vip.text("ip").contains('%'))
    {
        let message = format!("the shared address `{}` is no address", vip.text("ip"));
        rules.refuse_value(document, vip.get("ip").unwrap_or(vip), message, "write an address");
    }
}

fn cidr(rules: &mut Rules<'_, '_>, document: &Document<'_>, value: &Value<'_>) {
    let addresses = value.items("addresses");
    let old = value.get("cidr");
    if let Some(old) = old.filter(|old| !old.scalar().is_empty() && !addresses.is_empty()) {
        rules.refuse_value(document, old, "`cidr` stands beside `addresses`", "keep `addresses` alone");
    }
    let all = addresses.iter().chain(old.filter(|old| !old.scalar().is_empty()));
    for address in all.filter(|address| !format::address_or_prefix(address.scalar())) {
        let message = format!("`{}` is no address", address.scalar());
        rules.refuse_value(document, address, message, "write it as `192.0.2.10/24`");
    }
}

fn routes(rules: &mut Rules<'_, '_>, document: &Document<'_>, device: &Value<'_>) {
    for route in device.items("routes") {
        let (network, gateway) = (route.text("network"), route.text("gateway"));
        if network.is_empty() && gateway.is_empty() {
            rules.refuse_value(document, route, "a route has neither `network` nor `gateway`", "add one of the two");
        }
        if !network.is_empty() && format::prefix(network).is_none() {
            let at = route.get("network").unwrap_or(route);
            rules.refuse_value(document, at, format!("`{network}` is no network"), "write it as `192.0.2.0/24`");
        }
        for field in ["gateway", "source"] {
            let address = route.text(field);
            if !address.is_empty() && address.parse::<std::net::IpAddr>().is_err() {
                let at = route.get(field).unwrap_or(route);
                rules.refuse_value(document, at, format!("`{address}` is no address"), "write an address");
            }
        }
    }
}

fn wireguard(rules: &mut Rules<'_, '_>, document: &Document<'_>, device: &Value<'_>) {
    let Some(wireguard) = device.get("wireguard") else { return };
    let is_key = |key: &str| key.contains("${") || format::base64(key) == Some(32);
    if !is_key(wireguard.text("privateKey")) {
        let at = wireguard.get("privateKey").unwrap_or(wireguard);
        rules.refuse_value(document, at, "`privateKey` is no key of WireGuard", "write 32 bytes in Base64");
    }
    for peer in wireguard.items("peers") {
        if !is_key(peer.text("publicKey")) {
            let at = peer.get("publicKey").unwrap_or(peer);
            rules.refuse_value(document, at, "`publicKey` is no key of WireGuard", "write 32 bytes in Base64");
        }
        let endpoint = peer.text("endpoint");
        if !endpoint.is_empty() && format::host_port(endpoint).is_none() {
            let at = peer.get("endpoint").unwrap_or(peer);
            rules.refuse_value(document, at, format!("`{endpoint}` has no port"), "write it as `192.0.2.1:51820`");
        }
        for item in peer.items("allowedIPs").iter().filter(|item| format::prefix(item.scalar()).is_none()) {
            rules.refuse_value(
                document,
                item,
                format!("`{}` is no network", item.scalar()),
                "write it as `192.0.2.0/24`",
            );
        }
    }
}
