//! A machine config as single values, each at its path, so that two configs can be compared value by value.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::config::{Config, Document, pointee};
use crate::normal::{is_zero, key_of};
use crate::talos_data::types::{Field as TypeField, MAIN, Type, Types};
use crate::value::{Content, Value};

/// A value of a machine config that can change on its own: a scalar, or a list whose items have no names. A document and an item with a
/// name are settings too: they exist or not.
#[derive(Debug, Clone)]
pub(crate) struct Setting<'v> {
    pub document: &'v Document<'v>,
    /// The keys that lead to it in the document; what names an item of a list is a key. Empty for the document itself.
    pub path: Vec<Cow<'v, str>>,
    pub value: &'v Value<'v>,
    /// How the value is decoded, as in the table of types; empty for a document or an item of a list, which have values of their own.
    pub kind: &'static str,
    pub is_secret: bool,
}

impl<'v> Setting<'v> {
    pub(crate) fn path(&self) -> String {
        self.path.join(".")
    }

    /// The keys that lead to the item of a list which it is in, if the item has a name and other values.
    pub(crate) fn item(&self) -> Option<&[Cow<'v, str>]> {
        let end = (0..self.path.len()).find(|end| key_of(&self.path[..*end], self.document.kind).is_some())? + 1;
        (end < self.path.len()).then(|| &self.path[..end])
    }

    /// Whether a patch wrote it or something in it, and not the base config.
    pub(crate) fn is_patched(&self) -> bool {
        is_patched(self.value)
    }
}

fn is_patched(value: &Value<'_>) -> bool {
    value.origin.is_some()
        || value.list().iter().any(is_patched)
        || value.all_fields().iter().any(|field| is_patched(&field.value))
}

/// Returns the values of a machine config, by document in their order. Each document but the main one starts with itself.
pub(crate) fn settings<'v>(config: &'v Config<'v>) -> Vec<Setting<'v>> {
    let mut found = Vec::with_capacity(96);
    for document in &config.documents {
        let is_named = config.is_named(document.kind);
        let mut walk = Walk { types: config.types, document, is_named, path: Vec::new(), is_secret: false, found };
        if document.kind != MAIN {
            walk.add(&document.value, "");
        }
        walk.fields(document.kind, &document.value);
        found = walk.found;
    }
    found
}

struct Walk<'v> {
    types: &'static Types,
    document: &'v Document<'v>,
    is_named: bool,
    path: Vec<Cow<'v, str>>,
    is_secret: bool,
    found: Vec<Setting<'v>>,
}

impl<'v> Walk<'v> {
    fn add(&mut self, value: &'v Value<'v>, kind: &'static str) {
        let (document, path) = (self.document, self.path.clone());
        self.found.push(Setting { document, path, value, kind, is_secret: self.is_secret });
    }

    fn below(&mut self, key: impl Into<Cow<'v, str>>, visit: impl FnOnce(&mut Self)) {
        self.path.push(key.into());
        visit(self);
        self.path.pop();
    }

    fn fields(&mut self, structure: &str, value: &'v Value<'v>) {
        let types = self.types;
        let Some(known) = types.get(structure) else { return };
        for field in value.all_fields() {
            let is_identity = self.path.is_empty()
                && (matches!(&*field.key, "apiVersion" | "kind") || self.is_named && field.key == "name");
            let Some(found) = known.find(&field.key).filter(|_| !is_identity) else { continue };
            let outer = std::mem::replace(&mut self.is_secret, found.is_secret);
            self.below(&*field.key, |walk| walk.field(found, &field.value));
            self.is_secret = outer;
        }
    }

    fn field(&mut self, field: &'static TypeField, value: &'v Value<'v>) {
        let is_pointer = matches!(field.ty, Type::Pointer(_));
        if value.is_null() || !is_pointer && is_zero(self.types, &field.ty, value) {
            return;
        }
        let count = self.found.len();
        self.value(field.kind, &field.ty, value);
        // A pointer to nothing differs from none.
        if is_pointer && self.found.len() == count {
            self.add(value, field.kind);
        }
    }

    fn value(&mut self, kind: &'static str, ty: &'static Type, value: &'v Value<'v>) {
        if value.is_null() {
            return;
        }
        let is_map = matches!(value.content, Content::Map(_));
        match pointee(ty) {
            Type::Struct(name) => self.fields(name, value),
            Type::Replaced(inner) if is_map => self.value(kind, inner, value),
            Type::Map(_) | Type::Args | Type::Free | Type::Certificate if is_map => {
                let inner = kind.strip_prefix("{}").or_else(|| kind.strip_prefix("{*}")).unwrap_or(kind);
                let item = match ty {
                    Type::Map(item) => item,
                    _ => &Type::Free,
                };
                let is_certificate = *pointee(ty) == Type::Certificate;
                let outer = self.is_secret;
                for field in value.all_fields() {
                    self.is_secret = outer || is_certificate && field.key == "key";
                    self.below(&*field.key, |walk| walk.value(inner, item, &field.value));
                }
                self.is_secret = outer;
            }
            Type::List(item) | Type::Keyed { item, .. } if key_of(&self.path, self.document.kind).is_some() => {
                self.items(kind, item, value);
            }
            _ => self.add(value, kind),
        }
    }

    /// The items of a list, each below what names it.
    fn items(&mut self, kind: &'static str, item: &'static Type, value: &'v Value<'v>) {
        let Some(key) = key_of(&self.path, self.document.kind) else { return };
        let inner = kind.strip_prefix("[]").or_else(|| kind.strip_prefix("[*]")).unwrap_or(kind);
        let mut counts: HashMap<&'v str, usize> = HashMap::new();
        for each in value.list() {
            let text = match key {
                "." => each.scalar(),
                "=" => each.scalar().split_once('=').map_or(each.scalar(), |(name, _)| name),
                key => each.text(key),
            };
            let count = counts.entry(text).or_default();
            *count += 1;
            let name = if *count == 1 { Cow::Borrowed(text) } else { Cow::Owned(format!("{text}#{count}")) };
            self.below(name, |walk| {
                if key != "=" {
                    walk.add(each, "");
                }
                if key == "." {
                    return;
                }
                let (count, depth) = (walk.found.len(), walk.path.len());
                walk.value(inner, item, each);
                let settings = walk.found.split_off(count);
                let is_name = |setting: &Setting<'v>| setting.path[depth..].iter().eq([key]);
                walk.found.extend(settings.into_iter().filter(|setting| !is_name(setting)));
            });
        }
    }
}
