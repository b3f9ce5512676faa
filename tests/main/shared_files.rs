//! Files that several model keys share, because `files` has one name for them.

use crate::sandbox::Sandbox;

const DEVICE: &str = "devices/node/device.yaml";
const FILE: &str = "devices/node/manifests/node.patch.yaml";
const HOSTNAME: &str = "devices/node/manifests/hostname.patch.yaml";

const FLEET: &str = "\
clusters:
  home:
    talosVersion: v1.13.2
    endpoint: https://192.0.2.30:6443
";

const MODEL: &str = "\
name: node
cluster: home
role: controlplane
address: 192.0.2.30
labels: { rack: a }
sysctls: { vm.swappiness: \"10\" }
files: { hostname: node.patch.yaml, labels: node.patch.yaml, sysctls: node.patch.yaml }
";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::of(&[("talosmith.yaml", FLEET), (DEVICE, MODEL)]);
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    sandbox.commit_all();
    sandbox
}

#[test]
fn a_shared_file_has_the_documents_of_its_keys_and_is_shown_once() {
    let sandbox = sandbox();
    insta::assert_snapshot!("shared-file", sandbox.read(FILE));
    insta::assert_snapshot!("shown-shared-file", sandbox.run(&["show", "node"]).stdout);
    let json = sandbox.run(&["show", "node", "--format", "json"]).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["outputs"][0]["key"], "hostname");
    assert_eq!(json["outputs"][0]["otherKeys"], serde_json::json!(["sysctls", "labels"]));
}

#[test]
fn a_hand_edit_leads_to_the_key_of_its_line() {
    let sandbox = sandbox();
    let generated = sandbox.read(FILE);
    let mut reports = String::new();
    for (old, new) in [
        ("vm.swappiness: \"10\"", "vm.swappiness: \"20\""),
        ("rack: a", "rack: b"),
        ("hostname: node", "hostname: other"),
        ("    rack: a\n", "    rack: a\n    row: b\n"),
    ] {
        sandbox.replace(FILE, old, new);
        let ran = sandbox.run(&["check"]);
        assert_eq!(ran.status, 1);
        reports.push_str(&ran.stdout);
        sandbox.write(FILE, &generated);
    }
    insta::assert_snapshot!("edited-shared-file", reports);
}

#[test]
fn a_shared_file_is_stale_if_one_of_its_keys_changed() {
    let sandbox = sandbox();
    sandbox.replace(DEVICE, "\"10\"", "\"20\"");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("stale-shared-file", ran.stdout);
}

#[test]
fn files_are_orphans_when_their_keys_begin_or_end_to_share_one() {
    let sandbox = sandbox();
    sandbox.replace(DEVICE, "hostname: node.patch.yaml, ", "");
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    assert!(sandbox.path(HOSTNAME).exists() && !sandbox.read(FILE).contains("hostname"));
    sandbox.replace(DEVICE, "files: { ", "files: { hostname: node.patch.yaml, ");
    let ran = sandbox.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("sharing-begins", ran.stdout);
    assert_eq!(sandbox.run(&["generate"]).status, 0);
    assert!(!sandbox.path(HOSTNAME).exists());
    assert_eq!(sandbox.run(&["check"]).status, 0);
}
