//! The order and the number of findings.

use std::cmp::Ordering;

use talosmith_model::{Diagnostic, Level, Sources, merge};

use super::position::Positions;

/// Merges findings that are the same and sorts them by path and position; at one place errors come first.
pub fn sort(findings: &mut Vec<Diagnostic>, sources: &Sources) {
    merge(findings);
    let mut positions = Positions::new(sources);
    let mut placed: Vec<(Option<usize>, Diagnostic)> = findings
        .drain(..)
        .map(|finding| (positions.range(&finding.at.place).map(|range| range.start), finding))
        .collect();
    placed.sort_by(|(left_at, left), (right_at, right)| {
        let path = |finding: &Diagnostic| sources.get(finding.at.place.source).path.as_str();
        natural(path(left), path(right))
            .then_with(|| left_at.cmp(right_at))
            .then_with(|| (left.level, left.code.name()).cmp(&(right.level, right.code.name())))
            .then_with(|| left.message.cmp(&right.message))
    });
    findings.extend(placed.into_iter().map(|(_, finding)| finding));
}

/// Compares as people count: `node2` before `node10`. Texts that differ are never equal.
#[must_use]
pub fn natural(left: &str, right: &str) -> Ordering {
    let (mut a, mut b) = (left.as_bytes(), right.as_bytes());
    while let (Some(first), Some(second)) = (a.first(), b.first()) {
        let order = if first.is_ascii_digit() && second.is_ascii_digit() {
            let (x, y) = (number(&mut a), number(&mut b));
            x.len().cmp(&y.len()).then_with(|| x.cmp(y))
        } else {
            let order = first.cmp(second);
            (a, b) = (&a[1..], &b[1..]);
            order
        };
        if order.is_ne() {
            return order;
        }
    }
    a.len().cmp(&b.len()).then_with(|| left.cmp(right))
}

/// Takes the digits at the start off, and gives them without leading zeros.
fn number<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// `2 errors, 1 warning`; empty where there is nothing to count.
#[must_use]
pub fn count_line(findings: &[Diagnostic]) -> String {
    let counts = [Level::Error, Level::Warning].map(|level| {
        let number = findings.iter().filter(|finding| finding.level == level).count();
        let plural = if number == 1 { "" } else { "s" };
        (number, format!("{number} {}{plural}", level.as_str()))
    });
    counts.into_iter().filter(|(number, _)| *number > 0).map(|(_, text)| text).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use talosmith_model::{Code, Place};

    #[test]
    fn compares_as_people_count() {
        let mut names = ["node10", "node2", "node02", "node", "a/b", "a", "node2b", "9", "", "010", "node1"];
        names.sort_by(|left, right| natural(left, right));
        assert_eq!(names, ["", "9", "010", "a", "a/b", "node", "node1", "node02", "node2", "node2b", "node10"]);
    }

    #[test]
    fn sorts_by_path_then_position_then_level() {
        let mut sources = Sources::default();
        let ten = sources.add("devices/node10/device.yaml", "name: x\n");
        let two = sources.add("devices/node2/device.yaml", "name: x\n");
        let finding = |code, source, at| Diagnostic::new(code, "m", Place::bytes(source, at..at + 1));
        let mut findings = vec![
            finding(Code::NotYaml, ten, 0),
            finding(Code::NewerTalos, two, 6),
            finding(Code::BadName, two, 6).device("b"),
            finding(Code::BadName, two, 6).device("a"),
            finding(Code::UnknownKey, two, 0),
            Diagnostic::new(Code::Missing, "m", Place::file(two)),
        ];
        sort(&mut findings, &sources);
        let order: Vec<_> = findings.iter().map(|finding| (finding.code, finding.at.place.source)).collect();
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
        let place = Place::file(sources.add("a", ""));
        let error = Diagnostic::new(Code::BadName, "m", place.clone());
        let warning = Diagnostic::new(Code::NewerTalos, "m", place);
        assert_eq!(count_line(&[]), "");
        assert_eq!(count_line(std::slice::from_ref(&error)), "1 error");
        assert_eq!(count_line(std::slice::from_ref(&warning)), "1 warning");
        assert_eq!(count_line(&[warning.clone(), error.clone(), error, warning]), "2 errors, 2 warnings");
    }
}
