//! The table of what a change of a value does to a running node.

use std::sync::LazyLock;

use serde::Serialize;
use talosmith_document::table;

use super::Class;
use crate::Role;
use crate::talos_data::{Minor, talos};

const TABLE: &str = include_str!("classes.txt");

/// Whether a value is only in the new config, only in the old one, or in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum DifferenceKind {
    Added,
    Removed,
    Changed,
}

/// What happens to a value, and to the document or the item of a list that it is in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Change {
    pub value: DifferenceKind,
    pub whole: DifferenceKind,
}

/// A row of the table.
#[derive(Debug)]
pub(crate) struct Row {
    #[cfg(test)]
    pub path: &'static str,
    keys: Vec<&'static str>,
    condition: &'static str,
    first: Minor,
    last: Option<Minor>,
    classes: Vec<&'static str>,
    pub sentence: &'static str,
    /// Whether the effect was concluded, rather than read in Talos's code.
    pub is_inferred: bool,
}

/// In the order of the table.
pub(crate) static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let rows = TABLE.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    rows.filter_map(Row::read).collect()
});

impl Row {
    fn read(line: &'static str) -> Option<Self> {
        let mut columns = line.split('|').map(str::trim);
        let (path, condition, minors) = (columns.next()?, columns.next()?, columns.next()?);
        let (first, last) = minors.split_once('-').unwrap_or((minors, minors));
        Some(Self {
            #[cfg(test)]
            path,
            keys: keys(path),
            condition,
            first: table::minor(first)?,
            last: table::minor(last),
            classes: columns.next()?.split(',').collect(),
            sentence: columns.next()?,
            is_inferred: columns.next()?.starts_with("inferred: "),
        })
    }

    pub(super) fn holds(&self, minor: Minor, role: Role, change: DifferenceKind) -> bool {
        let is_in = self.first <= minor && self.last.is_none_or(|last| minor <= last);
        is_in
            && match self.condition {
                "added" => change == DifferenceKind::Added,
                "removed" => change == DifferenceKind::Removed,
                "changed" => change == DifferenceKind::Changed,
                "worker" => role == Role::Worker,
                _ => true,
            }
    }

    /// The classes, with the name of the document that changed.
    pub(crate) fn classes(&self, name: &str) -> Vec<Class> {
        let classes = self.classes.iter().filter_map(|class| class.replace("$name", name).parse().ok());
        classes.collect()
    }

    /// Whether the connection through which one applies the change may break.
    pub(crate) fn may_cut(&self) -> bool {
        self.classes.contains(&"cut")
    }
}

/// The keys of a path; one that starts with a slash has dots of its own.
fn keys(path: &'static str) -> Vec<&'static str> {
    match path.split_once("./") {
        Some((before, file)) => before.split('.').chain([&path[path.len() - file.len() - 1..]]).collect(),
        None => path.split('.').collect(),
    }
}

/// Returns the row with the longest path that leads to a value of a kind of document.
pub(crate) fn find(
    kind: &str,
    path: &[impl AsRef<str>],
    minor: Minor,
    role: Role,
    change: Change,
) -> Option<&'static Row> {
    let minor = minor.clamp(talos::oldest_minor(), talos::newest_minor());
    let mut best: Option<&Row> = None;
    for row in ROWS.iter() {
        let is_prefix = row.keys[0] == kind
            && row.keys.len() <= path.len() + 1
            && row.keys[1..].iter().zip(path).all(|(key, other)| matches!(*key, "*") || *key == other.as_ref());
        let is_better = best.is_none_or(|best| best.keys.len() < row.keys.len());
        // A row of the value itself is about that, and not about what it is in.
        let change = if row.keys.len() == path.len() + 1 { change.value } else { change.whole };
        if is_prefix && is_better && row.holds(minor, role, change) {
            best = Some(row);
        }
    }
    best
}
