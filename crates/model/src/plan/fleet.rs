//! Devices among each other: what must not be there twice, and what a cluster needs.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer};
use talosmith_machinery::Role;

use super::applications::Member;
use super::objects::Seen;
use super::{node_selectors, objects};
use crate::fleet::LintLevel;
use crate::scalar::Address;
use crate::{DeviceFile, FleetFile};

/// What of a device the others are judged by, so that nothing else of it need be kept.
#[derive(Debug)]
pub struct Sighting {
    role: Role,
    address: Address,
    address_place: Location,
    hostname: String,
    hostname_place: Location,
    /// What it is called in the tailnet, if it is there, and where that is written.
    tailnet: Option<(String, Location)>,
    objects: objects::Sighting,
    selectors: Option<node_selectors::Sighting>,
}

impl Sighting {
    /// What is seen of a device that could be read, those with errors of their own included.
    pub fn new(fleet: &FleetFile, file: &DeviceFile, findings: &mut Vec<Diagnostic>) -> Self {
        let device = &file.device;
        let (hostname, hostname_place) = match &device.hostname {
            Some(hostname) => (hostname.to_string(), file.at("/hostname")),
            None => (device.name.to_string(), file.at("/name")),
        };
        let tailnet = device.tailscale.as_ref().map(|tailscale| match &tailscale.hostname {
            Some(hostname) => (hostname.to_string(), file.at("/tailscale/hostname")),
            None => (hostname.split('.').next().unwrap_or(&hostname).to_owned(), hostname_place.clone()),
        });
        Self {
            role: device.role,
            address: device.address.clone(),
            address_place: file.at("/address"),
            hostname,
            hostname_place,
            tailnet,
            objects: objects::Sighting::new(file, findings),
            selectors: node_selectors::Sighting::new(fleet, file),
        }
    }
}

/// Judges devices among each other, one after the other.
#[derive(Default)]
pub struct Judge {
    addresses: Seen,
    hostnames: Seen,
    tailnet: Seen,
    /// The addresses of the control planes of each cluster, in the order of their text.
    control_planes: BTreeMap<String, BTreeSet<String>>,
    /// The number of workers of each cluster.
    workers: BTreeMap<String, usize>,
    objects: objects::Judge,
    selectors: node_selectors::Judge,
}

impl Judge {
    /// Judges a device among those before it.
    pub fn see(&mut self, member: &Member, sighting: Sighting, findings: &mut Vec<Diagnostic>) {
        let (name, cluster) = (member.name.as_str(), member.cluster.as_str());
        let Sighting { role, address, hostname, .. } = sighting;
        self.objects.see(name, cluster, sighting.objects, findings);
        if let Some(selectors) = sighting.selectors {
            self.selectors.see(name, cluster, selectors);
        }
        let location = sighting.address_place;
        if let Some((first, owner)) = self.addresses.twice(address.ip().to_string(), &location, name) {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateAddress,
                    format!("`{owner}` and `{name}` have the address {address}"),
                    location,
                )
                .also(first, "first here")
                .note("talosctl would reach one of the two, and apply to it what is meant for the other")
                .device(owner)
                .device(name),
            );
        }
        let location = sighting.hostname_place;
        if let Some((first, owner)) = self.hostnames.twice(format!("{cluster}/{hostname}"), &location, name) {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateHostname,
                    format!("`{owner}` and `{name}` have the hostname `{hostname}`"),
                    location,
                )
                .also(first, "first here")
                .note("a hostname is the name of a Kubernetes node: the second one could not join")
                .device(owner)
                .device(name),
            );
        }
        match role {
            Role::ControlPlane => {
                self.control_planes.entry(cluster.to_owned()).or_default().insert(address.to_string());
            }
            Role::Worker => *self.workers.entry(cluster.to_owned()).or_default() += 1,
        }
        let Some((called, location)) = sighting.tailnet else { return };
        if let Some((first, owner)) = self.tailnet.twice(called.clone(), &location, name)
            && !findings
                .iter()
                .any(|finding| finding.at.location == location && finding.code == Code::DuplicateHostname)
        {
            findings.push(
                Diagnostic::new(
                    Code::DuplicateHostname,
                    format!("`{owner}` and `{name}` are called `{called}` in the tailnet"),
                    location,
                )
                .also(first, "first here")
                .note("Tailscale gives the second one another name")
                .help(format!("write another name for one of them, as in\ntailscale: {{ hostname: {called}-2 }}"))
                .device(owner)
                .device(name),
            );
        }
    }

    /// Judges what clusters lack, once all their devices were seen. `whole` says that all could be read: what a cluster lacks is not
    /// judged otherwise.
    pub fn conclude(&self, fleet: &FleetFile, whole: bool, findings: &mut Vec<Diagnostic>) {
        self.selectors.conclude(fleet, whole, findings);
        findings.extend(lowered(fleet));
        for name in fleet.fleet.clusters.keys().filter(|_| whole) {
            let planes = self.control_planes.get(name.as_str()).map_or(0, BTreeSet::len);
            let workers = self.workers.get(name.as_str()).copied().unwrap_or_default();
            let location = fleet.at(Pointer::new("/clusters").child(name)).as_key();
            if planes == 0 && workers > 0 {
                findings.push(
                    Diagnostic::new(
                        Code::NoControlPlane,
                        format!("no device of `{name}` is a control plane"),
                        location,
                    )
                    .note("its control plane is not in this repository, or a role is wrong"),
                );
            } else if planes > 0 && planes.is_multiple_of(2) {
                findings.push(
                Diagnostic::new(Code::EvenControlPlanes, format!("`{name}` has {planes} control planes"), location).note(
                    "etcd needs more than half of its members: an even number stands no more failures than one less, and has more to fail",
                ),
            );
            }
        }
    }
}

/// Codes of errors that the fleet file would lower.
fn lowered(fleet: &FleetFile) -> Vec<Diagnostic> {
    let lowered = |(code, level): &(&Code, &LintLevel)| code.level() == Level::Error && **level != LintLevel::Error;
    let finding = |(code, _): (&Code, &LintLevel)| {
        Diagnostic::new(
            Code::LoweredError,
            format!("`{code}` is an error and cannot be lowered"),
            fleet.at(Pointer::new("/lints").child(code.name())),
        )
        .note("with such a finding a node would differ from the model, or not boot")
        .help("remove the line")
    };
    fleet.fleet.lints.iter().filter(lowered).map(finding).collect()
}

impl Judge {
    /// The addresses of the control planes of each cluster, in the order of their text. All else is let go of: this is where a big
    /// fleet takes most memory.
    pub fn into_control_planes(self) -> BTreeMap<String, BTreeSet<String>> {
        self.control_planes
    }
}
