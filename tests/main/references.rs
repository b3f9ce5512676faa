//! Values of hand-written files that no device has, with the fleet `rack` as the example.

use std::os::unix::fs::symlink;

use crate::sandbox::{Ran, Sandbox};

const PODS: &str = "apps/dashboards/deployment.yaml";
const UP_TO_DATE: &str = "up to date: 5 devices and 59 files checked in [time]\n";

/// Returns the first line of each finding.
fn heads(ran: &Ran) -> Vec<&str> {
    ran.stdout.lines().filter(|line| line.starts_with("warning[") || line.starts_with("error[")).collect()
}

#[test]
fn a_node_that_is_gone_is_found_where_files_name_it() {
    let rack = Sandbox::committed_fleet("rack");
    assert_eq!(rack.run(&["check"]), Ran::success("", UP_TO_DATE));
    rack.replace(PODS, "store-1", "store-3");
    let ran = rack.run(&["check"]);
    insta::assert_snapshot!("gone-node", ran.stdout);
    assert_eq!(ran.status, 0, "a warning does not fail");
    // What is not staged is not in the commit.
    assert_eq!(heads(&rack.run(&["check", "--staged"])), [""; 0]);
    rack.git(&["add", PODS]);
    let gone = ["warning[unknown-reference]: no device is the Kubernetes node `store-3`"];
    assert_eq!(heads(&rack.run(&["check", "--staged"])), gone);
    // The commands for one device do not read these files.
    assert_eq!(heads(&rack.run(&["check", "cp-1"])), [""; 0]);
    rack.replace("talosmith.yaml", "unnamed-system-disk: off", "unnamed-system-disk: off, unknown-reference: error");
    assert_eq!(rack.run(&["check"]).status, 1);
}

#[test]
fn a_device_with_errors_keeps_the_names_of_all_from_being_known() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace(PODS, "store-1", "store-3");
    rack.replace("devices/cp-1/device.yaml", "role: controlplane", "role: control");
    let ran = rack.run(&["check"]);
    assert_eq!((ran.status, heads(&ran).len()), (1, 1), "{ran:?}");
}

#[test]
fn links_are_not_followed() {
    let rack = Sandbox::committed_fleet("rack");
    let outside = Sandbox::of(&[("pods.yaml", "nodeSelector: { kubernetes.io/hostname: elsewhere }\n")]);
    std::fs::remove_file(rack.path(PODS)).expect("a file");
    symlink(outside.path("pods.yaml"), rack.path(PODS)).expect("a link");
    symlink(outside.path(""), rack.path("apps/linked")).expect("a link");
    let ran = rack.run(&["check"]);
    assert_eq!(heads(&ran), ["warning[unchecked-reference]: no file matches `apps/**/*.yaml`"]);
    assert!(ran.stdout.contains("`apps/dashboards/deployment.yaml` is a symbolic link"), "{ran:?}");
}
