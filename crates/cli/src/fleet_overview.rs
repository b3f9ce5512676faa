//! The overview of all devices that `fleet` prints; `schemas/fleet-report.schema.json` describes its JSON form.

mod text;

pub(crate) use text::dots;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde::Serialize;
use talosmith_document::{Diagnostic, Level, TalosVersion, natural};
use talosmith_machinery::Role;
use talosmith_model::plan::Device;

use crate::comparison::Tally;
use crate::differences::Differences;
use crate::project::{DEVICES, Project};
use crate::selection::Selection;

/// The version of the format: increased by incompatible changes.
const VERSION: u32 = 1;

/// All devices, in natural order of their names.
#[derive(Debug, Serialize)]
pub(crate) struct FleetOverview<'a> {
    version: u32,
    pub devices: Vec<Row<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Row<'a> {
    /// The name of the device; the name of its folder if it has errors.
    name: &'a str,
    pub state: State,
    /// The number of its generated files.
    files: usize,
    /// The number of files that differ from the generated ones or should not exist.
    stale: usize,
    /// The number of its findings, warnings included.
    findings: usize,
    /// None if it has errors.
    facts: Option<DeviceSummary<'a>>,
}

/// The state of the files of a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    /// All files are up to date.
    Current,
    /// Some files are not.
    Stale,
    /// The files cannot be generated.
    Errors,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct DeviceSummary<'a> {
    cluster: &'a str,
    role: Role,
    address: &'a str,
    talos_version: &'a TalosVersion,
    base_config: &'a TalosVersion,
    /// The reference of the installer image that is applied.
    image: Option<&'a str>,
    /// The ID of the schematic of that image; none if it is not a schematic of the device.
    schematic: Option<&'a str>,
    /// The extensions of all schematics of the device.
    extensions: Vec<Extension<'a>>,
    /// Talos's own volumes are first.
    volumes: Vec<Volume<'a>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Extension<'a> {
    name: &'a str,
    /// Whether the applied image contains it.
    applied: bool,
}

/// A volume with its bounds as the model specifies them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Volume<'a> {
    name: &'a str,
    min_size: Option<&'a str>,
    max_size: Option<&'a str>,
}

impl<'a> FleetOverview<'a> {
    /// Creates the overview of the selected devices.
    pub(crate) fn new(
        project: &'a Project,
        selection: &Selection,
        owners: &[Tally],
        differences: &Differences,
    ) -> Self {
        let planned: BTreeMap<&str, &Device> =
            project.plan.devices.iter().map(|device| (device.name.as_str(), &**device)).collect();
        let files: BTreeMap<&str, usize> =
            owners.iter().filter(|owner| owner.is_device).map(|owner| (owner.name.as_str(), owner.files)).collect();
        let mut stale: BTreeMap<&str, usize> = BTreeMap::new();
        for change in differences.real() {
            if let Some(name) = folder_of(&change.path) {
                *stale.entry(name).or_default() += 1;
            }
        }
        let mut names: Vec<&str> =
            project.folders.iter().map(String::as_str).filter(|name| selection.has_device(name)).collect();
        names.sort_by(|one, other| natural(one, other));
        let devices = names.into_iter().map(|name| {
            let findings = findings_of(project, name);
            let count = |counts: &BTreeMap<&str, usize>| counts.get(name).copied().unwrap_or_default();
            let device = planned.get(name).filter(|_| files.contains_key(name));
            let failed = findings.iter().any(|finding| finding.level == Level::Error);
            let state = match (device, count(&stale)) {
                (None, _) => State::Errors,
                _ if failed => State::Errors,
                (Some(_), 0) => State::Current,
                (Some(_), _) => State::Stale,
            };
            Row {
                name,
                state,
                files: count(&files),
                stale: if state == State::Errors { 0 } else { count(&stale) },
                findings: findings.len(),
                facts: device.map(|device| summary(device)),
            }
        });
        Self { version: VERSION, devices: devices.collect() }
    }
}

/// Returns the device whose folder contains a path.
fn folder_of(path: &Utf8Path) -> Option<&str> {
    path.strip_prefix(DEVICES).ok()?.iter().next()
}

fn findings_of<'a>(project: &'a Project, name: &str) -> Vec<&'a Diagnostic> {
    let concerns = |finding: &&Diagnostic| {
        let path = &project.sources.get(finding.at.location.source).path;
        finding.devices.contains(name) || finding.devices.is_empty() && folder_of(path) == Some(name)
    };
    project.findings.iter().filter(concerns).collect()
}

fn summary(device: &Device) -> DeviceSummary<'_> {
    let image = device.images.install.image.as_ref();
    let applied = image.and_then(|image| image.schematic.as_deref());
    let applied = device.images.schematics.iter().find(|schematic| Some(schematic.name.as_str()) == applied);
    let mut extensions: Vec<Extension<'_>> = Vec::new();
    for schematic in applied.into_iter().chain(&device.images.schematics) {
        for name in &schematic.extensions {
            if !extensions.iter().any(|extension| extension.name == name) {
                let applied = applied.is_some_and(|applied| applied.extensions.contains(name));
                extensions.push(Extension { name, applied });
            }
        }
    }
    DeviceSummary {
        cluster: &device.cluster,
        role: device.role,
        address: &device.address,
        talos_version: &device.versions.talos,
        base_config: &device.versions.base,
        image: image.map(|image| image.reference.as_str()),
        schematic: applied.map(|schematic| schematic.id.as_str()),
        extensions,
        volumes: device
            .storage
            .volumes
            .iter()
            .map(|volume| Volume {
                name: &volume.name,
                min_size: volume.min_size.as_deref(),
                max_size: volume.max_size.as_deref(),
            })
            .collect(),
    }
}
