//! Any text anywhere in a model: no panic, no artifact that is not YAML, and the same result twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use talosmith_cli::{MemoryTree, Project, Purpose, Selection, inspect};
use talosmith_document::{Diagnostic, Document, Level, Node, NodeValue, Sources};
use talosmith_render::{Artifact, Format, Reader, parse};

use crate::expected::repository;

type Files = BTreeMap<&'static str, Vec<u8>>;

fn repository_files() -> Files {
    ["talosmith.yaml", "devices/ryzen/device.yaml"]
        .map(|path| (path, std::fs::read(repository(path)).expect("a file of this repository")))
        .into()
}

/// Returns the findings on a repository, and its artifacts.
fn run(files: &Files) -> (Vec<Diagnostic>, Vec<Artifact>) {
    let tree: MemoryTree = files.iter().map(|(path, bytes)| (*path, bytes.clone())).collect();
    let project = Project::open(&tree).expect("a tree in memory can be read");
    let inspection = inspect(project, &Selection::Everything, Purpose::Validate, |inspected| {
        inspected.artifacts.map(<[Artifact]>::to_vec)
    });
    let inspection = inspection.expect("a tree in memory can be read");
    (inspection.findings, inspection.kept.concat())
}

fn scalars(text: &str) -> Vec<std::ops::Range<usize>> {
    fn walk(node: &Node, found: &mut Vec<std::ops::Range<usize>>) {
        match &node.value {
            NodeValue::Scalar(..) => found.push(node.span.start as usize..node.span.end as usize),
            NodeValue::Sequence(items) => items.iter().for_each(|item| walk(item, found)),
            NodeValue::Mapping(entries) => entries.iter().for_each(|entry| walk(&entry.value, found)),
        }
    }
    let mut found = Vec::new();
    let mut sources = Sources::default();
    let document = Document::parse(sources.add("a", text), text).expect("this repository's own file");
    walk(&document.root, &mut found);
    found
}

fn holds(files: &Files) {
    let (findings, artifacts) = run(files);
    if findings.iter().all(|finding| finding.level != Level::Error) {
        for artifact in artifacts.iter().filter(|artifact| artifact.reader != Reader::Operator) {
            let parsed = parse(Format::Yaml, &artifact.text).map(|_| ());
            assert_eq!(parsed, Ok(()), "{}:\n{}", artifact.path, artifact.text);
        }
    }
    assert_eq!(run(files), (findings, artifacts));
}

/// Characters and words with a meaning in YAML, templates, shells or terminals.
const AWKWARD: &[&str] = &[
    "a",
    "0",
    "-",
    ".",
    "/",
    ":",
    " ",
    "#",
    "'",
    "\"",
    "\\",
    "\n",
    "\t",
    "{{",
    "}}",
    "{%",
    "---",
    "? ",
    "*",
    "&",
    "!",
    "|",
    "@",
    "`",
    "$(",
    "yes",
    "null",
    "~",
    "0x1F",
    "1e3",
    "GiB",
    "=",
    ",",
    "[",
    "]",
    "é",
    "\u{85}",
    "\u{2028}",
    "\u{feff}",
    "\u{1b}[1m",
    "\u{1f600}",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_as_a_model(bytes in proptest::collection::vec(any::<u8>(), 0..400), fleet in any::<bool>()) {
        let mut files = repository_files();
        files.insert(if fleet { "talosmith.yaml" } else { "devices/ryzen/device.yaml" }, bytes);
        holds(&files);
    }

    #[test]
    fn any_text_instead_of_any_scalar(text in "\\PC{0,30}|[a-z0-9:#{}\\[\\]&*!|>'\"%@`, -]{0,30}", at in any::<prop::sample::Index>(), fleet in any::<bool>(), quoted in any::<bool>()) {
        let mut files = repository_files();
        let path = if fleet { "talosmith.yaml" } else { "devices/ryzen/device.yaml" };
        let model = String::from_utf8(files[path].clone()).expect("text");
        let spans = scalars(&model);
        let span = spans[at.index(spans.len())].clone();
        let scalar = if quoted { serde_json::to_string(&text).expect("a string") } else { text };
        files.insert(path, format!("{}{scalar}{}", &model[..span.start], &model[span.end..]).into_bytes());
        holds(&files);
    }

    #[test]
    fn any_text_as_a_label_or_in_a_patch(value in "\\PC*", key in "[a-z]{1,8}") {
        let mut files = repository_files();
        let mut model = String::from_utf8(files["devices/ryzen/device.yaml"].clone()).expect("text");
        let value = serde_json::to_string(&value).expect("a string");
        model.push_str(&format!("patches: {{ any: {{ inline: {{ machine: {{ env: {{ {key}: {value} }} }} }} }} }}\n"));
        files.insert("devices/ryzen/device.yaml", model.into_bytes());
        holds(&files);
    }

    #[test]
    fn any_line_removed_or_indented_differently(at in any::<prop::sample::Index>(), indent in 0_usize..6, fleet in any::<bool>()) {
        let mut files = repository_files();
        let path = if fleet { "talosmith.yaml" } else { "devices/ryzen/device.yaml" };
        let model = String::from_utf8(files[path].clone()).expect("text");
        let mut lines: Vec<String> = model.lines().map(str::to_owned).collect();
        let at = at.index(lines.len());
        lines[at] = if indent == 0 { String::new() } else { format!("{}{}", " ".repeat(indent), lines[at].trim_start()) };
        files.insert(path, lines.join("\n").into_bytes());
        holds(&files);
    }

    #[test]
    fn any_special_characters_instead_of_any_scalar(pieces in proptest::collection::vec(proptest::sample::select(AWKWARD), 1..6), at in any::<prop::sample::Index>(), fleet in any::<bool>()) {
        let mut files = repository_files();
        let path = if fleet { "talosmith.yaml" } else { "devices/ryzen/device.yaml" };
        let model = String::from_utf8(files[path].clone()).expect("text");
        let spans = scalars(&model);
        let span = spans[at.index(spans.len())].clone();
        let scalar = serde_json::to_string(&pieces.concat()).expect("a string");
        files.insert(path, format!("{}{scalar}{}", &model[..span.start], &model[span.end..]).into_bytes());
        holds(&files);
    }
}
