//! The order and the number of findings.

use talosmith_document::{Diagnostic, Level, Sources, merge, natural};

use super::position::Positions;

/// Merges equal findings and sorts them by path and position; at the same position, errors come first.
pub fn sort(findings: &mut Vec<Diagnostic>, sources: &Sources) {
    merge(findings);
    let mut positions = Positions::new(sources);
    let mut placed: Vec<(Option<usize>, Diagnostic)> = findings
        .drain(..)
        .map(|finding| (positions.range(&finding.at.location).map(|range| range.start), finding))
        .collect();
    placed.sort_by(|(left_at, left), (right_at, right)| {
        let path = |finding: &Diagnostic| sources.get(finding.at.location.source).path.as_str();
        natural(path(left), path(right))
            .then_with(|| left_at.cmp(right_at))
            .then_with(|| (left.level, left.code.name()).cmp(&(right.level, right.code.name())))
            .then_with(|| left.message.cmp(&right.message))
    });
    findings.extend(placed.into_iter().map(|(_, finding)| finding));
}

/// Formats a number of findings of one level: `2 errors`.
pub(crate) fn count_of(number: usize, level: Level) -> String {
    count(number, level.as_str())
}

/// Formats a number with a noun: `1 file`, `2 files`.
pub(crate) fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

/// Formats the numbers of findings: `2 errors, 1 warning`. Empty if there are none.
pub(crate) fn count_line(findings: &[Diagnostic]) -> String {
    let counts = [Level::Error, Level::Warning].map(|level| {
        let number = findings.iter().filter(|finding| finding.level == level).count();
        (number, count_of(number, level))
    });
    counts.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use talosmith_document::{Code, Location};

    #[test]
    fn sorts_by_path_then_position_then_level() {
        let mut sources = Sources::default();
        let ten = sources.add("devices/node10/device.yaml", "name: x\n");
        let two = sources.add("devices/node2/device.yaml", "name: x\n");
        let finding = |code, source, at| Diagnostic::new(code, "m", Location::bytes(source, at..at + 1));
        let mut findings = vec![
            finding(Code::NotYaml, ten, 0),
            finding(Code::NewerTalos, two, 6),
            finding(Code::BadName, two, 6).device("b"),
            finding(Code::BadName, two, 6).device("a"),
            finding(Code::UnknownKey, two, 0),
            Diagnostic::new(Code::Missing, "m", Location::file(two)),
        ];
        sort(&mut findings, &sources);
        let order: Vec<_> = findings.iter().map(|finding| (finding.code, finding.at.location.source)).collect();
        let expected = [
            (Code::Missing, two),
            (Code::UnknownKey, two),
            (Code::BadName, two),
            (Code::NewerTalos, two),
            (Code::NotYaml, ten),
        ];
        assert_eq!(order, expected);
        assert_eq!(findings[2].devices.iter().collect::<Vec<_>>(), ["a", "b"]);
    }

    #[test]
    fn counts_errors_and_warnings() {
        let mut sources = Sources::default();
        let location = Location::file(sources.add("a", ""));
        let error = Diagnostic::new(Code::BadName, "m", location.clone());
        let warning = Diagnostic::new(Code::NewerTalos, "m", location);
        assert_eq!(count_line(&[]), "");
        assert_eq!(count_line(std::slice::from_ref(&error)), "1 error");
        assert_eq!(count_line(std::slice::from_ref(&warning)), "1 warning");
        assert_eq!(count_line(&[warning.clone(), error.clone(), error, warning]), "2 errors, 2 warnings");
    }
}
