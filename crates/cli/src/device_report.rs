//! One device for somebody who wants to know it: what `show` prints, as `schemas/show.schema.json` describes it.

mod layout;
mod bar;
mod text;

use camino::Utf8PathBuf;
use serde::Serialize;
use serde_json::Value;
use talosmith_document::{Locator, Sources, TalosVersion, line_column};
use talosmith_machinery::Role;
use talosmith_model::ResolvedKey;
use talosmith_model::plan::{ConfigFormat, Device, InstallImage, NamedImage};
use talosmith_render::generated_files;

pub use layout::{Layout, Room};

/// Rises when a program that reads the report would have to change.
const VERSION: u32 = 1;

/// A device, its facts and what is generated from them.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceReport<'a> {
    version: u32,
    /// What identifies it, and every fact.
    pub device: Identity<'a>,
    /// Its disks and what lies on them.
    pub disks: Vec<Layout>,
    /// Its schematics.
    pub schematics: Vec<Schematic<'a>>,
    /// The installer image that is applied.
    pub image: Option<&'a InstallImage>,
    /// Installer images that are not.
    pub alternatives: &'a [NamedImage],
    /// Its files, in the order in which a person would apply them.
    pub outputs: Vec<Output>,
}

/// What identifies a device, and every fact.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Identity<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its cluster's.
    pub cluster: &'a str,
    /// What it is there.
    pub role: Role,
    /// Where talosctl reaches it.
    pub address: &'a str,
    /// The name of its Kubernetes node.
    pub hostname: &'a str,
    /// The version that it runs.
    pub talos_version: &'a TalosVersion,
    /// Whose base config it has.
    pub base_config: &'a TalosVersion,
    /// Which kind of patches that takes.
    pub flavour: ConfigFormat,
    /// Every fact and where it is written.
    pub facts: Vec<Written>,
}

/// A fact and where it is written.
#[derive(Debug, Serialize)]
pub struct Written {
    /// A pointer into the device.
    pub key: String,
    /// What it says.
    pub value: Value,
    /// The line that says it.
    pub from: Line,
}

/// A line of a file.
#[derive(Debug, Serialize)]
pub struct Line {
    /// From the repository's root.
    pub file: Utf8PathBuf,
    /// From 1.
    pub line: usize,
}

/// A schematic.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Schematic<'a> {
    /// Its name.
    pub name: &'a str,
    /// The hash of its content.
    pub id: &'a str,
    /// Extensions in order.
    pub extensions: &'a [String],
    /// Kernel arguments in order.
    pub extra_kernel_args: &'a [String],
}

/// A file that is generated.
#[derive(Debug, Serialize)]
pub struct Output {
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The key of the model that asks for it, as `files` names it.
    pub key: String,
    /// What reads it.
    pub reader: &'static str,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether it holds a secret, so that it is not tracked.
    pub secret: bool,
}

impl<'a> DeviceReport<'a> {
    /// The report of a device; `sources` hold the texts that its facts are written in.
    #[must_use]
    pub fn new(device: &'a Device, facts: Vec<ResolvedKey>, sources: &Sources) -> Self {
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
                facts: written(facts, sources),
            },
            disks: layout::layouts(device),
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
            outputs: generated_files(device)
                .into_iter()
                .map(|output| Output {
                    path: output.path,
                    key: output.key,
                    reader: output.reader.name(),
                    applied: output.applied,
                    secret: output.secret,
                })
                .collect(),
        }
    }
}

fn written(facts: Vec<ResolvedKey>, sources: &Sources) -> Vec<Written> {
    let mut locator = Locator::new(sources);
    let facts = facts.into_iter().map(|fact| {
        let source = sources.get(fact.location.source);
        let start = locator.locate(&fact.location).map_or(0, |range| range.start);
        let line = line_column(&source.text, start).0;
        Written { key: fact.key.to_string(), value: fact.value, from: Line { file: source.path.clone(), line } }
    });
    facts.collect()
}
