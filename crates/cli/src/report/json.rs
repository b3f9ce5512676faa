//! Findings as JSON, as `schemas/report.schema.json` describes them.

use std::ops::Range;

use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Diagnostic, Label, Sources};

use super::position::{Position, Positions, position};
use super::shown::shown;
use crate::mask::{mask, mask_finding};
use crate::printable;

/// The version of the format: increased by incompatible changes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    findings: Vec<Finding>,
    summary: Map<String, Value>,
}

#[derive(Serialize)]
struct Finding {
    code: &'static str,
    level: &'static str,
    message: String,
    path: String,
    range: Option<Range<Position>>,
    label: String,
    also: Vec<At>,
    figure: Option<String>,
    notes: Vec<String>,
    helps: Vec<String>,
    devices: Vec<String>,
}

#[derive(Serialize)]
struct At {
    path: String,
    range: Option<Range<Position>>,
    label: String,
}

/// Formats findings in the order given, with the summary of the command.
pub(crate) fn json(findings: &[Diagnostic], sources: &Sources, mut summary: Map<String, Value>) -> String {
    let mut positions = Positions::new(sources);
    let (shown, left_out) = shown(findings, &mut positions);
    if !left_out.is_empty() {
        summary.insert("notShown".to_owned(), left_out.values().sum::<usize>().into());
    }
    let findings = shown.into_iter().map(|finding| entry(mask_finding(finding), &mut positions)).collect();
    json_document(&Report { version: VERSION, findings, summary })
}

/// Returns a result as JSON, with a line break at the end. Control characters are escapes, so that a terminal can show it.
pub(crate) fn json_document(result: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(result).expect("strings and numbers are always JSON");
    printable::json(&text).into_owned() + "\n"
}

fn entry(finding: Diagnostic, positions: &mut Positions<'_>) -> Finding {
    let At { path, range, label } = at(finding.at, positions);
    Finding {
        code: finding.code.name(),
        level: finding.level.as_str(),
        message: finding.message,
        path,
        range,
        label,
        also: finding.also.into_iter().map(|label| at(label, positions)).collect(),
        figure: finding.figure,
        notes: finding.notes,
        helps: finding.helps,
        devices: finding.devices.into_iter().collect(),
    }
}

fn at(label: Label, positions: &mut Positions<'_>) -> At {
    let source = positions.sources.get(label.location.source);
    let range = positions
        .range(&label.location)
        .map(|range| position(&source.text, range.start)..position(&source.text, range.end));
    At { path: mask(source.path.as_str()).into_owned(), range, label: label.text }
}
