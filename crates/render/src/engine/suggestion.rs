//! "Did you mean": the name that was there, for one that was not.

use std::ops::Range;
use std::sync::{Arc, Mutex};

use minijinja::value::ValueKind;
use minijinja::{Environment, State, Value};

/// A function that a probed template calls just before the tag that fails; no template of ours has such a name.
const PROBE: &str = "talosmith_names_here";

/// A render that failed on a name.
pub struct Failure<'a> {
    /// The template that was asked for.
    pub root: &'a str,
    /// What it saw.
    pub context: &'a Value,
    /// The template in which it failed.
    pub template: &'a str,
    /// The text of that.
    pub text: &'a str,
    /// The byte of the text at which it failed.
    pub at: usize,
    /// The expression that was not defined.
    pub name: &'a str,
}

/// The name nearest to the last word of the one that failed, among those that could stand there.
///
/// The names are known only while the template runs (loops bring their own), so it is rendered again with a probe in
/// front of the tag that fails.
pub fn nearest_name(environment: &Environment<'static>, failure: &Failure<'_>) -> Option<String> {
    let (base, wrong) = failure.name.rsplit_once('.').unwrap_or(("", failure.name));
    let path: Vec<String> = base.split('.').filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let is_word = |word: &str| word.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_word(wrong) || !path.iter().all(|word| is_word(word)) {
        return None;
    }
    let tag = tag_start(failure.text, failure.at)?;
    let (head, tail) = failure.text.split_at(tag);

    let found = Arc::new(Mutex::new(Vec::new()));
    let notebook = Arc::clone(&found);
    let mut probed = environment.clone();
    probed.add_function(PROBE, move |state: &State<'_, '_>| {
        if let Ok(mut names) = notebook.lock() {
            *names = names_at(state, &path);
        }
        Value::from_safe_string(String::new())
    });
    let text = format!("{head}{{{{ {PROBE}() }}}}{tail}");
    probed.add_template_owned(failure.template.to_owned(), text).ok()?;
    // It fails as before; what the probe saw last is what was there.
    let _ = probed.get_template(failure.root).ok()?.render(failure.context.clone());
    let names = found.lock().ok()?;
    nearest(wrong, &names)
}

/// The bytes of the last word of an undefined expression, the one that is not there; `around` where it cannot be found.
///
/// The engine points at what failed on it: `upper` in `{{ device.nme | upper }}`.
pub fn last_word(text: &str, name: &str, around: Range<usize>) -> Range<usize> {
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

/// The start of the tag around a byte of a template.
fn tag_start(text: &str, at: usize) -> Option<usize> {
    let before = text.get(..at)?;
    before.rfind("{{").max(before.rfind("{%"))
}

/// The variables at this point of a template, or the keys of the map that a path of keys leads to.
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

/// The name with the fewest edits from `wrong`, if they are few enough to be a slip.
fn nearest(wrong: &str, names: &[String]) -> Option<String> {
    let limit = (wrong.chars().count() / 3).max(1);
    let scored = names.iter().map(|name| (edits(&wrong.to_lowercase(), &name.to_lowercase()), name));
    scored.filter(|(edits, _)| *edits <= limit).min().map(|(_, name)| name.clone())
}

/// The letters to insert, remove, replace or swap with their neighbour to make one word of the other.
fn edits(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for i in 0..=one.len() {
        for j in 0..=other.len() {
            if i == 0 || j == 0 {
                rows[i][j] = i.max(j);
                continue;
            }
            let replaced = rows[i - 1][j - 1] + usize::from(one[i - 1] != other[j - 1]);
            rows[i][j] = replaced.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            let swapped = i > 1 && j > 1 && one[i - 1] == other[j - 2] && one[i - 2] == other[j - 1];
            if swapped {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[one.len()][other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_slips_and_nothing_farther() {
        let names = ["hostname", "address", "name", "role"].map(str::to_owned);
        let found = ["hostnme", "HostName", "adress", "rloe", "nam", "cluster", "x", ""].map(|w| nearest(w, &names));
        let expected =
            [Some("hostname"), Some("hostname"), Some("address"), Some("role"), Some("name"), None, None, None];
        assert_eq!(found, expected.map(|name| name.map(str::to_owned)));
    }
}
