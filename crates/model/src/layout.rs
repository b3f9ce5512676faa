//! Where the files of a repository are, from its root.

use camino::{Utf8Path, Utf8PathBuf};

/// The file of the fleet, which marks the root of a repository.
pub const FLEET_FILE: &str = "talosmith.yaml";

/// The folder with a folder for each device.
pub const DEVICES: &str = "devices";

/// The model of a device, in the folder of the device.
pub const DEVICE_FILE: &str = "device.yaml";

/// The generated files of a device, in the folder of the device.
pub const MANIFESTS: &str = "manifests";

/// The application of the local-path-provisioner.
pub const LOCAL_PATH: &str = "local-path";

/// The application of kata containers.
pub const KATA_CONTAINERS: &str = "kata-containers";

/// The application of the DaemonSets for GPUs.
pub const GPU: &str = "gpu";

/// The applications that a cluster can have.
pub const APPLICATIONS: [&str; 3] = [LOCAL_PATH, KATA_CONTAINERS, GPU];

pub fn device_folder(name: &str) -> Utf8PathBuf {
    [DEVICES, "/", name].concat().into()
}

/// The model of the device of that name.
pub fn device_file(name: &str) -> Utf8PathBuf {
    [DEVICES, "/", name, "/", DEVICE_FILE].concat().into()
}

/// The folder of the generated files of the device of that name.
pub fn manifests(name: &str) -> Utf8PathBuf {
    [DEVICES, "/", name, "/", MANIFESTS].concat().into()
}

/// The folder of an application where the model specifies no other.
pub fn application(name: &str) -> Utf8PathBuf {
    ["argocd/applications/", name].concat().into()
}

/// The start and the end of the name of a file that is being written.
const TEMPORARY: [&str; 2] = [".", ".talosmith-tmp"];

/// The longest name of a file in bytes: what file systems allow, less what the temporary name adds.
pub const MAX_NAME: usize = 255 - TEMPORARY[0].len() - TEMPORARY[1].len();

/// Returns the name under which a file is written before it is renamed.
pub fn temporary_name(name: &str) -> String {
    [TEMPORARY[0], name, TEMPORARY[1]].concat()
}

/// Whether [`temporary_name`] returns such names.
pub fn is_temporary(name: &str) -> bool {
    let rest = name.strip_prefix(TEMPORARY[0]).and_then(|rest| rest.strip_suffix(TEMPORARY[1]));
    rest.is_some_and(|name| !name.is_empty())
}

/// The name of the device whose folder contains a path.
pub fn device_of(path: &Utf8Path) -> Option<&str> {
    path.strip_prefix(DEVICES).ok()?.iter().next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_names_are_known_again() {
        assert_eq!(temporary_name("a.yaml"), ".a.yaml.talosmith-tmp");
        let names = [".a.yaml.talosmith-tmp", ".talosmith-tmp", "..talosmith-tmp", "a.yaml.talosmith-tmp", ".a.yaml"];
        assert_eq!(names.map(is_temporary), [true, false, false, false, false]);
    }
}
