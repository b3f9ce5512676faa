//! Reads the facts about the cluster and each node from talconfig.yaml.

use std::collections::BTreeMap;
use std::net::IpAddr;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use talosmith_document::{Document, Node, NodeValue, Pointer, SourceId, line_column};
use talosmith_machinery::Role;

use super::Talconfig;
use super::keys::{CLUSTER_KEYS, NODE_KEYS, WITHOUT_EFFECT};
use super::node::{Find, NodePatch};
use super::text::{device_name, remove_templates, with_quoted_placeholders, with_variables, without_parents};
use crate::import::aliases;
use crate::import::source_file::{FileScope, NotMapped, SourceFile};
use crate::import::value::key_start;
use crate::source_cache::SourceCache;
use crate::tree::Tree;

const NO_SUCH_FILE: &str = "the file does not exist in this folder: run the import in a folder that contains it";

/// A talconfig.yaml that is being read.
pub(super) struct TalconfigReader<'a> {
    pub tree: &'a dyn Tree,
    pub cache: &'a SourceCache<'a>,
    pub path: &'a Utf8Path,
    pub id: SourceId,
    pub text: &'a str,
    /// The document with the location of every key. An alias is an empty string.
    pub root: &'a Node,
    pub talconfig: Talconfig,
    /// The endpoint of the cluster, unless it contains a variable.
    pub endpoint: Option<String>,
    /// The variables in talenv.yaml, except secrets.
    pub variables: BTreeMap<String, String>,
}

impl TalconfigReader<'_> {
    pub(super) fn read_cluster(&mut self, document: &Value) {
        self.endpoint = document["endpoint"].as_str().filter(|endpoint| !endpoint.contains('$')).map(str::to_owned);
        self.talconfig.cluster = document["clusterName"].as_str().filter(|name| !name.contains('$')).map(str::to_owned);
        if self.talconfig.cluster.is_none() {
            self.add_not_mapped(&["clusterName"], "it is a variable: name the cluster with `--cluster`");
        }
        let version = document["talosVersion"].as_str().map(|version| format!("v{}", version.trim_start_matches('v')));
        self.talconfig.talos = version.and_then(|version| version.parse().ok());
        if self.talconfig.talos.is_none() && document.get("talosVersion").is_some() {
            self.add_not_mapped(&["talosVersion"], "it is not a version: name it with `--talos-version`");
        }
        let known =
            ["clusterName", "talosVersion", "endpoint", "nodes", "controlPlane", "worker", "cniConfig", "patches"];
        for key in document.as_object().into_iter().flat_map(Map::keys) {
            let is_mapped = CLUSTER_KEYS.iter().any(|(mapping, _)| mapping.key == key);
            if known.contains(&key.as_str()) || is_mapped {
                continue;
            }
            match (key.as_str(), document["imageFactory"].as_object()) {
                ("imageFactory", Some(factory)) => {
                    for inner in factory.keys().filter(|key| *key != "registryURL") {
                        self.add_not_mapped(
                            &["imageFactory", inner],
                            "talosmith computes the ID and the name of an image itself",
                        );
                    }
                }
                _ => self.add_without_effect(&[key.as_str()]),
            }
        }
    }

    /// Adds the values that the cluster sets for each of its nodes.
    fn add_cluster(&self, node_patch: &mut NodePatch, document: &Value, role: Role) {
        for (mapping, has_worker) in CLUSTER_KEYS.iter().filter(|(mapping, _)| document.get(mapping.key).is_some()) {
            if *has_worker || role == Role::ControlPlane {
                node_patch.set(mapping.path, document[mapping.key].clone(), self.place(&[mapping.key]));
            }
        }
        if document.get("cniConfig").is_some() && role == Role::ControlPlane {
            node_patch.set("cluster.network.cni", document["cniConfig"].clone(), self.place(&["cniConfig"]));
        }
    }

    fn add_hostname(&mut self, node_patch: &mut NodePatch, node: &Value, number: &str) {
        let hostname = node["hostname"].as_str().unwrap_or_default();
        if node["ignoreHostname"] != true && !hostname.contains('$') {
            let hostname =
                json!({ "apiVersion": "v1alpha1", "kind": "HostnameConfig", "hostname": hostname, "auto": "off" });
            node_patch.add_document(hostname, self.place(&["nodes", number, "hostname"]));
        } else if hostname.contains('$') {
            self.add_not_mapped(&["nodes", number, "hostname"], "it is a variable: write `hostname` into device.yaml");
        }
    }

    pub(super) fn read_node(&mut self, document: &Value, index: usize, node: &Value) {
        let number = index.to_string();
        let hostname = node["hostname"].as_str().unwrap_or_default();
        let name = device_name(hostname, index);
        let role = if node["controlPlane"] == true { Role::ControlPlane } else { Role::Worker };
        let group_key = if role == Role::ControlPlane { "controlPlane" } else { "worker" };
        let group = &document[group_key];
        self.talconfig.roles.insert(name.clone(), role);
        let address = node["ipAddress"].as_str().and_then(|list| list.split(',').next()).map(str::trim);
        match address.filter(|address| address.parse::<IpAddr>().is_ok()) {
            Some(address) => drop(self.talconfig.addresses.insert(name.clone(), address.to_owned())),
            None => self.add_not_mapped(
                &["nodes", &number, "ipAddress"],
                "it is a name or a variable: write the address into device.yaml",
            ),
        }
        let mut node_patch = NodePatch { main: json!({}), documents: Vec::new(), places: Vec::new() };
        self.add_cluster(&mut node_patch, document, role);
        let find = |key: &str| -> Option<(Value, Vec<String>)> {
            let own =
                node.get(key).map(|value| (value.clone(), vec!["nodes".to_owned(), number.clone(), key.to_owned()]));
            let of_group = group.get(key).map(|value| (value.clone(), vec![group_key.to_owned(), key.to_owned()]));
            own.or(of_group)
        };
        self.add_keys(&mut node_patch, &find);
        self.add_documents(&mut node_patch, &find);
        self.add_image(&mut node_patch, document, &find);
        self.add_hostname(&mut node_patch, node, &number);
        self.add_unknown_keys(group_key, &number, (node, group));
        self.add_source(node_patch, &name, &find);
        let overrides = node["overridePatches"] == true;
        let of_group =
            (!overrides).then(|| (group["patches"].clone(), vec![group_key.to_owned(), "patches".to_owned()]));
        let own = (node["patches"].clone(), vec!["nodes".to_owned(), number.clone(), "patches".to_owned()]);
        let global = (document["patches"].clone(), vec!["patches".to_owned()]);
        for (patches, at) in of_group.into_iter().chain([own, global]) {
            for (index, patch) in patches.as_array().into_iter().flatten().enumerate() {
                let at = [&at[..], &[index.to_string()]].concat();
                match patch.as_str() {
                    Some(patch) => self.add_patch(&name, patch, &at),
                    None => self.add_not_mapped(&at, "it is not a string, as the patches of talhelper are"),
                }
            }
        }
    }

    /// Adds the keys of a node that are values of its machine config.
    fn add_keys(&mut self, node_patch: &mut NodePatch, find: &Find<'_>) {
        if let Some((disk, at)) = find("installDisk") {
            node_patch.set("machine.install.disk", disk, self.place(&at));
        }
        for mapping in &NODE_KEYS {
            let Some((mut value, at)) = find(mapping.key) else { continue };
            for file in value.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
                file.shift_remove("skipEnvsubst");
            }
            if mapping.key == "machineFiles" {
                self.inline_files(&mut value, &at);
            }
            for name in remove_templates(&mut value) {
                let at = [&at[..], &[name]].concat();
                let reason = "it is a template of talhelper: write its result as a label or an annotation";
                self.add_not_mapped(&at, reason);
            }
            node_patch.set(mapping.path, value, self.place(&at));
        }
    }

    /// Records the keys of a node and its group that are not mapped.
    pub(super) fn add_unknown_keys(&mut self, group_key: &str, number: &str, (node, group): (&Value, &Value)) {
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
        let is_unknown =
            |key: &&String| !known.contains(&key.as_str()) && !NODE_KEYS.iter().any(|mapping| mapping.key == **key);
        for key in node.as_object().into_iter().flat_map(Map::keys).filter(is_unknown) {
            self.add_without_effect(&["nodes", number, key]);
        }
        for key in group.as_object().into_iter().flat_map(Map::keys).filter(is_unknown) {
            self.add_without_effect(&[group_key, key]);
        }
    }

    /// Adds a patch, which is YAML or `@` with the path of a file.
    pub(super) fn add_patch(&mut self, name: &str, patch: &str, at: &[String]) {
        let scope = FileScope::Device(name.to_owned());
        let (path, text, first_line) = match patch.strip_prefix('@') {
            Some(file) => match self.read_file(file) {
                Some((path, text)) => (path, text, 1),
                None => return self.add_not_mapped(at, NO_SUCH_FILE),
            },
            None => {
                // A patch in an alias has the line of its anchor.
                let byte = self.byte(at).filter(|byte| !self.text[*byte as usize..].starts_with('*'));
                let line = byte.map(|byte| line_column(self.text, byte as usize).0);
                let line = line.or_else(|| self.line_of(self.root, patch));
                (self.path.to_owned(), patch.to_owned(), line.unwrap_or(1))
            }
        };
        let text = with_quoted_placeholders(&with_variables(&text, &self.variables).replace("$$", "$"));
        let id = self.cache.add(path.clone(), text.as_str());
        let (documents, resolved) = match Document::parse_stream(id, &text) {
            Ok(documents) => (documents, None),
            Err(_) => match aliases::resolved(id, &text) {
                Some(resolved) => (Vec::new(), Some(resolved)),
                None => return self.add_not_mapped(at, "it is not YAML"),
            },
        };
        let file = path.file_name().filter(|_| first_line == 1 && path != self.path);
        let file = file.map_or_else(
            || format!("{}.yaml", at.iter().filter(|key| *key != "nodes").cloned().collect::<Vec<_>>().join("-")),
            str::to_owned,
        );
        let mut source = SourceFile::new(path, &file, scope, id, text, documents);
        source.first_line = first_line;
        source.keeps_name = false;
        self.talconfig.sources.push(match resolved {
            Some(resolved) => source.with_resolved(resolved),
            None => source,
        });
    }

    /// Returns the line of the first scalar below a node that is this string after its variables are replaced.
    fn line_of(&self, node: &Node, patch: &str) -> Option<usize> {
        match &node.value {
            NodeValue::Scalar(text, _) => (with_variables(text, &self.variables).replace("$$", "$") == patch)
                .then(|| line_column(self.text, node.span.start as usize).0),
            NodeValue::Sequence(items) => items.iter().find_map(|item| self.line_of(item, patch)),
            NodeValue::Mapping(entries) => entries.iter().find_map(|entry| self.line_of(&entry.value, patch)),
        }
    }

    /// Returns the path and the text of a file that talconfig.yaml refers to; none if it does not exist.
    pub(super) fn read_file(&self, name: &str) -> Option<(Utf8PathBuf, String)> {
        let folder = self.path.parent().unwrap_or(Utf8Path::new(""));
        let path = without_parents(&folder.join(name))?;
        let bytes = self.tree.read(&path).ok()??;
        Some((path, String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// Replaces each content `@PATH` by the text of that file.
    pub(super) fn inline_files(&mut self, files: &mut Value, at: &[String]) {
        for content in files.as_array_mut().into_iter().flatten().filter_map(|file| file.get_mut("content")) {
            let Some(name) = content.as_str().and_then(|text| text.strip_prefix('@')) else { continue };
            match self.read_file(name) {
                Some((_, text)) => *content = text.into(),
                None => self.add_not_mapped(at, NO_SUCH_FILE),
            }
        }
    }

    /// Records a key without an effect on the machine config, or an unknown one.
    pub(super) fn add_without_effect(&mut self, keys: &[&str]) {
        let last = keys.last().copied().unwrap_or_default();
        let reason = WITHOUT_EFFECT.iter().find(|(key, _)| *key == last).map(|(_, reason)| *reason);
        self.add_not_mapped(keys, reason.unwrap_or("talosmith does not know this key of talhelper"));
    }

    /// Records a key that is not mapped.
    pub(super) fn add_not_mapped(&mut self, keys: &[impl AsRef<str>], reason: &str) {
        let names = keys.iter().map(AsRef::as_ref).filter(|key| key.parse::<usize>().is_err());
        let key = names.collect::<Vec<_>>().join(".");
        let entry = NotMapped { place: self.place(keys), key, reason: reason.to_owned() };
        if !self.talconfig.not_mapped.contains(&entry) {
            self.talconfig.not_mapped.push(entry);
        }
    }

    /// Returns the path and the line of a key, or of the innermost one around it that is not in an alias.
    pub(super) fn place(&self, keys: &[impl AsRef<str>]) -> String {
        let line = (1..=keys.len()).rev().find_map(|count| self.line(&keys[..count]));
        format!("{}:{}", self.path, line.unwrap_or(1))
    }

    /// Returns the line of a key; none if it is in an alias.
    fn line(&self, keys: &[impl AsRef<str>]) -> Option<usize> {
        self.byte(keys).map(|byte| line_column(self.text, byte as usize).0)
    }

    fn byte(&self, keys: &[impl AsRef<str>]) -> Option<u32> {
        key_start(self.root, &keys.iter().fold(Pointer::root(), |at, key| at.child(key)))
    }
}
