//! A part of a document that is checked, with the checks that many rules have in common.

use talosmith_document::{Code, Diagnostic};

use super::Rules;
use super::formats::Format;
use crate::cel::Environment;
use crate::config::{Config, Document};
use crate::decode::{alternatives, placeholder};
use crate::format::duration;
use crate::placeholder::is_unknown;
use crate::talos_data::talos;
use crate::talos_data::types::{self, Types};
use crate::value::{Content, PatchSpan, Value};

/// A whole document, a mapping in it, or an item of a list. All paths are relative to it.
#[derive(Clone, Copy)]
pub(crate) struct Section<'r> {
    pub rules: &'r Rules<'r>,
    pub document: &'r Document<'r>,
    pub value: &'r Value<'r>,
    /// The path of the mapping or of the list; empty for the document.
    path: &'r str,
    is_item: bool,
    /// Where findings about values that no patch wrote are reported; `None` reports none.
    origin: Option<PatchSpan>,
    /// The name of its struct in the newest table of types; empty for free keys, and without debug assertions.
    structure: &'static str,
}

impl<'r> Section<'r> {
    pub(crate) fn new(rules: &'r Rules<'r>, document: &'r Document<'r>) -> Self {
        // What is missing may have been deleted.
        let last = || rules.config.deleted.iter().rfind(|deleted| deleted.path.is_empty());
        let origin = document.origin.or_else(|| last().map(|deleted| deleted.origin));
        let structure = if cfg!(debug_assertions) { types::document_struct(document.kind) } else { "" };
        Self { rules, document, value: &document.value, path: "", is_item: false, origin, structure }
    }

    /// What to do about a secret of the cluster that is missing: a patch deleted it, or the repository's own base does not have it.
    pub(crate) fn restoring(self, path: &str) -> String {
        let path = if self.path.is_empty() { path.to_owned() } else { format!("{}.{path}", self.path) };
        let mut deleted = self.config().deleted.iter().filter(|deleted| deleted.kind == self.document.kind);
        if deleted.any(|deleted| path.starts_with(&*deleted.path)) {
            return "do not delete it: it is the cluster's".to_owned();
        }
        let keys: Vec<&str> = path.split('.').collect();
        format!("add `{path}: ${{{}}}`: the value is one of the cluster's secrets", placeholder(&keys))
    }

    pub(crate) fn config(self) -> &'r Config<'r> {
        self.rules.config
    }

    /// Whether the Talos that loads the config is of minor 1.`minor` or newer.
    pub(crate) fn since(self, minor: u64) -> bool {
        self.rules.config.since(minor)
    }

    pub(crate) fn name(self) -> &'r str {
        self.document.name
    }

    /// What findings call it.
    pub(crate) fn title(self) -> String {
        match self.path {
            "" => self.document.title(),
            path if self.is_item => format!("an item of `{path}`"),
            path => format!("`{path}`"),
        }
    }

    /// The name of the struct at a path. A path that no Talos has is a bug in a rule.
    pub(super) fn structure(self, path: &str) -> &'static str {
        if !cfg!(debug_assertions) {
            return "";
        }
        let types = Types::of(talos::newest_minor());
        path.split('.').filter(|key| !key.is_empty()).fold(self.structure, |structure, key| {
            let Some(fields) = types.get(structure) else { return "" };
            let field = fields.find(key);
            debug_assert!(field.is_some(), "{structure} has no field `{key}`");
            field.and_then(|field| field.structure()).unwrap_or_default()
        })
    }

    /// The value at a path, unless it is null; an empty path is the section itself.
    pub(crate) fn at(self, path: &str) -> Option<&'r Value<'r>> {
        self.structure(path);
        if path.is_empty() { Some(self.value) } else { self.value.at(path) }
    }

    pub(crate) fn has(self, path: &str) -> bool {
        self.at(path).is_some()
    }

    pub(crate) fn is_true(self, path: &str) -> bool {
        self.structure(path);
        self.value.is_true(path)
    }

    /// Whether the boolean at a path is true, or filled in where the patch is applied.
    pub(crate) fn may_be_true(self, path: &str) -> bool {
        self.is_true(path) || self.is_unknown(path)
    }

    pub(crate) fn number(self, path: &str) -> Option<i128> {
        self.at(path).and_then(Value::integer)
    }

    /// The string at a path; empty if there is none.
    pub(crate) fn text(self, path: &str) -> &'r str {
        self.at(path).map_or("", Value::scalar)
    }

    /// The string at a path in lower case, since Talos reads the values of its enums in any.
    pub(crate) fn word(self, path: &str) -> String {
        self.text(path).to_ascii_lowercase()
    }

    /// The scalar that an item of a list, or a value of a mapping, is.
    pub(crate) fn scalar(self) -> &'r str {
        self.value.scalar()
    }

    /// Whether a string, a list or a mapping at a path is there and not empty.
    pub(crate) fn is_filled(self, path: &str) -> bool {
        self.at(path).is_some_and(|value| match &value.content {
            Content::Map(fields) => !fields.is_empty(),
            _ => value.is_filled(),
        })
    }

    /// Whether a patch wrote the value at a path.
    pub(crate) fn is_written(self, path: &str) -> bool {
        self.at(path).is_some_and(|value| value.origin.is_some())
    }

    /// The mapping at a path, unless it is absent.
    pub(crate) fn section(self, path: &'r str) -> Option<Self> {
        let (value, structure) = (self.at(path)?, self.structure(path));
        let origin = locate(self.value, path).or(self.origin);
        Some(Self { value, path, is_item: false, origin, structure, ..self })
    }

    pub(crate) fn items(self, path: &'r str) -> impl DoubleEndedIterator<Item = Self> + ExactSizeIterator {
        let structure = self.structure(path);
        let items = self.at(path).map_or(&[][..], Value::list).iter();
        items.map(move |value| {
            let origin = value.origin.or(self.document.origin);
            Self { value, path, is_item: true, origin, structure, ..self }
        })
    }

    pub(crate) fn entries(self, path: &'r str) -> impl Iterator<Item = (&'r str, Self)> {
        self.at(path).map_or(&[][..], Value::all_fields).iter().map(move |field| {
            let (value, origin) = (&field.value, field.value.origin.or(self.document.origin));
            (&*field.key, Self { value, path, is_item: true, origin, structure: "", ..self })
        })
    }

    /// Refuses the document for what is, or is not, at a path; an empty path is the section itself. A value that is filled in where the
    /// patch is applied is not refused.
    pub(crate) fn refuse(self, path: &str, message: impl Into<String>, help: impl Into<String>) {
        if !self.is_unknown(path) {
            self.find(Code::InvalidDocument, path, message, help);
        }
    }

    /// Refuses the document because something is at a path, whatever it is.
    fn refuse_presence(self, path: &str, message: String, help: impl Into<String>) {
        self.find(Code::InvalidDocument, path, message, help);
    }

    /// Whether the content of the scalar at a path is unknown.
    pub(crate) fn is_unknown(self, path: &str) -> bool {
        let value = if path.is_empty() { Some(self.value) } else { self.value.at(path) };
        value.is_some_and(|value| is_unknown(value.scalar()))
    }

    pub(crate) fn find(self, code: Code, path: &str, message: impl Into<String>, help: impl Into<String>) {
        if let Some(at) = self.span(path) {
            self.rules.add(self.rules.finding(code, at, message, help));
        }
    }

    /// Adds a finding about what is at a path, for which Talos does not refuse the config.
    pub(crate) fn report(
        self,
        code: Code,
        path: &str,
        message: impl Into<String>,
        complete: impl FnOnce(Diagnostic) -> Diagnostic,
    ) {
        if let Some(at) = self.span(path).filter(|_| !self.is_unknown(path)) {
            self.rules.add(complete(self.rules.report.finding(code, message, at)));
        }
    }

    /// Where a patch wrote, cleared or deleted what a path leads to.
    fn span(self, path: &str) -> Option<PatchSpan> {
        let document = (self.document.kind, self.document.name);
        let is_document = std::ptr::eq(self.value, &raw const *self.document.value);
        let cleared = self.config().cleared.iter().find(|cleared| {
            is_document && cleared.path == path && (&*cleared.document.0, &*cleared.document.1) == document
        });
        if let Some(cleared) = cleared {
            return Some(cleared.by);
        }
        let is_deleted = is_document && self.value.at(path).is_none();
        let mut deleted = self.config().deleted.iter().rev().filter(|_| is_deleted);
        let deleted = deleted.find(|deleted| deleted.kind == self.document.kind && deleted.path == path);
        deleted.map(|deleted| deleted.origin).or_else(|| locate(self.value, path)).or(self.origin)
    }

    /// Requires a string, a list or a mapping that is not empty.
    pub(crate) fn require(self, path: &str) {
        // A document of unknown name is merged into another one, perhaps.
        let may_merge = || is_unknown(self.document.name) && self.config().all(self.document.kind).count() > 1;
        if !self.is_filled(path) && !may_merge() {
            self.refuse(path, format!("{} has no `{path}`", self.title()), format!("add `{path}`"));
        }
    }

    pub(crate) fn forbid(self, path: &str, why: &str) {
        if self.at(path).is_some_and(Value::is_filled) {
            self.refuse_presence(path, format!("{} has `{path}`, {why}", self.title()), format!("remove `{path}`"));
        }
    }

    pub(crate) fn require_either(self, one: &str, other: &str) {
        if !self.is_filled(one) && !self.is_filled(other) {
            self.refuse(one, format!("{} has neither `{one}` nor `{other}`", self.title()), "add one of the two");
        }
    }

    /// Refuses two paths that Talos accepts one by one.
    pub(crate) fn refuse_both(self, one: &str, other: &str) {
        let message = format!("`{one}` and `{other}` of {} cannot be combined", self.title());
        self.refuse_presence(other, message, "keep one of the two");
    }

    pub(crate) fn refuse_without(self, path: &str, other: &str) {
        self.refuse_presence(path, format!("`{path}` needs `{other}`"), format!("add `{other}`"));
    }

    /// Requires a string, if there is one, to be one of several.
    pub(crate) fn require_value(self, path: &str, values: &[&str]) {
        let value = self.text(path);
        if !value.is_empty() && !values.contains(&value) {
            self.refuse(path, format!("`{value}` is not a valid `{path}`"), one_of(values));
        }
    }

    /// Requires the items of a list to be some of several strings.
    pub(crate) fn require_values(self, path: &'r str, values: &[&str]) {
        for item in self.items(path).filter(|item| !values.contains(&item.scalar())) {
            item.refuse("", format!("`{}` cannot be in `{path}`", item.scalar()), one_of(values));
        }
    }

    /// Requires a number, if there is one, to be in a range.
    pub(crate) fn require_range(self, path: &str, least: i128, most: i128) {
        if self.number(path).is_some_and(|number| !(least..=most).contains(&number)) {
            let (message, help) = match most {
                i128::MAX => (format!("`{path}` is less than {least}"), format!("write {least} or more")),
                _ => (format!("`{path}` is not from {least} to {most}"), format!("write {least} to {most}")),
            };
            self.refuse(path, message, help);
        }
    }

    /// Requires a duration, if there is one, to be 0 or at least some seconds.
    pub(crate) fn require_duration(self, path: &str, least: f64) {
        if duration(self.text(path)).is_some_and(|seconds| seconds != 0.0 && seconds < least) {
            self.refuse(path, format!("`{path}` is shorter than {least}s"), format!("write {least}s or more"));
        }
    }

    /// Requires a string, if there is one, to have a format.
    pub(crate) fn require_format(self, path: &str, format: &Format) {
        let value = self.text(path);
        // An item of a list must not be empty either.
        let is_checked = (path.is_empty() || !value.is_empty()) && (!format.is_secret || self.is_written(path));
        if is_checked && !(format.is_valid)(value) {
            let subject = match (format.is_secret, path) {
                (true, "") => "this".to_owned(),
                (true, _) => format!("`{path}`"),
                (false, _) => format!("`{value}`"),
            };
            let message = format!("{subject} is not a valid {}", format.name);
            self.refuse(path, message, format!("write {}", format.example));
        }
    }

    pub(crate) fn require_formats(self, path: &'r str, format: &Format) {
        self.items(path).for_each(|item| item.require_format("", format));
    }

    /// Requires the keys of a mapping to have a format.
    pub(crate) fn require_keys(self, path: &'r str, format: &Format) {
        for (key, value) in self.entries(path).filter(|(key, _)| !(format.is_valid)(key) && !is_unknown(key)) {
            value.refuse("", format!("`{key}` is not a valid {}", format.name), format!("write {}", format.example));
        }
    }

    /// Requires a CEL expression that a patch wrote to be one of an environment.
    pub(crate) fn require_expression(self, path: &str, environment: Environment) {
        let Some(value) = self
            .at(path)
            .filter(|value| value.origin.is_some() && !value.scalar().is_empty())
            .filter(|value| !is_unknown(value.scalar()))
        else {
            return;
        };
        let checked = self.rules.expressions.check(value.scalar(), environment, self.config().version);
        if let Err(error) = checked
            && let Some(at) = value.part(error.range.clone())
        {
            let message = format!("`{path}` of {}: {error}", self.title());
            let help = error.help.unwrap_or_else(|| "write another expression".to_owned());
            let mut finding = self.rules.finding(Code::BadSelector, at, message, help);
            finding.at.text = error.label;
            self.rules.add(finding);
        }
    }
}

/// What to write where a value must be one of several.
pub(super) fn one_of(values: &[&str]) -> String {
    format!("write {}", alternatives(values))
}

/// Whether an item was seen before.
pub(super) fn is_repeated<T: PartialEq>(seen: &mut Vec<T>, item: T) -> bool {
    let is_repeated = seen.contains(&item);
    seen.push(item);
    is_repeated
}

/// The nearest value on the way to a path that a patch wrote.
fn locate(value: &Value<'_>, path: &str) -> Option<PatchSpan> {
    let (mut found, mut value) = (None, value);
    for key in path.split('.') {
        let Some(field) = value.field(key) else { break };
        found = field.value.origin.or(found);
        value = &field.value;
    }
    found
}
