//! Releases of the local-path-provisioner.

use talosmith_document::table;

const RELEASES: &str = include_str!("local-path.txt");

/// How the manifests at a Git reference spell the provisioner's image: one way for a release. Any other reference, such as a
/// branch, has no known date, so every way counts, the newest first.
pub(crate) fn image_names(reference: &str) -> Vec<&'static str> {
    let names = table::rows(RELEASES).rev().filter_map(|mut row| Some((release(row.next()?)?, row.next()?)));
    match release(reference) {
        Some(wanted) => names.skip_while(|(since, _)| *since > wanted).map(|(_, name)| name).take(1).collect(),
        None => names.map(|(_, name)| name).collect(),
    }
}

/// The numbers of a release such as `v0.0.31`; a candidate counts as the release.
fn release(tag: &str) -> Option<[u64; 3]> {
    let numbers = tag.strip_prefix('v')?.split('-').next()?;
    let numbers: Vec<u64> = numbers.split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
    numbers.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::image_names;

    #[test]
    fn the_registry_stands_in_the_name_since_a_release() {
        let (short, long) = ("rancher/local-path-provisioner", "docker.io/rancher/local-path-provisioner");
        for old in ["v0.0.1", "v0.0.9", "v0.0.31", "v0.0.35"] {
            assert_eq!(image_names(old), [short], "{old}");
        }
        for new in ["v0.0.36-rc1", "v0.0.36", "v0.0.100", "v1.0.0"] {
            assert_eq!(image_names(new), [long], "{new}");
        }
        for other in ["master", "9fa2a62e", "v1", "0.0.31"] {
            assert_eq!(image_names(other), [long, short], "{other}");
        }
    }
}
