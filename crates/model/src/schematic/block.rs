//! How go-yaml lays out maps and lists: always in blocks, indented by four.

use serde_json::{Map, Value};
use talosmith_document::Pointer;

use super::scalar;
use super::stability::{Unstable, check, check_key};

/// Writes a map as a document, its keys in the order that they have.
pub(super) fn write(value: &Value) -> Result<String, Unstable> {
    let mut out = String::with_capacity(1024);
    if let Value::Object(map) = value {
        write_map(&mut out, map, 0)?;
    }
    Ok(out)
}

/// Writes the entries of a map; the first one goes on in the line that `out` ends with.
fn write_map(out: &mut String, map: &Map<String, Value>, indent: usize) -> Result<(), Unstable> {
    for (index, (key, value)) in map.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        check_key(key).map_err(|unstable| unstable.below(&Pointer::root().child(key)))?;
        scalar::write(out, key);
        out.push(':');
        let inner = (indent / 4 + 1) * 4;
        if is_block(value) {
            out.push('\n');
            pad(out, inner);
        } else {
            out.push(' ');
        }
        write_value(out, value, inner).map_err(|unstable| unstable.below(&Pointer::root().child(key)))?;
    }
    Ok(())
}

fn write_list(out: &mut String, items: &[Value], indent: usize) -> Result<(), Unstable> {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        write_value(out, item, indent + 2).map_err(|unstable| unstable.below(&Pointer::root().item(index)))?;
    }
    Ok(())
}

/// Writes a value and ends its line; `indent` is that of its content.
fn write_value(out: &mut String, value: &Value, indent: usize) -> Result<(), Unstable> {
    match value {
        Value::Object(map) if !map.is_empty() => return write_map(out, map, indent),
        Value::Array(items) if !items.is_empty() => return write_list(out, items, indent),
        Value::String(text) => {
            check(text)?;
            if scalar::is_literal(text) {
                scalar::write_literal(out, text, indent);
                return Ok(());
            }
            scalar::write(out, text);
        }
        Value::Object(_) => out.push_str("{}"),
        Value::Array(_) => out.push_str("[]"),
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => scalar::write_number(out, number),
    }
    out.push('\n');
    Ok(())
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(map) => !map.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
