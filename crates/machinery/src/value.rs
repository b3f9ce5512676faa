//! Values of patches and of the merged config, which know the patch and the bytes that they come from.

use std::borrow::Cow;
use std::ops::Range;

use talosmith_document::{Entry, Node, NodeValue, Pointer, Style};

use crate::scalar::{Resolved, Scalar};

/// Bytes of a patch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PatchSpan {
    /// The position of the patch in the order in which patches are applied; 0 in a patch on its own.
    pub patch: u16,
    start: u32,
    end: u32,
}

impl PatchSpan {
    fn new(span: &Range<u32>) -> Self {
        Self { patch: 0, start: span.start, end: span.end }
    }

    pub(crate) fn bytes(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The same bytes of the patch at a position.
    pub(crate) fn of_patch(self, patch: u16) -> Self {
        Self { patch, ..self }
    }
}

/// A value. Its text is borrowed from the patch while patches are merged.
#[derive(Debug, Clone)]
pub(crate) struct Value<'a> {
    /// Where it was written last; none for what the base config has. A mapping or a list without brackets, which spans whole lines, has the
    /// bytes of its key.
    pub origin: Option<PatchSpan>,
    pub content: Content<'a>,
}

#[derive(Debug, Clone)]
pub(crate) enum Content<'a> {
    Scalar(Scalar<'a>),
    List(Vec<Value<'a>>),
    Map(Vec<Field<'a>>),
}

#[derive(Debug, Clone)]
pub(crate) struct Field<'a> {
    pub key: Cow<'a, str>,
    /// Where the key was written last; none for what the base config has.
    pub key_origin: Option<PatchSpan>,
    pub value: Value<'a>,
}

impl Value<'static> {
    /// Reads a document of a patch.
    pub(crate) fn read(node: &Node) -> Self {
        Self::new(node, true)
    }

    /// Reads a document of the base config.
    pub(crate) fn read_base(node: &Node) -> Self {
        Self::new(node, false)
    }

    fn new(node: &Node, of_patch: bool) -> Self {
        Self { origin: of_patch.then(|| PatchSpan::new(&node.span)), content: content(node, of_patch) }
    }
}

fn content(node: &Node, of_patch: bool) -> Content<'static> {
    match &node.value {
        NodeValue::Scalar(text, style) => Content::Scalar(Scalar::read(text, *style)),
        NodeValue::Sequence(items) => Content::List(items.iter().map(|item| Value::new(item, of_patch)).collect()),
        NodeValue::Mapping(entries) => Content::Map(entries.iter().map(|entry| field(entry, of_patch)).collect()),
    }
}

fn field(entry: &Entry, of_patch: bool) -> Field<'static> {
    let first = match &entry.value.value {
        NodeValue::Scalar(..) => None,
        NodeValue::Sequence(items) => items.first().map(|item| item.span.start),
        NodeValue::Mapping(entries) => entries.first().map(|entry| entry.key_span.start),
    };
    // Brackets come before the first child.
    let span = if first == Some(entry.value.span.start) { &entry.key_span } else { &entry.value.span };
    Field {
        key: Cow::Owned(entry.key.to_string()),
        key_origin: of_patch.then(|| PatchSpan::new(&entry.key_span)),
        value: Value { origin: of_patch.then(|| PatchSpan::new(span)), content: content(&entry.value, of_patch) },
    }
}

impl Field<'_> {
    /// The bytes of the key in its patch, which is on its own.
    pub(crate) fn key_span(&self) -> Range<usize> {
        self.key_origin.map_or(0..0, PatchSpan::bytes)
    }
}

impl<'a> Value<'a> {
    /// The same value as a part of the patch at a position; what is of the base stays so.
    pub(crate) fn of_patch(&self, patch: u16) -> Value<'_> {
        let content = match &self.content {
            Content::Scalar(scalar) => Content::Scalar(scalar.borrowed()),
            Content::List(items) => Content::List(items.iter().map(|item| item.of_patch(patch)).collect()),
            Content::Map(fields) => Content::Map(
                fields
                    .iter()
                    .map(|field| Field {
                        key: Cow::Borrowed(&field.key),
                        key_origin: field.key_origin.map(|origin| origin.of_patch(patch)),
                        value: field.value.of_patch(patch),
                    })
                    .collect(),
            ),
        };
        Value { origin: self.origin.map(|origin| origin.of_patch(patch)), content }
    }

    /// The bytes of its patch, which is on its own.
    pub(crate) fn span(&self) -> Range<usize> {
        self.origin.map_or(0..0, PatchSpan::bytes)
    }

    /// The bytes of a part of this scalar's text; those of the whole scalar if its text is not written as it is, as with escapes.
    pub(crate) fn part(&self, part: Range<usize>) -> Option<PatchSpan> {
        let (origin, scalar) = (self.origin?, self.as_scalar()?);
        let quote = usize::from(scalar.style == Style::Quoted);
        let written = scalar.text.trim_end_matches('\n').len() + 2 * quote;
        if written != origin.bytes().len() {
            return Some(origin);
        }
        let byte =
            |at: usize| origin.start.saturating_add(u32::try_from(quote + at).unwrap_or(u32::MAX)).min(origin.end);
        Some(PatchSpan { start: byte(part.start), end: byte(part.end), ..origin })
    }

    /// The value whose bytes, or those of whose key, these are in its patch, which is on its own; with the pointer to it from here.
    pub(crate) fn find(&self, bytes: &Range<usize>) -> Option<(Pointer, &Self)> {
        if self.span() == *bytes {
            return Some((Pointer::root(), self));
        }
        let in_list =
            self.list().iter().enumerate().find_map(|(index, item)| below(Pointer::root().item(index), item, bytes));
        in_list.or_else(|| {
            self.all_fields().iter().find_map(|field| {
                let at = Pointer::root().child(&field.key);
                if field.key_span() == *bytes { Some((at, &field.value)) } else { below(at, &field.value, bytes) }
            })
        })
    }

    /// Whether nothing is written here, or a null.
    pub(crate) fn is_null(&self) -> bool {
        matches!(&self.content, Content::Scalar(scalar) if scalar.resolved == Resolved::Null)
    }

    /// The value of a key, unless it is null.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.field(key).map(|field| &field.value).filter(|value| !value.is_null())
    }

    /// A key and its value, which may be null.
    pub(crate) fn field(&self, key: &str) -> Option<&Field<'a>> {
        self.all_fields().iter().find(|field| field.key == key)
    }

    /// The value at keys that are joined by dots, unless it is null.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        // Keys are a few bytes long, for which `str::split` takes several times as long.
        path.as_bytes().split(|byte| *byte == b'.').try_fold(self, |value, key| {
            let field = value.all_fields().iter().find(|field| field.key.as_bytes() == key)?;
            (!field.value.is_null()).then_some(&field.value)
        })
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.at(path).is_some()
    }

    /// This scalar as it is written; none for a list or a mapping.
    pub(crate) fn as_scalar(&self) -> Option<&Scalar<'a>> {
        match &self.content {
            Content::Scalar(scalar) => Some(scalar),
            _ => None,
        }
    }

    /// The text of this scalar; empty for anything else and for null.
    pub(crate) fn scalar(&self) -> &str {
        self.as_scalar().filter(|scalar| scalar.resolved != Resolved::Null).map_or("", |scalar| &scalar.text)
    }

    /// The text of the scalar at a path; empty if there is none.
    pub(crate) fn text(&self, path: &str) -> &str {
        self.at(path).map_or("", Self::scalar)
    }

    /// The boolean at a path, which go-yaml decodes from the words of YAML 1.1 too.
    pub(crate) fn flag(&self, path: &str) -> Option<bool> {
        self.at(path).and_then(Self::flag_here)
    }

    /// This boolean; none for a list or a mapping.
    pub(crate) fn flag_here(&self) -> Option<bool> {
        self.as_scalar().map(|scalar| match scalar.resolved {
            Resolved::Bool(flag) => flag,
            _ => matches!(&*scalar.text, "y" | "Y" | "yes" | "Yes" | "YES" | "on" | "On" | "ON"),
        })
    }

    /// Whether the boolean at a path is there and true.
    pub(crate) fn is_true(&self, path: &str) -> bool {
        self.flag(path) == Some(true)
    }

    /// This whole number, which may be written as a float such as `1e3`; none for anything else.
    pub(crate) fn integer(&self) -> Option<i128> {
        let is_whole = !matches!(self.as_scalar()?.resolved, Resolved::Float(number) if number.fract() != 0.0);
        self.decoded_integer().filter(|_| is_whole)
    }

    /// The number that Talos decodes into a field for whole numbers: Go's YAML packages cut off what follows the point.
    pub(crate) fn decoded_integer(&self) -> Option<i128> {
        match self.as_scalar()?.resolved {
            Resolved::Integer(number) => Some(number),
            #[expect(clippy::cast_possible_truncation, reason = "the number is below 2^50")]
            Resolved::Float(number) if number.abs() < 1e15 => Some(number as i128),
            _ => None,
        }
    }

    /// The items of this list; empty for anything else.
    pub(crate) fn list(&self) -> &[Self] {
        match &self.content {
            Content::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn items(&self, path: &str) -> &[Self] {
        self.at(path).map_or(&[], Self::list)
    }

    pub(crate) fn fields(&self, path: &str) -> &[Field<'a>] {
        self.at(path).map_or(&[], Self::all_fields)
    }

    /// The keys and values of this mapping; empty for anything else.
    pub(crate) fn all_fields(&self) -> &[Field<'a>] {
        match &self.content {
            Content::Map(fields) => fields,
            _ => &[],
        }
    }

    /// The number of values: this one and those in it.
    pub(crate) fn count(&self) -> usize {
        let items: usize = self.list().iter().map(Self::count).sum();
        1 + items + self.all_fields().iter().map(|field| field.value.count()).sum::<usize>()
    }

    pub(crate) fn is_empty_mapping(&self) -> bool {
        matches!(&self.content, Content::Map(fields) if fields.is_empty())
    }

    /// Whether something other than empty lists, mappings, strings and nulls is in it.
    pub(crate) fn is_filled(&self) -> bool {
        match &self.content {
            Content::Scalar(scalar) => scalar.resolved != Resolved::Null && !scalar.text.is_empty(),
            Content::List(items) => !items.is_empty(),
            Content::Map(fields) => fields.iter().any(|field| field.value.is_filled()),
        }
    }

    /// Whether both are lists, mappings, or scalars of one type in Go.
    pub(crate) fn has_type_of(&self, other: &Self) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar(one), Content::Scalar(other)) => one.resolved.has_type_of(other.resolved),
            (Content::List(_), Content::List(_)) | (Content::Map(_), Content::Map(_)) => true,
            _ => false,
        }
    }

    /// Whether both are written alike, but for quotes and the order of keys.
    pub(crate) fn equals(&self, other: &Self) -> bool {
        self.is_equal(other, &|one, other| one.text == other.text)
    }

    /// Whether both are written alike, but for the order of keys: whatever they are decoded into, they are the same.
    pub(crate) fn is_identical(&self, other: &Self) -> bool {
        self.is_equal(other, &|one, other| one.text == other.text && one.resolved == other.resolved)
    }

    fn is_equal(&self, other: &Self, scalars: &dyn Fn(&Scalar<'_>, &Scalar<'_>) -> bool) -> bool {
        match (&self.content, &other.content) {
            (Content::Scalar(one), Content::Scalar(other)) => scalars(one, other),
            (Content::List(one), Content::List(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.is_equal(other, scalars))
            }
            (Content::Map(one), Content::Map(others)) => {
                let is_in = |field: &Field<'_>| {
                    other.field(&field.key).is_some_and(|other| field.value.is_equal(&other.value, scalars))
                };
                one.len() == others.len() && one.iter().all(is_in)
            }
            _ => false,
        }
    }
}

/// The value that is found below one at a pointer, with the whole pointer.
fn below<'v, 'a>(at: Pointer, value: &'v Value<'a>, bytes: &Range<usize>) -> Option<(Pointer, &'v Value<'a>)> {
    let (inner, found) = value.find(bytes)?;
    Some((at.join(&inner), found))
}
