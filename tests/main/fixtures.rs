//! Fixtures: models, and the whole report for each.
//!
//! A `.yaml` fixture is the file of the device `node`, added to the fleet of `tests/fixtures/base`; a `.txtar` fixture is a whole repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde_json::Value;
use talosmith_cli::{MemoryTree, Project, Purpose, Selection, Style, human, inspect as inspect_fleet, sort};
use talosmith_document::{Code, Diagnostic, Document, Sources};
use talosmith_model::{Device, Fleet, Schema};

use crate::expected::{ExpectedFiles, files, repository};

/// Codes without a fixture, and the tests that produce them instead.
const SHOWN_ELSEWHERE: &[(&str, &str)] = &[
    ("not-utf8", "no text: model/document tests"),
    ("too-large", "4 MiB: model/document tests"),
    ("node-disks", "the disks of a node: init.rs"),
    ("misnamed-device", "names of files: places.rs"),
    ("no-device", "no file: places.rs"),
    ("stale", "files on disk: staleness.rs"),
    ("hand-edited", "files on disk: staleness.rs"),
    ("missing", "files on disk: staleness.rs"),
    ("orphan", "files on disk: staleness.rs"),
    ("foreign-file", "files on disk: generate.rs"),
    ("symlink", "files on disk: generate.rs"),
    ("secret-unavailable", "secrets: generate.rs"),
    ("secret-outdated", "secrets: secrets.rs"),
    ("secret-failed", "secrets: secrets.rs"),
    ("secret-not-ignored", "secrets: secrets.rs"),
    ("secret-tracked", "secrets: secrets.rs"),
    ("tailscale-key-kind", "secrets: secrets.rs"),
];

pub(crate) type Files = BTreeMap<String, String>;

pub(crate) fn load(path: &Path) -> Files {
    let text = fs::read_to_string(path).expect("a fixture can be read");
    let base = fs::read_to_string(repository("tests/fixtures/base/talosmith.yaml")).expect("the base fleet");
    if path.extension().is_some_and(|extension| extension == "yaml") {
        return [("talosmith.yaml".to_owned(), base), ("devices/node/device.yaml".to_owned(), text)].into();
    }
    let mut files = Files::new();
    let mut name = String::new();
    for line in text.split_inclusive('\n') {
        match line.trim_end().strip_prefix("-- ").and_then(|rest| rest.strip_suffix(" --")) {
            Some(next) => {
                name = next.to_owned();
                files.insert(name.clone(), String::new());
            }
            None => files.get_mut(&name).expect("a name comes first").push_str(line),
        }
    }
    files
}

/// Returns the findings on a repository, sorted, and the files that they are about.
pub(crate) fn findings(files: &Files) -> (Vec<Diagnostic>, Sources) {
    let tree: MemoryTree = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    let project = Project::open(&tree).expect("a tree in memory can be read");
    let inspection = inspect_fleet(project, &Selection::Everything, Purpose::Validate, |_| None::<()>);
    let mut inspection = inspection.expect("a tree in memory can be read");
    let sources = inspection.sources.load(&inspection.findings);
    sort(&mut inspection.findings, sources);
    let sources = sources.clone();
    (inspection.findings, sources)
}

fn inspect(files: &Files) -> (Vec<Code>, String) {
    let (findings, sources) = findings(files);
    let style = Style { color: false, width: 100, unicode: true };
    let codes = findings.iter().map(|finding| finding.code).collect();
    (codes, human(&findings, &sources, style))
}

pub(crate) fn fixtures(kind: &str) -> BTreeSet<std::path::PathBuf> {
    let all = files(&repository(&format!("tests/fixtures/{kind}")));
    all.into_iter().filter(|path| path.extension().is_some_and(|extension| extension != "report")).collect()
}

#[test]
fn every_invalid_fixture_has_its_report() {
    let mut expected = ExpectedFiles::default();
    for path in fixtures("invalid") {
        let (codes, report) = inspect(&load(&path));
        let folder = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).expect("a folder");
        if !codes.iter().any(|code| code.name() == folder) {
            expected.fail(format!("{} yields {codes:?}:\n{report}", path.display()));
        }
        expected.compare(&path.with_extension("report"), &report);
        if path.file_stem().is_some_and(|name| name == "example") {
            example(folder, &path, &report, &mut expected);
        }
    }
    expected.reject_orphans(&repository("tests/fixtures/invalid"), "report");
    expected.finish();
}

/// Returns files as they are in a document.
pub(crate) fn shown<'f>(files: impl Iterator<Item = (&'f String, &'f String)>) -> String {
    let shown = files.map(|(path, content)| {
        let language = match path.rsplit_once('.') {
            Some((_, "j2")) => "jinja",
            Some((_, "json")) => "json",
            Some((_, "yaml")) => "yaml",
            _ => "text",
        };
        format!("`{path}`:\n\n<!-- prettier-ignore -->\n```{language}\n{}\n```\n\n", content.trim_end())
    });
    shown.collect()
}

/// Compares the end of a code's page: its example fixture and the report for it.
fn example(code: &str, fixture: &Path, report: &str, expected: &mut ExpectedFiles) {
    let page = repository(&format!("codes/{code}.md"));
    let text = fs::read_to_string(&page).expect("a page for each code");
    let written = text.split("\n## Example\n").next().unwrap_or(&text).trim_end();
    let files = load(fixture);
    let base = fs::read_to_string(repository("tests/fixtures/base/talosmith.yaml")).expect("the base fleet");
    let shown = shown(files.iter().filter(|(path, content)| *path != "talosmith.yaml" || **content != base));
    let fixture = fixture.file_name().and_then(|name| name.to_str()).expect("a file name");
    let origin = format!(
        "<!-- The rest of this page is generated from tests/fixtures/invalid/{code}/{fixture}. Edit that file and run `INSTA_UPDATE=always cargo test --workspace`. -->"
    );
    let actual = format!("{written}\n\n## Example\n\n{origin}\n\n{shown}```text\n{}\n```\n", report.trim_end());
    expected.compare(&page, &actual);
}

#[test]
fn every_valid_fixture_has_no_finding() {
    for path in fixtures("valid") {
        let (codes, report) = inspect(&load(&path));
        assert!(codes.is_empty(), "{}:\n{report}", path.display());
    }
}

#[test]
fn every_code_has_an_example_or_a_reason() {
    for code in Code::ALL {
        let folder = repository(&format!("tests/fixtures/invalid/{code}"));
        let example = ["yaml", "txtar"].iter().any(|extension| folder.join(format!("example.{extension}")).exists());
        let elsewhere = SHOWN_ELSEWHERE.iter().any(|(name, _)| *name == code.name());
        assert!(example != elsewhere, "{code}: example {example}, elsewhere {elsewhere}");
    }
    for entry in fs::read_dir(repository("tests/fixtures/invalid")).expect("the fixtures") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a name");
        assert!(name.parse::<Code>().is_ok(), "`{name}` is no code");
    }
}

/// Whether a value deserializes into a type.
fn typed<T: DeserializeOwned>(value: &Value) -> bool {
    serde_json::from_value::<T>(value.clone()).is_ok()
}

#[test]
fn schemas_and_types_accept_the_same() {
    let mut compared = 0;
    for path in fixtures("invalid").into_iter().chain(fixtures("valid")) {
        for (name, text) in load(&path) {
            let (schema, is_device) = match name.rsplit('/').next() {
                Some("device.yaml") => (Schema::Device, true),
                Some("talosmith.yaml") => (Schema::Fleet, false),
                _ => continue,
            };
            let mut sources = Sources::default();
            let source = sources.add(name.clone(), text.clone());
            let Ok(document) = Document::parse(source, &text) else { continue };
            let value = document.root.clone().into_json();
            // A null removes a key of a layer before the layer is deserialized.
            let layered = without_nulls(&value);
            let refused = schema.findings(source, &document, &value, &[]);
            let taken =
                if is_device { typed::<Device>(&layered) } else { typed::<Fleet>(&value) && layers_are_typed(&value) };
            assert_eq!(refused.is_empty(), taken, "{} {name}: {refused:?}", path.display());
            compared += 1;
        }
    }
    assert!(compared > 100, "only {compared} documents were compared");
}

/// Whether each layer of a fleet deserializes as a part of a device. The type of a fleet keeps layers untyped.
fn layers_are_typed(fleet: &Value) -> bool {
    let clusters = fleet["clusters"].as_object().into_iter().flatten();
    let layers = clusters.flat_map(|(_, cluster)| {
        let groups = cluster["groups"].as_object().into_iter().flat_map(|groups| groups.values());
        groups.chain(["defaults", "controlplane", "worker"].map(|key| &cluster[key]))
    });
    layers.filter_map(|layer| layer.as_object()).all(|layer| {
        let mut device = serde_json::json!({"name": "a", "cluster": "a", "role": "worker", "address": "192.0.2.1"});
        device.as_object_mut().expect("an object").extend(layer.clone());
        typed::<Device>(&without_nulls(&device))
    })
}

fn without_nulls(value: &Value) -> Value {
    let Value::Object(map) = value else { return value.clone() };
    let kept = map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| match value {
        Value::Object(inner) if key != "files" => {
            let inner =
                inner.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), value.clone()));
            (key.clone(), Value::Object(inner.collect()))
        }
        other => (key.clone(), other.clone()),
    });
    Value::Object(kept.collect())
}
