//! The one way through: the base, every patch in turn, the rules on what comes out, and the findings about all of it.

use std::ops::Range;

use super::config::{Cleared, Config, Document, Held, identity, title};
use super::deletion::{self, Deletion, Fault};
use super::merge::{Event, Merger};
use super::value::Origin;
use super::{base, rules};
use crate::device::Role;
use crate::document::Node;
use crate::facts::types::Types;
use crate::{Code, Diagnostic, Place, TalosVersion};

/// A patch, in the order in which patches are applied.
pub struct Patch<'a> {
    /// What findings call it: the file or the key that it is made from.
    pub name: &'a str,
    /// Its documents.
    pub documents: &'a [Node],
    /// Where the bytes of its documents lie for a reader; the same place for all if the model made it.
    pub place: &'a dyn Fn(Range<u32>) -> Place,
    /// The key of the model that the patch is made from, as a user writes it; none for a raw patch.
    pub modelled: Option<&'a str>,
}

/// Everything that merging raw patches into a base brings up, and what Talos says of the result.
///
/// `base` is the minor that generated the base and the role that it is for. Findings about nothing but modelled patches are left out.
#[must_use]
pub fn judge(base: (u64, u64), role: Role, version: &TalosVersion, patches: &[Patch<'_>]) -> Vec<Diagnostic> {
    let minor = version.minor();
    let mut config: Config<'_> = Config {
        version,
        minor,
        documents: base::documents(base, role),
        types: Types::of(minor),
        deleted: Vec::new(),
        cleared: Vec::new(),
    };
    let mut report = Report { patches, findings: Vec::new() };
    for (index, patch) in patches.iter().enumerate() {
        let index = u16::try_from(index).unwrap_or(u16::MAX);
        let mut says = false;
        for node in patch.documents.iter().filter(|node| !node.entries().is_empty()) {
            says |= apply(&mut config, index, node, &mut report);
        }
        if !says {
            report.says_nothing(Origin::new(index, &patch.documents.first().map_or(0..0, |node| node.span.clone())));
        }
        rules::documents(&config, &mut report);
    }
    if !report.findings.iter().any(|finding| finding.level == crate::Level::Error) {
        rules::judge(&config, &mut report);
    }
    let cleared: Vec<Cleared> = std::mem::take(&mut config.cleared);
    for cleared in &cleared {
        report.cleared(cleared);
    }
    let mut findings = report.findings;
    findings.sort_by(|a, b| a.at.place.cmp(&b.at.place));
    crate::merge(&mut findings);
    findings
}

/// Applies a document of a patch; `false` if it says nothing.
fn apply<'a>(config: &mut Config<'a>, patch: u16, node: &'a Node, report: &mut Report<'_>) -> bool {
    let (deletions, rest) = match deletion::split(node, patch) {
        Ok(parts) => parts,
        Err((fault, origin)) => {
            report.not_deleted(fault, "", origin);
            return true;
        }
    };
    let scalar = |key| {
        let value = node.get(key).filter(|value| !value.is_null());
        value.and_then(Node::scalar).map_or("", |(text, _)| text)
    };
    let kind = if scalar("kind").is_empty() { crate::facts::types::MAIN } else { scalar("kind") };
    let name = if config.is_named(kind) { scalar("name") } else { "" };
    for deletion in &deletions {
        if let Err(fault) = deletion::delete(config, kind, name, deletion) {
            report.not_deleted(fault, &named(kind, name, deletion), deletion.origin);
        }
    }
    let Some(value) = rest else { return !deletions.is_empty() };
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
    true
}

fn named(kind: &str, name: &str, deletion: &Deletion<'_>) -> String {
    let mut text = deletion.path.join(".");
    if let Some((key, value)) = deletion.item {
        text = format!("{text}` with `{key}: {value}");
    }
    if text.is_empty() { title(kind, name) } else { format!("`{text}` of {}", title(kind, name)) }
}

/// The findings so far.
pub struct Report<'p> {
    patches: &'p [Patch<'p>],
    /// All of them.
    pub findings: Vec<Diagnostic>,
}

impl Report<'_> {
    /// Where something was written.
    pub fn place(&self, origin: Origin) -> Place {
        (self.patches[usize::from(origin.patch)].place)(origin.bytes())
    }

    fn patch(&self, origin: Origin) -> &Patch<'_> {
        &self.patches[usize::from(origin.patch)]
    }

    fn not_deleted(&mut self, fault: Fault, what: &str, origin: Origin) {
        let (message, help) = match fault {
            Fault::Absent => (
                format!("{what} is not there to be deleted"),
                "remove the `$patch: delete`, or spell the keys as they are set before",
            ),
            Fault::NoKey => (
                "`$patch: delete` names no item of this list".to_owned(),
                "put a key of the item beside it, or replace the whole list",
            ),
            Fault::InsideItem => (
                "`$patch: delete` stands inside an item of a list, where Talos does not look".to_owned(),
                "delete the whole item, and write it again as it should be in a second patch",
            ),
            Fault::NoIdentity => (
                "`$patch: delete` at the top does not say which document".to_owned(),
                "write `apiVersion: v1alpha1` and the `kind` beside it; the main document cannot be deleted",
            ),
        };
        let finding = Diagnostic::new(Code::NothingToDelete, message, self.place(origin))
            .note("Talos refuses the whole patch")
            .help(help);
        self.findings.push(finding);
    }

    fn says_nothing(&mut self, origin: Origin) {
        let message = format!("the patch `{}` says nothing", self.patch(origin).name);
        let finding = Diagnostic::new(Code::BadPatch, message, self.place(origin))
            .note("Talos refuses a patch without a document that changes something")
            .help("remove the patch, or add `apiVersion` and what it should change");
        self.findings.push(finding);
    }

    fn event(&mut self, kind: &str, name: &str, event: Event) {
        let document = title(kind, name);
        let finding = match event {
            Event::Replaced { path, old, new } if self.is_between_patches(old, new) => {
                let (first, second) = (self.patch(old), self.patch(new));
                let finding = Diagnostic::new(
                    Code::PatchConflict,
                    format!("`{path}` of {document} is set by {} and by {}", call(first), call(second)),
                    self.place(new),
                )
                .also(self.place(old), "the value that is replaced")
                .note("the patch that is applied last wins");
                match (first.modelled, second.modelled) {
                    (Some(key), _) | (_, Some(key)) => finding.help(format!("set it under `{key}` alone")),
                    _ => finding.help("keep one of the two"),
                }
            }
            Event::Appended { path, old, new } if self.is_between_patches(old, new) => Diagnostic::new(
                Code::ListAppended,
                format!("`{path}` of {document} is a list that two patches add to"),
                self.place(new),
            )
            .also(self.place(old), "the items before")
            .note("Talos appends the items of the later patch to those of the earlier one")
            .help("write all items in one patch"),
            Event::OtherType { path, old, new } => {
                let Some(at) = new.or(old) else { return };
                let finding = Diagnostic::new(
                    Code::BadPatch,
                    format!("`{path}` of {document} has another type than the value before it"),
                    self.place(at),
                )
                .note("Talos merges only values of one type here, and refuses the patch")
                .help("write the value with the same type, with or without quotes");
                match old {
                    Some(old) if old != at => finding.also(self.place(old), "the value before"),
                    _ => finding,
                }
            }
            _ => return,
        };
        self.findings.push(finding);
    }

    /// Whether two different patches meet, of which one is raw.
    fn is_between_patches(&self, old: Origin, new: Origin) -> bool {
        old.patch != new.patch && (self.patch(old).modelled.is_none() || self.patch(new).modelled.is_none())
    }

    fn cleared(&mut self, cleared: &Cleared) {
        let (kind, name) = &cleared.document;
        let finding = Diagnostic::new(
            Code::ClearedField,
            format!("the patch clears `{}` of {}, which it does not repeat", cleared.path, title(kind, name)),
            self.place(cleared.by),
        )
        .note("Talos merges selectors and `minSize` even where a patch leaves them out")
        .help(format!("repeat `{}` in this document", cleared.path));
        let finding = match cleared.origin {
            Some(origin) => finding.also(self.place(origin), "the value that is lost"),
            None => finding,
        };
        self.findings.push(finding);
    }
}

fn call(patch: &Patch<'_>) -> String {
    match patch.modelled {
        Some(key) => format!("the key `{key}`"),
        None => format!("the patch `{}`", patch.name),
    }
}
