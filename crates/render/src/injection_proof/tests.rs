use serde_json::json;

use super::*;
use crate::engine::template_value;

/// Proves one template; the error is the expression of the first misplaced value.
fn misplaced(name: &'static str, text: &'static str, values: &Json) -> Result<(), String> {
    let engine = Engine::new([(name, text)]);
    let values = template_value(values);
    let rendered = engine.render(name, &values).expect("the template renders");
    prove(&engine, None, name, &values, &rendered).map_err(|fault| match (&fault.kind, fault.range) {
        (TemplateErrorKind::Shape, Some(range)) => text[range].to_owned(),
        (_, range) => format!("{range:?} {}", fault.message),
    })
}

#[test]
fn values_that_are_whole_scalars_pass() {
    let values = json!({"v": "x: #y\n", "w": "it's", "n": 80, "b": true, "l": ["off", 1], "m": {"a: b": "c\nd"}});
    for text in [
        "a: {{ v }}\n{{ w }}: {{ n }}\nb: [{{ v }}, {{ b }}]\nl: {{ l }}\nm: {{ m }}\n",
        "# {{ v }}\na: b\n",
        "{% for key, value in m | items %}\n{{ key }}: {{ value | block(2) }}\n{% endfor %}\n",
        "{% if v == 'x: #y\\n' %}\na: {{ w | quote }}\n{% endif %}\n---\n- {{ n }}\n",
        "a: {{ 'pre-' ~ v }}\nport: \"{{ n }}\"\nhost: x:{{ n }}\n",
        "{% set s %}{{ v }}{% endset %}{% macro m(x) %}{{ x }}{% endmacro %}a: {{ s }}\nb: {{ m(v) }}\n",
        "a: {{ m | json | block(2) }}\n",
        "a: 1.5\nb: {{ 1.5 }}\nc: {{ 1e30 }}\n",
    ] {
        assert_eq!(misplaced("t.yaml.j2", text, &values), Ok(()), "{text}");
    }
    let toml = "a = {{ v }}\nb = {{ n }}\nu = \"http://x:{{ n }}\"\n[{{ w }}]\nl = {{ l }}\n";
    assert_eq!(misplaced("t.toml.j2", toml, &values), Ok(()));
    assert_eq!(misplaced("t.json.j2", "{\"a\": {{ m | json }}, \"b\": [{{ n }}, {{ v }}]}", &values), Ok(()));
    assert_eq!(misplaced("t.sh.j2", "# it's\necho {{ v }} \"$(x {{ l }})\" {{ w }}\n", &values), Ok(()));
    assert_eq!(misplaced("t.md.j2", "# {{ w }}\n`{{ n }}`\n", &values), Ok(()));
}

#[test]
fn values_that_would_need_no_quotes_pass_inside_longer_scalars() {
    let values = json!({"version": "v1.12.1", "n": 6443});
    let text = "a: pre-{{ version }}\nb: \"x {{ version }}\"\nc: |\n  x {{ version }}:{{ n }}\n";
    assert_eq!(misplaced("t.yaml.j2", text, &values), Ok(()));
}

#[test]
fn values_that_quotes_do_not_protect_are_found() {
    let values = json!({"v": "x #y", "lines": "a\nb: c\n", "quoted": "it's \"x\"", "on": "on", "n": 30, "ok": "ok"});
    for (text, culprit) in [
        ("a: pre-{{ v }}\n", "v"),
        ("a: {{ v }}-post\n", "v"),
        ("a: \"x {{ v }}\"\n", "v"),
        ("a: 'x {{ quoted }}'\n", "quoted"),
        ("a: |\n  {{ v }}\n", "v"),
        ("a: |\n  {{ ok }} {{ lines }}\n", "lines"),
        ("ok: {{ ok }}\npre-{{ v }}: b\n", "v"),
        ("- pre {{ on }}\n- {{ v }}\n", "on"),
        ("# {{ lines | block(2) }}\na: b\n", "lines | block(2)"),
        ("a: b {{ lines | block(2) }}\n", "lines | block(2)"),
        ("a:\n  b: {{ lines | block(1) }}\n", "lines | block(1)"),
        ("a: 12:{{ n }}{{ on }}\n", "on"),
        ("a: 1{{ n }}\n", "n"),
        ("{{ ok }}: 1\nok: 2\n", "ok"),
        ("a: {{ lines | block(2) | replace('b', '- b') }}\n", "lines | block(2) | replace('b', '- b')"),
    ] {
        assert_eq!(misplaced("t.yaml.j2", text, &values), Err(culprit.to_owned()), "{text}");
    }
    for (name, text) in [
        ("t.toml.j2", "a = \"x {{ v }}\"\n"),
        ("t.toml.j2", "# {{ ok }}\na = '{{ v }}'\n"),
        ("t.json.j2", "{\"a\": \"x {{ v }}\"}\n"),
        ("t.sh.j2", "echo {{ ok }} \"x {{ v }}\"\n"),
        ("t.sh.j2", "echo {{ ok }}\n# {{ v }}\n"),
    ] {
        assert_eq!(misplaced(name, text, &values), Err("v".to_owned()), "{text}");
    }
}

#[test]
fn parts_are_proved_in_their_own_language() {
    let engine = Engine::new([
        ("t.yaml.j2", "{% for v in l %}\n- {{ part('p.toml.j2') | block(2) }}\n{% endfor %}\n"),
        ("p.toml.j2", "v = \"{{ v }}\"\n"),
    ]);
    let values = template_value(&json!({"l": ["a"]}));
    let rendered = engine.render("t.yaml.j2", &values).expect("it renders");
    let expected = TemplateError {
        template: "p.toml.j2".to_owned(),
        range: Some(8..9),
        kind: TemplateErrorKind::Shape,
        message: "a value would change the structure of the document around it".to_owned(),
    };
    assert_eq!(prove(&engine, None, "t.yaml.j2", &values, &rendered), Err(expected));
}

#[test]
fn a_template_whose_output_never_parses_is_another_error() {
    let message = "None what it renders cannot be parsed, whatever the values: did not find expected ',' or ']' at line \
        2 column 1, while parsing a flow sequence at line 1 column 4";
    assert_eq!(misplaced("t.yaml.j2", "a: [{{ v }}\n", &json!({"v": "x"})), Err(message.to_owned()));
}
