//! What the files say of each device: facts for keys of the model, and the rest.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use talosmith_document::Document;
use talosmith_machinery::Role;

use super::documents::{FIELDS, WHOLE};
use super::facts::{Facts, Taking, placeholders_in};
use super::main_document::{ROWS, Row};
use super::objects::{self, Content};
use super::services;
use super::source::{Scope, Source};
use super::text::{Remaining, rest_text};
use super::value::{at, has_directive, json, leaves, remove};

/// Facts that the model cannot have, by their identity: they stay raw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Denied(pub BTreeMap<String, String>);

/// A device as the files describe it.
#[derive(Debug)]
pub(crate) struct Draft {
    pub name: String,
    pub role: Role,
    /// Whether the role is a guess.
    pub is_guessed: bool,
    /// Its IP address, if it is known.
    pub address: Option<String>,
    pub facts: Facts,
    pub taken: Vec<Taken>,
    pub raw: Vec<RawPatch>,
}

/// A fact that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// What [`Denied`] knows it by.
    pub id: String,
    /// The index of its file.
    pub source: usize,
    /// The keys that have it: `/labels/a`.
    pub keys: Vec<String>,
    /// The keys of `files` whose artifacts have it.
    pub artifacts: Vec<String>,
}

/// What no key of the model has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RawPatch {
    pub source: usize,
    pub name: String,
    pub text: String,
    /// The placeholders in it.
    pub placeholders: BTreeSet<String>,
    /// Each value of it as its place and its keys.
    pub values: Vec<(String, String)>,
}

/// The names and roles of devices.
#[derive(Debug, Default)]
pub(crate) struct Roles(pub BTreeMap<String, Role>);

impl Roles {
    /// The role of a device; none if nobody said it and its name does not.
    fn find(&self, name: &str) -> Option<Role> {
        let is_worker = ["worker", "wk", "agent"].iter().any(|word| name.contains(word));
        let is_control_plane = ["control", "master"].iter().any(|word| name.contains(word))
            || name.starts_with("cp")
            || name.contains("-cp");
        self.0.get(name).copied().or(match (is_control_plane, is_worker) {
            (true, _) => Some(Role::ControlPlane),
            (_, true) => Some(Role::Worker),
            _ => None,
        })
    }
}

/// Returns the devices that the files name, in their order.
pub(crate) fn drafts(sources: &[Source], roles: &Roles, has_kata: bool, denied: &Denied) -> Vec<Draft> {
    let mut names: Vec<&str> = Vec::new();
    for source in sources {
        let Scope::Device(name) = &source.scope else { continue };
        let content = objects::classify(&source.documents.iter().map(json).collect::<Vec<_>>());
        let is_about_nodes = matches!(content, Content::Patch | Content::Schematic) || !source.keeps_name;
        if is_about_nodes && !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let is_only = names.len() == 1;
    let drafts = names.into_iter().map(|name| {
        let known = roles.find(name);
        let role = known.unwrap_or(Role::ControlPlane);
        let mut draft = Draft {
            name: name.to_owned(),
            role,
            is_guessed: known.is_none() && !is_only,
            address: None,
            facts: Facts::default(),
            taken: Vec::new(),
            raw: Vec::new(),
        };
        let order = [Scope::All, Scope::Role(role), Scope::Device(name.to_owned())];
        for scope in order {
            for (index, source) in sources.iter().enumerate().filter(|(_, source)| source.scope == scope) {
                draft.add(index, source, has_kata, denied);
            }
        }
        draft
    });
    drafts.collect()
}

impl Draft {
    fn add(&mut self, index: usize, source: &Source, has_kata: bool, denied: &Denied) {
        let documents: Vec<Value> = source.documents.iter().map(json).filter(|value| !value.is_null()).collect();
        self.facts.cluster.extend(source.cluster.iter().map(|(key, value)| (key.clone(), value.clone())));
        self.facts.keys.extend(source.keys.clone());
        let stem = stem(&source.name);
        match objects::classify(&documents) {
            Content::Patch => {
                let mut file = PatchFile { index, source, denied, has_kata, stem: &stem, rest: Vec::new() };
                if !self.add_alternative(&file, &documents) {
                    for (position, document) in source.documents.iter().enumerate() {
                        self.add_document(&mut file, position, json(document));
                    }
                }
                self.add_rest(file);
            }
            Content::Schematic => {
                let name = objects::schematic_name(&stem, &self.name);
                let keys = objects::schematic(documents.into_iter().next().unwrap_or_default());
                self.take_file(index, &source.path, format!("schematics.{name}"), |taking| {
                    taking.set_at(&["schematics", &name], keys);
                    true
                });
            }
            Content::Objects => {
                if let Some((key, value, labels)) = objects::gpu(&documents) {
                    self.take_file(index, &source.path, key.replace('/', "."), |taking| {
                        taking.set(key, value);
                        if let (Some((vendor, _)), false) = (key.rsplit_once('/'), labels.is_empty()) {
                            taking.set(&format!("{vendor}/nodeSelector"), labels);
                        }
                        true
                    });
                }
            }
            Content::Encrypted | Content::Other => {}
        }
    }

    /// Takes something of a whole file, which has an artifact of its own.
    fn take_file(
        &mut self,
        source: usize,
        path: impl ToString,
        artifact: String,
        take: impl FnOnce(&mut Taking<'_>) -> bool,
    ) -> bool {
        let masked = BTreeSet::new();
        let mut taking = Taking {
            facts: &mut self.facts,
            masked: &masked,
            stem: "",
            has_kata: false,
            keys: Vec::new(),
            artifacts: vec![artifact],
        };
        if !take(&mut taking) {
            return false;
        }
        let (keys, artifacts) = (taking.keys, taking.artifacts);
        self.taken.push(Taken { id: path.to_string(), source, keys, artifacts });
        true
    }

    /// Takes an image that is not applied, by the name of the file.
    fn add_alternative(&mut self, file: &PatchFile<'_>, documents: &[Value]) -> bool {
        let [document] = documents else { return false };
        let base = file.source.name.rsplit('/').next().unwrap_or_default();
        let Some((name, image)) = services::alternative(base, document) else { return false };
        self.take_file(file.index, &file.source.path, format!("install.alternatives.{name}"), |taking| {
            taking.set_at(&["install", "alternatives", name], json!({ "reference": image }));
            true
        })
    }

    /// Takes what it can of a document of a patch.
    fn add_document(&mut self, file: &mut PatchFile<'_>, position: usize, document: Value) {
        if document.is_null() {
            return;
        }
        let kind = document["kind"].as_str().unwrap_or_default().to_owned();
        let mut remaining = Remaining { position, value: document.clone(), gone: Vec::new() };
        if let Some(whole) = WHOLE.iter().find(|whole| whole.kinds.contains(&&*kind)) {
            if self.take(file, position, "", &mut |taking| (whole.take)(taking, &document)) {
                remaining.value = Value::Null;
            }
        } else {
            let (rows, prefix) = if kind.is_empty() { (ROWS, String::new()) } else { (FIELDS, format!("{kind}.")) };
            // The networks of a cluster are written together.
            let network = at(&document, "cluster.network").unwrap_or(&document);
            let keys = ["podSubnets", "serviceSubnets", "dnsDomain"];
            let has_variable = keys.iter().any(|key| network[*key].to_string().contains("${"));
            for row in rows.iter().filter(|row| !has_variable || row.key != "clusterNetwork") {
                let Some(path) = row.path.strip_prefix(prefix.as_str()) else { continue };
                let Some(found) = at(&document, path).filter(|found| is_free(row, found)) else { continue };
                let mut apply = |taking: &mut Taking<'_>| {
                    let is_taken = row.apply(taking, found);
                    if is_taken && taking.artifacts.is_empty() {
                        taking.artifact(row.artifact());
                    }
                    is_taken
                };
                if self.take(file, position, path, &mut apply) {
                    remove(&mut remaining.value, path);
                    remaining.gone.push(path);
                }
            }
        }
        file.rest.push(remaining);
    }

    /// Takes a fact, unless it is denied.
    fn take(
        &mut self,
        file: &PatchFile<'_>,
        position: usize,
        path: &str,
        take: &mut dyn FnMut(&mut Taking<'_>) -> bool,
    ) -> bool {
        let id = format!("{}#{position}:{path}", file.source.key());
        if file.denied.0.contains_key(&id) {
            return false;
        }
        let before = self.facts.clone();
        let mut taking = Taking {
            facts: &mut self.facts,
            masked: &file.source.masked,
            stem: file.stem,
            has_kata: file.has_kata,
            keys: Vec::new(),
            artifacts: Vec::new(),
        };
        if !take(&mut taking) {
            self.facts = before;
            return false;
        }
        let (keys, mut artifacts) = (taking.keys, taking.artifacts);
        artifacts.sort();
        artifacts.dedup();
        self.taken.push(Taken { id, source: file.index, keys, artifacts });
        true
    }

    /// Adds what is left of a file as a raw patch.
    fn add_rest(&mut self, file: PatchFile<'_>) {
        let Some((text, values)) = rest_text(file.source, &file.rest) else { return };
        let is_free = |name: &str| self.raw.iter().all(|raw| raw.name != name);
        let mut names =
            std::iter::once(file.stem.to_owned()).chain((2..).map(|number| format!("{}-{number}", file.stem)));
        let name = names.find(|name| is_free(name)).unwrap_or_default();
        let placeholders = placeholders_of(file.source, &text);
        self.facts.placeholders.extend(placeholders.iter().cloned());
        self.raw.push(RawPatch { source: file.index, name, text, placeholders, values });
    }
}

/// The placeholders of a patch. In a text of several lines, such as a script, `${NAME}` may mean something else, unless it is talhelper's.
fn placeholders_of(source: &Source, text: &str) -> BTreeSet<String> {
    let documents = Document::parse_stream(source.id, text).unwrap_or_default();
    let leaves = documents.iter().flat_map(|node| leaves(&json(node)));
    let texts = leaves.filter_map(|(_, value)| value.as_str().map(str::to_owned));
    let is_plain = |text: &String| !text.contains('\n');
    let mut found: BTreeSet<String> = texts.filter(is_plain).flat_map(|text| placeholders_in(&text)).collect();
    let is_talhelpers = !source.keeps_name && source.whole.is_none();
    let others = placeholders_in(text).into_iter();
    found.extend(others.filter(|name| is_talhelpers || source.masked.contains(name)));
    found
}

/// A patch that is being read.
struct PatchFile<'a> {
    index: usize,
    source: &'a Source,
    denied: &'a Denied,
    has_kata: bool,
    stem: &'a str,
    /// What is left of each document.
    rest: Vec<Remaining>,
}

/// Whether a row can take a value: one with directives of Talos's merge only where it knows them.
fn is_free(row: &Row, found: &Value) -> bool {
    let knows = row.path.ends_with("admissionControl") || row.path.ends_with("KubeNodeConfig.taints");
    knows || !has_directive(found)
}

/// The name of a patch in a file.
fn stem(name: &str) -> String {
    let base = name.rsplit('/').next().unwrap_or(name);
    let stem =
        [".patch.yaml", ".patch.yml", ".template.yaml", ".yaml", ".yml"].iter().find_map(|end| base.strip_suffix(end));
    let is_good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let stem: String = stem.unwrap_or(base).chars().map(|c| if is_good(c) { c } else { '-' }).collect();
    let stem = stem.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_owned();
    if stem.is_empty() { "patch".to_owned() } else { stem }
}
