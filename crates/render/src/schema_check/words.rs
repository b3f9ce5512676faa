//! Messages for a validator's errors, which name keys and never a value.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use talosmith_document::Pointer;

/// Returns the messages of an error and their locations; an unknown key has its own location.
pub(crate) fn words(fault: &ValidationError<'_>) -> Vec<(Pointer, String)> {
    let at = Pointer::new(fault.instance_path().as_str());
    let name = subject(&at);
    let message = match fault.kind() {
        ValidationErrorKind::AdditionalProperties { unexpected } => {
            let unknown = |key: &String| (at.child(key), format!("{name} has no key `{key}`"));
            return unexpected.iter().map(unknown).collect();
        }
        ValidationErrorKind::Required { property } => {
            format!("{name} needs the key `{}`", property.as_str().unwrap_or_default())
        }
        ValidationErrorKind::Type { .. } => format!("{name} cannot be {}", described(fault.instance())),
        ValidationErrorKind::Enum { options } => {
            let words: Vec<String> =
                options.as_array().into_iter().flatten().map(|word| format!("`{}`", text(word))).collect();
            format!("{name} must be {}", words.join(" or "))
        }
        ValidationErrorKind::Constant { expected_value } => format!("{name} must be `{}`", text(expected_value)),
        ValidationErrorKind::MinLength { .. }
        | ValidationErrorKind::MinItems { .. }
        | ValidationErrorKind::MinProperties { .. } => format!("{name} is empty"),
        ValidationErrorKind::MaxLength { limit } => format!("{name} is longer than {limit} characters"),
        ValidationErrorKind::Minimum { limit } => format!("{name} is less than {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{name} is more than {limit}"),
        _ => format!("{name} does not match its schema"),
    };
    vec![(at, message)]
}

/// Formats the path of a value.
fn subject(at: &Pointer) -> String {
    let path: Vec<String> = at.segments().collect();
    if path.is_empty() { "the document".to_owned() } else { format!("`{}`", path.join(".")) }
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn described(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}
