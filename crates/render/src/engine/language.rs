//! The languages of templates, and the notation of values in each.

use std::borrow::Cow;

use minijinja::Value;
use minijinja::value::ValueKind;
use serde_json::Value as Json;

use crate::engine::filter_error::FilterError;
use crate::engine::shell;
use crate::formats::Format;
use crate::{emit, scalar};

/// The language of a template, by the extension of its name before `.j2`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    /// YAML: scalars with the quotes that they need, lists and mappings in flow style.
    Yaml,
    /// TOML: basic strings, arrays, inline tables.
    Toml,
    Json,
    /// JSON with comments.
    Hujson,
    /// Markdown: strings on one line, without what ends a cell of a table or begins HTML.
    Markdown,
    /// XML, such as SVG: strings on one line, without what begins a tag or ends an attribute.
    Xml,
    /// A POSIX shell: words with the quotes that they need, a list as its words.
    Shell,
    /// Any other language: strings on one line, as they are.
    Text,
}

impl Language {
    const ALL: [Self; 8] =
        [Self::Yaml, Self::Toml, Self::Json, Self::Hujson, Self::Markdown, Self::Xml, Self::Shell, Self::Text];

    pub(crate) fn of(template: &str) -> Self {
        let name = template.strip_suffix(".j2").unwrap_or(template);
        match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
            "yaml" | "yml" => Self::Yaml,
            "toml" => Self::Toml,
            "json" => Self::Json,
            "hujson" => Self::Hujson,
            "md" => Self::Markdown,
            "svg" | "xml" => Self::Xml,
            "sh" => Self::Shell,
            _ => Self::Text,
        }
    }

    /// Returns the name by which the template engine knows the language while it renders.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Toml => "toml",
            Self::Json => "json",
            Self::Hujson => "hujson",
            Self::Markdown => "markdown",
            Self::Xml => "xml",
            Self::Shell => "sh",
            Self::Text => "text",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|language| language.name() == name)
    }

    /// Returns the format whose parser can read the language; none for a shell script and other text.
    pub(crate) const fn format(self) -> Option<Format> {
        match self {
            Self::Yaml => Some(Format::Yaml),
            Self::Toml => Some(Format::Toml),
            Self::Json => Some(Format::Json),
            Self::Hujson => Some(Format::Hujson),
            Self::Markdown | Self::Xml | Self::Shell | Self::Text => None,
        }
    }

    pub(crate) fn text(self, text: &str) -> Result<Cow<'_, str>, FilterError> {
        match self {
            Self::Yaml => Ok(scalar::inline(text)),
            // A JSON string is a TOML basic string, but for DEL, which TOML 1.0 requires to be escaped.
            Self::Toml => Ok(Json::from(text).to_string().replace('\u{7f}', "\\u007F").into()),
            Self::Json | Self::Hujson => Ok(Json::from(text).to_string().into()),
            Self::Shell => shell::word(text).ok_or(FilterError("a shell script cannot contain a NUL character")),
            Self::Markdown | Self::Xml | Self::Text if text.contains(char::is_control) => {
                Err(FilterError("a text of several lines cannot be written here"))
            }
            Self::Markdown if text.contains(['|', '<', '&']) => {
                Ok(text.replace('&', "&amp;").replace('<', "&lt;").replace('|', "\\|").into())
            }
            Self::Xml if text.contains(['<', '>', '&', '"', '\'']) => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
                Ok(text.replace('"', "&quot;").replace('\'', "&apos;").into())
            }
            Self::Markdown | Self::Xml | Self::Text => Ok(text.into()),
        }
    }

    pub(crate) fn value(self, value: &Json) -> Result<String, FilterError> {
        let each = |items: &[Json], between: &str| -> Result<String, FilterError> {
            let items: Result<Vec<String>, FilterError> = items.iter().map(|item| self.value(item)).collect();
            Ok(items?.join(between))
        };
        match (self, value) {
            (Self::Json | Self::Hujson, value) => Ok(value.to_string()),
            (_, Json::String(text)) => Ok(self.text(text)?.into_owned()),
            (_, Json::Bool(flag)) => Ok(flag.to_string()),
            (_, Json::Number(number)) => Ok(scalar::number(number)),
            (Self::Yaml, value) if !holds_null(value) => Ok(emit::yaml_flow(value)),
            (Self::Toml, Json::Array(items)) => Ok(format!("[{}]", each(items, ", ")?)),
            (Self::Shell, Json::Array(items)) => each(items, " "),
            (Self::Toml, Json::Object(map)) if map.is_empty() => Ok("{}".to_owned()),
            (Self::Toml, Json::Object(map)) => {
                let entry =
                    |(key, value): (&String, &Json)| Ok(format!("{} = {}", self.text(key)?, self.value(value)?));
                let entries: Result<Vec<String>, FilterError> = map.iter().map(entry).collect();
                Ok(format!("{{ {} }}", entries?.join(", ")))
            }
            (Self::Yaml, _) | (_, Json::Null) => Err(FilterError("`none` cannot be written here")),
            (Self::Shell, Json::Object(_)) => Err(FilterError("a mapping cannot be written into a shell script")),
            (Self::Markdown | Self::Xml | Self::Text, _) => {
                Err(FilterError("a list or a mapping cannot be written into text"))
            }
        }
    }
}

fn holds_null(value: &Json) -> bool {
    match value {
        Json::Null => true,
        Json::Array(items) => items.iter().any(holds_null),
        Json::Object(map) => map.values().any(holds_null),
        Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

pub(crate) fn data(value: &Value) -> Result<Json, FilterError> {
    match value.kind() {
        ValueKind::Undefined => Err(FilterError("an `if` without `else` leaves nothing to write")),
        ValueKind::Bytes | ValueKind::Plain | ValueKind::Invalid => Err(FilterError("this is not data")),
        _ => serde_json::to_value(value).map_err(|_| FilterError("this is not data")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn writes_values_in_each_notation() {
        let value = json!(["a b", "on", 1, 1e30, true, ["x"]]);
        let written = Language::ALL.map(|language| language.value(&value));
        assert_eq!(
            written,
            [
                Ok(r#"[a b, "on", 1, 1.0e+30, true, [x]]"#.to_owned()),
                Ok(r#"["a b", "on", 1, 1.0e+30, true, ["x"]]"#.to_owned()),
                Ok(r#"["a b","on",1,1e+30,true,["x"]]"#.to_owned()),
                Ok(r#"["a b","on",1,1e+30,true,["x"]]"#.to_owned()),
                Err(FilterError("a list or a mapping cannot be written into text")),
                Err(FilterError("a list or a mapping cannot be written into text")),
                Ok("'a b' on 1 1.0e+30 true x".to_owned()),
                Err(FilterError("a list or a mapping cannot be written into text")),
            ]
        );
        let map = json!({"a": 1, "b c": {}});
        assert_eq!(Language::Yaml.value(&map), Ok("{ a: 1, b c: {} }".to_owned()));
        assert_eq!(Language::Toml.value(&map), Ok("{ \"a\" = 1, \"b c\" = {} }".to_owned()));
    }

    #[test]
    fn only_json_can_write_null() {
        let written = Language::ALL.map(|language| language.value(&Json::Null));
        let error = || Err(FilterError("`none` cannot be written here"));
        let null = || Ok("null".to_owned());
        assert_eq!(written, [error(), error(), null(), null(), error(), error(), error(), error()]);
    }

    #[test]
    fn knows_the_language_by_the_name() {
        let names = ["a.patch.yaml.j2", "b.toml.j2", "c.json.j2", "d.sh.j2", "e.md.j2", "g.svg.j2", "f"];
        let languages = names.map(Language::of);
        use Language::{Json, Markdown, Shell, Text, Toml, Xml, Yaml};
        assert_eq!(languages, [Yaml, Toml, Json, Shell, Markdown, Xml, Text]);
        assert_eq!(Language::ALL.map(|language| Language::named(language.name())), Language::ALL.map(Some));
    }
}
