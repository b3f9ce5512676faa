//! The renderer: from devices and clusters of a plan to their artifacts.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8Path;
use minijinja::Value;
use talosmith_document::{Cache, Diagnostic, TalosVersion};
use talosmith_model::layout::{FLEET_FILE, device_file, device_folder};
use talosmith_model::plan::{Cluster, Device, UserArtifact};
use zeroize::Zeroizing;

use crate::catalogue::{CLUSTER, DISK_MAP, Reader, Template, artifacts_of, built_in_templates};
use crate::consequences::UnreadableFile;
use crate::engine::{Engine, template_value};
use crate::injection_proof::{self, Proofs};
use crate::machine_config::{ConfigSecrets, MachineConfigError};
use crate::merge_check::MergeCheck;
use crate::node_config::{AppliedFile, AppliedFiles, BaseAndFiles, BaseFile, LocatedConsequence, NodeBase};
use crate::schema_check::check_schema;
use crate::target::{cluster_path, folder_of, row_of_path, secret_targets, tracked_path};
use crate::template_context::{SecretValues, TemplateContext};
use crate::user_artifact::{FleetView, GENERATED, template_name};
use crate::{
    Artifact, ArtifactError, InvalidArtifact, Mark, SecretArtifact, Secrets, TemplateError,
    device_context::device_context, raw_patch, shared_file,
};

/// Renders the artifacts of one plan. Threads can share it.
#[derive(Debug)]
pub struct Renderer {
    engine: Engine,
    /// The clusters as templates of devices see them, by name.
    clusters: BTreeMap<String, Value>,
    merge_check: MergeCheck,
    proofs: Proofs,
    /// Whether an artifact is valid, by its text without the header.
    valid: Cache<(Reader, String), bool>,
}

impl Renderer {
    /// Creates a renderer from the built-in templates. `written` are the user's templates by the names of those that they replace, or by
    /// that of the artifact ([`template_name`](crate::template_name)). The lists of devices in `clusters` may still be missing:
    /// templates of devices do not see them.
    pub fn new(written: &BTreeMap<String, String>, clusters: &[Cluster]) -> Self {
        let mut templates: BTreeMap<Cow<'static, str>, Cow<'static, str>> =
            built_in_templates().into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        templates.extend(written.iter().map(|(name, text)| (name.clone().into(), text.clone().into())));
        let clusters = clusters.iter().map(|cluster| (cluster.name.clone(), template_value(cluster)));
        let merge_check = MergeCheck::new(written.keys().cloned().collect());
        Self {
            engine: Engine::new(templates),
            clusters: clusters.collect(),
            merge_check,
            proofs: Proofs::default(),
            valid: Cache::default(),
        }
    }

    pub fn template(&self, name: &str) -> Option<&str> {
        self.engine.text(name)
    }

    /// Renders every tracked artifact of a device, in the order of the catalogue.
    ///
    /// # Errors
    /// All errors of the templates.
    pub fn device(&self, device: &Arc<Device>) -> Result<Vec<Artifact>, Vec<ArtifactError>> {
        let context = self.device_context(device);
        let header = device_header(device);
        let (mut artifacts, mut errors) = (Vec::new(), Vec::new());
        for (row, item) in artifacts_of(device) {
            let key = row.key_of(item);
            let Some(path) = tracked_path(device, row, item, &key) else { continue };
            let template = row.template.name(device.versions.config_format);
            let body = match template {
                Some(name) => self.engine.render(name, &context.for_artifact(device, row, item, &SecretValues::new())),
                None => Ok(raw_patch::text(device, item)),
            };
            match body {
                Ok(body) => artifacts.push(Artifact {
                    path,
                    key,
                    text: match row.reader {
                        Reader::Operator => [document_header(&device.name), body].concat(),
                        _ => [&*header, &body].concat(),
                    },
                    template: template.map(Cow::Borrowed),
                    reader: row.reader,
                    mark: Mark::Header,
                    applied: row.applied,
                    raw: matches!(row.template, Template::Raw),
                    merged: Vec::new(),
                }),
                Err(error) => errors.push(ArtifactError::Template(error)),
            }
        }
        if errors.is_empty() { Ok(artifacts) } else { Err(errors) }
    }

    /// Renders the picture of a device's disks, whether or not the device has it as an artifact.
    ///
    /// # Errors
    /// The error of the template.
    pub fn disk_map(&self, device: &Arc<Device>) -> Result<String, TemplateError> {
        self.engine.render(DISK_MAP, &self.device_context(device).for_disk_map(device))
    }

    /// Checks that Talos accepts the patches among the artifacts of a device, and returns warnings about them.
    ///
    /// # Errors
    /// Everything for which Talos refuses a generated patch, or the machine config into which all patches are merged.
    pub fn check_patches(
        &self,
        device: &Device,
        artifacts: &[Artifact],
    ) -> Result<Vec<Diagnostic>, Vec<ArtifactError>> {
        self.merge_check.check(device, artifacts)
    }

    /// Returns what happens to a node with some Talos and the config before when it gets the one after, the most harmful first.
    ///
    /// # Errors
    /// A file that is no patch.
    pub fn consequences(
        &self,
        running: &TalosVersion,
        before: BaseAndFiles<'_>,
        after: BaseAndFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        self.merge_check.consequences(running, before, after)
    }

    /// Returns the model keys of the files that another version of Talos refuses, each with the reason.
    pub fn refused_by(&self, version: &TalosVersion, files: AppliedFiles<'_>) -> Vec<(String, String)> {
        self.merge_check.refused_by(version, files)
    }

    /// Returns the differences between a whole machine config, to which some files were applied, and the base config with others.
    ///
    /// # Errors
    /// A file that is no patch.
    pub fn differences_from(
        &self,
        whole: &AppliedFile,
        before: AppliedFiles<'_>,
        after: AppliedFiles<'_>,
    ) -> Result<Vec<LocatedConsequence>, UnreadableFile> {
        self.merge_check.differences_from(whole, before, after)
    }

    /// Returns the whole machine config of a node: the base config with the files that are applied to it. Without `secrets` their
    /// placeholders stay.
    ///
    /// # Errors
    /// What Talos refuses in another base config than the model's, and a secrets bundle that lacks a value.
    pub fn machine_config(
        &self,
        files: AppliedFiles<'_>,
        base: &NodeBase,
        secrets: Option<ConfigSecrets<'_>>,
    ) -> Result<Zeroizing<String>, MachineConfigError> {
        self.merge_check.machine_config(files, base, secrets)
    }

    /// Returns what applying the files changes on a node that has a config, which may have another base config in part.
    ///
    /// # Errors
    /// A file that is no patch.
    pub fn drift(
        &self,
        files: AppliedFiles<'_>,
        base: &NodeBase,
        node: BaseFile,
    ) -> Result<Vec<LocatedConsequence>, MachineConfigError> {
        self.merge_check.drift(files, base, node)
    }

    /// Renders every artifact of a cluster's applications.
    ///
    /// # Errors
    /// All errors of the templates.
    pub fn cluster(&self, cluster: &Cluster) -> Result<Vec<Artifact>, Vec<ArtifactError>> {
        let context = TemplateContext::of_cluster(template_value(cluster));
        let mut artifacts = Vec::new();
        let mut errors = Vec::new();
        for row in CLUSTER {
            let Some((folder, _)) = folder_of(cluster, row.application) else { continue };
            for item in row.items(cluster) {
                let context = context.for_item(row.item_value(cluster, item), &SecretValues::new());
                match self.engine.render(row.template.name, &context) {
                    Ok(body) => artifacts.push(Artifact {
                        path: cluster_path(cluster, row, folder, item),
                        key: Cow::Borrowed(""),
                        text: [header(FLEET_FILE, "talosmith generate"), body].concat(),
                        template: Some(Cow::Borrowed(row.template.name)),
                        reader: Reader::Kubernetes,
                        mark: Mark::Header,
                        applied: true,
                        raw: false,
                        merged: Vec::new(),
                    }),
                    Err(error) => errors.push(ArtifactError::Template(error)),
                }
            }
        }
        if errors.is_empty() { Ok(artifacts) } else { Err(errors) }
    }

    /// Proves that no value changes the structure of these artifacts of a device. This takes longer than rendering; it is not needed for
    /// an artifact that equals the file on disk, which was proved when it was written. Returns the error of each template.
    pub fn prove_device(&self, device: &Arc<Device>, artifacts: &[&Artifact]) -> Vec<TemplateError> {
        let context = self.device_context(device);
        let parts = artifacts.iter().flat_map(|artifact| artifact.parts());
        let errors = artifacts_of(device).filter_map(|(row, item)| {
            let key = row.key_of(item);
            let artifact = parts.clone().find(|artifact| artifact.key == key)?;
            let context = context.for_artifact(device, row, item, &SecretValues::new());
            injection_proof::prove(
                &self.engine,
                Some(&self.proofs),
                artifact.template.as_deref()?,
                &context,
                artifact.body(),
            )
            .err()
        });
        errors.chain(artifacts.iter().filter_map(|artifact| shared_file::prove(device, artifact).err())).collect()
    }

    /// Returns everything for which the reader of an artifact would reject it. Patches of Talos are checked by
    /// [`Self::check_patches`], except for the files in other languages that they contain; a raw patch is the user's own.
    pub fn check_schema(&self, artifact: &Artifact) -> Vec<InvalidArtifact> {
        let mut invalid = None;
        let is_valid = self.valid.get_or_compute(&(artifact.reader, artifact.body().to_owned()), || {
            invalid.insert(check_schema(artifact)).is_empty()
        });
        if is_valid { Vec::new() } else { invalid.unwrap_or_else(|| check_schema(artifact)) }
    }

    /// Proves the same for artifacts of a cluster.
    pub fn prove_cluster(&self, cluster: &Cluster, artifacts: &[&Artifact]) -> Vec<TemplateError> {
        let context = TemplateContext::of_cluster(template_value(cluster));
        let errors = artifacts.iter().filter_map(|artifact| {
            let (row, item) = row_of_path(cluster, &artifact.path)?;
            let context = context.for_item(row.item_value(cluster, item), &SecretValues::new());
            injection_proof::prove(&self.engine, Some(&self.proofs), row.template.name, &context, artifact.body()).err()
        });
        errors.collect()
    }

    /// Renders the files of a device that hold secrets; leaves out a file if one of its secrets has no value.
    ///
    /// # Errors
    /// The first error of a template. It holds no value of a secret.
    pub fn secrets(&self, device: &Arc<Device>, secrets: &Secrets) -> Result<Vec<SecretArtifact>, TemplateError> {
        use secrecy::ExposeSecret as _;
        let context = self.device_context(device);
        let mut artifacts = Vec::new();
        for (row, item, file) in secret_targets(device) {
            let uses = device.secrets.iter().filter(|held| held.key == file.key);
            let values: Option<SecretValues<'_>> = uses
                .map(|held| Some((held.placeholder.as_str(), secrets.get(&held.secret)?.expose_secret())))
                .collect();
            let Some(values) = values else { continue };
            let body = match row.template.name(device.versions.config_format) {
                Some(template) => {
                    let context = context.for_artifact(device, row, item, &values);
                    let body = Zeroizing::new(self.engine.render(template, &context)?);
                    injection_proof::prove(&self.engine, None, template, &context, &body)?;
                    body
                }
                None => raw_patch::with_secrets(device, item, &values)?,
            };
            let header = device_header(device);
            // A vector that grows would leave copies of the secret in memory.
            let mut bytes = Zeroizing::new(Vec::with_capacity(header.len() + body.len()));
            bytes.extend_from_slice(header.as_bytes());
            bytes.extend_from_slice(body.as_bytes());
            artifacts.push(SecretArtifact::new(file.path, bytes));
        }
        Ok(artifacts)
    }

    /// Renders an artifact of the user for one device, for one cluster, or for the fleet.
    ///
    /// # Errors
    /// The error of the template.
    pub fn user(&self, artifact: &UserArtifact, scope: &FleetView<'_>) -> Result<String, TemplateError> {
        self.engine.render(&template_name(artifact), &self.user_context(scope))
    }

    /// Proves that no value changes the structure of what [`Self::user`] returned.
    ///
    /// # Errors
    /// The place in the template whose value does.
    pub fn prove_user(&self, artifact: &UserArtifact, scope: &FleetView<'_>, body: &str) -> Result<(), TemplateError> {
        let context = self.user_context(scope);
        injection_proof::prove(&self.engine, Some(&self.proofs), &template_name(artifact), &context, body)
    }

    fn user_context(&self, scope: &FleetView<'_>) -> Value {
        let context = match scope {
            FleetView::Device(device) => self.device_context(device),
            FleetView::Cluster(cluster, devices) => {
                TemplateContext::of_cluster(template_value(cluster)).with_devices(devices_value(devices))
            }
            FleetView::Fleet(clusters, devices) => {
                TemplateContext::of_fleet(clusters.iter().map(template_value).collect(), devices_value(devices))
            }
        };
        context.for_item(Value::UNDEFINED, &SecretValues::new())
    }

    fn device_context(&self, device: &Arc<Device>) -> TemplateContext {
        TemplateContext::of_device(device_context(device), self.clusters.get(&device.cluster).cloned().into())
    }
}

fn devices_value(devices: &[Arc<Device>]) -> Value {
    devices.iter().map(device_context).collect()
}

fn device_header(device: &Device) -> String {
    header(device_file(&device.name).as_str(), &format!("talosmith generate {}", device_folder(&device.name)))
}

/// Returns the first line of a document about a device.
fn document_header(device: &str) -> String {
    format!(
        "{} Do not edit: change device.yaml, then run: talosmith generate {} -->\n",
        document_mark(device),
        in_comment(&device_folder(device))
    )
}

/// Returns how each document about a device begins.
pub fn document_mark(device: &str) -> String {
    format!("<!-- {GENERATED}{}.", in_comment(&device_file(device)))
}

/// Writes a path into a comment of XML, which must not contain two hyphens in a row.
fn in_comment(path: &Utf8Path) -> String {
    path.as_str().replace("--", "-&#45;")
}

/// Returns the first line of a generated file.
fn header(source: &str, command: &str) -> String {
    let name = source.rsplit('/').next().unwrap_or(source);
    format!("# {GENERATED}{source}. Do not edit: change {name}, then run: {command}\n")
}
