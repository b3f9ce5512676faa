//! The checker of CEL against the official machinery's verdicts.

use std::fs;
use std::path::PathBuf;

use talosmith_model::TalosVersion;
use talosmith_model::cel::{self, Environment, Facts, Value, Verdict};

/// The fields of a disk and what they are where `disks.json` says nothing: the empty values of the protocol.
const FIELDS: &[(&str, &str)] = &[
    ("size", "0"),
    ("io_size", "0"),
    ("sector_size", "0"),
    ("readonly", "false"),
    ("model", "\"\""),
    ("serial", "\"\""),
    ("modalias", "\"\""),
    ("wwid", "\"\""),
    ("bus_path", "\"\""),
    ("sub_system", "\"\""),
    ("transport", "\"\""),
    ("rotational", "false"),
    ("cdrom", "false"),
    ("dev_path", "\"\""),
    ("pretty_size", "\"\""),
    ("secondary_disks", "[]"),
    ("uuid", "\"\""),
    ("symlinks", "[]"),
    ("firmware_version", "\"\""),
];

/// What the machinery makes of an expression.
struct Row {
    environment: Environment,
    /// Whether it takes it, by version.
    signs: String,
    /// What it is for each disk.
    values: String,
    text: String,
}

fn read(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/cel").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn rows() -> Vec<Row> {
    let text = read("expressions.txt");
    let rows = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut fields = line.splitn(4, ' ');
        let mut next = || fields.next().expect("four fields");
        Row {
            environment: environment(next()),
            signs: next().to_owned(),
            values: next().to_owned(),
            text: serde_json::from_str(next()).expect("a JSON string"),
        }
    });
    rows.collect()
}

/// All paths and values of each disk of `disks.json`.
fn disks() -> Vec<Vec<(String, Value)>> {
    let disks: Vec<serde_json::Value> = serde_json::from_str(&read("disks.json")).expect("disks");
    let facts = disks.iter().map(|fixture| {
        let mut facts = vec![("system_disk".to_owned(), value(&fixture["system"]))];
        for (field, empty) in FIELDS {
            let written = fixture["disk"].get(field).cloned();
            let json = written.unwrap_or_else(|| serde_json::from_str(empty).expect("a value"));
            facts.push((format!("disk.{field}"), value(&json)));
        }
        facts
    });
    facts.collect()
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Uint(number.as_u64().expect("a uint")),
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value).collect(), true),
        _ => panic!("{json} is no value of a disk"),
    }
}

/// The facts for which `keep` is true of their number.
fn known(facts: &[(String, Value)], keep: impl Fn(usize) -> bool) -> Facts {
    let mut known = Facts::default();
    for (_, (path, value)) in facts.iter().enumerate().filter(|(at, _)| keep(*at)) {
        known.know(path, value.clone());
    }
    known
}

fn environment(name: &str) -> Environment {
    match name {
        "disk" => Environment::Disk,
        "volume" => Environment::Volume,
        "member" => Environment::MemberVolume,
        "link" => Environment::LinkAlias,
        "oom-trigger" => Environment::OomTrigger,
        "oom-ranking" => Environment::OomRanking,
        _ => panic!("{name} is no environment"),
    }
}

#[test]
fn the_machinery_takes_the_same_expressions() {
    let versions = ["v1.12.7", "v1.13.8", "v1.14.1"].map(|version| version.parse::<TalosVersion>().expect(version));
    let mut differences = Vec::new();
    let rows = rows();
    for row in &rows {
        for (version, sign) in versions.iter().zip(row.signs.chars()) {
            let verdict = cel::check(&row.text, row.environment, version);
            if sign != '.' && verdict.is_ok() != (sign == '+') {
                differences.push(format!("{:?} {version} {sign} {:?}: {verdict:?}", row.environment, row.text));
            }
        }
    }
    assert!(rows.len() > 500, "only {} expressions", rows.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_machinery_finds_the_same_values() {
    let version = "v1.14.1".parse().expect("a version");
    let disks = disks();
    let (mut differences, mut decided, mut asked) = (Vec::new(), 0, 0);
    for row in rows() {
        let Ok(expression) = cel::check(&row.text, row.environment, &version) else { continue };
        for (disk, sign) in disks.iter().zip(row.values.chars()) {
            let expected = match sign {
                'T' => Verdict::True,
                'F' => Verdict::False,
                'E' => Verdict::Unknown,
                _ => continue,
            };
            let verdict = expression.of(&known(disk, |_| true));
            asked += 1;
            decided += usize::from(verdict == expected);
            // Less knowledge never leads to another verdict.
            let less = (0..disk.len()).map(|without| expression.of(&known(disk, |at| at != without)));
            let one = (0..disk.len()).map(|only| expression.of(&known(disk, |at| at == only)));
            for verdict in less.chain(one).chain([verdict, expression.of(&Facts::default())]) {
                if verdict != expected && verdict != Verdict::Unknown {
                    differences.push(format!("{sign} {:?}: {verdict:?}", row.text));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // What is left has maps, times, regular expressions, messages or conversions of texts in it.
    assert!(decided * 100 > asked * 75, "{decided} of {asked} are decided");
}
