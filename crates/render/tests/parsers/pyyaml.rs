//! PyYAML reads YAML 1.1; the generated YAML must have the same meaning there.

use std::io::{self, Write as _};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use talosmith_render::{yaml_document, yaml_flow};

const READER: &str = "import sys, json, yaml; json.dump(yaml.safe_load(sys.stdin.buffer), sys.stdout)";

/// Strings that YAML 1.1 reads as another type, or that have a meaning in YAML.
const HARD: [&str; 40] = [
    "",
    "y",
    "N",
    "yes",
    "No",
    "ON",
    "off",
    "true",
    "False",
    "null",
    "~",
    ".inf",
    "-.INF",
    ".nan",
    "=",
    "<<",
    "0644",
    "0o17",
    "0x1F",
    "0b11",
    "1_000",
    "+1",
    "-0",
    "1e3",
    "1.5e+3",
    ".5",
    "1.",
    "12:30",
    "-1:20.5",
    "2001-1-1",
    "2001-01-01 10:00:00 +1",
    "---",
    "...",
    "- a",
    "a: b",
    "a #b",
    "?",
    "[",
    "it's \"x\"\\",
    "a\u{85}b\u{2028}\u{feff}",
];

#[test]
fn pyyaml_reads_every_string_back() {
    let texts = texts();
    let flow = texts.iter().map(|text| yaml_flow(&Value::from(text.as_str()))).collect::<Vec<_>>().join(", ");
    let value = json!({
        "list": &texts,
        "map": texts.iter().map(|text| (text.clone(), Value::from(text.as_str()))).collect::<serde_json::Map<_, _>>(),
        "numbers": [0, -1, 1.5, 1e30, 2.5e-9, true, false, null],
        "lines": texts.iter().map(|text| format!("a{text}\n{text}b\n")).collect::<Vec<_>>(),
    });
    let text = format!("{}flow: [{flow}]\n", yaml_document(&value));
    let mut expected = value;
    expected["flow"] = json!(&texts);

    let Some(read) = read(&text) else { return };
    assert_eq!(read["numbers"], expected["numbers"]);
    for part in ["list", "flow", "lines"] {
        let mut pairs = read[part].as_array().expect("a list").iter().zip(expected[part].as_array().expect("a list"));
        assert_eq!(pairs.find(|(read, expected)| read != expected), None);
    }
    assert!(read == expected, "a key or the length of a list differs");
}

/// The strings above, all of one or two characters that matter, and longer ones from a fixed sequence of numbers.
fn texts() -> Vec<String> {
    let letters: Vec<char> = "aeEnyxoZ01789+-_.:/~=<>,#'\"\\ \t\n|&*!%@?[]{}`$é\u{a0}\u{1f600}\u{7}".chars().collect();
    let mut texts: Vec<String> = HARD.iter().map(ToString::to_string).collect();
    texts.extend(letters.iter().flat_map(|one| letters.iter().map(move |other| format!("{one}{other}"))));
    texts.extend(letters.iter().map(ToString::to_string));
    let mut random = 1_u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap_or_default() % below
    };
    for _ in 0..2000 {
        let length = 3 + next(8);
        texts.push((0..length).map(|_| letters[next(letters.len())]).collect());
    }
    texts
}

/// Returns the text as PyYAML reads it; none, with a message, if it is not installed.
fn read(text: &str) -> Option<Value> {
    let has_pyyaml =
        Command::new("python3").args(["-c", "import yaml"]).output().is_ok_and(|done| done.status.success());
    if !has_pyyaml {
        assert_ne!(std::env::var("TALOSMITH_ALL_TOOLS").as_deref(), Ok("1"), "python3 with PyYAML is not installed");
        drop(writeln!(io::stderr(), "skipped: python3 with PyYAML is not installed"));
        return None;
    }
    let mut python = Command::new("python3")
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3 was there a moment ago");
    python.stdin.take().expect("it is piped").write_all(text.as_bytes()).expect("python3 reads it all");
    let done = python.wait_with_output().expect("python3 ends");
    assert!(done.status.success(), "PyYAML cannot read what we wrote");
    Some(serde_json::from_slice(&done.stdout).expect("python3 prints JSON"))
}
