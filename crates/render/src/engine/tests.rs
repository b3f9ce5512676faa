use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::*;
use crate::formats::{Format, parse};
use crate::scalar::tests::any_text;

fn render(name: &'static str, text: &'static str, values: &Json) -> Result<String, TemplateError> {
    Engine::new([(name, text)]).render(name, &template_value(values))
}

fn yaml(text: &'static str, values: &Json) -> String {
    render("t.yaml.j2", text, values).expect("the template is valid")
}

fn error(name: &'static str, text: &'static str, values: &Json) -> TemplateError {
    render(name, text, values).expect_err("the template is wrong")
}

#[test]
fn writes_values_in_the_language_of_the_template() {
    let values = json!({"s": "off", "n": 5, "b": true, "l": ["a", "12:30"], "m": {"k": "v w", "on": []}, "f": 1e30});
    assert_eq!(
        yaml("{{ s }}: {{ s }}\nn: {{ n }}\nb: {{ b }}\nl: {{ l }}\nm: {{ m }}\nf: {{ f }}\n", &values),
        "\"off\": \"off\"\nn: 5\nb: true\nl: [a, \"12:30\"]\nm: { k: v w, \"on\": [] }\nf: 1.0e+30\n"
    );
    let text = "{{ s }} {{ n }} {{ b }} {{ l }}\n";
    let written = ["t.toml.j2", "t.json.j2", "t.sh.j2"].map(|name| render(name, text, &values));
    assert_eq!(
        written,
        ["\"off\" 5 true [\"a\", \"12:30\"]\n", "\"off\" 5 true [\"a\",\"12:30\"]\n", "off 5 true a 12:30\n"]
            .map(|text| Ok(text.to_owned()))
    );
    assert_eq!(render("t.md.j2", "# {{ s }} {{ n }} {{ b }}\n", &values), Ok("# off 5 true\n".to_owned()));
}

#[test]
fn lines_with_only_tags_are_removed() {
    let text = "a:\n{% for item in l %}\n  {% if item %}\n  - {{ item }}\n  {% endif %}\n{% endfor %}\nb: c\n";
    assert_eq!(yaml(text, &json!({"l": ["x", "", "z"]})), "a:\n  - x\n  - z\nb: c\n");
}

#[test]
fn quotes_once_in_variables_macros_and_filters() {
    let text = "{% set joined %}{{ s }}{% endset %}{% macro m(v) %}{{ v }}{% endmacro %}\
        a: {{ joined }}\nb: {{ m(s) }}\nc: {{ s ~ ': b' }}\nd: {{ s | upper }}\ne: {{ [s, s] | join(', ') }}\n";
    assert_eq!(yaml(text, &json!({"s": "no"})), "a: \"no\"\nb: \"no\"\nc: \"no: b\"\nd: \"NO\"\ne: \"no, no\"\n");
}

#[test]
fn places_lines_as_a_block() {
    let values = json!({"lines": "a: 1\n\n  b\n", "line": "off", "odd": " x\ny"});
    let text = "a:\n  b: {{ lines | block(4) }}\n  c: {{ line | block(4) }}\n  d: {{ odd | block(4) }}\n";
    assert_eq!(yaml(text, &values), "a:\n  b: |\n    a: 1\n\n      b\n  c: \"off\"\n  d: \" x\\ny\"\n");
}

#[test]
fn quotes_on_request() {
    let values = json!({"s": "system_disk", "n": 5});
    assert_eq!(yaml("a: {{ s | quote }}\nb: {{ n | quote }}\n", &values), "a: \"system_disk\"\nb: \"5\"\n");
}

#[test]
fn makes_json_of_values() {
    let values = json!({"m": {"z": 1, "a": ["x", null]}});
    let pretty = "{\n  \"z\": 1,\n  \"a\": [\n    \"x\",\n    null\n  ]\n}";
    assert_eq!(render("t.json.j2", "{{ m | json }}\n", &values), Ok(format!("{pretty}\n")));
    let block = format!("a: |-\n  {}\n", pretty.replace('\n', "\n  "));
    assert_eq!(yaml("a: {{ m | json | block(2) }}\n", &values), block);
}

#[test]
fn a_part_has_its_own_language_and_the_same_variables() {
    let engine = Engine::new([
        ("t.yaml.j2", "{% for v in l %}\n{{ v }}: {{ part('p.toml.j2') | block(2) }}\n{% endfor %}\n"),
        ("p.toml.j2", "v = {{ v }}\nl = {{ l }}\ns = {{ part('q.sh.j2') }}\n"),
        ("q.sh.j2", "echo {{ v }}\n"),
    ]);
    assert_eq!(
        engine.render("t.yaml.j2", &template_value(&json!({"l": ["on", "it's"]}))),
        Ok("\"on\": |\n  v = \"on\"\n  l = [\"on\", \"it's\"]\n  s = \"echo on\\n\"\n\
            \"it's\": |\n  v = \"it's\"\n  l = [\"on\", \"it's\"]\n  s = \"echo 'it'\\\\''s'\\n\"\n"
            .to_owned())
    );
}

#[test]
fn an_undefined_name_is_an_error_with_the_nearest_name() {
    let values =
        json!({"device": {"hostname": "ryzen", "volumes": [{"size": 1}]}, "items": [{"name": 1}, {"nmae": 1}]});
    let cases: [(&'static str, &str, &str, Option<&str>); 9] = [
        ("a: {{ device.hostnme }}\n", "device.hostnme", "hostnme", Some("hostname")),
        ("a: {{ devcie.hostname }}\n", "devcie", "devcie", Some("device")),
        ("{% for v in device.volumes %}\na: {{ v.sise }}\n{% endfor %}\n", "v.sise", "sise", Some("size")),
        ("{% for i in items %}\na: {{ i.name }}\n{% endfor %}\n", "i.name", "name", Some("nmae")),
        ("{% for volume in device.volumes %}\na: {{ volum }}\n{% endfor %}\n", "volum", "volum", Some("volume")),
        ("{% if device.rolle %}\n{% endif %}\n", "device.rolle", "rolle", None),
        ("{% for v in device.volume %}\n{% endfor %}\n", "device.volume", "volume", Some("volumes")),
        (
            "{% macro m(x) %}{{ x.hostname1 }}{% endmacro %}{{ m(device) }}",
            "x.hostname1",
            "hostname1",
            Some("hostname"),
        ),
        ("a: {{ device.hostnme | upper }}\n", "device.hostnme", "hostnme", Some("hostname")),
    ];
    for (text, name, underlined, suggestion) in cases {
        let at = text.rfind(underlined).expect("the expression");
        let expected = TemplateError {
            template: "t.yaml.j2".to_owned(),
            range: Some(at..at + underlined.len()),
            kind: TemplateErrorKind::Undefined { name: name.to_owned(), suggestion: suggestion.map(str::to_owned) },
            message: format!("`{name}` is not defined in this template"),
        };
        assert_eq!(error("t.yaml.j2", text, &values), expected, "{text}");
    }
}

#[test]
fn an_error_in_a_part_or_an_included_template_names_that_template() {
    for outer in ["a: {{ part('b.toml.j2') }}", "{% include 'b.toml.j2' %}"] {
        let engine = Engine::new([("a.yaml.j2", outer), ("b.toml.j2", "x = 1\ny = {{ device.nme }}\n")]);
        let error = engine
            .render("a.yaml.j2", &template_value(&json!({"device": {"name": "x"}})))
            .expect_err("a name is wrong");
        let expected = TemplateError {
            template: "b.toml.j2".to_owned(),
            range: Some(20..23),
            kind: TemplateErrorKind::Undefined { name: "device.nme".to_owned(), suggestion: Some("name".to_owned()) },
            message: "`device.nme` is not defined in this template".to_owned(),
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn errors_of_hostile_and_broken_templates_contain_no_value() {
    let values = json!({"secret": "tskey-auth-k", "list": ["tskey-auth-k"], "none": null});
    let cases: [(&'static str, &'static str, TemplateErrorKind, &str, Option<&str>); 24] = [
        (
            "t.yaml.j2",
            "a: {{ secret",
            TemplateErrorKind::Syntax,
            "unexpected end of input, expected end of variable block",
            None,
        ),
        ("t.yaml.j2", "{% if %}", TemplateErrorKind::Syntax, "unexpected end of block", Some("%}")),
        ("t.yaml.j2", "{{ secret | safe }}", TemplateErrorKind::Other, "filter safe is unknown", Some("safe")),
        ("t.yaml.j2", "{{ secret | e }}", TemplateErrorKind::Other, "filter e is unknown", Some("e")),
        ("t.yaml.j2", "{{ env('HOME') }}", TemplateErrorKind::Other, "env is unknown", Some("env('HOME')")),
        ("t.yaml.j2", "{{ debug() }}", TemplateErrorKind::Other, "debug is unknown", Some("debug()")),
        ("t.yaml.j2", "{{ secret.foo() }}", TemplateErrorKind::Other, "string has no method named foo", Some(".foo()")),
        (
            "t.yaml.j2",
            "{% autoescape false %}{{ secret }}{% endautoescape %}",
            TemplateErrorKind::Other,
            "`autoescape` cannot be changed: every value is written in the template's language",
            Some("secret"),
        ),
        (
            "t.yaml.j2",
            "{{ secret | int }}",
            TemplateErrorKind::Other,
            "this operation is not possible with such a value",
            Some("int"),
        ),
        (
            "t.yaml.j2",
            "{{ secret + 1 }}",
            TemplateErrorKind::Other,
            "this operation is not possible with such a value",
            Some("secret + 1"),
        ),
        ("t.yaml.j2", "{% include secret %}", TemplateErrorKind::Other, "there is no template with this name", None),
        (
            "t.yaml.j2",
            "{{ part(secret) }}",
            TemplateErrorKind::Other,
            "there is no template with this name",
            Some("part(secret)"),
        ),
        (
            "t.yaml.j2",
            "{% include '/etc/passwd' %}",
            TemplateErrorKind::Other,
            "there is no template with this name",
            None,
        ),
        ("t.yaml.j2", "{{ none }}", TemplateErrorKind::Other, "`none` cannot be written here", Some("none")),
        ("t.yaml.j2", "{{ [none] }}", TemplateErrorKind::Other, "`none` cannot be written here", Some("[none]")),
        (
            "t.yaml.j2",
            "{{ secret if false }}",
            TemplateErrorKind::Other,
            "an `if` without `else` leaves nothing to write",
            Some("secret if false"),
        ),
        ("t.yaml.j2", "{{ range }}", TemplateErrorKind::Other, "this is not data", Some("range")),
        ("t.yaml.j2", "{{ list | block(2) }}", TemplateErrorKind::Other, "`block` needs a string", Some("block(2)")),
        ("t.toml.j2", "{{ secret | block(2) }}", TemplateErrorKind::Other, "`block` is for YAML", Some("block(2)")),
        (
            "t.md.j2",
            "{{ list }}",
            TemplateErrorKind::Other,
            "a list or a mapping cannot be written into text",
            Some("list"),
        ),
        (
            "t.yaml.j2",
            "{% for a in range(999) %}{% for b in range(999) %}{{ b }}{% endfor %}{% endfor %}",
            TemplateErrorKind::Other,
            "the template needs too many steps",
            None,
        ),
        (
            "t.yaml.j2",
            "{{ part('t.yaml.j2') }}",
            TemplateErrorKind::Other,
            "parts are nested too deeply",
            Some("part('t.yaml.j2')"),
        ),
        (
            "t.yaml.j2",
            "{% include 't.yaml.j2' %}",
            TemplateErrorKind::Other,
            "the template includes itself without end",
            None,
        ),
        (
            "t.yaml.j2",
            "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
            TemplateErrorKind::Other,
            "the template includes itself without end",
            None,
        ),
    ];
    for (name, text, kind, message, underlined) in cases {
        let error = error(name, text, &values);
        assert_eq!((&error.kind, error.message.as_str()), (&kind, message), "{text}");
        if let Some(underlined) = underlined {
            assert_eq!(error.range.clone().map(|range| &text[range]), Some(underlined), "{text}");
        }
        assert!(!format!("{error:?}{error}").contains("tskey"), "{error:?}");
    }
}

#[test]
fn an_unknown_template_is_an_error() {
    let engine = Engine::new([("a.yaml.j2", "a\n")]);
    let error = engine.render("b.yaml.j2", &Value::UNDEFINED).expect_err("there is no such template");
    assert_eq!(error.to_string(), "b.yaml.j2: there is no template with this name");
    assert_eq!((engine.text("a.yaml.j2"), engine.text("b.yaml.j2")), (Some("a\n"), None));
}

#[test]
fn a_template_is_parsed_only_when_it_is_rendered() {
    let engine = Engine::new([("good.yaml.j2", "a: b\n"), ("bad.yaml.j2", "{% if %}")]);
    assert_eq!(engine.render("good.yaml.j2", &template_value(&json!({}))), Ok("a: b\n".to_owned()));
}

#[test]
#[expect(clippy::disallowed_methods, reason = "the point of the test: `cli` shares one engine between threads")]
fn threads_share_an_engine() {
    let engine = Engine::new([("a.yaml.j2", "a: {{ n }}\n")]);
    let texts = std::thread::scope(|scope| {
        let render = |n: i32| engine.render("a.yaml.j2", &template_value(&json!({"n": n})));
        let threads: Vec<_> = (0..4).map(|n| scope.spawn(move || render(n))).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).collect::<Vec<_>>()
    });
    assert_eq!(texts, (0..4).map(|n| Ok(format!("a: {n}\n"))).collect::<Vec<_>>());
}

#[test]
fn an_error_becomes_a_finding() {
    let mut sources = talosmith_document::Sources::default();
    let source = sources.add("templates/t.yaml.j2", "a: {{ device.nme }}\n");
    let finding = error("t.yaml.j2", "a: {{ device.nme }}\n", &json!({"device": {"name": 1}}))
        .diagnostic(source, TemplateOrigin::Override);
    let expected = talosmith_document::Diagnostic::new(
        talosmith_document::Code::TemplateUndefined,
        "`device.nme` is not defined in this template",
        talosmith_document::Location::bytes(source, 13..16),
    )
    .label("did you mean `name`?")
    .note("templates see the values of the plan: no environment, no files");
    assert_eq!(finding, expected);
}

#[test]
fn an_error_in_a_built_in_template_is_a_bug_of_talosmith() {
    let source = talosmith_document::Sources::default().add("templates/t.yaml.j2", "a: {{ device.nme }}\n");
    let error = error("t.yaml.j2", "a: {{ device.nme }}\n", &json!({"device": {"name": 1}}));
    let finding = error.diagnostic(source, TemplateOrigin::BuiltIn);
    assert_eq!(
        (finding.notes, finding.helps),
        (
            vec!["this template is part of talosmith, so this is a bug in talosmith and not in your files".to_owned()],
            vec!["report it with the model that causes it: https://github.com/talosmith/talosmith/issues".to_owned()],
        )
    );
}

proptest! {
    #[test]
    fn every_text_survives_the_engine_at_every_position(text in any_text(), other in any_text()) {
        let engine = Engine::new([
            ("t.yaml.j2", "v: {{ v }}\n\"- {{ 1 }}\":\n  {{ v }}: {{ w }}\nl: [{{ v }}, {{ w }}]\nf: {{ [v, w] }}\n\
                m: {{ {v: w} }}\ni:\n  - {{ v }}\n  - b: {{ both | block(6) }}\nq: {{ v | quote }}\n\
                toml: {{ part('p.toml.j2') | block(2) }}\njson: {{ part('p.json.j2') | block(2) }}\n"),
            ("p.toml.j2", "v = {{ v }}\nl = {{ [v, w] }}\n[t.{{ v }}]\nw = {{ both }}\n"),
            ("p.json.j2", "{\"v\": {{ v }}, \"m\": {{ {v: w} | json }}}\n"),
        ]);
        let both = format!("{text}\n{other}");
        let values = template_value(&json!({"v": &text, "w": &other, "both": &both}));
        let rendered = engine.render("t.yaml.j2", &values).expect("the templates are valid");
        let documents = parse(Format::Yaml, &rendered).expect("it is YAML");
        let document = &documents[0];
        let inner = |name: &str, format| document[name].as_str().map(|text| parse(format, text));
        prop_assert_eq!(document, &json!({
            "v": &text,
            "- 1": { &text: &other },
            "l": [&text, &other],
            "f": [&text, &other],
            "m": { &text: &other },
            "i": [&text, {"b": &both}],
            "q": &text,
            "toml": document["toml"],
            "json": document["json"],
        }));
        prop_assert_eq!(inner("json", Format::Json), Some(Ok(vec![json!({"v": &text, "m": { &text: &other }})])));
        let expected = json!({"v": &text, "l": [&text, &other], "t": { &text: {"w": &both} }});
        prop_assert_eq!(inner("toml", Format::Toml), Some(Ok(vec![expected])));
        prop_assert_eq!(crate::injection_proof::prove(&engine, None, "t.yaml.j2", &values, &rendered), Ok(()));
    }
}
