//! The deprecated fields of one file, for people: one note for all of them.

use talosmith_document::{Code, Diagnostic, Level};

/// Merges the notes about deprecated fields of one file, each of which keeps its advice beside its line.
pub(crate) fn group_deprecations(findings: &mut Vec<Diagnostic>) {
    let is_deprecation = |finding: &Diagnostic| finding.code == Code::DeprecatedField && finding.level == Level::Note;
    let mut grouped: Vec<Vec<Diagnostic>> = Vec::new();
    for finding in findings.extract_if(.., |finding| is_deprecation(finding)) {
        let is_same = |group: &&mut Vec<Diagnostic>| {
            (group[0].at.location.source, &group[0].devices) == (finding.at.location.source, &finding.devices)
        };
        match grouped.iter_mut().find(is_same) {
            Some(group) => group.push(finding),
            None => grouped.push(vec![finding]),
        }
    }
    findings.extend(grouped.into_iter().filter_map(merge));
}

fn merge(mut findings: Vec<Diagnostic>) -> Option<Diagnostic> {
    if findings.len() < 2 {
        return findings.pop();
    }
    let count = findings.len();
    let mut labels = findings.iter().map(|finding| (finding.at.location.clone(), finding.helps.join("; ")));
    let (location, advice) = labels.next()?;
    let merged =
        Diagnostic::new(Code::DeprecatedField, format!("{count} fields are deprecated"), location).label(advice);
    let mut merged = labels.fold(merged, |merged, (location, advice)| merged.also(location, advice));
    merged.devices = findings.swap_remove(0).devices;
    merged.level = Level::Note;
    Some(merged)
}

#[cfg(test)]
mod tests {
    use talosmith_document::{Location, Sources};

    use super::*;

    #[test]
    fn deprecated_fields_of_one_file_are_one_note() {
        let mut sources = Sources::default();
        let (one, other) = (sources.add("a.yaml", "a: 1\nb: 2\n"), sources.add("b.yaml", "c: 3\n"));
        let note = |source, at, help: &str| {
            Diagnostic::new(Code::DeprecatedField, "a field is deprecated", Location::bytes(source, at)).help(help)
        };
        let kept = Diagnostic::new(Code::BadSize, "a size", Location::file(one));
        let mut findings =
            vec![note(one, 0..1, "write x"), kept, note(other, 0..1, "write y"), note(one, 5..6, "write z")];
        group_deprecations(&mut findings);
        let shown: Vec<_> =
            findings.iter().map(|it| (it.message.as_str(), it.at.text.as_str(), it.also.len())).collect();
        assert_eq!(
            shown,
            [("a size", "", 0), ("2 fields are deprecated", "write x", 1), ("a field is deprecated", "", 0)]
        );
        assert_eq!(findings[1].also[0].text, "write z");
        assert_eq!(findings[1].level, Level::Note);
    }
}
