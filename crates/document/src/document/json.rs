//! Conversion from and to JSON. Plain scalars are typed by the core schema of YAML 1.2.2 (§10.3.2).

use serde_json::{Map, Number, Value};

use super::{Entry, Node, NodeValue, Style};

impl Node {
    /// Converts a JSON value to nodes without locations. Strings are quoted, so that YAML reads them as strings.
    fn from_json(value: &Value) -> Self {
        let value = match value {
            Value::Object(map) => return Self::from_map(map),
            Value::String(text) => NodeValue::Scalar(text.as_str().into(), Style::Quoted),
            Value::Array(items) => NodeValue::Sequence(items.iter().map(Self::from_json).collect()),
            Value::Null | Value::Bool(_) | Value::Number(_) => {
                NodeValue::Scalar(value.to_string().into(), Style::Plain)
            }
        };
        Self { span: 0..0, value }
    }

    /// Converts a JSON object to nodes without locations.
    pub fn from_map(map: &Map<String, Value>) -> Self {
        let entry = |(key, value): (&String, &Value)| Entry {
            key: key.as_str().into(),
            key_span: 0..0,
            value: Self::from_json(value),
        };
        Self { span: 0..0, value: NodeValue::Mapping(map.iter().map(entry).collect()) }
    }

    /// Converts the value to JSON.
    ///
    /// Quoted and block scalars are strings. Plain ones follow the core schema of YAML 1.2, so `off` and `no` are strings and `0644` is
    /// 644. Integers beyond 64 bits become floats; numbers that JSON cannot represent (`.inf`, `.nan`, `1e999`, `0x` and `0o` beyond 64
    /// bits) become strings. A missing value is null.
    #[must_use]
    pub fn into_json(self) -> Value {
        match self.value {
            NodeValue::Scalar(text, Style::Plain) => plain(text),
            NodeValue::Scalar(text, _) => Value::from(String::from(text)),
            NodeValue::Sequence(items) => items.into_iter().map(Self::into_json).collect(),
            NodeValue::Mapping(entries) => {
                let entries = entries.into_iter().map(|entry| (String::from(entry.key), entry.value.into_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
}

fn plain(text: Box<str>) -> Value {
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(&text).map_or_else(|| Value::from(String::from(text)), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    for (prefix, radix) in [("0x", 16), ("0o", 8)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            // `from_str_radix` accepts a sign, YAML does not.
            let unsigned = digits.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric());
            return if unsigned { u64::from_str_radix(digits, radix).ok().map(Number::from) } else { None };
        }
    }
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !unsigned.is_empty() && unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(number) = text.parse::<i64>() {
            return Some(number.into());
        }
        if let Ok(number) = text.parse::<u64>() {
            return Some(number.into());
        }
    } else if !is_float(unsigned) {
        return None;
    }
    text.parse().ok().and_then(Number::from_f64)
}

/// Whether a number without sign matches `(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.strip_prefix(['+', '-']).unwrap_or(exponent)),
        None => (text, "0"),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some_digit = !whole.is_empty() || !fraction.is_empty();
    some_digit && digits(whole) && digits(fraction) && !exponent.is_empty() && digits(exponent)
}
