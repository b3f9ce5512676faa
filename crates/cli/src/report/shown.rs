//! The findings that a report shows: a generated or broken file can have thousands.

use std::collections::{BTreeMap, HashMap};

use talosmith_document::{Diagnostic, SourceId};

use super::position::Positions;

/// The numbers of findings of one line and of one file that are shown.
const OF_LINE: usize = 20;
const OF_FILE: usize = 200;

/// Returns the findings that are shown, and the number of the others by file.
pub(super) fn shown<'a>(
    findings: &'a [Diagnostic],
    positions: &mut Positions<'_>,
) -> (Vec<&'a Diagnostic>, BTreeMap<SourceId, usize>) {
    let mut lines: HashMap<(SourceId, Option<usize>), usize> = HashMap::new();
    let mut files: HashMap<SourceId, usize> = HashMap::new();
    let mut left_out = BTreeMap::new();
    let mut has_room = |finding: &Diagnostic| {
        let source = finding.at.location.source;
        let start = positions.range(&finding.at.location).map_or(0, |range| range.start);
        // Where the line before ends.
        let line = positions.sources.get(source).text.get(..start).and_then(|text| text.rfind('\n'));
        let in_line = lines.entry((source, line)).or_default();
        let in_file = files.entry(source).or_default();
        if *in_line == OF_LINE || *in_file == OF_FILE {
            *left_out.entry(source).or_default() += 1;
            return false;
        }
        *in_line += 1;
        *in_file += 1;
        true
    };
    let shown = findings.iter().filter(|finding| has_room(finding)).collect();
    (shown, left_out)
}
