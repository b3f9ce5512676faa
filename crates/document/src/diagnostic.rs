//! Findings about the user's files. They are values, which are collected and then shown together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::{Code, Level, Location, closest};

/// A location with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The key or value that is underlined.
    pub location: Location,
    /// The text next to the underline; may be empty.
    pub text: String,
}

/// A finding about a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The kind of finding.
    pub code: Code,
    /// The default level of the code, or the one that `lints` in talosmith.yaml specifies.
    pub level: Level,
    /// What is wrong, with names and numbers: lower case, no full stop, never a secret.
    pub message: String,
    /// The key or value that is wrong.
    pub at: Label,
    /// Related locations.
    pub also: Vec<Label>,
    /// A calculation or a diff, which is shown as a block. Its lines have no indent. Never contains a secret.
    pub figure: Option<String>,
    /// The consequences, one paragraph per item.
    pub notes: Vec<String>,
    /// Ways to fix it, one per item. Lines after the first of an item are text to paste.
    pub helps: Vec<String>,
    /// Whether the value at the location is a secret, which no report may show.
    pub is_hidden: bool,
    /// The affected devices; empty if the finding does not concern particular devices.
    pub devices: BTreeSet<String>,
}

impl Diagnostic {
    /// A finding with the default level of its code.
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

    /// Sets the text next to the underline.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.at.text = text.into();
        self
    }

    /// Sets the label to the one of `names` that `name` was probably meant to be. Returns the finding as the error if none is near.
    pub fn did_you_mean<'a>(self, name: &str, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Self> {
        match closest(name, names) {
            Some(near) => Ok(self.label(format!("did you mean `{near}`?"))),
            None => Err(self),
        }
    }

    /// Adds a related location.
    #[must_use]
    pub fn also(mut self, location: Location, text: impl Into<String>) -> Self {
        self.also.push(Label { location, text: text.into() });
        self
    }

    /// Sets the calculation or diff.
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

    /// Adds a way to fix it.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(text.into());
        self
    }

    /// Hides the value at the location, because it is a secret.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Adds an affected device.
    #[must_use]
    pub fn device(mut self, name: impl Into<String>) -> Self {
        self.devices.insert(name.into());
        self
    }
}

/// Merges findings with the same code, location and message into the first of them, which gets the devices of all.
pub fn merge(findings: &mut Vec<Diagnostic>) {
    let mut merged: Vec<Diagnostic> = Vec::with_capacity(findings.len());
    let mut seen: BTreeMap<(Code, Location, String), usize> = BTreeMap::new();
    for finding in findings.drain(..) {
        match seen.entry((finding.code, finding.at.location.clone(), finding.message.clone())) {
            Entry::Occupied(first) => merged[*first.get()].devices.extend(finding.devices),
            Entry::Vacant(vacant) => {
                vacant.insert(merged.len());
                merged.push(finding);
            }
        }
    }
    *findings = merged;
}
