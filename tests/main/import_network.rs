//! `talosmith import` of interfaces in the form that documents replaced.

use crate::import::{assert_generates, base, imported, with_secrets};
use crate::sandbox::Sandbox;

const SHARED: &str = "# The network of every node.
machine:
  network:
    nameservers: [10.0.0.1]
    extraHostEntries:
      - ip: 10.0.0.2
        aliases: [nas, nas.lan]
";

const BOND: &str = "machine:
  network:
    interfaces:
      - interface: bond0
        bond:
          mode: active-backup
          miimon: 100
          deviceSelectors:
            - hardwareAddr: AA:bb:cc:00:00:01
            - permanentAddr: aa:bb:cc:00:00:02
              physical: true
        mtu: 9000
        addresses: [10.0.0.11/24]
        routes:
          - network: 0.0.0.0/0
            gateway: 10.0.0.1
            metric: 512
          - network: 10.8.0.0/16
            gateway: 10.0.0.254
        vip: { ip: 10.0.0.5 }
        vlans:
          - vlanId: 20
            addresses: [10.0.20.11/24]
            dhcp: false
          - vlanId: 30
            dhcp: true
            mtu: 1500
";

const SELECTED: &str = "machine:
  network:
    interfaces:
      - deviceSelector: { hardwareAddr: aa:bb:cc:00:00:03 }
        dhcp: true
        dhcpOptions: { routeMetric: 100, ipv6: true }
      - deviceSelector: { busPath: '0000:03:00.0' }
        addresses: [10.9.0.4]
";

#[test]
fn interfaces_in_a_json_patch_become_links() {
    let patch = "- op: add\n  path: /machine/network/interfaces\n  value: [{ interface: eno1, dhcp: true }]\n";
    let sandbox = Sandbox::of(&[("cp-1/network.yaml", patch)]);
    let ran = imported(&sandbox, &["cp-1", "--talos-version", "v1.13.8", "--base-config", "v1.13.0"]);
    assert!(ran.stdout.contains("  cp-1: the machine config is the same\n"), "{}", ran.stdout);
    assert!(sandbox.read("devices/cp-1/device.yaml").contains("links:\n  eno1:\n    dhcp4: {}\n"));
    assert_generates(&sandbox, &[]);
}

#[test]
fn interfaces_become_links_and_the_proof_names_their_documents() {
    let files = [("net/all/hosts.yaml", SHARED), ("net/cp-1/bond.yaml", BOND), ("net/worker-1/links.yaml", SELECTED)];
    let mut printed = String::new();
    for version in ["v1.13.8", "v1.14.1"] {
        let sandbox = Sandbox::of(&files);
        let ran = imported(&sandbox, &["net", "--talos-version", version, "--base-config", version]);
        printed.push_str(&format!("{version}\n{}", ran.stdout));
        let fleet = sandbox.read("talosmith.yaml").replace(version, "[version]");
        insta::assert_snapshot!("import-interfaces-talosmith.yaml", fleet);
        insta::assert_snapshot!("import-interfaces-cp-1.yaml", sandbox.read("devices/cp-1/device.yaml"));
        insta::assert_snapshot!("import-interfaces-worker-1.yaml", sandbox.read("devices/worker-1/device.yaml"));
        assert_generates(&sandbox, &[]);
    }
    insta::assert_snapshot!("import-interfaces", printed);
}

/// A base config of 1.14 has no `machine.network`, and the model adds none.
#[test]
fn nothing_of_the_network_stays_in_the_main_document() {
    let text = "machine:\n  network:\n    interfaces:\n      - interface: eno1\n        addresses: [10.0.0.11/24]\n  sysctls: { vm.swappiness: \"10\" }\n";
    let flow = "machine: { network: { extraHostEntries: [{ ip: 10.0.0.2, aliases: [nas] }] } }\n";
    for text in [text, flow] {
        let sandbox = Sandbox::of(&[("n/links.yaml", text)]);
        let ran = imported(&sandbox, &["n", "--talos-version", "v1.14.1", "--base-config", "v1.14.1"]);
        assert!(ran.stdout.contains("  n: the machine config is the same\n"), "{}", ran.stdout);
        assert_generates(&sandbox, &[]);
    }
}

#[test]
fn interfaces_of_a_whole_machine_config_become_links() {
    const LINKS: &str = "  network:\n    interfaces:\n      - interface: eno1\n        addresses: [10.0.0.11/24]\n";
    for (version, minor) in [("v1.13.8", 12), ("v1.14.1", 14)] {
        let base = with_secrets(&base(version, minor, "worker")).replacen("  network: {}\n", "", 1);
        let text = base.replacen("machine:\n", &format!("machine:\n{LINKS}"), 1);
        let sandbox = Sandbox::of(&[("a.yaml", &text)]);
        let ran = imported(&sandbox, &["a.yaml", "--talos-version", version]);
        assert!(ran.stdout.contains("  a: the machine config is the same\n"), "{version}: {}", ran.stdout);
        assert!(sandbox.read("devices/a/device.yaml").contains("links:\n  eno1:"), "{version}: {}", ran.stdout);
    }
}

/// A part of an interface in flow style without a key in the model, and the reason.
const REFUSED: [(&str, &str); 8] = [
    ("{ interface: eth1, ignore: true }", "no key in `links` has the `ignore` of interface `eth1`"),
    (
        "{ interface: eth0, vip: { ip: 10.0.0.5, equinixMetal: { apiToken: '${TOKEN}' } } }",
        "no key in `links` has the `equinixMetal` of `vip` of interface `eth0`",
    ),
    (
        "{ interface: eth0, dhcp: true, dhcpOptions: { duidv6: '00' } }",
        "no key in `links` has the `duidv6` of `dhcpOptions` of interface `eth0`",
    ),
    (
        "{ interface: eth0, routes: [{ gateway: 10.0.0.1, source: 10.0.0.3 }] }",
        "no key in `links` has the `source` of a route of interface `eth0`",
    ),
    (
        "{ interface: b, bond: { mode: active-backup, interfaces: [x], primary: x } }",
        "no key in `links` has the `primary` of the bond of interface `b`",
    ),
    (
        "{ interface: br0, bridge: { interfaces: [x], vlan: { vlanFiltering: true } } }",
        "no key in `links` has the `vlan` of the bridge `br0`",
    ),
    ("{ deviceSelector: { driver: igc }, dhcp: true }", "a `deviceSelector` without one exact"),
    ("{ deviceSelector: { hardwareAddr: 'aa:*' }, dhcp: true }", "a `deviceSelector` without one exact"),
];

#[test]
fn interfaces_that_documents_cannot_have_stay_raw_with_the_reason() {
    for (interface, reason) in REFUSED {
        let text = format!("machine:\n  network:\n    interfaces:\n      - {interface}\n");
        let sandbox = Sandbox::of(&[("n/links.yaml", &text)]);
        let ran = sandbox.run(&["import", "n", "--talos-version", "v1.13.8"]);
        let line = format!("  n/links.yaml:3: `machine.network.interfaces`: {reason}");
        assert!(ran.stdout.contains(&line), "{interface}: {}", ran.stdout);
        assert!(ran.stdout.contains("  n: the machine config is the same\n"), "{interface}: {}", ran.stdout);
        assert_eq!(sandbox.read("devices/n/patches/links.yaml"), text);
    }
}

/// Talos merges the settings of a link in both forms, so that the two files could differ from what they were.
#[test]
fn all_interfaces_of_a_device_are_mapped_or_none() {
    let text = |interface: &str| format!("machine:\n  network:\n    interfaces:\n      - {interface}\n");
    let (one, other) = (text("{ interface: eth0, dhcp: true }"), text("{ interface: eth0, dhcp: true, ignore: true }"));
    let sandbox = Sandbox::of(&[("n/a.yaml", &one), ("n/b.yaml", &other)]);
    let ran = imported(&sandbox, &["n", "--talos-version", "v1.13.8"]);
    insta::assert_snapshot!("import-interfaces-mixed", ran.stdout);
}

#[test]
fn a_secret_in_brackets_gets_a_placeholder_in_quotes() {
    let text = "machine:\n  network:\n    interfaces:\n      - interface: wg0\n        wireguard: { privateKey: \"kMkT5wnIIKZEQlmfm1dhmoyDUgQvUOr0wFf0Ov4xpXY=\", listenPort: 51820 }\n";
    for text in [text.to_owned(), text.replace('"', "")] {
        let sandbox =
            Sandbox::of(&[("net/all/wg.yaml", "machine:\n  sysctls: { a.b: \"1\" }\n"), ("net/n/wg.yaml", &text)]);
        imported(&sandbox, &["net", "--talos-version", "v1.13.8"]);
        let raw = sandbox.read("devices/n/patches/wg-secret.yaml");
        assert!(raw.contains("{ privateKey: \"${WIREGUARD_PRIVATEKEY}\", listenPort: 51820 }"), "{raw}");
        assert_generates(&sandbox, &[]);
    }
}
