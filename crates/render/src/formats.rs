//! The parsers that read rendered texts again: others than the one that reads the files of users.

use std::fmt;

use serde::de::{Deserialize, Deserializer, EnumAccess, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use talosmith_document::{Document, Sources};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML, of one or more documents.
    Yaml,
    Toml,
    Json,
    /// JSON with comments and commas after the last item: <https://github.com/tailscale/hujson>.
    Hujson,
}

/// Parses a text into its documents; all other formats have exactly one.
///
/// Besides what the format itself forbids, this refuses duplicate keys, tags, and numbers that JSON does not have. Keys that are not
/// strings, which YAML allows, become the JSON notation of their values.
///
/// # Errors
/// The message of the parser. It may contain a key of the text, but never a value.
pub fn parse(format: Format, text: &str) -> Result<Vec<Value>, String> {
    match format {
        Format::Yaml if is_deep(text) => Err(format!("more than {MAX_BRACKETS} brackets are inside each other")),
        Format::Yaml => {
            let documents: Result<Vec<Value>, String> = serde_yaml::Deserializer::from_str(text)
                .map(|document| Tree::deserialize(document).map(|tree| tree.0).map_err(|error| error.to_string()))
                .collect();
            own_tag(text).map_or(documents, Err)
        }
        Format::Toml => {
            toml::from_str::<Tree>(text).map(|tree| vec![tree.0]).map_err(|error| error.message().to_owned())
        }
        Format::Hujson => parse(Format::Json, &plain_json(text)),
        Format::Json => {
            let mut reader = serde_json::Deserializer::from_str(text);
            let tree = Tree::deserialize(&mut reader).and_then(|tree| reader.end().map(|()| tree));
            tree.map(|tree| vec![tree.0]).map_err(|error| error.to_string())
        }
    }
}

/// The most brackets inside each other, of which the parser of YAML visits all for each value.
const MAX_BRACKETS: usize = 1_000;

/// Whether a text can have more brackets inside each other than the parser of YAML reads soon. Those in strings count too.
fn is_deep(text: &str) -> bool {
    let mut open = 0_usize;
    text.bytes().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > MAX_BRACKETS
    })
}

/// Returns what is wrong with a tag such as `!!binary`, which the parser of YAML resolves and other parsers read differently.
fn own_tag(text: &str) -> Option<String> {
    if !text.contains("!!") {
        return None;
    }
    let findings = Document::parse_stream(Sources::default().add("", ""), text).err()?;
    findings.into_iter().map(|finding| finding.message).find(|message| message.contains("is a tag"))
}

/// Replaces comments, and commas after the last item, by spaces, so that errors keep their places.
fn plain_json(text: &str) -> String {
    let mut plain: Vec<char> = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    // The comma after which nothing but blanks and comments came so far, if there is an item before it.
    let mut comma = None;
    let mut last = '[';
    while let Some(c) = rest.next() {
        match (c, rest.peek()) {
            ('"', _) => {
                comma = None;
                last = c;
                plain.push(c);
                copy_string(&mut plain, &mut rest);
            }
            ('/', Some('/')) => {
                plain.push(' ');
                while let Some(c) = rest.next_if(|c| *c != '\n') {
                    plain.extend(std::iter::repeat_n(' ', c.len_utf8()));
                }
            }
            ('/', Some('*')) => {
                plain.extend([' ', ' ']);
                rest.next();
                let mut before = ' ';
                for c in rest.by_ref() {
                    plain.push(if c == '\n' { c } else { ' ' });
                    if before == '*' && c == '/' {
                        break;
                    }
                    before = c;
                }
            }
            (',', _) => {
                comma = (!matches!(last, '[' | '{' | ',')).then_some(plain.len());
                last = c;
                plain.push(c);
            }
            (']' | '}', _) => {
                if let Some(at) = comma.take() {
                    plain[at] = ' ';
                }
                last = c;
                plain.push(c);
            }
            _ => {
                if !c.is_whitespace() {
                    (comma, last) = (None, c);
                }
                plain.push(c);
            }
        }
    }
    plain.into_iter().collect()
}

/// Copies the rest of a string with its closing quote.
fn copy_string(plain: &mut Vec<char>, rest: &mut impl Iterator<Item = char>) {
    while let Some(c) = rest.next() {
        plain.push(c);
        match c {
            '\\' => plain.extend(rest.next()),
            '"' => break,
            _ => {}
        }
    }
}

/// A value without duplicate keys; the value types of the parsers would keep the last one.
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

    // The YAML parser calls this for a text without a document.
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

    // The default messages would contain the number.
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
                return Err(A::Error::custom(format_args!("duplicate key `{key}`")));
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
    fn hujson_has_comments_and_last_commas() {
        let text =
            "// a, comment\n{\n  \"a\": [1, /* x, */ 2, ], // http://x\n  \"b\": \"// no, \\\" comment,]\",\n}\n";
        assert_eq!(parse(Format::Hujson, text), Ok(vec![json!({"a": [1, 2], "b": "// no, \" comment,]"})]));
        for bad in ["{,}", "[1,,]", "[1 2]", "{} /", "[1,] ,"] {
            assert!(parse(Format::Hujson, bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn refuses_what_parsers_read_differently() {
        let refusals = [
            (Format::Yaml, "a: 1\nb: 2\na: 3\n", "duplicate key `a`"),
            (Format::Yaml, "x:\n  - a: {b: 1, \"b\": 2}\n", "x[0].a: duplicate key `b` at line 2 column 8"),
            (Format::Yaml, "1: x\n'1': y\n", "duplicate key `1`"),
            (Format::Yaml, "a: !foo b\n", "a: a tag at line 1 column 4"),
            (Format::Yaml, "a: !!binary aGk=\n", "`!!binary` is a tag, which talosmith does not support"),
            (Format::Yaml, "a: .nan\n", "a: a number that is not finite at line 1 column 4"),
            (
                Format::Yaml,
                "a: 99999999999999999999\n",
                "a: a number that does not fit into 64 bits at line 1 column 4",
            ),
            (Format::Yaml, "[a]: b\n", "a key that is not a scalar"),
            (Format::Toml, "a = 1\na = 2\n", "duplicate key"),
            (Format::Json, r#"{"a": 1, "a": 2}"#, "duplicate key `a` at line 1 column 16"),
            (Format::Json, "{} {}", "trailing characters at line 1 column 4"),
        ];
        for (format, text, message) in refusals {
            assert_eq!(parse(format, text), Err(message.to_owned()), "{text}");
        }
    }
}
