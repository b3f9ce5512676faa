use talosmith_document::{Document, Node, Sources, TalosVersion};

use super::config::{Config, identity};
use super::deletion;
use super::merge::Merger;
use super::value::{Content, Value};
use super::{Maker, Origin, Patch, judge};
use crate::Role;
use crate::talos_data::types::Types;

fn parse(text: &str) -> Vec<Node> {
    let source = Sources::default().add("patch.yaml", text);
    Document::parse_stream(source, text).expect(text)
}

/// A value in one line.
fn show(value: &Value<'_>) -> String {
    match &value.content {
        Content::Scalar(text, _) => (*text).to_owned(),
        Content::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Content::Map(fields) => {
            let fields = fields.iter().filter(|field| !matches!(field.key, "apiVersion" | "kind" | "name"));
            let fields: Vec<_> = fields.map(|field| format!("{}: {}", field.key, show(&field.value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// What two documents of a kind come to.
fn merged(minor: u64, kind: &str, left: &str, right: &str) -> String {
    let head = if kind == "v1alpha1" { String::new() } else { format!("apiVersion: v1alpha1\nkind: {kind}\n") };
    let (left, right) = (parse(&format!("{head}{left}\n")), parse(&format!("{head}{right}\n")));
    let mut value = Value::read(&left[0], Some(0));
    let (kind, name) = identity(&value);
    let mut merger = Merger::new(Types::of((1, minor)), kind, name);
    merger.document(&mut value, Value::read(&right[0], Some(1)));
    show(&value)
}

#[test]
fn values_merge_by_their_types() {
    let cases = [
        // Zero values do not overwrite, but `false` and what a pointer leads to do.
        (
            12,
            "v1alpha1",
            "machine: { token: a, type: worker }",
            "machine: { token: '' }",
            "{machine: {token: a, type: worker}}",
        ),
        (12, "v1alpha1", "debug: true", "debug: false", "{debug: false}"),
        (13, "KubeSpanConfig", "mtu: 1400", "mtu: 0", "{mtu: 0}"),
        (12, "LinkConfig", "mtu: 1400", "mtu: 0", "{mtu: 1400}"),
        (12, "VLANConfig", "mtu: 1400", "mtu: ~", "{mtu: 1400}"),
        // Lists are appended to, replaced, or merged by a key.
        (12, "v1alpha1", "machine: { certSANs: [a] }", "machine: { certSANs: [b] }", "{machine: {certSANs: [a, b]}}"),
        (12, "v1alpha1", "machine: { certSANs: [a] }", "machine: { certSANs: [] }", "{machine: {certSANs: [a]}}"),
        (
            12,
            "v1alpha1",
            "cluster: { network: { podSubnets: [a] } }",
            "cluster: { network: { podSubnets: [b] } }",
            "{cluster: {network: {podSubnets: [b]}}}",
        ),
        (
            13,
            "ResolverConfig",
            "searchDomains: { domains: [a] }",
            "searchDomains: { domains: [b] }",
            "{searchDomains: {domains: [a, b]}}",
        ),
        (
            14,
            "ResolverConfig",
            "searchDomains: { domains: [a] }",
            "searchDomains: { domains: [b] }",
            "{searchDomains: {domains: [b]}}",
        ),
        (
            12,
            "v1alpha1",
            "machine: { network: { interfaces: [{ interface: a, mtu: 1 }] } }",
            "machine: { network: { interfaces: [{ interface: a, dhcp: true }, { interface: b }] } }",
            "{machine: {network: {interfaces: [{interface: a, mtu: 1, dhcp: true}, {interface: b}]}}}",
        ),
        // Expressions and sizes in bytes are overwritten even by absence.
        (
            12,
            "UserVolumeConfig",
            "provisioning: { diskSelector: { match: a }, minSize: 1GB, maxSize: 2GB, grow: true }",
            "provisioning: { maxSize: 3GB }",
            "{provisioning: {diskSelector: {}, maxSize: 3GB, grow: true}}",
        ),
        (
            12,
            "UserVolumeConfig",
            "provisioning: { maxSize: 2GB }",
            "provisioning: { maxSize: 50% }",
            "{provisioning: {maxSize: 2GB}}",
        ),
        (
            12,
            "UserVolumeConfig",
            "provisioning: { maxSize: 50% }",
            "provisioning: { maxSize: 2GB }",
            "{provisioning: {maxSize: 2GB}}",
        ),
        // Arguments replace each other since they may be lists.
        (
            12,
            "v1alpha1",
            "cluster: { etcd: { extraArgs: { a: b } } }",
            "cluster: { etcd: { extraArgs: { a: '' } } }",
            "{cluster: {etcd: {extraArgs: {a: b}}}}",
        ),
        (
            13,
            "v1alpha1",
            "cluster: { etcd: { extraArgs: { a: b } } }",
            "cluster: { etcd: { extraArgs: { a: [c] } } }",
            "{cluster: {etcd: {extraArgs: {a: [c]}}}}",
        ),
    ];
    for (minor, kind, left, right, expected) in cases {
        assert_eq!(merged(minor, kind, left, right), expected, "1.{minor} {kind} {left} {right}");
    }
}

/// The messages of all findings about patches on a base.
fn said(version: &str, base: u64, role: Role, texts: &[&str]) -> Vec<String> {
    let version: TalosVersion = version.parse().expect(version);
    let mut sources = Sources::default();
    let parsed: Vec<_> =
        texts.iter().map(|text| (Origin::File(sources.add("patch.yaml", *text)), parse(text))).collect();
    let patches: Vec<_> = parsed
        .iter()
        .map(|(origin, documents)| Patch { documents, maker: Maker::User { name: "p", origin } })
        .collect();
    judge((1, base), role, &version, &patches, &|key| panic!("no key asks for a patch here: {key}"))
        .into_iter()
        .map(|finding| format!("{}: {}", finding.code, finding.message))
        .collect()
}

#[test]
fn deletions_are_as_strict_as_the_machinery() {
    let cases: [(&str, u64, &str, &[&str]); 7] = [
        ("v1.12.7", 12, "machine: { install: { image: { $patch: delete } } }", &[]),
        (
            "v1.12.7",
            12,
            "machine: { sysctls: { a: { $patch: delete } } }",
            &["nothing-to-delete: `machine.sysctls.a` of the main document is not there to be deleted"],
        ),
        (
            "v1.13.8",
            13,
            "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: a\n$patch: delete",
            &["nothing-to-delete: UserVolumeConfig `a` is not there to be deleted"],
        ),
        ("v1.14.1", 14, "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: a\n$patch: delete", &[]),
        (
            "v1.14.1",
            14,
            "machine: { certSANs: [{ $patch: delete }] }",
            &["nothing-to-delete: `$patch: delete` names no item of this list"],
        ),
        (
            "v1.12.7",
            12,
            "machine: { network: { interfaces: [{ interface: a, mtu: { $patch: delete } }] } }",
            &["nothing-to-delete: `$patch: delete` stands inside an item of a list, where Talos does not look"],
        ),
        (
            "v1.14.1",
            14,
            "apiVersion: v1alpha1\nkind: KubeClusterConfig\n$patch: delete",
            &["invalid-document: the cluster has no endpoint"],
        ),
    ];
    for (version, base, text, expected) in cases {
        assert_eq!(said(version, base, Role::ControlPlane, &[text]), expected, "{version} {text}");
    }
}

#[test]
fn patches_meet() {
    let sysctls = |value: &str| format!("machine: {{ sysctls: {{ a: '{value}' }} }}");
    let (one, two) = (sysctls("1"), sysctls("2"));
    assert_eq!(
        said("v1.12.7", 12, Role::Worker, &[&one, &one]),
        Vec::<String>::new(),
        "the same value twice is no conflict"
    );
    assert_eq!(
        said("v1.12.7", 12, Role::Worker, &[&one, &two]),
        ["patch-conflict: `machine.sysctls.a` of the main document is set by the patch `p` and by the patch `p`"]
    );
    let sans = "machine: { certSANs: [a] }";
    assert_eq!(
        said("v1.12.7", 12, Role::Worker, &[sans, sans]),
        ["list-appended: `machine.certSANs` of the main document is a list that two patches add to"]
    );
}

#[test]
fn a_document_without_a_word_is_left_out() {
    let nodes = parse("version: v1alpha1\nmachine: { sysctls: { $patch: delete } }\n");
    let (deletions, rest) = deletion::split(&nodes[0], 0).expect("a document");
    assert_eq!(deletions.iter().map(|deletion| deletion.path.join(".")).collect::<Vec<_>>(), ["machine.sysctls"]);
    assert!(rest.is_none(), "{rest:?}");
    let version: TalosVersion = "v1.12.7".parse().expect("a version");
    let config = Config {
        version: &version,
        minor: (1, 12),
        documents: super::base::documents((1, 12), Role::Worker),
        types: Types::of((1, 12)),
        deleted: Vec::new(),
        leftovers: Vec::new(),
        cleared: Vec::new(),
    };
    assert_eq!(config.position("HostnameConfig", ""), Some(1));
}
