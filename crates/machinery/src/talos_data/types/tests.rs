use std::collections::BTreeSet;

use talosmith_document::table;

use super::{MAIN, STRUCTS, TYPES, Types, is_struct, kinds};
use crate::talos_data::talos;

#[test]
fn types_depend_on_the_minor() {
    let shown = |minor, name: &str, field: &str| {
        let field = Types::of((1, minor)).get(name).and_then(|fields| fields.find(field));
        field.map(|field| format!("{} {:?}", field.kind, field.ty)).unwrap_or_default()
    };
    let machine = "v1alpha1.MachineConfig Pointer(Struct(\"v1alpha1.MachineConfig\"))";
    assert_eq!(shown(12, MAIN, "machine"), machine);
    assert_eq!(shown(12, "network.SearchDomainsConfig", "domains"), "[]text List(Text)");
    assert_eq!(shown(14, "network.SearchDomainsConfig", "domains"), "[]text Replaced(List(Text))");
    assert_eq!(shown(12, "v1alpha1.KubeletConfig", "extraArgs"), "{}text Map(Text)");
    assert_eq!(shown(13, "v1alpha1.KubeletConfig", "extraArgs"), "{}argument Args");
    assert_eq!(shown(13, "network.NameserverConfig", "address"), "address Sealed");
    assert_eq!(shown(14, "network.NameserverConfig", "address"), "address Text");
    assert_eq!(shown(12, "BondConfig", "lacpRate"), "word:slow|fast Pointer(Word(\"slow\"))");
    assert_eq!(shown(12, "UserVolumeConfig", "mount"), "");
    assert_eq!(shown(9, "UserVolumeConfig", "name"), "text Text", "an older minor is like the oldest known one");
    assert_eq!(shown(99, "UserVolumeConfig", "name"), "text Text", "a newer minor is like the newest known one");
    assert_eq!(
        shown(14, "v1alpha1.NetworkConfig", "interfaces"),
        "[*]v1alpha1.Device Keyed { keys: \"interface+deviceSelector\", replaced: false, \
         item: Pointer(Struct(\"v1alpha1.Device\")) }"
    );
    assert_eq!(
        shown(14, "ImageVerificationConfig", "rules"),
        "[]security.ImageVerificationRuleV1Alpha1 Keyed { keys: \"image\", replaced: true, \
         item: Struct(\"security.ImageVerificationRuleV1Alpha1\") }"
    );
}

#[test]
fn paths_lead_through_lists_and_free_keys() {
    let kind = |minor, path| Types::of((1, minor)).at(path).map(|field| field.kind);
    assert_eq!(kind(12, "v1alpha1.machine.network.interfaces.vlans.mtu"), Some("uint32"));
    assert_eq!(kind(13, "ResolverConfig.nameservers.protocol"), None);
    assert_eq!(kind(14, "ResolverConfig.nameservers.protocol"), Some("word:Do53|DoT|DoH"));
    assert_eq!(kind(14, "UserVolumeConfig.volumeTyp"), None);
    assert_eq!(kind(14, "UserVolumeConfig"), None);
    let below =
        |path| Types::of((1, 14)).below(path).map(|fields| fields.fields().map(|(key, _)| key).collect::<Vec<_>>());
    assert_eq!(below("HostnameConfig"), Some(vec!["auto", "hostname"]));
    assert_eq!(below("v1alpha1"), Some(vec!["cluster", "debug", "machine", "persist", "version"]));
    assert_eq!(below("v1alpha1.machine.token"), None);
}

#[test]
fn clearing_reaches_through_structs() {
    let clears = |name: &str| Types::of((1, 14)).get(name).is_some_and(|fields| fields.clears);
    assert!(clears("block.ProvisioningSpec") && clears("UserVolumeConfig") && clears("UnattendedInstallConfig"));
    assert!(!clears("HostnameConfig") && !clears("block.DiskSelector.match") && !clears(MAIN));
}

#[test]
fn deprecated_fields_have_successors_that_exist() {
    let registries = Types::of((1, 12)).at("v1alpha1.machine.registries").and_then(|field| field.deprecation);
    let registries = registries.expect("deprecated");
    let kinds: Vec<_> = registries.successors().collect();
    assert_eq!(kinds, ["RegistryMirrorConfig", "RegistryAuthConfig", "RegistryTLSConfig"]);
    assert_eq!((registries.since, registries.base), ((1, 12), (1, 12)));
    for minor in talos::minors() {
        let types = Types::of(minor);
        for field in STRUCTS.iter().filter_map(|(name, _)| types.get(name)).flat_map(|fields| &fields.fields) {
            let Some(deprecation) = field.deprecation.filter(|deprecation| deprecation.since <= minor) else {
                continue;
            };
            for name in deprecation.successors().filter(|name| *name != "schematic") {
                let is_known = types.get(name).is_some() || types.at(&format!("{MAIN}.{name}")).is_some();
                assert!(is_known, "1.{}: {}: {name}", minor.1, field.key);
            }
        }
    }
}

/// The table is searched by its order, and `plain` takes what it does not know for a string.
#[test]
fn the_table_is_sorted_and_has_no_unknown_type_or_rule() {
    const SCALARS: [&str; 24] = [
        "address",
        "address-port",
        "any",
        "argument",
        "base64",
        "bool",
        "bytes",
        "cel",
        "cidr",
        "disk-condition",
        "disk-size",
        "duration",
        "fail-over-mac",
        "hardware-address",
        "int",
        "int32",
        "key",
        "ports",
        "routing-table",
        "size",
        "text",
        "uint",
        "uint8",
        "url",
    ];
    let rows: Vec<Vec<&str>> = table::rows(TYPES).map(Iterator::collect).collect();
    let order = |row: &[&str]| (row[0].to_owned(), row[1].to_owned(), table::minor(row[4]).expect("a minor"));
    assert!(rows.is_sorted_by(|a, b| order(a) < order(b)));
    for row in &rows {
        let [_, _, spelled, rule, first, last, _, _, secret] = row[..] else { panic!("{row:?}") };
        let inner = spelled.trim_start_matches(['!', '[', ']', '{', '}', '*']);
        let is_known = SCALARS.contains(&inner) || matches!(inner, "uint16" | "uint32" | "uint64");
        assert!(is_known || is_struct(inner) || inner.starts_with("word:"), "{row:?}");
        let (name, argument) = rule.split_once(':').unwrap_or((rule, ""));
        assert!(["-", "replace", "by", "replace-by", "zero", "sealed"].contains(&name), "{row:?}");
        assert_eq!(matches!(name, "by" | "replace-by" | "zero"), !argument.is_empty(), "{row:?}");
        let known = |minor: &str| table::minor(minor).is_some_and(|minor| talos::minors().any(|known| known == minor));
        assert!(known(first) && (last == "-" || known(last)), "{row:?}");
        assert!(matches!(secret, "-" | "secret"), "{row:?}");
    }
    let versions = TYPES.lines().find(|line| line.starts_with("# Source")).expect("a source");
    assert_eq!(versions.matches(" v1.").count(), talos::minors().count(), "a minor without its types");
}

#[test]
fn every_struct_is_reachable_from_a_kind() {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut open: Vec<&str> = kinds().chain([MAIN]).collect();
    while let Some(name) = open.pop() {
        if !reached.insert(name) {
            continue;
        }
        let structs = talos::minors().filter_map(|minor| Types::of(minor).get(name));
        open.extend(structs.flat_map(|fields| &fields.fields).filter_map(|field| field.structure()));
    }
    // A few structs have no fields, and so no rows.
    reached.retain(|name| talos::minors().any(|minor| Types::of(minor).get(name).is_some()));
    assert_eq!(reached, STRUCTS.iter().map(|(name, _)| *name).collect());
}
