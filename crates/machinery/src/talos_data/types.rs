//! The structs that Talos decodes its configuration documents into: how each field is decoded and merged.

use std::sync::{LazyLock, OnceLock};

use talosmith_document::table;

use super::{Minor, talos};

const TYPES: &str = include_str!("types.txt");

/// The name of the main document's struct. The document has no `kind`.
pub(crate) const MAIN: &str = "v1alpha1";

/// How a value is merged with the one before it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// A string, or another scalar that is zero when empty.
    Text,
    Bool,
    Number,
    Duration,
    /// A word of a fixed list, and the word that is its zero value.
    Word(&'static str),
    /// A CEL expression: an absent one overwrites too.
    Cel,
    /// A size in bytes: an absent one overwrites too.
    ByteSize,
    /// A size in bytes or percent; it can hold both.
    Size,
    /// An address or a condition: the machinery fails to merge two.
    Sealed,
    /// A URL: its parts are merged one by one.
    Url,
    /// Arguments of a program: replaced key by key.
    Args,
    /// A certificate, a key, or both.
    Certificate,
    /// Anything: Talos decodes it into a type of its own and refuses to merge two different ones.
    Free,
    /// A struct, by its name.
    Struct(&'static str),
    /// A list that is appended to.
    List(Box<Self>),
    /// A list or a mapping that is replaced as a whole.
    Replaced(Box<Self>),
    /// A list whose items are found by the values of keys.
    Keyed {
        /// The keys, separated by `+`; the first that an item sets counts.
        keys: &'static str,
        /// Whether a later item replaces the earlier one; otherwise they are merged.
        replaced: bool,
        item: Box<Self>,
    },
    /// A mapping with free keys.
    Map(Box<Self>),
    /// A pointer: an absent value differs from a zero one.
    Pointer(Box<Self>),
}

/// A field of a struct, as one minor of Talos has it.
#[derive(Debug)]
pub(crate) struct Field {
    pub key: &'static str,
    /// How a value is decoded: `[]` for each list and `{}` for each mapping with free keys (`[*]`, `{*}` if no item may be null),
    /// then a scalar or the name of a struct.
    pub kind: &'static str,
    pub ty: Type,
    pub deprecation: Option<Deprecation>,
    /// Whether the value is a secret, or a free form that contains some.
    pub is_secret: bool,
    /// Whether Talos writes the field even if it is empty.
    pub is_written: bool,
}

impl Field {
    /// The name of the struct in the field, below any lists and mappings; `None` if its values are scalars or of any form.
    pub(crate) fn structure(&self) -> Option<&'static str> {
        let inner = self.kind.trim_start_matches(['[', ']', '{', '}', '*']);
        is_struct(inner).then_some(inner)
    }
}

/// The better field for a deprecated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deprecation {
    /// The minor of Talos that deprecated the field.
    pub since: Minor,
    /// The oldest base config that accepts the successors.
    pub base: Minor,
    successors: &'static str,
}

impl Deprecation {
    /// The kinds of documents and the paths in the main document that replace the field; `schematic` is the image's. Empty if
    /// nothing replaces it.
    pub(crate) fn successors(&self) -> impl Iterator<Item = &'static str> {
        self.successors.split(',').filter(|name| *name != "none")
    }
}

/// A struct, as one minor of Talos has it.
#[derive(Debug)]
pub(crate) struct Struct {
    /// Sorted by their keys.
    fields: Vec<Field>,
    /// Whether merging overwrites a value in it even with an absent one.
    pub clears: bool,
    /// Whether the machinery fails to merge two values of it.
    pub is_sealed: bool,
}

impl Struct {
    /// How the field at a key is merged.
    pub(crate) fn field(&self, key: &str) -> Option<&Type> {
        self.find(key).map(|field| &field.ty)
    }

    pub(crate) fn find(&self, key: &str) -> Option<&Field> {
        let at = self.fields.binary_search_by(|field| field.key.cmp(key)).ok()?;
        Some(&self.fields[at])
    }

    /// The fields that Talos writes even if they are empty.
    pub(crate) fn written(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.is_written)
    }

    /// The keys of all fields, sorted, and how each is merged.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Type)> {
        self.fields.iter().map(|field| (field.key, &field.ty))
    }
}

/// The structs of one minor of Talos, each read from the table when it is first asked for.
#[derive(Debug)]
pub(crate) struct Types {
    minor: Minor,
    /// One for each of `STRUCTS`; `None` if the minor does not have it.
    structs: Vec<OnceLock<Option<Struct>>>,
}

/// The name of each struct and its rows, sorted by the name.
static STRUCTS: LazyLock<Vec<(&'static str, &'static str)>> = LazyLock::new(|| {
    let mut found: Vec<(&str, &str)> = Vec::with_capacity(256);
    let (mut name, mut start, mut end) = ("#", 0, 0);
    for line in TYPES.split_inclusive('\n') {
        let is_same = line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' '));
        if !is_same {
            found.push((name, &TYPES[start..end]));
            name = line.split(' ').next().unwrap_or_default();
            start = end;
        }
        end += line.len();
    }
    found.push((name, &TYPES[start..]));
    found.retain(|(name, _)| *name != "#");
    found
});

/// The types of each known minor, oldest first.
static TYPES_OF_MINORS: LazyLock<Vec<Types>> = LazyLock::new(|| {
    let types = |minor| Types { minor, structs: STRUCTS.iter().map(|_| OnceLock::new()).collect() };
    talos::minors().map(types).collect()
});

impl Types {
    /// The types of a minor, or of the nearest minor that is known.
    pub(crate) fn of(minor: Minor) -> &'static Self {
        let at = TYPES_OF_MINORS.iter().rposition(|types| types.minor <= minor).unwrap_or_default();
        &TYPES_OF_MINORS[at]
    }

    /// A struct by its name; a document's is named by its kind. `None` if the minor does not have it.
    pub(crate) fn get(&self, name: &str) -> Option<&Struct> {
        let at = STRUCTS.binary_search_by(|(other, _)| (*other).cmp(name)).ok()?;
        self.structs[at].get_or_init(|| self.read(STRUCTS[at].1)).as_ref()
    }

    /// The field at a path: the name of a struct and keys, separated by dots, without the indices of lists and free keys.
    pub(crate) fn at(&self, path: &str) -> Option<&Field> {
        let (around, key) = path.rsplit_once('.')?;
        self.below(around)?.find(key)
    }

    pub(crate) fn below(&self, path: &str) -> Option<&Struct> {
        let name = match path.contains('.') {
            true => self.at(path)?.structure()?,
            false => path,
        };
        self.get(name)
    }

    fn read(&self, rows: &'static str) -> Option<Struct> {
        let is_in = |row: &Row| row.first <= self.minor && row.last.is_none_or(|last| self.minor <= last);
        let rows = table::rows(rows).filter_map(Row::read).filter(is_in);
        let fields: Vec<Field> = rows.map(|row| row.field).collect();
        let clears = |ty: &Type| match ty {
            Type::Cel | Type::ByteSize | Type::Bool => true,
            Type::Struct(name) => self.get(name).is_some_and(|inner| inner.clears),
            _ => false,
        };
        let clears = fields.iter().any(|field| clears(&field.ty));
        let is_sealed = fields.iter().any(|field| field.ty == Type::Sealed);
        (!fields.is_empty()).then_some(Struct { fields, clears, is_sealed })
    }
}

/// The kinds of documents of all minors, sorted, without the main document.
pub(super) fn kinds() -> impl Iterator<Item = &'static str> {
    STRUCTS.iter().map(|(name, _)| *name).filter(|name| !is_struct(name) && *name != MAIN)
}

/// The name of the struct of a document, which is its kind, or [`MAIN`]; empty if no minor has it.
pub(crate) fn document_struct(kind: &str) -> &'static str {
    kinds().chain([MAIN]).find(|name| *name == kind).unwrap_or_default()
}

/// Whether a type is a struct other than a document's: not a scalar, and not a list (`[…`) or mapping (`{…`) of structs.
pub(crate) fn is_struct(name: &str) -> bool {
    name.contains('.') && !name.starts_with("word:") && !name.starts_with(['[', '{'])
}

struct Row {
    field: Field,
    first: Minor,
    last: Option<Minor>,
}

impl Row {
    fn read(mut row: table::Fields<'static>) -> Option<Self> {
        let (_, key, spelled, rule) = (row.next()?, row.next()?, row.next()?, row.next()?);
        let (first, last) = (table::minor(row.next()?)?, row.next().and_then(table::minor));
        let deprecated = row.next().and_then(|minors| minors.split_once(','));
        let successors = row.next()?;
        let deprecation = deprecated.and_then(|(since, base)| {
            Some(Deprecation { since: table::minor(since)?, base: table::minor(base)?, successors })
        });
        let (is_written, spelled) = spelled.strip_prefix('!').map_or((false, spelled), |rest| (true, rest));
        let (kind, ty) = (spelled.trim_start_matches('*'), merged(spelled, rule));
        let is_secret = row.next() == Some("secret");
        Some(Self { field: Field { key, kind, ty, deprecation, is_secret, is_written }, first, last })
    }
}

/// How a type is merged by a rule.
fn merged(spelled: &'static str, rule: &'static str) -> Type {
    if let Some(inner) = spelled.strip_prefix('*') {
        return Type::Pointer(Box::new(merged(inner, rule)));
    }
    let (name, argument) = rule.split_once(':').unwrap_or((rule, ""));
    match name {
        "replace" => Type::Replaced(Box::new(plain(spelled))),
        "by" | "replace-by" => {
            let replaced = name == "replace-by";
            match plain(spelled) {
                Type::List(item) => Type::Keyed { keys: argument, replaced, item },
                other => other,
            }
        }
        "zero" => Type::Word(argument),
        "sealed" => Type::Sealed,
        _ => plain(spelled),
    }
}

/// How a type is merged that has no rule.
fn plain(spelled: &'static str) -> Type {
    let pointer = |rest| Box::new(Type::Pointer(Box::new(plain(rest))));
    if let Some(item) = spelled.strip_prefix("[]") {
        return Type::List(Box::new(plain(item)));
    }
    if let Some(item) = spelled.strip_prefix("[*]") {
        return Type::List(pointer(item));
    }
    if let Some(item) = spelled.strip_prefix("{*}") {
        return Type::Map(pointer(item));
    }
    match spelled {
        "{}argument" => Type::Args,
        "{}any" | "any" => Type::Free,
        "bool" => Type::Bool,
        "disk-size" => Type::Number,
        "duration" => Type::Duration,
        "cel" => Type::Cel,
        "bytes" => Type::ByteSize,
        "size" => Type::Size,
        "url" => Type::Url,
        _ if spelled.starts_with("x509.") => Type::Certificate,
        _ if is_struct(spelled) => Type::Struct(spelled),
        _ if spelled.starts_with("int") || spelled.starts_with("uint") => Type::Number,
        _ => spelled.strip_prefix("{}").map_or(Type::Text, |item| Type::Map(Box::new(plain(item)))),
    }
}

#[cfg(test)]
mod tests;
