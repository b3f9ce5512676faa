//! Devices among each other: what must not be there twice, and what a cluster needs.

use std::collections::BTreeMap;

use crate::device::Role;
use crate::{Code, DeviceFile, Diagnostic, FleetFile, Place, Pointer};

/// Judges the devices that could be read, those with errors of their own included.
/// `whole` says that these are all: what a cluster lacks is not judged while a device cannot be read.
pub fn judge(fleet: &FleetFile, devices: &[DeviceFile], whole: bool, findings: &mut Vec<Diagnostic>) {
    let mut addresses = Seen::default();
    let mut hostnames = Seen::default();
    let mut tailnet = Seen::default();
    for file in devices {
        let device = &file.device;
        let name = device.name.as_str();
        let place = file.at("/address");
        if let Some((first, owner)) = addresses.twice(device.address.ip().to_string(), &place, name) {
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
        if let Some((first, owner)) = hostnames.twice(format!("{}/{hostname}", device.cluster), &place, name) {
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
        let Some(tailscale) = &device.tailscale else { continue };
        let (called, place) = match &tailscale.hostname {
            Some(hostname) => (hostname.as_str(), file.at("/tailscale/hostname")),
            None => (hostname.split('.').next().unwrap_or(hostname), place),
        };
        if let Some((first, owner)) = tailnet.twice(called.to_owned(), &place, name)
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
    for name in fleet.fleet.clusters.keys().filter(|_| whole) {
        let members = devices.iter().filter(|file| file.device.cluster == *name);
        let (planes, workers): (Vec<_>, Vec<_>) = members.partition(|file| file.device.role == Role::ControlPlane);
        let place = fleet.at(Pointer::new("/clusters").child(name)).as_key();
        if planes.is_empty() && !workers.is_empty() {
            findings.push(
                Diagnostic::new(Code::NoControlPlane, format!("no device of `{name}` is a control plane"), place)
                    .note("its control plane is not in this repository, or a role is wrong"),
            );
        } else if !planes.is_empty() && planes.len() % 2 == 0 {
            findings.push(
                Diagnostic::new(Code::EvenControlPlanes, format!("`{name}` has {} control planes", planes.len()), place).note(
                    "etcd needs more than half of its members: an even number stands no more failures than one less, and has more to fail",
                ),
            );
        }
    }
}

/// What was seen, where, and whose it was.
#[derive(Default)]
pub(super) struct Seen(BTreeMap<String, (Place, String)>);

impl Seen {
    /// The first place and owner of a text that was seen before.
    pub(super) fn twice(&mut self, text: String, place: &Place, owner: &str) -> Option<(Place, String)> {
        if let Some(first) = self.0.get(&text) {
            return Some(first.clone());
        }
        self.0.insert(text, (place.clone(), owner.to_owned()));
        None
    }
}
