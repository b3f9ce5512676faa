//! Any text anywhere in a model: no panic, no artifact that is not YAML, and the same result twice.

use std::collections::BTreeMap;

use proptest::prelude::*;
use talosmith_cli::project::Project;
use talosmith_cli::rendering::{Owner, render};
use talosmith_cli::selection::Selection;
use talosmith_cli::tree::MemoryTree;
use talosmith_document::{Document, Node, NodeValue, Sources};
use talosmith_render::Proof;
use talosmith_render::{Format, parse};

use crate::expected::repository;

type Files = BTreeMap<&'static str, Vec<u8>>;

fn repository_files() -> Files {
    ["talosmith.yaml", "devices/ryzen/device.yaml"]
        .map(|path| (path, std::fs::read(repository(path)).expect("a file of this repository")))
        .into()
}

fn run(files: &Files) -> (Project, Vec<Owner>) {
    let tree: MemoryTree = files.iter().map(|(path, bytes)| (*path, bytes.clone())).collect();
    let mut project = Project::load(&tree).expect("a tree in memory can be read");
    let owners = render(&mut project, &Selection::Everything, Proof::Required);
    (project, owners)
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
    let (project, owners) = run(files);
    if !project.has_errors() {
        for artifact in owners.iter().flat_map(|owner| &owner.artifacts) {
            assert_eq!(
                parse(Format::Yaml, &artifact.text).map(|_| ()),
                Ok(()),
                "{}:\n{}",
                artifact.path,
                artifact.text
            );
        }
    }
    let (again, twice) = run(files);
    assert_eq!(again.findings, project.findings);
    let texts = |owners: &[Owner]| -> Vec<String> {
        owners.iter().flat_map(|owner| owner.artifacts.iter().map(|artifact| artifact.text.clone())).collect()
    };
    assert_eq!(texts(&twice), texts(&owners));
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
