//! The folders of applications: what is in one belongs to one application.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashSet};

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location};

use super::Cluster;
use super::applications::ApplicationFolder;
use super::cross_device::CrossDeviceChecks;
use crate::layout::{self, DEVICES};

/// A folder, its owner, and the key that specifies it.
struct Claim {
    folder: Utf8PathBuf,
    owner: String,
    location: Location,
}

/// Checks that no folder of an application is that of another one, or contains it or a device's, and that no two devices have one
/// folder. Paths are compared without case, as some file systems do.
pub(super) fn check(clusters: &[Cluster], devices: &CrossDeviceChecks) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    let applications: Vec<Claim> = clusters.iter().flat_map(claims).collect();
    for (index, claim) in applications.iter().enumerate() {
        let meet = |first: &Claim| Some(meet(claim, first)?.help("write another `path` for one of them"));
        findings.extend(applications[..index].iter().filter_map(meet));
        if below(&claim.folder, Utf8Path::new(DEVICES)) || below(Utf8Path::new(DEVICES), &claim.folder) {
            findings.extend(devices.names().filter_map(|(name, location)| meet(&manifests(name, location))));
        }
    }
    findings.extend(names_that_differ_in_case(devices));
    findings
}

/// The folder of a device's generated files.
fn manifests(name: &str, location: Location) -> Claim {
    Claim { folder: layout::manifests(name), owner: format!("the device `{name}`"), location }
}

fn names_that_differ_in_case(devices: &CrossDeviceChecks) -> Vec<Diagnostic> {
    let has_upper = |name: &str| name.bytes().any(|byte| byte.is_ascii_uppercase());
    let lowered: HashSet<String> =
        devices.names().filter(|(name, _)| has_upper(name)).map(|(name, _)| name.to_lowercase()).collect();
    if lowered.is_empty() {
        return Vec::new();
    }
    let mut first: BTreeMap<String, Claim> = BTreeMap::new();
    let mut findings = Vec::new();
    for (name, location) in devices.names() {
        let lower = name.to_lowercase();
        if !lowered.contains(&lower) {
            continue;
        }
        let claim = manifests(name, location);
        match first.entry(lower) {
            Entry::Occupied(first) => findings.extend(
                meet(&claim, first.get()).map(|finding| finding.device(name).help("rename one of the two folders")),
            ),
            Entry::Vacant(free) => drop(free.insert(claim)),
        }
    }
    findings
}

fn claims(cluster: &Cluster) -> Vec<Claim> {
    let claim = |application: ApplicationFolder<'_>| Claim {
        folder: Utf8PathBuf::from(application.folder),
        owner: format!("`{}` of `{}`", application.name, cluster.name),
        location: application.location.clone(),
    };
    cluster.folders().map(claim).collect()
}

/// The finding on two folders of which one contains the other.
fn meet(claim: &Claim, first: &Claim) -> Option<Diagnostic> {
    let (message, note) = if below(&claim.folder, &first.folder) && below(&first.folder, &claim.folder) {
        (
            format!("{} and {} are written to one folder, `{}`", first.owner, claim.owner, claim.folder),
            "each would replace the files of the other, or remove them as files that belong to nothing",
        )
    } else {
        let (inner, outer) = if below(&claim.folder, &first.folder) { (claim, first) } else { (first, claim) };
        if !below(&inner.folder, &outer.folder) {
            return None;
        }
        (
            format!("the folder of {} is inside that of {}, `{}`", inner.owner, outer.owner, outer.folder),
            "the files of the inner one could be removed as files of the outer one that belong to nothing",
        )
    };
    let finding = Diagnostic::new(Code::OutputCollision, message, claim.location.clone());
    Some(finding.also(first.location.clone(), "the other one").note(note))
}

/// Whether a path is a folder or is inside it.
fn below(path: &Utf8Path, folder: &Utf8Path) -> bool {
    Utf8Path::new(&path.as_str().to_lowercase()).starts_with(folder.as_str().to_lowercase())
}
