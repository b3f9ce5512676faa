//! Certificates that name some control planes of a cluster and not all.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location};

use crate::DeviceFile;
use crate::scalar::SubjectAltName;

/// The addresses in a list of names for a certificate, and where the list is written.
#[derive(Debug)]
pub(super) struct Input {
    addresses: Vec<IpAddr>,
    location: Location,
    /// The address of the only device with this list: Talos adds it to the names itself.
    own: Option<IpAddr>,
}

impl Input {
    /// Returns the lists of a device that contain two addresses or more and not all control planes by `controlplanes`.
    pub(super) fn all(file: &DeviceFile) -> Vec<Self> {
        let device = &file.device;
        let of_server = device.api_server.as_ref().map_or(&[][..], |server| &server.cert_sans);
        let lists = [("/certSANs", &device.cert_sans[..]), ("/apiServer/certSANs", of_server)];
        let inputs = lists.into_iter().filter_map(|(pointer, names)| {
            let addresses: Vec<IpAddr> = names
                .iter()
                .filter_map(|name| if let SubjectAltName::Literal(name) = name { name.parse().ok() } else { None })
                .collect();
            let is_checked = addresses.len() > 1 && !names.contains(&SubjectAltName::ControlPlanes);
            is_checked.then(|| Self { addresses, location: file.at(pointer), own: Some(device.address.ip()) })
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
    pub(super) fn finish(&self, control_planes: &BTreeMap<String, BTreeSet<String>>, findings: &mut Vec<Diagnostic>) {
        for ((cluster, location), input) in &self.0 {
            let Some(planes) = control_planes.get(cluster) else { continue };
            let planes = planes.iter().filter_map(|address| address.parse::<IpAddr>().ok());
            let (listed, others): (Vec<_>, Vec<_>) = planes.partition(|plane| input.addresses.contains(plane));
            let missing: Vec<String> =
                others.iter().filter(|plane| Some(**plane) != input.own).map(ToString::to_string).collect();
            if listed.len() < 2 || missing.is_empty() {
                continue;
            }
            let message = format!(
                "these names have {} of the {} control planes of `{cluster}`, and not {}",
                listed.len(),
                listed.len() + others.len(),
                missing.join(", ")
            );
            let finding = Diagnostic::new(Code::CertificateNames, message, location.clone())
                .note("a client that connects by an address that is missing refuses the certificate")
                .help("write `controlplanes` for the addresses of all of them");
            findings.push(finding);
        }
    }
}
