//! What the PATH arguments of a command name: devices, and with them their clusters.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::closest;
use talosmith_model::Plan;

use crate::project::Project;

/// The owners that a command is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    /// The whole repository.
    Everything,
    /// Some devices by name, and their clusters.
    Devices(BTreeSet<String>),
}

/// An argument that names no device.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{argument}` is neither a device nor a folder of one{}", .near.as_ref().map(|near| format!("; did you mean `{near}`?")).unwrap_or_default())]
pub struct NoSuchDevice {
    argument: String,
    near: Option<String>,
}

impl Selection {
    /// Resolves arguments, each a device's name or a path in a device's folder; `below` is the current folder as seen from the root.
    ///
    /// # Errors
    /// An argument that names nothing.
    pub fn resolve(arguments: &[Utf8PathBuf], below: &Utf8Path, project: &Project) -> Result<Self, NoSuchDevice> {
        let mut names = BTreeSet::new();
        for argument in arguments {
            let path = normal(&below.join(argument));
            if path.as_str().is_empty() || path == "devices" || path == "talosmith.yaml" {
                return Ok(Self::Everything);
            }
            let in_folder = path.strip_prefix("devices").ok().and_then(|path| path.iter().next());
            let known = |name: &&str| project.folders.iter().any(|folder| folder == name);
            match in_folder.filter(known).or_else(|| Some(argument.as_str()).filter(known)) {
                Some(name) => names.insert(name.to_owned()),
                None => {
                    let name = in_folder.unwrap_or(argument.as_str());
                    let near = closest(name, project.folders.iter().map(String::as_str)).map(str::to_owned);
                    return Err(NoSuchDevice { argument: argument.to_string(), near });
                }
            };
        }
        Ok(if names.is_empty() { Self::Everything } else { Self::Devices(names) })
    }

    /// The device that is named, if it is one and no more.
    #[must_use]
    pub fn only_device(&self) -> Option<&str> {
        match self {
            Self::Devices(names) if names.len() == 1 => names.first().map(String::as_str),
            Self::Devices(_) | Self::Everything => None,
        }
    }

    /// Whether a device is named.
    #[must_use]
    pub fn has_device(&self, name: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Devices(names) => names.contains(name),
        }
    }

    /// Whether a device of a cluster is named.
    #[must_use]
    pub fn has_cluster(&self, name: &str, plan: &Plan) -> bool {
        match self {
            Self::Everything => true,
            Self::Devices(names) => {
                plan.devices.iter().any(|device| device.cluster == name && names.contains(&device.name))
            }
        }
    }
}

/// A path without `.` and `..`, as text.
fn normal(path: &Utf8Path) -> Utf8PathBuf {
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
