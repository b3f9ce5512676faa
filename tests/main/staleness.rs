//! Why a file differs (stale, hand-edited, missing, orphan), in the work tree and in git's index.

use std::fs;

use crate::sandbox::Sandbox;

const DEVICE: &str = "devices/ryzen/device.yaml";
const BLOCKFILE: &str = "devices/ryzen/manifests/blockfile.patch.yaml";
const IMAGE: &str = "devices/ryzen/manifests/installer-image.patch.yaml";

#[test]
fn a_hand_edit_is_reported_with_the_line_of_the_model() {
    let sandbox = Sandbox::committed();
    sandbox.replace(BLOCKFILE, "minSize: 500GB", "minSize: 501GB");
    sandbox.replace(IMAGE, "v1.12.1", "v1.12.2");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("hand-edited", ran.stdout);
}

#[test]
fn an_edited_schematic_id_leads_to_the_schematic() {
    let sandbox = Sandbox::committed();
    sandbox.replace(IMAGE, "metal-installer/317c", "metal-installer/417c");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("edited-schematic-id", ran.stdout);
}

#[test]
fn a_removed_path_leads_to_the_volumes_of_its_device() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.replace(DEVICE, "volumes: [local-path-provisioner]", "volumes: [local-path-provisioner, second]");
    sandbox.replace(DEVICE, "size: 1405GB }", "size: 1000GB }\n  second: { disk: nvme0n1, size: 405GB }");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    let paths = "argocd/applications/local-path/patches/local-path-config.patch.yaml";
    sandbox.replace(paths, ",\"/var/mnt/second\"", "");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("removed-path", ran.stdout);
}

#[test]
fn a_difference_is_stale_if_the_model_changed() {
    let sandbox = Sandbox::committed();
    sandbox.replace(DEVICE, "500GB", "501GB");
    sandbox.replace(IMAGE, "v1.12.1", "v1.12.2");
    let ran = sandbox.run(&["check", "--format", "json"]);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let codes: Vec<_> =
        report["findings"].as_array().expect("a list").iter().map(|finding| finding["code"].clone()).collect();
    assert_eq!(codes, ["stale", "stale", "stale", "hand-edited"]);
}

#[test]
fn missing_files_and_orphans_are_reported_without_git() {
    let sandbox = Sandbox::of_this_repository();
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    fs::remove_file(sandbox.path(BLOCKFILE)).expect("the file can be removed");
    sandbox.replace(DEVICE, "\nallowSchedulingOnControlPlanes: true\n", "\n");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("missing-and-orphan", ran.stdout);
}

#[test]
fn staged_reads_the_model_and_the_files_from_the_index() {
    let sandbox = Sandbox::committed();
    // The edit is not staged, so the index is clean.
    sandbox.replace(DEVICE, "500GB", "501GB");
    assert_eq!(sandbox.run(&["check"]).status, 1);
    assert_eq!(sandbox.run(&["check", "--staged"]).status, 0);
    // Only the model is staged, so the index is stale.
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.git(&["add", DEVICE]);
    assert_eq!(sandbox.run(&["check"]).status, 0);
    assert_eq!(sandbox.run(&["check", "--staged"]).status, 1);
    sandbox.git(&["add", "--all"]);
    assert_eq!(sandbox.run(&["check", "--staged"]).status, 0);
}

#[test]
fn staged_reports_an_edit_that_the_work_tree_does_not_have() {
    let sandbox = Sandbox::committed();
    sandbox.replace(BLOCKFILE, "minSize: 500GB", "minSize: 501GB");
    sandbox.git(&["add", BLOCKFILE]);
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    assert_eq!(sandbox.run(&["check"]).status, 0);
    let ran = sandbox.run(&["check", "--staged"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("staged-edit", ran.stdout);
}

#[test]
fn a_committed_difference_is_not_a_hand_edit() {
    let sandbox = Sandbox::committed();
    sandbox.replace(BLOCKFILE, "minSize: 500GB", "minSize: 501GB");
    sandbox.replace("talosmith.yaml", "v0.0.31", "v0.0.32");
    sandbox.commit_all();
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("committed-difference", ran.stdout);
}

#[test]
fn added_removed_and_emptied_lines_are_hand_edits() {
    let sandbox = Sandbox::committed();
    let labels = "devices/ryzen/manifests/node-labels.patch.yaml";
    let kubelet = "devices/ryzen/manifests/kubelet-manifests.patch.yaml";
    sandbox.replace(labels, "    kata-deploy: enabled\n", "");
    sandbox.write(kubelet, &format!("{}# a note\n", sandbox.read(kubelet)));
    sandbox.write(IMAGE, "");
    sandbox.replace("argocd/applications/local-path/kustomization.yaml", "v0.0.31", "v0.0.30");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("edited-lines", ran.stdout);
}

#[test]
fn without_git_a_difference_has_no_cause() {
    let sandbox = Sandbox::of_this_repository();
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.replace(BLOCKFILE, "minSize: 500GB", "minSize: 501GB");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("without-git", ran.stdout);
    assert_eq!(sandbox.run(&["check", "--staged"]).status, 2);
}

#[test]
fn findings_about_files_of_one_device_are_one_block_and_have_one_command() {
    let sandbox = Sandbox::of_fleet("home-lab");
    let missing = sandbox.run(&["check", "nas"]);
    assert_eq!(missing.status, 1);
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    sandbox.replace("talosmith.yaml", "192.168.10.1]", "192.168.10.2]");
    sandbox.replace("talosmith.yaml", "sysctls: { fs.inotify.max_user_watches: \"1048576\" }", "");
    sandbox.replace("talosmith.yaml", "      time: { servers: [192.168.10.1, time.cloudflare.com] }\n", "");
    sandbox.replace("devices/nas/manifests/etcd.patch.yaml", "192.168.10.0/24", "192.168.11.0/24");
    fs::remove_file(sandbox.path("devices/node-10/device.yaml")).expect("the file can be removed");
    let changed = sandbox.run(&["check"]);
    assert_eq!(changed.status, 1);
    insta::assert_snapshot!("grouped", format!("{}─────\n{}", missing.stdout, changed.stdout));
    // For programs there is a finding for each file.
    let report = sandbox.run(&["check", "--format", "json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let count = |code| report["findings"].as_array().expect("a list").iter().filter(|f| f["code"] == code).count();
    assert_eq!(["stale", "orphan", "hand-edited"].map(count), [3, 16, 1]);
    let differ = "20 files differ: `talosmith generate altra bosgame nas`\n";
    assert_eq!(sandbox.run(&["diff"]).stderr, differ);
    // The commands do what they say.
    assert_eq!(sandbox.run(&["generate", "--tracked-only", "altra", "bosgame", "nas"]).status, 0);
    assert_eq!(sandbox.run(&["generate", "--tracked-only", "--remove-devices"]).status, 0);
    assert_eq!(sandbox.run(&["check"]).stdout, "");
}

#[test]
fn the_edit_that_generate_overwrites_is_shown() {
    let sandbox = Sandbox::committed();
    sandbox.replace(BLOCKFILE, "minSize: 500GB", "minSize: 501GB");
    // A file that is only stale is not marked.
    sandbox.replace("talosmith.yaml", "v0.0.31", "v0.0.32");
    let report = sandbox.run(&["generate", "--tracked-only", "--dry-run", "--format", "json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&report).expect("JSON");
    let diff = report["summary"]["handEdited"][0]["diff"].as_str().expect("a diff").to_owned();
    let ran = sandbox.run(&["generate", "--tracked-only"]);
    let shown = "\
M devices/ryzen/manifests/blockfile.patch.yaml  (edited since HEAD, and the model was not: the diff shows the edit that is lost)
M devices/ryzen/RUNBOOK.md
M argocd/applications/local-path/kustomization.yaml
";
    assert_eq!((ran.status, ran.stdout), (0, format!("{shown}{diff}")));
    sandbox.write("edit.diff", &diff);
    sandbox.git(&["apply", "--reverse", "edit.diff"]);
    assert!(sandbox.read(BLOCKFILE).contains("minSize: 501GB"));
}

#[test]
fn many_stale_lines_are_left_to_diff() {
    let sandbox = Sandbox::committed();
    for path in [BLOCKFILE, IMAGE, "devices/ryzen/manifests/hostname.patch.yaml"] {
        let text = sandbox.read(path);
        sandbox.write(path, &format!("{text}{}", "# a line\n".repeat(9)));
    }
    sandbox.commit_all();
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("many-stale-lines", ran.stdout);
}

#[test]
fn the_edit_of_a_file_that_nothing_requests_any_more_is_shown() {
    const PATCH: &str = "devices/ryzen/manifests/allow-scheduling-controlplane.patch.yaml";
    let sandbox = Sandbox::committed();
    sandbox.write(PATCH, &format!("{}# a note\n", sandbox.read(PATCH)));
    sandbox.replace(DEVICE, "\nallowSchedulingOnControlPlanes: true\n", "\n");
    let checked = sandbox.run(&["check"]).stdout;
    let generated = sandbox.run(&["generate", "--tracked-only"]).stdout;
    insta::assert_snapshot!("edited-orphan", format!("{checked}─────\n{generated}"));
}

#[test]
fn a_conflict_in_a_generated_file_is_no_edit_to_keep() {
    let sandbox = Sandbox::committed();
    let text = sandbox.read(BLOCKFILE);
    let (first, rest) = text.split_once('\n').expect("two lines");
    sandbox.write(BLOCKFILE, &format!("{first}\n<<<<<<< ours\n{rest}=======\n>>>>>>> theirs\n"));
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("conflict", ran.stdout);
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    assert_eq!(sandbox.read(BLOCKFILE), text);
}

#[test]
fn helps_name_the_folder_of_the_repository() {
    let sandbox = Sandbox::of(&[]);
    let outer = Sandbox::of_this_repository();
    assert_eq!(outer.run(&["generate", "--tracked-only"]).status, 0);
    outer.write(IMAGE, "machine: {}\n");
    let folder = outer.path("");
    let folder = folder.to_str().expect("UTF-8").trim_end_matches('/');
    for arguments in [&["-C", folder, "check"][..], &["check", folder]] {
        let stdout = sandbox.run(arguments).stdout;
        let command = format!("talosmith -C {folder} generate");
        let help = stdout.lines().find(|line| line.contains("help: to replace it:")).expect("the help");
        assert!(help.contains(&command), "{help}");
    }
    // What is replaced is shown.
    let ran = sandbox.run(&["-C", folder, "generate", "--tracked-only", "--force"]);
    assert!(ran.stdout.contains("\n-machine: {}\n"), "{}", ran.stdout);
}
