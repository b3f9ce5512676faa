//! What the claims of devices have to do with other devices: node names, addresses in raw patches, and endpoints.

use std::collections::HashMap;
use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::claims::{NodeName, portless};
use super::cross_device::CrossDeviceChecks;
use crate::FleetFile;

/// Checks what devices claim, once all of them were added.
pub(super) fn check(fleet: &FleetFile, checks: &CrossDeviceChecks) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    check_node_names(checks, &mut findings);
    check_addresses(checks, &mut findings);
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

/// Finds addresses in raw patches that belong to another device of the cluster.
fn check_addresses(checks: &CrossDeviceChecks, findings: &mut Vec<Diagnostic>) {
    for (claimed, device, cluster) in &checks.claims().addresses {
        let Some((owner, location)) = checks.owner_of(claimed.address, cluster) else { continue };
        if owner == &**device {
            continue;
        }
        let message =
            format!("the patch assigns to `{device}` the address {}, which is that of `{owner}`", claimed.address);
        findings.push(
            Diagnostic::new(Code::DuplicateAddress, message, claimed.location.clone())
                .also(location, format!("the address of `{owner}`"))
                .device(owner)
                .device(&**device)
                .note("both nodes would answer for the address")
                .help("write another address in the patch"),
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
