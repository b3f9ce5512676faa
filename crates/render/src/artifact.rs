//! Artifacts: a path and bytes, a pure function of the plan.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use minijinja::Value;
use serde::Serialize;
use talosmith_model::plan::{Cluster, Device};
use talosmith_model::{Code, Diagnostic, Place, Plan};
use zeroize::Zeroizing;

use crate::catalogue::{
    CLUSTER, ClusterRow, DEVICE, Each, Reader, Row, TAILSCALE, TAILSCALE_KEY, TAILSCALE_SECRET, Template, raw,
};
use crate::{Engine, SecretArtifact, Secrets, TemplateFault, engine};

/// A file that is generated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Artifact {
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The whole text.
    pub text: String,
    /// The template that it was rendered from; none for a raw patch.
    pub template: Option<&'static str>,
    /// What reads it.
    pub reader: Reader,
    /// Whether a person wrote its layout, so that formatters may find something.
    pub raw: bool,
}

/// A file of a device that is generated, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The key of the model that asks for it, as `files` names it.
    pub key: String,
    /// What reads it.
    pub reader: Reader,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether it holds a secret, so that it is not tracked.
    pub secret: bool,
}

/// What everything is rendered with.
#[derive(Debug)]
pub struct Renderer {
    engine: Engine,
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
    auth_key: Value,
}

impl Scene {
    fn new(device: Option<&Device>, cluster: Option<&Cluster>, auth_key: Option<&str>) -> Self {
        Self {
            device: engine::context(&device),
            cluster: engine::context(&cluster),
            auth_key: engine::context(&auth_key),
        }
    }

    fn of_device(device: &Device, cluster: Option<&Cluster>) -> Self {
        let placeholder = device.tailscale.as_ref().map(|tailscale| tailscale.placeholder.as_str());
        Self::new(Some(device), cluster, placeholder)
    }

    /// The whole of it for one artifact.
    fn with(&self, item: &impl Serialize) -> Value {
        let shared = [("device", &self.device), ("cluster", &self.cluster), ("auth_key", &self.auth_key)];
        let item = [("item", engine::context(item))];
        Value::from_pairs(shared.map(|(name, value)| (name, value.clone())).into_iter().chain(item))
    }
}

impl Renderer {
    /// A renderer with the built-in templates, some of which `overrides` replaces by name.
    #[must_use]
    pub fn new(overrides: &BTreeMap<String, String>) -> Self {
        let templates = crate::templates::TEMPLATES.iter().map(|(name, text)| {
            let text = overrides.get(*name).map_or(std::borrow::Cow::Borrowed(*text), |text| text.clone().into());
            (*name, text)
        });
        Self { engine: Engine::new(templates) }
    }

    /// The text of a template.
    #[must_use]
    pub fn template(&self, name: &str) -> Option<&str> {
        self.engine.text(name)
    }

    /// Every tracked artifact of a device, in the order of the catalogue.
    ///
    /// # Errors
    /// Everything that keeps an artifact from being rendered.
    pub fn device(&self, plan: &Plan, device: &Device, proof: Proof) -> Result<Vec<Artifact>, Vec<Fault>> {
        let scene = Scene::of_device(device, plan.cluster_of(device));
        let mut artifacts = Vec::new();
        let mut faults = unknown_files(device);
        for row in DEVICE {
            for item in row.items(device) {
                let Some(path) = path(device, row, &item) else { continue };
                match self.one(device, &scene, row, &item, proof) {
                    Ok(body) => artifacts.push(Artifact {
                        text: format!(
                            "{}{body}",
                            header(
                                &format!("devices/{}/device.yaml", device.name),
                                &format!("devices/{}", device.name)
                            )
                        ),
                        path,
                        template: row.template.of(device.flavour),
                        reader: row.reader,
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
        let Some(template) = row.template.of(device.flavour) else { return Ok(raw(device, item)) };
        let context = match row.each {
            Each::Schematic => scene.with(&device.schematics.iter().find(|other| other.name == item)),
            Each::Alternative => scene.with(&device.install.alternatives.iter().find(|other| other.name == item)),
            Each::Volume => scene.with(&device.volumes.iter().find(|other| other.name == item)),
            _ => scene.with(&device.install.image),
        };
        self.text(template, &context, proof)
    }

    fn text(&self, template: &str, context: &Value, proof: Proof) -> Result<String, TemplateFault> {
        let text = self.engine.render(template, context)?;
        if proof == Proof::Given {
            crate::shape::prove(&self.engine, template, context, &text)?;
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
        let context = Scene::new(None, Some(cluster), None).with(&());
        for row in CLUSTER {
            let Some((folder, path)) = cluster_path(cluster, row) else { continue };
            match self.text(row.template, &context, proof) {
                Ok(body) => artifacts.push(Artifact {
                    path,
                    text: format!("{}{body}", header("talosmith.yaml", folder)),
                    template: Some(row.template),
                    reader: Reader::Kubernetes,
                    raw: false,
                }),
                Err(fault) => faults.push(Fault::Template(fault)),
            }
        }
        if faults.is_empty() { Ok(artifacts) } else { Err(faults) }
    }

    /// The file of a device that holds its auth key; none if the secret was not resolved.
    ///
    /// # Errors
    /// The template's fault, which holds no value.
    pub fn secret(
        &self,
        plan: &Plan,
        device: &Device,
        secrets: &Secrets,
    ) -> Result<Option<SecretArtifact>, TemplateFault> {
        use secrecy::ExposeSecret as _;
        let Some(tailscale) = &device.tailscale else { return Ok(None) };
        let (Some(value), Some(path)) = (secrets.get(&tailscale.secret), secret_path(device)) else { return Ok(None) };
        let scene = Scene::new(Some(device), plan.cluster_of(device), Some(value.expose_secret()));
        let context = scene.with(&());
        let body = Zeroizing::new(self.text(TAILSCALE, &context, Proof::Given)?);
        let mut bytes = Zeroizing::new(Vec::with_capacity(body.len() + 256));
        let source = format!("devices/{}/device.yaml", device.name);
        bytes.extend_from_slice(header(&source, &format!("devices/{}", device.name)).as_bytes());
        bytes.extend_from_slice(body.as_bytes());
        Ok(Some(SecretArtifact::new(path, bytes)))
    }
}

/// The path of every artifact of a cluster's applications.
#[must_use]
pub fn cluster_paths(cluster: &Cluster) -> Vec<Utf8PathBuf> {
    CLUSTER.iter().filter_map(|row| cluster_path(cluster, row)).map(|(_, path)| path).collect()
}

/// The folder of a cluster's application and a file in it; none if the model does not ask for it.
fn cluster_path<'a>(cluster: &'a Cluster, row: &ClusterRow) -> Option<(&'a str, Utf8PathBuf)> {
    let (folder, name) = match row.each {
        Each::LocalPath => (cluster.local_path.as_ref().map(|application| &application.folder), ""),
        _ => match &cluster.kata {
            Some(kata) => (Some(&kata.folder), kata.runtime.as_str()),
            None => (None, ""),
        },
    };
    let folder = folder.filter(|_| (row.wanted)(cluster))?;
    Some((folder, Utf8Path::new(folder).join(row.file.replace('*', name))))
}

/// The line that every generated file starts with.
fn header(source: &str, owner: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    let command = if source == "talosmith.yaml" {
        "talosmith generate".to_owned()
    } else {
        format!("talosmith generate {owner}")
    };
    format!("# Generated by talosmith from {source}. Do not edit: change {name}, then run: {command}\n")
}

/// The key of the model that asks for an artifact.
fn key(row: &Row, item: &str) -> String {
    row.key.replace('*', item)
}

/// Where an artifact of a device is written; none if `files` says that it is not.
fn path(device: &Device, row: &Row, item: &str) -> Option<Utf8PathBuf> {
    let name = match device.files.get(&key(row, item)) {
        Some((name, _)) => name.clone()?,
        None => {
            let item = if row.each == Each::Volume { item.to_lowercase() } else { item.to_owned() };
            row.file.replace('@', &device.name).replace('*', &item).into()
        }
    };
    Some(manifests(&device.name).join(name))
}

/// Every file of a device, in the order in which a person would apply them; a secret one behind the tracked one that it is made from.
#[must_use]
pub fn outputs(device: &Device) -> Vec<Output> {
    let mut outputs = Vec::new();
    for row in DEVICE {
        for item in row.items(device) {
            outputs.extend(path(device, row, &item).map(|path| Output {
                path,
                key: key(row, &item),
                reader: row.reader,
                applied: row.applied,
                secret: false,
            }));
        }
        if row.key == TAILSCALE_KEY {
            outputs.extend(secret_path(device).map(|path| Output {
                path,
                key: SECRET_KEY.to_owned(),
                reader: row.reader,
                applied: false,
                secret: true,
            }));
        }
    }
    outputs
}

/// The key of `files` for the secret file of a device.
const SECRET_KEY: &str = "tailscale.secret";

/// Where the secret file of a device is written; none if the device has none.
#[must_use]
pub fn secret_path(device: &Device) -> Option<Utf8PathBuf> {
    device.tailscale.as_ref()?;
    let name = match device.files.get(SECRET_KEY) {
        Some((name, _)) => name.clone()?,
        None => TAILSCALE_SECRET.into(),
    };
    Some(manifests(&device.name).join(name))
}

/// The folder of a device's artifacts, by the device's name.
#[must_use]
pub fn manifests(device: &str) -> Utf8PathBuf {
    Utf8Path::new("devices").join(device).join("manifests")
}

/// Keys of `files` that ask for nothing.
fn unknown_files(device: &Device) -> Vec<Fault> {
    let mut known: Vec<String> =
        DEVICE.iter().flat_map(|row| row.items(device).into_iter().map(|item| key(row, &item))).collect();
    if device.tailscale.is_some() {
        known.push(SECRET_KEY.to_owned());
    }
    let unknown = device.files.iter().filter(|(key, _)| !known.contains(key));
    unknown
        .map(|(key, (_, place))| {
            let finding = Diagnostic::new(Code::UnknownFile, format!("`{key}` asks for no file"), place.as_key());
            let finding = match talosmith_model::closest(key, known.iter().map(String::as_str)) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding,
            };
            Fault::Finding(Box::new(
                finding.device(device.name.clone()).note(format!("keys that do: {}", known.join(", "))),
            ))
        })
        .collect()
}

/// Two artifacts that would be written to one file. Paths are compared without case, as some file systems do.
#[must_use]
pub fn collisions<'a>(owners: impl IntoIterator<Item = (&'a Utf8Path, &'a Place)>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, (&Utf8Path, &Place)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, place) in owners {
        if let Some((first, owner)) = seen.get(&path.as_str().to_lowercase()) {
            let mut finding = Diagnostic::new(
                Code::OutputCollision,
                format!("two artifacts would be written to `{path}`"),
                place.clone(),
            )
            .note("the second one would replace the first")
            .help("give one of them another name under `files`, or another `path`");
            if *owner != place {
                finding = finding.also((*owner).clone(), "the other one");
            }
            if *first != path {
                finding = finding.note(format!("`{first}` differs only in case"));
            }
            findings.push(finding);
        } else {
            seen.insert(path.as_str().to_lowercase(), (path, place));
        }
    }
    findings
}
