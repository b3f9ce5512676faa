//! The functions and operators that [`Expression`](super::Expression) evaluates; `None` where they fail or are not supported.

use super::Value;

/// Calls a function or conversion with one argument.
pub(super) fn convert(name: &str, value: Value) -> Option<Value> {
    let count = |count: usize| i64::try_from(count).ok().map(Value::Int);
    match (name, value) {
        ("size", Value::String(text)) => count(text.chars().count()),
        ("size", Value::Bytes(bytes)) => count(bytes.len()),
        ("size", Value::List(items, true)) => count(items.len()),
        ("dyn", value)
        | ("bool", value @ Value::Bool(_))
        | ("int", value @ Value::Int(_))
        | ("uint", value @ Value::Uint(_))
        | ("double", value @ Value::Double(_))
        | ("string", value @ Value::String(_)) => Some(value),
        ("int", Value::Uint(value)) => i64::try_from(value).ok().map(Value::Int),
        ("double", Value::Int(value)) => Some(Value::Double(value as f64)),
        ("double", Value::Uint(value)) => Some(Value::Double(value as f64)),
        ("bytes", Value::String(text)) => Some(Value::Bytes(text.into_bytes())),
        ("uint", Value::Int(value)) => u64::try_from(value).ok().map(Value::Uint),
        ("string", value @ (Value::Uint(_) | Value::Int(_) | Value::Bool(_))) => Some(Value::String(value.to_string())),
        ("mac", Value::Bytes(bytes)) => {
            let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            Some(Value::String(parts.join(":")))
        }
        _ => None,
    }
}

/// Calls an operator or function with two arguments.
pub(super) fn binary(name: &str, left: Value, right: Value) -> Option<Value> {
    match (name, &left, &right) {
        ("_==_", _, _) => left.equals(&right).map(Value::Bool),
        ("_!=_", _, _) => left.equals(&right).map(|equal| Value::Bool(!equal)),
        ("_<_", _, _) => left.order(&right).map(|order| Value::Bool(order.is_lt())),
        ("_<=_", _, _) => left.order(&right).map(|order| Value::Bool(order.is_le())),
        ("_>_", _, _) => left.order(&right).map(|order| Value::Bool(order.is_gt())),
        ("_>=_", _, _) => left.order(&right).map(|order| Value::Bool(order.is_ge())),
        ("_+_", Value::String(a), Value::String(b)) => Some(Value::String(format!("{a}{b}"))),
        (_, Value::Int(a), Value::Int(b)) => {
            let (a, b) = (*a, *b);
            let results = [a.checked_add(b), a.checked_sub(b), a.checked_mul(b), a.checked_div(b), a.checked_rem(b)];
            arithmetic(name, results).map(Value::Int)
        }
        (_, Value::Uint(a), Value::Uint(b)) => {
            let (a, b) = (*a, *b);
            let results = [a.checked_add(b), a.checked_sub(b), a.checked_mul(b), a.checked_div(b), a.checked_rem(b)];
            arithmetic(name, results).map(Value::Uint)
        }
        (_, Value::Double(a), Value::Double(b)) => {
            arithmetic(name, [Some(a + b), Some(a - b), Some(a * b), Some(a / b), None]).map(Value::Double)
        }
        ("glob", Value::String(pattern), Value::String(text)) => Some(Value::Bool(glob(pattern, text))),
        ("matches", Value::String(text), Value::String(pattern)) => matches(text, pattern).map(Value::Bool),
        _ => None,
    }
}

/// The result of an arithmetic operator.
fn arithmetic<T>(operator: &str, results: [Option<T>; 5]) -> Option<T> {
    let at = ["_+_", "_-_", "_*_", "_/_", "_%_"].iter().position(|name| *name == operator)?;
    results.into_iter().nth(at)?
}

/// Whether a string matches a pattern, in which only `*` is special. Source: github.com/ryanuber/go-glob.
fn glob(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let last = parts.pop().unwrap_or_default();
    for part in parts {
        match text.find(part) {
            Some(at) => text = &text[at + part.len()..],
            None => return false,
        }
    }
    text.ends_with(last)
}

/// Whether a regular expression matches a part of a string; `None` if it has anything but letters, digits, anchors and a last `.*`.
pub(super) fn matches(text: &str, pattern: &str) -> Option<bool> {
    let (anchored_start, rest) = pattern.strip_prefix('^').map_or((false, pattern), |rest| (true, rest));
    // What follows does not matter, but in the lines of a text of several.
    let rest = if text.contains('\n') { rest } else { rest.trim_end_matches(".*$").trim_end_matches(".*") };
    let (anchored_end, literal) = rest.strip_suffix('$').map_or((false, rest), |rest| (true, rest));
    if !literal.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/' | ':' | ' ')) {
        return None;
    }
    Some(match (anchored_start, anchored_end) {
        (true, true) => text == literal,
        (true, false) => text.starts_with(literal),
        (false, true) => text.ends_with(literal),
        (false, false) => text.contains(literal),
    })
}
