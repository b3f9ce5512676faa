//! What holds across the files of the workspace: which crate may use which, the order of the modules, and that each row of a table has
//! the files that belong to it (the recipes of CONTRIBUTING.md).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use talosmith_document::Code;
use talosmith_render::built_in_templates;

use crate::expected::{files, repository};

/// Each crate may use only those before it.
const CRATES: [&str; 6] =
    ["talosmith-document", "talosmith-machinery", "talosmith-model", "talosmith-render", "talosmith-cli", "talosmith"];

#[test]
fn crates_depend_in_one_direction() {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(repository(""))
        .output()
        .expect("cargo starts");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata prints JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    let name_of = |package: &Value| package["name"].as_str().expect("a name").to_owned();
    let position = |name: &str| CRATES.iter().position(|it| *it == name);
    assert_eq!(packages.iter().map(name_of).collect::<BTreeSet<_>>(), CRATES.map(str::to_owned).into());
    for package in packages {
        let name = name_of(package);
        for dependency in package["dependencies"].as_array().expect("dependencies") {
            let used = name_of(dependency);
            assert!(!used.starts_with("talosmith") || position(&used) < position(&name), "{name} uses {used}");
        }
    }
}

#[test]
fn modules_use_only_those_before_them() {
    let mut wrong = Vec::new();
    for name in ["document", "machinery", "model", "render", "cli"] {
        let source = repository(&format!("crates/{name}/src"));
        let contents = fs::read_to_string(source.join("lib.rs")).expect("lib.rs");
        let modules: Vec<&str> = contents
            .lines()
            .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
            .filter(|module| *module != "tests")
            .collect();
        // Items that lib.rs exports again, by the position of their module.
        let mut positions: BTreeMap<&str, usize> =
            modules.iter().enumerate().map(|(index, module)| (*module, index)).collect();
        for export in contents.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next()) {
            let position = export.split("::").next().and_then(|module| positions.get(module).copied());
            let items = export.split(|it: char| !it.is_alphanumeric() && it != '_').skip(1).filter(|it| !it.is_empty());
            positions.extend(items.filter_map(|item| Some((item, position?))));
        }
        for (index, module) in modules.iter().enumerate() {
            for path in files_of(&source, module) {
                let code = read_code(&path);
                for used in used_items(&code).filter(|used| positions.get(used).is_some_and(|it| *it > index)) {
                    wrong.push(format!("{} uses {used}", path.display()));
                }
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

/// Returns the source files of a module, its tests aside.
fn files_of(source: &Path, module: &str) -> Vec<PathBuf> {
    let is_of_module = |path: &PathBuf| {
        let below = path.strip_prefix(source).expect("below the source").with_extension("");
        let mut parts = below.iter().filter_map(|part| part.to_str());
        parts.next() == Some(module) && parts.all(|part| part != "tests")
    };
    rust_files(source).filter(is_of_module).collect()
}

fn rust_files(folder: &Path) -> impl Iterator<Item = PathBuf> {
    files(folder).into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
}

/// Reads a source file without the tests at its end, which may use the whole crate.
fn read_code(path: &Path) -> String {
    let text = fs::read_to_string(path).expect("a source file");
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    code.lines().map(|line| format!("{}\n", line.split("//").next().unwrap_or_default())).collect()
}

/// Returns the first part of every path that starts at the crate: `a` of `crate::a::B`, `a` and `C` of `crate::{a::B, C}`.
fn used_items(code: &str) -> impl Iterator<Item = &str> {
    code.split("crate::").skip(1).flat_map(|rest| {
        let paths = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        paths.into_iter().filter_map(|path| path.trim().split(|it: char| !it.is_alphanumeric() && it != '_').next())
    })
}

#[test]
fn machinery_knows_no_device() {
    let mut wrong = Vec::new();
    let ours = ["Device", "Fleet", "Cluster", "device.yaml", "talosmith.yaml"];
    let source = repository("crates/machinery/src");
    for path in rust_files(&source) {
        for (number, line) in read_code(&path).lines().enumerate() {
            let is_word = |word: &&&str| {
                line.split(|next: char| !next.is_alphanumeric() && !"._".contains(next)).any(|part| part == **word)
            };
            if let Some(word) = ours.iter().find(is_word) {
                wrong.push(format!("{}:{} names {word}", path.display(), number + 1));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn every_template_has_its_row_and_every_row_its_template() {
    let root = repository("templates");
    let committed: BTreeSet<String> = files(&root)
        .iter()
        .map(|path| path.strip_prefix(&root).expect("below the root").to_str().expect("UTF-8").to_owned())
        .collect();
    let embedded: BTreeSet<String> = built_in_templates().into_keys().map(str::to_owned).collect();
    assert_eq!(embedded, committed, "the templates of crates/render/src/catalogue against the files of templates/");
    let parts: BTreeSet<&str> = built_in_templates()
        .into_values()
        .flat_map(|text| text.split("part(\"").skip(1).filter_map(|rest| Some(rest.split_once('"')?.0)))
        .collect();
    let embedded_parts = embedded.iter().map(String::as_str).filter(|name| name.starts_with("part/")).collect();
    assert_eq!(parts, embedded_parts, "the parts that other templates name against the embedded ones");
}

#[test]
fn every_code_has_its_page_and_every_page_its_code() {
    let pages: BTreeSet<String> =
        files(&repository("codes")).iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    assert_eq!(pages, Code::ALL.iter().map(|code| code.name().to_owned()).collect());
}

#[test]
fn every_scalar_of_the_schemas_has_its_row_and_every_row_its_use() {
    fn collect(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("format").and_then(Value::as_str).map(str::to_owned));
                // An example may have a key of that name.
                let schemas = map.iter().filter(|(key, _)| *key != "examples");
                schemas.for_each(|(_, value)| collect(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
            _ => {}
        }
    }
    let mut used = BTreeSet::new();
    for schema in ["device", "fleet"] {
        let path = repository(&format!("schemas/model/{schema}.schema.json"));
        let text = fs::read_to_string(path).expect("a schema");
        collect(&serde_json::from_str(&text).expect("JSON"), &mut used);
    }
    let rows: BTreeSet<String> = talosmith_model::FORMATS.iter().map(|row| row.name.to_owned()).collect();
    assert_eq!(rows, used);
}

#[test]
fn recipes_name_existing_files_and_count_them() {
    let text = fs::read_to_string(repository("CONTRIBUTING.md")).expect("CONTRIBUTING.md");
    let tracked = Command::new("git").arg("ls-files").current_dir(repository("")).output().expect("git starts");
    let tracked = String::from_utf8(tracked.stdout).expect("UTF-8");
    for recipe in text.split("\n### ").skip(1) {
        let (title, steps) = recipe.split_once('\n').expect("a recipe with steps");
        let numbered =
            steps.lines().filter_map(|line| line.split_once(". `")).filter(|(number, _)| number.parse::<u8>().is_ok());
        let paths: Vec<&str> = numbered.filter_map(|(_, rest)| rest.split('`').next()).collect();
        let count = title.rsplit_once(": ").and_then(|(_, count)| count.split_once(' ')).expect("a number of files").0;
        assert_eq!(count.parse().unwrap_or(0), paths.len(), "{title}");
        for path in paths {
            // A part in angle brackets is different for each change.
            let parts: Vec<&str> = path.split(['<', '>']).step_by(2).collect();
            let (start, end) = (parts[0], parts[parts.len() - 1]);
            let is_named = |file: &&str| file.starts_with(start) && file.ends_with(end);
            assert!(tracked.lines().any(|file| is_named(&file)), "{title}: there is no {path}");
        }
    }
}

#[test]
fn the_versions_of_packages_are_those_of_the_workspace() {
    let read = |path: &str| fs::read_to_string(repository(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
    let version = env!("CARGO_PKG_VERSION");
    for path in ["pyproject.toml", "package.nix", "flake.nix", "Dockerfile", "scripts/package.py", ".ci/packages"] {
        assert!(!read(path).contains(version), "{path} repeats the version, which belongs into Cargo.toml alone");
    }
    let rust = env!("CARGO_PKG_RUST_VERSION");
    assert!(read("Dockerfile").contains(&format!("FROM rust:{rust}-")), "the Dockerfile builds with another Rust");
    // Each archive of a release is one of the formula, and the other way round.
    let targets = |path: &str, after: &str| {
        let text = read(path);
        let lines = text.lines().filter_map(|line| line.trim().strip_prefix(after));
        let names = lines.map(|rest| rest.split(['"', ',']).next().unwrap_or_default().to_owned());
        names.filter(|name| name.contains('-')).collect::<BTreeSet<_>>()
    };
    let released = targets(".github/workflows/release.yml", "- { target: ");
    assert_eq!(released, targets("scripts/package.py", "\""));
    assert_eq!(released.len(), 4);
}
