//! The official machinery's verdicts, and what faults say.

use proptest::prelude::*;
use talosmith_document::TalosVersion;

use super::{Environment, Facts, Value, Verdict, check, check_syntax};

const EXPRESSIONS: &str = include_str!("../../tests/cel/expressions.txt");
const DISKS: &str = include_str!("../../tests/cel/disks.json");

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
            let verdict = check(&row.text, row.environment, version);
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
        let Ok(expression) = check(&row.text, row.environment, &version) else { continue };
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

/// The fault of an expression of a disk's selector: the message, what is underlined, and the label or the help.
fn fault(text: &str) -> String {
    let version = TalosVersion { major: 1, minor: 13, patch: 8, pre: None };
    let fault = check(text, Environment::Disk, &version).expect_err(text);
    let label = if fault.label.is_empty() { String::new() } else { format!("; {}", fault.label) };
    let help = fault.help.as_ref().map(|help| format!("; {help}")).unwrap_or_default();
    format!("{} [{}]{label}{help}", fault.message, &text[fault.range])
}

#[test]
fn faults_say_what_to_write() {
    let cases: &[(&str, &str)] = &[
        ("disk.size > 100 * GB", "there is no `*` of an int and a uint [100 * GB]; write `100u * GB`"),
        ("disk.size > 100", "there is no `>` of a uint and an int [disk.size > 100]; write `disk.size > 100u`"),
        (
            "disk.size > 2 * (500 + 500) * GB && !system_disk",
            "there is no `*` of an int and a uint [2 * (500 + 500) * GB]; write `2u * (500u + 500u) * GB`",
        ),
        ("disk.size > 1.5 * TB", "there is no `*` of a double and a uint [1.5 * TB]; write `1500u * GB`"),
        ("disk.size > 1.5 * TiB", "there is no `*` of a double and a uint [1.5 * TiB]"),
        ("disk.size > 100GB", "`100GB` is no number [100GB]; write `100u * GB`"),
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
            "the result is a list, not a bool [disk.symlinks]; ask for an item, as in `'…' in disk.symlinks`",
        ),
        (
            "disk.rotational && disk.size",
            "`&&` takes a bool, not a uint [disk.size]; compare it, as in `disk.size > 100u * GB`",
        ),
        (
            "disk.rotational && disk.model",
            "`&&` takes a bool, not a string [disk.model]; compare it, as in `disk.model == '…'`",
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
        ("disk.transport == nvme", "there is no `nvme` here [nvme]; if it is a text, put it in quotes: `'nvme'`"),
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
        ("disk.serial = 'x'", "`=` is no operator [=]; write `==`"),
        ("disk.serial =~ 'x'", "`=~` is no operator [=~]; write `text.matches('pattern')`"),
        ("disk.rotational and disk.readonly", "`and` does not belong here [and]; write `&&`"),
        ("disk.rotational & disk.readonly", "`&` is no operator [&]; write `&&`"),
        ("disk.serial == 'x", "a text has no end ['x]; close it with `'`"),
        ("disk.serial == 'a\\d'", "`\\d` is no escape [\\d]; write a backslash as `\\\\`, or the text as r'…'"),
        ("disk.serial == 'x' &&", "the expression ends too early [disk.serial == 'x' &&]"),
        ("(disk.rotational", "the expression ends too early [(disk.rotational]; expected `)`"),
        ("disk.rotational)", "`)` does not belong here [)]"),
        (
            "disk.size > 9223372036854775808",
            "`9223372036854775808` is too large for an int [9223372036854775808]; write `9223372036854775808u`",
        ),
        (
            "disk.symlinks.exists('x', true)",
            "`exists` needs a name for what it looks at ['x']; write it as in `list.exists(x, x == 'a')`",
        ),
        ("disk.size.exists(x, true)", "`disk.size` is a uint, not a list [disk.size.exists(x, true)]"),
        ("has(disk)", "`has` asks for a field [disk]; write it as in `has(disk.serial)`"),
        ("disk.size.foo", "`disk.size` is a uint and has no field `foo` [disk.size.foo]"),
        ("for == 1", "`for` is a word that CEL keeps for itself [for]"),
        ("", "the expression is empty []"),
        ("disk.`dev_path` == 'x'", "``dev_path`` does not belong here [`dev_path`]"),
    ];
    for (text, expected) in cases {
        assert_eq!(fault(text), *expected, "{text}");
    }
}

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
    fn no_text_panics(parts in prop::collection::vec(prop::sample::select(PARTS), 0..24)) {
        let text = parts.concat();
        let version = TalosVersion { major: 1, minor: 14, patch: 0, pre: None };
        for environment in Environment::ALL {
            match check(&text, *environment, &version) {
                Ok(expression) => {
                    let _ = expression.of(&expression.asserted());
                    prop_assert!(check_syntax(&text).is_ok());
                }
                Err(fault) => prop_assert!(text.get(fault.range.clone()).is_some(), "{text:?}: {fault:?}"),
            }
        }
    }
}
