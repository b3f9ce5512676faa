//! What `talosmith review` prints about a change, in each of its forms.

use serde_json::Value;

use crate::command_flags::{CommandFlags, lines_of};
use crate::sandbox::{Ran, Sandbox};

const DEVICE: &str = "devices/ryzen/device.yaml";

/// The review without the ID of the commit.
fn reviewed(sandbox: &Sandbox, arguments: &[&str]) -> Ran {
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
fn change(sandbox: &Sandbox) {
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
fn added_and_removed_devices_have_rows() {
    let sandbox = Sandbox::committed_fleet("home-lab");
    let old = sandbox.git(&["ls-files", "devices/*/device.yaml"]);
    let first = old.lines().next().expect("a device");
    let folder = first.strip_suffix("/device.yaml").expect("a device");
    let text = sandbox.read(first);
    let name = folder.strip_prefix("devices/").expect("a device");
    sandbox.git(&["rm", "-r", "--quiet", folder]);
    sandbox.write("devices/newcomer/device.yaml", &text.replace(&format!("name: {name}"), "name: newcomer"));
    insta::assert_snapshot!("review-devices", reviewed(&sandbox, &[]).stdout);
}

#[test]
fn the_steps_have_commands_that_exist_in_the_version_that_runs() {
    let sandbox = Sandbox::committed();
    change(&sandbox);
    sandbox.replace(
        DEVICE,
        "kata: true\n",
        "kata: true\nmachineFiles: { /var/lib/a: { content: a, permissions: \"0o644\" } }\n",
    );
    let mut output = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.12").check_script(&output), Vec::<String>::new());
    for minor in ["1.13", "1.14"] {
        let sandbox = Sandbox::committed_fleet("features");
        let version = if minor == "1.13" { "v1.13.8" } else { "v1.14.1" };
        let text = sandbox.read("talosmith.yaml");
        let at = text.find(&format!("talosVersion: {version}")).expect("a cluster");
        let (before, after) = text.split_at(at);
        let defaults = "    defaults:\n";
        let text = after.replacen(defaults, &format!("{defaults}      sysctls: {{ vm.swappiness: \"1\" }}\n      machineFiles: {{ /var/lib/a: {{ content: a, permissions: \"0o644\" }} }}\n"), 1);
        sandbox.write("talosmith.yaml", &format!("{before}{text}"));
        let worker = if minor == "1.13" { "old-worker-1" } else { "new-worker-1" };
        let steps = reviewed(&sandbox, &["--steps", worker]).stdout;
        assert_eq!(CommandFlags::of(minor).check_script(&steps), Vec::<String>::new());
        output.push_str(&format!("\n--- Talos {minor}\n{steps}"));
    }
    insta::assert_snapshot!("review-steps", output);
}

#[test]
fn a_new_volume_is_not_made_while_an_old_one_has_its_room() {
    let sandbox = Sandbox::committed();
    // Another name for the largest volume, one that fits before it, and one that comes after it.
    let text = sandbox.read(DEVICE).replace("local-path-provisioner", "data").replace("data.patch", "local-path.patch");
    let added = "  small: { disk: nvme0n1, size: 10GB }\n  last: { disk: nvme0n1, minSize: 1GB }\n";
    sandbox.write(DEVICE, &text.replace("1405GB }\n", &format!("1390GB }}\n{added}")));
    sandbox.replace("talosmith.yaml", "/var/mnt/local-path-provisioner", "/var/mnt/data");
    let steps = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.12").check_script(&steps), Vec::<String>::new());
    insta::assert_snapshot!("review-no-room", format!("{}\n---\n{steps}", reviewed(&sandbox, &[]).stdout));
}

#[test]
fn steps_turn_on_kata_containers_after_their_scratch_file_is_there() {
    let mut output = String::new();
    for (minor, version) in [("1.12", "v1.12.1"), ("1.14", "v1.14.1\n    baseConfig: v1.12.1")] {
        let sandbox = Sandbox::of_this_repository();
        sandbox.replace("talosmith.yaml", "v1.12.1", version);
        let on = sandbox.read(DEVICE);
        let extension = "      - siderolabs/kata-containers\n";
        sandbox.write(DEVICE, &on.replace("kata: true\n", "").replace(extension, ""));
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        sandbox.commit_all();
        sandbox.write(DEVICE, &on);
        let steps = reviewed(&sandbox, &["--steps"]).stdout;
        assert_eq!(CommandFlags::of(minor).check_script(&steps), Vec::<String>::new());
        output.push_str(&format!("--- Talos {minor}\n{steps}\n"));
    }
    insta::assert_snapshot!("review-steps-kata", output);
}

#[test]
fn steps_wipe_what_the_node_does_not_boot_with() {
    let sandbox = Sandbox::committed();
    sandbox.replace(DEVICE, "size: 100GiB }", "size: 100GiB, encryption: { keys: [{ slot: 0, nodeID: {} }] } }");
    let mut output = reviewed(&sandbox, &["--steps"]).stdout;
    let company = Sandbox::committed_fleet("company");
    let keys = company.read("talosmith.yaml");
    let (before, rest) = keys.split_once("          encryption:\n").expect("the encryption of EPHEMERAL");
    let (_, after) = rest.split_once("        longhorn:").expect("the next volume");
    company.write("talosmith.yaml", &format!("{before}        longhorn:{after}"));
    output.push_str(&format!("\n---\n{}", reviewed(&company, &["--steps", "prod-cp-1"]).stdout));
    assert_eq!(CommandFlags::of("1.12").check_script(&output), Vec::<String>::new());
    insta::assert_snapshot!("review-steps-wipe", output);
}

/// A file, what is replaced in it, and by what.
type Replacement = (&'static str, &'static str, &'static str);

/// The changes after which a node must be wiped: the name, the fleet, the device, the replacements, and the minor of its Talos.
const WIPES: [(&str, &str, &str, &[Replacement], &str); 9] = [
    (
        "another role",
        "company",
        "prod-worker-1",
        &[("devices/prod-worker-1/device.yaml", "role: worker", "role: controlplane")],
        "1.12",
    ),
    (
        "another cluster, as its first control plane",
        "ryzen",
        "ryzen",
        &[
            ("talosmith.yaml", "clusters:\n", "clusters:\n  other: { talosVersion: v1.12.1 }\n"),
            (DEVICE, "cluster: galactic", "cluster: other"),
            (DEVICE, "kata: true\n", ""),
            (DEVICE, "localPath:\n  volumes: [local-path-provisioner]\n", ""),
            (DEVICE, "gpu:\n  amd:\n", "values:\n"),
        ],
        "1.12",
    ),
    (
        "an encrypted STATE on the only control plane",
        "ryzen",
        "ryzen",
        &[(DEVICE, "volumes:\n", "volumes:\n  STATE: { encryption: { keys: [{ slot: 0, nodeID: {} }] } }\n")],
        "1.12",
    ),
    (
        "no SecureBoot",
        "company",
        "prod-cp-1",
        &[
            ("talosmith.yaml", "          secureboot: { includeWellKnownCertificates: true }\n", ""),
            ("talosmith.yaml", "schematic: secure, secureboot: true", "schematic: secure"),
        ],
        "1.12",
    ),
    (
        "a file system of a partition, and another size of the volume that has the scratch file of kata containers",
        "ryzen",
        "ryzen",
        &[
            (DEVICE, "size: 1405GB }", "size: 1405GB, filesystem: { type: ext4 } }"),
            (DEVICE, "size: 500GB", "size: 400GB"),
        ],
        "1.12",
    ),
    (
        "a file system of the scratch volume of kata containers",
        "ryzen",
        "ryzen",
        &[(DEVICE, "size: 500GB }", "size: 500GB, filesystem: { type: ext4 } }")],
        "1.12",
    ),
    (
        "a file system of a whole disk",
        "home-lab",
        "altra",
        &[(
            "devices/altra/device.yaml",
            "volumeType: disk, mount",
            "volumeType: disk, filesystem: { type: ext4 }, mount",
        )],
        "1.13",
    ),
    (
        "etcd in EPHEMERAL again",
        "company",
        "next-cp-1",
        &[
            (
                "talosmith.yaml",
                "        ETCD: { disk: system, size: 20GiB, encryption: { keys: [{ slot: 0, nodeID: {} }] } }\n",
                "",
            ),
            ("talosmith.yaml", "      volumes: { ETCD: null }\n", ""),
        ],
        "1.14",
    ),
    (
        "encryption of a user volume",
        "company",
        "next-worker-1",
        &[(
            "talosmith.yaml",
            "size: 1TB, filesystem",
            "size: 1TB, encryption: { keys: [{ slot: 0, nodeID: {} }] }, filesystem",
        )],
        "1.14",
    ),
];

#[test]
fn what_must_be_wiped_has_steps() {
    let mut output = String::new();
    for (change, fleet, device, replaced, minor) in WIPES {
        let sandbox = if fleet == "ryzen" { Sandbox::committed() } else { Sandbox::committed_fleet(fleet) };
        for (path, old, new) in replaced {
            sandbox.replace(path, old, new);
        }
        let steps = reviewed(&sandbox, &["--steps", device]).stdout;
        assert_eq!(CommandFlags::of(minor).check_script(&steps), Vec::<String>::new(), "{change}");
        output.push_str(&format!("===== {change}\n{steps}\n"));
    }
    insta::assert_snapshot!("review-steps-reset", output);
}

#[test]
fn steps_and_runbook_have_the_same_commands() {
    let file = "kata: true\nmachineFiles: { /var/lib/a: { content: a, permissions: \"0o644\" } }\n";
    let changes: [&dyn Fn(&Sandbox); 4] = [
        &|sandbox| change(sandbox),
        &|sandbox| sandbox.replace(DEVICE, "kata: true\n", file),
        &|sandbox| sandbox.replace(DEVICE, "size: 500GB", "size: 400GB"),
        &|sandbox| {
            sandbox.replace(
                DEVICE,
                "size: 100GiB }",
                "size: 100GiB, encryption: { keys: [{ slot: 0, nodeID: {} }] } }",
            );
        },
    ];
    // A runbook waits for the node by its name before a change, and has the new name of one that is renamed.
    let own = ["kubectl delete node ryzen"];
    for change in changes {
        let sandbox = Sandbox::committed();
        change(&sandbox);
        let steps = reviewed(&sandbox, &["--steps"]).stdout;
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        let runbook = lines_of(&sandbox.read("devices/ryzen/RUNBOOK.md"), true);
        let missing = lines_of(&steps, false).into_iter().filter(|line| !runbook.contains(line));
        assert_eq!(missing.filter(|line| !own.contains(&line.as_str())).collect::<Vec<_>>(), Vec::<String>::new());
    }
}

#[test]
fn new_and_removed_nodes_have_steps() {
    let sandbox = Sandbox::committed_fleet("home-lab");
    sandbox.git(&["mv", "devices/nas", "devices/newcomer"]);
    sandbox.replace("devices/newcomer/device.yaml", "name: nas", "name: newcomer");
    let steps = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.13").check_script(&steps), Vec::<String>::new());
    insta::assert_snapshot!("review-steps-devices", steps);
}

#[test]
fn what_the_running_talos_refuses_comes_after_the_upgrade() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.replace(DEVICE, "kubelet:\n  disableManifestsDirectory: false\n", "");
    sandbox.replace("talosmith.yaml", "v1.12.1", "v1.13.8\n    baseConfig: v1.13.8");
    assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
    sandbox.commit_all();
    sandbox.replace("talosmith.yaml", "v1.13.8", "v1.14.1");
    insta::assert_snapshot!("review-newer-kinds", reviewed(&sandbox, &[]).stdout);
}
