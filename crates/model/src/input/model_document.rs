//! A file of the model on its own, before layers.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;
use talosmith_document::{Anchor, BlockText, Code, Diagnostic, Document, Location, Node, Pointer, SourceId};

use super::entry_limit::too_many_entries;
use crate::layer::{GROUPS, layers_of};
use crate::schema::Schema;
use crate::tracked_secrets::{secrets_in_values, tailscale_key};

/// A file of the model on its own.
pub(super) struct ModelDocument {
    /// None if it is not YAML.
    pub value: Option<Value>,
    pub written: Written,
    pub findings: Vec<Diagnostic>,
    /// The findings on secrets in it.
    pub secrets: Vec<Diagnostic>,
}

/// The raw patches of a document as they are written, by their pointers.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub blocks: BTreeMap<Pointer, Arc<BlockText>>,
    /// Mappings, whose scalars JSON would spell otherwise: `1.10` is not a string there.
    pub mappings: BTreeMap<Pointer, Arc<Node>>,
}

/// Parses a file of the model; `own` has values for keys that may be missing.
pub(super) fn parse(schema: Schema, source: SourceId, text: &str, own: &[(&str, &str)]) -> ModelDocument {
    // What an empty file lacks are its keys.
    let text = if is_blank(text) { "{}" } else { text };
    let mut secrets: Vec<Diagnostic> = tailscale_key(source, text).into_iter().collect();
    let document = match Document::parse(source, text) {
        Ok(document) => document,
        Err(mut findings) => {
            if schema == Schema::Device {
                findings.iter_mut().for_each(|finding| name_duplicate_volume(text, finding));
            }
            return ModelDocument { value: None, written: Written::default(), findings, secrets };
        }
    };
    if let Some(finding) = too_many_entries(schema, source, text, &document.root) {
        return ModelDocument { value: None, written: Written::default(), findings: vec![finding], secrets };
    }
    let mut findings = document.empty_values(source);
    let mut written = Written::default();
    match schema {
        Schema::Device => written.add(text, &document.root, &Pointer::root()),
        _ => {
            for cluster in document.root.get("clusters").map(Node::entries).unwrap_or_default() {
                let groups = cluster.value.get(GROUPS).map(Node::entries).unwrap_or_default();
                for layer in layers_of(groups.iter().map(|group| &*group.key)) {
                    let at = Pointer::new("/clusters").child(&cluster.key).join(&layer);
                    cluster.value.at(&layer).into_iter().for_each(|keys| written.add(text, keys, &at));
                }
            }
        }
    }
    secrets.extend(secrets_in_values(source, &document));
    let value = document.root.into_json();
    if !schema.is_valid(&value)
        && let Ok(document) = Document::parse(source, text)
    {
        let empty: Vec<Location> = findings.iter().map(|finding| finding.at.location.clone()).collect();
        let is_empty = |location: &Location| empty.iter().any(|key| *key == location.as_key() || key == location);
        let refused = schema.findings(source, &document, &value, own);
        findings.extend(refused.into_iter().filter(|finding| !is_empty(&finding.at.location)));
    }
    ModelDocument { value: Some(value), written, findings, secrets }
}

fn is_blank(text: &str) -> bool {
    text.lines()
        .map(|line| line.trim().trim_start_matches('\u{feff}'))
        .all(|line| line.is_empty() || line == "---" || line.starts_with('#'))
}

impl Written {
    /// Adds the raw patches of a mapping of device keys, and the machine configs that its schematics embed.
    fn add(&mut self, text: &str, keys: &Node, at: &Pointer) {
        for (section, key) in [("patches", "text"), ("schematics", "embeddedMachineConfiguration")] {
            for entry in keys.get(section).map(Node::entries).unwrap_or_default() {
                let block = entry.value.get(key).and_then(|node| BlockText::find(text, node));
                let at = || at.child(section).child(&entry.key).child(key);
                self.blocks.extend(block.map(|block| (at(), Arc::new(block))));
            }
        }
        for patch in keys.get("patches").map(Node::entries).unwrap_or_default() {
            let at = at.child("patches").child(&patch.key);
            let mapping = patch.value.get("inline").cloned();
            self.mappings.extend(mapping.map(|node| (at.child("inline"), Arc::new(node))));
        }
    }
}

/// A duplicate key directly below `volumes` is a duplicate volume: the same mistake, with its own consequence.
fn name_duplicate_volume(text: &str, finding: &mut Diagnostic) {
    let Anchor::Bytes(range) = finding.at.location.anchor else { return };
    if finding.code != Code::DuplicateKey {
        return;
    }
    let before = &text[..range.start as usize];
    let indent = before.len() - before.rfind('\n').map_or(0, |at| at + 1);
    let parent =
        before.lines().rev().find(|line| !line.trim().is_empty() && line.len() - line.trim_start().len() < indent);
    if indent == 0 || parent.is_none_or(|line| line.trim_end() != "volumes:") {
        return;
    }
    let name = &text[std::ops::Range::<usize>::from(range)];
    finding.code = Code::DuplicateVolume;
    finding.message = format!("two volumes are called `{}`", name.trim_matches(['"', '\'']));
    finding.notes = vec![
        "Talos refuses a config with two volume documents of one name; applied as patches, the second merges into the first"
            .to_owned(),
    ];
}
