//! Certificates that name some control planes of a cluster and not all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location};

use crate::DeviceFile;
use crate::device::Device;
use crate::scalar::SubjectAltName;

/// The names in a list for a certificate, and where the list is written.
#[derive(Debug)]
pub(super) struct Input {
    addresses: Vec<IpAddr>,
    hostnames: Vec<String>,
    location: Location,
    /// The address and the hostname of the only device with this list: Talos adds them to the names itself.
    own: Option<(IpAddr, String)>,
}

impl Input {
    /// Returns the lists of a device that contain two names or more and not all control planes by `controlplanes`.
    pub(super) fn all(file: &DeviceFile) -> Vec<Self> {
        let device = &file.device;
        let of_server = device.api_server.as_ref().map_or(&[][..], |server| &server.cert_sans);
        let lists = [("/certSANs", &device.cert_sans[..]), ("/apiServer/certSANs", of_server)];
        let inputs = lists.into_iter().filter_map(|(pointer, names)| {
            let literal = |name: &'_ SubjectAltName| {
                if let SubjectAltName::Literal(name) = name { Some(name.clone()) } else { None }
            };
            let (addresses, hostnames): (Vec<String>, Vec<String>) =
                names.iter().filter_map(literal).partition(|name| name.parse::<IpAddr>().is_ok());
            let is_checked =
                addresses.len().max(hostnames.len()) > 1 && !names.contains(&SubjectAltName::ControlPlanes);
            is_checked.then(|| Self {
                addresses: addresses.into_iter().filter_map(|name| name.parse().ok()).collect(),
                hostnames,
                location: file.at(pointer),
                own: Some((device.address.ip(), hostname(device))),
            })
        });
        inputs.collect()
    }
}

/// The lists of the devices of each cluster, one for each place where they are written.
#[derive(Default)]
pub(super) struct Checks(BTreeMap<(String, Location), Input>);

impl Checks {
    pub(super) fn add(&mut self, cluster: &str, inputs: Vec<Input>) {
        for input in inputs {
            let first = self.0.entry((cluster.to_owned(), input.location.clone()));
            first.and_modify(|first| first.own = None).or_insert(input);
        }
    }

    /// Reports the lists that have two or more control planes of their cluster, and lack another.
    pub(super) fn finish(
        &self,
        addresses: &BTreeMap<String, BTreeSet<String>>,
        hostnames: &BTreeMap<String, BTreeSet<String>>,
        findings: &mut Vec<Diagnostic>,
    ) {
        for ((cluster, location), input) in &self.0 {
            let (Some(addresses), Some(hostnames)) = (addresses.get(cluster), hostnames.get(cluster)) else { continue };
            let missing = input.missing_addresses(addresses).or_else(|| input.missing_hostnames(hostnames));
            let Some(Missing { listed, names, help }) = missing else { continue };
            let message = format!(
                "these names have {listed} of the {} control planes of `{cluster}`, and not {}",
                addresses.len(),
                names.join(", ")
            );
            let finding = Diagnostic::new(Code::CertificateNames, message, location.clone())
                .note("a client that connects by one that is missing refuses the certificate")
                .help(help);
            findings.push(finding);
        }
    }
}

/// The control planes of a cluster that a list lacks.
struct Missing {
    /// The number of those that it has.
    listed: usize,
    names: Vec<String>,
    help: String,
}

impl Input {
    fn missing_addresses(&self, planes: &BTreeSet<String>) -> Option<Missing> {
        let planes = planes.iter().filter_map(|address| address.parse::<IpAddr>().ok());
        let (listed, others): (Vec<_>, Vec<_>) = planes.partition(|plane| self.addresses.contains(plane));
        let own = self.own.as_ref().map(|(address, _)| *address);
        let names: Vec<String> = others.iter().filter(|plane| Some(**plane) != own).map(ToString::to_string).collect();
        let help = "write `controlplanes` for the addresses of all of them".to_owned();
        (listed.len() > 1 && !names.is_empty()).then_some(Missing { listed: listed.len(), names, help })
    }

    /// Compares first labels: a list can have the hosts of any domain.
    fn missing_hostnames(&self, planes: &BTreeSet<String>) -> Option<Missing> {
        let named = |plane: &str| self.hostnames.iter().find(|name| label(name) == label(plane));
        let (listed, others): (Vec<&String>, Vec<&String>) = planes.iter().partition(|plane| named(plane).is_some());
        let domain = listed.iter().find_map(|plane| named(plane)).and_then(|name| name.split_once('.'));
        let name = |plane: &&String| match domain {
            Some((_, domain)) => format!("{}.{domain}", label(plane)),
            None => label(plane).to_owned(),
        };
        let is_own = |plane: &&&String| self.own.as_ref().is_some_and(|(_, hostname)| hostname == **plane);
        let names: Vec<String> = others.iter().filter(|plane| !is_own(plane)).map(name).collect();
        let help = format!("add to the list: {}", names.join(", "));
        (listed.len() > 1 && !names.is_empty()).then_some(Missing { listed: listed.len(), names, help })
    }
}

fn label(hostname: &str) -> &str {
    hostname.split('.').next().unwrap_or_default()
}

/// Returns the hostname of a device: its name, unless it has another one.
fn hostname(device: &Device) -> String {
    device.hostname.as_ref().map_or_else(|| device.name.to_string(), ToString::to_string)
}
