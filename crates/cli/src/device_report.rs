//! The report of one device that `show` prints; `schemas/show.schema.json` describes its JSON form.

mod bar;
mod text;

use camino::Utf8PathBuf;
use serde::Serialize;
use serde_json::Value;
use talosmith_document::{Location, Locator, Sources, TalosVersion, line_column};
use talosmith_machinery::Role;
use talosmith_model::ResolvedKey;
use talosmith_model::plan::{ConfigFormat, Device, InstallImage, NamedImage};
use talosmith_render::{DiskLayout, GeneratedFile, disk_layouts, generated_files};

use crate::report::group;

/// The version of the format: increased by incompatible changes.
const VERSION: u32 = 1;

/// A device, the keys of its model, and what is generated from them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct DeviceReport<'a> {
    version: u32,
    device: Identity<'a>,
    /// Sorted by name.
    disks: Vec<DiskLayout>,
    schematics: Vec<Schematic<'a>>,
    /// The installer image that is applied.
    image: Option<&'a InstallImage>,
    /// The installer images that are not applied.
    alternatives: &'a [NamedImage],
    /// In the order in which a person would apply them.
    outputs: Vec<GeneratedFile>,
    /// Those for the device, for its cluster and for the fleet.
    artifacts: Vec<UserFile>,
}

/// A file that a template of the user renders.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct UserFile {
    pub path: Utf8PathBuf,
    /// Its key in talosmith.yaml.
    pub key: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Identity<'a> {
    name: &'a str,
    cluster: &'a str,
    role: Role,
    address: &'a str,
    hostname: &'a str,
    talos_version: &'a TalosVersion,
    base_config: &'a TalosVersion,
    flavour: ConfigFormat,
    facts: Vec<KeyLine>,
}

/// A key of the resolved model, with the line that specifies its value.
#[derive(Debug, Serialize)]
struct KeyLine {
    /// A JSON pointer into the device.
    key: String,
    value: Value,
    from: Line,
    /// Where groups have the key, and a nearer layer overrides it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    overrides: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    /// Relative to the root of the repository.
    file: Utf8PathBuf,
    /// Counted from 1.
    line: usize,
    /// The group of the cluster that the line is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    group: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Schematic<'a> {
    name: &'a str,
    id: &'a str,
    extensions: &'a [String],
    extra_kernel_args: &'a [String],
}

impl<'a> DeviceReport<'a> {
    /// `sources` contain the files of the resolved keys.
    pub(crate) fn new(device: &'a Device, keys: Vec<ResolvedKey>, artifacts: Vec<UserFile>, sources: &Sources) -> Self {
        Self {
            version: VERSION,
            device: Identity {
                name: &device.name,
                cluster: &device.cluster,
                role: device.role,
                address: &device.address,
                hostname: &device.network.hostname,
                talos_version: &device.versions.talos,
                base_config: &device.versions.base,
                flavour: device.versions.config_format,
                facts: key_lines(keys, sources),
            },
            disks: disk_layouts(device),
            schematics: device
                .images
                .schematics
                .iter()
                .map(|schematic| Schematic {
                    name: &schematic.name,
                    id: &schematic.id,
                    extensions: &schematic.extensions,
                    extra_kernel_args: &schematic.extra_kernel_args,
                })
                .collect(),
            image: device.images.install.image.as_ref(),
            alternatives: &device.images.install.alternatives,
            outputs: generated_files(device),
            artifacts,
        }
    }
}

fn key_lines(keys: Vec<ResolvedKey>, sources: &Sources) -> Vec<KeyLine> {
    let mut locator = Locator::new(sources);
    let mut line = |location: &Location| {
        let source = sources.get(location.source);
        let start = locator.locate(location).map_or(0, |range| range.start);
        Line { file: source.path.clone(), line: line_column(&source.text, start).0, group: group(location) }
    };
    let lines = keys.into_iter().map(|key| KeyLine {
        key: key.key.to_string(),
        value: key.value,
        from: line(&key.location),
        overrides: key.overridden.iter().map(&mut line).collect(),
    });
    lines.collect()
}
