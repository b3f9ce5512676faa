//! The steps for nodes that are new, removed, renamed, upgraded or installed again.

use crate::command_flags::CommandFlags;
use crate::review::{DEVICE, reviewed};
use crate::review_steps::Replacement;
use crate::sandbox::Sandbox;

#[test]
fn new_and_removed_nodes_have_steps() {
    let sandbox = Sandbox::committed_fleet("home-lab");
    sandbox.git(&["mv", "devices/nas", "devices/newcomer"]);
    sandbox.replace("devices/newcomer/device.yaml", "name: nas", "name: newcomer");
    sandbox.replace("devices/newcomer/device.yaml", "192.168.10.13", "192.168.10.14");
    let steps = reviewed(&sandbox, &["--steps"]).stdout;
    assert_eq!(CommandFlags::of("1.13").check_script(&steps), Vec::<String>::new());
    insta::assert_snapshot!("devices", steps);
}

const CA: &str = "    defaults:\n      patches: { ca: { inline: { machine: { ca: { crt: bmV3 } }, cluster: { ca: { crt: bmV3 } } } } }\n";
const ACCEPTED: &str =
    "    defaults:\n      patches: { ca: { inline: { machine: { acceptedCAs: [{ crt: bmV3 }] } } } }\n";
const SWAPPED: &str = "    defaults:\n      patches: { ca: { inline: { machine: { ca: { crt: bmV3 }, acceptedCAs: [{ crt: b2xk }] } } } }\n";

/// A change that needs more than a config: its name, the fleet, the device, what is replaced before and after the commit, the minor.
type Order = (&'static str, &'static str, &'static str, &'static [Replacement], &'static [Replacement], &'static str);

const ORDERS: [Order; 11] = [
    (
        "certificate authorities of both APIs",
        "rack",
        "store-1",
        &[],
        &[("talosmith.yaml", "    defaults:\n", CA)],
        "1.13",
    ),
    (
        "a certificate authority that every node accepts already",
        "rack",
        "store-1",
        &[("talosmith.yaml", "    defaults:\n", ACCEPTED)],
        &[("talosmith.yaml", ACCEPTED, SWAPPED)],
        "1.13",
    ),
    (
        "the certificate authority of etcd",
        "ryzen",
        "ryzen",
        &[],
        &[(
            DEVICE,
            "kata: true\n",
            "kata: true\npatches: { ca: { inline: { cluster: { etcd: { ca: { crt: bmV3 } } } } } }\n",
        )],
        "1.12",
    ),
    (
        "another system disk",
        "ryzen",
        "ryzen",
        &[],
        &[
            (DEVICE, "    system: true\n", "  sda: { size: 480103981056B, path: /dev/sda, system: true }\n"),
            (DEVICE, "EPHEMERAL: { disk: nvme0n1", "EPHEMERAL: { disk: sda"),
        ],
        "1.12",
    ),
    (
        "another address and another name",
        "rack",
        "store-1",
        &[],
        &[
            ("devices/store-1/device.yaml", "10.20.0.21", "10.20.0.121"),
            ("devices/store-1/device.yaml", "role: worker\n", "role: worker\nhostname: ceph-1\n"),
        ],
        "1.13",
    ),
    (
        "another taint of a worker",
        "rack",
        "store-1",
        &[(
            "devices/store-1/device.yaml",
            "role: worker\n",
            "role: worker\ntaints: { example.com/ceph: NoSchedule }\n",
        )],
        &[("devices/store-1/device.yaml", "ceph: NoSchedule", "ceph: \"osd:NoExecute\"")],
        "1.13",
    ),
    (
        "the pod network",
        "features",
        "new-cp-1",
        &[],
        &[(
            "talosmith.yaml",
            "    podCIDRs: [10.42.0.0/16, \"fd42::/56\"]",
            "    podCIDRs: [10.41.0.0/16, \"fd42::/56\"]",
        )],
        "1.14",
    ),
    (
        "manifests and the endpoint",
        "features",
        "old-cp-1",
        &[("talosmith.yaml", "    defaults:\n", "    defaults:\n      endpoint: cluster\n")],
        &[
            ("talosmith.yaml", "cni: { name: none }", "cni: { name: flannel }"),
            ("talosmith.yaml", "https://192.0.2.10:6443", "https://old.example.net:6443"),
        ],
        "1.13",
    ),
    (
        "Kubernetes",
        "home-lab",
        "node-10",
        &[(
            "talosmith.yaml",
            "    defaults:\n",
            "    kubernetesVersion: v1.34.1\n    secretsBundle: { env: BUNDLE }\n    defaults:\n",
        )],
        &[("talosmith.yaml", "v1.34.1", "v1.35.0")],
        "1.13",
    ),
    (
        "Talos 1.13 with NVIDIA GPUs",
        "company",
        "prod-worker-1",
        &[],
        &[
            ("talosmith.yaml", "talosVersion: v1.12.7", "talosVersion: v1.13.8"),
            ("talosmith.yaml", "nvidia: { devicePlugin: \"nvcr.io/nvidia/k8s-device-plugin:v0.17.4\" }", "nvidia: {}"),
        ],
        "1.12",
    ),
    (
        "two minors of Talos",
        "ryzen",
        "ryzen",
        &[],
        &[("talosmith.yaml", "v1.12.1", "v1.14.1\n    baseConfig: v1.12.1")],
        "1.12",
    ),
];

#[test]
fn what_no_config_changes_alone_has_an_order() {
    let mut output = String::new();
    for (change, fleet, device, first, replaced, minor) in ORDERS {
        let sandbox = if fleet == "ryzen" { Sandbox::committed() } else { Sandbox::committed_fleet(fleet) };
        for (path, old, new) in first {
            sandbox.replace(path, old, new);
        }
        if !first.is_empty() {
            assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0, "{change}");
            sandbox.commit_all();
        }
        for (path, old, new) in replaced {
            sandbox.replace(path, old, new);
        }
        let steps = reviewed(&sandbox, &["--steps", device]).stdout;
        assert_eq!(CommandFlags::of(minor).check_script(&steps), Vec::<String>::new(), "{change}");
        output.push_str(&format!("===== {change}\n{}\n{steps}\n", reviewed(&sandbox, &[device]).stdout));
    }
    insta::assert_snapshot!("order", output);
}

#[test]
fn a_renamed_device_is_the_same_node() {
    let sandbox = Sandbox::committed_fleet("rack");
    sandbox.git(&["mv", "devices/store-2", "devices/store-9"]);
    sandbox.replace("devices/store-9/device.yaml", "name: store-2", "name: store-9");
    sandbox.replace("devices/store-1/device.yaml", "10.20.0.21", "10.20.0.29");
    let output = format!("{}\n---\n{}", reviewed(&sandbox, &[]).stdout, reviewed(&sandbox, &["--steps"]).stdout);
    assert_eq!(CommandFlags::of("1.13").check_script(&output), Vec::<String>::new());
    insta::assert_snapshot!("renamed", output);
}

#[test]
fn kata_containers_of_talos_1_13_do_not_keep_1_14_from_booting() {
    let mut output = String::new();
    for base in ["v1.12.1", "v1.14.1"] {
        let sandbox = Sandbox::of_this_repository();
        sandbox.replace("talosmith.yaml", "v1.12.1", "v1.13.8\n    baseConfig: v1.12.1");
        assert_eq!(sandbox.run(&["generate", "--tracked-only"]).status, 0);
        sandbox.commit_all();
        sandbox.replace(
            "talosmith.yaml",
            "v1.13.8\n    baseConfig: v1.12.1",
            &format!("v1.14.1\n    baseConfig: {base}"),
        );
        let steps = reviewed(&sandbox, &["--steps"]).stdout;
        assert_eq!(CommandFlags::of("1.13").check_script(&steps), Vec::<String>::new());
        output.push_str(&format!("--- on a base config of {base}\n{}\n{steps}\n", reviewed(&sandbox, &[]).stdout));
    }
    insta::assert_snapshot!("upgrade-with-kata", output);
}
