//! The fields of a document against the table of them.

mod refusals;

pub use refusals::variable_reference;

use talosmith_document::{Code, Diagnostic, Level, Location, Style};

use super::deletions::{is_deleted, is_deletion};
use super::{Target, Timestamp, scalar, secret, wording};
use crate::PatchLocator;
use crate::placeholder::{has_placeholder, is_secret_reference};
use crate::scalar::{Resolved, Scalar};
use crate::talos_data::types::{Field, MAIN, Struct, Types, is_struct};
use crate::talos_data::{Minor, secrets, talos};
use crate::value::{Content, Field as Entry, Value};

/// Lists of pointers in which Talos before 1.14 ignores an empty item; with the others it crashes.
const IGNORED_WHEN_NULL: [&str; 7] = [
    "v1alpha1.cluster.acceptedCAs",
    "v1alpha1.machine.acceptedCAs",
    "v1alpha1.machine.files",
    "v1alpha1.machine.kernel.modules",
    "v1alpha1.machine.network.extraHostEntries",
    "v1alpha1.machine.network.interfaces.vlans.routes",
    "v1alpha1.machine.seccompProfiles",
];

/// Free-form mappings that Talos does not copy when it applies another patch; with the others it crashes on a timestamp then.
const NEVER_COPIED: [&str; 2] =
    ["v1alpha1.cluster.apiServer.authorizationConfig.webhook", "v1alpha1.machine.baseRuntimeSpecOverrides"];

/// A step from a value to one inside it.
#[derive(Clone, Copy)]
enum Step<'a> {
    Key(&'a str),
    Item,
}

pub(super) struct Walk<'a> {
    locator: &'a PatchLocator,
    target: &'a Target<'a>,
    minor: Minor,
    types: &'static Types,
    /// The way from the root of the document.
    trail: Vec<Step<'a>>,
    /// The kind and the keys without lists and free keys, as the table has them.
    path: String,
    pub findings: Vec<Diagnostic>,
    pub timestamps: Vec<Timestamp>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(locator: &'a PatchLocator, target: &'a Target<'a>) -> Self {
        Self {
            locator,
            target,
            minor: target.minor(),
            types: Types::of(target.minor()),
            trail: Vec::new(),
            path: String::new(),
            findings: Vec::new(),
            timestamps: Vec::new(),
        }
    }

    pub(super) fn document(&mut self, root: &'a Value<'static>, kind: &str) {
        kind.clone_into(&mut self.path);
        self.object(root, self.types.get(kind));
    }

    /// Checks that what is deleted can be.
    pub(super) fn deletions(&mut self, node: &'a Value<'static>) {
        let in_list = self.trail.iter().any(|step| matches!(step, Step::Item));
        for entry in node.all_fields() {
            if is_deletion(entry) {
                let is_item = matches!(self.trail.last(), Some(Step::Item));
                let (message, note, help) = if is_item && node.all_fields().len() == 1 {
                    (
                        "`$patch: delete` does not specify an item of the list",
                        "Talos finds the item by the first key next to `$patch`, and refuses the patch without one",
                        "write a key of the item next to it, as in\n- interface: eth0\n  $patch: delete",
                    )
                } else if in_list && !is_item {
                    (
                        "a key inside an item of a list cannot be deleted",
                        "Talos deletes whole items only, and refuses the patch",
                        "delete the item, and write it again in a second patch",
                    )
                } else {
                    return;
                };
                let finding = Diagnostic::new(Code::PatchDelete, message, self.key_location(entry));
                self.findings.push(finding.note(note).help(help));
                return;
            }
            self.inside(Step::Key(&entry.key), |walk| walk.deletions(&entry.value));
        }
        for item in node.list() {
            self.inside(Step::Item, |walk| walk.deletions(item));
        }
    }

    fn inside(&mut self, step: Step<'a>, visit: impl FnOnce(&mut Self)) {
        self.trail.push(step);
        visit(self);
        self.trail.pop();
    }

    fn location(&self, value: &Value<'_>) -> Location {
        self.locator.location(value.span())
    }

    fn key_location(&self, entry: &Entry<'_>) -> Location {
        self.locator.location(entry.key_span())
    }

    fn object(&mut self, node: &'a Value<'static>, known: Option<&'static Struct>) {
        for entry in node.all_fields() {
            let is_header = self.trail.is_empty() && self.path != MAIN && matches!(&*entry.key, "apiVersion" | "kind");
            if is_header || is_deletion(entry) {
                continue;
            }
            self.inside(Step::Key(&entry.key), |walk| {
                let length = walk.path.len();
                walk.path.push('.');
                walk.path.push_str(&entry.key);
                walk.field(entry, known.and_then(|known| known.find(&entry.key)));
                walk.path.truncate(length);
            });
        }
    }

    fn field(&mut self, entry: &'a Entry<'static>, field: Option<&'static Field>) {
        let Some(field) = field else {
            self.free(&entry.value, false);
            self.findings.push(self.other_version(entry).unwrap_or_else(|| self.unknown(entry)));
            return;
        };
        let known = self.findings.len();
        self.value(&entry.value, field.kind, field);
        if let Some(deprecation) = field.deprecation
            && deprecation.since <= self.minor
            && deprecation.base <= self.target.base
            && !(entry.value.is_null() || is_deleted(&entry.value))
        {
            // The fields below a deprecated field are deprecated with it.
            let mut below = self.findings.split_off(known);
            below.retain(|finding| finding.code != Code::DeprecatedField);
            self.findings.push(self.deprecated(entry, deprecation));
            self.findings.append(&mut below);
        }
    }

    fn value(&mut self, node: &'a Value<'static>, kind: &'static str, field: &'static Field) {
        if node.is_null() || node.all_fields().iter().any(is_deletion) {
            return;
        }
        let (inner, accepts_null) = match kind.as_bytes() {
            [b'[' | b'{', b']' | b'}', ..] => (&kind[2..], true),
            [b'[' | b'{', b'*', b']' | b'}', ..] => (&kind[3..], false),
            _ => (kind, true),
        };
        match (&node.content, kind.as_bytes()[0]) {
            (Content::List(items), b'[') => {
                for item in items {
                    self.inside(Step::Item, |walk| walk.member(item, inner, accepts_null, field));
                }
            }
            (Content::Map(entries), b'{') => {
                for entry in entries {
                    let text = entry.value.as_scalar().map_or("", |scalar| &*scalar.text);
                    let is_argument = field.key == "extraArgs" && secrets::is_secret_argument(&entry.key, text);
                    let is_secret = is_argument || secrets::is_secret_variable(&entry.key, text);
                    let is_secret = is_secret && secrets::find(text).is_none();
                    let name = if is_argument { "an argument with a secret" } else { "a variable with a secret" };
                    if secrets::is_reference_variable(&entry.key, text) {
                        self.findings.push(variable_reference(&entry.key, self.location(&entry.value)));
                        continue;
                    }
                    self.inside(Step::Key(&entry.key), |walk| match is_secret {
                        true => walk.literal_secret(&entry.value, name),
                        false => walk.member(&entry.value, inner, accepts_null, field),
                    });
                }
            }
            (Content::Map(_), _) if is_struct(kind) => self.object(node, self.types.get(kind)),
            _ if kind == "any" => self.free(node, field.is_secret),
            (Content::List(items), _) if kind == "argument" => {
                for item in items {
                    self.inside(Step::Item, |walk| walk.member(item, "text", true, field));
                }
            }
            (Content::Scalar(scalar), _) => self.scalar(node, scalar, kind, field),
            _ => self.wrong_shape(node, kind),
        }
    }

    fn member(&mut self, node: &'a Value<'static>, kind: &'static str, accepts_null: bool, field: &'static Field) {
        if !accepts_null && node.is_null() {
            let location = self.location(node);
            let subject = wording::subject(&self.path);
            let mut finding = Diagnostic::new(Code::WrongType, format!("an item of {subject} is empty"), location)
                .help("write the item's keys, or remove it");
            if self.minor < (1, 14) && IGNORED_WHEN_NULL.contains(&self.path.as_str()) {
                finding.level = Level::Warning;
                finding = finding.note("Talos refuses it from 1.14 on");
            } else {
                finding = finding.note("Talos refuses the patch, and before 1.14 crashes on it");
            }
            self.findings.push(finding);
            return;
        }
        self.value(node, kind, field);
    }

    fn scalar(&mut self, node: &'a Value<'static>, scalar: &Scalar<'_>, kind: &'static str, field: &'static Field) {
        let text = &*scalar.text;
        // A placeholder replaces one scalar, of any type (no number in quotes), or a part of a string.
        let can_be_quoted = kind == "bool" || scalar.style == Style::Plain;
        let is_whole = can_be_quoted && text.starts_with("${") && text.find('}') == Some(text.len() - 1);
        let is_string = kind != "bool" && scalar::bounds(kind).is_none();
        let is_filled_in =
            has_placeholder(text) && (is_whole || is_string) && !is_struct(kind) && !kind.starts_with(['[', '{']);
        if field.is_secret && secret::is_secret(text) {
            self.findings.push(self.secret_field(node, text));
            return;
        }
        let is_secret = self.secret_form(node, text);
        if is_filled_in || scalar::is_decoded_as(kind, scalar, self.minor) {
            return;
        }
        if is_secret_reference(text) {
            self.findings.push(self.secret_field(node, text));
        } else if is_secret {
            // It is not shown.
            let finding = wording::wrong_shape(&self.path, kind, node, self.location(node));
            self.findings.push(finding.hidden());
        } else {
            let is_read = |minor: &Minor| {
                self.kind_in(*minor, kind).is_some_and(|kind| scalar::is_decoded_as(kind, scalar, *minor))
            };
            let later = talos::minors().filter(|minor| *minor > self.minor).find(is_read);
            let location = self.location(node);
            self.findings.push(match later {
                Some(since) => self.newer_value(&format!("`{text}`"), since, location),
                None => wording::bad_scalar(&self.path, kind, scalar, location),
            });
        }
    }

    /// A list or mapping where none may be, or a scalar where one must be.
    fn wrong_shape(&mut self, node: &'a Value<'static>, kind: &'static str) {
        self.free(node, false);
        let location = self.location(node);
        let is_list = matches!(node.content, Content::List(_));
        let is_list_later = kind != "argument" && self.kind_in(talos::newest_minor(), kind) == Some("argument");
        let mut finding = if is_list && is_list_later {
            self.newer_value("a list", (1, 13), location)
        } else {
            wording::wrong_shape(&self.path, kind, node, location)
        };
        // 1.12 decodes a mapping into the struct of such a value, whose fields it cannot set, and a list into its bytes.
        let is_byte = |item: &Value<'_>| {
            item.is_null() || item.as_scalar().is_some_and(|scalar| scalar::is_decoded_as("uint8", scalar, self.minor))
        };
        let is_decoded = match kind {
            "hardware-address" => is_list && node.list().iter().all(is_byte),
            _ if is_list => false,
            "bytes" => node.all_fields().iter().all(|entry| matches!(&*entry.key, "value" | "raw")),
            "address" | "address-port" | "cidr" | "size" | "cel" => node.all_fields().is_empty(),
            _ => false,
        };
        if self.minor < (1, 13) && is_decoded {
            finding.level = Level::Warning;
            finding.notes =
                vec!["Talos 1.12 misreads it silently, and later versions refuse the whole patch".to_owned()];
        }
        self.findings.push(finding);
    }

    /// The type in another minor of the value whose type is `kind` in this one; `None` if that minor does not have the field.
    fn kind_in(&self, minor: Minor, kind: &str) -> Option<&'static str> {
        let whole = Types::of(minor).at(&self.path)?.kind;
        let bare = whole.rfind([']', '}']).map_or(whole, |end| &whole[end + 1..]);
        Some(if kind.starts_with(['[', '{']) { whole } else { bare })
    }

    /// Finds secrets by their form, and timestamps, in a value of any form.
    pub(super) fn free(&mut self, node: &'a Value<'static>, is_secret: bool) {
        for entry in node.all_fields() {
            self.inside(Step::Key(&entry.key), |walk| match entry.value.as_scalar() {
                Some(scalar) if is_secret && entry.key == "secret" && secret::is_secret(&scalar.text) => {
                    walk.findings.push(walk.secret_field(&entry.value, &scalar.text));
                }
                _ => walk.free(&entry.value, is_secret),
            });
        }
        for item in node.list() {
            self.inside(Step::Item, |walk| walk.free(item, is_secret));
        }
        if let Some(scalar) = node.as_scalar() {
            self.secret_form(node, &scalar.text);
            if scalar.resolved == Resolved::Timestamp && !NEVER_COPIED.contains(&self.path.as_str()) {
                let text = scalar.text.to_string();
                self.timestamps.extend(node.origin.map(|origin| Timestamp { text, origin }));
            }
        }
    }

    fn secret_form(&mut self, node: &'a Value<'static>, text: &str) -> bool {
        let found = secrets::find(text);
        if let Some(found) = &found {
            self.literal_secret(node, found.name);
        } else if let Some(name) = secrets::reference_variable(text) {
            self.findings.push(variable_reference(name, self.location(node)));
        }
        found.is_some()
    }

    fn literal_secret(&mut self, node: &'a Value<'static>, name: &str) {
        let location = self.location(node);
        self.findings.push(
            Diagnostic::new(Code::LiteralSecret, format!("{name} is written in this patch"), location)
                .hidden()
                .note("the file is tracked, so everyone who can read the repository can use it")
                .help("revoke it, and write a placeholder such as `${TOKEN}` that is filled in where the patch is applied"),
        );
    }
}
