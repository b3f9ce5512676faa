//! Compares the tables with the collected sources, where these exist next to the repository.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::PathBuf;

use serde_json::Value;
use talosmith_document::TalosVersion;
use talosmith_machinery::talos_data::talos;

use crate::upstream::extensions;

/// Returns a file of the collected sources; where they are missing, reports that on stderr and returns none.
fn reference(name: &str) -> Option<String> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/reference").join(name);
    if path.is_file() {
        return Some(fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}")));
    }
    // Not `eprintln!`, whose output the test harness captures.
    let _ = writeln!(std::io::stderr(), "skipped: ../shared/reference/{name} does not exist");
    None
}

fn json(name: &str) -> Option<Value> {
    reference(name).map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")))
}

#[test]
fn every_release_has_the_extensions_of_its_list() {
    let Some(catalogue) = json("extensions.json") else { return };
    for (tag, list) in catalogue["per_tag_versions"].as_object().expect("tags") {
        let version: TalosVersion = tag.parse().expect("a tag");
        let expected: BTreeSet<String> =
            list.as_object().expect("names").keys().map(|name| format!("siderolabs/{name}")).collect();
        let found: BTreeSet<String> = extensions::names(&version).map(str::to_owned).collect();
        assert_eq!(found, expected, "{tag}");
        for extension in catalogue["extensions"].as_object().expect("extensions").values() {
            let name = extension["name"].as_str().expect("a name");
            assert_eq!(extensions::knows(&version, name), Some(expected.contains(name)), "{tag} {name}");
        }
    }
}

#[test]
fn every_extension_has_its_architectures_and_services() {
    let Some(catalogue) = json("extensions.json") else { return };
    let known: BTreeSet<&str> =
        talos_minors().iter().flat_map(|version| extensions::names(version).collect::<Vec<_>>()).collect();
    for name in known {
        let extension = &catalogue["extensions"][name.trim_start_matches("siderolabs/")];
        let architectures: Vec<&str> =
            extension["arch"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
        assert_eq!(extensions::architectures(name).collect::<Vec<_>>(), architectures, "{name}");
        let expected: BTreeMap<&str, bool> = extension["services"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(|service| Some((service["config_name"].as_str()?, service["requires_config"].as_bool()?)))
            .collect();
        let found: BTreeMap<&str, bool> =
            extensions::services(name).map(|service| (service.name, service.needs_configuration)).collect();
        assert_eq!(found, expected, "{name}");
    }
    for (old, name) in catalogue["aliases"].as_object().expect("aliases") {
        // The factory's alias for this one leads to a name that no release has.
        let expected = name.as_str().filter(|name| *name != "siderolabs/nvidia-fabric-manager-lts");
        assert_eq!(extensions::alias(old), expected, "{old}");
    }
}

fn talos_minors() -> Vec<TalosVersion> {
    ["v1.11.99", "v1.12.99", "v1.13.99", "v1.14.99"].map(|text| text.parse().expect("a version")).to_vec()
}

#[test]
fn every_minor_has_the_kinds_of_its_schema() {
    for minor in [12, 13, 14] {
        let Some(schema) = json(&format!("talos-schemas/v1.{minor}.config.schema.json")) else { return };
        let mut expected = BTreeSet::new();
        for definition in schema["$defs"].as_object().expect("definitions").values() {
            // The names that the loader knows, where the schema has others.
            expected.extend(match definition["properties"]["kind"]["enum"][0].as_str() {
                Some("KubeSpanEndpoints") => Some("KubeSpanEndpointsConfig"),
                Some("UnattendedInstall") => Some("UnattendedInstallConfig"),
                kind => kind,
            });
        }
        if minor >= 13 {
            assert!(expected.insert("ImageVerificationConfig"), "the schema of 1.{minor} has it now");
        }
        let found: BTreeSet<&str> = talos::kinds().filter(|kind| talos::kind_since(kind) <= Some((1, minor))).collect();
        assert_eq!(found, expected, "1.{minor}");
    }
}

#[test]
fn the_vectors_of_schematic_ids_are_the_collected_ones() {
    let Some(vectors) = reference("schematic-vectors.json") else { return };
    assert!(vectors == include_str!("../../../tests/data/schematic-vectors.json"), "the copies differ");
}
