//! Findings as commands of GitHub Actions, which shows them at the lines of a pull request.

use std::fmt::Write as _;

use super::entry::{Entries, Entry};

/// Formats findings in the order given, one command a line.
///
/// <https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#setting-an-error-message>
pub(crate) fn github(entries: &Entries) -> String {
    let mut out: String = entries.findings.iter().map(command).collect();
    for remark in entries.remarks() {
        let _ = writeln!(out, "::notice::{}", escape(&remark));
    }
    out
}

fn command(finding: &Entry) -> String {
    let name = if finding.level == "note" { "notice" } else { finding.level };
    let mut properties = format!("file={}", escape_property(&finding.path));
    if let Some(range) = &finding.range {
        let (start, end) = (range.start, range.end);
        // A range that ends with a line break ends where the next line starts.
        let last = if end.column == 1 && end.line > start.line { end.line - 1 } else { end.line };
        let _ = write!(properties, ",line={},endLine={last}", start.line);
        // GitHub refuses columns of a range of several lines.
        if last == start.line {
            let _ = write!(properties, ",col={}", start.column);
        }
    }
    let title = escape_property(&format!("talosmith ({})", finding.code));
    format!("::{name} {properties},title={title}::{}\n", escape(&finding.text()))
}

/// <https://github.com/actions/toolkit/blob/main/packages/core/src/command.ts>: `escapeData`.
fn escape(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// `escapeProperty` of the same file.
fn escape_property(text: &str) -> String {
    escape(text).replace(':', "%3A").replace(',', "%2C")
}
