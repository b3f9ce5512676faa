//! talconfig.yaml of talhelper: what it says of each node, as the patches that talhelper would make of it.
//!
//! Source of the keys and of their order: github.com/budimanjojo/talhelper, pkg/config/config.go and pkg/generate/config.go of v3.

mod keys;
mod text;
mod reader;
mod node;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::Value;
use talosmith_document::{Document, TalosVersion};
use talosmith_machinery::Role;
use talosmith_render::{Format, parse};

use self::reader::Reader;
use self::text::{merged, variables, with_variables};
use super::source::Source;
use crate::source_cache::SourceCache;
use crate::tree::Tree;

/// What a talconfig.yaml says that is no patch.
#[derive(Debug, Default)]
pub(crate) struct Talconfig {
    pub sources: Vec<Source>,
    pub cluster: Option<String>,
    pub talos: Option<TalosVersion>,
    pub roles: BTreeMap<String, Role>,
    pub addresses: BTreeMap<String, String>,
    /// What is not mapped: the place, the key and the reason.
    pub not_mapped: Vec<(String, String, String)>,
}

/// Whether a document is a talconfig.yaml.
fn is_talconfig(document: &Value) -> bool {
    document.get("clusterName").is_some() && document["nodes"].is_array() && document.get("kind").is_none()
}

/// Reads a talconfig.yaml; none if it is none.
pub(crate) fn read(tree: &dyn Tree, cache: &SourceCache<'_>, path: &Utf8Path, text: &str) -> Option<Talconfig> {
    let variables = variables(tree, path);
    let resolved = with_variables(text, &variables);
    let document = parse(Format::Yaml, &resolved).ok()?.into_iter().next().map(merged)?;
    if !is_talconfig(&document) {
        return None;
    }
    let id = cache.add(path, text);
    let nodes = Document::parse_foreign(id, text).ok()?;
    let mut reader = Reader {
        tree,
        cache,
        path,
        id,
        text,
        root: nodes.first()?,
        read: Talconfig::default(),
        endpoint: None,
        variables,
    };
    reader.cluster(&document);
    for (index, node) in document["nodes"].as_array().into_iter().flatten().enumerate() {
        reader.node(&document, index, node);
    }
    Some(reader.read)
}
