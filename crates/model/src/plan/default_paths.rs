//! The paths that local-path takes on nodes that it does not list.

use std::collections::BTreeSet;

use crate::{Code, Diagnostic, FleetFile, Pointer};

/// Judges the default paths of each cluster.
pub fn judge(fleet: &FleetFile, findings: &mut Vec<Diagnostic>) {
    for (name, cluster) in &fleet.fleet.clusters {
        let Some(application) = &cluster.applications.local_path else { continue };
        let at = Pointer::new("/clusters").child(name).child("applications").child("local-path").child("defaultPaths");
        let mut seen = BTreeSet::new();
        for (index, path) in application.default_paths.iter().enumerate() {
            let place = fleet.at(at.child(index));
            if !seen.insert(path) {
                findings.push(
                    Diagnostic::new(Code::DuplicateVolume, format!("`{path}` is listed twice"), place)
                        .note("the provisioner refuses a configuration that names a path twice")
                        .help("remove one"),
                );
            } else if !path.as_str().starts_with("/var/") {
                findings.push(
                    Diagnostic::new(Code::ReadOnlyPath, format!("`{path}` cannot be written on Talos"), place)
                        .note("only what lies below /var can; the folder of each persistent volume is made when a claim asks for it")
                        .help("write the mount point of a user volume, such as `/var/mnt/local-path-provisioner`"),
                );
            }
        }
    }
}
