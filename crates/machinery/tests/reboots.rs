//! Whether a node reboots, as talosmith and as the official machinery decide it.

use std::fmt::Write as _;

use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Document, Level, Sources, TalosVersion};
use talosmith_machinery::{
    AppliedPatch, Class, MachineConfig, Patch, PatchLocator, PatchSource, Role, Target, decode_patch,
};

/// Changes between cases of `conformance/corpus`, with the answers of `talos-conformance reboots`.
const COMMITTED: &str = include_str!("reboots.jsonl");

/// None if talosmith refuses one of the patches, as it does with tags and aliases: then there is no review.
fn decode(patches: &Value, target: &Target<'_>) -> Option<Vec<(PatchLocator, Patch)>> {
    let texts = patches.as_array().into_iter().flatten().map(|patch| patch.as_str().expect("a text"));
    let decoded = texts.map(|text| {
        let source = Sources::default().add("patch.yaml", text);
        let documents = Document::parse_stream(source, text).ok()?;
        let locator = PatchLocator::File(source);
        let (patch, findings) = decode_patch(&documents, &locator, target);
        let is_refused = |finding: &Diagnostic| finding.level == Level::Error && finding.code != Code::LiteralSecret;
        (!findings.iter().any(is_refused)).then_some((locator, patch))
    });
    decoded.collect()
}

/// Whether the node reboots according to talosmith; none if it refuses the patches.
fn reboots(change: &Value) -> Option<bool> {
    let version = format!("v{}", change["version"].as_str().expect("a version"));
    let version: TalosVersion = version.parse().expect("a version");
    let target = Target { version: &version, base: version.minor() };
    let role = if change["role"] == "worker" { Role::Worker } else { Role::ControlPlane };
    let (before, after) = (decode(&change["before"], &target)?, decode(&change["after"], &target)?);
    let source = |locator| PatchSource::User { name: "patch", locator, layer: 0 };
    let before: Vec<_> = before.iter().map(|(at, patch)| AppliedPatch { patch, source: source(at) }).collect();
    let after: Vec<_> = after.iter().map(|(at, patch)| AppliedPatch { patch, source: source(at) }).collect();
    let before = MachineConfig::merged(&target, role, &before);
    let consequences = before.consequences(&MachineConfig::merged(&target, role, &after));
    Some(consequences.iter().any(|consequence| consequence.classes.contains(&Class::Reboot)))
}

#[test]
fn a_node_reboots_where_talos_says_so() {
    let given = std::env::var("TALOSMITH_REBOOTS").ok().map(|path| std::fs::read_to_string(path).expect("a file"));
    let mut wrong = String::new();
    let (mut count, mut agreed) = (0, 0);
    for line in given.as_deref().unwrap_or(COMMITTED).lines() {
        let change: Value = serde_json::from_str(line).expect("JSON");
        let Some(decision) = reboots(&change) else { continue };
        count += 1;
        match decision == (change["reboots"] == true) {
            true => agreed += 1,
            false => _ = writeln!(wrong, "Talos {}: {}\n{line}", change["version"], change["reboots"]),
        }
    }
    println!("{agreed} of {count} decisions about reboots agree");
    assert!(count > 0 && wrong.is_empty(), "{agreed} of {count} agree\n{wrong}");
}
