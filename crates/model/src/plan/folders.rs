//! The folders of applications: what is in one belongs to one application.

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location};

use super::Cluster;
use super::applications::Member;
use crate::layout::{self, DEVICES};

/// A folder, whose it is, and the key that asks for it.
struct Claim {
    folder: Utf8PathBuf,
    owner: String,
    location: Location,
}

/// Applications whose folders are one, or lie in each other or in a device's. Paths are compared without case, as some file
/// systems do.
pub fn judge(clusters: &[Cluster], members: &[Member], findings: &mut Vec<Diagnostic>) {
    let applications: Vec<Claim> = clusters.iter().flat_map(claims).collect();
    for (index, claim) in applications.iter().enumerate() {
        findings.extend(applications[..index].iter().filter_map(|first| meet(claim, first)));
        let manifests = members.iter().map(|device| Claim {
            folder: layout::manifests(&device.name),
            owner: format!("the device `{}`", device.name),
            location: device.location.clone(),
        });
        if below(&claim.folder, Utf8Path::new(DEVICES)) || below(Utf8Path::new(DEVICES), &claim.folder) {
            findings.extend(manifests.filter_map(|device| meet(claim, &device)));
        }
    }
}

fn claims(cluster: &Cluster) -> Vec<Claim> {
    let local_path = cluster.local_path.as_ref().map(|it| ("local-path", &it.folder, &it.location));
    let kata = cluster.kata.as_ref().map(|it| ("kata-containers", &it.folder, &it.location));
    let claim = |(name, folder, location): (&str, &String, &Location)| Claim {
        folder: Utf8PathBuf::from(folder),
        owner: format!("`{name}` of `{}`", cluster.name),
        location: location.clone(),
    };
    local_path.into_iter().chain(kata).map(claim).collect()
}

/// The finding on two folders of which one holds the other.
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
            format!("the folder of {} lies in that of {}, `{}`", inner.owner, outer.owner, outer.folder),
            "the files of the inner one could be removed as files of the outer one that belong to nothing",
        )
    };
    let finding = Diagnostic::new(Code::OutputCollision, message, claim.location.clone());
    Some(finding.also(first.location.clone(), "the other one").note(note).help("give one of them another `path`"))
}

/// Whether a path is a folder or lies in it.
fn below(path: &Utf8Path, folder: &Utf8Path) -> bool {
    Utf8Path::new(&path.as_str().to_lowercase()).starts_with(folder.as_str().to_lowercase())
}
