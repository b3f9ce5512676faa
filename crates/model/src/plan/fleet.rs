//! Devices among each other: what must not be there twice, and what a cluster needs.

use std::collections::BTreeMap;

use crate::device::Role;
use crate::{Code, DeviceFile, Diagnostic, FleetFile, Place, Pointer};

/// Judges devices among each other, one after the other: nothing is kept of a device but what others are compared with.
#[derive(Default)]
pub struct Judge {
    addresses: Seen,
    hostnames: Seen,
    tailnet: Seen,
    /// The control planes and the workers of each cluster.
    members: BTreeMap<String, (usize, usize)>,
}

impl Judge {
    /// Judges a device that could be read, those with errors of their own included.
    pub fn see(&mut self, file: &DeviceFile, findings: &mut Vec<Diagnostic>) {
        let device = &file.device;
        let name = device.name.as_str();
        let (planes, workers) = self.members.entry(device.cluster.to_string()).or_default();
        *(if device.role == Role::ControlPlane { planes } else { workers }) += 1;
        let place = file.at("/address");
        if let Some((first, owner)) = self.addresses.twice(device.address.ip().to_string(), &place, name) {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateAddress,
                    format!("`{owner}` and `{name}` have the address {}", device.address),
                    place,
                )
                .also(first, "first here")
                .note("talosctl would reach one of the two, and apply to it what is meant for the other")
                .device(owner)
                .device(name),
            );
        }
        let (hostname, place) = match &device.hostname {
            Some(hostname) => (hostname.as_str(), file.at("/hostname")),
            None => (name, file.at("/name")),
        };
        if let Some((first, owner)) = self.hostnames.twice(format!("{}/{hostname}", device.cluster), &place, name) {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateHostname,
                    format!("`{owner}` and `{name}` have the hostname `{hostname}`"),
                    place.clone(),
                )
                .also(first, "first here")
                .note("a hostname is the name of a Kubernetes node: the second one could not join")
                .device(owner)
                .device(name),
            );
        }
        let Some(tailscale) = &device.tailscale else { return };
        let (called, place) = match &tailscale.hostname {
            Some(hostname) => (hostname.as_str(), file.at("/tailscale/hostname")),
            None => (hostname.split('.').next().unwrap_or(hostname), place),
        };
        if let Some((first, owner)) = self.tailnet.twice(called.to_owned(), &place, name)
            && !findings.iter().any(|finding| finding.at.place == place && finding.code == Code::DuplicateHostname)
        {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateHostname,
                    format!("`{owner}` and `{name}` are called `{called}` in the tailnet"),
                    place,
                )
                .also(first, "first here")
                .note("Tailscale gives the second one another name")
                .help(format!("write another name for one of them, as in\ntailscale: {{ hostname: {called}-2 }}"))
                .device(owner)
                .device(name),
            );
        }
    }

    /// Judges what clusters lack, once all their devices were seen.
    pub fn conclude(&self, fleet: &FleetFile, findings: &mut Vec<Diagnostic>) {
        for name in fleet.fleet.clusters.keys() {
            let (planes, workers) = self.members.get(name.as_str()).copied().unwrap_or_default();
            let place = fleet.at(Pointer::new("/clusters").child(name)).as_key();
            if planes == 0 && workers > 0 {
                findings.push(
                    Diagnostic::new(Code::NoControlPlane, format!("no device of `{name}` is a control plane"), place)
                        .note("its control plane is not in this repository, or a role is wrong"),
                );
            } else if planes > 0 && planes.is_multiple_of(2) {
                findings.push(
                Diagnostic::new(Code::EvenControlPlanes, format!("`{name}` has {planes} control planes"), place).note(
                    "etcd needs more than half of its members: an even number stands no more failures than one less, and has more to fail",
                ),
            );
            }
        }
    }
}

/// What was seen, where, and whose it was.
#[derive(Default)]
struct Seen(BTreeMap<String, (Place, String)>);

impl Seen {
    /// The first place and owner of a text that was seen before.
    fn twice(&mut self, text: String, place: &Place, owner: &str) -> Option<(Place, String)> {
        if let Some(first) = self.0.get(&text) {
            return Some(first.clone());
        }
        self.0.insert(text, (place.clone(), owner.to_owned()));
        None
    }
}
