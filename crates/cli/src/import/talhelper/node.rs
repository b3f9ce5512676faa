//! A node as talhelper describes it, as the patch that talhelper would make of it.

use serde_json::{Map, Value, json};
use talosmith_document::Document;
use talosmith_render::yaml_document;

use super::reader::Reader;
use super::text::with_octal_mode;
use crate::import::interfaces;
use crate::import::source::{Scope, Source};
use crate::import::value::merge;

/// What talconfig.yaml says of a node, as a patch.
pub(super) struct NodePatch {
    pub main: Value,
    pub documents: Vec<Value>,
    /// Where each value is written: the keys of Talos, and the place.
    pub places: Vec<(String, String)>,
}

impl NodePatch {
    /// Sets a value of the main document, or appends to a list there.
    pub(super) fn set(&mut self, path: &str, value: Value, place: String) {
        let nested = path.rsplit('.').fold(value, |value, key| json!({ key: value }));
        merge(&mut self.main, nested);
        self.places.push((path.to_owned(), place));
    }

    pub(super) fn document(&mut self, document: Value, place: String) {
        self.places.push((document["kind"].as_str().unwrap_or_default().to_owned(), place));
        self.documents.push(document);
    }
}

pub(super) type Find<'a> = dyn Fn(&str) -> Option<(Value, Vec<String>)> + 'a;

impl Reader<'_> {
    /// Adds the documents of volumes, services, the firewall and the network.
    pub(super) fn add_documents(&mut self, made: &mut NodePatch, find: &Find<'_>) {
        for (key, kind) in [
            ("volumes", "VolumeConfig"),
            ("userVolumes", "UserVolumeConfig"),
            ("extensionServices", "ExtensionServiceConfig"),
        ] {
            let Some((items, at)) = find(key) else { continue };
            for item in items.as_array().into_iter().flatten() {
                let mut document = json!({ "apiVersion": "v1alpha1", "kind": kind });
                merge(&mut document, item.clone());
                made.document(document, self.place_of(&at));
            }
        }
        if let Some((firewall, at)) = find("ingressFirewall") {
            let action = json!({ "apiVersion": "v1alpha1", "kind": "NetworkDefaultActionConfig", "ingress": firewall["defaultAction"] });
            made.document(action, self.place_of(&at));
            for rule in firewall["rules"].as_array().into_iter().flatten() {
                let mut document = json!({ "apiVersion": "v1alpha1", "kind": "NetworkRuleConfig" });
                merge(&mut document, rule.clone());
                made.document(document, self.place_of(&at));
            }
        }
        if let Some((interfaces, at)) = find("networkInterfaces") {
            let (documents, others) =
                interfaces::documents(interfaces.as_array().map(Vec::as_slice).unwrap_or_default());
            documents.into_iter().for_each(|document| made.document(document, self.place_of(&at)));
            if !others.is_empty() {
                made.set("machine.network.interfaces", others.into(), self.place_of(&at));
            }
        }
    }

    /// Adds the installer image.
    pub(super) fn add_image(&mut self, made: &mut NodePatch, document: &Value, find: &Find<'_>) {
        let version = self.read.talos.as_ref().map(ToString::to_string).unwrap_or_default();
        let spec = find("machineSpec").map(|(spec, _)| spec).unwrap_or_default();
        if let Some((url, at)) = find("talosImageURL") {
            let image = format!("{}:{version}", url.as_str().unwrap_or_default());
            made.set("machine.install.image", image.into(), self.place_of(&at));
        } else if let Some((schematic, at)) = find("schematic") {
            let factory = document["imageFactory"]["registryURL"].as_str().unwrap_or("factory.talos.dev");
            let mode = spec["mode"].as_str().unwrap_or("metal");
            let secureboot = if spec["secureboot"] == true { "-secureboot" } else { "" };
            let id = serde_json::from_value::<talosmith_model::Schematic>(schematic)
                .ok()
                .and_then(|schematic| schematic.id().ok());
            let image = format!("{factory}/{mode}-installer{secureboot}/{}:{version}", id.unwrap_or_default());
            made.set("machine.install.image", image.into(), self.place_of(&at));
        }
        for (key, at) in
            spec.as_object().into_iter().flat_map(Map::keys).filter_map(|key| Some((key, find("machineSpec")?.1)))
        {
            if !matches!(key.as_str(), "mode" | "secureboot" | "arch") {
                let at: Vec<&str> = at.iter().map(String::as_str).chain([key.as_str()]).collect();
                self.left(&at, "it is about the image that a node boots from first");
            }
        }
    }

    /// Notes the keys of a node and its group that are in no row.
    /// Adds what was made for a node as a file of its own, and its schematic.
    pub(super) fn add_source(&mut self, made: NodePatch, name: &str, find: &Find<'_>) {
        let documents =
            std::iter::once(&made.main).filter(|main| main.as_object().is_some_and(|main| !main.is_empty()));
        let texts: Vec<String> = documents.chain(&made.documents).map(yaml_document).collect();
        let scope = Scope::Device(name.to_owned());
        let text = texts.join("---\n").split_inclusive('\n').map(with_octal_mode).collect::<String>();
        let documents = Document::parse_stream(self.id, &text).unwrap_or_default();
        let mut source = Source::new(self.path.to_owned(), "talconfig.yaml", scope.clone(), self.id, text, documents);
        source.keeps_name = false;
        source.places = made.places;
        let arch = find("machineSpec").and_then(|(spec, _)| spec["arch"].as_str().map(str::to_owned));
        source.keys.extend(arch.filter(|arch| arch != "amd64").map(|arch| ("arch".to_owned(), arch.into())));
        source.cluster.extend(self.endpoint.iter().map(|endpoint| ("endpoint".to_owned(), endpoint.as_str().into())));
        self.read.sources.push(source);
        if let Some((schematic, _)) = find("schematic") {
            let text = yaml_document(&schematic);
            let documents = Document::parse_stream(self.id, &text).unwrap_or_default();
            let mut source = Source::new(self.path.to_owned(), "schematic.yaml", scope, self.id, text, documents);
            source.keeps_name = false;
            self.read.sources.push(source);
        }
    }
}
