//! How values are written, and the filters and functions of our own.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::{AutoEscape, Environment, Error, Output, State, Value};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::engine::language::{self, Language};
use crate::engine::refusal::Refusal;
use crate::engine::shadow::{Part, Shadow};
use crate::{emit, scalar};

/// A variable that counts how deep a part is in other parts; no template can name it.
const DEPTH: &str = "part depth";

/// The variable with the values of an artifact's secrets, by the names in their placeholders.
const SECRETS: &str = "secrets";

/// Parts in parts in parts.
const MAX_DEPTH: i64 = 3;

/// Writes the value of a `{{ … }}`; `hides` for a shadow render.
pub fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<(), Error> {
    let language = language(state)?;
    match value.as_str() {
        // What a filter of ours, a macro or a `{% set %}` block has written already.
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) if !hides => out.write_str(&language.text(text)?)?,
        _ => {
            let data = language::data(value)?;
            out.write_str(&language.value(&seen(state, data, language, hides)?)?)?;
        }
    }
    Ok(())
}

/// Takes out what could write or show values past the formatter, and adds our own.
pub fn install(environment: &mut Environment<'static>, original: Option<Arc<Environment<'static>>>) {
    for filter in ["safe", "escape", "e", "pprint"] {
        environment.remove_filter(filter);
    }
    for test in ["safe", "escaped"] {
        environment.remove_test(test);
    }
    environment.remove_global("debug");

    let hides = original.is_some();
    environment.add_filter("block", move |state: &mut State<'_, '_>, value: &Value, indent: usize| {
        block(state, value, indent, hides)
    });
    environment.add_filter("quote", move |state: &mut State<'_, '_>, value: &Value| quote(state, value, hides));
    environment.add_filter("yaml", move |state: &mut State<'_, '_>, value: &Value, indent: usize| {
        yaml(state, value, indent, hides)
    });
    environment.add_filter("fill", fill);
    environment.add_filter("octal", move |state: &mut State<'_, '_>, value: &Value| octal(state, value, hides));
    environment.add_filter("json", move |state: &mut State<'_, '_>, value: &Value| json(state, value, hides));
    environment
        .add_function("part", move |state: &mut State<'_, '_>, name: &str| part(state, name, original.as_deref()));
}

/// `text | block(8)`: a text as the body of a `|` block whose lines have that indent, or in quotes where a block cannot
/// hold it. For YAML.
fn block(state: &mut State<'_, '_>, value: &Value, indent: usize, hides: bool) -> Result<Value, Error> {
    if language(state)? != Language::Yaml {
        return Err(Refusal::new("`block` is for YAML").into());
    }
    let text = value.as_str().ok_or(Refusal::new("`block` takes a text"))?;
    if value.is_safe() {
        return Err(Refusal::new("`block` takes a value, and this is written already").into());
    }
    let written = match seen(state, Json::from(text), Language::Yaml, hides)? {
        Json::String(text) => scalar::literal(&text, indent).unwrap_or_else(|| scalar::inline(&text).into_owned()),
        _ => return Err(Refusal::new("`block` takes a text").into()),
    };
    Ok(Value::from_safe_string(written))
}

/// `value | quote`: a scalar in quotes even where it could do without, so that it is text. For YAML.
fn quote(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    if language(state)? != Language::Yaml {
        return Err(Refusal::new("`quote` is for YAML").into());
    }
    let text = match language::data(value)? {
        Json::String(text) => text,
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => scalar::number(&number),
        Json::Null | Json::Array(_) | Json::Object(_) => return Err(Refusal::new("`quote` takes a scalar").into()),
    };
    match seen(state, Json::from(text), Language::Yaml, hides)? {
        Json::String(text) => Ok(Value::from_safe_string(scalar::quoted(&text))),
        _ => Err(Refusal::new("`quote` takes a scalar").into()),
    }
}

/// `value | yaml(6)`: a list or a map in block style, where the cursor stands at that indent. For YAML.
fn yaml(state: &mut State<'_, '_>, value: &Value, indent: usize, hides: bool) -> Result<Value, Error> {
    if language(state)? != Language::Yaml {
        return Err(Refusal::new("`yaml` is for YAML").into());
    }
    let data = language::data(value)?;
    if !matches!(data, Json::Array(_) | Json::Object(_)) {
        return Err(Refusal::new("`yaml` takes a list or a map").into());
    }
    let data = seen(state, data, Language::Yaml, hides)?;
    Ok(Value::from_safe_string(emit::nested(&data, indent)))
}

/// `mode | octal`: a number as Talos writes the mode of a file, such as `0o644`. For YAML.
fn octal(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let mode =
        value.as_i64().filter(|mode| *mode >= 0).ok_or(Refusal::new("`octal` takes a number that is not negative"))?;
    if language(state)? != Language::Yaml {
        return Err(Refusal::new("`octal` is for YAML").into());
    }
    // The number that stands for it in a shadow render needs no other form.
    let written = match seen(state, Json::from(mode), Language::Yaml, hides)? {
        Json::Number(number) if hides => number.to_string(),
        _ => format!("0o{mode:o}"),
    };
    Ok(Value::from_safe_string(written))
}

/// `text | fill`: the text with the values of the artifact's secrets in place of their placeholders. What is tracked keeps them.
fn fill(state: &State<'_, '_>, text: &str) -> Result<Value, Error> {
    let Some(secrets) = state.lookup(SECRETS) else { return Ok(Value::from(text)) };
    let mut filled = Zeroizing::new(text.to_owned());
    for name in secrets.try_iter()? {
        let value = secrets.get_item(&name)?;
        if let (Some(name), Some(value)) = (name.as_str(), value.as_str()) {
            filled = Zeroizing::new(filled.replace(&format!("${{{name}}}"), value));
        }
    }
    Ok(Value::from(filled.as_str()))
}

/// `value | json`: JSON on several lines. In a JSON template it stands as it is; elsewhere it is a text to be placed.
fn json(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let data = language::data(value)?;
    let pretty = |data: &Json| serde_json::to_string_pretty(data).map_err(|_| Refusal::new("this is not data"));
    if language(state)? == Language::Json {
        return Ok(Value::from_safe_string(pretty(&seen(state, data, Language::Json, hides)?)?));
    }
    Ok(Value::from(pretty(&data)?))
}

/// `part("name.toml.j2")`: what another template makes of the same names, in its own language, as a text to be placed.
///
/// A shadow render gets the text as it is, to hide it as a whole, and notes the part, to be proved on its own.
fn part(state: &mut State<'_, '_>, name: &str, original: Option<&Environment<'static>>) -> Result<Value, Error> {
    let depth = state.lookup(DEPTH).and_then(|depth| depth.as_i64()).unwrap_or(0);
    if depth >= MAX_DEPTH {
        return Err(Refusal::new("parts are nested too deeply").into());
    }
    let names: Vec<String> = state.known_variables().iter().map(ToString::to_string).collect();
    let mut visible: BTreeMap<String, Value> =
        names.into_iter().filter_map(|name| state.lookup(&name).map(|value| (name, value))).collect();
    visible.insert(DEPTH.to_owned(), Value::from(depth + 1));
    let context = Value::from(visible);

    let environment = original.unwrap_or(state.env());
    let captured = environment.get_template(name)?.render_captured(context.clone())?;
    let (used, _) = captured.state().fuel_levels().unwrap_or_default();
    state.consume_fuel(used)?;
    let text = captured.into_output();
    if original.is_some() {
        let part = Part { template: name.to_owned(), context, text: text.clone() };
        state.get_or_insert_extension_with(Shadow::default).location(part);
    }
    Ok(Value::from(text))
}

/// The language of the template that is being rendered.
fn language(state: &State<'_, '_>) -> Result<Language, Refusal> {
    match state.auto_escape() {
        AutoEscape::Custom(name) => Language::named(name),
        _ => None,
    }
    .ok_or(Refusal::new("`autoescape` cannot be changed: every value is written in the template's language"))
}

/// The value that is written: the value itself, or what stands for it in a shadow render.
fn seen(state: &mut State<'_, '_>, value: Json, language: Language, hides: bool) -> Result<Json, Refusal> {
    if hides { state.get_or_insert_extension_with(Shadow::default).hide(&value, language) } else { Ok(value) }
}
