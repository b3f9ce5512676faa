//! What the links of a device have to do with each other.

use std::collections::BTreeMap;
use std::sync::Arc;

use ipnet::IpNet;
use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Pointer};
use talosmith_machinery::{LINKS, bond_modes, other_family};

use super::links::{members, owner, single_mac};
use super::{Check, Patch, link_addresses, raw};
use crate::device::{Bond, Device, Link};
use crate::scalar::LinkName;

/// How names of physical links begin. Source: <https://systemd.io/PREDICTABLE_INTERFACE_NAMES/>, which Talos follows.
const KERNEL_NAMES: [&str; 8] = ["eth", "eno", "ens", "enp", "enx", "end", "wlan", "wlp"];

/// The metric of a route without one. Source: release-1.13 machinery/config/types/network/link.go, `DefaultRouteMetric`.
const DEFAULT_METRIC: u32 = 1024;

/// The least MTU of a link with IPv6: RFC 8200, section 5.
const LEAST_IPV6_MTU: u32 = 1280;

/// Checks the links of a device.
pub(super) fn check(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    let device = &check.file.device;
    for (name, link) in &device.links {
        let at = Pointer::new("/links").child(name);
        check_members(check, name, link, &at, patches);
        if let Some(vlan) = &link.vlan {
            check_known(check, &vlan.parent, &at.child("vlan").child("parent"), patches);
        }
        check_mtu(check, name, link, &at);
        check_alias(check, name, link, &at);
        if let Some(bond) = &link.bond {
            check_options(check, bond, &at.child("bond"));
        }
    }
    check_default_gateways(check);
    check_metrics(check);
    check_macs(check);
    check_vlans(check);
}

/// Reports a link that nothing describes.
pub(super) fn check_known(check: &mut Check<'_>, name: &LinkName, at: &Pointer, patches: &[Arc<Patch>]) {
    let known = &check.file.device.links;
    let mut kinds = LINKS.into_iter().chain(["LinkAliasConfig"]);
    if known.contains_key(name) || kinds.any(|kind| is_documented(patches, kind, name)) {
        return;
    }
    let finding = Diagnostic::new(Code::UnknownLink, format!("`links` has no link `{name}`"), check.at(at.clone()));
    let finding = finding
        .did_you_mean(name.as_str(), known.keys().map(LinkName::as_str))
        .unwrap_or_else(|finding| finding.help(format!("add it, as in\nlinks:\n  {name}: {}", example(name.as_str()))));
    check.push(finding);
}

/// What a link may look like in the model; a name such as `bond0.30` is that of a VLAN.
fn example(name: &str) -> String {
    let vlan = name.rsplit_once('.').filter(|(_, id)| id.parse::<u16>().is_ok());
    vlan.map_or("{}".to_owned(), |(parent, id)| format!("{{ vlan: {{ id: {id}, parent: {parent} }} }}"))
}

fn is_documented(patches: &[Arc<Patch>], kind: &'static str, name: &LinkName) -> bool {
    raw::documents(patches, kind).any(|(_, document)| document.name == name.as_str())
}

/// Checks the members of a bond or a bridge.
fn check_members(check: &mut Check<'_>, name: &LinkName, link: &Link, at: &Pointer, patches: &[Arc<Patch>]) {
    let device = &check.file.device;
    let at = at.child(if link.bond.is_some() { "bond" } else { "bridge" }).child("links");
    for (index, member) in members(link).iter().enumerate() {
        let place = at.item(index);
        let settings = device.links.get(member);
        // A name with a dot is a VLAN, which only the model makes.
        if settings.is_none() && member.as_str().contains('.') {
            check_known(check, member, &place, patches);
            continue;
        }
        let message = if member == name {
            format!("`{name}` is a member of itself")
        } else if members(link)[..index].contains(member) {
            format!("`{name}` has the member `{member}` twice")
        } else if let Some(owner) = owner(device, member).filter(|owner| *owner != name) {
            format!("`{member}` is a member of `{owner}` and of `{name}`")
        } else if let Some(key) = settings.and_then(|settings| own_key(settings, link.bond.is_some())) {
            format!("`{member}` is a member of `{name}` and has `{key}`")
        } else {
            continue;
        };
        let location = check.at(place);
        let finding = Diagnostic::new(Code::LinkMember, message, location);
        let finding = match settings.filter(|_| member != name) {
            Some(_) => finding.also(check.key(Pointer::new("/links").child(member)), "the member"),
            None => finding,
        };
        check.push(
            finding.note("the addresses and routes of a bond or a bridge are its own, and a link has one master").help(
                "keep the link in one place; move addresses, routes and DHCP from the member to the bond or bridge",
            ),
        );
    }
}

/// The key by which a member has something that only its bond or bridge may have.
fn own_key(member: &Link, is_bond: bool) -> Option<&'static str> {
    [
        ("addresses", !member.addresses.is_empty()),
        ("routes", !member.routes.is_empty()),
        ("dhcp4", member.dhcp4.is_some()),
        ("dhcp6", member.dhcp6.is_some()),
        // A bridge may have bonds and VLANs as ports.
        ("vlan", is_bond && member.vlan.is_some()),
        ("bond", is_bond && member.bond.is_some()),
        ("bridge", member.bridge.is_some()),
    ]
    .into_iter()
    .find_map(|(key, has)| has.then_some(key))
}

/// Checks that the MTU of a link is large enough for the links on it.
fn check_mtu(check: &mut Check<'_>, name: &LinkName, link: &Link, at: &Pointer) {
    let Some(mtu) = link.mtu else { return };
    let device = &check.file.device;
    let mtu_of = |name: &LinkName| device.links.get(name).map(|link| link.mtu.unwrap_or(1500));
    let has_ipv6 = link.dhcp6.is_some()
        || link
            .addresses
            .iter()
            .any(|address| link_addresses::network(device, address).is_ok_and(|network| network.addr().is_ipv6()));
    let raise = |other: &LinkName| format!("write a smaller `mtu` here, or `mtu: {mtu}` for `{other}`");
    let (message, note, help) = if let Some(vlan) = &link.vlan
        && let Some(parent) = mtu_of(&vlan.parent).filter(|parent| *parent < mtu)
    {
        let message = format!("`{name}` has the MTU {mtu}, and its parent `{}` has {parent}", vlan.parent);
        (message, "Linux refuses it: a VLAN's packets are those of its parent", raise(&vlan.parent))
    } else if let Some(bridge) = &link.bridge
        && let Some((member, least)) =
            bridge.links.iter().filter_map(|member| Some((member, mtu_of(member)?))).find(|(_, least)| *least < mtu)
    {
        let message = format!("`{name}` has the MTU {mtu}, and its member `{member}` has {least}");
        (message, "packets that are too large for the member are lost", raise(member))
    } else if has_ipv6 && mtu < LEAST_IPV6_MTU {
        let message = format!("`{name}` has the MTU {mtu}, and IPv6 needs {LEAST_IPV6_MTU}");
        (
            message,
            "Linux turns IPv6 off on such a link",
            format!("write `mtu: {LEAST_IPV6_MTU}` or more, or remove IPv6"),
        )
    } else {
        return;
    };
    let location = check.at(at.child("mtu"));
    check.push(Diagnostic::new(Code::BadMtu, message, location).note(note).help(help));
}

fn check_alias(check: &mut Check<'_>, name: &LinkName, link: &Link, at: &Pointer) {
    // The only member keeps its own address, which is then the bond's.
    let has_other_members = || {
        let owner = owner(&check.file.device, name).and_then(|owner| check.file.device.links.get(owner));
        owner.is_some_and(|owner| members(owner).len() > 1)
    };
    if let Some(selector) = &link.selector
        && selector.as_str().contains("hardware_addr")
        && has_other_members()
    {
        let location = check.at(at.child("selector"));
        check.push(
            Diagnostic::new(Code::LinkName, "a member of a bond is selected by `hardware_addr`", location)
                .note("a bond sets its own address on all members, which then match the same selector; Talos skips the alias")
                .help("compare `link.permanent_addr`, or write `mac` instead of the selector"),
        );
    }
    let is_alias = link.selector.is_some() || link.mac.is_some() || link.driver.is_some() || link.bus_path.is_some();
    let is_kernel_name = KERNEL_NAMES.iter().any(|start| {
        name.as_str().strip_prefix(start).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    });
    if is_alias && is_kernel_name {
        let location = check.key(at.clone());
        check.push(
            Diagnostic::new(
                Code::LinkName,
                format!("the alias `{name}` is spelled like a name of the kernel"),
                location,
            )
            .note("if another link has this name, Talos configures that one")
            .help("choose a name for the purpose of the link, such as `uplink`"),
        );
    }
}

/// Checks the options of a bond against its mode.
///
/// Source: release-1.13 controllers/network of Talos and `machinery/config/types/v1alpha1/v1alpha1_validation.go`, which refuses them in
/// the old form.
fn check_options(check: &mut Check<'_>, bond: &Bond, at: &Pointer) {
    for (option, value) in &bond.options {
        let Some(modes) = bond_modes(option).filter(|modes| !modes.contains(&bond.mode.as_str())) else { continue };
        if matches!(value.as_u64(), Some(0)) || (option == "packetsPerSlave" && value.as_u64() == Some(1)) {
            continue;
        }
        let location = check.key(at.child(option));
        let message = format!("`{option}` cannot be combined with `mode: {}`", bond.mode);
        check.push(
            Diagnostic::new(Code::InvalidDocument, message, location)
                .help(format!("remove it, or write `mode: {}`", modes.join("` or `mode: "))),
        );
    }
    let number = |name: &str| bond.options.get(name).and_then(Value::as_u64).unwrap_or_default();
    let monitor = number("miimon");
    for delay in ["updelay", "downdelay"].into_iter().filter(|delay| number(delay) != 0) {
        let (message, help) = match monitor {
            0 => (format!("`{delay}` needs `miimon`"), "add `miimon: 100`".to_owned()),
            _ if number(delay) % monitor == 0 => continue,
            _ => (format!("`{delay}` is not a multiple of `miimon`"), format!("write a multiple of {monitor}")),
        };
        let location = check.key(at.child(delay));
        check.push(Diagnostic::new(Code::InvalidDocument, message, location).help(help));
    }
}

/// Reports a default route whose gateway is of the other family.
///
/// A default route is written without a destination, so its family is that of the gateway: release-1.13
/// controllers/network/route_config.go. Other routes have a destination, and the rules of Talos compare the two.
fn check_default_gateways(check: &mut Check<'_>) {
    for (name, link) in &check.file.device.links {
        for (network, route) in link.routes.iter().filter(|(network, _)| network.network().prefix_len() == 0) {
            let Some(gateway) = &route.gateway else { continue };
            let at = Pointer::new("/links").child(name).child("routes").child(network).child("gateway");
            let Some(fault) = other_family(gateway.ip(), network.network()) else { continue };
            let location = check.at(at);
            let finding = Diagnostic::new(Code::UnreachableGateway, fault.message, location);
            check.push(finding.note(fault.note).help(fault.help));
        }
    }
}

/// A default route of a link, written or from a DHCP server.
struct DefaultRoute<'a> {
    link: &'a LinkName,
    metric: u32,
    at: Pointer,
}

/// Returns the default routes of one family.
fn default_routes(device: &Device, is_ipv4: bool) -> Vec<DefaultRoute<'_>> {
    let mut found = Vec::new();
    for (name, link) in &device.links {
        let at = Pointer::new("/links").child(name);
        let is_default = |network: IpNet| network.prefix_len() == 0 && network.addr().is_ipv4() == is_ipv4;
        let written = link.routes.iter().filter(|(network, _)| is_default(network.network()));
        found.extend(written.map(|(network, route)| DefaultRoute {
            link: name,
            metric: route.metric.unwrap_or(DEFAULT_METRIC),
            at: at.child("routes").child(network),
        }));
        let leased = link.dhcp4.as_ref().filter(|dhcp| is_ipv4 && dhcp.ignore_routes != Some(true));
        found.extend(leased.map(|dhcp| DefaultRoute {
            link: name,
            metric: dhcp.route_metric.unwrap_or(DEFAULT_METRIC),
            at: at.child("dhcp4"),
        }));
    }
    found
}

/// Reports default routes of one family between which the node chooses by chance: those with the least metric, of different links. A
/// route to the gateway that the link's DHCP server announces too is one route.
fn check_metrics(check: &mut Check<'_>) {
    let mut found = Vec::new();
    for is_ipv4 in [true, false] {
        let routes = default_routes(&check.file.device, is_ipv4);
        let Some(least) = routes.iter().map(|route| route.metric).min() else { continue };
        let mut used = routes.into_iter().filter(|route| route.metric == least);
        let Some(first) = used.next() else { continue };
        let mut reported = vec![first.link];
        for route in used {
            if !reported.contains(&route.link) {
                reported.push(route.link);
                found.push((first.at.clone(), route.at, least));
            }
        }
    }
    for (earlier, place, metric) in found {
        let message = format!("two default routes have the metric {metric}");
        let finding =
            Diagnostic::new(Code::EqualMetric, message, check.key(place)).also(check.key(earlier), "the other route");
        check.push(finding.note("which of the two the node uses depends on the order in which they are added").help(
            "write a larger `metric` (for DHCP `routeMetric`) for the route that is used only without the other",
        ));
    }
}

/// Reports a VLAN that two links are: Linux makes only one of an ID and a parent (`vlan_check_real_dev` in net/8021q).
fn check_vlans(check: &mut Check<'_>) {
    let mut first: BTreeMap<(&LinkName, u16), &LinkName> = BTreeMap::new();
    for (name, link) in &check.file.device.links {
        let Some(vlan) = &link.vlan else { continue };
        let Some(earlier) = first.insert((&vlan.parent, vlan.id), name) else { continue };
        let at = |name: &LinkName| Pointer::new("/links").child(name).child("vlan").child("id");
        let message = format!("`{earlier}` and `{name}` are the VLAN {} of `{}`", vlan.id, vlan.parent);
        let finding =
            Diagnostic::new(Code::DuplicateItem, message, check.at(at(name))).also(check.at(at(earlier)), "first here");
        check.push(
            finding
                .note("Linux makes a VLAN of a link once, so the second one never comes up")
                .help("write another `id`, or remove one of the two"),
        );
    }
}

/// Reports a hardware address that selects two links of the device.
fn check_macs(check: &mut Check<'_>) {
    let mut first: BTreeMap<&str, &LinkName> = BTreeMap::new();
    for (name, link) in &check.file.device.links {
        let Some(mac) = single_mac(link) else { continue };
        let Some(earlier) = first.insert(mac.as_str(), name) else { continue };
        let at = |name: &LinkName| Pointer::new("/links").child(name).child("mac");
        let message = format!("`{earlier}` and `{name}` have the hardware address {}", mac.as_str());
        let finding = Diagnostic::new(Code::DuplicateAddress, message, check.at(at(name)))
            .also(check.at(at(earlier)), "first here");
        check.push(
            finding
                .note("Talos assigns one alias to a link, the first by name")
                .help("write the address of the other link; `talosctl get links` lists them"),
        );
    }
}
