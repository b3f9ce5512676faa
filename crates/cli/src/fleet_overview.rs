//! All devices at a glance: what `fleet` prints, as `schemas/fleet-report.schema.json` describes it.

mod text;

pub use text::dots;

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

/// Rises when a program that reads the overview would have to change.
const VERSION: u32 = 1;

/// All devices, in natural order of their names.
#[derive(Debug, Serialize)]
pub struct FleetOverview<'a> {
    version: u32,
    /// A row each.
    pub devices: Vec<Row<'a>>,
}

/// A device in a row.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    /// Its name, or its folder's if it has errors.
    pub name: &'a str,
    /// How its files stand.
    pub state: State,
    /// How many files are generated for it.
    pub files: usize,
    /// How many of them are not as they would be generated, those that should be gone included.
    pub stale: usize,
    /// How many findings it has, warnings included.
    pub findings: usize,
    /// What the model says of it; null if it has errors.
    pub facts: Option<Facts<'a>>,
}

/// How the files of a device stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// All are as they would be generated.
    Current,
    /// Some are not.
    Stale,
    /// Nothing can be generated.
    Errors,
}

/// What the model says of a device.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts<'a> {
    /// Its cluster.
    pub cluster: &'a str,
    /// What it is there.
    pub role: Role,
    /// Where talosctl reaches it.
    pub address: &'a str,
    /// The version that it runs.
    pub talos_version: &'a TalosVersion,
    /// Whose base config it has.
    pub base_config: &'a TalosVersion,
    /// The reference of the installer image that is applied.
    pub image: Option<&'a str>,
    /// The ID of the schematic that it is made from, if it is the device's.
    pub schematic: Option<&'a str>,
    /// Each extension that a schematic of the device lists, and whether the applied image has it.
    pub extensions: Vec<Extension<'a>>,
    /// Its volumes, Talos's own first.
    pub volumes: Vec<Volume<'a>>,
}

/// An extension of a device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Extension<'a> {
    /// Its name, such as `siderolabs/tailscale`.
    pub name: &'a str,
    /// Whether the applied image has it.
    pub applied: bool,
}

/// A volume with its bounds as written.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Volume<'a> {
    /// Its name.
    pub name: &'a str,
    /// The lower bound.
    pub min_size: Option<&'a str>,
    /// The upper bound.
    pub max_size: Option<&'a str>,
}

impl<'a> FleetOverview<'a> {
    /// The overview of the devices that are selected.
    #[must_use]
    pub fn new(project: &'a Project, selection: &Selection, owners: &[Tally], differences: &Differences) -> Self {
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
                facts: device.map(|device| facts(device)),
            }
        });
        Self { version: VERSION, devices: devices.collect() }
    }
}

/// The device whose folder a path is in.
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

fn facts(device: &Device) -> Facts<'_> {
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
    Facts {
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
