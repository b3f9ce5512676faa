//! How Talos merges a document of a patch into a document of the config.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config/merge and the `Merge` methods of the types.

use super::config::{Cleared, pointee};
use super::scalar::{Resolved, Scalar};
use super::value::{Content, Field, PatchSpan, Value};
use crate::placeholder::is_unknown;
use crate::talos_data::types::{Type, Types};
use crate::url::Url;
use std::borrow::Cow;

use talosmith_document::Style;

/// What happened to a value while merging, which may be worth a finding.
#[derive(Debug)]
pub(crate) struct Event {
    pub outcome: Outcome,
    /// Keys joined by dots.
    pub path: String,
    /// The value before; none for what the base config has.
    pub old: Option<PatchSpan>,
    pub new: Option<PatchSpan>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Replaced,
    /// An item was appended to a list of another patch that has an equal one; the spans are those of the two.
    Appended,
    /// A document with addresses of its own was merged, on which the machinery fails before 1.14.
    Sealed,
    /// A value was set again, where the machinery fails even on an equal one.
    Unmergeable,
    /// In a free-form mapping, a value has another type than the one before it, which Talos refuses.
    OtherType,
}

/// Merges a document of a patch into the one of its kind and name.
pub(crate) struct Merger<'t, 'a> {
    types: &'static Types,
    /// Its kind and its name.
    document: (&'t str, &'t str),
    /// The keys that lead to the value that is merged.
    path: Vec<Cow<'a, str>>,
    pub events: Vec<Event>,
    pub cleared: Vec<Cleared>,
}

impl<'t, 'a> Merger<'t, 'a> {
    pub(crate) fn new(types: &'static Types, kind: &'t str, name: &'t str) -> Self {
        Self { types, document: (kind, name), path: Vec::new(), events: Vec::new(), cleared: Vec::new() }
    }

    pub(crate) fn document(&mut self, left: &mut Value<'a>, right: Value<'a>) {
        let by = right.origin;
        self.fields(left, right, self.document.0, by);
    }

    fn merge(&mut self, left: &mut Value<'a>, right: Value<'a>, ty: &Type, by: Option<PatchSpan>, pointed: bool) {
        match ty {
            Type::Pointer(_) | Type::Free if left.is_null() => *left = right,
            Type::Pointer(_) if right.is_null() => {}
            Type::Pointer(inner) => self.merge(left, right, inner, by, true),
            Type::Struct(name) => self.fields(left, right, name, by),
            Type::Certificate if matches!(left.content, Content::Map(_)) => self.map(left, right, &Type::Text),
            Type::Map(item) => self.map(left, right, item),
            Type::List(_) => self.append(left, right),
            Type::Keyed { keys, replaced, item } => self.keyed(left, right, keys, *replaced, pointee(item), by),
            // Each argument replaces the one before, as an expression does.
            Type::Args => self.map(left, right, &Type::Cel),
            Type::Replaced(_) if right.is_null() => {}
            Type::Free => self.free(left, right),
            Type::Cel | Type::ByteSize | Type::Bool | Type::Replaced(_) => self.replace(left, right),
            Type::Size if keeps_bytes(left, &right) => {}
            // Talos keeps its path and sets the host of the other.
            Type::Url if !names_host(left) && self.is_refused_as_path(left) => {}
            Type::Url if !names_host(&right) && !self.is_refused_as_path(&right) => {
                left.content = merged_url(left, &right).unwrap_or_else(|| left.content.clone());
            }
            Type::Url if !left.scalar().is_empty() => {
                let merged = merged_url(left, &right);
                self.replace(left, right);
                left.content = merged.unwrap_or_else(|| left.content.clone());
            }
            Type::Sealed if pointed => {
                self.event(Outcome::Unmergeable, left.origin, right.origin.or(by));
            }
            _ if !pointed && is_zero(&right, ty) => {}
            _ => self.replace(left, right),
        }
    }

    /// Whether a URL without a host, of which Talos keeps the path alone, leads to a document that it refuses for that path.
    fn is_refused_as_path(&self, url: &Value<'_>) -> bool {
        self.document.0 == "KmsgLogConfig" && !url.scalar().starts_with(['?', '#']) && !url.scalar().is_empty()
    }

    fn fields(&mut self, left: &mut Value<'a>, right: Value<'a>, name: &str, by: Option<PatchSpan>) {
        let types = self.types;
        let Some(known) = types.get(name) else { return self.free(left, right) };
        let Content::Map(right) = right.content else { return };
        let Some(fields) = mapping(left) else { return };
        if known.clears {
            let given: Vec<String> =
                right.iter().filter(|field| !field.value.is_null()).map(|field| field.key.to_string()).collect();
            self.clear(fields, name, &given, by);
        }
        if known.is_sealed {
            self.event(Outcome::Sealed, None, by);
        }
        for field in right {
            let ty = known.field(&field.key).unwrap_or(&Type::Free);
            self.field(fields, field, ty);
        }
    }

    fn field(&mut self, fields: &mut Vec<Field<'a>>, field: Field<'a>, ty: &Type) {
        let by = field.value.origin;
        match fields.iter_mut().find(|other| other.key == field.key) {
            Some(left) if !left.value.is_null() => {
                self.path.push(field.key.clone());
                self.merge(&mut left.value, field.value, ty, by, false);
                self.path.pop();
                left.key_origin = field.key_origin.or(left.key_origin);
            }
            Some(left) => *left = field,
            None => fields.push(field),
        }
    }

    /// Removes what absence overwrites: expressions, sizes and booleans that no pointer leads to.
    fn clear(&mut self, left: &mut Vec<Field<'a>>, name: &str, given: &[String], by: Option<PatchSpan>) {
        let types = self.types;
        let Some(known) = types.get(name) else { return };
        for (key, ty) in known.fields().filter(|(key, _)| !given.iter().any(|given| given == key)) {
            let Some(at) = left.iter().position(|field| field.key == key && !field.value.is_null()) else { continue };
            match ty {
                Type::Cel | Type::ByteSize | Type::Bool => {
                    let gone = left.remove(at);
                    if let Some(by) = by.filter(|_| !matches!(ty, Type::Bool)) {
                        let path = self.path_to(key);
                        let document = (self.document.0.to_owned(), self.document.1.to_owned());
                        self.cleared.push(Cleared { document, path, origin: gone.value.origin, by });
                    }
                }
                Type::Struct(name) if types.get(name).is_some_and(|fields| fields.clears) => {
                    if let Content::Map(fields) = &mut left[at].value.content {
                        self.path.push(Cow::Borrowed(key));
                        self.clear(fields, name, &[], by);
                        self.path.pop();
                    }
                }
                _ => {}
            }
        }
    }

    fn map(&mut self, left: &mut Value<'a>, right: Value<'a>, item: &Type) {
        let Content::Map(right) = right.content else { return };
        let Some(fields) = mapping(left) else { return };
        for field in right {
            self.field(fields, field, item);
        }
    }

    fn append(&mut self, left: &mut Value<'a>, right: Value<'a>) {
        if left.is_null() {
            *left = right;
            return;
        }
        left.origin = right.origin.or(left.origin);
        let (Content::List(items), Content::List(more)) = (&mut left.content, right.content) else { return };
        let same = |one: &Value<'_>, other: &Value<'_>| {
            let is_named = |key| one.get(key).zip(other.get(key)).is_some_and(|(one, other)| one.equals(other));
            one.equals(other) || ["name", "path"].into_iter().any(is_named)
        };
        let written = |items: &[Value<'_>]| items.first().is_some_and(|item| item.origin.is_some());
        if written(&more) {
            let pair = more.iter().find_map(|new| {
                items.iter().find(|old| old.origin.is_some() && same(old, new)).map(|old| (old.origin, new.origin))
            });
            // That a file is written twice is reported for all files of the merged config.
            if let Some((old, new)) = pair.filter(|_| self.path.join(".") != "machine.files") {
                self.event(Outcome::Appended, old, new);
            }
        }
        items.extend(more);
    }

    fn keyed(
        &mut self,
        left: &mut Value<'a>,
        right: Value<'a>,
        keys: &str,
        replaced: bool,
        item: &Type,
        by: Option<PatchSpan>,
    ) {
        let Content::List(more) = right.content else { return };
        if left.is_null() {
            left.content = Content::List(Vec::new());
        }
        let Content::List(items) = &mut left.content else { return };
        for other in more {
            let same = |item: &&mut Value<'a>| {
                let key = keys.split('+').find(|key| other.get(key).is_some_and(Value::is_filled));
                match key {
                    Some(key) => {
                        item.get(key).is_some_and(|value| other.get(key).is_some_and(|other| value.equals(other)))
                    }
                    None => keys.split_once('+').is_none() && !item.get(keys).is_some_and(Value::is_filled),
                }
            };
            match items.iter_mut().find(same) {
                Some(item) if replaced => *item = other,
                Some(left) => self.merge(left, other, item, by, false),
                None => items.push(other),
            }
        }
    }

    /// Merges free-form values: only values of one type merge.
    fn free(&mut self, left: &mut Value<'a>, right: Value<'a>) {
        if left.is_null() {
            *left = right;
        } else if [&*left, &right].iter().any(|value| is_unknown(value.scalar())) {
            self.replace(left, right);
        } else if !left.has_type_of(&right) {
            self.event(Outcome::OtherType, left.origin, right.origin);
        } else {
            match &right.content {
                Content::Map(_) => self.map(left, right, &Type::Free),
                Content::List(_) => self.append(left, right),
                Content::Scalar(scalar) => match scalar.resolved {
                    Resolved::String if scalar.text.is_empty() => {}
                    Resolved::Integer(0) => {}
                    // -0 too: `IsZero` of Go's `reflect`, since 1.22.
                    Resolved::Float(0.0) => {}
                    _ => self.replace(left, right),
                },
            }
        }
    }

    fn replace(&mut self, left: &mut Value<'a>, right: Value<'a>) {
        if left.origin.is_some() && right.origin.is_some() && !left.equals(&right) {
            self.event(Outcome::Replaced, left.origin, right.origin);
        }
        *left = right;
    }

    fn event(&mut self, outcome: Outcome, old: Option<PatchSpan>, new: Option<PatchSpan>) {
        self.events.push(Event { outcome, path: self.path.join("."), old, new });
    }

    fn path_to(&self, key: &str) -> String {
        self.path.iter().map(|key| &**key).chain([key]).collect::<Vec<_>>().join(".")
    }
}

/// The fields of a mapping, which an absent one becomes.
fn mapping<'v, 'a>(value: &'v mut Value<'a>) -> Option<&'v mut Vec<Field<'a>>> {
    if value.is_null() {
        value.content = Content::Map(Vec::new());
    }
    match &mut value.content {
        Content::Map(fields) => Some(fields),
        _ => None,
    }
}

/// Whether a size in percent is merged into one in bytes: Talos keeps both, and writes the bytes.
fn keeps_bytes(left: &Value<'_>, right: &Value<'_>) -> bool {
    right.scalar().contains('%') && !left.scalar().contains('%') && !left.scalar().is_empty()
}

/// Whether a URL replaces another one: Talos merges the parts of URLs one by one, so that one without a host does not.
fn names_host(value: &Value<'_>) -> bool {
    let text = value.scalar();
    is_unknown(text)
        || text
            .split_once(':')
            .is_some_and(|(scheme, rest)| !scheme.contains('/') && !rest.trim_start_matches('/').is_empty())
}

/// The URL of the parts of two; none if a part of one is unknown.
fn merged_url(left: &Value<'_>, right: &Value<'_>) -> Option<Content<'static>> {
    let (old, new) = (left.scalar(), right.scalar());
    let is_known = !is_unknown(old) && !is_unknown(new);
    is_known.then(|| Content::Scalar(Scalar::read(&Url::parse(old).merge(Url::parse(new)).to_string(), Style::Quoted)))
}

/// Whether a value is the one that its type has when nothing is written.
fn is_zero(value: &Value<'_>, ty: &Type) -> bool {
    let text = value.scalar();
    match ty {
        Type::Word(zero) => text.is_empty() || text.eq_ignore_ascii_case(zero),
        Type::Number => value.integer().is_none_or(|number| number == 0) && !is_unknown(text),
        Type::Duration => {
            text.is_empty() || text.trim_end_matches(|unit: char| unit.is_ascii_alphabetic()).parse() == Ok(0.0)
        }
        _ => text.is_empty() && value.as_scalar().is_some(),
    }
}
