//! The expressions that the official machinery accepts and the values that it finds, and the texts of errors.

use proptest::prelude::*;
use talosmith_document::TalosVersion;

use super::{Bindings, Environment, Outcome, Value, check, check_syntax};

const EXPRESSIONS: &str = include_str!("../../tests/cel/expressions.txt");
const VERSIONS: &str = include_str!("../../../../conformance/versions.txt");
const DISKS: &str = include_str!("../../tests/cel/disks.json");

/// The fields of a disk, and their values where `disks.json` has none: the empty ones of protobuf.
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

/// What the machinery does with an expression.
struct Row {
    environment: Environment,
    /// Whether it accepts it, by version.
    signs: String,
    /// Its value for each disk.
    values: String,
    text: String,
}

fn rows() -> Vec<Row> {
    let rows = EXPRESSIONS.lines().filter(|line| !line.starts_with('#')).map(|line| {
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
    let disks: Vec<serde_json::Value> = serde_json::from_str(DISKS).expect("disks");
    let bindings = disks.iter().map(|fixture| {
        let mut bindings = vec![("system_disk".to_owned(), value(&fixture["system"]))];
        for (field, empty) in FIELDS {
            let written = fixture["disk"].get(field).cloned();
            let json = written.unwrap_or_else(|| serde_json::from_str(empty).expect("a value"));
            bindings.push((format!("disk.{field}"), value(&json)));
        }
        bindings
    });
    bindings.collect()
}

fn value(json: &serde_json::Value) -> Value {
    match json {
        serde_json::Value::Bool(value) => Value::Bool(*value),
        serde_json::Value::Number(number) => Value::Uint(number.as_u64().expect("a uint")),
        serde_json::Value::String(text) => Value::String(text.clone()),
        serde_json::Value::Array(items) => Value::List(items.iter().map(value).collect(), true),
        _ => panic!("{json} is not a value of a disk"),
    }
}

/// The bindings whose index `keep` accepts.
fn known(bindings: &[(String, Value)], keep: impl Fn(usize) -> bool) -> Bindings {
    let mut known = Bindings::default();
    for (_, (path, value)) in bindings.iter().enumerate().filter(|(at, _)| keep(*at)) {
        known.bind(path, value.clone());
    }
    known
}

/// The versions of the machinery, oldest first.
fn versions() -> Vec<TalosVersion> {
    let rows = VERSIONS.lines().filter(|line| !line.starts_with('#'));
    let versions = rows.filter_map(|row| row.split(' ').next());
    versions.map(|version| format!("v{version}").parse().expect(version)).collect()
}

fn environment(name: &str) -> Environment {
    match name {
        "disk" => Environment::Disk,
        "volume" => Environment::Volume,
        "member" => Environment::MemberVolume,
        "link" => Environment::LinkAlias,
        "oom-trigger" => Environment::OomTrigger,
        "oom-ranking" => Environment::OomRanking,
        _ => panic!("{name} is not an environment"),
    }
}

#[test]
fn the_machinery_accepts_the_same_expressions() {
    let versions = versions();
    let mut differences = Vec::new();
    let rows = rows();
    for row in &rows {
        assert_eq!(row.signs.len(), versions.len(), "{:?}: run conformance/renew", row.text);
        for (version, sign) in versions.iter().zip(row.signs.chars()) {
            let outcome = check(&row.text, row.environment, version);
            if sign != '.' && outcome.is_ok() != (sign == '+') {
                differences.push(format!("{:?} {version} {sign} {:?}: {outcome:?}", row.environment, row.text));
            }
        }
    }
    assert!(rows.len() > 500, "only {} expressions", rows.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_machinery_finds_the_same_values() {
    let version = versions().pop().expect("a version");
    let disks = disks();
    let (mut differences, mut decided, mut asked) = (Vec::new(), 0, 0);
    for row in rows() {
        let Ok(expression) = check(&row.text, row.environment, &version) else { continue };
        for (disk, sign) in disks.iter().zip(row.values.chars()) {
            let expected = match sign {
                'T' => Outcome::True,
                'F' => Outcome::False,
                'E' => Outcome::Unknown,
                _ => continue,
            };
            let outcome = expression.evaluate(&known(disk, |_| true));
            asked += 1;
            decided += usize::from(outcome == expected);
            // With fewer bindings the outcome is the same or unknown.
            let less = (0..disk.len()).map(|without| expression.evaluate(&known(disk, |at| at != without)));
            let one = (0..disk.len()).map(|only| expression.evaluate(&known(disk, |at| at == only)));
            for outcome in less.chain(one).chain([outcome, expression.evaluate(&Bindings::default())]) {
                if outcome != expected && outcome != Outcome::Unknown {
                    differences.push(format!("{sign} {:?}: {outcome:?}", row.text));
                }
            }
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
    // The others contain maps, times, regular expressions, messages or conversions of strings.
    assert!(decided * 100 > asked * 75, "{decided} of {asked} are decided");
}

/// The error of a disk selector: the message, the underlined part, and the label or the help.
fn error(text: &str) -> String {
    let version = TalosVersion { major: 1, minor: 13, patch: 8, pre: None };
    let error = check(text, Environment::Disk, &version).expect_err(text);
    let label = if error.label.is_empty() { String::new() } else { format!("; {}", error.label) };
    let help = error.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{} [{}]{label}{help}", error.message, &text[error.range])
}

#[test]
fn errors_say_what_to_write() {
    let cases: &[(&str, &str)] = &[
        ("disk.size > 100 * GB", "there is no `*` of an int and a uint [100 * GB]; write `100u * GB`"),
        ("disk.size > 100", "there is no `>` of a uint and an int [disk.size > 100]; write `disk.size > 100u`"),
        (
            "disk.size > 2 * (500 + 500) * GB && !system_disk",
            "there is no `*` of an int and a uint [2 * (500 + 500) * GB]; write `2u * (500u + 500u) * GB`",
        ),
        ("disk.size > 1.5 * TB", "there is no `*` of a double and a uint [1.5 * TB]; write `1500u * GB`"),
        ("disk.size > 1.5 * TiB", "there is no `*` of a double and a uint [1.5 * TiB]"),
        ("disk.size > 100GB", "`100GB` is not a number [100GB]; write `100u * GB`"),
        (
            "disk.size > '100GB'",
            "there is no `>` of a uint and a string [disk.size > '100GB']; write `disk.size > 100u * GB`",
        ),
        ("disk.size > 1u * gb", "there is no `gb` here [gb]; did you mean `GB`?"),
        ("disk.size > -1", "there is no `>` of a uint and an int [disk.size > -1]"),
        ("disk.size", "the result is a uint, not a bool [disk.size]; compare it, as in `disk.size > 100u * GB`"),
        ("disk.serial", "the result is a string, not a bool [disk.serial]; compare it, as in `disk.serial == '…'`"),
        (
            "disk.symlinks",
            "the result is a list, not a bool [disk.symlinks]; test for an item, as in `'…' in disk.symlinks`",
        ),
        (
            "disk.rotational && disk.size",
            "`&&` requires a bool, not a uint [disk.size]; compare it, as in `disk.size > 100u * GB`",
        ),
        (
            "disk.rotational && disk.model",
            "`&&` requires a bool, not a string [disk.model]; compare it, as in `disk.model == '…'`",
        ),
        ("!disk.transport", "there is no `!` of a string [!disk.transport]"),
        ("disk.devPath == '/dev/sda'", "`disk` has no field `devPath` [devPath]; write `disk.dev_path`"),
        ("disk.Model == 'x'", "`disk` has no field `Model` [Model]; write `disk.model`"),
        ("disk.serail == 'x'", "`disk` has no field `serail` [serail]; did you mean `serial`?"),
        (
            "disk.vendor == 'x'",
            "`disk` has no field `vendor` [vendor]; none of: bus_path, cdrom, dev_path, firmware_version, io_size, modalias, model, pretty_size, readonly, rotational, secondary_disks, sector_size, serial, size, sub_system, symlinks, transport, uuid, wwid",
        ),
        (
            "disk.firmware_version == 'x'",
            "Talos v1.13.8 does not know `disk.firmware_version` [firmware_version]; from Talos 1.14 on",
        ),
        ("transport == 'nvme'", "there is no `transport` here [transport]; write `disk.transport`"),
        ("busPath == 'x'", "there is no `busPath` here [busPath]; write `disk.bus_path`"),
        ("disk.transport == nvme", "there is no `nvme` here [nvme]; if it is a string, put it in quotes: `'nvme'`"),
        ("sytem_disk", "there is no `sytem_disk` here [sytem_disk]; did you mean `system_disk`?"),
        ("volume.name == 'xfs'", "there is no `volume` here [volume]; known here: `disk`, `system_disk`"),
        (
            "disk.symlinks == '/dev/sda'",
            "there is no `==` of a list and a string [disk.symlinks == '/dev/sda']; write `'/dev/sda' in disk.symlinks`",
        ),
        (
            "disk.symlinks.contains('/dev/sda')",
            "there is no `contains` of a list and a string [disk.symlinks.contains('/dev/sda')]; write `'/dev/sda' in disk.symlinks`",
        ),
        (
            "disk.symlinks.startsWith('/dev')",
            "there is no `startsWith` of a list and a string [disk.symlinks.startsWith('/dev')]; write `disk.symlinks.exists(item, item.startsWith('/dev'))`",
        ),
        (
            "'x' in disk.serial",
            "there is no `in` of a string and a string ['x' in disk.serial]; write `disk.serial.contains('x')`",
        ),
        (
            "disk.serial == null",
            "there is no `==` of a string and null [disk.serial == null]; write `disk.serial == ''`",
        ),
        (
            "disk.rotational == 'true'",
            "there is no `==` of a bool and a string [disk.rotational == 'true']; write `disk.rotational`",
        ),
        (
            "disk.rotational == 'false'",
            "there is no `==` of a bool and a string [disk.rotational == 'false']; write `!disk.rotational`",
        ),
        (
            "disk.model.glob('S*')",
            "there is no `glob` of a string and a string [disk.model.glob('S*')]; write `glob('S*', disk.model)`",
        ),
        ("disk.model.startWith('S')", "there is no function `startWith` [startWith]; did you mean `startsWith`?"),
        ("glob('S*')", "there is no `glob` of a string [glob('S*')]"),
        ("disk.serial = 'x'", "`=` is not an operator [=]; write `==`"),
        ("disk.serial =~ 'x'", "`=~` is not an operator [=~]; write `text.matches('pattern')`"),
        ("disk.rotational and disk.readonly", "unexpected `and` [and]; write `&&`"),
        ("disk.rotational & disk.readonly", "`&` is not an operator [&]; write `&&`"),
        ("disk.serial == 'x", "unterminated string ['x]; close it with `'`"),
        (
            "disk.serial == 'a\\d'",
            "`\\d` is not an escape sequence [\\d]; write a backslash as `\\\\`, or the string as r'…'",
        ),
        ("disk.serial == 'x' &&", "the expression ends too early [disk.serial == 'x' &&]"),
        ("(disk.rotational", "the expression ends too early [(disk.rotational]; expected `)`"),
        ("disk.rotational)", "unexpected `)` [)]"),
        (
            "disk.size > 9223372036854775808",
            "`9223372036854775808` is too large for an int [9223372036854775808]; write `9223372036854775808u`",
        ),
        (
            "disk.symlinks.exists('x', true)",
            "`exists` needs the name of a variable ['x']; write it as in `list.exists(x, x == 'a')`",
        ),
        ("disk.size.exists(x, true)", "`disk.size` is a uint, not a list [disk.size.exists(x, true)]"),
        ("has(disk)", "`has` requires a field [disk]; write it as in `has(disk.serial)`"),
        ("disk.size.foo", "`disk.size` is a uint and has no field `foo` [disk.size.foo]"),
        ("for == 1", "`for` is a reserved word [for]"),
        ("", "the expression is empty []"),
        ("disk.`dev_path` == 'x'", "unexpected ``dev_path`` [`dev_path`]"),
    ];
    for (text, expected) in cases {
        assert_eq!(error(text), *expected, "{text}");
    }
}

const ENVIRONMENTS: [Environment; 6] = [
    Environment::Disk,
    Environment::Volume,
    Environment::MemberVolume,
    Environment::LinkAlias,
    Environment::OomTrigger,
    Environment::OomRanking,
];

const PARTS: &[&str] = &[
    "disk",
    ".",
    "size",
    "symlinks",
    "serial",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "?",
    "!",
    "-",
    "==",
    ">",
    "in",
    "&&",
    "||",
    "+",
    "*",
    "1",
    "1u",
    "1.5",
    "0x",
    "e",
    "'",
    "\"",
    "'a'",
    "\\",
    "\\x",
    "b'",
    "r'",
    "'''",
    "GB",
    "system_disk",
    "has(",
    ".exists(x, ",
    ".map(x, ",
    "x",
    "true",
    "null",
    " ",
    "\n",
    "//",
    "`",
    "é",
    "=",
    "@",
    "class",
    "memory_max",
    "optional.of(",
    "talos.resource.definitions.block.DiskSpec{",
    "9223372036854775808",
    "link",
    "volume",
];

proptest! {
    #[test]
    fn no_input_panics(parts in prop::collection::vec(prop::sample::select(PARTS), 0..24)) {
        let text = parts.concat();
        let version = TalosVersion { major: 1, minor: 14, patch: 0, pre: None };
        for environment in ENVIRONMENTS {
            match check(&text, environment, &version) {
                Ok(expression) => {
                    let _ = expression.evaluate(&expression.implied());
                    prop_assert!(check_syntax(&text).is_ok());
                }
                Err(error) => prop_assert!(text.get(error.range.clone()).is_some(), "{text:?}: {error:?}"),
            }
        }
    }
}

mod steps;
