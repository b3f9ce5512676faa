//! Rows of a review, each once for all devices that it hits.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use talosmith_document::{Location, Locator, SourceId, Sources};
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
    let mut locations: BTreeMap<&ReviewRow, &(Side, Location)> = BTreeMap::new();
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
    for (side, location) in locations.values() {
        match (side, &mut before) {
            (Side::Before, Some(before)) => drop(before.load_one(location.source)),
            _ => drop(after.load_one(location.source)),
        }
    }
    let mut of_after = Lines::new(after.load(&[]));
    let mut of_before = before.map(|before| Lines::new(before.load(&[])));
    let mut groups: Vec<Group> = Vec::new();
    for (row, mut group) in by_row {
        if let Some((side, location)) = locations.get(row) {
            let lines = match (side, &mut of_before) {
                (Side::Before, Some(lines)) => lines,
                _ => &mut of_after,
            };
            group.place = Some(lines.place(location, *side == Side::Before));
        }
        groups.push(group);
    }
    groups
}

/// The lines of sources. Each source is parsed, and its lines are counted, at most once.
struct Lines<'s> {
    sources: &'s Sources,
    locator: Locator<'s>,
    /// The bytes at which the lines of a source end.
    ends: HashMap<SourceId, Vec<usize>>,
}

impl<'s> Lines<'s> {
    fn new(sources: &'s Sources) -> Self {
        Self { sources, locator: Locator::new(sources), ends: HashMap::new() }
    }

    fn place(&mut self, location: &Location, before: bool) -> Place {
        let source = self.sources.get(location.source);
        let count = || source.text.match_indices('\n').map(|(at, _)| at).collect();
        let line = self.locator.locate(location).map(|bytes| {
            let ends = self.ends.entry(location.source).or_insert_with(count);
            ends.partition_point(|end| *end < bytes.start) + 1
        });
        Place { path: source.path.to_string(), line, before }
    }
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
