use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::formats::{Format, parse};

/// Strings with their exact notation.
const SPELLINGS: [(&str, &str); 85] = [
    // Plain
    ("ryzen", "ryzen"),
    ("192.168.1.1", "192.168.1.1"),
    ("1.13.2", "1.13.2"),
    ("v1.12.1", "v1.12.1"),
    ("10.0.0.0/24", "10.0.0.0/24"),
    ("fe80::1", "fe80::1"),
    ("100GiB", "100GiB"),
    ("-selinux", "-selinux"),
    ("https://192.168.1.194:6443", "https://192.168.1.194:6443"),
    ("amdgpu.gttsize=131072", "amdgpu.gttsize=131072"),
    ("/dev/disk/by-id/nvme-x_1", "/dev/disk/by-id/nvme-x_1"),
    ("rocm/k8s@sha256:e42d", "rocm/k8s@sha256:e42d"),
    ("two words", "two words"),
    ("a:b", "a:b"),
    ("_x", "_x"),
    ("a - b", "a - b"),
    ("nope", "nope"),
    ("yes sir", "yes sir"),
    ("infinity", "infinity"),
    ("-x", "-x"),
    ("0a", "0a"),
    // Booleans, null and numbers of one YAML or the other
    ("", r#""""#),
    ("off", r#""off""#),
    ("On", r#""On""#),
    ("no", r#""no""#),
    ("Yes", r#""Yes""#),
    ("y", r#""y""#),
    ("N", r#""N""#),
    ("true", r#""true""#),
    ("FALSE", r#""FALSE""#),
    ("null", r#""null""#),
    ("~", r#""~""#),
    (".nan", r#"".nan""#),
    ("NaN", r#""NaN""#),
    ("-.inf", r#""-.inf""#),
    ("=", r#""=""#),
    ("<<", r#""<<""#),
    ("0", r#""0""#),
    ("-1", r#""-1""#),
    ("+1", r#""+1""#),
    ("0644", r#""0644""#),
    ("0o644", r#""0o644""#),
    ("0x1F", r#""0x1F""#),
    ("0b11", r#""0b11""#),
    ("1_000", r#""1_000""#),
    ("1e3", r#""1e3""#),
    ("0012345E3", r#""0012345E3""#),
    ("1.5", r#""1.5""#),
    (".5", r#"".5""#),
    ("1.", r#""1.""#),
    ("12:30", r#""12:30""#),
    ("00:11:22:33:44:55", r#""00:11:22:33:44:55""#),
    ("2001-01-01", r#""2001-01-01""#),
    ("2001-01-01T10:00:00Z", r#""2001-01-01T10:00:00Z""#),
    // Structure
    ("a: b", r#""a: b""#),
    ("a:", r#""a:""#),
    ("a #b", r#""a #b""#),
    ("#a", r##""#a""##),
    ("- a", r#""- a""#),
    ("-", r#""-""#),
    ("---", r#""---""#),
    ("...", r#""...""#),
    ("? a", r#""? a""#),
    ("[a", r#""[a""#),
    ("{a}", r#""{a}""#),
    ("a,b", r#""a,b""#),
    ("&a", r#""&a""#),
    ("*a", r#""*a""#),
    ("!a", r#""!a""#),
    ("%a", r#""%a""#),
    ("@a", r#""@a""#),
    ("`a", r#""`a""#),
    (" a", r#"" a""#),
    ("a ", r#""a ""#),
    // Quotes: what prettier leaves as it is
    ("disk.transport == 'nvme'", r#""disk.transport == 'nvme'""#),
    (r#"say "hi""#, r#"'say "hi"'"#),
    (r#"it's "x""#, r#"'it''s "x"'"#),
    (r"a\b", r"'a\b'"),
    (r"it's a\b", r#""it's a\\b""#),
    // Escapes
    ("a\tb", r#""a\tb""#),
    ("a\n\"b\"\r\\", r#""a\n\"b\"\r\\""#),
    ("\u{0}\u{7f}\u{85}\u{a0}", r#""\x00\x7F\x85\xA0""#),
    ("\u{2028}\u{202e}\u{feff}\u{200b}", r#""\u2028\u202E\uFEFF\u200B""#),
    ("é 日本 😀", r#""é 日本 😀""#),
    ("𝕐\u{1}", r#""𝕐\x01""#),
];

#[test]
fn writes_each_string_as_a_person_would() {
    for (text, spelling) in SPELLINGS {
        assert_eq!(inline(text), spelling);
    }
    assert_eq!(inline(&"x".repeat(512)), "x".repeat(512));
    assert_eq!(inline(&"x".repeat(513)), format!("\"{}\"", "x".repeat(513)));
}

#[test]
fn quotes_on_request() {
    assert_eq!(["a", "it's", r#"a "b""#].map(quoted), [r#""a""#, r#""it's""#, r#"'a "b"'"#].map(str::to_owned));
}

#[test]
fn writes_lines_as_a_block() {
    assert_eq!(literal("a\n\n  b: c\n#d\n", 4), Some("|\n    a\n\n      b: c\n    #d".to_owned()));
    assert_eq!(literal("a\n\tb", 2), Some("|-\n  a\n  \tb".to_owned()));
    for text in [
        "a",
        "",
        "\n",
        "\na",
        " a\nb",
        "\ta\nb",
        "a \nb",
        "a\nb ",
        "a\n\n",
        "a\r\nb",
        "a\n \nb",
        "a\n\u{2028}",
        "a\n\n\n\nb",
    ] {
        assert_eq!(literal(text, 2), None, "{text:?}");
    }
    assert_eq!(literal("a\nb", 0), None);
}

#[test]
fn writes_numbers_that_every_yaml_reads_as_numbers() {
    let numbers = [json!(0), json!(-5), json!(u64::MAX), json!(1.5), json!(1e30), json!(2.5e-9), json!(1.0)];
    let written = numbers.map(|value| number(value.as_number().expect("a number")));
    assert_eq!(written, ["0", "-5", "18446744073709551615", "1.5", "1.0e+30", "2.5e-9", "1.0"].map(str::to_owned));
}

/// Any string, mostly those that a version of YAML reads as another type.
pub(crate) fn any_text() -> impl Strategy<Value = String> {
    let hard = prop::sample::select(SPELLINGS.map(|(text, _)| text).to_vec());
    let numeric = "-?[0-9]{1,3}[0-9_.:+\\-eETtZzxob ]{0,6}";
    let pieces = prop::sample::select(vec![
        "a", "0", "'", "\"", "\\", ":", " ", "#", "\n", "\t", "-", "{{", "[", ",", "é", "\u{feff}", "\r", "|",
        "\u{2028}",
    ]);
    prop_oneof![
        hard.prop_map(str::to_owned),
        numeric,
        any::<String>(),
        prop::collection::vec(pieces, 0..8).prop_map(|pieces| pieces.concat()),
    ]
}

/// Returns the scalars of a document, keys included, in order, as another YAML 1.2 parser reads them.
fn scalars_by_granit(text: &str) -> Vec<String> {
    let parser = granit_parser::Parser::new_from_str(text);
    let mut scalars = Vec::new();
    for event in parser {
        if let (granit_parser::Event::Scalar(value, ..), _) = event.expect("granit reads what we write") {
            scalars.push(value.into_owned());
        }
    }
    scalars
}

proptest! {
    #[test]
    fn every_text_survives_at_every_position(text in any_text()) {
        let written = inline(&text);
        let document = format!(
            "a: {written}\n{written}: b\nc:\n  - {written}\nd: [{written}, {written}]\ne: {{ {written}: {written} }}\nf: {}\n",
            quoted(&text),
        );
        let mut expected = json!({
            "a": &text, "c": [&text], "d": [&text, &text], "e": { &text: &text }, "f": &text,
        });
        // The text itself could be one of the other keys.
        prop_assume!(expected.get(&text).is_none());
        expected[&text] = json!("b");
        prop_assert_eq!(parse(Format::Yaml, &document), Ok(vec![expected]));
        let t = text.as_str();
        let all = ["a", t, t, "b", "c", t, "d", t, t, "e", t, t, "f", t];
        prop_assert_eq!(scalars_by_granit(&document), all);
    }

    #[test]
    fn every_block_is_read_back(text in any_text(), more in any_text(), indent in 1_usize..9) {
        let text = format!("{text}\n{more}");
        if let Some(block) = literal(&text, indent) {
            let document = format!("a: {block}\nb: c\n");
            prop_assert_eq!(parse(Format::Yaml, &document), Ok(vec![json!({"a": &text, "b": "c"})]));
            prop_assert_eq!(scalars_by_granit(&document), ["a", &text, "b", "c"]);
        }
    }
}
