//! The second opinion on a rendered text: another parser than the one that reads what users write.

use std::fmt;

use serde::de::{Deserialize, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// A language whose texts can be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML, of one or more documents.
    Yaml,
    /// TOML.
    Toml,
    /// JSON.
    Json,
}

impl Format {
    /// The format that a file or template is in, by the end of its name; `.j2` does not count.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        match name.strip_suffix(".j2").unwrap_or(name).rsplit_once('.')?.1 {
            "yaml" | "yml" => Some(Self::Yaml),
            "toml" => Some(Self::Toml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Parses a text into its documents; TOML and JSON have exactly one.
///
/// Refused beside what the format itself forbids: a key twice, tags, and numbers that JSON does not have. Keys that are
/// no text, which YAML allows, become the text that JSON would have for them.
///
/// # Errors
/// What is wrong and where, in the words of the parser. They can name a key of the text, and never a value.
pub fn parse(format: Format, text: &str) -> Result<Vec<Value>, String> {
    match format {
        Format::Yaml => serde_yaml::Deserializer::from_str(text)
            .map(|document| Tree::deserialize(document).map(|tree| tree.0).map_err(|error| error.to_string()))
            .collect(),
        Format::Toml => {
            toml::from_str::<Tree>(text).map(|tree| vec![tree.0]).map_err(|error| error.message().to_owned())
        }
        Format::Json => {
            let mut reader = serde_json::Deserializer::from_str(text);
            let tree = Tree::deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
            tree.map(|tree| vec![tree.0]).map_err(|error| error.to_string())
        }
    }
}

/// A value in which no map has a key twice; the value types of the parsers let the last one win.
struct Tree(Value);

impl<'de> Deserialize<'de> for Tree {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TreeVisitor).map(Tree)
    }
}

struct TreeVisitor;

impl<'de> Visitor<'de> for TreeVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    // What the YAML parser calls a text without any document.
    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
        Ok(Value::Bool(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
        Ok(Value::from(number))
    }

    // Their default messages would show the number.
    fn visit_i128<E: serde::de::Error>(self, _: i128) -> Result<Value, E> {
        Err(E::custom("a number that does not fit into 64 bits"))
    }

    fn visit_u128<E: serde::de::Error>(self, _: u128) -> Result<Value, E> {
        Err(E::custom("a number that does not fit into 64 bits"))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Value, E> {
        Number::from_f64(number).map(Value::Number).ok_or_else(|| E::custom("a number that is not finite"))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::from(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Tree(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(Tree(key)) = entries.next_key()? {
            let key = match key {
                Value::String(text) => text,
                Value::Null | Value::Bool(_) | Value::Number(_) => key.to_string(),
                Value::Array(_) | Value::Object(_) => return Err(A::Error::custom("a key that is not a scalar")),
            };
            let Tree(value) = entries.next_value()?;
            if map.contains_key(&key) {
                return Err(A::Error::custom(format_args!("the key `{key}` stands here twice")));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(A::Error::custom("a tag"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_each_format() {
        assert_eq!(
            parse(Format::Yaml, "a: [1, -2, 1.5, true, ~, 'x']\n1: y\n---\nb: |\n  t\n"),
            Ok(vec![json!({"a": [1, -2, 1.5, true, null, "x"], "1": "y"}), json!({"b": "t\n"})])
        );
        assert_eq!(parse(Format::Toml, "a = 1\n[b]\nc = ['x']\n"), Ok(vec![json!({"a": 1, "b": {"c": ["x"]}})]));
        assert_eq!(parse(Format::Json, r#"{"a": [null, 1e3]}"#), Ok(vec![json!({"a": [null, 1000.0]})]));
    }

    #[test]
    fn refuses_what_readers_would_understand_in_several_ways() {
        let refusals = [
            (Format::Yaml, "a: 1\nb: 2\na: 3\n", "the key `a` stands here twice"),
            (Format::Yaml, "x:\n  - a: {b: 1, \"b\": 2}\n", "x[0].a: the key `b` stands here twice at line 2 column 8"),
            (Format::Yaml, "1: x\n'1': y\n", "the key `1` stands here twice"),
            (Format::Yaml, "a: !foo b\n", "a: a tag at line 1 column 4"),
            (Format::Yaml, "a: .nan\n", "a: a number that is not finite at line 1 column 4"),
            (
                Format::Yaml,
                "a: 99999999999999999999\n",
                "a: a number that does not fit into 64 bits at line 1 column 4",
            ),
            (Format::Yaml, "[a]: b\n", "a key that is not a scalar"),
            (Format::Toml, "a = 1\na = 2\n", "duplicate key"),
            (Format::Json, r#"{"a": 1, "a": 2}"#, "the key `a` stands here twice at line 1 column 16"),
            (Format::Json, "{} {}", "trailing characters at line 1 column 4"),
        ];
        for (format, text, message) in refusals {
            assert_eq!(parse(format, text), Err(message.to_owned()), "{text}");
        }
    }

    #[test]
    fn knows_a_format_by_the_name() {
        let formats = ["a.yaml", "b.patch.yaml.j2", "c.toml.j2", "d.json", "e.sh.j2", "yaml"].map(Format::of);
        assert_eq!(
            formats,
            [Some(Format::Yaml), Some(Format::Yaml), Some(Format::Toml), Some(Format::Json), None, None]
        );
    }
}
