//! Checks the selectors of a device against the disks that it lists. Disks of other machines do not matter.

use std::collections::BTreeMap;

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, TalosVersion};
use talosmith_machinery::cel::{Bindings, Environment, Expression, Outcome, Value};

use super::{Check, Disk};
use crate::device;
use crate::scalar::ScalarError;

/// The most disks that each selector is evaluated for. More disks than these are compared by the text of their selectors alone.
const MAX_COMPARED: usize = 64;

/// The steps that the evaluations of all selectors of a device may take, many times what a machine needs. What is not evaluated is unknown.
const MAX_STEPS: usize = 1_000_000;

/// A disk, its selector if that is one, and what is known of the disk.
struct KnownDisk<'a> {
    disk: &'a Disk,
    location: Location,
    expression: Option<Expression>,
    facts: Bindings,
}

/// Checks the selectors of the disks, and the types of those of existing volumes.
pub(super) fn check_selectors(check: &mut Check<'_>, disks: &[Disk], version: &TalosVersion) {
    for (name, volume) in &check.file.device.volumes {
        if let Some(selector) = &volume.selector {
            let location = check.at(Pointer::new("/volumes").child(name).child("selector"));
            checked(check, selector.as_str(), Environment::Volume, version, location);
        }
    }
    let is_known = disks.iter().any(|disk| disk.system);
    let mut known_disks = Vec::with_capacity(disks.len());
    for disk in disks {
        let found = check.file.device.disks.iter().find(|(name, _)| name.as_str() == disk.name);
        let Some((_, written)) = found else { continue };
        let key = if written.path.is_some() { "path" } else { "selector" };
        let location = check.at(Pointer::new("/disks").child(&disk.name).child(key));
        let expression = checked(check, &disk.selector, Environment::Disk, version, location.clone());
        let mut facts = known(written);
        if is_known {
            facts.bind("system_disk", disk.system);
        }
        if let Some(expression) = &expression {
            facts.extend(&expression.implied());
        }
        known_disks.push(KnownDisk { disk, location, expression, facts });
    }
    let mut steps = MAX_STEPS;
    for (index, one) in known_disks.iter().enumerate() {
        let Some(expression) = &one.expression else { continue };
        // The selector of a reserved disk is not part of any artifact.
        let is_written = one.disk.reserved.is_none();
        let compared = || known_disks.iter().take(MAX_COMPARED).enumerate();
        let others = || compared().filter(|(at, _)| *at != index).map(|(_, other)| other);
        let is_own = expression.evaluate_within(&one.facts, &mut steps) != Outcome::False;
        let mut taken = || others().find(|other| expression.evaluate_within(&other.facts, &mut steps) == Outcome::True);
        if !is_own {
            check.push(no_match(one, expression, taken()));
        } else if !is_written {
            continue;
        } else if let Some(first) = known_disks[..index].iter().find(|other| other.disk.selector == one.disk.selector) {
            check.push(ambiguous(check, one, first, "the same selector"));
        } else if let Some(other) = taken().filter(|other| other.disk.selector != one.disk.selector) {
            check.push(ambiguous(check, one, other, "true for this disk too"));
        }
        check.findings.extend(unstable(one, &known_disks));
    }
}

/// The facts by which `machine.install.diskSelector` finds a disk: its key there, and the path of the fact.
/// Source: InstallDiskSelector in Talos's pkg/machinery/config/types/v1alpha1.
const INSTALL_FACTS: [(&str, &str); 6] = [
    ("serial", "disk.serial"),
    ("wwid", "disk.wwid"),
    ("model", "disk.model"),
    ("uuid", "disk.uuid"),
    ("modalias", "disk.modalias"),
    ("busPath", "disk.bus_path"),
];

/// Returns the properties of a disk as keys of `machine.install.diskSelector`: those in the model, and those that its selector
/// requires.
pub(super) fn install_facts(
    check: &Check<'_>,
    disk: &Disk,
    written: &device::Disk,
    version: &TalosVersion,
) -> BTreeMap<&'static str, String> {
    let mut facts = known(written);
    if let Ok(expression) = check.caches.selectors.check(&disk.selector, Environment::Disk, version) {
        facts.extend(&expression.implied());
    }
    let text = |path: &str| match facts.get(path) {
        Some(Value::String(text)) => Some(text.to_string()),
        _ => None,
    };
    let mut found: BTreeMap<_, _> = INSTALL_FACTS.iter().filter_map(|(key, path)| Some((*key, text(path)?))).collect();
    let kind = match text("disk.transport").as_deref() {
        Some("nvme") => Some("nvme"),
        Some("mmc") => Some("sd"),
        _ if facts.get("disk.rotational") == Some(&Value::from(true)) => Some("hdd"),
        _ => None,
    };
    found.extend(kind.map(|kind| ("type", kind.to_owned())));
    found
}

/// Parses a selector and checks its types; errors are reported.
fn checked(
    check: &mut Check<'_>,
    selector: &str,
    environment: Environment,
    version: &TalosVersion,
    location: Location,
) -> Option<Expression> {
    let expression = check.caches.selectors.check(selector, environment, version);
    expression.map_err(|error| check.push(ScalarError::from(error).at(Code::BadSelector, location))).ok()
}

/// The disks of a device, and what is known of each, for the selectors of raw patches.
pub(super) struct SelectableDisks<'d> {
    disks: &'d [Disk],
    /// In the order of the disks; none if they are too many to evaluate a selector for.
    facts: Vec<Bindings>,
    steps: usize,
}

impl<'d> SelectableDisks<'d> {
    pub(super) fn new(check: &Check<'_>, disks: &'d [Disk], version: &TalosVersion) -> Self {
        let is_known = disks.iter().any(|disk| disk.system);
        let mut facts = Vec::new();
        for disk in disks.iter().filter(|_| disks.len() <= MAX_COMPARED) {
            let written = check.file.device.disks.iter().find(|(name, _)| name.as_str() == disk.name);
            let mut known = written.map(|(_, written)| known(written)).unwrap_or_default();
            if is_known {
                known.bind("system_disk", disk.system);
            }
            if let Ok(own) = check.caches.selectors.check(&disk.selector, Environment::Disk, version) {
                known.extend(&own.implied());
            }
            facts.push(known);
        }
        Self { disks, facts, steps: MAX_STEPS }
    }

    /// Returns the disk that a selector certainly selects: it is true for this one, and false for every other one.
    pub(super) fn find(&mut self, check: &Check<'_>, selector: &str, version: &TalosVersion) -> Option<&'d Disk> {
        if let Some(disk) = self.disks.iter().find(|disk| disk.selector == selector) {
            return Some(disk);
        }
        if self.facts.is_empty() || self.steps == 0 {
            return None;
        }
        let expression = check.caches.selectors.check(selector, Environment::Disk, version).ok()?;
        let mut selected = None;
        for (disk, facts) in self.disks.iter().zip(&self.facts) {
            match expression.evaluate_within(facts, &mut self.steps) {
                Outcome::True if selected.is_none() => selected = Some(disk),
                Outcome::False => {}
                _ => return None,
            }
        }
        selected
    }
}

/// Returns the properties of a disk in the model.
fn known(disk: &device::Disk) -> Bindings {
    let mut facts = Bindings::default();
    facts.bind("disk.size", disk.size.bytes());
    let texts = [
        ("disk.model", disk.model.as_deref()),
        ("disk.serial", disk.serial.as_deref()),
        ("disk.wwid", disk.wwid.as_deref()),
        ("disk.uuid", disk.uuid.as_deref()),
        ("disk.modalias", disk.modalias.as_deref()),
        ("disk.bus_path", disk.bus_path.as_deref()),
        ("disk.transport", disk.transport.as_deref()),
    ];
    for (path, text) in texts {
        if let Some(text) = text {
            facts.bind(path, text);
        }
    }
    for (path, value) in [("disk.rotational", disk.rotational), ("disk.readonly", disk.readonly)] {
        if let Some(value) = value {
            facts.bind(path, value);
        }
    }
    if let Some(links) = &disk.symlinks {
        facts.bind("disk.symlinks", Value::List(links.iter().map(|link| link.as_str().into()).collect(), true));
    }
    facts
}

/// A selector that is false for its own disk.
fn no_match(one: &KnownDisk<'_>, expression: &Expression, taken: Option<&KnownDisk<'_>>) -> Diagnostic {
    let (name, selector) = (&one.disk.name, &one.disk.selector);
    let refuted = expression.false_condition(&one.facts);
    let facts = refuted.iter().flat_map(|refuted| &refuted.values);
    let facts: Vec<String> = facts.map(|(path, value)| format!("`{path}` is {value}")).collect();
    let location = match &refuted {
        Some(refuted) => one.location.clone().part(refuted.range.clone()),
        None => one.location.clone(),
    };
    let (message, note) = match taken {
        Some(other) => (
            format!("`{selector}` is true for `{}` and not for `{name}`", other.disk.name),
            format!("Talos would use `{}` instead", other.disk.name),
        ),
        None => (
            format!("`{selector}` is false for `{name}`"),
            "Talos would not find the disk, and its volumes would wait for it".to_owned(),
        ),
    };
    let finding = Diagnostic::new(Code::NoDiskMatches, message, location).label(facts.join(", ")).note(note);
    finding.help("fix the selector, or the properties of the disk; `talosctl get disks -o yaml` shows them")
}

/// A selector that is true for another disk too: an error if a volume uses a whole disk by it.
fn ambiguous(check: &Check<'_>, one: &KnownDisk<'_>, other: &KnownDisk<'_>, text: &str) -> Diagnostic {
    let (name, selector) = (&one.disk.name, &one.disk.selector);
    let (first, second) = (name.min(&other.disk.name), name.max(&other.disk.name));
    let message = format!("`{selector}` is true for `{first}` and for `{second}`");
    let finding =
        Diagnostic::new(Code::AmbiguousDiskSelector, message, one.location.clone()).also(other.location.clone(), text);
    let whole = check.file.device.volumes.iter().find(|(_, volume)| {
        let is_here = volume.disk.as_ref().is_some_and(|disk| disk.as_str() == one.disk.name);
        is_here && volume.volume_type == Some(device::VolumeType::Disk)
    });
    let finding = match whole {
        Some((volume, _)) => Diagnostic { level: Level::Error, ..finding }.note(format!(
            "Talos creates `{volume}`, which uses a whole disk, only where the selector is true for one"
        )),
        None => finding.note("Talos uses the first of them that has room, and their order can change between boots"),
    };
    finding.help(
        "select by something that only one of them has, such as `disk.serial == '…'` or `path: /dev/disk/by-id/…`",
    )
}

/// A kernel's name of a disk of which the device has several of the kind.
fn unstable(one: &KnownDisk<'_>, all: &[KnownDisk<'_>]) -> Option<Diagnostic> {
    let Some(Value::String(path)) = one.expression.as_ref()?.implied().get("disk.dev_path").cloned() else {
        return None;
    };
    let (prefix, kind) = *KERNEL_NAMES.iter().find(|(prefix, _)| path.starts_with(prefix))?;
    let count = all.iter().filter(|other| kernel_name(&other.facts) == Some(prefix)).count();
    let message = format!("`{path}` can be another disk after a reboot");
    let finding = Diagnostic::new(Code::UnstableDiskPath, message, one.location.clone());
    (count > 1).then(|| {
        finding
            .label(format!("one of {count} {kind} disks"))
            .note("the kernel numbers them in the order in which it finds them")
            .help("write `path: /dev/disk/by-id/…`, or select by `disk.serial` or `disk.wwid`")
    })
}

/// How the kernel begins the names of disks of a kind, and what the kind is called.
const KERNEL_NAMES: &[(&str, &str)] = &[("/dev/nvme", "NVMe"), ("/dev/sd", "SCSI, SATA and USB")];

/// How the kernel begins a disk's name, as far as that is known.
fn kernel_name(facts: &Bindings) -> Option<&'static str> {
    if let Some(Value::String(path)) = facts.get("disk.dev_path") {
        return KERNEL_NAMES.iter().map(|(prefix, _)| *prefix).find(|prefix| path.starts_with(prefix));
    }
    let Some(Value::String(transport)) = facts.get("disk.transport") else { return None };
    match transport.as_str() {
        "nvme" => Some("/dev/nvme"),
        "sata" | "sas" | "usb" | "ata" | "fc" | "iscsi" => Some("/dev/sd"),
        _ => None,
    }
}
