//! What is found while patches are merged, at the places that those who wrote them know.

use talosmith_document::Node;
use talosmith_document::{Code, Diagnostic, Level, Location};

use super::Origin;
use super::config::{Cleared, title};
use super::deletion::Fault;
use super::merge::Event;
use super::value::Mark;

/// A patch, in the order in which patches are applied.
#[derive(Debug)]
pub struct Patch<'a> {
    /// Its documents.
    pub documents: &'a [Node],
    /// Who made it.
    pub maker: Maker<'a>,
}

/// Who made a patch.
#[derive(Debug, Clone, Copy)]
pub enum Maker<'a> {
    /// A user, who wrote it as it is.
    User {
        /// Its name.
        name: &'a str,
        /// Where it is written.
        origin: &'a Origin,
    },
    /// The model.
    Model {
        /// The key that asks for it.
        key: &'a str,
    },
}

impl Patch<'_> {
    fn is_raw(&self) -> bool {
        matches!(self.maker, Maker::User { .. })
    }
}

/// The findings so far.
pub struct Report<'p> {
    patches: &'p [Patch<'p>],
    key_place: &'p dyn Fn(&str) -> Location,
    /// All of them.
    pub findings: Vec<Diagnostic>,
}

impl<'p> Report<'p> {
    /// A report on some patches; `key_place` says where a key of the model is written.
    pub fn new(patches: &'p [Patch<'p>], key_place: &'p dyn Fn(&str) -> Location) -> Self {
        Self { patches, key_place, findings: Vec::new() }
    }

    /// Where something was written.
    pub fn location(&self, origin: Mark) -> Location {
        let patch = self.patch(origin);
        match patch.maker {
            Maker::User { origin: written, .. } => {
                origin.location(patch.documents, written).unwrap_or_else(|| written.bytes(0..0))
            }
            Maker::Model { key } => (self.key_place)(key),
        }
    }

    fn patch(&self, origin: Mark) -> &Patch<'_> {
        &self.patches[usize::from(origin.patch)]
    }

    /// Says that a deletion was none.
    pub fn not_deleted(&mut self, fault: Fault, what: &str, origin: Mark) {
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
        let finding = Diagnostic::new(Code::NothingToDelete, message, self.location(origin))
            .note("Talos refuses the whole patch")
            .help(help);
        self.findings.push(finding);
    }

    /// Says what happened when a document was merged, where it matters to a user.
    pub fn event(&mut self, kind: &str, name: &str, event: Event) {
        let document = title(kind, name);
        let finding = match event {
            Event::Replaced { path, old, new } if self.is_between_patches(old, new) => {
                let (first, second) = (self.patch(old), self.patch(new));
                let finding = Diagnostic::new(
                    Code::PatchConflict,
                    format!("`{path}` of {document} is set by {} and by {}", call(first), call(second)),
                    self.location(new),
                )
                .also(self.location(old), "the value that is replaced")
                .note("the patch that is applied last wins");
                match (first.maker, second.maker) {
                    (Maker::Model { key }, _) | (_, Maker::Model { key }) => {
                        finding.help(format!("set it under `{key}` alone"))
                    }
                    _ => finding.help("keep one of the two"),
                }
            }
            Event::Appended { path, old, new } if self.is_between_patches(old, new) => {
                let finding = Diagnostic::new(
                    Code::ListAppended,
                    format!("`{path}` of {document} is a list that two patches add to"),
                    self.location(new),
                )
                .also(self.location(old), "the items before")
                .note("Talos appends the items of the later patch to those of the earlier one");
                match (self.patch(old).maker, self.patch(new).maker) {
                    (Maker::Model { key }, _) | (_, Maker::Model { key }) => {
                        finding.help(format!("write all items under `{key}`"))
                    }
                    _ => finding.help("write all items in one patch"),
                }
            }
            Event::Sealed { by } => Diagnostic::new(
                Code::BadPatch,
                format!("{document} is there already, and Talos before 1.14 cannot merge documents of this kind"),
                self.location(by),
            )
            .note("the machinery fails on its addresses")
            .help("write the whole document in one patch"),
            Event::Unmergeable { path, old, new } => {
                let Some(at) = new.or(old) else { return };
                let finding = Diagnostic::new(
                    Code::BadPatch,
                    format!("`{path}` of {document} is set already, and Talos cannot merge it"),
                    self.location(at),
                )
                .note("the machinery fails on such a value, even where both are the same")
                .help("set it in one patch");
                self.behind(old, at, finding)
            }
            Event::OtherType { path, old, new } => {
                let Some(at) = new.or(old) else { return };
                let finding = Diagnostic::new(
                    Code::BadPatch,
                    format!("`{path}` of {document} has another type than the value before it"),
                    self.location(at),
                )
                .note("Talos merges only values of one type here, and refuses the patch")
                .help("write the value with the same type, with or without quotes");
                self.behind(old, at, finding)
            }
            _ => return,
        };
        self.findings.push(finding);
    }

    /// Shows the value before the one that a finding is about, where a patch wrote it elsewhere.
    fn behind(&self, old: Option<Mark>, at: Mark, finding: Diagnostic) -> Diagnostic {
        match old {
            Some(old) if old != at => finding.also(self.location(old), "the value before"),
            _ => finding,
        }
    }

    /// Whether two different patches meet, of which one is raw.
    fn is_between_patches(&self, old: Mark, new: Mark) -> bool {
        old.patch != new.patch && (self.patch(old).is_raw() || self.patch(new).is_raw())
    }

    /// Says that a patch clears what it does not repeat.
    pub fn cleared(&mut self, cleared: &Cleared) {
        let location = self.location(cleared.by);
        // An error there says so already.
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

fn call(patch: &Patch<'_>) -> String {
    match patch.maker {
        Maker::Model { key } => format!("the key `{key}`"),
        Maker::User { name, .. } => format!("the patch `{name}`"),
    }
}
