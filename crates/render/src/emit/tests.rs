use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::formats::{Format, parse};
use crate::scalar::tests::any_text;

#[test]
fn writes_a_value_as_a_person_would() {
    let value = json!({
        "machine": {
            "kubelet": {"extraArgs": {"rotate": "true", "v": 4}, "nothing": null, "empty": {}},
            "files": [
                {"path": "/etc/x", "permissions": 420, "content": "[a]\n  b = 1\n\n[c]\n"},
                ["a", ["b", "c"], []],
                "one\ntwo",
                {},
                1.5,
                1e30,
                true,
            ],
            "off": "off",
        },
    });
    let text = r#"machine:
  kubelet:
    extraArgs:
      rotate: "true"
      v: 4
    nothing: null
    empty: {}
  files:
    - path: /etc/x
      permissions: 420
      content: |
        [a]
          b = 1

        [c]
    - - a
      - - b
        - c
      - []
    - |-
      one
      two
    - {}
    - 1.5
    - 1.0e+30
    - true
  "off": "off"
"#;
    assert_eq!(yaml_document(&value), text);
    assert_eq!(parse(Format::Yaml, text), Ok(vec![value]));
}

#[test]
fn writes_roots_of_every_kind() {
    let roots = [json!({}), json!([]), json!(null), json!("a\nb"), json!("off"), json!([[1]]), json!(1)];
    let texts = ["{}\n", "[]\n", "null\n", "\"a\\nb\"\n", "\"off\"\n", "- - 1\n", "1\n"];
    assert_eq!(roots.each_ref().map(yaml_document), texts.map(str::to_owned));
    assert_eq!(
        roots.each_ref().map(|root| parse(Format::Yaml, &yaml_document(root))),
        roots.map(|root| Ok(vec![root]))
    );
}

#[test]
fn a_key_that_is_too_long_for_yaml_has_a_question_mark() {
    let long = "k".repeat(1100);
    let value = json!({"a": { &long: {"b": [1]}, "c": 2 }});
    let text = yaml_document(&value);
    assert_eq!(text, format!("a:\n  ? \"{long}\"\n  :\n    b:\n      - 1\n  c: 2\n"));
    assert_eq!(parse(Format::Yaml, &text), Ok(vec![value]));
}

/// Any value of numbers, strings, lists and mappings.
fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => any_text().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-1e300..1e300_f64).prop_map(Value::from),
        1 => any::<bool>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((any_text(), inner), 0..4).prop_map(|entries| entries.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn every_value_is_read_back(value in any_value()) {
        let text = yaml_document(&value);
        prop_assert_eq!(parse(Format::Yaml, &text), Ok(vec![value]));
        // yamllint reports blanks at the end of a line.
        prop_assert!(text.lines().all(|line| !line.ends_with([' ', '\t'])), "{}", text);
    }
}

#[test]
fn scalars_without_quotes_are_kept_as_written() {
    let source = talosmith_document::Sources::default().add("a.yaml", "");
    let text =
        "{a: [010, 1.10, 0o644, 1e3, 0x1F, yes, ~], 'b c': '1.10', d: {}, e: [], f: \"x\\ny\\n\", g: {h: 'off'}, i:}";
    let document = talosmith_document::Document::parse(source, text).expect("YAML");
    let expected = "\
a:
  - 010
  - 1.10
  - 0o644
  - 1e3
  - 0x1F
  - yes
  - ~
b c: \"1.10\"
d: {}
e: []
f: |
  x
  y
g:
  h: \"off\"
i: null
";
    assert_eq!(node_document(&document.root), expected);
}
