//! Where a repository, its devices and the files that they name are found.

use std::fs;

use crate::expected::repository;
use crate::sandbox::{Ran, Sandbox};

const DEVICE: &str = "devices/ryzen/device.yaml";
const HOME: (&str, &str) = ("talosmith.yaml", "clusters: { home: { talosVersion: v1.13.0 } }\n");
const NODE: &str = "cluster: home\nrole: controlplane\naddress: 192.0.2.1\n";

#[test]
fn a_repository_is_found_from_a_folder_below_it() {
    let sandbox = Sandbox::generated();
    let below = sandbox.path("devices/ryzen");
    let ran = sandbox.run(&["-C", below.to_str().expect("text"), "check", "manifests"]);
    assert_eq!(ran, Ran::success("", "up to date: 1 device and 23 files checked in [time]\n"));
}

#[test]
fn a_repository_in_a_subfolder_is_checked_with_the_folder_as_an_option() {
    let sandbox = Sandbox::of(&[]);
    for path in ["talosmith.yaml", DEVICE, ".gitignore"] {
        let text = fs::read_to_string(repository(path)).expect("a file of this repository");
        sandbox.write(&format!("my infra/{path}"), &text);
    }
    sandbox.commit_all();
    // As a hook with `args: [-C, my infra]` runs it.
    let hook = &["check", "--staged", "-C", "my infra"];
    let ran = sandbox.run(hook);
    assert_eq!((ran.status, ran.stdout.lines().last()), (1, Some("help: `talosmith -C 'my infra' generate`")));
    assert_eq!(sandbox.run(&["-C", "my infra", "generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    assert_eq!(sandbox.run(hook), Ran::success("", "up to date: 1 device and 23 files checked in [time]\n"));
    // An absolute path stays one in the command.
    sandbox.replace(&format!("my infra/{DEVICE}"), "1405GB", "1390GB");
    let folder = sandbox.path("my infra/devices/ryzen").display().to_string();
    let ran = sandbox.run(&["-q", "check", &folder]);
    assert_eq!(ran.stdout.lines().last(), Some(&*format!("help: `talosmith generate '{folder}'`")));
}

#[test]
fn the_top_of_a_git_repository_is_the_limit_of_the_search() {
    let sandbox = Sandbox::of(&[HOME, ("devices/a/device.yaml", &format!("name: a\n{NODE}")), ("apps/web/a.txt", "")]);
    assert_eq!(sandbox.run(&["-C", "apps/web", "generate"]).status, 0);
    // A worktree and a submodule have a file `.git`.
    sandbox.write("apps/web/.git", "gitdir: elsewhere\n");
    let folder = sandbox.path("").canonicalize().expect("a folder").display().to_string();
    let folder = folder.trim_end_matches('/');
    let ran = sandbox.run(&["-C", "apps/web", "validate"]);
    let error = format!(
        "error: there is no talosmith.yaml here or in a folder above; the one in {folder} is outside of this repository of git: `-C {folder}` reads it\n"
    );
    assert_eq!(ran, Ran { status: 2, stdout: String::new(), stderr: error });
    assert_eq!(sandbox.run(&["-C", "apps/web", "init", "b"]).status, 0);
    assert!(sandbox.path("apps/web/talosmith.yaml").exists() && !sandbox.path("devices/b").exists());
}

#[test]
fn an_absolute_path_names_a_repository_and_a_device_from_anywhere() {
    let sandbox = Sandbox::of(&[HOME, ("devices/a/device.yaml", &format!("name: a\n{NODE}"))]);
    let elsewhere = Sandbox::of(&[]);
    let path = |path: &str| sandbox.path(path).to_str().expect("UTF-8").to_owned();
    assert_eq!(elsewhere.run(&["generate", &path("devices/a")]).status, 0);
    for argument in ["", "devices", "devices/a", "devices/a/device.yaml", "talosmith.yaml"] {
        let ran = elsewhere.run(&["check", &path(argument)]);
        assert_eq!((ran.status, ran.stdout.as_str()), (0, ""), "{argument}: {}", ran.stderr);
    }
    assert_eq!(sandbox.run(&["check", &path("devices/a")]).status, 0);
    assert_eq!(sandbox.run(&["check", &path("devices/b")]).status, 2);
}

#[test]
fn misnamed_and_misplaced_devices_are_errors_with_the_command_that_moves_them() {
    let sandbox = Sandbox::of(&[HOME]);
    sandbox.write("devices/loose.yaml", &format!("name: loose\n{NODE}"));
    sandbox.write("devices/short/device.yml", &format!("name: short\n{NODE}"));
    sandbox.write("devices/upper/Device.yaml", &format!("name: upper\n{NODE}"));
    sandbox.write("devices/rack/nested/device.yaml", &format!("name: nested\n{NODE}"));
    sandbox.write("devices/notes/README.md", "nothing of a device\n");
    sandbox.write("devices/values.yaml", "replicas: 1\n");
    sandbox.write("elsewhere/device.yaml", &format!("name: linked\n{NODE}"));
    std::os::unix::fs::symlink("../elsewhere", sandbox.path("devices/linked")).expect("a link");
    let ran = sandbox.run(&["validate"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("misnamed-devices", ran.stdout);
    for line in ran.stdout.lines() {
        if let Some((_, command)) = line.split_once("= help: `") {
            let command = command.trim_end_matches('`');
            assert!(sandbox.shell(command), "{command}");
        }
    }
    let ran = sandbox.run(&["fleet", "--format", "json"]);
    let fleet: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let names = fleet["devices"].as_array().expect("devices").iter().map(|device| device["name"].as_str());
    assert_eq!(names.collect::<Vec<_>>(), [Some("loose"), Some("nested"), Some("short"), Some("upper")]);
}

#[test]
fn a_repository_without_a_device_is_a_warning() {
    let sandbox = Sandbox::of(&[HOME]);
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 0);
    insta::assert_snapshot!("no-device", format!("{}\n{}", ran.stdout, ran.stderr));
}

#[test]
fn a_misnamed_fleet_file_is_named() {
    let sandbox = Sandbox::of(&[("talosmith.yml", HOME.1)]);
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 2);
    insta::assert_snapshot!("misnamed-fleet-file", ran.stderr);
}

#[test]
fn a_patch_file_that_cannot_be_read_is_a_finding_at_its_key() {
    let sandbox = Sandbox::of(&[("talosmith.yaml", "clusters: { home: { talosVersion: v1.13.0 } }\n")]);
    let device = "name: a\ncluster: home\nrole: controlplane\naddress: 192.0.2.1\npatches:\n";
    let patches = ["linked", "folder", "latin-1", "absent"].map(|name| format!("  {name}: {{ file: {name}.yaml }}\n"));
    sandbox.write("devices/a/device.yaml", &format!("{device}{}", patches.concat()));
    std::os::unix::fs::symlink("device.yaml", sandbox.path("devices/a/linked.yaml")).expect("a link");
    fs::create_dir(sandbox.path("devices/a/folder.yaml")).expect("a folder");
    fs::write(sandbox.path("devices/a/latin-1.yaml"), b"# caf\xe9\nmachine: {}\n").expect("a file");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("patch-files", format!("{}\n{}", ran.stdout, ran.stderr));
}
