//! The shadow render: a stand-in for every value, and how to put the values back.

use minijinja::Value;
use serde_json::Value as Json;

use crate::engine::filter_error::FilterError;
use crate::engine::language::Language;

/// Around the number of a stand-in for a string: together a word that no language quotes.
const TEXT: (&str, &str) = ("Zq", "Z");
/// Before the number of a stand-in for any other scalar: together an integer.
const OTHER: &str = "7316";
/// The digits of the number. A template with more values than that would need more steps than a render may take.
const DIGITS: usize = 7;

/// The values that a render replaced, and the parts that it placed. An extension of the state of one render.
#[derive(Debug, Default)]
pub(crate) struct Shadow {
    hidden: Vec<Hidden>,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Hidden {
    value: Json,
    /// The value inside a longer string; none in languages that quote every string, since the quotes would be visible there.
    text: Option<String>,
}

/// A part that a template placed with `part(…)`.
#[derive(Debug)]
pub(crate) struct Part {
    pub template: String,
    pub context: Value,
    pub text: String,
}

impl Shadow {
    pub(crate) fn add_part(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// The values that stand-ins replace, in their order.
    pub(crate) fn values(&self) -> impl Iterator<Item = &Json> {
        self.hidden.iter().map(|hidden| &hidden.value)
    }

    pub(crate) fn into_parts(self) -> Vec<Part> {
        self.parts
    }

    /// Returns a copy of a value with a stand-in for each of its scalars.
    pub(crate) fn hide(&mut self, value: &Json, language: Language) -> Result<Json, FilterError> {
        let stand_in = match value {
            Json::Array(items) => return items.iter().map(|item| self.hide(item, language)).collect(),
            Json::Object(map) => {
                let entries =
                    map.iter().map(|(key, value)| Ok((self.hide_text(key, language), self.hide(value, language)?)));
                return Ok(Json::Object(entries.collect::<Result<_, FilterError>>()?));
            }
            Json::String(text) => return Ok(Json::String(self.hide_text(text, language))),
            Json::Null | Json::Bool(_) | Json::Number(_) => format!("{OTHER}{:0DIGITS$}", self.hidden.len()),
        };
        self.hidden.push(Hidden { value: value.clone(), text: Some(language.value(value)?) });
        Ok(Json::from(stand_in.parse::<u64>().unwrap_or_default()))
    }

    fn hide_text(&mut self, text: &str, language: Language) -> String {
        let stand_in = format!("{}{:0DIGITS$}{}", TEXT.0, self.hidden.len(), TEXT.1);
        let inside = (!matches!(language, Language::Toml | Language::Json)).then(|| text.to_owned());
        self.hidden.push(Hidden { value: Json::from(text), text: inside });
        stand_in
    }

    /// Returns the length of the stand-in at the start of a text.
    pub(crate) fn stand_in_at(&self, text: &str) -> Option<usize> {
        self.stand_in(text).map(|(_, length)| length)
    }

    /// Returns a document with the values in place of their stand-ins.
    pub(crate) fn restore(&self, tree: &Json) -> Json {
        match tree {
            Json::Number(number) => match self.stand_in(&number.to_string()) {
                Some((hidden, _)) => hidden.value.clone(),
                None => tree.clone(),
            },
            Json::String(text) => Json::String(self.restore_text(text)),
            Json::Array(items) => items.iter().map(|item| self.restore(item)).collect(),
            Json::Object(map) => {
                Json::Object(map.iter().map(|(key, value)| (self.restore_text(key), self.restore(value))).collect())
            }
            Json::Null | Json::Bool(_) => tree.clone(),
        }
    }

    fn restore_text(&self, text: &str) -> String {
        if let Some((Hidden { value: Json::String(value), .. }, length)) = self.stand_in(text)
            && length == text.len()
        {
            return value.clone();
        }
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let (restored, length) = match self.stand_in(rest) {
                Some((hidden, length)) => (hidden.text.as_deref().unwrap_or(&rest[..length]), length),
                None => (&rest[..c.len_utf8()], c.len_utf8()),
            };
            out.push_str(restored);
            rest = &rest[length..];
        }
        out
    }

    fn stand_in(&self, text: &str) -> Option<(&Hidden, usize)> {
        let (prefix, suffix) = if text.starts_with(TEXT.0) { TEXT } else { (OTHER, "") };
        let digits = text.strip_prefix(prefix)?.get(..DIGITS)?;
        let length = prefix.len() + DIGITS + suffix.len();
        let is_whole =
            digits.bytes().all(|byte| byte.is_ascii_digit()) && text[prefix.len() + DIGITS..].starts_with(suffix);
        let hidden = self.hidden.get(digits.parse::<usize>().ok()?)?;
        (is_whole && hidden.value.is_string() == (prefix == TEXT.0)).then_some((hidden, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn puts_every_value_back() {
        let value = json!({"a": ["x", "", 1, -2.5, true, {"b: c": "d\ne"}]});
        let mut shadow = Shadow::default();
        let hidden = shadow.hide(&value, Language::Yaml).expect("all of it is data");
        assert_eq!(
            hidden,
            json!({"Zq0000000Z": ["Zq0000001Z", "Zq0000002Z", 73160000003_u64, 73160000004_u64, 73160000005_u64,
                {"Zq0000006Z": "Zq0000007Z"}]})
        );
        assert_eq!(shadow.restore(&hidden), value);
    }

    #[test]
    fn puts_values_back_inside_longer_texts() {
        let mut shadow = Shadow::default();
        let text = shadow.hide_text("x Zq0000000Z", Language::Yaml);
        let number = shadow.hide(&json!(80), Language::Yaml).expect("a number is data");
        let quoted = shadow.hide_text("q", Language::Toml);
        let tree = json!([format!("é{text}{number}:Zq0000009Z Zq7316 \"{quoted}\""), quoted]);
        assert_eq!(shadow.restore(&tree), json!(["éx Zq0000000Z80:Zq0000009Z Zq7316 \"Zq0000002Z\"", "q"]));
    }
}
