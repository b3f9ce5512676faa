//! The disks of a node as `talosctl get disks -o yaml` prints them, and the `disks` of a device for them.

use std::collections::BTreeSet;

use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Document, Level, Location, Pointer, SourceId, TalosVersion, natural};
use talosmith_machinery::cel::{self, Bindings, Environment, Outcome};

use crate::plan;

/// The types of the resources. Source: pkg/machinery/resources/block of Talos 1.12 to 1.14.
const DISK: &str = "Disks.block.talos.dev";
const SYSTEM_DISK: &str = "SystemDisks.block.talos.dev";

/// The start of the kernel's names of block devices that are no disks of the machine.
const NO_DISKS: [&str; 8] = ["dm-", "fd", "loop", "md", "nbd", "ram", "sr", "zram"];

/// What of a disk may be missing in the model, in hundredths of its size: people write 1TB for 1000204886016 bytes.
const ROUNDED: u64 = 1;

/// The most disks of a node. A device of the model has no more either.
const MAX_DISKS: usize = 1_000;

/// The steps that the evaluations of all selectors may take, many times what a machine needs. What is not evaluated is unknown.
const MAX_STEPS: usize = 1_000_000;

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
    uuid: String,
    modalias: String,
    bus_path: String,
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
            let help = "print the disks of one node: `talosctl get disks -o yaml --nodes <address>`";
            return Err(refuse(format!("these are the disks of several nodes: {names}"), help));
        }
        if disks.is_empty() {
            let help = "write what `talosctl get disks -o yaml --nodes <address>` prints; `--insecure` is for a node in maintenance mode";
            return Err(refuse("there is no disk of a node".to_owned(), help));
        }
        if disks.len() > MAX_DISKS {
            let help = "write the disks of this node alone";
            return Err(refuse(format!("there are {} disks, more than {MAX_DISKS}", disks.len()), help));
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
            text.push_str(&self.item(disk));
            if system.is_some_and(|system| system.name == disk.name) {
                let is_known = self.disks.len() == 1 || self.system.is_some();
                let mark = if is_known { "" } else { " # PLACEHOLDER: the disk to install Talos on" };
                text.push_str(&format!("    system: true{mark}\n"));
            }
        }
        text
    }

    /// Returns the name and the bytes of the disk that a path or a selector finds; none if that is not exactly one.
    #[must_use]
    pub fn find(&self, selector: &str, version: &TalosVersion) -> Option<(String, u64)> {
        let expression = cel::check(selector, Environment::Disk, version).ok();
        let is_found = |disk: &&NodeDisk| match selector.starts_with('/') {
            true => selector == format!("/dev/{}", disk.name) || disk.symlinks.iter().any(|link| link == selector),
            false => {
                let outcome = expression.as_ref().map(|expression| expression.evaluate(&self.facts(disk)));
                outcome == Some(Outcome::True)
            }
        };
        let mut found = self.disks.iter().filter(is_found);
        let first = found.next()?;
        found.next().is_none().then(|| (first.name.clone(), first.bytes))
    }

    /// Returns the items of `disks` for the disks that have none of these names.
    #[must_use]
    pub fn others(&self, known: &[String]) -> String {
        let others = self.disks.iter().filter(|disk| !known.contains(&disk.name));
        others.map(|disk| self.item(disk)).collect()
    }

    /// The item of `disks` for a disk.
    fn item(&self, disk: &NodeDisk) -> String {
        let selector = self.selector(disk);
        let kind = [disk.model.trim(), &disk.transport].join(" ");
        let (kind, name, bytes) = (kind.trim(), &disk.name, disk.bytes);
        format!("  # {kind}: {}\n  {name}:\n    size: {bytes}B\n    {}\n", selector.reason, selector.line)
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
            uuid: text("uuid"),
            modalias: text("modalias"),
            bus_path: text("bus_path"),
            transport: text("transport"),
            rotational: is_true("rotational"),
            symlinks: symlinks.filter_map(|link| Some(link.as_str()?.to_owned())).collect(),
        })
    }
}

impl NodeDisks {
    /// Compares the disks of a device with those of its node, and returns what is wrong in the model.
    #[must_use]
    pub fn check(&self, device: &plan::Device) -> Vec<Diagnostic> {
        let mut findings = Vec::new();
        let mut selected = BTreeSet::new();
        let facts: Vec<Bindings> = self.disks.iter().map(|node| self.facts(node)).collect();
        let mut steps = MAX_STEPS;
        for disk in &device.storage.disks {
            let at = Pointer::new("/disks").child(&disk.name);
            let Ok(expression) = cel::check(&disk.selector, Environment::Disk, &device.versions.talos) else {
                continue;
            };
            let outcomes = self.disks.iter().zip(&facts);
            let outcomes = outcomes.map(|(node, facts)| (node, expression.evaluate_within(facts, &mut steps)));
            let possible: Vec<_> = outcomes.filter(|(_, outcome)| *outcome != Outcome::False).collect();
            selected.extend(possible.iter().map(|(node, _)| &node.name));
            // Such as `system_disk`, where the file does not say which disk that is.
            if possible.iter().any(|(_, outcome)| *outcome != Outcome::True) {
                continue;
            }
            let matches: Vec<&NodeDisk> = possible.into_iter().map(|(node, _)| node).collect();
            let place = device.keys.at(at.clone()).as_key();
            match matches.as_slice() {
                [] => findings.push(self.no_match(disk, place)),
                [node] => findings.extend(other_size(disk, node, device.keys.at(at.child("size")))),
                [first, second, ..] => {
                    let message =
                        format!("`{}` is true for `{}` and `{}` of the node", disk.selector, first.name, second.name);
                    findings.push(
                        Diagnostic::new(Code::AmbiguousDiskSelector, message, place)
                            .help(format!("write what only one of them has, as in\n{}", self.selector(first).line)),
                    );
                }
            }
        }
        let unlisted = self.disks.iter().filter(|node| !selected.contains(&node.name));
        findings.extend(unlisted.map(|node| {
            let message =
                format!("the node has a disk `{}` of {} bytes that the model does not list", node.name, node.bytes);
            let place = device.keys.at("/disks").as_key();
            let mut finding = Diagnostic::new(Code::NodeDisks, message, place);
            finding.level = Level::Warning;
            finding.note("selectors are checked against the disks of the model alone").help(format!(
                "add it under `disks`:\n{}:\n  size: {}B\n  {}",
                node.name,
                node.bytes,
                self.selector(node).line
            ))
        }));
        findings
    }

    /// The finding on a disk of the model that the node does not have.
    fn no_match(&self, disk: &plan::Disk, place: Location) -> Diagnostic {
        let message = format!("`{}` is true for no disk of the node", disk.selector);
        let finding = Diagnostic::new(Code::NoDiskMatches, message, place)
            .note("Talos would not find the disk, and its volumes would wait for it");
        let alike = self.disks.iter().find(|node| node.bytes == disk.bytes);
        match alike {
            Some(node) => finding.help(format!("`{}` has this size:\n{}", node.name, self.selector(node).line)),
            None => finding.help("remove the disk, or write the selector of another one"),
        }
    }

    /// Every property of a disk that a selector can match.
    fn facts(&self, disk: &NodeDisk) -> Bindings {
        let mut facts = Bindings::default();
        facts.bind("disk.size", disk.bytes);
        let dev_path = format!("/dev/{}", disk.name);
        let texts = [
            ("disk.dev_path", dev_path.as_str()),
            ("disk.model", &disk.model),
            ("disk.serial", &disk.serial),
            ("disk.wwid", &disk.wwid),
            ("disk.uuid", &disk.uuid),
            ("disk.modalias", &disk.modalias),
            ("disk.bus_path", &disk.bus_path),
            ("disk.transport", &disk.transport),
        ];
        for (path, text) in texts {
            facts.bind(path, text);
        }
        facts.bind("disk.rotational", disk.rotational);
        facts.bind("disk.readonly", false);
        facts.bind("disk.cdrom", false);
        let links = disk.symlinks.iter().map(|link| link.as_str().into()).collect();
        facts.bind("disk.symlinks", cel::Value::List(links, true));
        if let Some(system) = &self.system {
            facts.bind("system_disk", *system == disk.name);
        }
        facts
    }
}

/// The finding on a disk whose size in the model is not that of the node's disk.
fn other_size(disk: &plan::Disk, node: &NodeDisk, place: Location) -> Option<Diagnostic> {
    let is_larger = disk.bytes > node.bytes;
    if !is_larger && node.bytes - disk.bytes <= node.bytes / 100 * ROUNDED {
        return None;
    }
    let message =
        format!("`{}` of the node has {} bytes, and the model specifies {}", node.name, node.bytes, disk.bytes);
    let mut finding = Diagnostic::new(Code::NodeDisks, message, place);
    let note = if is_larger {
        "volumes that fit in the model may not fit on the disk, and Talos does not create these"
    } else {
        finding.level = Level::Warning;
        "the rest of the disk is left out of every calculation"
    };
    Some(finding.note(note).help(format!("write\nsize: {}B", node.bytes)))
}

/// Whether a text needs no quotes in CEL and YAML.
fn is_plain(text: &str) -> bool {
    !text.is_empty()
        && text.trim() == text
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/:+ ".contains(c))
        && !text.contains(": ")
}
