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

/// The applications that a cluster can have.
pub const APPLICATIONS: [&str; 2] = [LOCAL_PATH, KATA_CONTAINERS];

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

/// The name of the device whose folder contains a path.
pub fn device_of(path: &Utf8Path) -> Option<&str> {
    path.strip_prefix(DEVICES).ok()?.iter().next()
}
