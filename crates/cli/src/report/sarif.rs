//! Findings as a SARIF log, for code scanning.

use std::ops::Range;

use serde_json::{Map, Value, json};
use talosmith_document::Code;

use super::entry::Entries;
use super::json::json_document;
use super::position::Position;

/// Formats findings in the order given, with the summary of the command.
///
/// SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
pub(crate) fn sarif(entries: &Entries, summary: Map<String, Value>) -> String {
    let mut codes: Vec<Code> = Vec::new();
    let results = entries.findings.iter().map(|finding| {
        let index = codes.iter().position(|code| *code == finding.code).unwrap_or_else(|| {
            codes.push(finding.code);
            codes.len() - 1
        });
        let related = finding.also.iter().enumerate().map(|(id, at)| {
            let mut related = location(&at.path, at.range.as_ref());
            related.insert("id".to_owned(), id.into());
            if !at.label.is_empty() {
                related.insert("message".to_owned(), json!({ "text": at.label }));
            }
            Value::Object(related)
        });
        json!({
            "ruleId": finding.code,
            "ruleIndex": index,
            "level": finding.level,
            "message": { "text": finding.text() },
            "locations": [location(&finding.path, finding.range.as_ref())],
            "relatedLocations": related.collect::<Vec<_>>(),
        })
    });
    let results: Vec<Value> = results.collect();
    let notifications = entries.remarks().map(|text| json!({ "level": "note", "message": { "text": text } }));
    let driver = json!({
        "name": "talosmith",
        "version": env!("CARGO_PKG_VERSION"),
        "informationUri": env!("CARGO_PKG_REPOSITORY"),
        "rules": codes.into_iter().map(rule).collect::<Vec<_>>(),
    });
    let run = json!({
        "tool": { "driver": driver },
        "invocations": [{
            "executionSuccessful": true,
            "toolExecutionNotifications": notifications.collect::<Vec<_>>(),
        }],
        // The columns of a report count characters.
        "columnKind": "unicodeCodePoints",
        "results": results,
        "properties": summary,
    });
    json_document(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }))
}

fn rule(code: Code) -> Value {
    let page = code.page_without_comments();
    json!({
        "id": code,
        "shortDescription": { "text": code.summary() },
        "help": { "text": page, "markdown": page },
        "defaultConfiguration": { "level": code.level().as_str() },
    })
}

fn location(path: &str, range: Option<&Range<Position>>) -> Map<String, Value> {
    // GitHub requires a region, also for a whole file.
    let region = range.map_or_else(|| json!({ "startLine": 1 }), region);
    let artifact = json!({ "uri": uri(path), "uriBaseId": "%SRCROOT%" });
    let physical = json!({ "artifactLocation": artifact, "region": region });
    Map::from_iter([("physicalLocation".to_owned(), physical)])
}

fn region(range: &Range<Position>) -> Value {
    json!({
        "startLine": range.start.line,
        "startColumn": range.start.column,
        "endLine": range.end.line,
        "endColumn": range.end.column,
    })
}

/// Encodes a path as a relative reference of RFC 3986.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}
