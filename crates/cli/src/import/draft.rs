//! Sorts the values in the files of each device into facts, which have model keys, and raw patches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use talosmith_document::Document;
use talosmith_machinery::Role;
use talosmith_render::yaml_flow;

use super::documents::{DOCUMENT_FIELDS, DOCUMENTS};
use super::facts::{Facts, Mapper, placeholders_in};
use super::file_kind::{self, FileKind};
use super::main_document::{FieldMapping, MAIN_FIELDS};
use super::names::{free_name, with_dashes};
use super::remaining::{RemainingDocument, remaining_text};
use super::source_file::{FileScope, NotMapped, SourceFile};
use super::value::{at, has_directive, json, leaves, remove};

/// What the proof found to be different.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rejected {
    /// The reasons why facts cannot be in the model, by [`MappedValue::id`]. Their values stay in raw patches.
    pub facts: BTreeMap<String, String>,
    /// The keys of layers that a device must not have.
    pub inherited: BTreeSet<InheritedKey>,
    /// The fields that no raw patch can have. Their facts are not rejected.
    pub conflicts: BTreeSet<ConflictingField>,
}

/// A field of an imported file that Talos refuses next to a document of the base config.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ConflictingField {
    /// The [identity](SourceFile::identity) of the file.
    pub source: String,
    /// The keys of the field, joined by dots.
    pub path: String,
}

impl ConflictingField {
    /// Whether a value, by its [`MappedValue::id`], is in the field.
    pub(super) fn has(&self, id: &str) -> bool {
        let own = id.strip_prefix(&self.source).and_then(|rest| rest.strip_prefix('#'));
        own.and_then(|rest| rest.split_once(':'))
            .is_some_and(|(_, path)| path == self.path || path.starts_with(&format!("{}.", self.path)))
    }
}

/// A key that a device has from a layer of its cluster.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct InheritedKey {
    pub device: String,
    pub key: String,
    /// The key in its value, if that is a mapping.
    pub inner: Option<String>,
}

impl Rejected {
    /// Adds what another proof found, and returns whether anything is new.
    pub(crate) fn add(&mut self, other: Self) -> bool {
        let before = self.clone();
        self.facts.extend(other.facts);
        self.inherited.extend(other.inherited);
        self.conflicts.extend(other.conflicts);
        let conflicts = &self.conflicts;
        self.facts.retain(|id, _| conflicts.iter().all(|field| !field.has(id)));
        *self != before
    }
}

impl std::fmt::Display for InheritedKey {
    /// Writes what removes the key.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.inner {
            Some(inner) => write!(f, "{}: {{ {}: null }}", self.key, yaml_flow(&inner.as_str().into())),
            None => write!(f, "{}: null", self.key),
        }
    }
}

/// A device of the new model.
#[derive(Debug)]
pub(crate) struct Draft {
    pub name: String,
    pub role: Role,
    /// Whether the role is a guess, because neither the files, nor the arguments, nor the name of the device specify it.
    pub is_role_guessed: bool,
    /// The IP address, if it is known.
    pub address: Option<String>,
    pub facts: Facts,
    pub mapped: Vec<MappedValue>,
    pub raw: Vec<RawPatch>,
    /// Values that are neither in a model key nor in a raw patch.
    pub not_mapped: Vec<NotMapped>,
}

/// A value that was mapped to model keys.
#[derive(Debug)]
pub(crate) struct MappedValue {
    /// The [identity](SourceFile::identity) of the file, `#`, the position of the document, `:`, and the keys of the field, joined by dots; none
    /// for a whole document. For a whole file, its path.
    pub id: String,
    /// The index of the file.
    pub source: usize,
    /// The model keys that it was mapped to, as pointers: `/labels/a`.
    pub keys: Vec<String>,
    /// The keys in `files` of the artifacts that contain it.
    pub artifacts: Vec<String>,
}

impl MappedValue {
    /// Returns the keys of the field, joined by dots; none for a whole file.
    pub(super) fn path(&self) -> Option<&str> {
        Some(self.id.split_once('#')?.1.split_once(':')?.1)
    }
}

/// The values of a file that no model key has.
#[derive(Debug, Clone)]
pub(crate) struct RawPatch {
    pub source: usize,
    pub name: String,
    pub text: String,
    pub placeholders: BTreeSet<String>,
    /// The place and the keys of each value.
    pub values: Vec<(String, String)>,
}

/// The roles of devices.
#[derive(Debug, Default)]
pub(crate) struct Roles {
    /// The known ones, by the names of the devices.
    pub known: BTreeMap<String, Role>,
    /// Whether the cluster has a control plane already. The role of an unknown device is then guessed to be worker.
    pub has_control_plane: bool,
}

impl Roles {
    /// Returns the role of a device: the known one, or that in its name, as in `worker-1`.
    fn find(&self, name: &str) -> Option<Role> {
        let is_worker = ["worker", "wk", "agent"].iter().any(|word| name.contains(word));
        let is_control_plane = ["control", "master"].iter().any(|word| name.contains(word))
            || name.starts_with("cp")
            || name.contains("-cp");
        self.known.get(name).copied().or(match (is_control_plane, is_worker) {
            (true, _) => Some(Role::ControlPlane),
            (_, true) => Some(Role::Worker),
            _ => None,
        })
    }
}

/// Returns a draft for each device that a file applies to, in the order of the files.
pub(crate) fn drafts(sources: &[SourceFile], roles: &Roles, has_kata: bool, rejected: &Rejected) -> Vec<Draft> {
    let mut names: Vec<&str> = Vec::new();
    for source in sources {
        let FileScope::Device(name) = &source.scope else { continue };
        let configures_nodes = source.kind().configures_nodes() || !source.keeps_name;
        if configures_nodes && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    // A node may have files of all nodes or of its role only.
    let applies = |role: Role| {
        sources.iter().any(|source| source.scope == FileScope::All || source.scope == FileScope::Role(role))
    };
    for (name, _) in roles.known.iter().filter(|(_, role)| applies(**role)) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let is_first = names.len() == 1 && !roles.has_control_plane;
    let guess = if roles.has_control_plane { Role::Worker } else { Role::ControlPlane };
    let drafts = names.into_iter().map(|name| {
        let known = roles.find(name);
        let role = known.unwrap_or(guess);
        let mut draft = Draft {
            name: name.to_owned(),
            role,
            is_role_guessed: known.is_none() && !is_first,
            address: None,
            facts: Facts::default(),
            mapped: Vec::new(),
            raw: Vec::new(),
            not_mapped: Vec::new(),
        };
        let order = [FileScope::All, FileScope::Role(role), FileScope::Device(name.to_owned())];
        for scope in order {
            for (index, source) in sources.iter().enumerate().filter(|(_, source)| source.scope == scope) {
                draft.add(index, source, has_kata, rejected);
            }
        }
        draft
    });
    drafts.collect()
}

impl Draft {
    /// Returns the indexes of the files with its values.
    pub(super) fn sources(&self) -> impl Iterator<Item = usize> + '_ {
        self.mapped.iter().map(|value| value.source).chain(self.raw.iter().map(|raw| raw.source))
    }

    fn add(&mut self, index: usize, source: &SourceFile, has_kata: bool, rejected: &Rejected) {
        let documents: Vec<Value> = source.documents.iter().map(json).filter(|value| !value.is_null()).collect();
        self.facts.cluster.extend(source.cluster.iter().map(|(key, value)| (key.clone(), value.clone())));
        self.facts.keys.extend(source.keys.clone());
        let stem = stem(&source.name);
        match source.kind() {
            FileKind::Patch => {
                let mut file = PatchFile { index, source, rejected, has_kata, stem: &stem, remaining: Vec::new() };
                if !self.add_alternative(&file, &documents) {
                    for (position, document) in source.documents.iter().enumerate() {
                        self.add_document(&mut file, position, json(document));
                    }
                }
                self.add_raw_patch(file);
            }
            FileKind::Schematic => {
                let name = file_kind::schematic_name(&stem, &self.name);
                let document = documents.into_iter().next().unwrap_or_default();
                let unknown = file_kind::unknown_schematic_keys(&document);
                self.not_mapped.extend(unknown.iter().map(|keys| source.not_mapped(keys, "no model key")));
                let keys = file_kind::schematic_keys(document);
                self.map_file(index, &source.path, format!("schematics.{name}"), |mapper| {
                    mapper.set_at(&["schematics", &name], keys);
                });
            }
            FileKind::KubernetesObjects => {
                if let Some((key, value, labels)) = file_kind::gpu_key(&documents) {
                    self.map_file(index, &source.path, key.replace('/', "."), |mapper| {
                        mapper.set(key, value);
                        if let (Some((vendor, _)), false) = (key.rsplit_once('/'), labels.is_empty()) {
                            mapper.set(&format!("{vendor}/nodeSelector"), labels);
                        }
                    });
                }
            }
            FileKind::SecretsBundle | FileKind::Encrypted | FileKind::Other => {}
        }
    }

    /// Maps a whole file, which has an artifact of its own.
    fn map_file(&mut self, source: usize, path: impl ToString, artifact: String, map: impl FnOnce(&mut Mapper<'_>)) {
        let masked = BTreeSet::new();
        let mut mapper = Mapper {
            facts: &mut self.facts,
            masked: &masked,
            stem: "",
            has_kata: false,
            keys: Vec::new(),
            artifacts: vec![artifact],
        };
        map(&mut mapper);
        let (keys, artifacts) = (mapper.keys, mapper.artifacts);
        self.mapped.push(MappedValue { id: path.to_string(), source, keys, artifacts });
    }

    /// Maps a patch that only sets an alternative installer image; returns false for any other patch.
    fn add_alternative(&mut self, file: &PatchFile<'_>, documents: &[Value]) -> bool {
        let [document] = documents else { return false };
        let base = file.source.name.rsplit('/').next().unwrap_or_default();
        let Some((name, image)) = file_kind::alternative_image(base, document) else { return false };
        self.map_file(file.index, &file.source.path, format!("install.alternatives.{name}"), |mapper| {
            mapper.set_at(&["install", "alternatives", name], json!({ "reference": image }));
        });
        true
    }

    /// Maps the values of a document that have model keys, and adds the others to the remaining values of the file.
    fn add_document(&mut self, file: &mut PatchFile<'_>, position: usize, document: Value) {
        if document.is_null() {
            return;
        }
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        let mut remaining = RemainingDocument { position, value: document.clone(), mapped: Vec::new() };
        if let Some(mapping) = DOCUMENTS.iter().find(|mapping| mapping.kinds.contains(&&*kind)) {
            if self.map_value(file, position, "", &mut |mapper| (mapping.map)(mapper, &document)) {
                remaining.value = Value::Null;
            }
        } else {
            let (fields, prefix) =
                if kind.is_empty() { (MAIN_FIELDS, String::new()) } else { (DOCUMENT_FIELDS, format!("{kind}.")) };
            // `clusterNetwork` writes all networks of a cluster. A placeholder in one of them keeps all in the raw patch.
            let network = at(&document, "cluster.network").unwrap_or(&document);
            let keys = ["podSubnets", "serviceSubnets", "dnsDomain"];
            let has_placeholder = keys.iter().any(|key| network[*key].to_string().contains("${"));
            for field in fields.iter().filter(|field| !has_placeholder || !field.is_cluster_network()) {
                let Some(path) = field.path.strip_prefix(prefix.as_str()) else { continue };
                let Some(found) = at(&document, path).filter(|found| is_mappable(field, found)) else { continue };
                let mut apply = |mapper: &mut Mapper<'_>| {
                    let is_mapped = field.apply(mapper, found);
                    if is_mapped && mapper.artifacts.is_empty() {
                        mapper.add_artifact(field.artifact());
                    }
                    is_mapped
                };
                if self.map_value(file, position, path, &mut apply) {
                    remove(&mut remaining.value, path);
                    remaining.mapped.push(path);
                }
            }
        }
        file.remaining.push(remaining);
    }

    /// Maps a value, unless it is rejected; returns false, and changes nothing, if it is or the model cannot have it.
    fn map_value(
        &mut self,
        file: &PatchFile<'_>,
        position: usize,
        path: &str,
        map: &mut dyn FnMut(&mut Mapper<'_>) -> bool,
    ) -> bool {
        let id = format!("{}#{position}:{path}", file.source.identity());
        if file.rejected.facts.contains_key(&id) {
            return false;
        }
        let mapper = |facts| Mapper {
            facts,
            masked: &file.source.masked,
            stem: file.stem,
            has_kata: file.has_kata,
            keys: Vec::new(),
            artifacts: Vec::new(),
        };
        // First without the keys, on which the result does not depend, so that they are not copied for each value.
        let keys = std::mem::take(&mut self.facts.keys);
        let mut trial = self.facts.clone();
        self.facts.keys = keys;
        if !map(&mut mapper(&mut trial)) {
            return false;
        }
        let mut mapper = mapper(&mut self.facts);
        map(&mut mapper);
        let (keys, mut artifacts) = (mapper.keys, mapper.artifacts);
        artifacts.sort();
        artifacts.dedup();
        self.mapped.push(MappedValue { id, source: file.index, keys, artifacts });
        true
    }

    /// Adds a raw patch with the remaining values of a file.
    fn add_raw_patch(&mut self, file: PatchFile<'_>) {
        let Some((text, values)) = remaining_text(file.source, &file.remaining) else { return };
        let taken: BTreeSet<&str> = self.raw.iter().map(|raw| raw.name.as_str()).collect();
        let is_free = |name: &str| !taken.contains(name);
        let name = free_name(file.stem, '-', is_free);
        let placeholders = placeholders_of(file.source, &text);
        self.facts.placeholders.extend(placeholders.iter().cloned());
        self.raw.push(RawPatch { source: file.index, name, text, placeholders, values });
    }
}

/// Returns the placeholders in a patch. In a string of several lines, such as a script, `${NAME}` can be a shell variable, and is a placeholder only
/// if talhelper would replace it or the import wrote it.
fn placeholders_of(source: &SourceFile, text: &str) -> BTreeSet<String> {
    let documents = Document::parse_stream(source.id, text).unwrap_or_default();
    let leaves = documents.iter().flat_map(|node| leaves(&json(node)));
    let texts = leaves.filter_map(|(_, value)| value.as_str().map(str::to_owned));
    let is_one_line = |text: &String| !text.contains('\n');
    let mut found: BTreeSet<String> = texts.filter(is_one_line).flat_map(|text| placeholders_in(&text)).collect();
    let is_of_talhelper = !source.keeps_name && source.whole.is_none();
    let others = placeholders_in(text).into_iter();
    found.extend(others.filter(|name| is_of_talhelper || source.masked.contains(name)));
    found
}

/// A patch that is being read.
struct PatchFile<'a> {
    index: usize,
    source: &'a SourceFile,
    rejected: &'a Rejected,
    has_kata: bool,
    stem: &'a str,
    remaining: Vec<RemainingDocument>,
}

/// Whether a value can be mapped: only some fields can contain a directive of Talos's merge.
fn is_mappable(field: &FieldMapping, value: &Value) -> bool {
    let accepts_directives = field.path.ends_with("admissionControl") || field.path.ends_with("KubeNodeConfig.taints");
    accepts_directives || !has_directive(value)
}

/// Returns the name of the patch in a file.
fn stem(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem =
        [".patch.yaml", ".patch.yml", ".template.yaml", ".yaml", ".yml"].iter().find_map(|end| base.strip_suffix(end));
    let stem = with_dashes(stem.unwrap_or(base), "._");
    let stem = stem.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    if stem.is_empty() { "patch".to_owned() } else { stem }
}
