//! The overview of all devices that `fleet` prints; `schemas/fleet-report.schema.json` describes its JSON form.

mod text;

pub(crate) use text::dots;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Diagnostic, Level, TalosVersion};
use talosmith_machinery::Role;
use talosmith_model::layout;
use talosmith_model::plan::Device;

use crate::inspection::Inspection;
use crate::rendering::Owner;
use crate::selection::Selection;
use crate::steps::Inspected;

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
    files: usize,
    /// The number of files that differ from the generated ones or should not exist.
    stale: usize,
    /// The number of its findings, warnings included.
    findings: usize,
    errors: usize,
    warnings: usize,
    /// None if it has errors.
    facts: Option<DeviceSummary<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Current,
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

/// A device whose files were rendered.
pub(crate) struct RenderedDevice {
    device: Arc<Device>,
    files: usize,
}

impl RenderedDevice {
    pub(crate) fn keep(inspected: &Inspected<'_>) -> Option<Self> {
        match inspected.owner {
            Owner::Device(device) => Some(Self { device: Arc::clone(device), files: inspected.artifacts?.len() }),
            Owner::Cluster(_) | Owner::User(_) => None,
        }
    }
}

impl<'a> FleetOverview<'a> {
    pub(crate) fn new(inspection: &'a Inspection<'_, RenderedDevice>, selection: &Selection) -> Self {
        let rendered: BTreeMap<&str, &RenderedDevice> =
            inspection.kept.iter().map(|rendered| (rendered.device.name.as_str(), rendered)).collect();
        let mut stale: BTreeMap<&str, usize> = BTreeMap::new();
        for name in inspection.differences.changes.iter().filter_map(|change| layout::device_of(&change.path)) {
            *stale.entry(name).or_default() += 1;
        }
        let names = inspection.devices.iter().map(String::as_str).filter(|name| selection.has_device(name));
        let devices = names.map(|name| {
            let findings = inspection.findings.iter();
            let findings: Vec<&Diagnostic> = findings
                .filter(|finding| finding.level != Level::Note && inspection.is_about(finding, name) == Some(true))
                .collect();
            let stale = stale.get(name).copied().unwrap_or_default();
            let device = rendered.get(name);
            let errors = findings.iter().filter(|finding| finding.level == Level::Error).count();
            let state = match (device, stale) {
                (None, _) => State::Errors,
                _ if errors > 0 => State::Errors,
                (Some(_), 0) => State::Current,
                (Some(_), _) => State::Stale,
            };
            Row {
                name,
                state,
                files: device.map_or(0, |rendered| rendered.files),
                stale: if state == State::Errors { 0 } else { stale },
                findings: findings.len(),
                errors,
                warnings: findings.len() - errors,
                facts: device.map(|rendered| summary(&rendered.device)),
            }
        });
        Self { version: VERSION, devices: devices.collect() }
    }
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
