//! The languages of templates, and how each writes a value.

use std::borrow::Cow;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

use crate::engine::refusal::Refusal;
use crate::engine::shell;
use crate::scalar;

/// The language of a template: what its name ends with before `.j2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// YAML: scalars with the quotes that they need, lists and maps in flow form.
    Yaml,
    /// TOML: basic strings, arrays, inline tables.
    Toml,
    /// JSON.
    Json,
    /// A POSIX shell: words with the quotes that they need, a list as its words.
    Shell,
    /// Everything else, Markdown first: text as it is.
    Text,
}

impl Language {
    const ALL: [Self; 5] = [Self::Yaml, Self::Toml, Self::Json, Self::Shell, Self::Text];

    /// The language of the template with this name.
    pub fn of(template: &str) -> Self {
        let name = template.strip_suffix(".j2").unwrap_or(template);
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "json" => Self::Json,
            "sh" => Self::Shell,
            _ => Self::Text,
        }
    }

    /// The name under which the template engine carries the language along.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Shell => "sh",
            Self::Text => "text",
        }
    }

    /// The language with that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }

    /// A text as the language writes it.
    pub fn text(self, text: &str) -> Result<Cow<'_, str>, Refusal> {
        match self {
            Self::Yaml => Ok(scalar::inline(text)),
            Self::Toml => Ok(Cow::Owned(toml_string(text))),
            Self::Json => Ok(Cow::Owned(Json::from(text).to_string())),
            Self::Shell => shell::word(text).ok_or(Refusal::new("a NUL character cannot stand in a shell script")),
            Self::Text => Ok(Cow::Borrowed(text)),
        }
    }

    /// Any value as the language writes it.
    pub fn value(self, value: &Json) -> Result<String, Refusal> {
        let each = |items: &[Json], between: &str| -> Result<String, Refusal> {
            let items: Result<Vec<String>, Refusal> = items.iter().map(|item| self.value(item)).collect();
            Ok(items?.join(between))
        };
        match (self, value) {
            (Self::Json, value) => Ok(value.to_string()),
            (_, Json::String(text)) => Ok(self.text(text)?.into_owned()),
            (_, Json::Bool(flag)) => Ok(flag.to_string()),
            (_, Json::Number(number)) => Ok(scalar::number(number)),
            (Self::Yaml | Self::Toml, Json::Array(items)) => Ok(format!("[{}]", each(items, ", ")?)),
            (Self::Shell, Json::Array(items)) => each(items, " "),
            (Self::Yaml | Self::Toml, Json::Object(map)) if map.is_empty() => Ok("{}".to_owned()),
            (Self::Yaml | Self::Toml, Json::Object(map)) => {
                let colon = if self == Self::Yaml { ": " } else { " = " };
                let entry =
                    |(key, value): (&String, &Json)| Ok(format!("{}{colon}{}", self.text(key)?, self.value(value)?));
                let entries: Result<Vec<String>, Refusal> = map.iter().map(entry).collect();
                Ok(format!("{{ {} }}", entries?.join(", ")))
            }
            (_, Json::Null) => Err(Refusal::new("`none` cannot be written here")),
            (Self::Shell, Json::Object(_)) => Err(Refusal::new("a map cannot be written into a shell script")),
            (Self::Text, _) => Err(Refusal::new("a list or a map cannot be written into text")),
        }
    }
}

/// A template value as data.
pub fn data(value: &Value) -> Result<Json, Refusal> {
    match value.kind() {
        ValueKind::Undefined => Err(Refusal::new("an `if` without `else` gives nothing to write")),
        ValueKind::Bytes | ValueKind::Plain | ValueKind::Invalid => Err(Refusal::new("this is not data")),
        _ => serde_json::to_value(value).map_err(|_| Refusal::new("this is not data")),
    }
}

/// A text as a TOML basic string (TOML 1.0, section String).
fn toml_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0'..='\u{1f}' | '\u{7f}' => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            _ => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn each_language_writes_values_in_its_own_way() {
        let value = json!(["a b", "on", 1, 1e30, true, ["x"]]);
        let written = Language::ALL.map(|language| language.value(&value));
        assert_eq!(
            written,
            [
                Ok(r#"[a b, "on", 1, 1.0e+30, true, [x]]"#.to_owned()),
                Ok(r#"["a b", "on", 1, 1.0e+30, true, ["x"]]"#.to_owned()),
                Ok(r#"["a b","on",1,1e+30,true,["x"]]"#.to_owned()),
                Ok("'a b' on 1 1.0e+30 true x".to_owned()),
                Err(Refusal::new("a list or a map cannot be written into text")),
            ]
        );
        let map = json!({"a": 1, "b c": {}});
        assert_eq!(Language::Yaml.value(&map), Ok("{ a: 1, b c: {} }".to_owned()));
        assert_eq!(Language::Toml.value(&map), Ok("{ \"a\" = 1, \"b c\" = {} }".to_owned()));
    }

    #[test]
    fn only_json_has_a_word_for_nothing() {
        let written = Language::ALL.map(|language| language.value(&Json::Null));
        let refusal = || Err(Refusal::new("`none` cannot be written here"));
        assert_eq!(written, [refusal(), refusal(), Ok("null".to_owned()), refusal(), refusal()]);
    }

    #[test]
    fn knows_the_language_by_the_name() {
        let names = ["a.patch.yaml.j2", "b.toml.j2", "c.json.j2", "d.sh.j2", "e.md.j2", "f"];
        let languages = names.map(Language::of);
        use Language::{Json, Shell, Text, Toml, Yaml};
        assert_eq!(languages, [Yaml, Toml, Json, Shell, Text, Text]);
        assert_eq!(Language::ALL.map(|language| Language::named(language.name())), Language::ALL.map(Some));
    }
}
