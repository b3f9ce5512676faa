//! Findings for programs: masked, with the lines and columns of their locations.

use std::collections::BTreeSet;
use std::ops::Range;

use camino::Utf8Path;
use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Label, Sources};

use super::human::{affected_devices, group};
use super::order::count;
use super::position::{Position, Positions, position};
use super::shown::shown;
use crate::mask::{mask, mask_finding};

/// The findings that a report shows.
pub(crate) struct Entries {
    pub(super) findings: Vec<Entry>,
    /// The files of which further findings are not shown, and how many these are.
    pub(super) left_out: Vec<(String, usize)>,
}

/// A finding, as `schemas/report.schema.json` describes it.
#[derive(Serialize)]
pub(super) struct Entry {
    pub code: Code,
    pub level: &'static str,
    pub message: String,
    pub path: String,
    /// None for a whole file.
    pub range: Option<Range<Position>>,
    pub label: String,
    pub also: Vec<At>,
    pub figure: Option<String>,
    pub notes: Vec<String>,
    pub helps: Vec<String>,
    pub devices: BTreeSet<String>,
    /// The devices and the group that it affects, for people.
    #[serde(skip)]
    pub affected: Vec<String>,
}

#[derive(Serialize)]
pub(super) struct At {
    pub path: String,
    pub range: Option<Range<Position>>,
    pub label: String,
}

impl Entries {
    /// Resolves the locations of findings, in the order given. Their paths begin with `prefix`.
    pub(crate) fn new(findings: &[Diagnostic], sources: &Sources, prefix: &Utf8Path) -> Self {
        let mut positions = Positions::new(sources);
        let (shown, left_out) = shown(findings, &mut positions);
        let path = |path: &Utf8Path| mask(prefix.join(path).as_str()).into_owned();
        let findings = shown.into_iter().map(|finding| entry(mask_finding(finding), &mut positions, &path)).collect();
        let left_out = left_out.into_iter().map(|(source, count)| (path(&sources.get(source).path), count)).collect();
        Self { findings, left_out }
    }

    /// Returns a line for each file with findings that are not shown.
    pub(super) fn remarks(&self) -> impl Iterator<Item = String> {
        let remark =
            |(path, number): &(String, usize)| format!("{} in {path} not shown", count(*number, "more finding"));
        self.left_out.iter().map(remark)
    }
}

impl Entry {
    /// Formats all of it but its location.
    pub(super) fn text(&self) -> String {
        let label = Some(&self.label).filter(|label| !label.is_empty());
        let mut paragraphs = vec![self.message.clone()];
        paragraphs.extend(label.into_iter().chain(&self.figure).map(|text| text.trim_end().to_owned()));
        paragraphs.extend(self.notes.iter().chain(&self.affected).map(|note| format!("note: {note}")));
        paragraphs.extend(self.helps.iter().map(|help| format!("help: {help}")));
        paragraphs.join("\n")
    }
}

fn entry(finding: Diagnostic, positions: &mut Positions<'_>, path: &impl Fn(&Utf8Path) -> String) -> Entry {
    let own_path = &positions.sources.get(finding.at.location.source).path;
    let devices = affected_devices(&finding, own_path.as_str());
    let group = group(&finding.at.location).filter(|_| devices.is_some()).map(|name| format!("in the group {name}"));
    let At { path: own, range, label } = at(finding.at, positions, path);
    Entry {
        affected: group.into_iter().chain(devices).collect(),
        code: finding.code,
        level: finding.level.as_str(),
        message: finding.message,
        path: own,
        range,
        label,
        also: finding.also.into_iter().map(|label| at(label, positions, path)).collect(),
        figure: finding.figure,
        notes: finding.notes,
        helps: finding.helps,
        devices: finding.devices,
    }
}

fn at(label: Label, positions: &mut Positions<'_>, path: &impl Fn(&Utf8Path) -> String) -> At {
    let source = positions.sources.get(label.location.source);
    let range = positions
        .range(&label.location)
        .map(|range| position(&source.text, range.start)..position(&source.text, range.end));
    At { path: path(&source.path), range, label: label.text }
}
