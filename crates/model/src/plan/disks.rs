//! The disks of a machine.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer};

use super::Check;

/// A disk of the machine.
#[derive(Debug, Serialize)]
pub struct Disk {
    /// The name in the model.
    pub name: String,
    /// Its raw size in bytes.
    pub bytes: u64,
    /// A CEL expression that finds it.
    pub selector: String,
    pub system: bool,
    /// What the disk is reserved for; none if it may have volumes.
    pub reserved: Option<String>,
}

/// Plans the disks of a device, in the order of their names.
pub(super) fn disks(check: &mut Check<'_>) -> Vec<Disk> {
    let mut planned = Vec::with_capacity(check.file.device.disks.len());
    let mut system: Option<Pointer> = None;
    for (name, disk) in &check.file.device.disks {
        let at = Pointer::new("/disks").child(name);
        let selector = match (&disk.selector, &disk.path) {
            (Some(selector), None) => selector.as_str().to_owned(),
            (None, Some(path)) => path.selector(),
            (None, None) => {
                check.missing(&at, "selector", "selector: disk.transport == 'nvme'");
                continue;
            }
            (Some(_), Some(_)) => {
                check.exclusive(&at, "selector", "path");
                continue;
            }
        };
        if disk.system
            && let Some(first) = system.replace(at.child("system"))
        {
            let (location, first) = (check.at(at.child("system")), check.at(first));
            check.push(
                Diagnostic::new(Code::DuplicateSystemDisk, "two disks are `system`", location)
                    .also(first, "first here")
                    .note("Talos is installed on one disk"),
            );
        }
        planned.push(Disk {
            name: name.to_string(),
            bytes: disk.size.bytes(),
            selector,
            system: disk.system,
            reserved: disk.reserved.clone(),
        });
    }
    planned
}
