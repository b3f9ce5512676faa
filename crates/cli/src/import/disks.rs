//! The disks that the files of a device select, with the sizes that `talosctl get disks` prints.

use std::collections::BTreeMap;

use talosmith_document::{Document, Sources, TalosVersion};
use talosmith_machinery::volume_bytes;
use talosmith_model::NodeDisks;
use talosmith_render::yaml_flow;

use super::draft::Draft;
use super::value::{json, scalar_string};
use crate::starter::PLACEHOLDER;

/// The disks of nodes, by the names of their devices.
pub(crate) type KnownDisks = BTreeMap<String, NodeDisks>;

/// The bytes that Talos's own partitions and file systems need on a disk besides its volumes, rounded up.
const RESERVED_BYTES: u64 = 20_000_000_000;

/// Returns the bytes that the volumes in raw patches need, all on one disk.
fn raw_bytes(draft: &Draft) -> u64 {
    let source = Sources::default().add("", "");
    let documents = draft.raw.iter().flat_map(|raw| Document::parse_stream(source, &raw.text).unwrap_or_default());
    let sizes = documents.map(|node| json(&node)).filter_map(|document| {
        let sizes = ["minSize", "maxSize"].map(|key| scalar_string(&document["provisioning"][key]));
        sizes.into_iter().flatten().filter_map(|size| volume_bytes(&size)).max()
    });
    sizes.sum()
}

/// Returns the key `disks` of a device as YAML; none if no disk is known.
pub(super) fn disks_block(draft: &Draft, known: &KnownDisks, version: &TalosVersion) -> Option<String> {
    let facts = &draft.facts;
    let node = known.get(&draft.name);
    if facts.disks.is_empty() {
        return node.map(NodeDisks::block);
    }
    let ephemeral = facts.keys.get("volumes").and_then(|volumes| volumes["EPHEMERAL"]["disk"].as_str());
    let only = (facts.disks.len() == 1).then(|| facts.disks[0].1.as_str());
    let system = facts.system_disk.as_deref().or(ephemeral).or(only);
    let raw = raw_bytes(draft);
    let mut block = "disks:\n".to_owned();
    for (selector, name) in &facts.disks {
        let found = node.and_then(|node| node.find(selector, version));
        let size = match &found {
            Some((_, bytes)) => format!("{bytes}B"),
            None => {
                let used = facts.volume_bytes.get(name).copied().unwrap_or(0) + raw;
                let gigabytes = ((used + used / 20 + RESERVED_BYTES) / 1_000_000_000).max(500);
                format!("{gigabytes}GB {PLACEHOLDER}the size of the disk in bytes, as in 500107862016B")
            }
        };
        let how = if selector.starts_with('/') { "path" } else { "selector" };
        let (key, selector_text) = (yaml_flow(&name.as_str().into()), yaml_flow(&selector.as_str().into()));
        block.push_str(&format!("  {key}:\n    size: {size}\n    {how}: {selector_text}\n"));
        if system == Some(name) {
            let mark = match facts.system_disk {
                Some(_) => String::new(),
                None => format!(" {PLACEHOLDER}whether Talos is installed on this disk"),
            };
            block.push_str(&format!("    system: true{mark}\n"));
        }
    }
    if let Some(node) = node {
        let selected = facts.disks.iter().filter_map(|(selector, _)| node.find(selector, version));
        let selected: Vec<String> = selected.map(|(name, _)| name).collect();
        block.push_str(&node.others(&selected));
    }
    Some(block)
}
