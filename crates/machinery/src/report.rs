//! What is reported about the merging of patches.

use std::ops::Range;

use talosmith_document::{Code, Diagnostic, Level, Location};

use super::PatchLocator;
use super::config::Cleared;
use super::decode::{DeletionError, Patch, title};
use super::merge::{Event, Outcome};
use super::value::PatchSpan;

/// A patch that is applied to a base config.
#[derive(Debug, Clone, Copy)]
pub struct AppliedPatch<'a> {
    /// What it changes.
    pub patch: &'a Patch,
    /// What it was made from.
    pub source: PatchSource<'a>,
}

/// What a patch was made from.
#[derive(Debug, Clone, Copy)]
pub enum PatchSource<'a> {
    /// A raw patch.
    User {
        /// The name that the model has for it.
        name: &'a str,
        /// Where it is written.
        locator: &'a PatchLocator,
        /// The layer that it is written in; a nearer one has a greater number.
        layer: u8,
    },
    /// A base config that the repository keeps. With one of these, no base config is generated.
    Base {
        /// The name that the model has for it.
        name: &'a str,
        /// Where it is written.
        locator: &'a PatchLocator,
    },
    /// A key of the model.
    Model {
        /// The key, as the catalogue of artifacts has it: `volumes.data`.
        key: &'a str,
        /// The name of the template, if it is the user's.
        template: Option<&'a str>,
    },
}

impl AppliedPatch<'_> {
    pub(crate) fn is_base(&self) -> bool {
        matches!(self.source, PatchSource::Base { .. })
    }

    fn is_raw(&self) -> bool {
        self.key().is_none()
    }

    /// Where some bytes of the patch are written. `model_location` is as for [`crate::check_patches`].
    pub fn location(&self, bytes: &Range<usize>, model_location: &dyn Fn(&str, &str) -> Location) -> Location {
        match self.source {
            PatchSource::User { locator, .. } | PatchSource::Base { locator, .. } => locator.location(bytes.clone()),
            PatchSource::Model { key, .. } => model_location(key, &self.patch.line(bytes)),
        }
    }

    /// The key of the model that requests it; `None` for a raw patch.
    fn key(&self) -> Option<&str> {
        match self.source {
            PatchSource::Model { key, .. } => Some(key),
            PatchSource::User { .. } | PatchSource::Base { .. } => None,
        }
    }

    fn title(&self) -> String {
        match self.source {
            PatchSource::Model { key, .. } => format!("the key `{key}`"),
            PatchSource::User { name, .. } => format!("the patch `{name}`"),
            PatchSource::Base { name, .. } => format!("the base config `{name}`"),
        }
    }
}

/// Whether what one patch does to the value of another is what a user means: a raw patch changes a base config, the model's own keys
/// change each other, or a nearer layer overrides another.
fn is_meant(outcome: Outcome, first: &AppliedPatch<'_>, second: &AppliedPatch<'_>) -> bool {
    let layer = |patch: &AppliedPatch<'_>| match patch.source {
        PatchSource::User { layer, .. } => Some(layer),
        _ => None,
    };
    let is_nearer = layer(first).zip(layer(second)).is_some_and(|(first, second)| first < second);
    first.is_base() || !(first.is_raw() || second.is_raw()) || outcome == Outcome::Replaced && is_nearer
}

/// Collects findings, at locations in the user's files.
pub(crate) struct Report<'p> {
    patches: &'p [AppliedPatch<'p>],
    model_location: &'p dyn Fn(&str, &str) -> Location,
    pub findings: Vec<Diagnostic>,
}

impl<'p> Report<'p> {
    pub(crate) fn new(patches: &'p [AppliedPatch<'p>], model_location: &'p dyn Fn(&str, &str) -> Location) -> Self {
        Self { patches, model_location, findings: Vec::new() }
    }

    /// Creates a finding at some bytes of a patch.
    pub(crate) fn finding(&self, code: Code, message: impl Into<String>, origin: PatchSpan) -> Diagnostic {
        let finding = Diagnostic::new(code, message, self.location(origin));
        match self.patch(origin).source {
            PatchSource::Model { template: Some(name), .. } => {
                finding.note(format!("the template `{name}` of this repository renders the patch"))
            }
            _ => finding,
        }
    }

    pub(crate) fn location(&self, origin: PatchSpan) -> Location {
        self.patch(origin).location(&origin.bytes(), self.model_location)
    }

    fn patch(&self, origin: PatchSpan) -> &AppliedPatch<'p> {
        &self.patches[usize::from(origin.patch)]
    }

    /// Reports a timestamp in a free-form mapping of a patch that another one follows.
    pub(crate) fn timestamp(&mut self, text: &str, origin: PatchSpan) {
        let message =
            format!("YAML resolves `{text}` to a timestamp, which Talos cannot copy when it applies the next patch");
        let finding = self
            .finding(Code::BadPatch, message, origin)
            .note("the machinery crashes on it")
            .help(format!("put it in quotes: \"{text}\""));
        self.findings.push(finding);
    }

    /// Reports a deletion that deletes nothing; `what` names it.
    pub(crate) fn not_deleted(&mut self, error: DeletionError, what: &str, origin: PatchSpan) {
        let (message, help) = match error {
            DeletionError::Absent => (
                format!("{what} cannot be deleted: it does not exist"),
                "remove the `$patch: delete`, or spell the keys as they are set before",
            ),
            DeletionError::NoKey => (
                "`$patch: delete` names no item of this list".to_owned(),
                "add a key of the item next to it, or replace the whole list",
            ),
            DeletionError::InsideItem => (
                "`$patch: delete` is inside an item of a list, where Talos does not look".to_owned(),
                "delete the whole item, and write it again as it should be in a second patch",
            ),
            DeletionError::NoIdentity => (
                "`$patch: delete` at the top does not specify a document".to_owned(),
                "add `apiVersion: v1alpha1` and the `kind`; the main document cannot be deleted",
            ),
        };
        let finding =
            self.finding(Code::NothingToDelete, message, origin).note("Talos refuses the whole patch").help(help);
        self.findings.push(finding);
    }

    /// Reports what happened when a document was merged, if it matters to a user.
    pub(crate) fn event(&mut self, kind: &str, name: &str, event: Event) {
        let Event { outcome, path, old, new } = event;
        let Some(at) = new.or(old) else { return };
        let old = old.filter(|old| *old != at);
        let first = old.map_or(self.patch(at), |old| self.patch(old));
        let second = self.patch(at);
        let is_other = old.is_some_and(|old| old.patch != at.patch);
        if matches!(outcome, Outcome::Replaced | Outcome::Appended) && (!is_other || is_meant(outcome, first, second)) {
            return;
        }
        let document = title(kind, name);
        let key = first.key().or(second.key());
        let mut label = "the value before";
        let (code, message, note, help) = match outcome {
            Outcome::Replaced => {
                label = "the value that is replaced";
                (
                    Code::PatchConflict,
                    format!("`{path}` of {document} is set by {} and by {}", first.title(), second.title()),
                    "the patch that is applied last wins",
                    key.map_or("keep one of the two".to_owned(), |key| format!("set it under `{key}` alone")),
                )
            }
            Outcome::Appended => {
                label = "the item before";
                (
                    Code::ListAppended,
                    format!("`{path}` of {document} gets the same item from two patches"),
                    "Talos appends the items of the later patch to those of the earlier one",
                    key.map_or("remove it from one of the two".to_owned(), |key| {
                        format!("write all items under `{key}`")
                    }),
                )
            }
            Outcome::Sealed => (
                Code::BadPatch,
                format!("{document} is set already, and Talos before 1.14 cannot merge this kind"),
                "the machinery fails on its addresses",
                "write the whole document in one patch".to_owned(),
            ),
            Outcome::Unmergeable => (
                Code::BadPatch,
                format!("`{path}` of {document} is set already, and Talos cannot merge it"),
                "the machinery fails on such a value, even where both are the same",
                "set it in one patch".to_owned(),
            ),
            Outcome::OtherType => (
                Code::BadPatch,
                format!("`{path}` of {document} has another type than the value before it"),
                "Talos merges only values of one type here, and refuses the patch",
                "write the value with the same type, with or without quotes".to_owned(),
            ),
        };
        let finding = self.finding(code, message, at).note(note).help(help);
        self.findings.push(match old {
            Some(old) => finding.also(self.location(old), label),
            None => finding,
        });
    }

    /// Reports a field that a raw patch clears since it does not repeat it.
    pub(crate) fn cleared(&mut self, cleared: &Cleared) {
        let location = self.location(cleared.by);
        // An error at the same location is reported for the same reason.
        let is_said =
            self.findings.iter().any(|finding| finding.level == Level::Error && finding.at.location == location);
        if is_said || !self.patch(cleared.by).is_raw() {
            return;
        }
        let (kind, name) = &cleared.document;
        let finding = Diagnostic::new(
            Code::ClearedField,
            format!("the patch clears `{}` of {}, which it does not repeat", cleared.path, title(kind, name)),
            location,
        )
        .note("Talos merges selectors and `minSize` even where a patch leaves them out")
        .help(format!("repeat `{}` in this document", cleared.path));
        let finding = match cleared.origin {
            Some(origin) => finding.also(self.location(origin), "the value that is lost"),
            None => finding,
        };
        self.findings.push(finding);
    }
}
