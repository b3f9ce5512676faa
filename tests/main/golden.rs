//! This repository's own device and cluster, and the fixture fleets: what they render to, for review.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_cli::project::Project;
use talosmith_cli::rendering::render;
use talosmith_cli::selection::Selection;
use talosmith_cli::tree::WorkTree;
use talosmith_render::{Artifact, Proof};

use crate::expected::{files, repository};

#[test]
fn every_artifact_is_as_its_snapshot_and_as_the_committed_file() {
    let root = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut snapshots = BTreeSet::new();
    for (owner, artifact) in artifacts(&root) {
        let below = artifact.path.strip_prefix(format!("devices/{owner}/manifests")).unwrap_or(&artifact.path);
        snapshots.insert(snapshot(&Utf8Path::new(&owner).join(below), &root.join(&artifact.path), &artifact.text));
        // Snapshots forgive line ends and blank edges; the bytes on disk do not.
        let committed = fs::read_to_string(root.join(&artifact.path)).expect("the artifact is committed");
        assert_eq!(committed, artifact.text, "{}", artifact.path);
    }
    for fleet in fleets() {
        let name = fleet.file_name().expect("a name").to_owned();
        for (_, artifact) in artifacts(&fleet) {
            let below: Utf8PathBuf = Utf8Path::new(&name)
                .join(&artifact.path)
                .components()
                .filter(|part| part.as_str() != "manifests")
                .collect();
            snapshots.insert(snapshot(&below, &fleet.join("talosmith.yaml"), &artifact.text));
        }
    }
    assert_eq!(files(&repository("snapshots")), snapshots, "snapshots without an artifact, or the other way round");
}

/// The fleets that are fixtures and examples.
fn fleets() -> Vec<Utf8PathBuf> {
    let mut fleets: Vec<Utf8PathBuf> = Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fleets")
        .read_dir_utf8()
        .expect("a folder of fleets")
        .map(|entry| entry.expect("a fleet").into_path())
        .collect();
    fleets.sort();
    fleets
}

/// Every artifact of a repository with the name of its owner; there must be nothing to say about it.
fn artifacts(root: &Utf8Path) -> Vec<(String, Artifact)> {
    let mut project = Project::load(&WorkTree::new(root.to_owned())).expect("a repository that can be read");
    let owners = render(&mut project, &Selection::Everything, Proof::Given);
    assert_eq!(project.findings, [], "{root}");
    owners.into_iter().flat_map(|owner| owner.artifacts.into_iter().map(move |it| (owner.name.clone(), it))).collect()
}

/// Compares a text with the snapshot of its name below `snapshots/`, whose path it gives.
fn snapshot(below: &Utf8Path, input: &Utf8Path, text: &str) -> PathBuf {
    let name = below.file_name().expect("a file");
    let folder = repository("snapshots").join(below.parent().expect("a folder"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.set_input_file(input);
    settings.bind(|| insta::assert_snapshot!(name, text));
    folder.join(format!("{name}.snap"))
}

#[test]
fn every_snapshot_of_an_output_has_a_test() {
    let tests = repository("tests/main");
    let unused: Vec<String> = files(&tests.join("snapshots"))
        .iter()
        .filter_map(|path| path.file_name()?.to_str())
        .filter(|file| {
            let mut parts = file.trim_end_matches(".snap").splitn(3, "__").skip(1);
            let (module, name) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
            let text = fs::read_to_string(tests.join(format!("{module}.rs"))).unwrap_or_default();
            !text.contains(&format!("assert_snapshot!(\"{name}\""))
        })
        .map(str::to_owned)
        .collect();
    assert_eq!(unused, Vec::<String>::new(), "snapshots that no test writes");
}
