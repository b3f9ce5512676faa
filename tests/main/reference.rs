//! `docs/reference/`: generated from the program, and compared.

use clap::CommandFactory as _;
use serde_json::Value;
use talosmith_cli::{CommandLine, Owner, Project, Purpose, Selection, VARIABLES, WorkTree, inspect};
use talosmith_document::Code;
use talosmith_model::Schema;
use talosmith_render::{
    Application, CLUSTER, ClusterEach, DEVICE, Reader, built_in_templates, device_context, yaml_document,
};

use crate::expected::{ExpectedFiles, repository};

#[test]
fn the_reference_is_generated_from_the_program() {
    let pages = [
        ("commands", commands()),
        ("codes", codes()),
        ("model-keys", model_keys()),
        ("artifacts", artifacts()),
        ("templates", templates()),
    ];
    let mut expected = ExpectedFiles::default();
    for (name, text) in &pages {
        expected.compare(&repository(&format!("docs/reference/{name}.md")), text);
    }
    expected.reject_orphans(&repository("docs/reference"), "md");
    expected.finish();
}

fn commands() -> String {
    let mut text =
        "# Commands\n\nGenerated from the command line; `talosmith COMMAND --help` prints the same.\n".to_owned();
    let mut command = CommandLine::command().term_width(100);
    command.build();
    let mut names: Vec<String> = command.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.retain(|name| name != "help");
    for name in names {
        let command = command.find_subcommand_mut(&name).expect("a command of the list");
        let help = command.render_help().to_string();
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        text.push_str(&format!("\n## talosmith {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end()));
    }
    text.push_str("\n## Environment\n\n");
    for variable in VARIABLES {
        text.push_str(&format!("- `{}`: {}\n", variable.name, variable.meaning));
    }
    text
}

fn codes() -> String {
    let mut text =
        "# Codes\n\nEvery kind of finding that talosmith reports. `talosmith explain CODE` shows its page.\n\n"
            .to_owned();
    for code in Code::ALL {
        text.push_str(&format!(
            "- [`{code}`](../../codes/{code}.md) ({}): {}\n",
            code.level().as_str(),
            code.summary()
        ));
    }
    text
}

fn artifacts() -> String {
    let mut text = "# Artifacts\n\nThe generated files, and the model key that generates each. `files` renames a file of a device by its model key.\n\n## Of a device, below `devices/<name>/manifests/`\n\n"
        .to_owned();
    for row in DEVICE.iter().filter(|row| row.reader != Reader::Operator) {
        let file = row.file.replace('@', "<device>").replace('*', "<name>");
        text.push_str(&format!("- `{}` → `{file}`: {}\n", row.key.replace('*', "<name>"), row.about));
    }
    text.push_str(
        "\nAn artifact that contains a secret is tracked as `….template.yaml`, with the placeholder `${NAME}`. The file with the value is \
         `….yaml` in the same folder, which git must ignore; its key is the artifact's with `.secret` appended.\n",
    );
    text.push_str("\n## Of a device, in `devices/<name>/`\n\n");
    for row in DEVICE.iter().filter(|row| row.reader == Reader::Operator) {
        text.push_str(&format!("- `{}` → `{}`: {}\n", row.key, row.file, row.about));
    }
    for application in Application::ALL {
        text.push_str(&format!("\n## Of the application {}, below its folder\n\n", application.name()));
        for row in CLUSTER.iter().filter(|row| row.application == application) {
            let is_per_device = matches!(row.each, ClusterEach::DeviceWithClasses);
            let item = if is_per_device { "<device>" } else { "<runtime>" };
            let key = row.key.map(|key| format!("`files.{key}` → ")).unwrap_or_default();
            text.push_str(&format!("- {key}`{}`: {}\n", row.file.replace('*', item), row.about));
        }
    }
    text
}

fn templates() -> String {
    let mut text = "# Templates\n\nThe folder that `templates` in talosmith.yaml names may contain files of these names, which override the built-in ones. \
                    Values are quoted automatically for the language that the name ends with; `| quote` always quotes, `| block(n)` inserts lines \
                    with an indent of n, `| yaml(n)` writes a list or mapping at that indent, `| octal` writes a file's mode, `| json` writes JSON, in Markdown `| code` writes a string in backticks and `| word` one word of a shell command, `| fill` replaces placeholders \
                    by the values of secrets, and `part(\"name\")` returns the output of another template.\n\n"
        .to_owned();
    for name in built_in_templates().keys() {
        text.push_str(&format!("- `{name}`\n"));
    }
    text.push_str("\n## Variables of templates\n\nThe plan, here with the values of this repository's device: `device` and `cluster`, `item` for \
                   an artifact that is generated once per item, and `secrets` for the values of its secrets by the names in their placeholders. \
                   Templates below `device/` have no list of other devices: `cluster.kata.nodes`, `cluster.local_path.node_path_map` and \
                   `cluster.local_path.storage_classes` are for templates below `cluster/`.\n\n```yaml\n");
    let root = camino::Utf8PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let tree = WorkTree::new(root);
    let project = Project::open(&tree).expect("this repository can be read");
    let inspection = inspect(project, &Selection::Everything, Purpose::Render, |inspected| match inspected.owner {
        Owner::Device(device) => Some(device_context(device)),
        Owner::Cluster(_) | Owner::User(_) => None,
    });
    let inspection = inspection.expect("this repository can be read");
    let seen = serde_json::json!({ "cluster": inspection.clusters[0], "device": inspection.kept[0] });
    text.push_str(&yaml_document(&seen));
    text.push_str("```\n");
    text
}

fn model_keys() -> String {
    let mut text = "# Model keys\n\nGenerated from the schemas, which editors show as you type.\n".to_owned();
    for (schema, title) in [(Schema::Fleet, "talosmith.yaml"), (Schema::Device, "devices/&lt;name&gt;/device.yaml")] {
        text.push_str(&format!("\n## {title}\n"));
        let root: Value = serde_json::from_str(schema.text()).expect("a schema is JSON");
        for (key, property) in root["properties"].as_object().into_iter().flatten() {
            text.push_str(&format!("\n### `{key}`\n\n"));
            entry(&root, property, key, &mut text);
            let (_, resolved) = resolve(&root, property);
            if let Some(example) =
                example_of(property, &resolved).filter(|example| example.is_array() || example.is_object())
            {
                let example = yaml_document(&serde_json::json!({ key: example }));
                text.push_str(&format!(
                    "\n<!-- prettier-ignore -->\n```yaml\n{}```\n",
                    example.trim_start_matches("---\n")
                ));
            }
        }
    }
    text
}

/// Lists the keys of a schema, depth first.
fn walk(root: &Value, schema: &Value, path: &str, text: &mut String) {
    for (key, property) in schema["properties"].as_object().into_iter().flatten() {
        entry(root, property, &format!("{path}.{key}"), text);
    }
    if schema["additionalProperties"].is_object() {
        entry(root, &schema["additionalProperties"], &format!("{path}.<name>"), text);
    }
}

fn example_of<'s>(property: &'s Value, resolved: &'s Value) -> Option<&'s Value> {
    [property, resolved].into_iter().find_map(|schema| schema["examples"].get(0))
}

/// Lists the values of an enum, strings without their quotes.
fn options(values: &[Value]) -> String {
    let written = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    values.iter().map(|value| format!("`{}`", written(value))).collect::<Vec<_>>().join(", ")
}

fn entry(root: &Value, property: &Value, path: &str, text: &mut String) {
    // The keys of a layer are those of a device, which are listed under device.yaml.
    if property["$ref"].as_str().is_some_and(|reference| reference.ends_with("/layer")) {
        text.push_str(&format!("- `{path}` (mapping): keys of devices, for many of them\n"));
        return;
    }
    let (other, resolved) = resolve(root, property);
    let own = |key: &str| [property, &resolved].into_iter().find_map(|schema| schema.get(key).cloned());
    let kind = match own("type") {
        Some(Value::String(kind)) => kind,
        Some(Value::Array(kinds)) => {
            kinds.iter().filter_map(Value::as_str).find(|kind| *kind != "null").unwrap_or("").to_owned()
        }
        _ => own("enum").as_ref().and_then(Value::as_array).map(|values| options(values)).unwrap_or_default(),
    };
    let kind = match kind.as_str() {
        "object" => "mapping".to_owned(),
        "array" => "list".to_owned(),
        _ => kind,
    };
    let about = own("description").and_then(|about| about.as_str().map(str::to_owned)).unwrap_or_default();
    let default = own("default").map(|default| format!(" Default: `{default}`.")).unwrap_or_default();
    let example = example_of(property, &resolved).filter(|example| !example.is_object() && !example.is_array());
    let example = example.map(flow).filter(|example| !example.contains('\n'));
    let example = example.map(|example| format!(" Example: `{example}`.")).unwrap_or_default();
    let separator = if about.is_empty() { "" } else { ": " };
    text.push_str(&format!(
        "- `{path}` ({kind}){separator}{}{default}{example}\n",
        about.replace('<', "&lt;").replace('*', "\\*")
    ));
    walk(&other, &resolved, path, text);
}

/// Returns a scalar as it is written in YAML.
fn flow(scalar: &Value) -> String {
    let text = yaml_document(&serde_json::json!([scalar]));
    text.trim().trim_start_matches("- ").to_owned()
}

/// Resolves the reference of a schema. Returns the document that the references in the result are relative to, and the result.
fn resolve(root: &Value, schema: &Value) -> (Value, Value) {
    let Some(reference) = schema["$ref"].as_str() else { return (root.clone(), schema.clone()) };
    let (document, fragment) = reference.split_once('#').expect("a fragment");
    let root =
        if document.is_empty() { root.clone() } else { serde_json::from_str(Schema::Device.text()).expect("JSON") };
    let schema = root.pointer(fragment).cloned().expect("a definition");
    (root, schema)
}

#[test]
fn every_key_of_a_schema_has_a_description_and_an_example() {
    fn check(root: &Value, schema: &Value, path: &str, lacking: &mut Vec<String>) {
        for (key, property) in schema["properties"].as_object().into_iter().flatten() {
            let path = format!("{path}/{key}");
            let (other, resolved) = resolve(root, property);
            let layer = property["$ref"].as_str().is_some_and(|reference| reference.ends_with("/layer"));
            for wanted in ["description", "examples"] {
                if property.get(wanted).or_else(|| resolved.get(wanted)).is_none() && !(layer && wanted == "examples") {
                    lacking.push(format!("{path} has no {wanted}"));
                }
            }
            if !layer {
                check(&other, &resolved, &path, lacking);
            }
        }
        if schema["additionalProperties"].is_object() {
            let (other, resolved) = resolve(root, &schema["additionalProperties"]);
            check(&other, &resolved, &format!("{path}/*"), lacking);
        }
    }
    let mut lacking = Vec::new();
    for schema in [Schema::Device, Schema::Fleet] {
        let root: Value = serde_json::from_str(schema.text()).expect("a schema is JSON");
        check(&root, &root, schema.name(), &mut lacking);
    }
    assert_eq!(lacking, Vec::<String>::new());
}
