//! "Did you mean": the defined name that is most similar to an undefined one.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use minijinja::value::ValueKind;
use minijinja::{Environment, State, Value};
use talosmith_document::closest;

/// The function that lists the defined names; it is called just before the tag that fails. No template has a function of this name.
const PROBE: &str = "talosmith_names_here";

/// A render that failed because a name is undefined.
pub(crate) struct Failure<'a> {
    /// The name of the rendered template.
    pub root: &'a str,
    pub context: &'a Value,
    /// The name of the template in which it failed.
    pub template: &'a str,
    /// The text of that template.
    pub text: &'a str,
    /// The byte of the text at which it failed.
    pub at: usize,
    /// The undefined expression.
    pub name: &'a str,
}

/// Returns the defined name that is most similar to the last word of the undefined expression; none if no name is similar.
///
/// The names are known only while the template runs, since loops define their own, so it is rendered again with a call to the probe
/// before the tag that fails.
pub(crate) fn nearest_name(environment: &Environment<'static>, failure: &Failure<'_>) -> Option<String> {
    let (base, wrong) = failure.name.rsplit_once('.').unwrap_or(("", failure.name));
    let path: Vec<String> = base.split('.').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let is_word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_word(wrong) || !path.iter().all(|word| is_word(word)) {
        return None;
    }
    let (head, tail) = failure.text.split_at(tag_start(failure.text, failure.at)?);

    let found = Arc::new(Mutex::new(Vec::new()));
    let result = Arc::clone(&found);
    let mut probed = environment.clone();
    probed.add_function(PROBE, move |state: &State<'_, '_>| {
        if let Ok(mut names) = result.lock() {
            *names = names_at(state, &path);
        }
        Value::from_safe_string(String::new())
    });
    let text = format!("{head}{{{{ {PROBE}() }}}}{tail}");
    probed.add_template_owned(failure.template.to_owned(), text).ok()?;
    // It fails as before, so the last call of the probe was the one before the tag that fails.
    let _ = probed.get_template(failure.root).ok()?.render(failure.context.clone());
    let names = found.lock().ok()?;
    closest(wrong, names.iter().map(String::as_str)).map(str::to_owned)
}

/// Returns the bytes of the last word of an undefined expression within `around`, or `around` if the expression is not found.
///
/// The engine's range may be that of a filter: `upper` in `{{ device.nme | upper }}`.
pub(crate) fn last_word(text: &str, name: &str, around: Range<usize>) -> Range<usize> {
    let tag = tag_start(text, around.start).unwrap_or(around.start);
    let word = name.rsplit('.').next().unwrap_or_default();
    match text.get(tag..around.end).and_then(|tag| tag.rfind(name)) {
        Some(at) if !word.is_empty() => {
            let end = tag + at + name.len();
            end - word.len()..end
        }
        _ => around,
    }
}

/// Returns the start of the tag around a byte of a template.
fn tag_start(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    before.rfind("{{").max(before.rfind("{%"))
}

/// Returns the variables that are defined at this point of a template, or the keys of the mapping at a path of keys.
fn names_at(state: &State<'_, '_>, path: &[String]) -> Vec<String> {
    let Some((first, rest)) = path.split_first() else {
        let is_data = |name: &str| {
            state.lookup(name).is_some_and(|value| !matches!(value.kind(), ValueKind::Plain | ValueKind::Undefined))
        };
        return state.known_variables().iter().filter(|name| is_data(name)).map(ToString::to_string).collect();
    };
    let Some(start) = state.lookup(first) else { return Vec::new() };
    let holder = rest.iter().try_fold(start, |value, key| value.get_attr(key).ok());
    match holder {
        Some(map) if map.kind() == ValueKind::Map => {
            map.try_iter().map(|keys| keys.map(|key| key.to_string()).collect()).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}
