//! `talosmith import` of repositories with other layouts: where the files of nodes are, and what is next to them.

use crate::import::{assert_generates, imported, sandbox};
use crate::sandbox::Sandbox;

/// The patch of a node with a hostname.
fn node(name: &str) -> String {
    format!("machine:\n  network:\n    hostname: {name}\n  nodeLabels:\n    rack: {name}\n")
}

const TIME: &str = "machine:\n  time:\n    servers: [time.lab.example]\n";
const SCHEDULING: &str = "cluster:\n  allowSchedulingOnControlPlanes: true\n";

/// The names of the devices of a model, with their roles.
fn devices(sandbox: &Sandbox) -> Vec<String> {
    let folders = std::fs::read_dir(sandbox.path("devices")).expect("a folder");
    let names = folders.map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"));
    let mut found: Vec<String> = names
        .map(|name| {
            let text = sandbox.read(&format!("devices/{name}/device.yaml"));
            let role = text.lines().find_map(|line| line.strip_prefix("role: ")).expect("a role");
            format!("{name} {}", role.split(' ').next().unwrap_or_default())
        })
        .collect();
    found.sort();
    found
}

#[test]
fn the_files_of_nodes_are_recognised_by_their_hostnames_and_names() {
    let (one, two) = (node("k8s-0"), node("k8s-1"));
    let labels = "machine:\n  nodeLabels:\n    rack: b\n";
    let layouts: [(&str, Vec<(&str, &str)>); 6] = [
        (
            "talos",
            vec![("talos/all.yaml", TIME), ("talos/controlplane.yaml", SCHEDULING), ("talos/nodes/k8s-0.yaml", labels)],
        ),
        ("patches", vec![("patches/time.yaml", TIME), ("patches/a.yaml", &one), ("patches/b.patch.yaml", &two)]),
        ("talos", vec![("talos/controlplane/k8s-0.yaml", &one), ("talos/worker/k8s-1.yaml", &two)]),
        ("new", vec![("new/k8s-0/labels.yaml", &one), ("new/k8s-1/labels.yaml", &two)]),
        ("new", vec![("new/k8s-0/manifests/labels.yaml", labels), ("new/k8s-0/manifests/k8s/gpu.yaml", TIME)]),
        ("p", vec![("p/Node One/my labels.yaml", labels)]),
    ];
    let expected: [&[&str]; 6] = [
        &["k8s-0 controlplane"],
        &["k8s-0 controlplane", "k8s-1 controlplane"],
        &["k8s-0 controlplane", "k8s-1 worker"],
        &["k8s-0 controlplane", "k8s-1 controlplane"],
        &["k8s-0 controlplane"],
        &["node-one controlplane"],
    ];
    for ((folder, files), expected) in layouts.iter().zip(expected) {
        let sandbox = Sandbox::of(files);
        imported(&sandbox, &[folder, "--talos-version", "v1.13.8"]);
        assert_eq!(devices(&sandbox), expected, "{files:?}");
        assert_generates(&sandbox, &[]);
    }
}

#[test]
fn a_value_next_to_a_mapped_one_has_no_model_key() {
    let registries = "cluster:\n  discovery:\n    registries:\n      kubernetes: { disabled: true }\n";
    let sandbox = Sandbox::of(&[("n/discovery.yaml", registries)]);
    let ran = imported(&sandbox, &["n", "--talos-version", "v1.13.8"]);
    let line = "  n/discovery.yaml:3: `cluster.discovery.registries`: no model key, so it stays in the raw patch `discovery`\n";
    assert!(ran.stdout.contains(line), "{}", ran.stdout);
}

const SCHEMATIC: &str = "owner: me
customization:
  extraKernelArgs: [quiet]
  # Not of a schematic.
  bogus: 1
  systemExtensions:
    officialExtensions: [siderolabs/iscsi-tools]
    others: [x]
";

#[test]
fn a_key_of_a_schematic_without_a_model_key_is_listed_with_its_line() {
    let sandbox = Sandbox::of(&[("n/schematic.yaml", SCHEMATIC), ("n/time.yaml", TIME)]);
    let ran = imported(&sandbox, &["n", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-schematic-keys", ran.stdout);
    assert_generates(&sandbox, &[]);
}

const BUNDLE: &str =
    "cluster:\n  id: CANARY\nsecrets:\n  bootstraptoken: CANARY\ntrustdinfo:\n  token: CANARY\ncerts:\n  etcd: {}\n";

#[test]
fn other_files_of_a_repository_are_skipped_with_the_reason() {
    let sandbox = Sandbox::of(&[
        ("talos/patches/k8s-0/node.yaml", &node("k8s-0")),
        ("talos/secrets.yaml", BUNDLE),
        ("talos/machine.yaml.j2", "machine: {{ x }}\n"),
        ("charts/app/templates/a.yaml", "{{- if .Values.a }}\na: b\n{{- end }}\n"),
        ("playbook.yaml", "- hosts: all\n"),
        ("talos/patches/k8s-0/second.yaml", "---\n# Nothing.\n---\nmachine:\n  certSANs: [${NAME}, \"a.example\"]\n"),
        ("renovate.json", "{\n\t\"extends\": []\n}\n"),
    ]);
    let ran = imported(&sandbox, &[".", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-other-files", ran.stdout);
    let only = Sandbox::of(&[("talos/machine.yaml.j2", "machine: {{ x }}\n")]);
    let ran = only.run(&["import", "talos"]);
    assert!(ran.stderr.ends_with("; talos/machine.yaml.j2: a template: import what it renders\n"), "{}", ran.stderr);
}

#[test]
fn the_folder_of_a_talconfig_is_read_through_it() {
    let sandbox = Sandbox::of(&[]);
    let talhelper = sandbox_of_talhelper(&sandbox, "a");
    sandbox.write("a/patches/unused.yaml", TIME);
    sandbox.write("a/talsecret.yaml", BUNDLE);
    sandbox_of_talhelper(&sandbox, "b");
    let ran = imported(&sandbox, &["."]);
    insta::assert_snapshot!("import-talhelper-folder", ran.stdout);
    let own = imported(&talhelper, &["talconfig.yaml"]);
    let proof = |output: &str| output.split_once("proof: ").map(|(_, proof)| proof.replace("a/talconfig", "talconfig"));
    assert_eq!(proof(&ran.stdout), proof(&own.stdout));
}

/// Copies the files of talhelper to a folder.
fn sandbox_of_talhelper(into: &Sandbox, folder: &str) -> Sandbox {
    let talhelper = sandbox("talhelper");
    for path in ["talconfig.yaml", "talenv.yaml", "patches/kubelet.yaml", "patches/probe.conf"] {
        into.write(&format!("{folder}/{path}"), &talhelper.read(path));
    }
    talhelper
}

const OLD: &str = "cluster:
  coreDNS: { disabled: true }
  network:
    cni: { name: none }
    podSubnets: [10.0.0.0/16]
machine:
  install: { disk: /dev/sda }
";

#[test]
fn fields_that_a_base_config_of_documents_refuses_become_keys() {
    let sandbox = Sandbox::of(&[("cp-1/machine.yaml", OLD)]);
    let versions = ["--talos-version", "v1.14.1", "--base-config", "v1.14.1"];
    let ran = imported(&sandbox, &[&["cp-1"], &versions[..]].concat());
    insta::assert_snapshot!("import-refused-fields", ran.stdout);
    insta::assert_snapshot!("import-refused-fields-device.yaml", sandbox.read("devices/cp-1/device.yaml"));
    assert_generates(&sandbox, &[]);
}
