//! The one way through: the base, every patch in turn, the rules on what comes out, and the findings about all of it.

use talosmith_document::Node;
use talosmith_document::{Diagnostic, Level, Location, TalosVersion};

use super::config::{Cleared, Config, Document, Held, identity, title};
use super::deletion::{self, Deletion, Fault};
use super::merge::Merger;
use super::report::{Patch, Report};
use super::{base, rules};
use crate::Role;
use crate::talos_data::types::Types;

/// Everything that merging raw patches into a base brings up, and what Talos says of the result.
///
/// `base` is the minor that generated the base; `key_place` says where a key of the model is written. Every patch has passed
/// [`super::decode_patch`].
#[must_use]
pub fn judge(
    base: (u64, u64),
    role: Role,
    version: &TalosVersion,
    patches: &[Patch<'_>],
    key_place: &dyn Fn(&str) -> Location,
) -> Vec<Diagnostic> {
    let minor = version.minor();
    let mut config: Config<'_> = Config {
        version,
        minor,
        documents: base::documents(base, role),
        types: Types::of(minor),
        deleted: Vec::new(),
        leftovers: Vec::new(),
        cleared: Vec::new(),
    };
    let mut report = Report::new(patches, key_place);
    for (index, patch) in patches.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        for node in patch.documents.iter().filter(|node| !node.entries().is_empty()) {
            apply(&mut config, index, node, &mut report);
        }
        rules::documents(&config, &mut report);
    }
    for left in &config.leftovers {
        report.not_deleted(Fault::Absent, &title(&left.kind, &left.name), left.origin);
    }
    if !report.findings.iter().any(|finding| finding.level == Level::Error) {
        rules::judge(&config, &mut report);
    }
    let cleared: Vec<Cleared> = std::mem::take(&mut config.cleared);
    for cleared in &cleared {
        report.cleared(cleared);
    }
    let mut findings = report.findings;
    findings.sort_by(|a, b| a.at.location.cmp(&b.at.location));
    talosmith_document::merge(&mut findings);
    findings
}

fn apply<'a>(config: &mut Config<'a>, patch: u16, node: &'a Node, report: &mut Report<'_>) {
    let (deletions, rest) = match deletion::split(node, patch) {
        Ok(parts) => parts,
        Err((fault, origin)) => {
            return report.not_deleted(fault, "", origin);
        }
    };
    let scalar = |key| {
        let value = node.get(key).filter(|value| !value.is_null());
        value.and_then(Node::scalar).map_or("", |(text, _)| text)
    };
    let kind = match (scalar("kind"), scalar("apiVersion")) {
        ("", _) => crate::talos_data::types::MAIN,
        (kind, "v1alpha1") => kind,
        // No document is of another version.
        _ => "",
    };
    let name = if config.is_named(kind) { scalar("name") } else { "" };
    for deletion in &deletions {
        if let Err(fault) = deletion::delete(config, kind, scalar("name"), deletion) {
            report.not_deleted(fault, &named(kind, name, deletion), deletion.origin);
            if let Some(finding) = report.findings.last_mut().filter(|_| fault == Fault::NoIdentity && config.since(14))
            {
                finding.level = Level::Warning;
                finding.notes = vec!["Talos takes it, and deletes nothing".to_owned()];
            }
        }
    }
    let Some(value) = rest else { return };
    let origin = value.origin;
    match config.position(kind, name) {
        None => {
            let (kind, _) = identity(&value);
            config.documents.push(Document { kind, name, value: Held::Patched(value), origin, of_base: false });
        }
        Some(at) => {
            let mut merger = Merger::new(config.types, kind, name);
            let document = &mut config.documents[at];
            document.origin = origin;
            merger.document(document.value.to_mut(), value);
            for event in merger.events {
                report.event(kind, name, event);
            }
            config.cleared.extend(merger.cleared);
        }
    }
    // What was cleared and is set again is settled.
    let documents = &config.documents;
    config.cleared.retain(|cleared| {
        let document = documents
            .iter()
            .find(|document| document.kind == cleared.document.0 && document.name == cleared.document.1);
        document.is_some_and(|document| !document.value.has(&cleared.path))
    });
}

fn named(kind: &str, name: &str, deletion: &Deletion<'_>) -> String {
    let mut text = deletion.path.join(".");
    if let Some((key, value)) = deletion.item {
        text = format!("{text}` with `{key}: {value}");
    }
    if text.is_empty() { title(kind, name) } else { format!("`{text}` of {}", title(kind, name)) }
}
