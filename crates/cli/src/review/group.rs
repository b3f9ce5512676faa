//! Rows of a review, each once for all devices that it hits.

use std::collections::BTreeMap;

use serde::Serialize;
use talosmith_document::{Locator, Sources, line_column};
use talosmith_machinery::{Class, DifferenceKind, Side};

use super::row::{LocatedRow, ReviewRow};
use super::{Review, Reviewed};
use crate::report::count;
use crate::source_cache::SourceCache;

/// A row for all devices that it hits.
#[derive(Debug)]
pub(crate) struct Group {
    pub row: ReviewRow,
    /// The names of the devices and clusters, in natural order.
    pub owners: Vec<String>,
    /// The first place where a value is written.
    pub place: Option<Place>,
}

/// A line of the model or of a patch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Place {
    pub path: String,
    /// From 1; none for a whole file.
    pub line: Option<usize>,
    /// Whether it is in the revision before, and no longer there.
    pub before: bool,
}

/// What the classes of a device mean for it as a whole, the most harmful first.
pub(crate) fn headline(reviewed: &Reviewed) -> String {
    let has = |class: &str| reviewed.rows.iter().any(|row| row.row.classes.iter().any(|each| each.code() == class));
    let harms = [
        ("wipe", "loses data or must be installed again"),
        ("identity", "gets a new identity"),
        ("broken", "breaks something"),
        ("unknown", "unknown"),
        ("reboot", "reboots"),
        ("pending", "needs a reboot to take effect"),
        ("upgrade", "needs an upgrade"),
        ("manual", "needs a step by hand"),
        ("grow", "grows at the next boot"),
        ("kept", "keeps what exists"),
    ];
    let found: Vec<&str> = harms.iter().filter(|(class, _)| has(class)).map(|(_, words)| *words).collect();
    let is_new = |row: &&LocatedRow| row.row.what == "device" && row.row.change == DifferenceKind::Added;
    if reviewed.rows.iter().any(|row| is_new(&row)) {
        return "a new node".to_owned();
    }
    match (found.is_empty(), reviewed.is_cluster) {
        (false, _) => found.join(", "),
        (true, true) => "objects in Kubernetes change".to_owned(),
        (true, false) if has("restart") => "restarts services, no reboot".to_owned(),
        (true, false) => "no reboot".to_owned(),
    }
}

/// Returns the rows, the most harmful first. Locations are in the sources of their side.
pub(crate) fn groups(
    reviewed: &[Reviewed],
    mut before: Option<&mut SourceCache<'_>>,
    after: &mut SourceCache<'_>,
) -> Vec<Group> {
    let mut by_row: BTreeMap<&ReviewRow, Group> = BTreeMap::new();
    let mut locations: BTreeMap<&ReviewRow, &(Side, talosmith_document::Location)> = BTreeMap::new();
    for reviewed in reviewed {
        for located in &reviewed.rows {
            let empty = || Group { row: located.row.clone(), owners: Vec::new(), place: None };
            let group = by_row.entry(&located.row).or_insert_with(empty);
            if group.owners.last() != Some(&reviewed.name) {
                group.owners.push(reviewed.name.clone());
            }
            if let Some(location) = &located.location {
                locations.entry(&located.row).or_insert(location);
            }
        }
    }
    let mut groups: Vec<Group> = Vec::new();
    for (row, mut group) in by_row {
        if let Some((side, location)) = locations.get(row) {
            let sources = match (side, &mut before) {
                (Side::Before, Some(before)) => before.load_one(location.source),
                _ => after.load_one(location.source),
            };
            group.place = Some(place(sources, location, *side == Side::Before));
        }
        groups.push(group);
    }
    groups
}

fn place(sources: &Sources, location: &talosmith_document::Location, before: bool) -> Place {
    let source = sources.get(location.source);
    let bytes = Locator::new(sources).locate(location);
    let line = bytes.map(|bytes| line_column(&source.text, bytes.start).0);
    Place { path: source.path.to_string(), line, before }
}

/// Splits the groups where something else happens, or to others.
pub(crate) fn blocks(groups: &[Group]) -> impl Iterator<Item = &[Group]> {
    groups.chunk_by(|one, other| {
        let key = |group: &Group| (group.row.may_cut, group.row.classes.clone(), group.row.sentence.clone());
        key(one) == key(other) && one.owners == other.owners
    })
}

/// How many devices change, of all that were compared.
pub(crate) fn changed(review: &Review<'_, '_>) -> String {
    let changed = review.reviewed.iter().filter(|reviewed| !reviewed.is_cluster).count();
    let all = review.devices.max(changed);
    let verb = if changed == 1 { "changes" } else { "change" };
    format!("{changed} of {} {verb}", count(all, "device"))
}

impl Group {
    pub(crate) fn class(&self) -> &Class {
        self.row.class()
    }

    /// The names of the first devices, and how many more there are.
    pub(crate) fn owners(&self, most: usize) -> String {
        match self.owners.len().checked_sub(most) {
            Some(more) if more > 0 => format!("{} and {more} more", self.owners[..most].join(", ")),
            _ => self.owners.join(", "),
        }
    }
}
