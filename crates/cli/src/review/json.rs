//! A review for programs, as `schemas/review.schema.json` describes it.

use serde::Serialize;
use talosmith_machinery::{Class, DifferenceKind};

use super::Reviewed;
use super::group::{Group, Place, headline};
use super::row::ReviewRow;
use crate::report::json_document;

/// The version of the format: increased by incompatible changes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct ReviewDocument<'a> {
    version: u32,
    base: &'a str,
    devices: Vec<Owner<'a>>,
    clusters: Vec<Owner<'a>>,
}

#[derive(Serialize)]
struct Owner<'a> {
    name: &'a str,
    headline: String,
    changes: Vec<ChangeEntry<'a>>,
}

#[derive(Serialize)]
struct ChangeEntry<'a> {
    /// The most harmful class.
    class: String,
    classes: Vec<String>,
    /// Whether the connection may break through which one applies it.
    cut: bool,
    change: DifferenceKind,
    path: &'a str,
    before: Option<&'a str>,
    after: Option<&'a str>,
    sentence: &'a str,
    /// Whether the sentence was concluded, rather than read in Talos's code.
    inferred: bool,
    location: Option<&'a Place>,
}

/// Formats a review.
pub(crate) fn json(reviewed: &[Reviewed], groups: &[Group], base: &str) -> String {
    let owners = |is_cluster: bool| {
        let owners = reviewed.iter().filter(|reviewed| reviewed.is_cluster == is_cluster);
        let owners = owners.map(|reviewed| Owner {
            name: &reviewed.name,
            headline: headline(reviewed),
            changes: reviewed.rows.iter().map(|located| entry(&located.row, groups)).collect(),
        });
        owners.collect()
    };
    json_document(&ReviewDocument { version: VERSION, base, devices: owners(false), clusters: owners(true) })
}

fn entry<'a>(row: &'a ReviewRow, groups: &'a [Group]) -> ChangeEntry<'a> {
    let group = groups.binary_search_by(|group| group.row.cmp(row)).ok();
    ChangeEntry {
        class: row.class().to_string(),
        classes: row.classes.iter().map(Class::to_string).collect(),
        cut: row.may_cut,
        change: row.change,
        path: &row.what,
        before: row.before.as_deref(),
        after: row.after.as_deref(),
        sentence: &row.sentence,
        inferred: row.is_inferred,
        location: group.and_then(|at| groups[at].place.as_ref()),
    }
}
