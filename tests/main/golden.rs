//! This repository's own device and cluster: what they render to, for review.

use std::collections::BTreeSet;
use std::fs;

use talosmith_cli::project::Project;
use talosmith_cli::rendering::render;
use talosmith_cli::selection::Selection;
use talosmith_cli::tree::WorkTree;
use talosmith_render::Proof;

use crate::expected::{files, repository};

#[test]
fn every_artifact_is_as_its_snapshot_and_as_the_committed_file() {
    let root = camino::Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let mut project = Project::load(&WorkTree::new(root.clone())).expect("this repository can be read");
    let owners = render(&mut project, &Selection::Everything, Proof::Given);
    assert_eq!(project.findings, []);
    let mut snapshots = BTreeSet::new();
    for owner in &owners {
        for artifact in &owner.artifacts {
            let below =
                artifact.path.strip_prefix(format!("devices/{}/manifests", owner.name)).unwrap_or(&artifact.path);
            let name = below.file_name().expect("a file");
            let folder = repository("snapshots").join(&owner.name).join(below.parent().expect("a folder"));
            snapshots.insert(folder.join(format!("{name}.snap")));
            let mut settings = insta::Settings::clone_current();
            settings.set_snapshot_path(folder);
            settings.set_prepend_module_to_snapshot(false);
            settings.set_omit_expression(true);
            settings.set_input_file(root.join(&artifact.path));
            settings.bind(|| insta::assert_snapshot!(name, artifact.text));
            // Snapshots forgive line ends and blank edges; the bytes on disk do not.
            let committed = fs::read_to_string(root.join(&artifact.path)).expect("the artifact is committed");
            assert_eq!(committed, artifact.text, "{}", artifact.path);
        }
    }
    assert_eq!(files(&repository("snapshots")), snapshots, "snapshots without an artifact, or the other way round");
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
