//! Whole reports: each case in several styles, compared with its snapshot.

use std::collections::BTreeSet;
use std::path::Path;

use cases::{Case, case, cases};
use serde_json::{Map, Value, json};
use talosmith_document::{Code, Diagnostic, Location};

use super::{Entries, Style, github, human};

mod cases;

/// The styles of each case.
const STYLES: [(&str, Style); 4] = [
    ("100", Style { color: false, width: 100, unicode: true }),
    ("40", Style { color: false, width: 40, unicode: true }),
    ("ascii", Style { color: false, width: 100, unicode: false }),
    ("color", Style { color: true, width: 100, unicode: true }),
];

fn entries(case: &Case) -> Entries {
    Entries::new(&case.findings, &case.sources, "".into())
}

#[test]
fn reports_look_as_they_did() {
    let mut expected = BTreeSet::new();
    for (name, case) in cases() {
        let mut text = String::new();
        for (kind, style) in STYLES {
            let drawn = human(&case.findings, &case.sources, style);
            let readable = drawn.replace('\u{1b}', "\\e");
            assert_eq!(kind == "color", readable != drawn, "{name}: colour codes where they belong");
            text.push_str(&format!("─── {kind} {}\n{readable}", "─".repeat(94 - kind.len())));
        }
        text.push_str(&format!("─── github {}\n{}", "─".repeat(88), github(&entries(&case))));
        text.push_str(&format!("─── json {}\n{}", "─".repeat(90), super::json(entries(&case), Map::new())));
        insta::with_settings!({ prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(name, text);
        });
        expected.insert(format!("{name}.snap"));
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/snapshots");
    let kept: BTreeSet<String> = std::fs::read_dir(folder)
        .expect("the folder of the snapshots")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".snap"))
        .collect();
    assert_eq!(kept, expected, "a snapshot that no case makes");
}

#[test]
fn any_location_and_width_can_be_drawn() {
    for text in ["", "\n", "\r\n", "a", "a\n", "ä: ß\r\n\t日本: x\n", "\u{feff}a: b\n\n\n"] {
        for start in 0..=text.len() + 2 {
            for end in 0..=text.len() + 2 {
                for width in [0, 1, 40, 41, 100, 1000] {
                    let case = case("a.yaml", text, |source| {
                        Diagnostic::new(Code::NotYaml, "m", Location::bytes(source, start..end))
                            .label("l")
                            .also(Location::bytes(source, end..start), "a somewhat longer label")
                    });
                    let drawn = human(&case.findings, &case.sources, Style { color: false, width, unicode: true });
                    assert!(drawn.starts_with("error[not-yaml]: m\n"), "{text:?} {start}..{end} {width}:\n{drawn}");
                    assert!(drawn.lines().all(|line| line.trim_end() == line), "blanks at the end of a line:\n{drawn}");
                    let entries = entries(&case);
                    assert_eq!(github(&entries).lines().count(), 1, "{text:?} {start}..{end}");
                    let _ = super::sarif(&entries, Map::new());
                }
            }
        }
    }
}

#[test]
fn json_reports_fit_their_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../../schemas/report.schema.json")).expect("JSON");
    jsonschema::meta::validate(&schema).expect("a valid schema");
    let validator = jsonschema::draft202012::new(&schema).expect("a schema that compiles");
    let faults = |report: &Value| validator.iter_errors(report).map(|error| error.to_string()).collect::<Vec<_>>();
    let none: Vec<String> = Vec::new();
    for (name, case) in cases() {
        let summary = json!({ "errors": 1, "files": { "checked": 12 } }).as_object().cloned().expect("an object");
        let report: Value = serde_json::from_str(&super::json(entries(&case), summary)).expect("JSON");
        assert_eq!(faults(&report), none, "{name}");
    }
    for example in schema["examples"].as_array().expect("the schema has an example") {
        assert_eq!(faults(example), none);
    }
    let mut wrong: Value = schema["examples"][0].clone();
    wrong["findings"][0]["level"] = json!("fatal");
    assert_eq!(faults(&wrong).len(), 1);
}

#[test]
fn a_report_has_a_bound_for_a_line_and_a_file() {
    let mut sources = talosmith_document::Sources::default();
    let one = sources.add("a.yaml", "a: [1]\n".repeat(300));
    let line = sources.add("b.yaml", "x".repeat(10_000));
    let style = Style { color: false, width: 100, unicode: true };
    let finding =
        |source, at: usize| Diagnostic::new(Code::WrongType, format!("at {at}"), Location::bytes(source, at..at + 1));
    let mut findings: Vec<Diagnostic> = (0..300).map(|number| finding(one, number * 7)).collect();
    findings.extend((0..1_000).map(|number| finding(line, number)));
    let text = human(&findings, &sources, style);
    assert_eq!(text.matches("error[").count(), 220);
    let end = "\n100 more findings in a.yaml not shown\n\n980 more findings in b.yaml not shown\n";
    assert!(text.ends_with(end), "{}", &text[text.len() - 200..]);
}
