//! The formatter that writes values, and our own filters and functions.

use std::collections::BTreeMap;
use std::sync::Arc;

use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, Error, Output, State, Value};
use serde_json::Value as Json;
use zeroize::Zeroizing;

use crate::engine::filter_error::FilterError;
use crate::engine::language::{self, Language};
use crate::engine::shadow::{Part, Shadow};
use crate::{emit, scalar};

/// The variable with the depth of nested parts. It is no identifier, so no template can name it.
const DEPTH: &str = "part depth";

/// The variable with the values of an artifact's secrets, by the names in their placeholders.
const SECRETS: &str = "secrets";

/// The greatest depth of nested parts.
const MAX_DEPTH: i64 = 3;

/// Writes the value of a `{{ … }}`. `hides` is true in a shadow render, here and below.
pub(crate) fn write(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<(), Error> {
    let language = language(state)?;
    match value.as_str() {
        // Written before by one of our filters, a macro or a `{% set %}` block.
        Some(text) if value.is_safe() => out.write_str(text)?,
        Some(text) if !hides => out.write_str(&language.text(text)?)?,
        _ => {
            let data = language::data(value)?;
            out.write_str(&language.value(&value_or_stand_in(state, data, language, hides)?)?)?;
        }
    }
    Ok(())
}

/// Removes the filters, tests and functions that write or show values without the formatter, and adds our own.
pub(crate) fn install(environment: &mut Environment<'static>, original: Option<Arc<Environment<'static>>>) {
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
    environment.add_filter("code", move |state: &mut State<'_, '_>, value: &Value| code(state, value, hides));
    environment.add_filter("word", move |state: &mut State<'_, '_>, value: &Value| word(state, value, hides));
    environment.add_filter("fill", fill);
    environment.add_filter("octal", move |state: &mut State<'_, '_>, value: &Value| octal(state, value, hides));
    environment.add_filter("json", move |state: &mut State<'_, '_>, value: &Value| json(state, value, hides));
    environment
        .add_function("part", move |state: &mut State<'_, '_>, name: &str| part(state, name, original.as_deref()));
}

/// `text | block(8)`: a string as a `|` block whose lines have that indent, or in quotes if a block cannot hold it. For YAML.
fn block(state: &mut State<'_, '_>, value: &Value, indent: usize, hides: bool) -> Result<Value, Error> {
    require_yaml(state, FilterError("`block` is for YAML"))?;
    let text = value.as_str().ok_or(FilterError("`block` needs a string"))?;
    if value.is_safe() {
        return Err(FilterError("`block` needs a value, and this is already in quotes").into());
    }
    let written = match value_or_stand_in(state, Json::from(text), Language::Yaml, hides)? {
        Json::String(text) => scalar::literal(&text, indent).unwrap_or_else(|| scalar::inline(&text).into_owned()),
        _ => return Err(FilterError("`block` needs a string").into()),
    };
    Ok(Value::from_safe_string(written))
}

/// `value | quote`: a scalar in quotes even where it needs none, so that it is a string. For YAML.
fn quote(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    require_yaml(state, FilterError("`quote` is for YAML"))?;
    let text = match language::data(value)? {
        Json::String(text) => text,
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) => scalar::number(&number),
        Json::Null | Json::Array(_) | Json::Object(_) => return Err(FilterError("`quote` needs a scalar").into()),
    };
    match value_or_stand_in(state, Json::from(text), Language::Yaml, hides)? {
        Json::String(text) => Ok(Value::from_safe_string(scalar::quoted(&text))),
        _ => Err(FilterError("`quote` needs a scalar").into()),
    }
}

/// `value | yaml(6)`: a list or mapping in block style, inserted at that column. For YAML.
fn yaml(state: &mut State<'_, '_>, value: &Value, indent: usize, hides: bool) -> Result<Value, Error> {
    require_yaml(state, FilterError("`yaml` is for YAML"))?;
    let data = language::data(value)?;
    if !matches!(data, Json::Array(_) | Json::Object(_)) {
        return Err(FilterError("`yaml` needs a list or a mapping").into());
    }
    let data = value_or_stand_in(state, data, Language::Yaml, hides)?;
    Ok(Value::from_safe_string(emit::nested(&data, indent)))
}

/// `mode | octal`: a number as Talos writes the mode of a file, such as `0o644`. For YAML.
fn octal(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let mode =
        value.as_i64().filter(|mode| *mode >= 0).ok_or(FilterError("`octal` needs a number that is not negative"))?;
    require_yaml(state, FilterError("`octal` is for YAML"))?;
    // A shadow render writes the stand-in as a decimal number, which is found again.
    let written = match value_or_stand_in(state, Json::from(mode), Language::Yaml, hides)? {
        Json::Number(number) if hides => number.to_string(),
        _ => format!("0o{mode:o}"),
    };
    Ok(Value::from_safe_string(written))
}

/// `text | code`: a string as it is, in the backticks that show it so, or each string of a list. For Markdown.
fn code(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let error = || FilterError("`code` is for strings in Markdown");
    let mut spans = Vec::new();
    for text in strings(value)? {
        let text = markdown_string(state, &text, error(), hides)?;
        let text = text.replace(char::is_control, " ");
        let run = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
        let (fence, pad) = ("`".repeat(run + 1), if run > 0 { " " } else { "" });
        spans.push(format!("{fence}{pad}{text}{pad}{fence}"));
    }
    Ok(Value::from_safe_string(spans.join(", ")))
}

/// `text | word`: a string as one word of a shell command in a code block of Markdown, or each string of a list.
fn word(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let mut words = Vec::new();
    for text in strings(value)? {
        let text = markdown_string(state, &text, FilterError("`word` is for strings in Markdown"), hides)?;
        if text.contains(char::is_control) {
            return Err(FilterError("a text of several lines cannot be written here").into());
        }
        words.push(Language::Shell.text(&text)?.into_owned());
    }
    Ok(Value::from_safe_string(words.join(" ")))
}

/// Returns the items of a list, or the value itself.
fn strings(value: &Value) -> Result<Vec<Value>, Error> {
    if value.kind() == ValueKind::Seq { Ok(value.try_iter()?.collect()) } else { Ok(vec![value.clone()]) }
}

/// Returns a string for a filter of Markdown, or its stand-in in a shadow render.
fn markdown_string(state: &mut State<'_, '_>, value: &Value, error: FilterError, hides: bool) -> Result<String, Error> {
    if language(state)? != Language::Markdown || value.is_safe() {
        return Err(error.into());
    }
    let data = language::data(value)?;
    let text = if let Json::String(text) = &data { text.clone() } else { Language::Text.value(&data)? };
    match value_or_stand_in(state, Json::from(text), Language::Markdown, hides)? {
        Json::String(text) => Ok(text),
        _ => Err(error.into()),
    }
}

/// `text | fill`: a string with the values of the artifact's secrets in place of their placeholders. Tracked files keep the placeholders.
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

/// `value | json`: JSON on several lines. In a JSON template it is written as it is; elsewhere it is a string.
fn json(state: &mut State<'_, '_>, value: &Value, hides: bool) -> Result<Value, Error> {
    let data = language::data(value)?;
    let pretty = |data: &Json| serde_json::to_string_pretty(data).map_err(|_| FilterError("this is not data"));
    if language(state)? == Language::Json {
        return Ok(Value::from_safe_string(pretty(&value_or_stand_in(state, data, Language::Json, hides)?)?));
    }
    Ok(Value::from(pretty(&data)?))
}

/// `part("name.toml.j2")`: the string that another template renders from the same variables, in its own language.
///
/// A shadow render hides the whole string and records the part, which is proved separately.
fn part(state: &mut State<'_, '_>, name: &str, original: Option<&Environment<'static>>) -> Result<Value, Error> {
    let depth = state.lookup(DEPTH).and_then(|depth| depth.as_i64()).unwrap_or(0);
    if depth >= MAX_DEPTH {
        return Err(FilterError("parts are nested too deeply").into());
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
        state.get_or_insert_extension_with(Shadow::default).add_part(part);
    }
    Ok(Value::from(text))
}

/// Returns the error if the template is not in YAML.
fn require_yaml(state: &State<'_, '_>, error: FilterError) -> Result<(), FilterError> {
    if language(state)? == Language::Yaml { Ok(()) } else { Err(error) }
}

fn language(state: &State<'_, '_>) -> Result<Language, FilterError> {
    match state.auto_escape() {
        AutoEscape::Custom(name) => Language::named(name),
        _ => None,
    }
    .ok_or(FilterError("`autoescape` cannot be changed: every value is written in the template's language"))
}

/// Returns the value itself, or its stand-in in a shadow render.
fn value_or_stand_in(
    state: &mut State<'_, '_>,
    value: Json,
    language: Language,
    hides: bool,
) -> Result<Json, FilterError> {
    if hides { state.get_or_insert_extension_with(Shadow::default).hide(&value, language) } else { Ok(value) }
}
