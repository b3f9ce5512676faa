//! Artifacts: a path and bytes, a pure function of the plan.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use minijinja::Value;
use serde::Serialize;
use talosmith_model::plan::{Cluster, Device};
use talosmith_model::{Code, Diagnostic, Place, Plan};
use zeroize::Zeroizing;

use crate::catalogue::{CLUSTER, DEVICE, Each, Reader, Row, Template, raw};
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

#[derive(Serialize)]
struct Context<'a, T: Serialize> {
    device: Option<&'a Device>,
    cluster: Option<&'a Cluster>,
    item: Option<T>,
    /// The values of the artifact's secrets, by the names in their placeholders.
    secrets: BTreeMap<&'a str, &'a str>,
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
        let cluster = plan.cluster_of(device);
        let mut artifacts = Vec::new();
        let mut faults = unknown_files(device);
        for row in DEVICE {
            for item in row.items(device) {
                let Some(path) = path(device, row, &item) else { continue };
                match self.one(device, cluster, row, &item, proof) {
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
        cluster: Option<&Cluster>,
        row: &Row,
        item: &str,
        proof: Proof,
    ) -> Result<String, TemplateFault> {
        let Some(template) = row.template.of(device.flavour) else { return Ok(raw(device, item)) };
        let context = item_context(device, cluster, row, item, BTreeMap::new());
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
        let context = engine::context(&Context::<()> {
            device: None,
            cluster: Some(cluster),
            item: None,
            secrets: BTreeMap::new(),
        });
        for row in CLUSTER {
            let (folder, name) = match row.each {
                Each::LocalPath => (cluster.local_path.as_ref().map(|application| &application.folder), ""),
                _ => match &cluster.kata {
                    Some(kata) => (Some(&kata.folder), kata.runtime.as_str()),
                    None => (None, ""),
                },
            };
            let Some(folder) = folder.filter(|_| (row.wanted)(cluster)) else { continue };
            match self.text(row.template, &context, proof) {
                Ok(body) => artifacts.push(Artifact {
                    path: Utf8Path::new(folder).join(row.file.replace('*', name)),
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

    /// The files of a device that hold secrets, each only if all of its secrets were resolved.
    ///
    /// # Errors
    /// The template's fault, which holds no value.
    pub fn secrets(
        &self,
        plan: &Plan,
        device: &Device,
        secrets: &Secrets,
    ) -> Result<Vec<SecretArtifact>, TemplateFault> {
        use secrecy::ExposeSecret as _;
        let mut artifacts = Vec::new();
        for (row, item, path) in secret_rows(device) {
            let key = key(row, &item);
            let uses = device.secrets.iter().filter(|held| held.key == key);
            let values: Option<BTreeMap<&str, &str>> = uses
                .map(|held| Some((held.placeholder.as_str(), secrets.get(&held.secret)?.expose_secret())))
                .collect();
            let (Some(values), Some(template)) = (values, row.template.of(device.flavour)) else { continue };
            let context = item_context(device, plan.cluster_of(device), row, &item, values);
            let body = Zeroizing::new(self.text(template, &context, Proof::Given)?);
            let mut bytes = Zeroizing::new(Vec::with_capacity(body.len() + 256));
            let source = format!("devices/{}/device.yaml", device.name);
            bytes.extend_from_slice(header(&source, &format!("devices/{}", device.name)).as_bytes());
            bytes.extend_from_slice(body.as_bytes());
            artifacts.push(SecretArtifact::new(path, bytes));
        }
        Ok(artifacts)
    }
}

/// What the template of an artifact sees.
fn item_context(
    device: &Device,
    cluster: Option<&Cluster>,
    row: &Row,
    item: &str,
    secrets: BTreeMap<&str, &str>,
) -> Value {
    match row.each {
        Each::Schematic => context(device, cluster, device.schematics.iter().find(|other| other.name == item), secrets),
        Each::Alternative => {
            context(device, cluster, device.install.alternatives.iter().find(|other| other.name == item), secrets)
        }
        Each::Volume => context(device, cluster, device.volumes.iter().find(|other| other.name == item), secrets),
        Each::ExtensionService => {
            context(device, cluster, device.extension_services.iter().find(|other| other.name == item), secrets)
        }
        _ => context(device, cluster, device.install.image.as_ref(), secrets),
    }
}

fn context<T: Serialize>(
    device: &Device,
    cluster: Option<&Cluster>,
    item: Option<T>,
    secrets: BTreeMap<&str, &str>,
) -> Value {
    engine::context(&Context { device: Some(device), cluster, item, secrets })
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
    let key = key(row, item);
    let name = match device.files.get(&key) {
        Some((name, _)) => name.clone()?,
        None if holds_secret(device, &key) => format!("{}.template.yaml", stem(device, row, item)).into(),
        None => file(device, row, item).into(),
    };
    Some(manifests(device).join(name))
}

/// The name of an artifact below `manifests/` where `files` does not give another one.
fn file(device: &Device, row: &Row, item: &str) -> String {
    let item = if row.each == Each::Volume { item.to_lowercase() } else { item.to_owned() };
    row.file.replace('@', &device.name).replace('*', &item)
}

/// That name without its ending: a template and its secret file share it.
fn stem(device: &Device, row: &Row, item: &str) -> String {
    let name = file(device, row, item);
    name.strip_suffix(".patch.yaml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(&name).to_owned()
}

fn holds_secret(device: &Device, key: &str) -> bool {
    device.secrets.iter().any(|held| held.key == key)
}

/// The rows and items whose artifacts hold secrets, with the files that have the values.
fn secret_rows(device: &Device) -> Vec<(&'static Row, String, Utf8PathBuf)> {
    let mut rows = Vec::new();
    if device.secrets.is_empty() {
        return rows;
    }
    for row in DEVICE {
        for item in row.items(device) {
            let key = key(row, &item);
            if !holds_secret(device, &key) {
                continue;
            }
            let name = match device.files.get(&format!("{key}.secret")) {
                Some((None, _)) => continue,
                Some((Some(name), _)) => name.clone(),
                None => format!("{}.yaml", stem(device, row, &item)).into(),
            };
            rows.push((row, item, manifests(device).join(name)));
        }
    }
    rows
}

/// The files of a device that hold secrets, by the model key that asks for each.
#[must_use]
pub fn secret_paths(device: &Device) -> BTreeMap<String, Utf8PathBuf> {
    secret_rows(device).into_iter().map(|(row, item, path)| (key(row, &item), path)).collect()
}

/// The folder of a device's artifacts.
#[must_use]
pub fn manifests(device: &Device) -> Utf8PathBuf {
    Utf8Path::new("devices").join(&device.name).join("manifests")
}

/// Keys of `files` that ask for nothing.
fn unknown_files(device: &Device) -> Vec<Fault> {
    let mut known: Vec<String> =
        DEVICE.iter().flat_map(|row| row.items(device).into_iter().map(|item| key(row, &item))).collect();
    let with_secrets: Vec<String> =
        known.iter().filter(|key| holds_secret(device, key)).map(|key| format!("{key}.secret")).collect();
    known.extend(with_secrets);
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
