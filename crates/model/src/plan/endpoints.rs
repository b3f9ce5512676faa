//! Whether a cluster's endpoint is an address at which its control planes answer.

use std::collections::BTreeSet;
use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location, Pointer};

use super::cross_device::CrossDeviceChecks;
use crate::FleetFile;

/// Checks the endpoints of all clusters, once the files of all devices could be read.
pub(super) fn check(fleet: &FleetFile, checks: &CrossDeviceChecks) -> Vec<Diagnostic> {
    let clusters = fleet.fleet.clusters.iter().filter_map(|(name, cluster)| {
        let address: IpAddr = cluster.endpoint.as_ref()?.host().parse().ok()?;
        let at = fleet.at(Pointer::new("/clusters").child(name).child("endpoint"));
        check_address(checks, name.as_str(), address, at)
    });
    clusters.collect()
}

/// A loopback address is KubePrism's, which each node has.
fn check_address(checks: &CrossDeviceChecks, cluster: &str, address: IpAddr, at: Location) -> Option<Diagnostic> {
    let planes = checks.control_planes().get(cluster)?;
    let claims = checks.claims();
    let is_plane = planes.iter().any(|plane| plane.parse() == Ok(address));
    let is_in_certificate = claims.server_addresses.contains(&(cluster.into(), address));
    if planes.is_empty() || is_plane || is_in_certificate || address.is_loopback() {
        return None;
    }
    let (mut owners, mut shares) = (BTreeSet::new(), false);
    for (claimed, device, _) in claims.addresses.iter().filter(|(_, _, of)| &**of == cluster) {
        shares |= claimed.is_shared;
        if claimed.address == address {
            owners.insert(&**device);
            if !claimed.is_shared {
                return None;
            }
        }
    }
    // Without a shared address it may well be that of a load balancer.
    if !shares || owners.len() >= planes.len() {
        return None;
    }
    if !owners.is_empty() {
        let count = format!("{} of the {} control planes of `{cluster}`", owners.len(), planes.len());
        return Some(
            Diagnostic::new(Code::EndpointElsewhere, format!("the endpoint {address} is shared by {count}"), at)
                .note("while only the others run, the endpoint is not reachable")
                .help("write `vips` under `controlplane` of the cluster, so that all control planes share it"),
        );
    }
    let planes: Vec<&str> = planes.iter().map(String::as_str).collect();
    let message = format!("the endpoint {address} is not an address of a control plane of `{cluster}`");
    Some(
        Diagnostic::new(Code::EndpointElsewhere, message, at)
            .note(format!("the addresses of the control planes are {}", planes.join(", ")))
            .note("nodes that join, and kubectl, talk to the endpoint")
            .help("write the shared address; or if it is that of a load balancer, list it under `apiServer.certSANs`"),
    )
}
