//! The steps that `talosmith review --steps` prints for a change.

use crate::command_flags::{CommandFlags, lines_of};
use crate::review::{DEVICE, change, reviewed};
use crate::sandbox::Sandbox;

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
    insta::assert_snapshot!("all", output);
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
    insta::assert_snapshot!("no-room", format!("{}\n---\n{steps}", reviewed(&sandbox, &[]).stdout));
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
    insta::assert_snapshot!("kata", output);
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
    insta::assert_snapshot!("wipe", output);
}

#[test]
fn a_change_without_a_node_has_no_steps_for_one() {
    let mut output = String::new();
    for (title, file, old, new) in [
        (
            "objects of Kubernetes",
            DEVICE,
            "sha256:302ef02bff5190fbac61922fc6fe7e15a8b5936fa78b080472fb7931597ec7bb",
            "sha256:e42d51ddaf66af07a2d983eb10bbaf2a6068dbc4ddcf90ddbb1e91a396b0c447",
        ),
        ("the address that commands use", DEVICE, "address: 192.168.1.194", "address: 192.168.1.195"),
        ("a document", DEVICE, "documents: { runbook: true, diskMap: true }\n", ""),
        ("the source of a secret", "talosmith.yaml", "env: TAILSCALE_AUTHKEY", "file: authkey"),
    ] {
        let sandbox = Sandbox::committed();
        sandbox.replace(file, old, new);
        output.push_str(&format!("===== {title}\n{}\n", reviewed(&sandbox, &["--steps"]).stdout));
    }
    let sandbox = Sandbox::of_this_repository();
    sandbox.replace("talosmith.yaml", "unnamed-system-disk: off", "no-such-code: off");
    sandbox.commit_all();
    sandbox.replace(DEVICE, "kata: true\n", "# A comment.\nkata: true\n");
    output.push_str(&format!("===== a model with errors\n{}\n", reviewed(&sandbox, &["--steps"]).stdout));
    insta::assert_snapshot!("no-node", output);
}

#[test]
fn an_upgrade_keeps_the_arguments_of_grub() {
    let sandbox = Sandbox::of_this_repository();
    sandbox.replace("talosmith.yaml", "talosVersion: v1.12.1", "talosVersion: v1.13.8\n    baseConfig: v1.12.1");
    let install = "machine: { install: { extraKernelArgs: [quiet], grubUseUKICmdline: false } }";
    sandbox.replace(
        DEVICE,
        "kata: true\n",
        &format!("kata: true\npatches: {{ grub: {{ inline: {{ {install} }} }} }}\n"),
    );
    let generated = sandbox.run(&["generate", "--tracked-only"]);
    assert_eq!(generated.status, 0, "{}", generated.stderr);
    sandbox.commit_all();
    sandbox.replace(DEVICE, "amd_iommu=off", "amd_iommu=on");
    let steps = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.13").check_script(&steps), Vec::<String>::new());
    for text in [steps, sandbox.read("devices/ryzen/RUNBOOK.md")] {
        let upgrade = text.lines().find(|line| line.contains(" upgrade --image ")).expect("an upgrade");
        assert!(upgrade.ends_with(":v1.13.8 --legacy"), "{upgrade}");
    }
}

#[test]
fn the_node_is_asked_for_a_name_that_talos_makes() {
    let sandbox = Sandbox::of_fleet("company");
    let device = "devices/prod-worker-1/device.yaml";
    let text = sandbox.read(device);
    let automatic = "patches:\n  hostname: { inline: { apiVersion: v1alpha1, kind: HostnameConfig, auto: stable } }\n";
    sandbox.write(device, &format!("{}files: {{ hostname: null }}\n", text.replace("patches:\n", automatic)));
    let generated = sandbox.run(&["generate", "--tracked-only"]);
    assert_eq!(generated.status, 0, "{}", generated.stderr);
    sandbox.commit_all();
    sandbox.write(device, &text);
    let steps = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.12").check_script(&steps), Vec::<String>::new());
    insta::assert_snapshot!("generated-name", steps);
}

/// A file, what is replaced in it, and by what.
pub(crate) type Replacement = (&'static str, &'static str, &'static str);

/// The changes after which a node must be wiped: the name, the fleet, the device, the replacements, and the minor of its Talos.
const WIPES: [(&str, &str, &str, &[Replacement], &str); 10] = [
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
        "SecureBoot",
        "ryzen",
        "ryzen",
        &[(DEVICE, "image: { schematic: tailscale }", "image: { schematic: tailscale, secureboot: true }")],
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
    insta::assert_snapshot!("reset", output);
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
