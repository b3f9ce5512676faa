//! Reduces a whole machine config to a patch with the values that its base config does not have.

use std::collections::BTreeSet;

use serde_json::{Map, Value};
use talosmith_document::{Document, TalosVersion};
use talosmith_machinery::talos_data::Minor;
use talosmith_machinery::{BaseOptions, GeneratedBase, MachineConfig, Role, Target, oldest_base, placeholder_name};
use talosmith_model::plan::stock_installer;
use talosmith_render::yaml_document;

use super::documents::DOCUMENTS;
use super::source_file::{FileScope, SourceFile, WholeConfig};
use super::value::{at, json as to_json, leaves, scalar_string};

/// The start of the placeholder of a secret in a base config.
const PLACEHOLDER_START: &str = "${";

/// Whether the documents are a whole machine config.
fn is_whole(documents: &[Value]) -> bool {
    documents.iter().any(|document| at(document, "machine.type").is_some() && document["kind"].is_null())
}

/// Facts about a node in its whole machine config.
pub(crate) struct WholeFacts {
    pub device: String,
    pub role: Role,
    /// The minor version of the talosctl that generated the base config.
    pub base: Minor,
    pub cluster: Option<String>,
}

/// Reduces a whole machine config to the values that its base config does not have; returns none for any other file.
pub(crate) fn reduce(source: &mut SourceFile, base: Option<Minor>, newest: Minor) -> Option<WholeFacts> {
    let documents: Vec<Value> = source.documents.iter().map(to_json).filter(|value| !value.is_null()).collect();
    if !is_whole(&documents) {
        return None;
    }
    let device = device_name(source, &documents);
    let main = documents.iter().find(|document| document["kind"].is_null())?;
    let role = if at(main, "machine.type") == Some(&"worker".into()) { Role::Worker } else { Role::ControlPlane };
    let of_kind = |kind: &str| documents.iter().find(|document| document["kind"] == kind);
    let cluster = of_kind("KubeClusterConfig");
    let find = |path: &str, key: &str| {
        let value = at(main, path).or_else(|| cluster.and_then(|cluster| cluster.get(key)));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let name = find("cluster.clusterName", "clusterName").unwrap_or_default();
    let endpoint = find("cluster.controlPlane.endpoint", "endpoint").unwrap_or_default();
    let host = endpoint.split("://").nth(1).unwrap_or(&endpoint);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host).trim_matches(['[', ']']);
    let minors =
        (oldest_base().1..=newest.1).map(|minor| (1, minor)).filter(|minor| base.is_none_or(|base| base == *minor));
    let reduced =
        minors.map(|minor| (minor, Reduced::new(&documents, &base_documents(minor, role, &name, &endpoint), host)));
    // Of the base configs that leave equally few values, the newest.
    let (minor, reduced) = reduced.min_by_key(|(minor, reduced)| (reduced.size(), std::cmp::Reverse(*minor)))?;
    if !endpoint.is_empty() {
        source.cluster.insert("endpoint".to_owned(), endpoint.as_str().into());
    }
    let text = reduced.documents.iter().map(yaml_document).collect::<Vec<_>>().join("---\n");
    source.places = source.places_in(&source.documents, &reduced.documents);
    source.whole = Some(WholeConfig { text: std::mem::take(&mut source.text), dropped: reduced.dropped });
    source.documents = Document::parse_stream(source.id, &text).unwrap_or_default();
    source.text = text;
    source.keeps_name = false;
    // With the same name in each device, equal patches become one of a layer.
    "machine-config.yaml".clone_into(&mut source.name);
    source.scope = FileScope::Device(device.clone());
    Some(WholeFacts { device, role, base: minor, cluster: Some(name).filter(|name| !name.is_empty()) })
}

/// Returns the name of the node: that in the argument, its hostname, or the name of the file.
fn device_name(source: &SourceFile, documents: &[Value]) -> String {
    let hostname = |document: &Value| {
        let hostname = at(document, "machine.network.hostname").or_else(|| document.get("hostname"))?.as_str()?;
        hostname.split('.').next().map(str::to_owned)
    };
    match &source.scope {
        FileScope::Device(name) if source.has_explicit_scope => name.clone(),
        _ => {
            let stem = source.name.rsplit('/').next().unwrap_or_default().split('.').next().unwrap_or_default();
            documents.iter().find_map(hostname).unwrap_or_else(|| stem.to_owned())
        }
    }
}

/// The base config of a cluster that a minor of Talos generates.
fn base_documents(minor: Minor, role: Role, cluster_name: &str, endpoint: &str) -> Vec<Value> {
    let version = TalosVersion { major: minor.0, minor: minor.1, patch: 0, pre: None };
    let options = BaseOptions {
        cluster_name,
        endpoint,
        kubernetes_version: None,
        // The disk of the node is a fact about it, whatever the base config has.
        install_disk: "",
        install_image: &stock_installer(&version),
    };
    let base = GeneratedBase::new(minor, role, &options);
    let target = Target { version: &version, base: minor };
    MachineConfig::generated(&target, role, &base, &[]).nodes(&|_, _| None).iter().map(to_json).collect()
}

/// The values of a machine config that its base config does not have.
struct Reduced<'h> {
    documents: Vec<Value>,
    /// The host of the cluster's endpoint, which values of the base config contain too.
    host: &'h str,
    /// The fields whose values the base config has in another form, such as secrets: keys joined by dots.
    dropped: BTreeSet<String>,
}

impl<'h> Reduced<'h> {
    fn new(documents: &[Value], base: &[Value], host: &'h str) -> Self {
        // The base config has examples for the values of the cluster.
        let of_cluster = ["cluster.clusterName", "cluster.controlPlane.endpoint", "clusterName", "endpoint"];
        let mut reduced = Self { documents: Vec::new(), host, dropped: of_cluster.map(str::to_owned).into() };
        for document in documents {
            let is_same = |other: &&Value| ["kind", "name"].iter().all(|key| other.get(key) == document.get(key));
            let kind = document["kind"].as_str();
            let Some(base) = base.iter().find(is_same) else {
                reduced.documents.push(document.clone());
                continue;
            };
            let rest = reduced.without(document, Some(base), "");
            let Some(mut rest) = rest.filter(|rest| rest.as_object().is_some_and(|fields| !fields.is_empty())) else {
                continue;
            };
            match kind {
                Some(kind) if DOCUMENTS.iter().any(|mapping| mapping.kinds.contains(&kind)) => rest = document.clone(),
                Some(_) => rest = with_identity(document, rest),
                None => {}
            }
            reduced.documents.push(rest);
        }
        reduced
    }

    fn size(&self) -> usize {
        self.documents.iter().map(|document| leaves(document).len() + 1).sum()
    }

    /// Returns the part of a value that the base config does not have.
    fn without(&mut self, value: &Value, base: Option<&Value>, path: &str) -> Option<Value> {
        if is_cluster_secret(path) || base.is_some_and(is_secret) {
            self.dropped.insert(path.to_owned());
            return None;
        }
        match (value, base) {
            (Value::Object(fields), base) => {
                let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
                let rest = fields.iter().filter_map(|(key, value)| {
                    let inner = base.and_then(|base| base.get(key));
                    Some((key.clone(), self.without(value, inner, &below(key))?))
                });
                let rest: Map<String, Value> = rest.collect();
                let is_new = fields.is_empty() && base.is_none();
                (is_new || !rest.is_empty()).then_some(Value::Object(rest))
            }
            (Value::Array(items), Some(Value::Array(known))) => {
                if contain_text(&known[..], PLACEHOLDER_START) && is_equal_but_secrets(value, base) {
                    self.dropped.insert(path.to_owned());
                    return None;
                }
                if contain_text(known, self.host) {
                    self.dropped.insert(path.to_owned());
                }
                let rest: Vec<Value> = items.iter().filter(|item| !known.contains(item)).cloned().collect();
                (!rest.is_empty()).then_some(Value::Array(rest))
            }
            (value, Some(base))
                if path != "machine.install.disk"
                    && (value == base
                        || scalar_string(value).is_some() && scalar_string(value) == scalar_string(base)) =>
            {
                if contain_text(std::slice::from_ref(value), self.host) {
                    self.dropped.insert(path.to_owned());
                }
                None
            }
            (Value::String(image), Some(Value::String(base))) if path.ends_with("image") => {
                let name = |image: &str| image.rsplit_once(':').map_or(image.to_owned(), |(name, _)| name.to_owned());
                let is_of_base = name(image) == name(base);
                if is_of_base {
                    self.dropped.insert(path.to_owned());
                }
                (!is_of_base).then(|| value.clone())
            }
            (Value::Null, None) => None,
            _ => Some(value.clone()),
        }
    }
}

/// Whether one of the values contains a string.
fn contain_text(values: &[Value], part: &str) -> bool {
    !part.is_empty() && values.iter().any(|value| value.to_string().contains(part))
}

/// Whether a value of the base config is the placeholder of a secret.
fn is_secret(value: &Value) -> bool {
    value.as_str().is_some_and(|text| placeholder_name(text).is_some())
}

/// Whether a value is equal to one of the base config, except that it has secrets instead of placeholders.
fn is_equal_but_secrets(value: &Value, base: Option<&Value>) -> bool {
    match (value, base) {
        (_, Some(base)) if is_secret(base) => true,
        (Value::Object(fields), Some(Value::Object(known))) => {
            fields.len() == known.len() && fields.iter().all(|(key, value)| is_equal_but_secrets(value, known.get(key)))
        }
        (Value::Array(items), Some(Value::Array(known))) => {
            items.len() == known.len()
                && items.iter().zip(known).all(|(item, known)| is_equal_but_secrets(item, Some(known)))
        }
        (value, base) => Some(value) == base,
    }
}

/// Returns the fields that identify a document, with the remaining ones.
fn with_identity(document: &Value, rest: Value) -> Value {
    let identity =
        ["apiVersion", "kind", "name"].into_iter().filter_map(|key| Some((key.to_owned(), document.get(key)?.clone())));
    let mut fields: Map<String, Value> = identity.collect();
    fields.extend(rest.as_object().cloned().unwrap_or_default());
    Value::Object(fields)
}

/// Whether a value comes from the secrets bundle of the cluster.
fn is_cluster_secret(path: &str) -> bool {
    let roots = [
        "machine.token",
        "machine.ca",
        "cluster.id",
        "cluster.secret",
        "cluster.token",
        "cluster.ca",
        "cluster.aggregatorCA",
        "cluster.serviceAccount",
        "cluster.secretboxEncryptionSecret",
        "cluster.aescbcEncryptionSecret",
        "cluster.etcd.ca",
    ];
    roots.contains(&path)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_of_the_base_config_are_removed() {
        let base = json!({
            "machine": { "token": "${trustdinfo_token}", "kubelet": { "image": "k:v1" }, "certSANs": [], "install": { "disk": "/dev/x" } },
            "cluster": { "apiServer": { "certSANs": ["192.0.2.1"] } },
        });
        let config = json!({
            "machine": {
                "token": "abc",
                "kubelet": { "image": "k:v2", "clusterDNS": ["1.1.1.1"] },
                "certSANs": ["a"],
                "install": { "disk": "/dev/x" },
            },
            "cluster": { "secret": "x", "apiServer": { "certSANs": ["192.0.2.1", "b"] } },
        });
        let reduced = Reduced::new(&[config], &[base], "192.0.2.1");
        let rest = json!({
            "machine": { "kubelet": { "clusterDNS": ["1.1.1.1"] }, "certSANs": ["a"], "install": { "disk": "/dev/x" } },
            "cluster": { "apiServer": { "certSANs": ["b"] } },
        });
        assert_eq!(reduced.documents, [rest]);
        let mut dropped = reduced.dropped;
        dropped.retain(|path| path.starts_with("machine") || path == "cluster.secret");
        assert_eq!(
            dropped.into_iter().collect::<Vec<_>>(),
            ["cluster.secret", "machine.kubelet.image", "machine.token"]
        );
    }
}
