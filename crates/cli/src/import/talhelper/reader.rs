//! The walk through talconfig.yaml, and what it says of the cluster and of each node.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use talosmith_document::{Document, Node, Pointer, SourceId, line_column};
use talosmith_machinery::Role;

use super::Talconfig;
use super::keys::{CLUSTER, NODE, WITHOUT_EFFECT};
use super::node::NodePatch;
use super::text::{device_name, templates, with_variables, without_parents};
use crate::import::source::{Scope, Source};
use crate::import::value::key_start;
use crate::source_cache::SourceCache;
use crate::tree::Tree;

/// A talconfig.yaml that is being read.
pub(super) struct Reader<'a> {
    pub tree: &'a dyn Tree,
    pub cache: &'a SourceCache<'a>,
    pub path: &'a Utf8Path,
    pub id: SourceId,
    pub text: &'a str,
    /// With the location of every key; an alias is an empty string.
    pub root: &'a Node,
    pub read: Talconfig,
    pub endpoint: Option<String>,
    /// The variables of talenv.yaml that are no secrets.
    pub variables: BTreeMap<String, String>,
}

impl Reader<'_> {
    pub(super) fn cluster(&mut self, document: &Value) {
        self.endpoint = document["endpoint"].as_str().filter(|endpoint| !endpoint.contains('$')).map(str::to_owned);
        self.read.cluster = document["clusterName"].as_str().filter(|name| !name.contains('$')).map(str::to_owned);
        if self.read.cluster.is_none() {
            self.left(&["clusterName"], "it is a variable: name the cluster with `--cluster`");
        }
        let version = document["talosVersion"].as_str().map(|version| format!("v{}", version.trim_start_matches('v')));
        self.read.talos = version.and_then(|version| version.parse().ok());
        let known =
            ["clusterName", "talosVersion", "endpoint", "nodes", "controlPlane", "worker", "cniConfig", "patches"];
        for key in document.as_object().into_iter().flat_map(Map::keys) {
            let is_row = CLUSTER.iter().any(|(row, _)| row.key == key);
            if known.contains(&key.as_str()) || is_row {
                continue;
            }
            match (key.as_str(), document["imageFactory"].as_object()) {
                ("imageFactory", Some(factory)) => {
                    for inner in factory.keys().filter(|key| *key != "registryURL") {
                        self.left(
                            &["imageFactory", inner],
                            "talosmith computes the ID and the name of an image itself",
                        );
                    }
                }
                _ => self.without_effect(&[key.as_str()]),
            }
        }
    }

    /// Adds what the cluster says of each of its nodes.
    fn add_cluster(&self, made: &mut NodePatch, document: &Value, role: Role) {
        for (row, has_worker) in CLUSTER.iter().filter(|(row, _)| document.get(row.key).is_some()) {
            if *has_worker || role == Role::ControlPlane {
                made.set(row.path, document[row.key].clone(), self.place(&[row.key]));
            }
        }
        if document.get("cniConfig").is_some() && role == Role::ControlPlane {
            made.set("cluster.network.cni", document["cniConfig"].clone(), self.place(&["cniConfig"]));
        }
    }

    fn add_hostname(&mut self, made: &mut NodePatch, node: &Value, number: &str) {
        let hostname = node["hostname"].as_str().unwrap_or_default();
        if node["ignoreHostname"] != true && !hostname.contains('$') {
            let hostname =
                json!({ "apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": hostname, "auto": "off" });
            made.document(hostname, self.place(&["nodes", number, "hostname"]));
        } else if hostname.contains('$') {
            self.left(&["nodes", number, "hostname"], "it is a variable: write `hostname` into device.yaml");
        }
    }

    pub(super) fn node(&mut self, document: &Value, index: usize, node: &Value) {
        let number = index.to_string();
        let hostname = node["hostname"].as_str().unwrap_or_default();
        let name = device_name(hostname, index);
        let role = if node["controlPlane"] == true { Role::ControlPlane } else { Role::Worker };
        let group_key = if role == Role::ControlPlane { "controlPlane" } else { "worker" };
        let group = &document[group_key];
        self.read.roles.insert(name.clone(), role);
        let address = node["ipAddress"].as_str().and_then(|list| list.split(',').next()).map(str::trim);
        match address.filter(|address| !address.contains('$')) {
            Some(address) => drop(self.read.addresses.insert(name.clone(), address.to_owned())),
            None => self.left(&["nodes", &number, "ipAddress"], "it is a variable: write the address into device.yaml"),
        }
        let mut made = NodePatch { main: json!({}), documents: Vec::new(), places: Vec::new() };
        self.add_cluster(&mut made, document, role);
        let find = |key: &str| -> Option<(Value, Vec<String>)> {
            let own =
                node.get(key).map(|value| (value.clone(), vec!["nodes".to_owned(), number.clone(), key.to_owned()]));
            let of_group = group.get(key).map(|value| (value.clone(), vec![group_key.to_owned(), key.to_owned()]));
            own.or(of_group)
        };
        if let Some((disk, at)) = find("installDisk") {
            made.set("machine.install.disk", disk, self.place_of(&at));
        }
        for row in &NODE {
            if let Some((mut value, at)) = find(row.key) {
                for file in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                    file.shift_remove("skipEnvsubst");
                }
                if row.key == "machineFiles" {
                    self.read_contents(&mut value, &at);
                }
                for name in templates(&mut value) {
                    let at: Vec<&str> = at.iter().map(String::as_str).chain([name.as_str()]).collect();
                    self.left(&at, "it is a template of talhelper: write its result as a label or an annotation");
                }
                made.set(row.path, value, self.place_of(&at));
            }
        }
        self.add_documents(&mut made, &find);
        self.add_image(&mut made, document, &find);
        self.add_hostname(&mut made, node, &number);
        self.add_unknown(group_key, &number, (node, group));
        self.add_source(made, &name, &find);
        let overrides = node["overridePatches"] == true;
        let groups = (!overrides).then(|| (group["patches"].clone(), vec![group_key.to_owned(), "patches".to_owned()]));
        let own = (node["patches"].clone(), vec!["nodes".to_owned(), number.clone(), "patches".to_owned()]);
        let global = (document["patches"].clone(), vec!["patches".to_owned()]);
        for (patches, at) in groups.into_iter().chain([own, global]) {
            for (index, patch) in patches.as_array().into_iter().flatten().enumerate() {
                self.add_patch(&name, patch.as_str().unwrap_or_default(), &[&at[..], &[index.to_string()]].concat());
            }
        }
    }

    pub(super) fn add_unknown(&mut self, group_key: &str, number: &str, (node, group): (&Value, &Value)) {
        let known = [
            "hostname",
            "ipAddress",
            "controlPlane",
            "installDisk",
            "ignoreHostname",
            "patches",
            "talosImageURL",
            "schematic",
            "machineSpec",
            "ingressFirewall",
            "extensionServices",
            "volumes",
            "userVolumes",
            "networkInterfaces",
        ];
        let is_new = |key: &&String| !known.contains(&key.as_str()) && !NODE.iter().any(|row| row.key == **key);
        for key in node.as_object().into_iter().flat_map(Map::keys).filter(is_new) {
            self.without_effect(&["nodes", number, key]);
        }
        for key in group.as_object().into_iter().flat_map(Map::keys).filter(is_new) {
            self.without_effect(&[group_key, key]);
        }
    }

    /// Adds a patch: a text, or the name of a file after `@`.
    pub(super) fn add_patch(&mut self, name: &str, patch: &str, at: &[String]) {
        let scope = Scope::Device(name.to_owned());
        let (path, text, first_line) = match patch.strip_prefix('@') {
            Some(file) => match self.file(file) {
                Some((path, text)) => (path, text, 1),
                None => {
                    return self
                        .left_of(at, "there is no such file in this folder: run the import in one that contains it");
                }
            },
            None => (self.path.to_owned(), patch.to_owned(), self.line(at)),
        };
        let text = with_variables(&text, &self.variables).replace("$$", "$");
        let id = self.cache.add(path.clone(), text.as_str());
        let Ok(documents) = Document::parse_stream(id, &text) else {
            return self.left_of(at, "it is not YAML");
        };
        let file = path.file_name().filter(|_| first_line == 1 && path != self.path);
        let file = file.map_or_else(
            || format!("{}.yaml", at.iter().filter(|key| *key != "nodes").cloned().collect::<Vec<_>>().join("-")),
            str::to_owned,
        );
        let mut source = Source::new(path, &file, scope, id, text, documents);
        source.first_line = first_line;
        source.keeps_name = false;
        self.read.sources.push(source);
    }

    /// Reads a file that talconfig.yaml names, from its folder.
    pub(super) fn file(&self, name: &str) -> Option<(Utf8PathBuf, String)> {
        let folder = self.path.parent().unwrap_or(Utf8Path::new(""));
        let path = without_parents(&folder.join(name))?;
        let bytes = self.tree.read(&path).ok()??;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Replaces the names of files after `@` by what is in the files.
    pub(super) fn read_contents(&mut self, files: &mut Value, at: &[String]) {
        for content in files.as_array_mut().into_iter().flatten().filter_map(|file| file.get_mut("content")) {
            let Some(name) = content.as_str().and_then(|text| text.strip_prefix('@')) else { continue };
            match self.file(name) {
                Some((_, text)) => *content = text.into(),
                None => {
                    self.left_of(at, "there is no such file in this folder: run the import in one that contains it")
                }
            }
        }
    }

    pub(super) fn left_of(&mut self, at: &[String], reason: &str) {
        self.left(&at.iter().map(String::as_str).collect::<Vec<_>>(), reason);
    }

    pub(super) fn without_effect(&mut self, keys: &[&str]) {
        let last = keys.last().copied().unwrap_or_default();
        let reason = WITHOUT_EFFECT.iter().find(|(key, _)| *key == last).map(|(_, reason)| *reason);
        self.left(keys, reason.unwrap_or("talosmith knows no such key of talhelper"));
    }

    pub(super) fn left(&mut self, keys: &[&str], reason: &str) {
        let key = keys.iter().filter(|key| key.parse::<usize>().is_err()).copied().collect::<Vec<_>>().join(".");
        let entry = (self.place(keys), key, reason.to_owned());
        if !self.read.not_mapped.contains(&entry) {
            self.read.not_mapped.push(entry);
        }
    }

    pub(super) fn place_of(&self, keys: &[String]) -> String {
        self.place(&keys.iter().map(String::as_str).collect::<Vec<_>>())
    }

    /// The place of a key, or of the nearest around it that is no alias.
    pub(super) fn place(&self, keys: &[&str]) -> String {
        let pointers =
            (1..=keys.len()).rev().map(|count| keys[..count].iter().fold(Pointer::root(), |at, key| at.child(key)));
        let byte = pointers.filter_map(|at| key_start(self.root, &at)).next().unwrap_or(0);
        format!("{}:{}", self.path, line_column(self.text, byte as usize).0)
    }

    /// The first line of the text at some keys.
    pub(super) fn line(&self, keys: &[String]) -> usize {
        let at = keys.iter().fold(Pointer::root(), |at, key| at.child(key));
        let byte = key_start(self.root, &at).unwrap_or(0);
        line_column(self.text, byte as usize).0
    }
}
