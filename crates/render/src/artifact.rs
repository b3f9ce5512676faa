//! Artifacts: a path and bytes, a pure function of the plan.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use camino::Utf8PathBuf;
use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use serde::Serialize;
use talosmith_document::Diagnostic;
use talosmith_model::layout::{self, DEVICE_FILE, FLEET_FILE};
use talosmith_model::plan::{Cluster, Device};
use zeroize::Zeroizing;

use crate::catalogue::{CLUSTER, DEVICE, Each, Reader, Row, Template, raw};
use crate::target::{application, cluster_path, key, secret_rows, target, unknown_files};
use crate::{Engine, SecretArtifact, Secrets, TemplateFault, device_context::device_context, engine};

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The key of the model that asks for it, as the catalogue has it: `volumes.data`; empty for a cluster's.
    pub key: Cow<'static, str>,
    /// The whole text.
    pub text: String,
    /// The template that it was rendered from; none for a raw patch.
    pub template: Option<&'static str>,
    /// What reads it.
    pub reader: Reader,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether a person wrote its layout, so that formatters may find something.
    pub raw: bool,
}

impl Artifact {
    /// Its text without the line that names its source, which artifacts of different devices may share.
    #[must_use]
    pub fn body(&self) -> &str {
        self.text.split_once('\n').map_or("", |(_, body)| body)
    }
}

/// What everything of one plan is rendered with.
#[derive(Debug)]
pub struct Renderer {
    engine: Engine,
    /// What templates of devices see of their cluster, by its name.
    clusters: BTreeMap<String, Value>,
}

/// Whether it is proved that no value changes the shape of a document. That takes longer than rendering, so what lies on disk
/// byte for byte is not proved again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// For everything that is new.
    Given,
    /// For what is compared first.
    LeftOut,
}

/// What went wrong while rendering one owner's artifacts.
#[derive(Debug)]
pub enum Fault {
    /// In a template, whose text the engine holds.
    Template(TemplateFault),
    /// In the model.
    Finding(Box<Diagnostic>),
}

/// What templates see of a device and its cluster: values that all artifacts of the device share.
struct Scene {
    device: Value,
    cluster: Value,
}

/// The whole of what a template sees.
struct Context {
    device: Value,
    cluster: Value,
    item: Value,
    secrets: Value,
}

impl Object for Context {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let value = match key {
            "device" => &self.device,
            "cluster" => &self.cluster,
            "item" => &self.item,
            "secrets" => &self.secrets,
            _ => return None,
        };
        Some(value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["device", "cluster", "item", "secrets"])
    }
}

// It may hold secrets.
impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

impl Scene {
    /// What the template of one artifact sees; `secrets` are the values of its secrets by the names in their placeholders.
    fn with(&self, item: &impl Serialize, secrets: &BTreeMap<&str, &str>) -> Value {
        let (item, secrets) = (engine::context(item), engine::context(secrets));
        Value::from_object(Context { device: self.device.clone(), cluster: self.cluster.clone(), item, secrets })
    }

    /// The same for an artifact of a device, made for the item of that name.
    fn of(&self, device: &Device, row: &Row, item: &str, secrets: &BTreeMap<&str, &str>) -> Value {
        match row.each {
            Each::Schematic => self.with(&device.images.schematics.iter().find(|other| other.name == item), secrets),
            Each::Alternative => {
                self.with(&device.images.install.alternatives.iter().find(|other| other.name == item), secrets)
            }
            Each::Volume => self.with(&device.storage.volumes.iter().find(|other| other.name == item), secrets),
            Each::ExtensionService => {
                self.with(&device.system.extension_services.iter().find(|other| other.name == item), secrets)
            }
            _ => self.with(&device.images.install.image, secrets),
        }
    }
}

impl Renderer {
    /// A renderer for the devices of some clusters, without what is gathered from these, with the built-in templates, some of which
    /// `overrides` replaces by name.
    #[must_use]
    pub fn new(overrides: &BTreeMap<String, String>, clusters: &[Cluster]) -> Self {
        let templates = crate::templates::TEMPLATES.iter().map(|(name, text)| {
            let text = overrides.get(*name).map_or(Cow::Borrowed(*text), |text| text.clone().into());
            (*name, text)
        });
        let clusters = clusters.iter().map(|cluster| (cluster.name.clone(), engine::context(cluster)));
        Self { engine: Engine::new(templates), clusters: clusters.collect() }
    }

    /// The text of a template.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&str> {
        self.engine.text(name)
    }

    fn scene(&self, device: &Arc<Device>) -> Scene {
        let cluster = self.clusters.get(&device.cluster).cloned();
        Scene { device: device_context(device), cluster: cluster.into() }
    }

    /// Every tracked artifact of a device, in the order of the catalogue.
    ///
    /// # Errors
    /// Everything that keeps an artifact from being rendered.
    pub fn device(&self, device: &Arc<Device>, proof: Proof) -> Result<Vec<Artifact>, Vec<Fault>> {
        let scene = self.scene(device);
        let mut artifacts = Vec::new();
        let mut faults: Vec<Fault> =
            unknown_files(device).into_iter().map(|finding| Fault::Finding(Box::new(finding))).collect();
        let header = device_header(&device.name);
        for row in DEVICE {
            for item in row.items(device) {
                let key = key(row, item);
                let Some(path) = target(device, row, item, &key) else { continue };
                match self.one(device, &scene, row, item, proof) {
                    Ok(body) => artifacts.push(Artifact {
                        path,
                        key,
                        text: [&*header, &body].concat(),
                        template: row.template.of(device.versions.config_format),
                        reader: row.reader,
                        applied: row.applied,
                        raw: matches!(row.template, Template::Raw),
                    }),
                    Err(fault) => faults.push(Fault::Template(fault)),
                }
            }
        }
        if faults.is_empty() { Ok(artifacts) } else { Err(faults) }
    }

    fn one(
        &self,
        device: &Device,
        scene: &Scene,
        row: &Row,
        item: &str,
        proof: Proof,
    ) -> Result<String, TemplateFault> {
        let Some(template) = row.template.of(device.versions.config_format) else { return Ok(raw(device, item)) };
        let context = scene.of(device, row, item, &BTreeMap::new());
        self.text(template, &context, proof)
    }

    fn text(&self, template: &str, context: &Value, proof: Proof) -> Result<String, TemplateFault> {
        let text = self.engine.render(template, context)?;
        if proof == Proof::Given {
            crate::injection_proof::prove(&self.engine, template, context, &text)?;
        }
        Ok(text)
    }

    /// Every artifact of a cluster's applications.
    ///
    /// # Errors
    /// Everything that keeps an artifact from being rendered.
    pub fn cluster(&self, cluster: &Cluster, proof: Proof) -> Result<Vec<Artifact>, Vec<Fault>> {
        let mut artifacts = Vec::new();
        let mut faults = Vec::new();
        let scene = Scene { device: Value::from(()), cluster: engine::context(cluster) };
        for row in CLUSTER {
            let Some((folder, _)) = application(cluster, row.each) else { continue };
            for item in row.items(cluster) {
                let context = scene.with(&item, &BTreeMap::new());
                match self.text(row.template, &context, proof) {
                    Ok(body) => artifacts.push(Artifact {
                        path: cluster_path(cluster, row, folder, item),
                        key: Cow::Borrowed(""),
                        text: [header(FLEET_FILE, FLEET_FILE, ""), body].concat(),
                        template: Some(row.template),
                        reader: Reader::Kubernetes,
                        applied: true,
                        raw: false,
                    }),
                    Err(fault) => faults.push(Fault::Template(fault)),
                }
            }
        }
        if faults.is_empty() { Ok(artifacts) } else { Err(faults) }
    }

    /// The files of a device that hold secrets, each only if all of its secrets were resolved.
    ///
    /// # Errors
    /// The template's fault, which holds no value.
    pub fn secrets(&self, device: &Arc<Device>, secrets: &Secrets) -> Result<Vec<SecretArtifact>, TemplateFault> {
        use secrecy::ExposeSecret as _;
        let scene = self.scene(device);
        let mut artifacts = Vec::new();
        for (row, item, file) in secret_rows(device) {
            let uses = device.secrets.iter().filter(|held| held.key == file.key);
            let values: Option<BTreeMap<&str, &str>> = uses
                .map(|held| Some((held.placeholder.as_str(), secrets.get(&held.secret)?.expose_secret())))
                .collect();
            let (Some(values), Some(template)) = (values, row.template.of(device.versions.config_format)) else {
                continue;
            };
            let context = scene.of(device, row, item, &values);
            let body = Zeroizing::new(self.text(template, &context, Proof::Given)?);
            let mut bytes = Zeroizing::new(Vec::with_capacity(body.len() + 256));
            bytes.extend_from_slice(device_header(&device.name).as_bytes());
            bytes.extend_from_slice(body.as_bytes());
            artifacts.push(SecretArtifact::new(file.path, bytes));
        }
        Ok(artifacts)
    }
}

/// The first line of every generated file of a device.
fn device_header(name: &str) -> String {
    let folder = layout::device_folder(name);
    header(layout::device_file(name).as_str(), DEVICE_FILE, &format!(" {folder}"))
}

fn header(source: &str, name: &str, argument: &str) -> String {
    format!(
        "# Generated by talosmith from {source}. Do not edit: change {name}, then run: talosmith generate{argument}\n"
    )
}
