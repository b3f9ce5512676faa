//! What this repository's own device and cluster, and the fleets of `tests/fleets`, render to.

use std::fs;
use std::path::{Path, PathBuf};

use camino::Utf8PathBuf;
use talosmith_cli::{Project, Purpose, Selection, WorkTree, inspect};
use talosmith_render::Artifact;

use crate::expected::{ExpectedFiles, files, repository};

#[test]
fn the_committed_files_are_what_this_repository_renders_to() {
    let root = repository("");
    let mut expected = ExpectedFiles::default();
    for artifact in artifacts(&root) {
        expected.compare(&root.join(&artifact.path), &artifact.text);
    }
    expected.finish();
}

#[test]
fn every_fleet_renders_to_its_snapshots() {
    let mut expected = ExpectedFiles::default();
    for name in ["company", "edge", "features", "home-lab", "rack"] {
        for artifact in artifacts(&repository("tests/fleets").join(name)) {
            expected.add(assert_snapshot_at(&format!("{name}/{}", artifact.path), &artifact.text));
        }
    }
    expected.reject_orphans(&repository("snapshots"), "snap");
    expected.finish();
    let fleets = fs::read_dir(repository("tests/fleets")).expect("the folder of the fleets");
    assert_eq!(fleets.count(), 5, "a fleet that is not rendered");
}

/// Returns every artifact of a repository, which must have no finding.
fn artifacts(root: &Path) -> Vec<Artifact> {
    let root = Utf8PathBuf::try_from(root.to_owned()).expect("UTF-8");
    let tree = WorkTree::new(root.clone());
    let project = Project::open(&tree).expect("a repository that can be read");
    let inspection = inspect(project, &Selection::Everything, Purpose::Validate, |inspected| {
        inspected.artifacts.map(<[Artifact]>::to_vec)
    });
    let inspection = inspection.expect("a repository that can be read");
    assert_eq!(inspection.findings, [], "{root}");
    inspection.kept.concat()
}

/// Compares a text with the snapshot of its path, and returns the snapshot's file.
fn assert_snapshot_at(path: &str, text: &str) -> PathBuf {
    let snapshot = repository("snapshots").join(format!("{path}.snap"));
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(snapshot.parent().expect("a folder"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let name = path.rsplit('/').next().expect("a name");
    settings.bind(|| insta::assert_snapshot!(name, text));
    snapshot
}

#[test]
fn every_named_snapshot_has_its_test() {
    let tests = repository("tests/main");
    let folder = tests.join("snapshots");
    let mut expected = ExpectedFiles::default();
    for path in files(&folder) {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("UTF-8");
        let mut parts = name.splitn(3, "__").skip(1);
        let (module, name) = parts.next().zip(parts.next()).unwrap_or_default();
        let text = fs::read_to_string(tests.join(format!("{module}.rs"))).unwrap_or_default();
        if text.contains(&format!("assert_snapshot!(\"{name}\"")) {
            expected.add(path);
        }
    }
    expected.reject_orphans(&folder, "snap");
    expected.finish();
}
