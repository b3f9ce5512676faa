//! `talosmith init` and `talosmith disks`: a repository from nothing.

use std::process::Command;

use crate::sandbox::{Ran, Sandbox, is_installed, ran};

const DISKS: &str = include_str!("data/disks.yaml");

fn written_by_init(arguments: &[&str]) -> Sandbox {
    let sandbox = Sandbox::of(&[("disks.yaml", DISKS)]);
    let ran = sandbox.run(&[&["init"], arguments].concat());
    assert_eq!((ran.status, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    sandbox
}

fn assert_valid(sandbox: &Sandbox, devices: &str, files: usize) {
    let valid = format!("valid: {devices}, {files} files rendered\n");
    assert_eq!(sandbox.run(&["validate"]), Ran::success("", &valid));
    assert_eq!(sandbox.run(&["generate", "--quiet"]).status, 0);
    let current = format!("up to date: {devices} and {files} files checked in [time]\n");
    assert_eq!(sandbox.run(&["check"]), Ran::success("", &current));
}

#[test]
fn a_new_repository_is_valid_for_every_version_and_role() {
    for version in ["v1.12.7", "v1.13.8", "v1.14.1"] {
        for disks in [&[][..], &["--disks", "disks.yaml"]] {
            let sandbox = written_by_init(&[&["--talos-version", version], disks].concat());
            assert_valid(&sandbox, "1 device", 4);
        }
    }
    let sandbox = Sandbox::of(&[]);
    let arguments = ["init", "w", "--role", "worker", "--cluster", "lab", "--kubernetes-version", "1.35.0"];
    let ran = sandbox.run(&arguments);
    assert!(ran.status == 0 && ran.stderr.starts_with("warning[no-control-plane]"), "{}", ran.stderr);
    assert_eq!(sandbox.run(&["generate", "--quiet"]).status, 0);
    assert_eq!(sandbox.run(&["check", "--quiet"]).status, 0);
    insta::assert_snapshot!("init-talosmith.yaml", sandbox.read("talosmith.yaml"));
}

#[test]
fn init_lists_what_it_writes_and_what_is_unknown() {
    let sandbox = Sandbox::of(&[("talosmith/.keep", ""), (".gitignore", "/target\n")]);
    insta::assert_snapshot!("init", sandbox.run(&["init", "node-1"]).stdout);
    insta::assert_snapshot!("init-device.yaml", sandbox.read("devices/node-1/device.yaml"));
    insta::assert_snapshot!("init-gitignore", sandbox.read(".gitignore"));
    assert_eq!(sandbox.read("schemas/device.schema.json"), sandbox.run(&["schema", "device"]).stdout);
}

#[test]
fn what_is_known_leaves_no_placeholder() {
    let system = "---\nnode: 192.168.1.10\nmetadata: { type: SystemDisks.block.talos.dev, id: system-disk }\nspec: { diskID: sda }\n";
    let sandbox = Sandbox::of(&[("disks.yaml", &format!("{DISKS}{system}"))]);
    let ran = sandbox.run(&["init", "--address", "192.168.1.10", "--disks", "disks.yaml"]);
    assert!(!ran.stdout.contains("placeholder"), "{}", ran.stdout);
    insta::assert_snapshot!("init-known-device.yaml", sandbox.read("devices/node-1/device.yaml"));
}

#[test]
fn a_second_device_is_added_and_nothing_is_overwritten() {
    let sandbox = written_by_init(&["node-1", "--address", "192.168.1.10"]);
    sandbox.replace("talosmith.yaml", "v1.14.1\n    #", "v1.14.0\n    #");
    std::fs::remove_file(sandbox.path("schemas/fleet.schema.json")).expect("a file");
    sandbox.write("schemas/device.schema.json", "{}\n");
    let before = sandbox.state();
    let ran = sandbox.run(&["init", "node-2", "--talos-version", "v1.14.1"]);
    let mut state = sandbox.state();
    state.retain(|file| !before.contains(file));
    let names: Vec<&str> = state.iter().filter_map(|(path, ..)| path.rsplit('/').next()).collect();
    assert_eq!((ran.status, names), (0, vec!["device.yaml", "fleet.schema.json"]), "{}", ran.stderr);
    insta::assert_snapshot!("init-second-device.yaml", sandbox.read("devices/node-2/device.yaml"));
    assert_valid(&sandbox, "2 devices", 8);

    let before = sandbox.state();
    let refused = |arguments: &[&str]| {
        let ran = sandbox.run(arguments);
        (ran.status, ran.stderr.lines().next().unwrap_or_default().to_owned())
    };
    let exists = "error: devices/node-2/device.yaml exists, and nothing is overwritten: name another device";
    assert_eq!(refused(&["init", "node-2"]), (2, exists.to_owned()));
    assert_eq!(refused(&["init"]), (2, "error: name the new device, as in `talosmith init node-2`".to_owned()));
    let cluster = "error: talosmith.yaml has no cluster `lab`, only home: add it there";
    assert_eq!(refused(&["init", "node-3", "--cluster", "lab"]), (2, cluster.to_owned()));
    let address = "error[bad-address]: `10.0.0.300` is not an IP address";
    assert_eq!(refused(&["init", "node-3", "--address", "10.0.0.300"]), (1, address.to_owned()));
    let twice = "error[duplicate-address]: `node-1` and `node-3` have the address 192.168.1.10";
    assert_eq!(refused(&["init", "node-3", "--address", "192.168.1.10"]), (1, twice.to_owned()));
    assert_eq!(refused(&["init", "../x"]).0, 2);
    assert_eq!(sandbox.state(), before);
}

#[test]
fn keys_of_layers_are_not_written_again() {
    let fleet = "clusters: { home: { talosVersion: v1.13.8, defaults: { install: { image: { schematic: a }, disk: true }, schematics: { a: {} } } } }\n";
    let sandbox = Sandbox::of(&[("talosmith.yaml", fleet), (".pre-commit-config.yaml", "repos: []\n")]);
    let ran = sandbox.run(&["init", "node-1"]);
    let hook = "add the hook to .pre-commit-config.yaml of the repository, under `repos`:\n  - repo: local\n";
    assert!(ran.stdout.contains(hook), "{}", ran.stdout);
    assert_eq!(sandbox.read(".pre-commit-config.yaml"), "repos: []\n");
    let device = sandbox.read("devices/node-1/device.yaml");
    assert!(!device.contains("schematics") && device.contains("disks:"), "{device}");
    assert_valid(&sandbox, "1 device", 4);
}

#[test]
fn a_repository_in_a_folder_of_git_gets_a_hook_for_that_folder() {
    let sandbox = Sandbox::of(&[("infra/.keep", "")]);
    sandbox.git(&["init", "--quiet"]);
    let ran = sandbox.run(&["-C", "infra", "init"]);
    assert!(ran.stdout.contains("entry: talosmith -C infra check --staged"), "{}", ran.stdout);
    assert!(!sandbox.path("infra/.pre-commit-config.yaml").exists());
}

#[test]
fn what_init_writes_is_formatted_as_prettier_would() {
    if !is_installed("prettier") {
        return;
    }
    let sandbox = written_by_init(&["node-1", "--disks", "disks.yaml"]);
    assert_eq!(sandbox.run(&["init", "node-2"]).status, 0);
    assert_eq!(sandbox.run(&["generate", "--quiet"]).status, 0);
    std::fs::remove_file(sandbox.path("disks.yaml")).expect("a file");
    let output = Command::new("prettier").args(["--check", "."]).current_dir(sandbox.path("")).output();
    let output = output.expect("prettier starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_hook_refuses_a_commit_whose_files_are_stale() {
    if !is_installed("pre-commit") {
        return;
    }
    let sandbox = Sandbox::of(&[]);
    let run = |line: &str| {
        let output = sandbox.shell_command(line).output().expect("sh is installed");
        ran(output)
    };
    let steps = "git init --quiet && talosmith init node-1 --address 192.168.1.10 && talosmith generate && pre-commit install \
                 && git add --all && git commit --quiet --message first";
    let first = run(steps);
    assert_eq!(first.status, 0, "{}{}", first.stdout, first.stderr);
    sandbox.replace("devices/node-1/device.yaml", "name: node-1\n", "name: node-1\nhostname: one\n");
    let second = run("git commit --quiet --all --message second");
    assert_eq!(second.status, 1);
    assert!(
        second.stderr.contains("error[stale]: `devices/node-1/manifests/hostname.patch.yaml`"),
        "{}",
        second.stderr
    );
}

#[test]
fn disks_are_found_by_what_stays() {
    let sandbox = Sandbox::of(&[("disks.yaml", DISKS)]);
    let ran = sandbox.run(&["disks", "disks.yaml"]);
    insta::assert_snapshot!("disks", ran.stdout);
    let other = DISKS.replacen("192.168.1.10", "192.168.1.11", 1);
    let wrong = [("none.yaml", "a: 1\n"), ("two.yaml", other.as_str()), ("broken.yaml", "a: [\n")];
    let reports = wrong.map(|(name, text)| {
        sandbox.write(name, text);
        let ran = sandbox.run(&["disks", name]);
        assert_eq!((ran.status, ran.stdout.as_str()), (1, ""));
        ran.stderr
    });
    insta::assert_snapshot!("disks-refused", reports.join("\n"));
}

#[test]
fn the_disks_of_a_device_are_compared_with_those_of_the_node() {
    let sandbox = written_by_init(&["node-1", "--disks", "disks.yaml"]);
    let compare = || sandbox.run(&["disks", "disks.yaml", "--device", "node-1"]);
    assert_eq!(compare(), Ran::success("", "the disks of the model are those of the node\n"));
    let device = "devices/node-1/device.yaml";
    sandbox.replace(device, "size: 1000204886016B", "size: 1TB");
    assert_eq!(compare().status, 0);
    sandbox.replace(device, "size: 1TB", "size: 2TB");
    sandbox.replace(device, "disk.wwid == 'naa.5000c500a0000001'", "disk.wwid == 'naa.5000c500a0000009'");
    sandbox.replace(device, "disk.wwid == 'naa.5000c500a0000002'", "disk.transport == 'sata'");
    sandbox.replace(
        device,
        "    size: 10737418240B\n    path: /dev/disk/by-path/pci-0000:00:05.0\n",
        "    size: 5GB\n    selector: disk.transport == 'virtio'\n",
    );
    let ran = compare();
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("disks-compared", ran.stdout);
    let text = sandbox.read(device);
    let (before, _) = text.split_once("  # virtio").expect("the last disk");
    sandbox.write(device, before);
    insta::assert_snapshot!("disks-unlisted", compare().stdout);
}
