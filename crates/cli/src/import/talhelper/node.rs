//! Converts the facts about a node in talconfig.yaml to a patch.

use serde_json::{Map, Value, json};
use talosmith_document::Document;
use talosmith_render::yaml_document;

use super::reader::TalconfigReader;
use crate::import::aliases::with_octal_mode;
use crate::import::interfaces::{self, TalhelperNames};
use crate::import::source_file::{FileScope, SourceFile};
use crate::import::value::merge;

/// Facts about a node in talconfig.yaml, as a patch.
pub(super) struct NodePatch {
    /// The main document.
    pub main: Value,
    pub documents: Vec<Value>,
    /// The keys of each value in the patch, joined by dots, and its place in talconfig.yaml.
    pub places: Vec<(String, String)>,
}

impl NodePatch {
    /// Sets a value of the main document, or appends to a list there.
    pub(super) fn set(&mut self, path: &str, value: Value, place: String) {
        let nested = path.rsplit('.').fold(value, |value, key| json!({ key: value }));
        merge(&mut self.main, nested);
        self.places.push((path.to_owned(), place));
    }

    pub(super) fn add_document(&mut self, document: Value, place: String) {
        self.places.push((document["kind"].as_str().unwrap_or_default().to_owned(), place));
        self.documents.push(document);
    }
}

/// Returns the value of a key of the node or, if it has none, of its group, with the keys that lead to it.
pub(super) type Find<'a> = dyn Fn(&str) -> Option<(Value, Vec<String>)> + 'a;

impl TalconfigReader<'_> {
    /// Adds the documents for volumes, extension services, the firewall and the network.
    pub(super) fn add_documents(&mut self, node_patch: &mut NodePatch, find: &Find<'_>) {
        for (key, kind) in [
            ("volumes", "VolumeConfig"),
            ("userVolumes", "UserVolumeConfig"),
            ("extensionServices", "ExtensionServiceConfig"),
        ] {
            let Some((items, at)) = find(key) else { continue };
            for item in items.as_array().into_iter().flatten() {
                let mut document = json!({ "apiVersion": "v1alpha1", "kind": kind });
                merge(&mut document, item.clone());
                node_patch.add_document(document, self.place(&at));
            }
        }
        if let Some((firewall, at)) = find("ingressFirewall") {
            let action = json!({ "apiVersion": "v1alpha1", "kind": "NetworkDefaultActionConfig", "ingress": firewall["defaultAction"] });
            node_patch.add_document(action, self.place(&at));
            for rule in firewall["rules"].as_array().into_iter().flatten() {
                let mut document = json!({ "apiVersion": "v1alpha1", "kind": "NetworkRuleConfig" });
                merge(&mut document, rule.clone());
                node_patch.add_document(document, self.place(&at));
            }
        }
        if let Some((interfaces, at)) = find("networkInterfaces") {
            let (mut names, mut others) = (TalhelperNames::default(), Vec::new());
            for interface in interfaces.as_array().into_iter().flatten() {
                match interfaces::documents(interface, &mut names) {
                    Ok(documents) => {
                        documents.into_iter().for_each(|document| node_patch.add_document(document, self.place(&at)))
                    }
                    Err(_) => others.push(interface.clone()),
                }
            }
            if !others.is_empty() {
                node_patch.set("machine.network.interfaces", others.into(), self.place(&at));
            }
        }
    }

    /// Adds the installer image.
    pub(super) fn add_image(&mut self, node_patch: &mut NodePatch, document: &Value, find: &Find<'_>) {
        let version = self.talconfig.talos.as_ref().map(ToString::to_string).unwrap_or_default();
        let spec = find("machineSpec").map(|(spec, _)| spec).unwrap_or_default();
        if let Some((url, at)) = find("talosImageURL") {
            let image = format!("{}:{version}", url.as_str().unwrap_or_default());
            node_patch.set("machine.install.image", image.into(), self.place(&at));
        } else if let Some((schematic, at)) = find("schematic") {
            let factory = document["imageFactory"]["registryURL"].as_str().unwrap_or("factory.talos.dev");
            let mode = spec["mode"].as_str().unwrap_or("metal");
            let secureboot = if spec["secureboot"] == true { "-secureboot" } else { "" };
            let id = serde_json::from_value::<talosmith_model::Schematic>(schematic)
                .ok()
                .and_then(|schematic| schematic.id().ok());
            let image = format!("{factory}/{mode}-installer{secureboot}/{}:{version}", id.unwrap_or_default());
            node_patch.set("machine.install.image", image.into(), self.place(&at));
        }
        for (key, at) in
            spec.as_object().into_iter().flat_map(Map::keys).filter_map(|key| Some((key, find("machineSpec")?.1)))
        {
            if !matches!(key.as_str(), "mode" | "secureboot" | "arch") {
                let at: Vec<&str> = at.iter().map(String::as_str).chain([key.as_str()]).collect();
                self.add_not_mapped(
                    &at,
                    "it configures the image from which a node boots for the installation, not its machine config",
                );
            }
        }
    }

    /// Adds the patch of a node and its schematic as imported files.
    pub(super) fn add_source(&mut self, node_patch: NodePatch, name: &str, find: &Find<'_>) {
        let documents =
            std::iter::once(&node_patch.main).filter(|main| main.as_object().is_some_and(|main| !main.is_empty()));
        let texts: Vec<String> = documents.chain(&node_patch.documents).map(yaml_document).collect();
        let scope = FileScope::Device(name.to_owned());
        let text = texts.join("---\n").split_inclusive('\n').map(with_octal_mode).collect::<String>();
        let documents = Document::parse_stream(self.id, &text).unwrap_or_default();
        let mut source =
            SourceFile::new(self.path.to_owned(), "talconfig.yaml", scope.clone(), self.id, text, documents);
        source.keeps_name = false;
        source.places = node_patch.places;
        let arch = find("machineSpec").and_then(|(spec, _)| spec["arch"].as_str().map(str::to_owned));
        source.keys.extend(arch.filter(|arch| arch != "amd64").map(|arch| ("arch".to_owned(), arch.into())));
        source.cluster.extend(self.endpoint.iter().map(|endpoint| ("endpoint".to_owned(), endpoint.as_str().into())));
        self.talconfig.sources.push(source);
        if let Some((schematic, at)) = find("schematic") {
            let text = yaml_document(&schematic);
            let documents = Document::parse_stream(self.id, &text).unwrap_or_default();
            let mut source = SourceFile::new(self.path.to_owned(), "schematic.yaml", scope, self.id, text, documents);
            source.keeps_name = false;
            let keys = schematic.as_object().into_iter().flat_map(Map::keys);
            source.places = keys.map(|key| (key.clone(), self.place(&at))).collect();
            self.talconfig.sources.push(source);
        }
    }
}
