//! Translates the errors of a validator into findings, with the key, the expected value and a suggestion.

use std::collections::BTreeSet;

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;
use serde_json::Value;
use talosmith_document::{Code, Diagnostic, Document, Location, Node, Pointer, SourceId};

use super::Schema;
use super::flow::{as_mapping, as_strings, flow, system_disk};
use crate::scalar;
use crate::scalar::{Format, ScalarError};

/// Translates the errors of one document in the given order.
pub(super) fn translate(
    schema: Schema,
    (source, document): (SourceId, &Document),
    own: &[(&str, &str)],
    faults: &[ValidationError<'_>],
) -> Vec<Diagnostic> {
    let order =
        if schema == Schema::Device { [Schema::Device, Schema::Fleet] } else { [Schema::Fleet, Schema::Device] };
    let schemas = order.map(|schema| (schema, schema.parsed()));
    let translator = Translator { source, document, own, schemas };
    // The first error about the keys of a mapping yields the findings on all of them.
    let mut mappings = BTreeSet::new();
    let faults = faults.iter().filter(|fault| {
        let path = fault.instance_path().as_str();
        let is_of_keys = matches!(fault.kind(), ValidationErrorKind::Format { .. })
            && document.root.at(&Pointer::new(path)).is_some_and(|node| node.scalar().is_none());
        !is_of_keys || mappings.insert(path)
    });
    let mut findings: Vec<Diagnostic> = faults.flat_map(|fault| translator.finding(fault)).collect();
    // A key can violate several rules of its schema; one finding for a location is enough, but each missing key has its own.
    let mut seen = BTreeSet::new();
    findings.retain(|finding| {
        let missing = (finding.code == Code::MissingKey).then(|| finding.message.clone());
        seen.insert((finding.at.location.clone(), finding.code, missing))
    });
    findings
}

pub(super) struct Translator<'a> {
    source: SourceId,
    pub(super) document: &'a Document,
    /// Values for keys at the top that may be missing.
    own: &'a [(&'a str, &'a str)],
    pub(super) schemas: [(Schema, &'static Value); 2],
}

impl Translator<'_> {
    fn finding(&self, fault: &ValidationError<'_>) -> Vec<Diagnostic> {
        let at = Pointer::new(fault.instance_path().as_str());
        let rule = self.rule(fault);
        let one = match fault.kind() {
            ValidationErrorKind::AdditionalProperties { unexpected } => {
                return unexpected.iter().map(|key| self.unknown_key(&at, key, &rule)).collect();
            }
            ValidationErrorKind::Required { property } => {
                self.missing_key(&at, property.as_str().unwrap_or_default(), &rule)
            }
            ValidationErrorKind::Type { .. } => self.wrong_type(&at, &rule),
            ValidationErrorKind::Enum { options } => self.wrong_enum_value(&at, options),
            ValidationErrorKind::Format { format } => match scalar::format(format) {
                Some(format) => return self.bad_scalars(&at, format),
                None => self.refused(&at, &rule),
            },
            ValidationErrorKind::MultipleOf { .. } => self
                .wrong(format!("`{}` must be a whole number, or a string", dotted(&at)), &at)
                .help(format!("quote it: \"{}\"", self.text(&at))),
            ValidationErrorKind::MinItems { .. } => self.empty_list(&at),
            ValidationErrorKind::MinProperties { .. } | ValidationErrorKind::MaxProperties { .. } => {
                self.not_exactly_one_key(&at, &rule)
            }
            _ => self.refused(&at, &rule),
        };
        vec![one]
    }

    /// Returns the schema that has the keyword of an error.
    ///
    /// A compiled validator returns the path in a schema without the schema's ID. No path exists in both schemas, so both are searched.
    fn rule(&self, fault: &ValidationError<'_>) -> Value {
        let path = fault.schema_path().as_str();
        let around = path.rfind('/').map_or("", |at| &path[..at]);
        self.schemas.iter().find_map(|(_, schema)| schema.pointer(around)).cloned().unwrap_or_default()
    }

    fn unknown_key(&self, at: &Pointer, key: &str, rule: &Value) -> Diagnostic {
        let keys: Vec<&str> =
            rule["properties"].as_object().map(|map| map.keys().map(String::as_str).collect()).unwrap_or_default();
        let name = dotted(at);
        let message = if name.is_empty() {
            format!("`{key}` is not a key of this file")
        } else {
            format!("`{key}` is not a key of `{name}`")
        };
        let finding = Diagnostic::new(Code::UnknownKey, message, Location::key(self.source, at.child(key)));
        let finding = match finding.did_you_mean(key, keys.iter().copied()) {
            Ok(finding) if keys.contains(&"patches") => {
                return finding.help("what has no key is written under `patches`");
            }
            Ok(finding) => return finding,
            Err(finding) => finding,
        };
        let below = self.below_device(at);
        if let Some(help) = below.as_ref().and_then(|below| self.elsewhere(at, below, key)) {
            return finding.help(help);
        }
        let subject = if name.is_empty() { "the keys here".to_owned() } else { format!("the keys of `{name}`") };
        let finding = finding.note(format!("{subject}: {}", keys.join(", ")));
        match below {
            Some(_) => finding.help(
                "a setting of Talos that has no key is written as a raw patch, in Talos's own form, under `patches`",
            ),
            None => finding,
        }
    }

    fn missing_key(&self, at: &Pointer, key: &str, rule: &Value) -> Diagnostic {
        let (message, location) = if at.as_str().is_empty() {
            (format!("the key `{key}` is missing"), Location::file(self.source))
        } else {
            (format!("`{}` has no `{key}`", dotted(at)), Location::key(self.source, at.clone()))
        };
        let finding = Diagnostic::new(Code::MissingKey, message, location);
        let property = self.resolved(&rule["properties"][key]);
        let finding = match property["description"].as_str() {
            Some(text) => finding.note(format!("{key}: {}", lower_first(text.trim_end_matches('.')))),
            None => finding,
        };
        let own = self.own.iter().find(|(own, _)| *own == key && at.as_str().is_empty());
        let example = own.map_or_else(|| property["examples"][0].clone(), |(_, value)| (*value).into());
        match example {
            Value::Null => finding,
            example => finding.help(format!("add a line such as\n{key}: {}", flow(&example))),
        }
    }

    /// The finding on a scalar that YAML reads as another type than a string.
    fn not_a_string(&self, at: &Pointer, rule: &Value, value: &Value) -> Diagnostic {
        let text = self.text(at);
        let format = rule["format"].as_str().and_then(scalar::format);
        if let Some(format) = format
            && (format.check)(&text).is_err()
            && !value.is_null()
        {
            let finding = self.bad_scalar(Location::value(self.source, at.clone()), format, &text);
            let reads_alike = value.to_string().as_str() == text.as_str();
            return if reads_alike || !value.is_number() {
                finding
            } else {
                Diagnostic { message: format!("`{text}` is read by YAML as the number {value}"), ..finding }
            };
        }
        let takes_null = rule["type"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "null"));
        let help = match value {
            Value::Bool(false) if takes_null => "write `null` to switch it off".to_owned(),
            _ => format!("quote it: \"{text}\""),
        };
        self.wrong(format!("`{}` must be a string, not {}", dotted(at), kind(value)), at).help(help)
    }

    fn wrong_type(&self, at: &Pointer, rule: &Value) -> Diagnostic {
        let node = self.document.root.at(at);
        let expected: Vec<&str> = match &rule["type"] {
            Value::String(kind) => vec![kind],
            Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).filter(|kind| *kind != "null").collect(),
            _ => Vec::new(),
        };
        let value = node.cloned().map(Node::into_json).unwrap_or_default();
        let text = self.text(at);
        if expected == ["string"] && !matches!(value, Value::Array(_) | Value::Object(_)) {
            return self.not_a_string(at, rule, &value);
        }
        let expected = expected.iter().map(|kind| article(kind)).collect::<Vec<_>>().join(" or ");
        let finding = self.wrong(format!("`{}` must be {expected}, not {}", dotted(at), kind(&value)), at);
        if expected == "a list" && !value.is_null() {
            let is_of_strings = self.resolved(&rule["items"])["type"] == "string";
            let list = match is_of_strings && value.is_object() {
                true => as_strings(&value),
                false => Some(Value::Array(vec![value])),
            };
            let Some(list) = list else { return finding };
            return finding.help(format!("write it as a list:\n{}: {}", at.last().unwrap_or_default(), flow(&list)));
        }
        let name = at.last().unwrap_or_default();
        let keys = rule["properties"].as_object().filter(|_| expected == "a mapping");
        if let Some(key) = keys.and_then(|keys| own_key(keys, &value)) {
            let own = format!("{{ {key}: {} }}", flow(&value));
            let is_item = name.bytes().all(|byte| byte.is_ascii_digit());
            return finding.help(if is_item {
                format!("write the item as\n- {own}")
            } else {
                format!("write it as in\n{name}: {own}")
            });
        }
        let entry = self.resolved(&rule["additionalProperties"]);
        if expected == "a mapping"
            && entry.is_object()
            && let Some(mapping) = as_mapping(&value, entry["properties"].is_object())
        {
            return finding.help(format!("write it as in\n{name}: {}", flow(&mapping)));
        }
        let finding = match keys {
            Some(keys) => finding.note(format!("its keys: {}", keys.keys().cloned().collect::<Vec<_>>().join(", "))),
            None => finding,
        };
        match rule["examples"][0] {
            _ if dotted(at).ends_with("install.disk") && text.starts_with("/dev/") => finding.help(system_disk(&text)),
            Value::Null => finding,
            ref example => finding.help(format!("write it as in\n{name}: {}", flow(example))),
        }
    }

    fn wrong_enum_value(&self, at: &Pointer, options: &Value) -> Diagnostic {
        let values: Vec<&str> =
            options.as_array().map(|options| options.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
        let text = self.text(at);
        let finding = self.wrong(format!("`{text}` is not a valid value for `{}`", dotted(at)), at);
        let (Ok(finding) | Err(finding)) = finding.did_you_mean(&text, values.iter().copied());
        let quoted: Vec<String> = values.iter().map(|value| format!("`{value}`")).collect();
        finding.help(format!("write {}", quoted.join(" or ")))
    }

    /// Returns the findings on a scalar or, if the format is that of a mapping's keys, on each key.
    fn bad_scalars(&self, at: &Pointer, format: &Format) -> Vec<Diagnostic> {
        match self.document.root.at(at) {
            Some(node) if node.scalar().is_none() => {
                let bad = node.entries().iter().filter(|entry| (format.check)(&entry.key).is_err());
                bad.map(|entry| self.bad_scalar(Location::key(self.source, at.child(&entry.key)), format, &entry.key))
                    .collect()
            }
            _ => vec![self.bad_scalar(Location::value(self.source, at.clone()), format, &self.text(at))],
        }
    }

    fn bad_scalar(&self, location: Location, format: &Format, text: &str) -> Diagnostic {
        let fault = (format.check)(text).err().unwrap_or_else(|| ScalarError::new(format!("`{text}` is not valid")));
        fault.at(format.code, location)
    }

    fn empty_list(&self, at: &Pointer) -> Diagnostic {
        self.wrong(format!("`{}` is an empty list", dotted(at)), at)
            .help("list at least one item, or leave the key out")
    }

    fn not_exactly_one_key(&self, at: &Pointer, rule: &Value) -> Diagnostic {
        let keys: Vec<String> = rule["properties"]
            .as_object()
            .map(|map| map.keys().map(|key| format!("`{key}`")).collect())
            .unwrap_or_default();
        self.wrong(format!("`{}` must have exactly one key", dotted(at)), at)
            .help(format!("write one of {}", keys.join(", ")))
    }

    fn refused(&self, at: &Pointer, rule: &Value) -> Diagnostic {
        let wrong = |why| self.wrong(format!("`{}` {why}", dotted(at)), at);
        match (&rule["minimum"], &rule["maximum"]) {
            (Value::Null, Value::Null) => wrong("is not valid in the schema"),
            (least, Value::Null) => wrong("is too small").help(format!("write a number of at least {least}")),
            (least, most) => wrong("is out of range").help(format!("write a number from {least} to {most}")),
        }
    }

    /// Returns a finding on the value at `at`.
    fn wrong(&self, message: String, at: &Pointer) -> Diagnostic {
        Diagnostic::new(Code::WrongType, message, Location::value(self.source, at.clone()))
    }

    /// Returns a scalar as it is written.
    pub(super) fn text(&self, at: &Pointer) -> String {
        self.document.root.at(at).and_then(|node| node.scalar()).map(|(text, _)| text.to_owned()).unwrap_or_default()
    }

    /// Returns a schema, or the one that it refers to.
    pub(super) fn resolved(&self, schema: &Value) -> Value {
        let Some(reference) = schema["$ref"].as_str() else { return schema.clone() };
        let (document, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        self.schemas
            .iter()
            .filter(|(_, schema)| {
                document.is_empty() || schema["$id"].as_str().is_some_and(|id| id.ends_with(document))
            })
            .find_map(|(_, schema)| schema.pointer(fragment))
            .cloned()
            .unwrap_or_default()
    }
}

pub(super) fn dotted(at: &Pointer) -> String {
    at.segments().collect::<Vec<_>>().join(".")
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

fn article(kind: &str) -> &'static str {
    match kind {
        "object" => "a mapping",
        "array" => "a list",
        "string" => "a string",
        "boolean" => "`true` or `false`",
        "integer" | "number" => "a number",
        _ => "something else",
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "empty",
        Value::Bool(_) => "`true` or `false`",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "a mapping",
    }
}

/// Returns the key of a mapping that a value most likely belongs to which was written in the mapping's place.
fn own_key<'a>(keys: &serde_json::Map<String, Value>, value: &Value) -> Option<&'a str> {
    let likely: &[&str] = match value {
        Value::String(text) if text.starts_with("op://") => &["op"],
        Value::String(_) => &["content", "file", "schematic"],
        Value::Array(_) => &["endpoints"],
        _ => &[],
    };
    likely.iter().copied().find(|key| keys.contains_key(*key))
}
