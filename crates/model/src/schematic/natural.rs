//! The order in which go-yaml writes the keys of a map: as people count, `a1`, `a9`, `a10`.

use std::cmp::Ordering;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

/// Serializes a map, and the maps inside it, with their keys in natural order.
pub(super) fn serialize<S: Serializer>(map: &Map<String, Value>, serializer: S) -> Result<S::Ok, S::Error> {
    sorted(map).serialize(serializer)
}

fn sorted(map: &Map<String, Value>) -> Map<String, Value> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by(|a, b| compare(a.0, b.0));
    entries.into_iter().map(|(key, value)| (key.clone(), sorted_within(value))).collect()
}

fn sorted_within(value: &Value) -> Value {
    match value {
        Value::Object(map) => Value::Object(sorted(map)),
        Value::Array(items) => Value::Array(items.iter().map(sorted_within).collect()),
        _ => value.clone(),
    }
}

/// Compares at the first character that differs; a number counts as a whole.
fn compare(a: &str, b: &str) -> Ordering {
    let shared: usize = a.chars().zip(b.chars()).take_while(|(x, y)| x == y).map(|(x, _)| x.len_utf8()).sum();
    let (start, a, b) = (&a[..shared], &a[shared..], &b[shared..]);
    let (Some(x), Some(y)) = (a.chars().next(), b.chars().next()) else {
        return a.len().cmp(&b.len());
    };
    let in_number = start.ends_with(is_digit);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => x.cmp(&y),
        // A letter comes after everything else, but ends a number, and so makes it the smaller one.
        (true, false) => {
            if in_number {
                Ordering::Less
            } else {
                Ordering::Greater
            }
        }
        (false, true) => {
            if in_number {
                Ordering::Greater
            } else {
                Ordering::Less
            }
        }
        (false, false) => compare_numbers(start, a, b).then(x.cmp(&y)),
    }
}

/// Compares the digits that two texts go on with behind a shared start: by value, then the one with fewer zeros in front.
fn compare_numbers(start: &str, a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.chars().take_while(|&c| is_digit(c)).count();
    let (in_a, in_b) = (digits(a), digits(b));
    // Zeros in front count for nothing, unless the number has begun before them.
    let begun = start.chars().rev().take_while(|&c| is_digit(c)).any(|c| c != '0');
    let number =
        |text: &str, count: usize| -> String { text.chars().take(count).skip_while(|&c| c == '0' && !begun).collect() };
    let (x, y) = (number(a, in_a), number(b, in_b));
    x.len().cmp(&y.len()).then_with(|| x.cmp(&y)).then(in_a.cmp(&in_b))
}

const fn is_digit(character: char) -> bool {
    character.is_ascii_digit()
}
