use talosmith_document::{Document, Node, Sources, TalosVersion};

use super::config::Config;
use super::merge::Merger;
use super::value::{Content, Value};
use super::{AppliedPatch, Patch, PatchLocator, PatchSource, Target, check_patches, decode_patch};
use crate::Role;
use crate::cel::Checker;
use crate::talos_data::types::Types;

mod placeholders;

fn parse(text: &str) -> Vec<Node> {
    let source = Sources::default().add("patch.yaml", text);
    Document::parse_stream(source, text).expect(text)
}

/// A value in one line.
fn show(value: &Value<'_>) -> String {
    match &value.content {
        Content::Scalar(scalar) => scalar.text.to_string(),
        Content::List(items) => format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", ")),
        Content::Map(fields) => {
            let fields = fields.iter().filter(|field| !matches!(&*field.key, "apiVersion" | "kind" | "name"));
            let fields: Vec<_> = fields.map(|field| format!("{}: {}", field.key, show(&field.value))).collect();
            format!("{{{}}}", fields.join(", "))
        }
    }
}

/// Two documents of a kind, merged.
fn merged(minor: u64, kind: &str, left: &str, right: &str) -> String {
    let head = if kind == "v1alpha1" { String::new() } else { format!("apiVersion: v1alpha1\nkind: {kind}\n") };
    let (left, right) = (parse(&format!("{head}{left}\n")), parse(&format!("{head}{right}\n")));
    let mut value = Value::read(&left[0]);
    let mut merger = Merger::new(Types::of((1, minor)), kind, "");
    let right = Value::read(&right[0]);
    merger.document(&mut value, right.of_patch(1));
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
fn messages(version: &str, base: u64, role: Role, texts: &[&str]) -> Vec<String> {
    let version: TalosVersion = version.parse().expect(version);
    let mut sources = Sources::default();
    let target = Target { version: &version, base: (1, base) };
    let decoded: Vec<(PatchLocator, Patch)> = texts
        .iter()
        .map(|text| {
            let locator = PatchLocator::File(sources.add("patch.yaml", *text));
            let (patch, _) = decode_patch(&parse(text), &locator, &target);
            (locator, patch)
        })
        .collect();
    let patches: Vec<_> = decoded
        .iter()
        .map(|(locator, patch)| AppliedPatch { patch, source: PatchSource::User { name: "p", locator, layer: 0 } })
        .collect();
    check_patches(&target, role, &patches, &Checker::default(), &|key, _| panic!("the model has no key here: {key}"))
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
            &["nothing-to-delete: `machine.sysctls.a` of the main document cannot be deleted: it does not exist"],
        ),
        (
            "v1.13.8",
            13,
            "apiVersion: v1alpha1\nkind: UserVolumeConfig\nname: a\n$patch: delete",
            &["nothing-to-delete: UserVolumeConfig `a` cannot be deleted: it does not exist"],
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
            &["nothing-to-delete: `$patch: delete` is inside an item of a list, where Talos does not look"],
        ),
        (
            "v1.14.1",
            14,
            "apiVersion: v1alpha1\nkind: KubeClusterConfig\n$patch: delete",
            &["invalid-document: the cluster has no endpoint"],
        ),
    ];
    for (version, base, text, expected) in cases {
        assert_eq!(messages(version, base, Role::ControlPlane, &[text]), expected, "{version} {text}");
    }
}

#[test]
fn values_of_two_patches_conflict_or_are_appended() {
    let sysctls = |value: &str| format!("machine: {{ sysctls: {{ vm.a: '{value}' }} }}");
    let (one, two) = (sysctls("1"), sysctls("2"));
    assert_eq!(
        messages("v1.12.7", 12, Role::Worker, &[&one, &one]),
        Vec::<String>::new(),
        "the same value twice is no conflict"
    );
    assert_eq!(
        messages("v1.12.7", 12, Role::Worker, &[&one, &two]),
        ["patch-conflict: `machine.sysctls.vm.a` of the main document is set by the patch `p` and by the patch `p`"]
    );
    let sans = "machine: { certSANs: [a] }";
    assert_eq!(
        messages("v1.12.7", 12, Role::Worker, &[sans, sans]),
        ["list-appended: `machine.certSANs` of the main document gets the same item from two patches"]
    );
}

#[test]
fn a_document_with_deletions_alone_merges_nothing() {
    let version: TalosVersion = "v1.12.7".parse().expect("a version");
    let text = "version: v1alpha1\nmachine: { sysctls: { $patch: delete } }\n";
    let locator = PatchLocator::File(Sources::default().add("patch.yaml", text));
    let (patch, _) = decode_patch(&parse(text), &locator, &Target { version: &version, base: (1, 12) });
    let (deletions, rest) = patch.documents[0].content.as_ref().expect("a document");
    assert_eq!(deletions.iter().map(|deletion| deletion.path.join(".")).collect::<Vec<_>>(), ["machine.sysctls"]);
    assert!(rest.is_none(), "{rest:?}");
    let config = Config::new(super::base::documents((1, 12), Role::Worker), &version);
    assert_eq!(config.position("HostnameConfig", ""), Some(1));
}
