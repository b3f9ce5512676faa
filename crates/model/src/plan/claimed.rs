//! What the claims of devices have to do with other devices: node names, addresses of links, and endpoints.

use std::collections::HashMap;
use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::claims::{ClaimedAddress, NodeName, portless};
use super::cross_device::CrossDeviceChecks;
use crate::FleetFile;

/// Checks what devices claim, once all of them were added.
pub(super) fn check(fleet: &FleetFile, checks: &CrossDeviceChecks) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    check_node_names(checks, &mut findings);
    check_addresses(checks, &mut findings);
    check_macs(checks, &mut findings);
    check_endpoints(fleet, checks, &mut findings);
    findings
}

/// Finds nodes of one name where at least one has a hostname with a domain.
fn check_node_names(checks: &CrossDeviceChecks, findings: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(&str, &str), &NodeName> = HashMap::new();
    for name in &checks.claims().nodes {
        let NodeName { cluster, device, node, location } = name;
        let other = match first.insert((cluster, node), name) {
            Some(other) => Some((&*other.device, other.location.clone())),
            None => checks.host(cluster, node),
        };
        let Some((owner, owners_location)) = other else { continue };
        findings.push(
            Diagnostic::new(
                Code::DuplicateHostname,
                format!("`{owner}` and `{device}` are one Kubernetes node `{node}`"),
                location.clone(),
            )
            .also(owners_location, "first here")
            .device(owner)
            .device(&**device)
            .note("the name of a node is the first label of its hostname, unless `registerWithFQDN` is set")
            .note("the second one could not join")
            .help(format!("write another first label for one of them, as in\nhostname: {node}-2")),
        );
    }
}

/// Finds addresses of links that another device of the cluster has.
fn check_addresses(checks: &CrossDeviceChecks, findings: &mut Vec<Diagnostic>) {
    let mut first: HashMap<(&str, IpAddr), (&ClaimedAddress, &str)> = HashMap::new();
    for (claimed, device, cluster) in &checks.claims().addresses {
        let (owner, location, what) = match checks.owner_of(claimed.address, cluster) {
            Some((owner, location)) => (owner, location, "the address of"),
            None => match *first.entry((&**cluster, claimed.address)).or_insert((claimed, &**device)) {
                // Control planes share it.
                (earlier, _) if earlier.is_shared && claimed.is_shared => continue,
                (earlier, owner) => (owner, earlier.location.clone(), "also an address of"),
            },
        };
        if owner == &**device {
            continue;
        }
        if location == claimed.location {
            findings.push(shared_by_layer(claimed, owner, device));
            continue;
        }
        let (subject, help) = match claimed.is_raw {
            true => ("the patch assigns to", "write another address in the patch"),
            false => ("the model assigns to", "write another address"),
        };
        let address = claimed.address;
        let message = match what {
            "the address of" => format!("{subject} `{device}` the address {address}, which is that of `{owner}`"),
            _ => format!("{subject} `{device}` the address {address}, which `{owner}` has too"),
        };
        findings.push(
            Diagnostic::new(Code::DuplicateAddress, message, claimed.location.clone())
                .also(location, format!("{what} `{owner}`"))
                .device(owner)
                .device(&**device)
                .note("both nodes would answer for the address")
                .help(help),
        );
    }
}

/// The finding on an address that a layer assigns to several devices; those on each two of them are merged.
fn shared_by_layer(claimed: &ClaimedAddress, owner: &str, device: &str) -> Diagnostic {
    let message = format!("the layer assigns the address {} to several devices", claimed.address);
    Diagnostic::new(Code::DuplicateAddress, message, claimed.location.clone())
        .device(owner)
        .device(device)
        .note("all of the nodes would answer for the address")
        .help("write what follows from the device's own `address`, such as `address/24` or `address in 192.168.2.0/24`; or write the address in each device")
}

/// Finds hardware addresses by which two devices select a link.
fn check_macs(checks: &CrossDeviceChecks, findings: &mut Vec<Diagnostic>) {
    let mut first: HashMap<&str, (&Location, &str)> = HashMap::new();
    for (mac, location, device) in &checks.claims().macs {
        let (earlier, owner) = *first.entry(mac).or_insert((location, &**device));
        if owner == &**device {
            continue;
        }
        let message = format!("`{owner}` and `{device}` have a link with the hardware address {mac}");
        let finding = Diagnostic::new(Code::DuplicateAddress, message, location.clone());
        let finding = if earlier == location { finding } else { finding.also(earlier.clone(), "first here") };
        findings.push(
            finding
                .device(owner)
                .device(&**device)
                .note("one of the two has no such link, and gets no address on it")
                .help("write the address of the node's own link; `talosctl get links` lists them"),
        );
    }
}

/// Finds endpoints without a port that are addresses of devices.
fn check_endpoints(fleet: &FleetFile, checks: &CrossDeviceChecks, findings: &mut Vec<Diagnostic>) {
    for (name, cluster) in &fleet.fleet.clusters {
        let Some(address) = cluster.endpoint.as_ref().and_then(portless) else { continue };
        let at = Pointer::new("/clusters").child(name).child("endpoint");
        findings.extend(without_port(checks, name.as_str(), address, fleet.at(at)));
    }
    for (address, location, device, cluster) in &checks.claims().endpoints {
        let finding = without_port(checks, cluster, *address, location.clone());
        findings.extend(finding.map(|finding| finding.device(&**device)));
    }
}

fn without_port(checks: &CrossDeviceChecks, cluster: &str, address: IpAddr, at: Location) -> Option<Diagnostic> {
    let shared =
        || checks.claims().addresses.iter().any(|(claimed, _, of)| claimed.address == address && &**of == cluster);
    let owner = checks.owner_of(address, cluster);
    if owner.is_none() && !shared() {
        return None;
    }
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    let finding =
        Diagnostic::new(Code::EndpointPort, format!("the endpoint {address} has no port, which means 443"), at);
    let finding = match owner {
        Some((owner, location)) => finding.also(location, format!("the address of `{owner}`")),
        None => finding,
    };
    Some(finding.note("the API server of a node listens on 6443").help(format!("write `https://{host}:6443`")))
}
