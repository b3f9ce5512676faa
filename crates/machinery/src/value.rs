//! Merged values, which remember the patch and the bytes that they come from.

use talosmith_document::{Entry, Node, NodeValue, Style};
use talosmith_document::{Location, Pointer};

use super::Origin;

/// Where a value was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The index of the patch.
    pub patch: u16,
    /// What tells the node, or the entry of a mapping, from all others while the patch is borrowed.
    address: usize,
}

impl Mark {
    /// A value of a patch.
    pub fn value(patch: u16, node: &Node) -> Self {
        Self { patch, address: std::ptr::from_ref(node).addr() }
    }

    /// A key of a patch.
    pub fn key(patch: u16, entry: &Entry) -> Self {
        Self { patch, address: std::ptr::from_ref(entry).addr() }
    }

    /// The place of what it marks among the documents of its patch; none if it is not there.
    pub fn location(self, documents: &[Node], origin: &Origin) -> Option<Location> {
        documents.iter().find_map(|node| self.below(node, &Pointer::root(), origin))
    }

    fn below(self, node: &Node, at: &Pointer, origin: &Origin) -> Option<Location> {
        if self == Self::value(self.patch, node) {
            return Some(origin.value(at, node));
        }
        node.items().iter().enumerate().find_map(|(index, item)| self.below(item, &at.item(index), origin)).or_else(
            || {
                node.entries().iter().find_map(|entry| {
                    let at = at.child(&entry.key);
                    if self == Self::key(self.patch, entry) {
                        return Some(origin.key(&at, entry));
                    }
                    self.below(&entry.value, &at, origin)
                })
            },
        )
    }
}

/// A value; what the base brought has no origin.
#[derive(Debug, Clone)]
pub struct Value<'a> {
    /// Who wrote it last.
    pub origin: Option<Mark>,
    /// What it is.
    pub content: Content<'a>,
}

/// The three kinds of values.
#[derive(Debug, Clone)]
pub enum Content<'a> {
    /// A text and how it is written.
    Scalar(&'a str, Style),
    /// A list.
    List(Vec<Value<'a>>),
    /// Keys and values.
    Map(Vec<Field<'a>>),
}

/// A key and its value.
#[derive(Debug, Clone)]
pub struct Field<'a> {
    /// The key.
    pub key: &'a str,
    /// Who wrote the key last.
    pub origin: Option<Mark>,
    /// The value.
    pub value: Value<'a>,
}

/// The type that YAML gives a scalar which stands where anything may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Null,
    /// Text, or a point in time.
    Text,
    /// `true` or `false`.
    Bool,
    /// A whole number.
    Integer,
    /// Another number.
    Float,
    /// A list.
    List,
    /// A mapping.
    Map,
}

impl<'a> Value<'a> {
    /// Reads what a patch, or the base, wrote.
    pub fn read(node: &'a Node, patch: Option<u16>) -> Self {
        let content = match &node.value {
            NodeValue::Scalar(text, style) => Content::Scalar(text, *style),
            NodeValue::Sequence(items) => {
                Content::List(items.iter().filter(|item| is_item(item)).map(|item| Self::read(item, patch)).collect())
            }
            NodeValue::Mapping(entries) => Content::Map(
                entries
                    .iter()
                    .map(|entry| Field {
                        key: &entry.key,
                        origin: patch.map(|patch| Mark::key(patch, entry)),
                        value: Self::read(&entry.value, patch),
                    })
                    .collect(),
            ),
        };
        Self { origin: patch.map(|patch| Mark::value(patch, node)), content }
    }

    /// Whether nothing is written here, or a null.
    pub fn is_null(&self) -> bool {
        matches!(self.content, Content::Scalar("" | "~" | "null" | "Null" | "NULL", Style::Plain))
    }

    /// The value of a key, unless it is null.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.all_fields()
            .iter()
            .find(|field| field.key == key)
            .map(|field| &field.value)
            .filter(|value| !value.is_null())
    }

    /// The value at keys that are joined by dots, unless it is null.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').try_fold(self, |value, key| value.get(key))
    }

    /// Whether there is a value at a path.
    pub fn has(&self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// The text of this scalar; empty for anything else.
    pub fn scalar(&self) -> &'a str {
        match self.content {
            Content::Scalar(text, _) if !self.is_null() => text,
            _ => "",
        }
    }

    /// The scalar at a path; empty if there is none.
    pub fn text(&self, path: &str) -> &'a str {
        self.at(path).map_or("", Self::scalar)
    }

    /// The word at a path in lower case, since Talos reads its words in any.
    pub fn word(&self, path: &str) -> String {
        self.text(path).to_ascii_lowercase()
    }

    /// The boolean at a path.
    pub fn flag(&self, path: &str) -> Option<bool> {
        self.at(path).map(|value| {
            matches!(value.scalar(), "true" | "True" | "TRUE" | "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON")
        })
    }

    /// Whether the boolean at a path is there and true.
    pub fn is_true(&self, path: &str) -> bool {
        self.flag(path) == Some(true)
    }

    /// The whole number at a path; none for anything else.
    pub fn number(&self, path: &str) -> Option<i128> {
        let text = self.at(path)?.scalar();
        integer(text).or_else(|| whole(text))
    }

    /// The items of the list at a path.
    pub fn items(&self, path: &str) -> &[Self] {
        match self.at(path).map(|value| &value.content) {
            Some(Content::List(items)) => items,
            _ => &[],
        }
    }

    /// The keys and values of the mapping at a path.
    pub fn fields(&self, path: &str) -> &[Field<'a>] {
        self.at(path).map_or(&[], Self::all_fields)
    }

    /// The keys and values of this mapping; empty for anything else.
    pub fn all_fields(&self) -> &[Field<'a>] {
        match &self.content {
            Content::Map(fields) => fields,
            _ => &[],
        }
    }

    /// Whether something other than empty lists, mappings and nulls is in it.
    pub fn is_filled(&self) -> bool {
        match &self.content {
            Content::Scalar(text, style) => !self.is_null() && (!text.is_empty() || *style == Style::Plain),
            Content::List(items) => !items.is_empty(),
            Content::Map(fields) => fields.iter().any(|field| field.value.is_filled()),
        }
    }

    /// The type that YAML gives it where anything may stand.
    pub fn kind(&self) -> Kind {
        match self.content {
            _ if self.is_null() => Kind::Null,
            Content::List(_) => Kind::List,
            Content::Map(_) => Kind::Map,
            Content::Scalar(text, Style::Plain) => match text {
                "true" | "True" | "TRUE" | "false" | "False" | "FALSE" => Kind::Bool,
                _ if integer(text).is_some() => Kind::Integer,
                _ if is_float(text) => Kind::Float,
                _ => Kind::Text,
            },
            Content::Scalar(..) => Kind::Text,
        }
    }
}

/// Whether an item counts: the machinery drops nulls from lists.
pub fn is_item(node: &Node) -> bool {
    !node.is_null() && !node.is_empty_scalar()
}

/// A whole number as YAML 1.1 with Go's additions writes it.
pub fn integer(text: &str) -> Option<i128> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let digits = digits.replace('_', "");
    let based = |prefix: &str, radix| digits.strip_prefix(prefix).map(|digits| i128::from_str_radix(digits, radix));
    let number = based("0x", 16)
        .or_else(|| based("0b", 2))
        .or_else(|| based("0o", 8))
        .or_else(|| (digits.len() > 1).then(|| based("0", 8)).flatten())
        .unwrap_or_else(|| digits.parse());
    number.ok().map(|number| sign * number)
}

/// A whole number that is written as a float, such as `1e3`.
fn whole(text: &str) -> Option<i128> {
    let number = text.parse::<f64>().ok().filter(|number| number.fract() == 0.0 && number.abs() < 1e15)?;
    format!("{number:.0}").parse().ok()
}

fn is_float(text: &str) -> bool {
    let digits = text.trim_start_matches(['-', '+']);
    let starts = digits.trim_start_matches('.').starts_with(|first: char| first.is_ascii_digit());
    matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") || (starts && text.parse::<f64>().is_ok())
}
