//! Reads talconfig.yaml of talhelper, and converts the facts about each node to the patches that talhelper would make.
//!
//! Source of the keys and of their order: github.com/budimanjojo/talhelper, pkg/config/config.go and pkg/generate/config.go of v3.

mod keys;
mod text;
mod reader;
mod node;

use std::collections::BTreeMap;

use camino::Utf8Path;
use serde_json::Value;
use talosmith_document::{Document, Sources, TalosVersion};
use talosmith_machinery::Role;
use talosmith_render::{Format, parse};

use self::reader::TalconfigReader;
pub(crate) use self::text::with_quoted_placeholders;
use self::text::{variables, with_variables, without_escapes};
use super::aliases::without_merge_keys;
use super::source_file::{NotMapped, SourceFile};
use crate::source_cache::SourceCache;
use crate::tree::Tree;

/// The facts in a talconfig.yaml.
#[derive(Debug, Default)]
pub(crate) struct Talconfig {
    /// The patches and the schematic of each node.
    pub sources: Vec<SourceFile>,
    pub cluster: Option<String>,
    pub talos: Option<TalosVersion>,
    pub roles: BTreeMap<String, Role>,
    pub addresses: BTreeMap<String, String>,
    pub not_mapped: Vec<NotMapped>,
}

/// Whether a document is a talconfig.yaml.
fn is_talconfig(document: &Value) -> bool {
    document.get("clusterName").is_some() && document["nodes"].is_array() && document.get("kind").is_none()
}

/// Reads a talconfig.yaml; returns none for any other file.
pub(crate) fn read(tree: &dyn Tree, cache: &SourceCache<'_>, path: &Utf8Path, text: &str) -> Option<Talconfig> {
    // This parser refuses what the other one needs minutes for, such as brackets that are nested a thousand times.
    let mut sources = Sources::default();
    let id = sources.add(path, text);
    Document::parse_foreign(id, text).ok()?;
    let variables = variables(tree, path);
    let resolved = with_variables(text, &variables);
    let document = parse(Format::Yaml, &resolved)
        .ok()?
        .into_iter()
        .next()
        .map(|value| without_escapes(without_merge_keys(value)))?;
    if !is_talconfig(&document) {
        return None;
    }
    let id = cache.add(path, text);
    let nodes = Document::parse_foreign(id, text).ok()?;
    let mut reader = TalconfigReader {
        tree,
        cache,
        path,
        id,
        text,
        root: nodes.first()?,
        talconfig: Talconfig::default(),
        endpoint: None,
        variables,
    };
    reader.read_cluster(&document);
    for (index, node) in document["nodes"].as_array().into_iter().flatten().enumerate() {
        reader.read_node(&document, index, node);
    }
    Some(reader.talconfig)
}
