//! What talosmith says of machine-config patches against what the official Talos machinery says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::Value;
use talosmith_model::device::Role;
use talosmith_model::machine_config::{Maker, Origin, Patch, Target, decode_patch, judge};
use talosmith_model::{Code, Diagnostic, Document, Level, Node, SourceId, Sources, TalosVersion};

/// The parsed texts of a case; the findings instead if one cannot be parsed.
fn parse(sources: &mut Sources, patches: &[Value]) -> Result<Vec<(SourceId, Vec<Node>)>, Vec<Diagnostic>> {
    let mut parsed = Vec::new();
    for (index, patch) in patches.iter().enumerate() {
        let text = patch.as_str().expect("a text");
        let source = sources.add(format!("{index}.yaml"), text);
        parsed.push((source, Document::parse_stream(source, text)?));
    }
    Ok(parsed)
}

/// What talosmith says of a case with a version of Talos on a base.
fn findings(case: &Value, version: &TalosVersion, base: (u64, u64)) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let role = if case["role"] == "worker" { Role::Worker } else { Role::ControlPlane };
    let parsed = match parse(&mut sources, case["patches"].as_array().expect("patches")) {
        Ok(parsed) => parsed,
        Err(findings) => return findings,
    };
    let origins: Vec<Origin> = parsed.iter().map(|(source, _)| Origin::File(*source)).collect();
    let target = Target { version, base };
    // A secret is no fault to the machinery.
    let mut found: Vec<Diagnostic> = parsed
        .iter()
        .zip(&origins)
        .flat_map(|((_, documents), origin)| decode_patch(documents, origin, &target))
        .filter(|finding| finding.code != Code::LiteralSecret)
        .collect();
    if !refuses(&found) {
        let patches: Vec<_> = parsed
            .iter()
            .zip(&origins)
            .map(|((_, documents), origin)| Patch { documents, maker: Maker::User { name: "patch", origin } })
            .collect();
        found.extend(judge(base, role, version, &patches));
    }
    found
}

fn refuses(findings: &[Diagnostic]) -> bool {
    findings.iter().any(|finding| finding.level == Level::Error)
}

#[derive(Default)]
struct Score {
    refused: (usize, usize),
    accepted: (usize, usize),
}

fn compare(path: &str) -> (BTreeMap<String, Score>, Vec<String>) {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let corpus: Value = serde_json::from_str(&text).expect("JSON");
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong = Vec::new();
    // Where deprecations count as errors, the machinery is stricter than any node.
    for case in corpus["cases"].as_array().expect("cases").iter().filter(|case| case["strict"] != true) {
        for (key, verdict) in case["verdicts"].as_object().expect("verdicts") {
            let (version, base) = key.split_once('/').expect("a version and a base");
            let version: TalosVersion = format!("v{version}").parse().expect("a version");
            let minor = base.rsplit('.').next().and_then(|minor| minor.parse().ok()).expect("a minor");
            let found = findings(case, &version, (1, minor));
            let (ours, theirs) = (refuses(&found), verdict["verdict"] == "error");
            let score = scores.entry(key.clone()).or_default();
            let count = if theirs { &mut score.refused } else { &mut score.accepted };
            count.1 += 1;
            count.0 += usize::from(ours == theirs);
            if ours != theirs {
                let mut line = format!("{} {key}", case["id"].as_str().expect("an id"));
                if std::env::var_os("TALOSMITH_AGREEMENT").is_some() {
                    let ours: BTreeSet<_> = found.iter().map(|finding| finding.message.clone()).collect();
                    let _ = write!(line, "\n    they: {}\n    we: {ours:?}", verdict["messages"]);
                }
                wrong.push(line);
            }
        }
    }
    (scores, wrong)
}

#[test]
fn talosmith_agrees_with_the_official_machinery() {
    let path = std::env::var("TALOSMITH_VERDICTS").unwrap_or_else(|_| "conformance/verdicts.json".to_owned());
    let (scores, wrong) = compare(&path);
    let mut report = String::new();
    for (key, score) in &scores {
        let (refused, accepted) = (score.refused, score.accepted);
        let _ = writeln!(report, "{key}: refused {}/{}, accepted {}/{}", refused.0, refused.1, accepted.0, accepted.1);
    }
    let _ = std::io::stderr().write_all(report.as_bytes());
    assert!(wrong.is_empty(), "disagreements:\n{}", wrong.join("\n"));
}
