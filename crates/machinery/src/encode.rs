//! A machine config as YAML nodes, with each value in the form in which Talos writes it: numbers without quotes, texts as texts, and
//! nothing for a value that equals an absent one, unless Talos writes the field anyway.

use std::borrow::Cow;

use talosmith_document::{Entry, Node, NodeValue, Style};

use crate::MachineConfig;
use crate::config::pointee;
use crate::format;
use crate::normal::is_zero;
use crate::scalar::{Resolved, Scalar};
use crate::talos_data::types::{Field as TypeField, Type, Types};
use crate::value::{Content, Field, PatchSpan, Value};

/// Returns what replaces a text, if anything: by the position of its patch, or none for a text of the base config.
pub type FillIn<'f> = dyn Fn(Option<usize>, &str) -> Option<String> + 'f;

impl MachineConfig<'_> {
    /// Returns the documents, the main one first. The texts for which `fill_in` returns another one are replaced.
    #[must_use]
    pub fn nodes(&self, fill_in: &FillIn<'_>) -> Vec<Node> {
        let encoder = Encoder { types: self.config.types, fill_in };
        self.config.documents.iter().map(|document| encoder.structure(document.kind, &document.value)).collect()
    }
}

struct Encoder<'e> {
    types: &'static Types,
    fill_in: &'e FillIn<'e>,
}

impl Encoder<'_> {
    fn structure(&self, name: &str, value: &Value<'_>) -> Node {
        let Some(known) = self.types.get(name) else { return self.value("any", &Type::Free, value) };
        let fields = value.all_fields().iter().filter_map(|field| match known.find(&field.key) {
            Some(known) => self.field(known, field),
            None => Some(self.entry(field, self.value("text", &Type::Text, &field.value))),
        });
        let mut entries: Vec<Entry> = fields.collect();
        let is_absent = |known: &&TypeField| !entries.iter().any(|entry| *entry.key == *known.key);
        let empty = known
            .written()
            .filter(is_absent)
            .filter_map(|known| Some(Entry { key: known.key.into(), key_span: 0..0, value: self.empty(known)? }));
        let empty: Vec<Entry> = empty.collect();
        entries.extend(empty);
        node(NodeValue::Mapping(entries))
    }

    /// What Talos writes for an absent value; none where that is unknown, and for pointers, which are given wherever they are written.
    fn empty(&self, known: &TypeField) -> Option<Node> {
        let kind = known.kind;
        Some(match &known.ty {
            Type::Pointer(_) => return None,
            Type::Struct(name) => self.structure(name, &Value { origin: None, content: Content::Map(Vec::new()) }),
            _ if kind.starts_with('[') => node(NodeValue::Sequence(Vec::new())),
            _ if kind.starts_with('{') => node(NodeValue::Mapping(Vec::new())),
            _ if is_number(kind) => node(NodeValue::Scalar("0".into(), Style::Plain)),
            Type::Bool => node(NodeValue::Scalar("false".into(), Style::Plain)),
            Type::Word(zero) => node(NodeValue::Scalar((*zero).into(), Style::Quoted)),
            _ if matches!(kind, "text" | "url" | "address" | "prefix" | "base64" | "key") => {
                node(NodeValue::Scalar("".into(), Style::Quoted))
            }
            _ => return None,
        })
    }

    /// A field; none if Talos leaves it out.
    fn field(&self, known: &TypeField, field: &Field<'_>) -> Option<Entry> {
        let is_pointer = matches!(known.ty, Type::Pointer(_));
        // What the base config has it has as Talos wrote it, unless a patch deleted what it had in it.
        let is_emptied = match &field.value.content {
            Content::List(items) => items.is_empty(),
            Content::Map(fields) => fields.is_empty() && matches!(known.ty, Type::Map(_)),
            Content::Scalar(_) => false,
        };
        let is_kept = is_pointer || known.is_written;
        let counts = is_emptied || field.value.origin.is_some();
        let is_absent = counts && !is_kept && is_zero(self.types, &known.ty, &field.value);
        if field.value.is_null() || is_absent {
            return None;
        }
        Some(self.entry(field, self.value(known.kind, pointee(&known.ty), &field.value)))
    }

    fn value(&self, kind: &str, ty: &Type, value: &Value<'_>) -> Node {
        match (&value.content, pointee(ty)) {
            (Content::Scalar(scalar), _) => self.scalar(kind, value, scalar),
            (Content::Map(_), Type::Struct(name)) => self.structure(name, value),
            (Content::Map(_), Type::Replaced(inner)) => self.value(kind, inner, value),
            (Content::List(_), Type::Replaced(inner)) => self.value(kind, inner, value),
            (Content::Map(fields), ty) => {
                let inner = kind.strip_prefix("{}").or_else(|| kind.strip_prefix("{*}")).unwrap_or(kind);
                let item = if let Type::Map(item) = ty { item } else { &Type::Free };
                let fields = fields.iter().map(|field| self.entry(field, self.value(inner, item, &field.value)));
                node(NodeValue::Mapping(fields.collect()))
            }
            (Content::List(items), ty) => {
                let inner = kind.strip_prefix("[]").or_else(|| kind.strip_prefix("[*]")).unwrap_or(kind);
                let item = match ty {
                    Type::List(item) | Type::Keyed { item, .. } => item,
                    _ => &Type::Free,
                };
                node(NodeValue::Sequence(items.iter().map(|each| self.value(inner, item, each)).collect()))
            }
        }
    }

    fn entry(&self, field: &Field<'_>, value: Node) -> Entry {
        let key = self.filled(field.key_origin, &field.key);
        Entry { key: key.unwrap_or_else(|| field.key.to_string()).into(), key_span: 0..0, value }
    }

    fn filled(&self, origin: Option<PatchSpan>, text: &str) -> Option<String> {
        (self.fill_in)(origin.map(|origin| usize::from(origin.patch)), text)
    }

    fn scalar(&self, kind: &str, value: &Value<'_>, scalar: &Scalar<'_>) -> Node {
        if let Some(text) = self.filled(value.origin, &scalar.text) {
            return node(NodeValue::Scalar(text.into(), Style::Quoted));
        }
        let (text, style) = written(kind, value, scalar);
        node(NodeValue::Scalar(text.into(), style))
    }
}

/// How Talos writes a scalar of a kind.
fn written<'s>(kind: &str, value: &Value<'_>, scalar: &'s Scalar<'_>) -> (Cow<'s, str>, Style) {
    let text = Cow::Borrowed(&*scalar.text);
    match kind {
        "any" if scalar.resolved == Resolved::String => (text, Style::Quoted),
        "any" => (scalar.resolved.written().map_or(text, Cow::Owned), Style::Plain),
        "bool" => match value.flag_here() {
            Some(flag) => (Cow::Borrowed(if flag { "true" } else { "false" }), Style::Plain),
            None => (text, scalar.style),
        },
        // They can be numbers or texts.
        "bytes" | "disk-size" | "ports" | "size" if scalar.resolved != Resolved::String => (text, Style::Plain),
        "hardware-address" => (format::hardware_address(&text).map_or(text, Cow::Owned), Style::Quoted),
        "duration" => (duration(&scalar.text).map_or(text, Cow::Owned), Style::Quoted),
        _ if is_number(kind) => match value.decoded_integer() {
            // Permissions stay octal.
            Some(_) if scalar.text.starts_with("0o") => (text, Style::Plain),
            Some(number) => (Cow::Owned(number.to_string()), Style::Plain),
            None => (text, Style::Quoted),
        },
        _ => match kind.strip_prefix("word:") {
            Some(words) => {
                let word = words.split('|').find(|word| word.eq_ignore_ascii_case(&text));
                (word.map_or(text, |word| Cow::Owned(word.to_owned())), Style::Quoted)
            }
            None => (text, Style::Quoted),
        },
    }
}

fn is_number(kind: &str) -> bool {
    kind.starts_with("int") || kind.starts_with("uint")
}

/// A duration as Go writes it, `1h30m0s` or `1.5s`; none if it is shorter than a second and not zero.
fn duration(text: &str) -> Option<String> {
    let total = format::duration(text).filter(|total| *total == 0.0 || *total >= 1.0)?;
    let (hours, rest) = ((total / 3600.0).floor(), total % 3600.0);
    let (minutes, seconds) = ((rest / 60.0).floor(), rest % 60.0);
    Some(match (hours > 0.0, minutes > 0.0) {
        (true, _) => format!("{hours}h{minutes}m{seconds}s"),
        (false, true) => format!("{minutes}m{seconds}s"),
        (false, false) => format!("{seconds}s"),
    })
}

const fn node(value: NodeValue) -> Node {
    Node { span: 0..0, value }
}
