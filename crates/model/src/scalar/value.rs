//! The values of a device that its patches and texts may have as `$<name>`.

use serde_json::Value as Json;

use super::{ScalarError, string_scalars};

string_scalars! {
    /// The name of a value.
    pub ValueName: check_value_name;
    /// A value that is a string. It cannot change the structure of a YAML document that it is inserted into: it has no blank and no
    /// quotes, and does not end with `:`.
    pub ValueText: check_value;
}

/// A value: a boolean, a number or a string.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(try_from = "Json")]
pub enum Value {
    Typed(String),
    Text(ValueText),
}

impl Value {
    pub(crate) fn as_str(&self) -> &str {
        match self {
            Self::Typed(text) => text,
            Self::Text(text) => text.as_str(),
        }
    }
}

impl TryFrom<Json> for Value {
    type Error = ScalarError;

    fn try_from(value: Json) -> Result<Self, ScalarError> {
        match value {
            Json::String(text) => text.parse().map(Self::Text),
            Json::Bool(_) | Json::Number(_) => Ok(Self::Typed(value.to_string())),
            _ => Err(ScalarError::new("a value is a boolean, a number or a string")),
        }
    }
}

fn check_value_name(text: &str) -> Result<(), ScalarError> {
    let is_name = text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if is_name {
        return Ok(());
    }
    Err(ScalarError::new(format!("`{}` is not the name of a value", text.escape_debug()))
        .help("write a lower-case letter and then letters and digits, at most 63: `rackName`"))
}

fn check_value(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{}` cannot be a value", text.escape_debug()));
    let is_end = |c: char| c.is_ascii_alphanumeric();
    if text.is_empty() {
        return Err(ScalarError::new("an empty string cannot be a value"));
    }
    if text.len() > 253 {
        return Err(fault().label(format!("{} characters; 253 at most", text.chars().count())));
    }
    let bad = text.chars().find(|c| !(is_end(*c) || "._/:@+-".contains(*c)));
    let label = match bad {
        Some(bad) => format!("`{}` is not allowed: letters, digits and `._/:@+-` are", bad.escape_debug()),
        None if text.starts_with(is_end) && text.ends_with(is_end) => return Ok(()),
        None => "must begin and end with a letter or digit".to_owned(),
    };
    Err(fault()
        .label(label)
        .note("other characters could change the structure of the document in which it replaces `$<name>`")
        .help("write what differs between devices as the value, and the rest in the patch"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_no_syntax_of_their_own() {
        let long = "x".repeat(253);
        for good in ["r2", "1", "10.0.0.0/24", "a:b@c+d-e_f", "on", "1.10", &long] {
            assert!(good.parse::<ValueText>().is_ok(), "{good}");
        }
        for bad in ["", "a b", "fd00::", "-a", "a: b", "#a", "a\n", "$a", "'a'", &format!("{long}x")] {
            assert!(bad.parse::<ValueText>().is_err(), "{bad}");
        }
        assert!("rackName2".parse::<ValueName>().is_ok());
        for bad in ["", "Rack", "rack-2", "2", "a_b"] {
            assert!(bad.parse::<ValueName>().is_err(), "{bad}");
        }
    }
}
