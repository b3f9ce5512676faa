//! The rows of a review: one change, and what happens because of it.

use talosmith_document::Location;
use talosmith_machinery::{Class, Consequence, DifferenceKind, Side};
use talosmith_render::LocatedConsequence;

/// A change and what happens because of it. Equal rows of several devices are shown as one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ReviewRow {
    /// The most harmful first.
    pub classes: Vec<Class>,
    pub may_cut: bool,
    /// What changes: a document and a path in it, a key of the model, or an object of Kubernetes.
    pub what: String,
    /// Whether it is new, gone or different.
    pub change: DifferenceKind,
    pub before: Option<String>,
    pub after: Option<String>,
    pub sentence: String,
    /// Whether it was concluded, rather than read in Talos's code.
    pub is_inferred: bool,
}

/// A row, and where the model or a file has the value.
#[derive(Debug, Clone)]
pub(crate) struct LocatedRow {
    pub row: ReviewRow,
    /// Of the side after, if the value is there.
    pub location: Option<(Side, Location)>,
}

impl ReviewRow {
    pub(crate) fn new(
        class: Class,
        change: DifferenceKind,
        what: impl Into<String>,
        sentence: impl Into<String>,
    ) -> Self {
        let (what, sentence) = (what.into(), sentence.into());
        Self {
            classes: vec![class],
            may_cut: false,
            what,
            change,
            before: None,
            after: None,
            sentence,
            is_inferred: false,
        }
    }

    pub(crate) fn values(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        (self.before, self.after) = (Some(before.into()), Some(after.into()));
        self
    }

    pub(crate) fn at(self, location: Location) -> LocatedRow {
        LocatedRow { row: self, location: Some((Side::After, location)) }
    }

    /// The most harmful class.
    pub(crate) fn class(&self) -> &Class {
        self.classes.first().unwrap_or(&Class::Unknown)
    }

    /// What changes, with the values before and after, where they are short.
    pub(crate) fn title(&self) -> (String, String) {
        let values = match (self.before.as_deref(), self.after.as_deref()) {
            (Some(before), Some(after)) => {
                let (before, after) = different_parts(before, after);
                format!("{before} → {after}")
            }
            (Some(value), None) | (None, Some(value)) => clipped(value),
            (None, None) => String::new(),
        };
        let what = match self.change {
            DifferenceKind::Added => format!("+ {}", self.what),
            DifferenceKind::Removed => format!("- {}", self.what),
            DifferenceKind::Changed => self.what.clone(),
        };
        (what, values)
    }
}

/// The characters of a value that are shown.
const VALUE: usize = 60;

/// The equal characters that are shown before a difference.
const CONTEXT: usize = 12;

fn clipped(value: &str) -> String {
    if value.chars().count() <= VALUE {
        return value.to_owned();
    }
    value.chars().take(VALUE - 1).chain(['…']).collect()
}

/// The parts of two values that differ, where one of them is too long to be shown.
fn different_parts(before: &str, after: &str) -> (String, String) {
    if before.chars().count().max(after.chars().count()) <= VALUE {
        return (before.to_owned(), after.to_owned());
    }
    let same = before.chars().zip(after.chars()).take_while(|(one, other)| one == other).count();
    // A few characters more say where the difference is.
    let start = same.saturating_sub(CONTEXT);
    let part = |value: &str| {
        let rest: String = value.chars().skip(start).collect();
        let start = if start > 0 { "…" } else { "" };
        format!("{start}{}", clipped(&rest))
    };
    (part(before), part(after))
}

impl From<LocatedConsequence> for LocatedRow {
    fn from(located: LocatedConsequence) -> Self {
        let Consequence { classes, may_cut, change, document, path, before, after, sentence, is_inferred, .. } =
            located.consequence;
        let is_main = document == "the main document";
        let what = match (is_main, path.is_empty()) {
            (true, _) => path,
            (false, true) => document,
            (false, false) => format!("{document} {path}"),
        };
        Self {
            row: ReviewRow { classes, may_cut, what, change, before, after, sentence, is_inferred },
            location: located.location,
        }
    }
}
