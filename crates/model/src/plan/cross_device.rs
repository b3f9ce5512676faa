//! Checks across devices: what must be unique, and what a cluster needs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, SourceId};
use talosmith_machinery::Role;

use super::claims::{Claims, portless};
use super::values::LayerValues;
use super::{certificate_names, node_selectors, objects};
use crate::fleet::LintLevel;
use crate::scalar::NodeEndpoint;
use crate::{DeviceFile, FleetFile};

/// What the checks across devices need of a device.
#[derive(Debug)]
pub struct CrossDeviceInput {
    name: String,
    pub(super) cluster: String,
    source: SourceId,
    role: Role,
    address: String,
    /// The address without a port.
    ip: String,
    hostname: (String, Key),
    tailnet: Option<(String, Key)>,
    /// The address in an endpoint of its own without a port, and where it is written.
    portless: Option<(IpAddr, Location)>,
    objects: objects::Input,
    selectors: Vec<node_selectors::Input>,
    certificate_names: Vec<certificate_names::Input>,
    pub(super) groups: Vec<String>,
    /// The values from layers, and whether the device lists them.
    pub(super) layer_values: Vec<(Location, String, bool)>,
}

/// Where a device writes one of its names.
#[derive(Debug)]
enum Key {
    /// In its own file, at this pointer.
    Own(&'static str),
    Layer(Box<Location>),
}

impl CrossDeviceInput {
    /// Takes what the checks need from a device whose file could be read; it may have errors.
    pub fn new(fleet: &FleetFile, file: &DeviceFile) -> Self {
        let device = &file.device;
        let hostname = match &device.hostname {
            Some(hostname) => (hostname.to_string(), Key::Own("/hostname")),
            None => (device.name.to_string(), Key::Own("/name")),
        };
        let tailnet = device.tailscale.as_ref().map(|tailscale| match &tailscale.hostname {
            Some(name) => (name.to_string(), Key::new(file, "/tailscale/hostname")),
            None => (hostname.0.split('.').next().unwrap_or_default().to_owned(), Key::new(file, hostname.1.pointer())),
        });
        Self {
            name: device.name.to_string(),
            cluster: device.cluster.to_string(),
            source: file.source,
            role: device.role,
            address: device.address.to_string(),
            ip: device.address.ip().to_string(),
            portless: match &device.endpoint {
                Some(NodeEndpoint::Url(url)) => portless(url).map(|address| (address, file.at("/endpoint"))),
                _ => None,
            },
            hostname,
            tailnet,
            objects: objects::Input::new(fleet, file),
            selectors: node_selectors::Input::all(fleet, file),
            certificate_names: certificate_names::Input::all(file),
            groups: device.groups.iter().map(ToString::to_string).collect(),
            layer_values: LayerValues::of(file),
        }
    }
}

impl Key {
    fn new(file: &DeviceFile, pointer: &'static str) -> Self {
        let location = file.at(pointer);
        if location.source == file.source { Self::Own(pointer) } else { Self::Layer(Box::new(location)) }
    }

    fn pointer(&self) -> &'static str {
        match self {
            Self::Own(pointer) => pointer,
            Self::Layer(_) => "",
        }
    }

    fn location(&self, source: SourceId) -> Location {
        match self {
            Self::Own(pointer) => Location::value(source, (*pointer).into()),
            Self::Layer(location) => Location::clone(location),
        }
    }
}

/// Finds what must be unique among devices that are added one after the other.
#[derive(Default)]
pub(super) struct CrossDeviceChecks {
    /// The name and the file of each device; the others name devices by their index here, because a fleet can have many.
    devices: Vec<(Box<str>, SourceId)>,
    /// The cluster of each device.
    clusters: Vec<Arc<str>>,
    addresses: FirstUses,
    hostnames: FirstUses,
    tailnet: FirstUses,
    /// The addresses of the control planes of each cluster.
    control_planes: BTreeMap<String, BTreeSet<String>>,
    /// Their hostnames.
    control_plane_hosts: BTreeMap<String, BTreeSet<String>>,
    /// The number of workers of each cluster.
    workers: BTreeMap<String, usize>,
    objects: objects::Checks,
    selectors: node_selectors::Checks,
    certificate_names: certificate_names::Checks,
    claims: Claims,
}

#[derive(Default)]
struct FirstUses(HashMap<Box<str>, (u32, Key)>);

impl FirstUses {
    /// Returns the device and the key that used a name before; if none did, this is the first use.
    fn add(&mut self, name: String, device: u32, key: Key) -> Option<(&(u32, Key), Key)> {
        match self.0.entry(name.into()) {
            std::collections::hash_map::Entry::Occupied(first) => Some((first.into_mut(), key)),
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert((device, key));
                None
            }
        }
    }
}

impl CrossDeviceChecks {
    /// Checks a device against those added before.
    pub(super) fn add(&mut self, input: CrossDeviceInput, findings: &mut Vec<Diagnostic>) {
        let CrossDeviceInput { name, cluster, source, role, address, ip, hostname: (hostname, key), .. } = input;
        findings.extend(self.objects.add(&name, &cluster, input.objects));
        self.certificate_names.add(&cluster, input.certificate_names);
        self.selectors.add(&name, &cluster, input.selectors);
        let index = u32::try_from(self.devices.len()).unwrap_or(u32::MAX);
        self.devices.push((name.as_str().into(), source));
        let shared = self.clusters.last().filter(|last| ***last == *cluster).cloned();
        self.clusters.push(shared.unwrap_or_else(|| cluster.as_str().into()));
        let devices = &self.devices;
        let duplicate = |code: Code, first: &(u32, Key), key: &Key, message: &dyn Fn(&str) -> String| {
            let (owner, owners_file) = &devices[first.0 as usize];
            Diagnostic::new(code, message(owner), key.location(source))
                .also(first.1.location(*owners_file), "first here")
                .device(&**owner)
                .device(name.as_str())
        };
        self.claims.endpoints.extend(
            input
                .portless
                .map(|(address, location)| (address, location, name.as_str().into(), cluster.as_str().into())),
        );
        if let Some((first, key)) = self.addresses.add(ip, index, Key::Own("/address")) {
            let message = |owner: &str| format!("`{owner}` and `{name}` have the address {address}");
            let finding = duplicate(Code::DuplicateAddress, first, &key, &message);
            findings
                .push(finding.note("talosctl would reach one of the two, and apply to it what is meant for the other"));
        }
        let mut is_duplicate = false;
        if role == Role::ControlPlane {
            self.control_plane_hosts.entry(cluster.clone()).or_default().insert(hostname.clone());
        }
        if let Some((first, key)) = self.hostnames.add(format!("{cluster}/{hostname}"), index, key) {
            let message = |owner: &str| format!("`{owner}` and `{name}` have the hostname `{hostname}`");
            let finding = duplicate(Code::DuplicateHostname, first, &key, &message);
            findings.push(finding.note("a hostname is the name of a Kubernetes node: the second one could not join"));
            is_duplicate = true;
        }
        if let Some((called, key)) = input.tailnet
            && let Some((first, key)) = self.tailnet.add(called.clone(), index, key)
            && !(is_duplicate && matches!(key, Key::Own("/hostname" | "/name")))
        {
            let message = |owner: &str| format!("`{owner}` and `{name}` are called `{called}` in the tailnet");
            let finding = duplicate(Code::DuplicateHostname, first, &key, &message);
            findings.push(
                finding
                    .note("Tailscale renames the second one")
                    .help(format!("write another name for one of them, as in\ntailscale: {{ hostname: {called}-2 }}")),
            );
        }
        match role {
            Role::ControlPlane => {
                self.control_planes.entry(cluster).or_default().insert(address);
            }
            Role::Worker => *self.workers.entry(cluster).or_default() += 1,
        }
    }

    /// What devices claim with their hostnames and their raw patches.
    pub(super) fn claims(&self) -> &Claims {
        &self.claims
    }

    pub(super) fn claims_mut(&mut self) -> &mut Claims {
        &mut self.claims
    }

    /// Returns the device of a cluster with an address, and where it is written.
    pub(super) fn owner_of(&self, address: IpAddr, cluster: &str) -> Option<(&str, Location)> {
        let (index, key) = self.addresses.0.get(address.to_string().as_str())?;
        let (name, source) = &self.devices[*index as usize];
        let is_of_cluster = self.clusters.get(*index as usize).is_some_and(|of| &**of == cluster);
        is_of_cluster.then(|| (&**name, key.location(*source)))
    }

    /// Returns the device of a cluster with a hostname, and where it is written.
    pub(super) fn host(&self, cluster: &str, hostname: &str) -> Option<(&str, Location)> {
        let (index, key) = self.hostnames.0.get(format!("{cluster}/{hostname}").as_str())?;
        let (name, source) = &self.devices[*index as usize];
        Some((name, key.location(*source)))
    }

    /// The addresses of the control planes of each cluster, in the order of the strings.
    pub(super) fn control_planes(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.control_planes
    }

    /// The number of workers of each cluster.
    pub(super) fn workers(&self) -> &BTreeMap<String, usize> {
        &self.workers
    }

    /// The name of each device, and its hostname; of devices of a cluster with one hostname, only the first.
    pub(super) fn hosts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.hostnames.0.iter().map(|(key, (index, _))| {
            let hostname = key.split_once('/').map_or(&**key, |(_, hostname)| hostname);
            (&*self.devices[*index as usize].0, hostname)
        })
    }

    /// The name of each device, and its address; of devices with one address, only the first.
    pub(super) fn addresses(&self) -> impl Iterator<Item = (&str, &str)> {
        self.addresses.0.iter().map(|(address, (index, _))| (&*self.devices[*index as usize].0, &**address))
    }

    /// The name of each device, and where it is written.
    pub(super) fn names(&self) -> impl Iterator<Item = (&str, Location)> {
        self.devices.iter().map(|(name, source)| (&**name, Location::value(*source, "/name".into())))
    }

    /// Returns what clusters lack. That can only be known if `all_read`: every device's file could be read.
    pub(super) fn finish(&self, fleet: &FleetFile, all_read: bool) -> Vec<Diagnostic> {
        let mut findings = lowered(fleet);
        findings.extend(self.objects.finish());
        self.selectors.finish(fleet, all_read, &mut findings);
        if all_read {
            self.certificate_names.finish(&self.control_planes, &self.control_plane_hosts, &mut findings);
        }
        for name in fleet.fleet.clusters.keys().filter(|_| all_read) {
            let planes = self.control_planes.get(name.as_str()).map_or(0, BTreeSet::len);
            let workers = self.workers.get(name.as_str()).copied().unwrap_or_default();
            let location = fleet.at(Pointer::new("/clusters").child(name)).as_key();
            if planes == 0 && workers > 0 {
                let message = format!("no device of `{name}` is a control plane");
                let finding = Diagnostic::new(Code::NoControlPlane, message, location);
                findings.push(finding.note("its control plane is not in this repository, or a role is wrong"));
            } else if planes > 0 && planes.is_multiple_of(2) {
                let message = format!("`{name}` has {planes} control planes");
                findings.push(Diagnostic::new(Code::EvenControlPlanes, message, location).note(
                    "etcd needs more than half of its members: an even number tolerates no more failures than one less, and has one more member that can fail",
                ));
            }
        }
        findings
    }
}

/// Codes of errors that the fleet file would lower.
fn lowered(fleet: &FleetFile) -> Vec<Diagnostic> {
    let lowered = |(code, level): &(&Code, &LintLevel)| code.level() == Level::Error && **level != LintLevel::Error;
    let finding = |(code, _): (&Code, &LintLevel)| {
        let message = format!("`{code}` is an error and cannot be lowered");
        Diagnostic::new(Code::LoweredError, message, fleet.at(Pointer::new("/lints").child(code.name())))
            .note("with such a finding a node would differ from the model, or not boot")
            .help("remove the line")
    };
    fleet.fleet.lints.iter().filter(lowered).map(finding).collect()
}
