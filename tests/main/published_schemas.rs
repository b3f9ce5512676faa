//! The schemas of the model for editors and other validators: `schemas/device.schema.json` and `schemas/fleet.schema.json`, which are
//! generated from `schemas/model/`. Each is one file without references to others, and without formats of talosmith's own.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use talosmith_document::{Document, Sources};
use talosmith_model::{FORMATS, Schema};

use crate::expected::{ExpectedFiles, files, repository};
use crate::fixtures::{fixtures, load};

const SCHEMAS: [Schema; 2] = [Schema::Device, Schema::Fleet];

/// The file of a device's schema, to which that of the fleet refers.
const DEVICE: &str = "device.schema.json";

/// What Markdown would not show as it is.
const MARKUP: &[char] = &['`', '*', '_', '<', '[', '\\'];

#[test]
fn the_published_schemas_are_those_of_the_model() {
    let mut expected = ExpectedFiles::default();
    for schema in SCHEMAS {
        let path = repository(&format!("schemas/{}.schema.json", schema.name()));
        expected.compare(&path, &(written(&publish(schema), 0, 0) + "\n"));
    }
    expected.finish();
}

/// Writes JSON as prettier would, since `talosmith init` puts the schemas into repositories of others: mappings in several lines, and
/// lists in one if it has at most 80 columns. `taken` is the number of columns before the value and after it.
fn written(value: &Value, indent: usize, taken: usize) -> String {
    let inner = " ".repeat(indent + 2);
    let outer = " ".repeat(indent);
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            let count = entries.len();
            let lines = entries.iter().enumerate().map(|(index, (key, value))| {
                let comma = if index + 1 < count { "," } else { "" };
                let key = format!("{inner}{}: ", Value::from(key.as_str()));
                let value = written(value, indent + 2, key.chars().count() + comma.len());
                format!("{key}{value}{comma}\n")
            });
            format!("{{\n{}{outer}}}", lines.collect::<String>())
        }
        Value::Array(items) if !items.is_empty() => {
            let flat = items.iter().map(|item| written(item, 0, 0)).collect::<Vec<_>>().join(", ");
            let is_list = |item: &Value| item.as_array().is_some_and(|items| items.len() > 1);
            let is_table = items.len() > 1 && items.iter().all(is_list);
            if !flat.contains('\n') && !is_table && taken + flat.chars().count() + 2 <= 80 {
                return format!("[{flat}]");
            }
            let count = items.len();
            let lines = items.iter().enumerate().map(|(index, item)| {
                let comma = if index + 1 < count { "," } else { "" };
                format!("{inner}{}{comma}\n", written(item, indent + 2, indent + 2 + comma.len()))
            });
            format!("[\n{}{outer}]", lines.collect::<String>())
        }
        scalar => scalar.to_string(),
    }
}

/// Returns a schema as one file with patterns.
fn publish(schema: Schema) -> Value {
    let mut published: Value = serde_json::from_str(schema.text()).expect("a schema is JSON");
    if schema == Schema::Fleet {
        let device: Value = serde_json::from_str(Schema::Device.text()).expect("a schema is JSON");
        let used = definitions(&published, &device);
        let all = device["$defs"].as_object().expect("definitions").iter();
        let used = all.filter(|(name, _)| used.contains(*name)).map(|(name, value)| (name.clone(), value.clone()));
        published["$defs"].as_object_mut().expect("definitions").extend(used);
    }
    let Value::Object(map) = rewrite(&published) else { panic!("a schema is a mapping") };
    let comment = format!("Generated from schemas/model/{}.schema.json", schema.name());
    let mut commented = Map::new();
    for (key, value) in map {
        commented.insert(key.clone(), value);
        if key == "$schema" {
            commented.insert("$comment".to_owned(), comment.clone().into());
        }
    }
    Value::Object(commented)
}

/// Returns the names of the device's definitions that a schema needs.
fn definitions(schema: &Value, device: &Value) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left: Vec<&str> =
        references(schema).into_iter().filter(|reference| reference.starts_with(DEVICE)).collect();
    while let Some(reference) = left.pop() {
        let name = reference.rsplit('/').next().expect("a name");
        if names.insert(name.to_owned()) {
            left.extend(references(&device["$defs"][name]));
        }
    }
    names
}

fn references(schema: &Value) -> Vec<&str> {
    match schema {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, value)| match value.as_str() {
                Some(target) if key == "$ref" => vec![target],
                _ => references(value),
            })
            .collect(),
        Value::Array(items) => items.iter().flat_map(references).collect(),
        _ => Vec::new(),
    }
}

fn rewrite(schema: &Value) -> Value {
    match schema {
        Value::Object(map) => {
            let mut new = Map::new();
            for (key, value) in map {
                match (key.as_str(), value.as_str()) {
                    ("format", Some(name)) => {
                        let row = FORMATS.iter().find(|row| row.name == name).expect("a row for each format");
                        new.insert("pattern".to_owned(), row.pattern.into());
                    }
                    ("$ref", Some(target)) => {
                        new.insert(key.clone(), target.trim_start_matches(DEVICE).into());
                    }
                    ("description", Some(text)) => {
                        new.insert(key.clone(), text.into());
                        // Editors escape what looks like Markdown in a description.
                        if text.contains(MARKUP) {
                            new.insert("markdownDescription".to_owned(), text.replace('<', "\\<").into());
                        }
                    }
                    // Examples are values of the user's file.
                    ("examples", _) => {
                        new.insert(key.clone(), value.clone());
                    }
                    _ => {
                        new.insert(key.clone(), rewrite(value));
                    }
                }
            }
            Value::Object(new)
        }
        Value::Array(items) => items.iter().map(rewrite).collect(),
        other => other.clone(),
    }
}

fn validator(schema: Schema) -> jsonschema::Validator {
    let text: Value = serde_json::from_str(schema.published()).expect("a schema is JSON");
    jsonschema::draft202012::new(&text).expect("a schema that compiles without other files")
}

#[test]
fn patterns_accept_what_the_model_accepts() {
    let mut models: Vec<(String, String)> = Vec::new();
    for path in fixtures("valid").into_iter().chain(fixtures("invalid")) {
        models.extend(load(&path).into_iter().map(|(name, text)| (format!("{} {name}", path.display()), text)));
    }
    let mut own = files(&repository("tests/fleets"));
    own.extend(["talosmith.yaml", "devices/ryzen/device.yaml"].map(repository));
    for path in own.iter().filter(|path| path.extension().is_some_and(|extension| extension == "yaml")) {
        models.push((path.display().to_string(), std::fs::read_to_string(path).expect("a file")));
    }
    let [device, fleet] = SCHEMAS.map(|schema| (schema, validator(schema)));
    let mut compared = 0;
    for (name, text) in models {
        let (schema, validator) = match name.rsplit(['/', ' ']).next() {
            Some("device.yaml") => &device,
            Some("talosmith.yaml") => &fleet,
            _ => continue,
        };
        let mut sources = Sources::default();
        let source = sources.add(name.clone(), text.clone());
        let Ok(document) = Document::parse(source, &text) else { continue };
        let value = document.root.clone().into_json();
        if schema.findings(source, &document, &value, &[]).is_empty() {
            let errors: Vec<String> = validator.iter_errors(&value).map(|error| error.to_string()).collect();
            assert_eq!(errors, Vec::<String>::new(), "{name}");
            compared += 1;
        }
    }
    assert!(compared > 200, "only {compared} documents were compared");
}

#[test]
fn patterns_show_common_mistakes() {
    let [device_schema, fleet_schema] = SCHEMAS.map(validator);
    let is_valid = |keys: Value| {
        let mut device = json!({"name": "a", "cluster": "b", "role": "worker", "address": "192.0.2.1"});
        device.as_object_mut().expect("a mapping").extend(keys.as_object().expect("a mapping").clone());
        device_schema.is_valid(&device)
    };
    assert!(is_valid(json!({})));
    for keys in [
        json!({"address": "10.0.0.1/24"}),
        json!({"hostname": "Bad_Name"}),
        json!({"talosVersion": "1.13.4"}),
        json!({"endpoint": "10.0.0.9:6443"}),
        json!({"disks": {"a": {"size": "100G", "selector": "system_disk"}}}),
        json!({"disks": {"a": {"size": "100GB", "path": "sda"}}}),
        json!({"volumes": {"a_b": {"disk": "a", "size": "1GB"}}}),
        json!({"volumes": {"a": {"disk": "a", "size": "1.5TB"}}}),
        json!({"schematics": {"a": {"extensions": ["tailscale"]}}}),
        json!({"labels": {"a b": "c"}}),
        json!({"taints": {"gpu": "true:Noschedule"}}),
        json!({"files": {"hostname": "../a.yaml"}}),
    ] {
        assert!(!is_valid(keys.clone()), "{keys}");
    }
    let is_valid = |key: &str, value: Value| {
        fleet_schema.is_valid(&json!({"clusters": {"a": {"talosVersion": "v1.13.4", key: value}}}))
    };
    assert!(is_valid("podCIDRs", json!(["10.244.0.0/16"])));
    assert!(!is_valid("podCIDRs", json!(["10.244.0.0"])));
    assert!(!is_valid("defaults", json!({"address": "10.0.0.1"})));
    assert!(!is_valid("defaults", json!({"nameservers": ["10.0.0.1/8"]})));
}
