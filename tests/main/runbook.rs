//! Runbooks and pictures of disks: what they say for each version of Talos, and whether their commands exist.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use camino::Utf8PathBuf;
use talosmith_cli::{MemoryTree, Owner, Project, Purpose, Selection, inspect};

use talosmith_render::built_in_templates;

use crate::command_flags::CommandFlags;
use crate::expected::{files, repository};
use crate::fixtures::{fixtures, load};
use crate::sandbox::{Ran, Sandbox};

type Files = BTreeMap<Utf8PathBuf, String>;

/// A document of a device.
struct Document {
    path: String,
    text: String,
    /// The minor of the device's Talos.
    minor: String,
}

/// Returns the documents of the devices of a model.
fn documents(files: &Files) -> Vec<Document> {
    let tree: MemoryTree = files.iter().map(|(path, text)| (path.as_str(), text.clone().into_bytes())).collect();
    let project = Project::open(&tree).expect("a tree in memory can be read");
    let inspection = inspect(project, &Selection::Everything, Purpose::Validate, |inspected| {
        let (Owner::Device(device), Some(artifacts)) = (inspected.owner, inspected.artifacts) else { return None };
        let version = &device.versions.talos;
        let minor = format!("{}.{}", version.major, version.minor().1);
        let documents = artifacts.iter().filter(|artifact| artifact.key.starts_with("documents."));
        let document = |path: &Utf8PathBuf, text: &String| Document {
            path: path.to_string(),
            text: text.clone(),
            minor: minor.clone(),
        };
        Some(documents.map(|artifact| document(&artifact.path, &artifact.text)).collect::<Vec<_>>())
    });
    inspection.expect("a tree in memory can be read").kept.into_iter().flatten().collect()
}

/// Returns the model below a folder, in which every device has documents.
fn model(root: &Path) -> Files {
    let all = files(root).into_iter().filter_map(|path| {
        let name = Utf8PathBuf::from_path_buf(path.strip_prefix(root).ok()?.to_owned()).ok()?;
        let is_model = name == "talosmith.yaml" || !name.as_str().contains("/manifests/");
        Some((name, fs::read_to_string(&path).ok()?)).filter(|_| is_model)
    });
    with_documents(all.collect())
}

fn with_documents(mut files: Files) -> Files {
    for (path, text) in &mut files {
        if path.ends_with("device.yaml") && !text.contains("\ndocuments:") {
            text.push_str("\ndocuments: { runbook: true }\n");
        }
    }
    files
}

/// The model of this repository's own device, with other versions and another node.
fn ryzen(version: &str, base: &str, worker: Option<&str>) -> Files {
    let own = ["talosmith.yaml", "devices/ryzen/device.yaml"];
    let read = |path: &str| (path.into(), fs::read_to_string(repository(path)).expect("a file of the model"));
    let mut files: Files = own.map(read).into();
    let fleet = files.get_mut(camino::Utf8Path::new("talosmith.yaml")).expect("the fleet");
    *fleet = fleet.replace("talosVersion: v1.12.1", &format!("talosVersion: {version}\n    baseConfig: {base}"));
    if let Some(name) = worker {
        let text = format!("name: {name}\ncluster: galactic\nrole: worker\naddress: 192.168.1.195\n");
        files.insert(format!("devices/{name}/device.yaml").into(), text);
    }
    if base >= "v1.14" {
        let device = files.get_mut(camino::Utf8Path::new("devices/ryzen/device.yaml")).expect("the device");
        *device = device.replace("kubelet:\n  disableManifestsDirectory: false\n\n", "");
    }
    files
}

fn runbook_of(files: &Files, device: &str) -> String {
    let path = format!("devices/{device}/RUNBOOK.md");
    documents(files).into_iter().find(|document| document.path == path).expect("a runbook").text
}

#[test]
fn a_runbook_has_the_commands_of_its_version() {
    insta::assert_snapshot!("talos-1.13", runbook_of(&ryzen("v1.13.8", "v1.12.0", Some("spare")), "ryzen"));
    insta::assert_snapshot!("talos-1.14", runbook_of(&ryzen("v1.14.1", "v1.14.0", Some("spare")), "ryzen"));
}

/// Whether the bytes of an index are in a code block of shell commands.
fn is_in_script(text: &str, at: usize) -> bool {
    text[..at].lines().rev().map(str::trim).find(|line| line.starts_with("```")) == Some("```sh")
}

#[test]
fn every_value_in_a_command_is_quoted_for_the_shell() {
    let templates = built_in_templates().into_iter().filter(|(name, _)| name.ends_with(".md.j2"));
    let mut checked = 0;
    for (name, text) in templates {
        for (at, _) in text.match_indices("{{").filter(|(at, _)| is_in_script(text, *at)) {
            let expression = text[at..].split("}}").next().expect("an expression");
            assert!(expression.ends_with("| word "), "{name}: {expression}}}}}");
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}

#[test]
fn values_cannot_change_the_structure_of_a_document() {
    let mut files = ryzen("v1.12.1", "v1.12.0", None);
    let device = files.get_mut(camino::Utf8Path::new("devices/ryzen/device.yaml")).expect("the device");
    let names = "files:\n  documents.runbook: the manual/a `b` & c.md\n  hostname: it's $HOME; `x`.yaml\n";
    let disk = "disks:\n  other: { size: 1TB, selector: \"disk.model == '`|<&'\", reserved: \"<b> | `a`\" }\n";
    *device = device.replace("files:\n", names).replace("disks:\n", disk);
    let documents = documents(&files);
    let [runbook, map] = &documents[..] else { panic!("{}", documents.len()) };
    assert_eq!(
        (runbook.path.as_str(), map.path.as_str()),
        ("devices/ryzen/the manual/a `b` & c.md", "devices/ryzen/disks.svg")
    );
    for line in [
        "![The disks and their volumes](../disks.svg)",
        "- `other`: 1,000.0 GB (1,000,000,000,000 bytes), found by `` disk.model == '`|<&' ``",
        "  - reserved, no volume may be on it: `` <b> | `a` ``",
        "2. `` devices/ryzen/manifests/it's $HOME; `x`.yaml ``: the hostname",
    ] {
        assert!(runbook.text.lines().any(|other| other == line), "{line}\n{}", runbook.text);
    }
    assert!(map.text.contains("&lt;b&gt; | `a`</text>"), "{}", map.text);
}

#[test]
fn documents_are_artifacts_like_any_other() {
    let sandbox = Sandbox::generated();
    sandbox.commit_all();
    let device = "devices/ryzen/device.yaml";
    sandbox.replace("devices/ryzen/RUNBOOK.md", "- address: `192.168.1.194`", "- address: `192.168.1.195`");
    insta::assert_snapshot!("hand-edited", sandbox.run(&["check"]).stdout);
    sandbox.git(&["checkout", "--", "."]);
    sandbox.replace(device, "\nfiles:\n", "\nfiles:\n  documents.runbook: docs/manual.md\n");
    let changes = |arguments: &[&str]| sandbox.run(arguments).stdout;
    let generate = ["generate", "--tracked-only"];
    assert_eq!(changes(&generate), "A devices/ryzen/docs/manual.md\nD devices/ryzen/RUNBOOK.md\n");
    sandbox.write("devices/ryzen/notes.md", "# Mine\n");
    sandbox.replace(device, "\ndocuments: { runbook: true, diskMap: true }\n", "\n");
    sandbox.replace(device, "  documents.runbook: docs/manual.md\n", "");
    assert_eq!(changes(&generate), "D devices/ryzen/disks.svg\nD devices/ryzen/docs/manual.md\n");
    assert!(!sandbox.path("devices/ryzen/docs").exists());
    sandbox.replace(device, "\nfiles:\n", "\ndocuments: { runbook: true }\n\nfiles:\n");
    sandbox.write("devices/ryzen/RUNBOOK.md", "# Mine\n");
    assert_eq!(sandbox.run(&generate).status, 1);
    assert_eq!(sandbox.read("devices/ryzen/RUNBOOK.md"), "# Mine\n");
    let forced = changes(&["generate", "--tracked-only", "--force"]);
    assert!(forced.starts_with("M devices/ryzen/RUNBOOK.md  (replaces"), "{forced}");
    fs::remove_file(sandbox.path(device)).expect("the device's file");
    let removed = changes(&["generate", "--tracked-only", "--remove-devices"]);
    assert!(removed.starts_with("D argocd/"), "{removed}");
    assert!(removed.contains("\nD devices/ryzen/RUNBOOK.md"), "{removed}");
    assert!(sandbox.path("devices/ryzen/notes.md").exists());
}

#[test]
fn a_runbook_stays_as_it_is_while_a_control_plane_cannot_be_read() {
    let sandbox = Sandbox::generated();
    sandbox.write("devices/broken/device.yaml", "name: [\n");
    sandbox.replace("devices/ryzen/device.yaml", "192.168.1.130", "192.168.1.131");
    sandbox.replace("devices/ryzen/device.yaml", "\nfiles:\n", "\nfiles:\n  documents.runbook: manual.md\n");
    let ran = sandbox.run(&["generate", "--tracked-only", "ryzen"]);
    assert_eq!((ran.status, ran.stdout.as_str()), (0, "M devices/ryzen/manifests/tailscale-dns.patch.yaml\n"));
    fs::remove_file(sandbox.path("devices/broken/device.yaml")).expect("the broken file");
    let ran = sandbox.run(&["generate", "--tracked-only", "ryzen"]);
    assert_eq!(ran.stdout, "A devices/ryzen/manual.md\nD devices/ryzen/RUNBOOK.md\n");
}

#[test]
fn the_map_is_printed() {
    let sandbox = Sandbox::generated();
    let map = sandbox.run(&["show", "--svg", "ryzen"]);
    let (_, body) = sandbox
        .read("devices/ryzen/disks.svg")
        .split_once('\n')
        .map(|(a, b)| (a.to_owned(), b.to_owned()))
        .expect("a header");
    assert_eq!(map, Ran::success(&body, ""));
    sandbox.write("devices/bare/device.yaml", "name: bare\ncluster: galactic\nrole: worker\naddress: 192.168.1.195\n");
    let bare = sandbox.run(&["show", "--svg", "bare"]);
    assert_eq!((bare.status, bare.stderr.as_str()), (2, "error: `bare` lists no `disks` to draw\n"));
}

#[test]
fn every_command_of_every_runbook_exists() {
    let mut models = vec![ryzen("v1.12.1", "v1.12.0", None)];
    for (version, base) in
        [("v1.13.8", "v1.12.0"), ("v1.13.8", "v1.13.0"), ("v1.14.1", "v1.12.0"), ("v1.14.1", "v1.14.0")]
    {
        models.extend([ryzen(version, base, None), ryzen(version, base, Some("spare"))]);
    }
    for fleet in fs::read_dir(repository("tests/fleets")).expect("fleets") {
        models.push(model(&fleet.expect("a fleet").path()));
    }
    for path in fixtures("valid") {
        models.push(with_documents(load(&path).into_iter().map(|(path, text)| (path.into(), text)).collect()));
    }
    let (mut commands, mut wrong) = (0, Vec::new());
    for document in models.iter().flat_map(documents).filter(|document| document.path.ends_with(".md")) {
        let (count, found) = CommandFlags::of(&document.minor).check_markdown(&document.text);
        commands += count;
        wrong.extend(found.into_iter().map(|found| format!("{} for {}: {found}", document.path, document.minor)));
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(commands > 1000, "{commands}");
}
