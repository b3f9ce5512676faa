//! The settings of the network in the main document that the model generates as documents: interfaces and static hosts.

use serde_json::{Value, json};
use talosmith_document::{Document, Pointer, Sources};
use talosmith_render::yaml_document;

use super::facts::Mapper;
use super::interfaces::{self, SelectedLinks};
use super::links;
use super::value::{at, json as to_json, key_start, only, remove};

const NETWORK: &str = "machine.network";
/// The fields of the main document whose values become documents.
pub(super) const INTERFACES: &str = "machine.network.interfaces";
const HOSTS: &str = "machine.network.extraHostEntries";

/// Returns the documents for the value of a field, or the reason why documents cannot have it.
fn documents(path: &str, value: &Value, names: &mut SelectedLinks) -> Result<Vec<Value>, String> {
    let items = value.as_array().map(Vec::as_slice).ok_or("it is no list")?;
    if path == HOSTS {
        let hosts = items.iter().map(|item| {
            let fields = only(item, &["ip", "aliases"]).ok_or("no key in `staticHosts` has all fields of an entry")?;
            let (ip, aliases) = (fields.get("ip"), fields.get("aliases"));
            Ok(json!({ "apiVersion": "v1alpha1", "kind": "StaticHostConfig", "name": ip, "hostnames": aliases }))
        });
        return hosts.collect();
    }
    let mut documents = Vec::new();
    for interface in items {
        documents.extend(interfaces::documents(interface, names)?);
    }
    let members: Vec<Value> =
        documents.iter().filter_map(|document| document["links"].as_array()).flatten().cloned().collect();
    // The document of a bond or a bridge configures its members too.
    let has_keys = |document: &Value| document.as_object().is_some_and(|fields| fields.len() > 3);
    documents.retain(|document| {
        document["kind"] != "LinkConfig" || has_keys(document) || !members.contains(&document["name"])
    });
    Ok(documents)
}

/// Returns the reason why the interfaces in a list cannot be in `links`.
pub(super) fn obstacle(value: &Value) -> Option<String> {
    documents(INTERFACES, value, &mut SelectedLinks::default()).err()
}

/// Maps `machine.network.interfaces` to `links` and `vips`.
pub(super) fn map_interfaces(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Ok(documents) = documents(INTERFACES, value, &mut mapper.facts.selected_links) else { return false };
    documents.iter().all(|document| match document["kind"].as_str() {
        Some("Layer2VIPConfig" | "HCloudVIPConfig") => links::vip(mapper, document),
        _ => links::link(mapper, document),
    })
}

/// Maps `machine.network.extraHostEntries` to `staticHosts`.
pub(super) fn map_hosts(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Ok(documents) = documents(HOSTS, value, &mut mapper.facts.selected_links) else { return false };
    documents.iter().all(|document| links::static_host(mapper, document))
}

/// Settings that moved from the main document of a file to documents.
pub(super) struct Moved {
    /// The text of the file with these documents.
    pub text: String,
    /// The documents of its interfaces.
    pub links: Vec<Value>,
}

/// Whether a machine config has a mapping `machine.network` without settings. Base configs have it up to 1.12
/// (`talos_data/bases.yaml` of the crate machinery).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum EmptyNetwork {
    Kept,
    Removed,
}

/// Moves the settings of the network at some paths, which were mapped, from the main document to documents.
pub(super) fn moved(text: &str, paths: &[&str], names: &SelectedLinks, empty: EmptyNetwork) -> Moved {
    let mut names = names.clone();
    let (mut added, mut spans) = (Vec::new(), Vec::new());
    let mut moved = Moved { text: text.to_owned(), links: Vec::new() };
    for root in Document::parse_stream(Sources::default().add("", ""), text).unwrap_or_default() {
        let value = to_json(&root);
        let mut removed = Vec::new();
        for path in [INTERFACES, HOSTS].into_iter().filter(|path| value["kind"].is_null() && paths.contains(path)) {
            let Some(found) = at(&value, path) else { continue };
            let Ok(documents) = documents(path, found, &mut names) else { continue };
            moved.links.extend(documents.iter().filter(|_| path == INTERFACES).cloned());
            added.extend(documents);
            removed.push((path, "[]"));
        }
        let is_removed = |key: &String| removed.iter().any(|(path, _)| *path == format!("{NETWORK}.{key}"));
        let network = at(&value, NETWORK).and_then(Value::as_object).filter(|network| !network.is_empty());
        if empty == EmptyNetwork::Removed && network.is_some_and(|network| network.keys().all(is_removed)) {
            removed = vec![(NETWORK, "null")];
        }
        for (path, empty) in removed {
            let pointer = path.split('.').fold(Pointer::root(), |at, key| at.child(key));
            let Some(start) = key_start(&root, &pointer) else { continue };
            let Some((_, span)) = (Document { root: root.clone() }).find(&pointer) else { continue };
            let key = path.rsplit('.').next().unwrap_or_default();
            spans.push((start as usize..span.end as usize, format!("{key}: {empty}")));
        }
    }
    spans.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    spans.into_iter().for_each(|(range, empty)| moved.text.replace_range(range, &empty));
    for document in added {
        moved.text = format!("{}\n---\n{}", moved.text.trim_end(), yaml_document(&document));
    }
    moved
}

impl Moved {
    /// Returns the documents of the text.
    pub(super) fn documents(&self) -> Vec<Value> {
        let nodes = Document::parse_stream(Sources::default().add("", ""), &self.text).unwrap_or_default();
        nodes.iter().map(|node| without_empty(to_json(node))).filter(|document| *document != json!({})).collect()
    }
}

/// Removes the empty values that [`moved`] leaves.
fn without_empty(mut document: Value) -> Value {
    for (path, empty) in [(INTERFACES, json!([])), (HOSTS, json!([])), (NETWORK, Value::Null)] {
        if at(&document, path) == Some(&empty) {
            remove(&mut document, path);
        }
    }
    document
}
