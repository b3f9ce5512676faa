//! What `talosmith review` prints about a change, in each of its forms.

use serde_json::Value;

use crate::sandbox::{Ran, Sandbox};

pub(crate) const DEVICE: &str = "devices/ryzen/device.yaml";

/// The review without the ID of the commit.
pub(crate) fn reviewed(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
    let id = sandbox.git(&["rev-parse", "HEAD"]);
    let mut ran = sandbox.run(&[&["review"], arguments].concat());
    ran.stdout = ran.stdout.replace(&id[..12], "[commit]");
    ran
}

fn json(sandbox: &Sandbox) -> Value {
    let schema: Value = serde_json::from_str(&sandbox.run(&["schema", "review"]).stdout).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let review: Value = serde_json::from_str(&sandbox.run(&["review", "--format", "json"]).stdout).expect("JSON");
    assert!(validator.is_valid(&review), "{review:#}");
    review
}

/// Several changes of one device.
pub(crate) fn change(sandbox: &Sandbox) {
    sandbox.replace(DEVICE, "size: 1405GB", "size: 1305GB");
    sandbox.replace(DEVICE, "      - siderolabs/amd-ucode\n", "      - siderolabs/iscsi-tools\n");
    sandbox.replace(DEVICE, "  hostname: ryzen\n", "  hostname: ryzen-2\n");
    sandbox.replace(DEVICE, "kata: true\n", "kata: true\nsysctls: { vm.max_map_count: \"262144\" }\n");
    sandbox.replace(DEVICE, "  kubevirt.io/schedulable: \"true\"\n", "  zone: a\n");
}

#[test]
fn each_change_has_its_consequence_and_its_line() {
    let sandbox = Sandbox::committed();
    change(&sandbox);
    let ran = reviewed(&sandbox, &[]);
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""));
    insta::assert_snapshot!("review", ran.stdout);
    insta::assert_snapshot!("review-markdown", reviewed(&sandbox, &["--format", "markdown"]).stdout);
    let review = json(&sandbox);
    let changes = review["devices"][0]["changes"].as_array().expect("changes");
    let size = changes.iter().find(|change| change["before"] == "1405GB").expect("the smaller volume");
    assert_eq!((&size["class"], &size["location"]["line"]), (&"kept".into(), &32.into()));
}

#[test]
fn a_class_can_fail_the_command() {
    let sandbox = Sandbox::committed();
    change(&sandbox);
    for (classes, status) in
        [("upgrade", 1), ("wipe,kept", 1), ("reboot", 0), ("restart", 1), ("restart:ext-x", 0), ("cut", 1)]
    {
        assert_eq!(sandbox.run(&["review", "--fail-on", classes]).status, status, "{classes}");
    }
    assert_eq!(sandbox.run(&["review", "--fail-on", "boom"]).status, 2);
}

#[test]
fn what_only_looks_different_is_no_change_of_the_node() {
    let sandbox = Sandbox::committed();
    sandbox.replace(DEVICE, "size: 500GB", "size: 500000MB");
    sandbox.replace(DEVICE, "files:\n", "# A comment.\nfiles:\n");
    sandbox.replace(
        DEVICE,
        "volumes.local-path-provisioner: local-path.patch.yaml",
        "volumes.local-path-provisioner: x.patch.yaml",
    );
    let ran = reviewed(&sandbox, &[]);
    assert_eq!(ran.stdout, "compared with HEAD ([commit])\n\nnothing happens to 1 device\n");
}

#[test]
fn the_files_of_the_commit_count_and_not_what_its_model_renders() {
    let sandbox = Sandbox::committed();
    sandbox.replace("devices/ryzen/manifests/blockfile.patch.yaml", "500GB", "400GB");
    sandbox.commit_all();
    let ran = reviewed(&sandbox, &[]);
    assert_eq!(ran.status, 2, "nothing is uncommitted: {}", ran.stdout);
    let ran = reviewed(&sandbox, &["--base", "HEAD"]);
    insta::assert_snapshot!("review-stale-file", ran.stdout);
}

#[test]
fn an_uncommitted_edit_of_a_generated_file_is_not_what_the_node_has() {
    let sandbox = Sandbox::committed();
    sandbox.replace("devices/ryzen/manifests/blockfile.patch.yaml", "500GB", "400GB");
    std::fs::remove_file(sandbox.path("devices/ryzen/manifests/hostname.patch.yaml")).expect("the file can be removed");
    let ran = reviewed(&sandbox, &[]);
    assert_eq!(ran.stdout, "compared with HEAD ([commit])\n\nnothing happens to 1 device\n");
}

#[test]
fn a_missing_commit_is_an_error_with_what_to_type() {
    let sandbox = Sandbox::committed();
    let mut output = String::new();
    for arguments in [&[][..], &["--base", "origin/main"], &["--base", "nope"], &["--base", "--all"]] {
        let ran = reviewed(&sandbox, arguments);
        assert_eq!(ran.status, 2, "{arguments:?}");
        output.push_str(&ran.stderr);
    }
    let shallow = sandbox.path("shallow");
    let origin = format!("file://{}", sandbox.path("").display());
    sandbox.git(&["commit", "--quiet", "--allow-empty", "--message", "more"]);
    sandbox.git(&["clone", "--quiet", "--depth", "1", &origin, shallow.to_str().expect("UTF-8")]);
    output.push_str(&sandbox.run(&["-C", "shallow", "review", "--base", "HEAD~1"]).stderr);
    insta::assert_snapshot!("review-no-commit", output);
}

#[test]
fn the_default_is_where_the_branch_left_its_upstream() {
    let sandbox = Sandbox::committed();
    sandbox.git(&["checkout", "--quiet", "-b", "work", "--track"]);
    sandbox.replace(DEVICE, "size: 1405GB", "size: 1305GB");
    sandbox.commit_all();
    let ran = sandbox.run(&["review"]);
    assert!(ran.stdout.starts_with("compared with the merge base with main ("), "{}", ran.stdout);
    assert!(ran.stdout.contains("1405GB → 1305GB"), "{}", ran.stdout);
}

#[test]
fn a_side_that_cannot_be_read_is_unknown_and_never_nothing() {
    let sandbox = Sandbox::committed();
    let good = sandbox.read(DEVICE);
    sandbox.replace(DEVICE, "role: controlplane", "role: king");
    sandbox.commit_all();
    sandbox.write(DEVICE, &good);
    let mut output = reviewed(&sandbox, &[]).stdout;
    sandbox.replace(DEVICE, "role: controlplane", "role: queen");
    let ran = reviewed(&sandbox, &[]);
    assert_eq!(ran.status, 1);
    output.push_str(&format!("\n---\n{}{}", ran.stdout, ran.stderr));
    insta::assert_snapshot!("review-unknown", output);
    assert_eq!(json(&sandbox)["devices"][0]["changes"][0]["class"], "unknown");
}

#[test]
fn a_device_whose_files_cannot_be_rendered_is_unknown() {
    let sandbox = Sandbox::committed();
    sandbox.replace(DEVICE, "  local-path-provisioner: { disk", "  data: { disk");
    sandbox.replace(DEVICE, "volumes: [local-path-provisioner]", "volumes: [data]");
    let ran = reviewed(&sandbox, &[]);
    assert_eq!(ran.status, 1);
    let text = "1 of 1 device changes\n  ryzen  unknown\n";
    assert!(ran.stdout.contains(text), "{}", ran.stdout);
}

#[test]
fn a_volume_that_grows_needs_a_boot() {
    let sandbox = Sandbox::committed();
    sandbox.replace(DEVICE, "size: 1405GB }", "minSize: 1405GB, grow: true }");
    assert!(reviewed(&sandbox, &[]).stdout.contains("  ryzen  grows at the next boot\n"));
    assert!(reviewed(&sandbox, &["--steps"]).stdout.contains("\ntalosctl -n 192.168.1.194 reboot\n"));
}

#[test]
fn one_changed_default_is_one_row_for_all_devices() {
    let sandbox = Sandbox::committed_fleet("company");
    let text = sandbox.read("talosmith.yaml");
    let changed = text.replacen("    defaults:\n", "    defaults:\n      annotations: { example.com/rack: r2 }\n", 1);
    sandbox.write("talosmith.yaml", &changed);
    let ran = reviewed(&sandbox, &[]);
    assert!(ran.stdout.lines().count() <= 60, "{}", ran.stdout);
    insta::assert_snapshot!("review-default", ran.stdout);
}

#[test]
fn a_new_base_config_moves_values_and_changes_nothing() {
    let sandbox = Sandbox::committed_fleet("features");
    sandbox.replace(
        "talosmith.yaml",
        "talosVersion: v1.13.8\n    baseConfig: v1.13.8",
        "talosVersion: v1.14.1\n    baseConfig: v1.13.8",
    );
    sandbox.run(&["generate", "--tracked-only", "--quiet"]);
    sandbox.commit_all();
    sandbox.replace("talosmith.yaml", "baseConfig: v1.13.8", "baseConfig: v1.14.1");
    insta::assert_snapshot!("review-base", reviewed(&sandbox, &[]).stdout);
}

#[test]
fn objects_say_what_kubernetes_does_not_allow_to_change() {
    let sandbox = Sandbox::committed();
    sandbox.replace("talosmith.yaml", "defaultClass: true", "defaultClass: false");
    insta::assert_snapshot!("review-objects", reviewed(&sandbox, &[]).stdout);
}

#[test]
fn what_follows_from_defaults_and_from_values_is_reported() {
    let mut output = String::new();
    for (title, file, old, new) in [
        ("a label with another value", DEVICE, "  kata-deploy: enabled\n", "  kata-deploy: disabled\n"),
        ("EPHEMERAL grows unless told otherwise", DEVICE, "size: 100GiB }", "maxSize: 101GiB }"),
        (
            "what only a first boot reads",
            DEVICE,
            "    extraKernelArgs:\n",
            "    meta: [{ key: 10, value: a }]\n    extraKernelArgs:\n",
        ),
        (
            "what SecureBoot would enroll, in an image without it",
            DEVICE,
            "    extraKernelArgs:\n",
            "    secureboot: { includeWellKnownCertificates: true }\n    extraKernelArgs:\n",
        ),
        ("SecureBoot", DEVICE, "{ schematic: tailscale }", "{ schematic: tailscale, secureboot: true }"),
        ("an endpoint that no file has", "talosmith.yaml", "192.168.1.194:6443", "192.168.1.194:8443"),
    ] {
        let sandbox = Sandbox::committed();
        sandbox.replace(file, old, new);
        output.push_str(&format!("===== {title}\n{}\n", reviewed(&sandbox, &[]).stdout));
    }
    insta::assert_snapshot!("review-defaults", output);
}

#[test]
fn added_and_removed_devices_have_rows() {
    let sandbox = Sandbox::committed_fleet("home-lab");
    let old = sandbox.git(&["ls-files", "devices/*/device.yaml"]);
    let first = old.lines().next().expect("a device");
    let folder = first.strip_suffix("/device.yaml").expect("a device");
    let text = sandbox.read(first);
    let name = folder.strip_prefix("devices/").expect("a device");
    sandbox.git(&["rm", "-r", "--quiet", folder]);
    sandbox.write(
        "devices/newcomer/device.yaml",
        &text.replace(&format!("name: {name}"), "name: newcomer").replace("192.168.10.11", "192.168.10.19"),
    );
    insta::assert_snapshot!("review-devices", reviewed(&sandbox, &[]).stdout);
}

#[test]
fn what_the_running_talos_refuses_comes_after_the_upgrade() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.replace(DEVICE, "kata: true\n", "");
    sandbox.replace(DEVICE, "kubelet:\n  disableManifestsDirectory: false\n", "");
    sandbox.replace("talosmith.yaml", "v1.12.1", "v1.13.8\n    baseConfig: v1.13.8");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    sandbox.replace("talosmith.yaml", "v1.13.8", "v1.14.1");
    insta::assert_snapshot!("review-newer-kinds", reviewed(&sandbox, &[]).stdout);
}

#[test]
fn a_row_has_the_line_of_its_own_key() {
    let sandbox = Sandbox::committed_fleet("company");
    let changes = [
        ("      searchDomains: { domains: [next.example.com]", "      searchDomains: { domains: [other.example.com]"),
        ("      certSANs: [controlplanes]\n", "      certSANs: [controlplanes, api.next.example.com]\n"),
    ];
    for (old, new) in changes {
        sandbox.replace("talosmith.yaml", old, new);
    }
    let text = sandbox.read("talosmith.yaml");
    let line_of = |part: &str| text.lines().position(|line| line.contains(part)).expect("the line") + 1;
    let review = json(&sandbox);
    let devices = review["devices"].as_array().expect("devices");
    let changes = devices.iter().flat_map(|device| device["changes"].as_array().expect("changes"));
    for change in changes {
        let expected = match change["path"].as_str() {
            Some("ResolverConfig searchDomains.domains") => line_of("other.example.com"),
            Some("machine.certSANs") => line_of("api.next.example.com"),
            other => panic!("{other:?}"),
        };
        assert_eq!(change["location"]["line"], expected, "{change:#}");
    }
}

#[test]
fn a_daemon_set_of_another_cluster_has_no_pods_on_a_node() {
    let sandbox = Sandbox::committed();
    let other = "  other: { talosVersion: v1.12.1, endpoint: https://192.0.2.7:6443 }\n\nsecrets:";
    sandbox.replace("talosmith.yaml", "\nsecrets:", other);
    let device = |label: &str| {
        format!(
            "name: edge\ncluster: other\nrole: controlplane\naddress: 192.0.2.7\nlabels: {{ kata-deploy: {label} }}\n"
        )
    };
    sandbox.write("devices/edge/device.yaml", &device("enabled"));
    sandbox.run(&["generate", "--tracked-only", "--quiet"]);
    sandbox.commit_all();
    sandbox.write("devices/edge/device.yaml", &device("disabled"));
    let review = reviewed(&sandbox, &[]).stdout;
    assert!(review.contains("machine.nodeLabels.kata-deploy: enabled → disabled"), "{review}");
    assert!(!review.contains("DaemonSet"), "{review}");
}
