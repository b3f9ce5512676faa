//! A JSON Schema of the user, and how much work a schema may be: references can double it, and a pattern can take forever.

use std::collections::HashMap;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// The most subschemas, with those that are referred to counted each time.
const MAX_SUBSCHEMAS: u64 = 50_000;

/// The most regular expressions.
const MAX_PATTERNS: usize = 1_000;

/// How often an expression with look-around or back-references may try again.
const MAX_RETRIES: usize = 10_000;

/// The most subschemas times values, and the most ways through a schema that refers to itself.
const MAX_WORK: u64 = 20_000_000;

/// A JSON Schema of the user.
#[derive(Debug)]
pub struct UserSchema {
    validator: Validator,
    subschemas: u64,
    /// The number of references by which the schema refers to itself in alternatives: each level of a value can double the work.
    branches: u64,
}

impl UserSchema {
    /// Reads a schema, which may refer to itself alone.
    ///
    /// # Errors
    /// The text is not JSON, no schema, or too much work.
    pub fn parse(text: &str) -> Result<Self, String> {
        let schema: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let mut size =
            Size { root: &schema, targets: HashMap::new(), patterns: 0, branches: 0, has_alternatives: false };
        let subschemas = size.of(&schema, true).subschemas;
        if subschemas > MAX_SUBSCHEMAS {
            return Err(format!(
                "it has more than {MAX_SUBSCHEMAS} subschemas, where those of references count each time"
            ));
        }
        if size.patterns > MAX_PATTERNS {
            return Err(format!("it has more than {MAX_PATTERNS} patterns"));
        }
        let branches = if size.has_alternatives { size.branches } else { 1 };
        let options =
            jsonschema::options().with_pattern_options(PatternOptions::fancy_regex().backtrack_limit(MAX_RETRIES));
        let validator = options.build(&schema).map_err(|error| error.to_string())?;
        Ok(Self { validator, subschemas, branches })
    }

    /// Returns the errors of a value, each with its place.
    pub(crate) fn errors(&self, value: &Value) -> Vec<String> {
        let (values, depth) = (count(value), depth(value));
        let ways = self.branches.max(1).saturating_pow(depth);
        if self.subschemas.saturating_mul(values) > MAX_WORK || ways > MAX_WORK {
            return vec!["the schema is too large, or refers to itself too often, for a value of this size".to_owned()];
        }
        let message = |error: ValidationError<'_>| match error.instance_path().as_str() {
            "" => error.to_string(),
            at => format!("at `{at}`: {error}"),
        };
        self.validator.iter_errors(value).map(message).collect()
    }
}

/// What the parts of a schema add up to.
struct Size<'s> {
    root: &'s Value,
    /// The size of each target of a reference; none as long as it is computed.
    targets: HashMap<&'s str, Option<Part>>,
    patterns: usize,
    /// References to what contains them.
    branches: u64,
    /// Whether two members of one `allOf`, `anyOf` or `oneOf` refer to what contains them.
    has_alternatives: bool,
}

#[derive(Clone, Copy, Default)]
struct Part {
    subschemas: u64,
    refers_to_itself: bool,
}

impl<'s> Size<'s> {
    fn of(&mut self, node: &'s Value, is_root: bool) -> Part {
        let mut sum = Part { subschemas: 1, refers_to_itself: false };
        match node {
            Value::Array(items) => items.iter().for_each(|item| sum.add(self.of(item, false))),
            Value::Object(keys) => {
                for (key, value) in keys {
                    let part = match (key.as_str(), value) {
                        // These count where they are referred to.
                        ("$defs" | "definitions", _) if is_root => continue,
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(target)) => self.target(target),
                        ("allOf" | "anyOf" | "oneOf", Value::Array(members)) => self.alternatives(members),
                        ("pattern", _) => {
                            self.patterns += 1;
                            Part::default()
                        }
                        ("patternProperties", Value::Object(patterns)) => {
                            self.patterns += patterns.len();
                            self.of(value, false)
                        }
                        ("enum" | "const" | "default" | "examples", _) => {
                            Part { subschemas: count(value), ..Part::default() }
                        }
                        _ => self.of(value, false),
                    };
                    sum.add(part);
                }
            }
            _ => sum.subschemas = 0,
        }
        sum
    }

    fn alternatives(&mut self, members: &'s [Value]) -> Part {
        let parts: Vec<Part> = members.iter().map(|member| self.of(member, false)).collect();
        self.has_alternatives |= parts.iter().filter(|part| part.refers_to_itself).nth(1).is_some();
        let mut sum = Part::default();
        parts.into_iter().for_each(|part| sum.add(part));
        sum
    }

    fn target(&mut self, target: &'s str) -> Part {
        match self.targets.get(target) {
            Some(Some(part)) => {
                self.branches += u64::from(part.refers_to_itself);
                *part
            }
            Some(None) => {
                self.branches += 1;
                Part { subschemas: 1, refers_to_itself: true }
            }
            None => {
                self.targets.insert(target, None);
                let found = match target.strip_prefix('#') {
                    Some(pointer) => self.root.pointer(pointer),
                    None => None,
                };
                let part = found.map_or(Part::default(), |found| self.of(found, target == "#"));
                self.targets.insert(target, Some(part));
                part
            }
        }
    }
}

impl Part {
    fn add(&mut self, other: Self) {
        self.subschemas = self.subschemas.saturating_add(other.subschemas);
        self.refers_to_itself |= other.refers_to_itself;
    }
}

/// The number of values in a value, with itself.
fn count(value: &Value) -> u64 {
    1 + match value {
        Value::Array(items) => items.iter().map(count).sum(),
        Value::Object(keys) => keys.values().map(count).sum(),
        _ => 0,
    }
}

fn depth(value: &Value) -> u32 {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(keys) => keys.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn doubled(keyword: &str) -> Value {
        let mut schema = json!({ "$defs": { "d0": { "type": "string", "minLength": 9 } }, "$ref": "#/$defs/d40" });
        for level in 1..=40 {
            let one = json!({ "$ref": format!("#/$defs/d{}", level - 1) });
            schema["$defs"][format!("d{level}")] = json!({ keyword: [one, one] });
        }
        schema
    }

    #[test]
    fn schemas_that_are_too_much_work_are_refused() {
        let patterns: Value =
            (0..1_001).map(|at| (format!("^a{at}"), json!({}))).collect::<serde_json::Map<_, _>>().into();
        for (schema, message) in [
            (doubled("allOf"), "it has more than 50000 subschemas, where those of references count each time"),
            (doubled("anyOf"), "it has more than 50000 subschemas, where those of references count each time"),
            (json!({ "patternProperties": patterns }), "it has more than 1000 patterns"),
        ] {
            assert_eq!(UserSchema::parse(&schema.to_string()).err().as_deref(), Some(message));
        }
    }

    #[test]
    fn a_schema_that_refers_to_itself_twice_is_for_shallow_values() {
        let schema = json!({ "anyOf": [{ "items": { "$ref": "#" }, "minItems": 2 }, { "items": { "$ref": "#" } }] });
        let schema = UserSchema::parse(&schema.to_string()).unwrap();
        let nested = |depth| (0..depth).fold(json!(1), |inner, _| json!([inner]));
        assert_eq!(schema.errors(&nested(5)), [""; 0]);
        assert_eq!(schema.errors(&nested(60)).len(), 1);
        let tree = json!({ "properties": { "left": { "$ref": "#" }, "right": { "$ref": "#" } }, "maxProperties": 2 });
        assert_eq!(UserSchema::parse(&tree.to_string()).unwrap().errors(&nested(60)), [""; 0]);
    }

    #[test]
    fn a_pattern_that_tries_again_too_often_is_an_error() {
        let schema = json!({ "pattern": r"^(?=(a*)*b)(a|aa)+$" });
        let errors = UserSchema::parse(&schema.to_string()).unwrap().errors(&json!("a".repeat(5_000) + "c"));
        assert_eq!(errors.len(), 1, "{errors:?}");
    }
}
