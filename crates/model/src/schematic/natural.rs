//! The order in which go-yaml writes the keys of a map: as people count, `a1`, `a9`, `a10`.
//!
//! Keys whose order is not certain are refused by [`super::stability`], after this has put them in some order.

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
    let in_number = start.ends_with(|c: char| c.is_ascii_digit());
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => x.cmp(&y),
        // A letter comes after everything else, but ends a number, and so makes it the smaller one.
        (true, false) if in_number => Ordering::Less,
        (true, false) => Ordering::Greater,
        (false, true) if in_number => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => compare_numbers(start, a, b).then(x.cmp(&y)),
    }
}

/// Compares the digits that two strings have after a shared start: by value, then the one with fewer zeros in front.
fn compare_numbers(start: &str, a: &str, b: &str) -> Ordering {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (in_a, in_b) = (digits(a), digits(b));
    // Zeros in front count for nothing, unless the number has begun before them.
    let begun = start.bytes().rev().take_while(u8::is_ascii_digit).any(|digit| digit != b'0');
    let zeros = a.starts_with('0') || b.starts_with('0');
    let number = |text: &str| {
        let first = u64::from(begun && zeros);
        text.bytes().fold(first, |value, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    };
    number(&a[..in_a]).cmp(&number(&b[..in_b])).then(in_a.cmp(&in_b))
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::compare;

    #[test]
    fn the_order_is_total() {
        let mut texts = vec![String::new()];
        for length in 0..3 {
            let longer: Vec<String> = texts.iter().filter(|text| text.len() == length).cloned().collect();
            texts.extend(longer.iter().flat_map(|text| ["a", "0", "1", "-"].map(|end| format!("{text}{end}"))));
        }
        assert_eq!(texts.len(), 85);
        for a in &texts {
            for b in &texts {
                assert_eq!(compare(a, b), compare(b, a).reverse(), "{a:?} {b:?}");
                assert_eq!(compare(a, b) == Ordering::Equal, a == b, "{a:?} {b:?}");
                if compare(a, b) == Ordering::Less {
                    let between = |c: &&String| compare(b, c) == Ordering::Less && compare(a, c) != Ordering::Less;
                    assert_eq!(texts.iter().find(between), None, "{a:?} {b:?}");
                }
            }
        }
    }
}
