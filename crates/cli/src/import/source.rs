//! A file that is imported, and whose it is.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::{Map, Value};
use talosmith_document::{Node, SourceId, TalosVersion, line_column};
use talosmith_machinery::Role;

use super::value::{at, json};

/// The devices that a file is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    Role(Role),
    Device(String),
}

/// A folder or file that the user names.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    /// Whose files it has; none if the names of folders say so.
    pub scope: Option<Scope>,
    /// From the root of the new repository.
    pub path: Utf8PathBuf,
}

/// A whole machine config, of which the rest is a patch.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Its text without secrets.
    pub text: String,
    /// The values that the base config has in another form, such as secrets: keys joined by dots.
    pub dropped: BTreeSet<String>,
}

/// A file that is imported.
#[derive(Debug)]
pub(crate) struct Source {
    /// From the root of the new repository.
    pub path: Utf8PathBuf,
    /// The path below the folder of its device or role, which the generated file keeps.
    pub name: String,
    pub scope: Scope,
    pub id: SourceId,
    pub text: String,
    pub documents: Vec<Node>,
    /// Whether the generated files keep `name`.
    pub keeps_name: bool,
    /// The line of the file at which the text begins.
    pub first_line: usize,
    /// Where each value of a text that an import made is written: its keys, and the place.
    pub places: Vec<(String, String)>,
    /// What it says of its cluster.
    pub cluster: Map<String, Value>,
    /// Keys of its device that are no values of Talos.
    pub keys: Map<String, Value>,
    /// The placeholders of the secrets that were replaced in it.
    pub masked: BTreeSet<String>,
    /// Whether the user says whose it is.
    pub is_named: bool,
    /// The whole machine config of which this is the part that the base config does not have.
    pub whole: Option<Whole>,
}

impl Source {
    pub(super) fn new(
        path: Utf8PathBuf,
        name: &str,
        scope: Scope,
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
            masked: BTreeSet::new(),
            is_named: false,
            whole: None,
        }
    }

    /// What facts of it are known by: several can be in one file of the user.
    pub(super) fn key(&self) -> String {
        match (&self.scope, self.keeps_name) {
            (Scope::Device(device), false) => format!("{}:{}:{device}", self.path, self.first_line),
            _ => self.path.to_string(),
        }
    }

    /// The place of a value: the nearest of those that are known.
    pub(crate) fn place_of(&self, keys: &str) -> Option<&str> {
        let is_around = |known: &str| keys == known || keys.starts_with(&format!("{known}."));
        let around = self.places.iter().filter(|(known, _)| is_around(known));
        around.max_by_key(|(known, _)| known.len()).map(|(_, place)| place.as_str())
    }

    /// The path and the line of a byte.
    pub(crate) fn place(&self, byte: u32) -> String {
        format!("{}:{}", self.path, line_column(&self.text, byte as usize).0 + self.first_line - 1)
    }
}

impl Scope {
    /// The nearer a scope is to a device, the later its files are applied.
    pub(super) fn rank(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Role(_) => 1,
            Self::Device(_) => 2,
        }
    }

    /// Parses what stands before `=` in an argument.
    pub(crate) fn named(name: &str) -> Self {
        Self::of_folder(name).flatten().unwrap_or_else(|| Self::Device(name.to_owned()))
    }

    /// The scope of a folder by its name: the inner `None` for one that says nothing; the outer one for the name of a device.
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

/// The version of the newest installer image among the files.
pub(crate) fn installed_version(sources: &[Source]) -> Option<TalosVersion> {
    let documents = sources.iter().flat_map(|source| &source.documents).map(json);
    let images = documents.filter_map(|document| {
        let image = at(&document, "machine.install.image").or_else(|| at(&document, "installer.image"))?;
        image.as_str()?.rsplit(':').next()?.parse::<TalosVersion>().ok()
    });
    images.max_by_key(|version| (version.major, version.minor, version.patch))
}

/// Whether a file has a document that only base configs of Talos 1.14 and later accept.
pub(crate) fn has_documents(sources: &[Source]) -> bool {
    let mut kinds = sources.iter().flat_map(|source| &source.documents).filter_map(|node| node.get("kind")?.scalar());
    kinds.any(|(kind, _)| kind.starts_with("Kube") && kind.ends_with("Config") || kind == "UnattendedInstallConfig")
}
