//! What the PATH arguments of a command name: devices, and with them their clusters.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::closest;
use talosmith_model::PartialDevice;
use talosmith_model::layout::{self, DEVICE_FILE, DEVICES, FLEET_FILE};

use crate::project::Project;
use crate::tree::{EntryKind, ReadError};

/// The devices that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    Everything,
    /// Some devices by name, and their clusters.
    Devices(BTreeSet<String>),
}

#[derive(Debug, thiserror::Error)]
pub enum SelectionError {
    #[error("`{argument}` {}{}", if *.has_folder { "has no `device.yaml`" } else { "is neither a device, nor a folder of one, nor a cluster" }, .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
    NoSuchDevice {
        argument: String,
        /// Whether there is such a folder below `devices/`.
        has_folder: bool,
        near: Option<String>,
    },
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Selection {
    /// Resolves arguments, each a device's name, a path in a device's folder, or a cluster's name, which selects its devices. `below`
    /// is the current folder relative to the root.
    pub fn resolve(arguments: &[Utf8PathBuf], below: &Utf8Path, project: &Project<'_>) -> Result<Self, SelectionError> {
        let mut names = BTreeSet::new();
        for argument in arguments {
            let path = normalize(&below.join(argument));
            if path.as_str().is_empty() || path == DEVICES || path == FLEET_FILE {
                return Ok(Self::Everything);
            }
            let in_folder = layout::device_of(&path);
            let mut found = None;
            for name in in_folder.into_iter().chain([argument.as_str()]) {
                if found.is_none() && is_device(project, name)? {
                    found = Some(name.to_owned());
                }
            }
            match found {
                Some(name) => {
                    names.insert(name);
                }
                None if is_cluster(project, argument) => names.extend(devices_of(project, argument)?),
                None => return Err(no_such_device(argument, in_folder.unwrap_or(argument.as_str()), project)?),
            }
        }
        Ok(if arguments.is_empty() { Self::Everything } else { Self::Devices(names) })
    }

    /// The device that is selected, if there is exactly one.
    pub(crate) fn only_device(&self) -> Option<&str> {
        match self {
            Self::Devices(names) if names.len() == 1 => names.first().map(String::as_str),
            Self::Devices(_) | Self::Everything => None,
        }
    }

    pub(crate) fn has_device(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Devices(names) => names.contains(name),
        }
    }
}

fn is_device(project: &Project<'_>, name: &str) -> Result<bool, ReadError> {
    if !project.folders.iter().any(|folder| folder == name) {
        return Ok(false);
    }
    let entries = project.tree.list(&layout::device_folder(name))?;
    Ok(entries.iter().any(|entry| entry.name == DEVICE_FILE && entry.kind != EntryKind::Folder))
}

fn is_cluster(project: &Project<'_>, name: &Utf8Path) -> bool {
    project.clusters.iter().any(|cluster| cluster.name == name)
}

/// Returns the devices whose file names a cluster, also those whose file has errors.
fn devices_of(project: &Project<'_>, cluster: &Utf8Path) -> Result<Vec<String>, ReadError> {
    let mut devices = Vec::new();
    for folder in &project.folders {
        let Some(Ok((source, text))) = project.sources.read(&layout::device_file(folder))? else { continue };
        let device = PartialDevice::of(source, &text);
        project.sources.release(source);
        if device.cluster.as_deref() == Some(cluster.as_str()) {
            devices.push(folder.clone());
        }
    }
    Ok(devices)
}

fn no_such_device(argument: &Utf8Path, name: &str, project: &Project<'_>) -> Result<SelectionError, ReadError> {
    let mut devices = Vec::new();
    for folder in &project.folders {
        if is_device(project, folder)? {
            devices.push(folder.as_str());
        }
    }
    let clusters = project.clusters.iter().map(|cluster| &*cluster.name);
    let near = closest(name, devices.into_iter().chain(clusters)).map(str::to_owned);
    let has_folder = project.folders.iter().any(|folder| folder == name);
    Ok(SelectionError::NoSuchDevice { argument: argument.to_string(), has_folder, near })
}

/// A path without `.` and `..`.
fn normalize(path: &Utf8Path) -> Utf8PathBuf {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.as_str().split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    Utf8PathBuf::from(parts.join("/"))
}
