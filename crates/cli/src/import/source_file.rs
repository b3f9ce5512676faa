//! An imported file, and the devices that it applies to.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::{Map, Value};
use talosmith_document::{Node, Pointer, SourceId, TalosVersion, line_column};
use talosmith_machinery::Role;

use super::aliases::ResolvedText;
use super::file_kind::{self, FileKind};
use super::names::with_dashes;
use super::value::{at, is_json_patch, json, key_start, leaves};

/// The devices that a file applies to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FileScope {
    All,
    Role(Role),
    Device(String),
}

/// A folder or file in the arguments of `talosmith import`.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// The devices that its files apply to; none if the names of its folders decide.
    pub scope: Option<FileScope>,
    /// Relative to the root of the new repository.
    pub path: Utf8PathBuf,
}

/// A value that the import did not map.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotMapped {
    /// The file and the line.
    pub place: String,
    pub key: String,
    pub reason: String,
}

/// A whole machine config, which was reduced to a patch.
#[derive(Debug)]
pub(crate) struct WholeConfig {
    /// The text of the whole config, with placeholders for its secrets.
    pub text: String,
    /// The values that the base config has in another form, such as secrets: keys joined by dots.
    pub dropped: BTreeSet<String>,
}

/// A JSON patch, which was replaced by a merge patch.
#[derive(Debug)]
pub(crate) struct JsonPatch {
    /// The text of the JSON patch; none if the source still has it.
    pub text: Option<String>,
    /// The keys of the values that the merge patch sets, joined by dots.
    pub set: Vec<String>,
    /// The operations that no merge patch is equal to.
    pub refused: Vec<RefusedOperation>,
}

/// An operation of a JSON patch that no merge patch is equal to.
#[derive(Debug)]
pub(crate) struct RefusedOperation {
    pub path: String,
    /// Whether it only compares a value.
    pub is_test: bool,
    pub not_mapped: NotMapped,
}

/// An imported file, or a part of one that is treated as a file, such as a node in talconfig.yaml.
#[derive(Debug)]
pub(crate) struct SourceFile {
    /// Relative to the root of the new repository.
    pub path: Utf8PathBuf,
    /// The path below the folder of its device or role.
    pub name: String,
    pub scope: FileScope,
    pub id: SourceId,
    pub text: String,
    pub documents: Vec<Node>,
    /// Whether the generated files are named `name`.
    pub keeps_name: bool,
    /// The line of the file on which `text` begins, from 1.
    pub first_line: usize,
    /// Of a `text` that the import wrote: the keys of each value, joined by dots, and its place in the file.
    pub places: Vec<(String, String)>,
    /// Facts about the cluster that are no values of a machine config, as model keys.
    pub cluster: Map<String, Value>,
    /// Facts about the device that are no values of a machine config, as model keys.
    pub keys: Map<String, Value>,
    /// Whether the file had anchors, aliases or merge keys, which are resolved in `text`.
    pub has_aliases: bool,
    /// The placeholders that replaced secrets in the file.
    pub masked: BTreeSet<String>,
    /// Whether an argument specifies the scope, as in `node-1=PATH`.
    pub has_explicit_scope: bool,
    /// The whole machine config that was reduced to `text`.
    pub whole: Option<WholeConfig>,
    /// The JSON patch that `text` was, or is.
    pub json_patch: Option<JsonPatch>,
}

impl SourceFile {
    pub(super) fn new(
        path: Utf8PathBuf,
        name: &str,
        scope: FileScope,
        id: SourceId,
        text: String,
        documents: Vec<Node>,
    ) -> Self {
        Self {
            path,
            name: name.to_owned(),
            scope,
            id,
            text,
            documents,
            keeps_name: true,
            first_line: 1,
            places: Vec::new(),
            cluster: Map::new(),
            keys: Map::new(),
            has_aliases: false,
            masked: BTreeSet::new(),
            has_explicit_scope: false,
            whole: None,
            json_patch: None,
        }
    }

    /// Returns the kind of the file.
    pub(super) fn kind(&self) -> FileKind {
        match &self.json_patch {
            Some(_) => FileKind::Patch,
            None => {
                let documents = self.documents.iter().map(json).filter(|document| !document.is_null());
                file_kind::classify(&documents.collect::<Vec<_>>())
            }
        }
    }

    /// Returns the first label of the hostname that the file sets.
    pub(super) fn hostname(&self) -> Option<String> {
        let hostname = self.documents.iter().map(json).find_map(|document| {
            let of_document = Some(&document).filter(|document| document["kind"] == "HostnameConfig");
            let value = at(&document, "machine.network.hostname").or_else(|| of_document?.get("hostname"))?;
            value.as_str().map(str::to_owned)
        });
        let label = hostname?.split('.').next()?.to_owned();
        (!label.is_empty() && !label.contains(['$', '{'])).then_some(label)
    }

    /// Whether the file applies to a device.
    pub(super) fn applies_to(&self, device: &str, role: Role) -> bool {
        match &self.scope {
            FileScope::All => true,
            FileScope::Role(own) => *own == role,
            FileScope::Device(name) => name == device,
        }
    }

    /// Identifies the source: several can have the path of one file.
    pub(super) fn identity(&self) -> String {
        match (&self.scope, self.keeps_name) {
            (FileScope::Device(device), false) => format!("{}:{}:{device}", self.path, self.first_line),
            _ => self.path.to_string(),
        }
    }

    /// Describes the value at some keys, joined by dots, as not mapped.
    pub(super) fn not_mapped(&self, keys: &str, reason: &str) -> NotMapped {
        let pointer = keys.split('.').fold(Pointer::root(), |at, key| at.child(key));
        let byte = self.documents.iter().find_map(|root| key_start(root, &pointer)).unwrap_or_default();
        let place = self.place_of(keys).map_or_else(|| self.place(byte), str::to_owned);
        NotMapped { place, key: keys.to_owned(), reason: reason.to_owned() }
    }

    /// Returns the place of a value, or of the innermost mapping around it whose place is known.
    pub(crate) fn place_of(&self, keys: &str) -> Option<&str> {
        let is_around = |known: &str| keys == known || keys.starts_with(&format!("{known}."));
        let around = self.places.iter().filter(|(known, _)| is_around(known));
        around.max_by_key(|(known, _)| known.len()).map(|(_, place)| place.as_str())
    }

    /// Returns the keys of each value in some documents, joined by dots, and its place in the file with other forms of them.
    pub(super) fn places_in(&self, written: &[Node], documents: &[Value]) -> Vec<(String, String)> {
        let mut places = Vec::new();
        for document in documents {
            let is_same = |node: &&Node| {
                let other = json(node);
                ["kind", "name"].iter().all(|key| other.get(key) == document.get(key))
            };
            let Some(root) = written.iter().find(is_same) else { continue };
            let kind = document["kind"].as_str().map(|kind| format!("{kind}.")).unwrap_or_default();
            for (pointer, _) in leaves(document) {
                let keys: Vec<String> = pointer.segments().collect();
                for count in 1..=keys.len() {
                    let at = keys[..count].iter().fold(Pointer::root(), |at, key| at.child(key));
                    let Some(byte) = key_start(root, &at) else { continue };
                    places.push((format!("{kind}{}", keys[..count].join(".")), self.place(byte)));
                }
            }
        }
        places
    }

    /// Returns the source with the text and the places of one that has no aliases any more.
    pub(super) fn with_resolved(mut self, resolved: ResolvedText) -> Self {
        let documents: Vec<Value> = resolved.documents.iter().map(json).collect();
        self.places = self.places_in(&resolved.written, &documents);
        self.has_aliases = true;
        Self { text: resolved.text, documents: resolved.documents, ..self }
    }

    /// Returns the path and the line of a byte of `text`.
    pub(crate) fn place(&self, byte: u32) -> String {
        format!("{}:{}", self.path, line_column(&self.text, byte as usize).0 + self.first_line - 1)
    }
}

impl FileScope {
    /// The position of the scope in the order in which files are applied.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Role(_) => 1,
            Self::Device(_) => 2,
        }
    }

    /// Parses the part of an argument before `=`.
    pub(crate) fn parse(name: &str) -> Self {
        Self::of_folder(name).flatten().unwrap_or_else(|| Self::device(name))
    }

    /// Returns the scope of a device, whose name is in lower case and has dashes for the characters that a hostname cannot have.
    pub(super) fn device(name: &str) -> Self {
        Self::Device(with_dashes(&name.to_ascii_lowercase(), ".").trim_matches(['.', '-']).to_owned())
    }

    /// Returns the scope that the name of a folder specifies. The inner `None` is a name without a meaning, such as `patches`; the outer one
    /// is any other name, such as that of a device.
    pub(super) fn of_folder(name: &str) -> Option<Option<Self>> {
        let scope = match name {
            "all" | "common" | "global" | "shared" | "base" | "cluster" | "defaults" | "general" => Some(Self::All),
            "controlplane" | "controlplanes" | "control-plane" | "control-planes" | "controller" | "controllers"
            | "cp" | "master" | "masters" => Some(Self::Role(Role::ControlPlane)),
            "worker" | "workers" => Some(Self::Role(Role::Worker)),
            "" | "." | ".." | "patches" | "patch" | "manifests" | "devices" | "nodes" | "machines" | "hosts"
            | "talos" | "talconfig" | "clusterconfig" | "config" | "configs" => None,
            _ => return None,
        };
        Some(scope)
    }
}

/// Returns the version of the newest installer image in the files.
pub(crate) fn installed_version(sources: &[SourceFile]) -> Option<TalosVersion> {
    let documents = sources.iter().flat_map(|source| &source.documents).map(json);
    let images = documents.filter_map(|document| {
        let image = at(&document, "machine.install.image").or_else(|| at(&document, "installer.image"))?;
        image.as_str()?.rsplit(':').next()?.parse::<TalosVersion>().ok()
    });
    images.max_by_key(|version| (version.major, version.minor, version.patch))
}

/// Whether a file is a JSON patch.
pub(crate) fn has_json_patches(sources: &[SourceFile]) -> bool {
    sources.iter().any(|source| is_json_patch(&source.documents))
}

/// Whether a file has a document that only base configs of Talos 1.14 and later accept.
pub(crate) fn has_documents(sources: &[SourceFile]) -> bool {
    let mut kinds = sources.iter().flat_map(|source| &source.documents).filter_map(|node| node.get("kind")?.scalar());
    kinds.any(|(kind, _)| kind.starts_with("Kube") && kind.ends_with("Config") || kind == "UnattendedInstallConfig")
}
