//! Findings as JSON, as `schemas/report.schema.json` describes them.

use serde::Serialize;
use serde_json::{Map, Value};

use super::entry::{Entries, Entry};
use crate::printable;

/// The version of the format: increased by incompatible changes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Report {
    version: u32,
    findings: Vec<Entry>,
    summary: Map<String, Value>,
}

/// Formats findings in the order given, with the summary of the command.
pub(crate) fn json(entries: Entries, mut summary: Map<String, Value>) -> String {
    let Entries { findings, left_out } = entries;
    if !left_out.is_empty() {
        summary.insert("notShown".to_owned(), left_out.iter().map(|(_, count)| count).sum::<usize>().into());
    }
    json_document(&Report { version: VERSION, findings, summary })
}

/// Returns a result as JSON, with a line break at the end. Control characters are escapes, so that a terminal can show it.
pub(crate) fn json_document(result: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(result).expect("strings and numbers are always JSON");
    printable::json(&text).into_owned() + "\n"
}
