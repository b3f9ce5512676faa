//! Talosmith's verdicts on machine-config patches against those of the official Talos machinery.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::ops::Range;
use std::path::PathBuf;

use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Document, Level, Node, NodeValue, SourceId, Sources, TalosVersion};
use talosmith_machinery::cel::Checker;
use talosmith_machinery::{AppliedPatch, Patch, PatchLocator, PatchSource, Role, Target, check_patches, decode_patch};

/// What the machinery accepts and a node then fails on.
const ON_NODE: [Code; 6] = [
    Code::IncompleteControlPlane,
    Code::KubeletConfig,
    Code::MachineFile,
    Code::NodePath,
    Code::RefusedArgument,
    Code::WholeDiskSelector,
];

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

/// The verdict of talosmith on a case with a version of Talos on a base.
fn findings(case: &Value, version: &TalosVersion, base: (u64, u64)) -> Vec<Diagnostic> {
    let mut sources = Sources::default();
    let role = if case["role"] == "worker" { Role::Worker } else { Role::ControlPlane };
    let parsed = match parse(&mut sources, case["patches"].as_array().expect("patches")) {
        Ok(parsed) => parsed,
        Err(findings) => return findings,
    };
    let target = Target { version, base };
    let mut found = Vec::new();
    let mut decoded: Vec<(PatchLocator, Patch)> = Vec::new();
    for (source, documents) in &parsed {
        let locator = PatchLocator::File(*source);
        let (patch, findings) = decode_patch(documents, &locator, &target);
        decoded.push((locator, patch));
        // The machinery accepts secrets.
        found.extend(findings.into_iter().filter(|finding| finding.code != Code::LiteralSecret));
    }
    if !refuses(&found) {
        let patches: Vec<_> = decoded
            .iter()
            .map(|(locator, patch)| AppliedPatch {
                patch,
                source: PatchSource::User { name: "patch", locator, layer: 0 },
            })
            .collect();
        let no_key = |key: &str, _: &str| panic!("the model has no key here: {key}");
        let findings = check_patches(&target, role, &patches, &Checker::default(), &no_key);
        found.extend(findings.into_iter().filter(|finding| !ON_NODE.contains(&finding.code)));
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

/// The scores by versions of the machinery and of the base, and the cases on which both disagree, with both verdicts.
fn compare(corpus: &Value) -> (BTreeMap<String, Score>, BTreeMap<String, String>) {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut wrong: BTreeMap<String, String> = BTreeMap::new();
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
                let messages: BTreeSet<&str> = found.iter().map(|finding| finding.message.as_str()).collect();
                let id = case["id"].as_str().expect("an id").to_owned();
                let _ =
                    write!(wrong.entry(id).or_default(), "\n  {key}: they {}, we {messages:?}", verdict["messages"]);
            }
        }
    }
    (scores, wrong)
}

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    fs::read_to_string(root.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn talosmith_agrees_with_the_official_machinery() {
    // Verdicts on unseen patches, such as those of `conformance/mutate`, can be named instead.
    let unseen = std::env::var("TALOSMITH_VERDICTS").ok();
    let corpus = read(unseen.as_deref().unwrap_or("conformance/verdicts.json"));
    let (scores, mut wrong) = compare(&serde_json::from_str(&corpus).expect("JSON"));
    let mut report = String::new();
    for (key, Score { refused, accepted }) in &scores {
        let _ = writeln!(report, "{key}: refused {}/{}, accepted {}/{}", refused.0, refused.1, accepted.0, accepted.1);
    }
    let _ = std::io::stderr().write_all(report.as_bytes());
    if unseen.is_none() {
        let meant = read("conformance/disagreements.txt");
        for line in meant.lines().filter(|line| !line.starts_with('#')) {
            let (case, _) = line.split_once("  ").expect("a case and a reason");
            assert!(wrong.remove(case).is_some(), "{case} agrees: remove it from disagreements.txt");
        }
    }
    // Of unseen patches, one of 1,000 may disagree.
    let compared: usize = scores.values().map(|score| score.refused.1 + score.accepted.1).sum();
    let accepted = if unseen.is_some() { compared / 1000 } else { 0 };
    let differences: String = wrong.iter().map(|(case, messages)| format!("{case}{messages}\n")).collect();
    assert!(wrong.len() <= accepted, "{} of {compared} verdicts disagree:\n{differences}", wrong.len());
}

/// The scalars of a document that a placeholder can replace, with their bytes.
fn add_scalars(node: &Node, found: &mut Vec<(String, Range<usize>)>) {
    match &node.value {
        NodeValue::Scalar(text, _) => found.push((text.to_string(), node.span.start as usize..node.span.end as usize)),
        NodeValue::Sequence(items) => items.iter().for_each(|item| add_scalars(item, found)),
        NodeValue::Mapping(entries) => {
            let fields = entries.iter().filter(|entry| !matches!(&*entry.key, "apiVersion" | "kind" | "$patch"));
            fields.for_each(|entry| add_scalars(&entry.value, found));
        }
    }
}

/// A patch with a placeholder in place of a value; none where YAML then reads something else.
fn with_placeholder(text: &str, value: &str) -> Option<String> {
    let source = Sources::default().add("patch.yaml", text);
    let mut scalars = Vec::new();
    let documents = Document::parse_stream(source, text).expect(text);
    documents.iter().for_each(|document| add_scalars(document, &mut scalars));
    let mut changed = text.to_owned();
    for (_, span) in scalars.into_iter().rev().filter(|(written, _)| written == value) {
        let is_flow = text[span.end..].trim_start().starts_with([',', '}', ']']);
        let is_string = text[span.clone()].starts_with(['"', '\''])
            || value.len() > 3 && value.starts_with(|first: char| first.is_ascii_alphabetic());
        if text[span.clone()].starts_with(['|', '>']) || is_flow && !is_string {
            return None;
        }
        changed.replace_range(span, if is_flow { "\"${X}\"" } else { "${X}" });
    }
    Some(changed)
}

#[test]
fn a_placeholder_stands_for_any_value_that_talos_accepts() {
    let corpus: Value = serde_json::from_str(&read("conformance/verdicts.json")).expect("JSON");
    let (mut tried, mut wrong) = (0, BTreeSet::new());
    for case in corpus["cases"].as_array().expect("cases").iter().filter(|case| case["strict"] != true) {
        let verdicts = case["verdicts"].as_object().expect("verdicts");
        let Some((key, _)) = verdicts.iter().rfind(|(_, verdict)| verdict["verdict"] != "error") else { continue };
        let (version, base) = key.split_once('/').expect("a version and a base");
        let version: TalosVersion = format!("v{version}").parse().expect("a version");
        let minor = base.rsplit('.').next().and_then(|minor| minor.parse().ok()).expect("a minor");
        let patches: Vec<&str> =
            case["patches"].as_array().expect("patches").iter().filter_map(Value::as_str).collect();
        // What a deletion or a JSON patch names is no value.
        let has_values =
            !patches.iter().any(|text| text.contains("$patch") || text.contains("op: ") || text.contains("\"op\""));
        if !has_values || refuses(&findings(case, &version, (1, minor))) {
            continue;
        }
        let mut values = Vec::new();
        for text in &patches {
            let source = Sources::default().add("patch.yaml", *text);
            let documents = Document::parse_stream(source, text).expect(text);
            documents.iter().for_each(|document| add_scalars(document, &mut values));
        }
        let values: BTreeSet<String> = values.into_iter().map(|(value, _)| value).collect();
        for value in values.iter().filter(|value| !matches!(value.as_str(), "" | "null" | "~")) {
            let Some(changed) = patches.iter().map(|text| with_placeholder(text, value)).collect::<Option<Vec<_>>>()
            else {
                continue;
            };
            let changed = serde_json::json!({ "patches": changed, "role": case["role"] });
            tried += 1;
            let found = findings(&changed, &version, (1, minor));
            for finding in found.iter().filter(|finding| finding.level == Level::Error) {
                wrong.insert(format!("{} {key} `{value}`: {}: {}", case["id"], finding.code, finding.message));
            }
        }
    }
    assert!(tried > 4_000, "only {tried} values were replaced");
    assert!(wrong.is_empty(), "{} of {tried} are refused: {wrong:#?}", wrong.len());
}
