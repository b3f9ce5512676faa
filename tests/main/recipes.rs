//! The pages of `docs/recipes/`: each ends with the files of its fixture, and what these files promise is tried.

use std::fs;

use serde_json::{Value, json};

use crate::expected::{ExpectedFiles, repository};
use crate::fixtures::{Files, fixtures, load, shown};
use crate::sandbox::Sandbox;

fn recipe(name: &str) -> Files {
    load(&repository(&format!("tests/fixtures/valid/recipes/{name}.txtar")))
}

fn sandbox(files: &Files) -> Sandbox {
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
    Sandbox::of(&files)
}

#[test]
fn every_recipe_has_a_page_with_its_files() {
    let mut expected = ExpectedFiles::default();
    let index = fs::read_to_string(repository("docs/recipes/README.md")).expect("a list of the recipes");
    for fixture in fixtures("valid/recipes") {
        let name = fixture.file_stem().and_then(|name| name.to_str()).expect("a name");
        let page = repository(&format!("docs/recipes/{name}.md"));
        let text = fs::read_to_string(&page).unwrap_or_default();
        let written = text.split("\n## Files\n").next().unwrap_or(&text).trim_end();
        let origin = format!(
            "<!-- The rest of this page is generated from tests/fixtures/valid/recipes/{name}.txtar. Edit that file and run `INSTA_UPDATE=always cargo test --workspace`. -->"
        );
        let actual = format!("{written}\n\n## Files\n\n{origin}\n\n{}\n", shown(load(&fixture).iter()).trim_end());
        expected.compare(&page, &actual);
        if !index.contains(&format!("]({name}.md)")) {
            expected.fail(format!("docs/recipes/README.md does not list {name}.md"));
        }
    }
    for page in fs::read_dir(repository("docs/recipes")).expect("a folder").flatten() {
        let fixture = repository("tests/fixtures/valid/recipes")
            .join(page.path().with_extension("txtar").file_name().expect("a name"));
        if !fixture.exists() && page.file_name() != "README.md" {
            expected.fail(format!("{} has no fixture", page.path().display()));
        }
    }
    expected.finish();
}

/// Whether a regular expression matches a text, as the keyword `pattern` of JSON Schema has it.
fn matches(pattern: &str, text: &str) -> bool {
    jsonschema::validator_for(&json!({ "pattern": pattern })).expect("a regular expression").is_valid(&json!(text))
}

#[test]
fn renovate_finds_the_versions_of_the_model() {
    let files = recipe("renovate");
    let config: Value = serde_json::from_str(&files["renovate.json"]).expect("JSON");
    let model = [&files["talosmith.yaml"], &files["devices/node-1/device.yaml"]];
    for manager in config["customManagers"].as_array().expect("a list") {
        let pattern = manager["matchStrings"][0].as_str().expect("a string");
        assert!(model.iter().any(|text| matches(pattern, text)), "{pattern}");
        for file in manager["managerFilePatterns"].as_array().expect("a list") {
            let file = file.as_str().expect("a string").trim_matches('/');
            assert!(files.keys().any(|path| matches(file, path)), "{file}");
        }
    }
    let images = config["customManagers"][2]["matchStrings"][0].as_str().expect("a string");
    let digest = "0".repeat(64);
    assert!(matches(&format!("{images}\"$"), &format!("image: \"rocm/k8s-device-plugin:1.31@sha256:{digest}\"")));
    let talos = config["customManagers"][0]["matchStrings"][0].as_str().expect("a string");
    assert!(!matches(talos, "baseConfig: v1.13.5"));
}

/// Returns the commands of a step of a workflow, by its name.
fn step(workflow: &str, name: &str) -> String {
    let workflow =
        talosmith_document::Document::parse(talosmith_document::Sources::default().add("w", workflow), workflow);
    let workflow = workflow.expect("YAML").root.into_json();
    let jobs = workflow["jobs"].as_object().expect("jobs");
    let mut steps = jobs.values().flat_map(|job| job["steps"].as_array().expect("steps"));
    let step = steps.find(|step| step["name"] == name).unwrap_or_else(|| panic!("no step {name}"));
    step["run"].as_str().expect("commands").to_owned()
}

#[test]
fn an_update_of_renovate_comes_with_its_generated_files() {
    let files = recipe("renovate");
    let sandbox = sandbox(&files);
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    sandbox.git(&["clone", "--quiet", "--bare", ".", ".git/server"]);
    sandbox.git(&["remote", "add", "origin", ".git/server"]);
    sandbox.git(&["switch", "--quiet", "--create", "renovate/talos"]);
    sandbox.git(&["push", "--quiet", "--set-upstream", "origin", "renovate/talos"]);
    sandbox.replace("talosmith.yaml", "talosVersion: v1.13.5", "talosVersion: v1.13.8");
    sandbox.replace("talosmith.yaml", "plugin:0.34.1", "plugin:0.35.0");
    sandbox.git(&["commit", "--quiet", "--all", "--message", "Update"]);
    let commands = step(&files[".github/workflows/renovate-generate.yaml"], "Generate and commit");
    let run = || {
        let output = sandbox.shell_command(&format!("set -e\n{commands}")).output().expect("sh starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        sandbox.git(&["log", "--format=%s", "main..origin/renovate/talos"])
    };
    let log = run();
    assert_eq!(log, "Generate the files of the update\nUpdate\n");
    let changed = sandbox.git(&["show", "--format=", "--name-only", "origin/renovate/talos"]);
    for path in ["devices/node-1/RUNBOOK.md", "argocd/applications/gpu/"] {
        assert!(changed.contains(path), "{changed}");
    }
    // A second run, as after a push of the job itself, changes nothing.
    assert_eq!(run(), log);
}

#[test]
fn the_workflow_for_forks_checks_and_reviews() {
    let files = recipe("forks-ci");
    let sandbox = sandbox(&files);
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    sandbox.commit_all();
    sandbox.write(
        "devices/node-1/device.yaml",
        &files["devices/node-1/device.yaml"].replace("node-1\n", "node-1\nhostname: one\n"),
    );
    let workflow = &files[".github/workflows/check.yaml"];
    let run = |name: &str| {
        let mut shell = sandbox.shell_command(&step(workflow, name));
        shell.env("BASE", sandbox.git(&["rev-parse", "HEAD"]).trim());
        shell.output().expect("sh starts").status.code()
    };
    assert_eq!(run("Check"), Some(1));
    sandbox.run(&["generate"]);
    assert_eq!((run("Check"), run("Review")), (Some(0), Some(0)));
    let comment = sandbox.read("review/comment.md");
    assert!(comment.contains("node-1"), "{comment}");
}
