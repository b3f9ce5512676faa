//! The disks of a node as `talosctl get disks -o yaml` prints them, and the `disks` of a device for them.

use std::collections::BTreeSet;

use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Document, Location, SourceId, natural};

/// The types of the resources. Source: pkg/machinery/resources/block of Talos 1.12 to 1.14.
const DISK: &str = "Disks.block.talos.dev";
const SYSTEM_DISK: &str = "SystemDisks.block.talos.dev";

/// The start of the kernel's names of block devices that are no disks of the machine.
const NO_DISKS: [&str; 8] = ["dm-", "fd", "loop", "md", "nbd", "ram", "sr", "zram"];

/// The disks of a node that can be used.
#[derive(Debug)]
pub struct NodeDisks {
    /// In natural order of their names.
    disks: Vec<NodeDisk>,
    /// The name of the disk that Talos is installed on, if that is known.
    system: Option<String>,
}

/// A disk of a node.
#[derive(Debug)]
struct NodeDisk {
    /// The kernel's name.
    name: String,
    bytes: u64,
    model: String,
    serial: String,
    wwid: String,
    transport: String,
    rotational: bool,
    symlinks: Vec<String>,
}

impl NodeDisks {
    /// Reads the output of `talosctl get disks -o yaml`, in which that of `talosctl get systemdisk -o yaml` may be too.
    ///
    /// # Errors
    /// Findings on what is not such an output, or is one of several nodes.
    pub fn read(source: SourceId, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let refuse = |message: String, help: &str| {
            vec![Diagnostic::new(Code::WrongType, message, Location::file(source)).help(help)]
        };
        let (mut disks, mut system, mut nodes) = (Vec::new(), None, BTreeSet::new());
        for node in Document::parse_stream(source, text)? {
            let resource = node.into_json();
            nodes.extend(resource["node"].as_str().map(str::to_owned));
            match resource["metadata"]["type"].as_str() {
                Some(DISK) => disks.extend(NodeDisk::new(&resource)),
                Some(SYSTEM_DISK) => system = resource["spec"]["diskID"].as_str().map(str::to_owned),
                _ => {}
            }
        }
        if nodes.len() > 1 {
            let names = nodes.into_iter().collect::<Vec<_>>().join(", ");
            let help = "ask one node: `talosctl get disks -o yaml --nodes <address>`";
            return Err(refuse(format!("these are the disks of several nodes: {names}"), help));
        }
        if disks.is_empty() {
            let help = "write what `talosctl get disks -o yaml --nodes <address>` prints; `--insecure` asks a node in maintenance mode";
            return Err(refuse("there is no disk of a node".to_owned(), help));
        }
        disks.sort_by(|one, other| natural(&one.name, &other.name));
        Ok(Self { disks, system })
    }

    /// Returns the key `disks` of a device. What only a person can know is marked by `# PLACEHOLDER:`.
    #[must_use]
    pub fn block(&self) -> String {
        let mut text = "disks:\n".to_owned();
        let system = self.system_disk();
        for disk in &self.disks {
            let selector = self.selector(disk);
            let kind = [disk.model.trim(), &disk.transport].join(" ");
            text.push_str(&format!("  # {}: {}\n", kind.trim(), selector.reason));
            text.push_str(&format!("  {}:\n    size: {}B\n    {}\n", disk.name, disk.bytes, selector.line));
            if system.is_some_and(|system| system.name == disk.name) {
                let is_known = self.disks.len() == 1 || self.system.is_some();
                let mark = if is_known { "" } else { " # PLACEHOLDER: the disk to install Talos on" };
                text.push_str(&format!("    system: true{mark}\n"));
            }
        }
        text
    }

    /// The disk that Talos is installed on; without one, what most machines boot from.
    fn system_disk(&self) -> Option<&NodeDisk> {
        let known = self.disks.iter().find(|disk| self.system.as_ref() == Some(&disk.name));
        let smallest = || self.disks.iter().min_by_key(|disk| (disk.transport == "usb", disk.rotational, disk.bytes));
        known.or_else(smallest)
    }

    /// Chooses what finds a disk after a reboot too.
    fn selector(&self, disk: &NodeDisk) -> Selector {
        let is_unique = |text: fn(&NodeDisk) -> &str| {
            let own = text(disk);
            is_plain(own) && self.disks.iter().filter(|other| text(other) == own).count() == 1
        };
        let link = |folder: &str| {
            let links = disk.symlinks.iter().filter(|link| link.starts_with(folder) && is_plain(link));
            links.min_by_key(|link| link.len())
        };
        let path = |link: &str| format!("path: {link}");
        let (line, reason) = if is_unique(|disk| &disk.serial) {
            (format!("selector: disk.serial == '{}'", disk.serial), "found by its serial number, which stays")
        } else if is_unique(|disk| &disk.wwid) {
            (
                format!("selector: disk.wwid == '{}'", disk.wwid),
                "found by its WWID, as it has no serial number of its own",
            )
        } else if let Some(link) = link("/dev/disk/by-id/") {
            (path(link), "found by its ID, as it has neither a serial number nor a WWID of its own")
        } else if let Some(link) = link("/dev/disk/by-path/") {
            (path(link), "found by its place in the machine, as nothing else of it is unique: do not move it")
        } else {
            let path = format!("path: /dev/{} # PLACEHOLDER: a path or selector that stays after a reboot", disk.name);
            (path, "nothing of it stays the same after a reboot")
        };
        Selector { line, reason }
    }
}

/// How a disk is found.
struct Selector {
    /// A key of the disk in the model.
    line: String,
    reason: &'static str,
}

impl NodeDisk {
    /// Takes a disk from its resource; none if it cannot be written to or is no disk of the machine.
    fn new(resource: &Value) -> Option<Self> {
        let (name, spec) = (resource["metadata"]["id"].as_str()?, &resource["spec"]);
        let text = |key: &str| spec[key].as_str().unwrap_or_default().to_owned();
        let is_true = |key: &str| spec[key] == true;
        let bytes = spec["size"].as_u64().filter(|bytes| *bytes > 0)?;
        if is_true("readonly") || is_true("cdrom") || NO_DISKS.iter().any(|start| name.starts_with(start)) {
            return None;
        }
        let symlinks = spec["symlinks"].as_array().into_iter().flatten();
        Some(Self {
            name: name.to_owned(),
            bytes,
            model: text("model"),
            serial: text("serial"),
            wwid: text("wwid"),
            transport: text("transport"),
            rotational: is_true("rotational"),
            symlinks: symlinks.filter_map(|link| Some(link.as_str()?.to_owned())).collect(),
        })
    }
}

/// Whether a text needs no quotes in CEL and YAML.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:+ ".contains(c))
        && !text.contains(": ")
}
