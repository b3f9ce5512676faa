//! Findings about the user's files: values, collected and shown all at once.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::{Code, Level, Location};

/// A place and what to say there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub location: Location,
    /// The text beside the underline; may be empty.
    pub text: String,
}

/// One finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What kind of finding.
    pub code: Code,
    /// The code's level, or what the fleet's `lints` makes of it.
    pub level: Level,
    /// What is wrong, with names and numbers: lower case, no full stop, never a secret.
    pub message: String,
    /// Where it is wrong.
    pub at: Label,
    /// Other places that have to do with it.
    pub also: Vec<Label>,
    /// A sum or a diff, set in a block of its own; lines without indent. Never of a secret.
    pub figure: Option<String>,
    /// What follows from it, a paragraph each.
    pub notes: Vec<String>,
    /// What to type, a way each; further lines of one help are lines to paste.
    pub helps: Vec<String>,
    /// Whether what stands at the place is a secret, which no report may show.
    pub is_hidden: bool,
    /// The devices that the finding hits; empty if it hits none in particular.
    pub devices: BTreeSet<String>,
}

impl Diagnostic {
    /// A finding at a place, with the level that its code has.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>, at: Location) -> Self {
        Self {
            code,
            level: code.level(),
            message: message.into(),
            at: Label { location: at, text: String::new() },
            also: Vec::new(),
            figure: None,
            notes: Vec::new(),
            helps: Vec::new(),
            is_hidden: false,
            devices: BTreeSet::new(),
        }
    }

    /// Says something beside the underline.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.at.text = text.into();
        self
    }

    /// Shows another place.
    #[must_use]
    pub fn also(mut self, location: Location, text: impl Into<String>) -> Self {
        self.also.push(Label { location, text: text.into() });
        self
    }

    /// Shows a block of text.
    #[must_use]
    pub fn figure(mut self, text: impl Into<String>) -> Self {
        self.figure = Some(text.into());
        self
    }

    /// Adds a consequence.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(text.into());
        self
    }

    /// Adds what to type.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Hides what stands at the place.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Names a device that the finding hits.
    #[must_use]
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.devices.insert(name.into());
        self
    }
}

/// Merges the findings that have the same code, place and message, uniting their devices; the first of each stays where it was.
pub fn merge(findings: &mut Vec<Diagnostic>) {
    let mut merged: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    let mut seen: BTreeMap<(Code, Location, String), usize> = BTreeMap::new();
    for finding in findings.drain(..) {
        match seen.entry((finding.code, finding.at.location.clone(), finding.message.clone())) {
            Entry::Occupied(first) => merged[*first.get()].devices.extend(finding.devices),
            Entry::Vacant(location) => {
                location.insert(merged.len());
                merged.push(finding);
            }
        }
    }
    *findings = merged;
}
