//! What a raw patch is refused for on its own, against the verdicts of the official machinery.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use talosmith_document::{Code, Document, Level, Sources, TalosVersion};
use talosmith_machinery::{PatchLocator, Target, decode_patch};

/// What is wrong with the patches of a case; none for a case with aliases or tags, which talosmith reads in no YAML.
fn refusals(patches: &Value, version: &TalosVersion, base: (u64, u64)) -> Option<Vec<String>> {
    let mut sources = Sources::default();
    let patches = patches.as_array().expect("a list of patches").iter().filter_map(Value::as_str);
    let findings = patches.flat_map(|text| {
        let source = sources.add("patch.yaml", text);
        let target = Target { version, base };
        match Document::parse_stream(source, text) {
            Ok(documents) => decode_patch(&documents, &PatchLocator::File(source), &target).1,
            Err(findings) => findings,
        }
    });
    let findings: Vec<_> = findings
        .filter(|finding| finding.level == Level::Error)
        .map(|finding| (finding.code, format!("{}: {}", finding.code, finding.message)))
        .collect();
    let is_readable = findings.iter().all(|(code, _)| *code != Code::Alias);
    is_readable.then(|| findings.into_iter().map(|(_, text)| text).collect())
}

#[test]
fn the_loader_of_each_version_is_agreed_with() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/verdicts.json");
    let verdicts: Value = serde_json::from_str(&fs::read_to_string(path).expect("the verdicts")).expect("JSON");
    let meant = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../conformance/disagreements.txt");
    let meant = fs::read_to_string(meant).expect("the disagreements");
    let is_meant = |case: &Value| meant.lines().any(|line| line.split_once("  ").is_some_and(|(id, _)| *case == *id));
    let mut wrong = Vec::new();
    let mut judged = [0; 2];
    for case in verdicts["cases"].as_array().expect("cases") {
        for (versions, verdict) in case["verdicts"].as_object().expect("verdicts") {
            let (machinery, contract) = versions.split_once('/').expect("two versions");
            let version: TalosVersion = format!("v{machinery}").parse().expect(machinery);
            let base: TalosVersion = format!("{contract}.0").parse().expect(contract);
            let messages: Vec<&str> =
                verdict["messages"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            // Documents that exclude each other are judged on the merged config.
            let is_about_one =
                |message: &&str| message.starts_with("load") && !message.contains("conflicting documents");
            let is_refused = messages.iter().any(is_about_one);
            let is_accepted = verdict["verdict"] != "error";
            if !is_refused && !is_accepted {
                continue;
            }
            let Some(refusals) = refusals(&case["patches"], &version, base.minor()) else { continue };
            judged[usize::from(is_accepted)] += 1;
            // The machinery accepts secrets.
            let secret = Code::LiteralSecret.name();
            let is_wrong = if is_accepted {
                refusals.iter().any(|refusal| !refusal.starts_with(secret))
            } else {
                refusals.is_empty()
            };
            if is_wrong && !is_meant(&case["id"]) {
                wrong.push(format!("{} {versions}: {messages:?} against {refusals:?}", case["id"]));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new(), "of {} refused and {} accepted", judged[0], judged[1]);
    assert!(judged.iter().all(|count| *count > 1000), "{judged:?}");
}
