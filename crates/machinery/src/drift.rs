//! The differences between what patches set and the machine config of a node.
//!
//! Both configs are reduced to what the patches decide, and then compared as any two are.

use std::collections::BTreeSet;

use crate::config::{Config, Document, PatchedOrBase};
use crate::consequence::{Consequence, MachineConfig};
use crate::placeholder::{has_placeholder, is_reference, placeholders};
use crate::scalar::Scalar;
use crate::talos_data::secrets;
use crate::talos_data::types::{Type, Types};
use crate::value::{Content, Field, Value};

/// What is shown of a secret.
const HIDDEN: &str = "…";

impl MachineConfig<'_> {
    /// Returns what applying this config changes on a node that has another one: values that patches set and that the node does not
    /// have, what patches delete, and documents of the kinds that patches write. What only the base config has does not count, and a
    /// placeholder is equal to any text. Nothing of the node's secrets is in it.
    #[must_use]
    pub fn drift(&self, node: &MachineConfig<'_>) -> Vec<Consequence> {
        let (wanted, found) = (&self.config, &node.config);
        let (mut old, mut new) = (Config::new(Vec::new(), wanted.version), Config::new(Vec::new(), wanted.version));
        for document in wanted.documents.iter().filter(|document| document.origin.is_some()) {
            let deleted = deleted_paths(wanted, document.kind);
            let value = match document.of_base {
                true => patched(&document.value, &deleted).unwrap_or_else(|| empty(&document.value)),
                false => (*document.value).clone(),
            };
            if let Some(twin) = found.documents.iter().find(|other| is_same_document(document, other)) {
                let mut of_node = match document.of_base {
                    true => like(&twin.value, &value, &deleted),
                    false => (*twin.value).clone(),
                };
                Hider { types: wanted.types }.document(document.kind, &mut of_node, Some(&document.value));
                old.documents.push(with_value(twin, of_node));
            }
            new.documents.push(with_value(document, value));
        }
        for document in only_on_node(wanted, found) {
            let mut value = (*document.value).clone();
            Hider { types: wanted.types }.document(document.kind, &mut value, None);
            old.documents.push(with_value(document, value));
        }
        let reduced = |config| MachineConfig { config, role: self.role, base: None, running: self.running };
        reduced(old).consequences(&reduced(new))
    }
}

fn is_same_document(one: &Document<'_>, other: &Document<'_>) -> bool {
    one.kind == other.kind && one.name == other.name
}

/// The documents that this config does not have, of the kinds that its patches write or delete.
fn only_on_node<'n, 'a>(wanted: &Config<'_>, node: &'n Config<'a>) -> Vec<&'n Document<'a>> {
    let written = wanted.documents.iter().filter(|document| document.origin.is_some()).map(|document| document.kind);
    let deleted = wanted.deleted.iter().map(|deleted| deleted.kind.as_str());
    let kinds: BTreeSet<&str> = written.chain(deleted).collect();
    let is_other = |document: &&Document<'_>| !wanted.documents.iter().any(|other| is_same_document(document, other));
    node.documents.iter().filter(|document| kinds.contains(document.kind)).filter(is_other).collect()
}

/// The paths in documents of a kind that patches delete, each as keys.
fn deleted_paths<'c>(config: &'c Config<'_>, kind: &str) -> Vec<Vec<&'c str>> {
    let deleted = config.deleted.iter().filter(|deleted| deleted.kind == kind && !deleted.path.is_empty());
    deleted.map(|deleted| deleted.path.split('.').collect()).collect()
}

/// Returns the paths that start with a key, without it.
fn below<'c>(paths: &[Vec<&'c str>], key: &str) -> Vec<Vec<&'c str>> {
    paths.iter().filter(|path| path.first() == Some(&key)).map(|path| path[1..].to_vec()).collect()
}

/// The parts of a value that patches set or delete from; none if there are no such parts.
fn patched<'a>(value: &Value<'a>, deleted: &[Vec<&str>]) -> Option<Value<'a>> {
    if deleted.iter().any(Vec::is_empty) {
        return Some(value.clone());
    }
    let content = match &value.content {
        Content::Map(fields) if !fields.is_empty() => {
            let fields = fields.iter().filter_map(|field| {
                let value = patched(&field.value, &below(deleted, &field.key))?;
                Some(Field { key: field.key.clone(), key_origin: field.key_origin, value })
            });
            let fields: Vec<Field<'a>> = fields.collect();
            return (!fields.is_empty()).then_some(Value { origin: value.origin, content: Content::Map(fields) });
        }
        Content::List(items) if items.iter().any(|item| patched(item, &[]).is_some()) => value.content.clone(),
        content => {
            value.origin?;
            content.clone()
        }
    };
    Some(Value { origin: value.origin, content })
}

/// The parts of a value of the node that are where another one has parts, or where patches delete something.
fn like<'n>(node: &Value<'n>, other: &Value<'_>, deleted: &[Vec<&str>]) -> Value<'n> {
    let (Content::Map(fields), Content::Map(_)) = (&node.content, &other.content) else { return node.clone() };
    let fields = fields.iter().filter_map(|field| {
        let paths = below(deleted, &field.key);
        let value = match other.field(&field.key) {
            Some(other) => like(&field.value, &other.value, &paths),
            None if paths.iter().any(Vec::is_empty) => field.value.clone(),
            None => {
                let value = like(&field.value, &empty(&field.value), &paths);
                (!paths.is_empty() && !value.is_empty_mapping()).then_some(value)?
            }
        };
        Some(Field { key: field.key.clone(), key_origin: field.key_origin, value })
    });
    Value { origin: node.origin, content: Content::Map(fields.collect()) }
}

const fn empty<'a>(value: &Value<'_>) -> Value<'a> {
    Value { origin: value.origin, content: Content::Map(Vec::new()) }
}

fn with_value<'d>(document: &'d Document<'_>, value: Value<'d>) -> Document<'d> {
    Document {
        kind: document.kind,
        name: document.name,
        value: PatchedOrBase::Patched(value),
        origin: document.origin,
        of_base: document.of_base,
    }
}

/// Removes secrets from a value of the node. Where the wanted value has a placeholder for the text of the node, it gets the placeholder.
struct Hider {
    types: &'static Types,
}

impl Hider {
    fn document(&self, kind: &str, node: &mut Value<'_>, wanted: Option<&Value<'_>>) {
        let Content::Map(fields) = &mut node.content else { return };
        let known = self.types.get(kind);
        for field in fields {
            let wanted = wanted.and_then(|wanted| wanted.get(&field.key));
            match known.and_then(|known| known.find(&field.key)) {
                Some(known) => self.value(&known.ty, known.is_secret, &mut field.value, wanted),
                None => self.value(&Type::Free, false, &mut field.value, wanted),
            }
        }
    }

    fn value(&self, ty: &Type, is_secret: bool, node: &mut Value<'_>, wanted: Option<&Value<'_>>) {
        match (ty, &mut node.content) {
            (Type::Pointer(inner) | Type::Replaced(inner), _) => self.value(inner, is_secret, node, wanted),
            (_, Content::Scalar(scalar)) => hide(scalar, is_secret, wanted.and_then(Value::as_scalar)),
            (Type::Struct(name), Content::Map(_)) if !is_secret => self.document(name, node, wanted),
            (ty, Content::Map(fields)) => {
                for field in fields {
                    let is_secret = is_secret || *ty == Type::Certificate && field.key == "key";
                    let item = if let Type::Map(item) = ty { item } else { &Type::Free };
                    self.value(item, is_secret, &mut field.value, wanted.and_then(|wanted| wanted.get(&field.key)));
                }
            }
            (ty, Content::List(items)) => {
                let item = if let Type::List(item) | Type::Keyed { item, .. } = ty { item } else { &Type::Free };
                for (index, value) in items.iter_mut().enumerate() {
                    self.value(item, is_secret, value, wanted.and_then(|wanted| wanted.list().get(index)));
                }
            }
        }
    }
}

fn hide(node: &mut Scalar<'_>, is_secret: bool, wanted: Option<&Scalar<'_>>) {
    let replacement = match wanted {
        Some(wanted) if wanted.text == node.text => return,
        Some(wanted) if matches(&wanted.text, &node.text) => wanted,
        Some(wanted) if has_placeholder(&wanted.text) => &Scalar::read(HIDDEN, wanted.style),
        _ if is_secret || secrets::find(&node.text).is_some() => &Scalar::read(HIDDEN, node.style),
        _ => return,
    };
    *node = Scalar::read(&replacement.text, replacement.style);
}

/// Whether a text is another one with something in place of its placeholders.
fn matches(pattern: &str, text: &str) -> bool {
    if is_reference(pattern) {
        return true;
    }
    let mut strings = around_placeholders(pattern);
    let Some(end) = strings.pop().filter(|_| !strings.is_empty()) else { return false };
    let Some(mut rest) = text.strip_prefix(strings[0]) else { return false };
    // The first occurrence of each leaves the most for those after it.
    for string in &strings[1..] {
        let Some((_, after)) = rest.split_once(string) else { return false };
        rest = after;
    }
    rest.ends_with(end)
}

/// The strings before, between and after the placeholders of a pattern.
fn around_placeholders(pattern: &str) -> Vec<&str> {
    let mut strings = Vec::new();
    let mut start = 0;
    for placeholder in placeholders(pattern) {
        strings.push(&pattern[start..placeholder.start]);
        start = placeholder.end;
    }
    strings.push(&pattern[start..]);
    strings
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_placeholder_is_equal_to_any_text() {
        for (pattern, text) in
            [("${A}", "x"), ("a=${A}", "a=b c"), ("${A}-${B}.", "x-y."), ("op://a/b", "x"), ("é${A}é", "éé")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("a=${A}", "b=c"), ("${A}-", "x"), ("a", "b"), ("${1}", "x")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }
}
