//! The device's values in the patches and texts that list them: `$<rack>`.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use talosmith_document::{
    Anchor, Code, Diagnostic, Document, Entry, Location, Node, NodeValue, Pointer, SourceId, Style, has_other_type,
};
use talosmith_machinery::{Edit, PatchLocator};

use super::Check;
use crate::device::Device;
use crate::readable::NO_ADDRESS;
use crate::scalar::{Value, ValueName};
use crate::{DeviceFile, LayerRank};

const BUILT_IN: [&str; 5] = ["name", "hostname", "address", "role", "cluster"];

/// A part of the model that may list values.
pub(super) struct ValueUser<'a> {
    /// What it is: `patch`.
    pub what: &'static str,
    pub name: &'a str,
    pub listed: &'a [ValueName],
    pub at: &'a Pointer,
}

/// A name between `$<` and `>`, and where it is written.
#[derive(Debug, Clone)]
pub(super) struct Mention {
    pub name: String,
    pub location: Location,
}

/// The values of a device, by the names that patches and other texts refer to.
pub(super) type Values = BTreeMap<String, Known>;

/// A value of a device.
pub(super) struct Known {
    text: String,
    /// Whether it is a string, and not a boolean or a number.
    is_text: bool,
    pub location: Location,
}

impl ValueUser<'_> {
    /// Returns the values for the names in its texts. Reports names without a value, and those that are listed or used alone.
    pub(super) fn resolve(&self, check: &mut Check<'_>, mentions: &[Mention]) -> Values {
        let mut values = Values::new();
        for Mention { name, location } in mentions {
            let is_listed = self.listed.iter().any(|listed| listed.as_str() == name);
            match known(check, name) {
                _ if values.contains_key(name) => {}
                Some(known) if is_listed || (!self.listed.is_empty() && BUILT_IN.contains(&name.as_str())) => {
                    values.insert(name.clone(), known);
                }
                Some(_) => self.report_unlisted(check, name, location),
                // A listed one is reported where it is listed.
                None if is_listed || self.listed.is_empty() => {}
                None => report_unknown(check, name, location.clone()),
            }
        }
        for (index, name) in self.listed.iter().enumerate() {
            let at = check.at(self.at.child("values").item(index));
            if known(check, name.as_str()).is_none() {
                report_unknown(check, name.as_str(), at);
            } else if !mentions.iter().any(|mention| mention.name == name.as_str()) {
                let message = format!("`$<{name}>` is not used by the {} `{}`", self.what, self.name);
                check.push(
                    Diagnostic::new(Code::UnusedValue, message, at)
                        .help(format!("write `$<{name}>` where the value belongs, or remove the name")),
                );
            }
        }
        values
    }

    fn report_unlisted(&self, check: &mut Check<'_>, name: &str, location: &Location) {
        let mut names: Vec<&str> = self.listed.iter().map(ValueName::as_str).collect();
        names.push(name);
        let message = format!("`$<{name}>` stays as it is: the {} `{}` does not list the value", self.what, self.name);
        check.push(
            Diagnostic::new(Code::UnlistedValue, message, location.clone())
                .note("the node gets the name and not the value")
                .help(format!("write in the {}:\nvalues: [{}]", self.what, names.join(", "))),
        );
    }
}

fn report_unknown(check: &mut Check<'_>, name: &str, location: Location) {
    let device = &check.file.device;
    let message = format!("the device `{}` has no value `{name}`", device.name);
    let names = device.values.keys().map(ValueName::as_str).chain(BUILT_IN);
    let finding = Diagnostic::new(Code::UnknownValue, message, location).did_you_mean(name, names);
    let finding = finding.unwrap_or_else(|finding| {
        finding.help(format!("add it to the device, or to a layer:\nvalues:\n  {name}: <value>"))
    });
    check.push(finding);
}

/// Returns a value of the device.
fn known(check: &Check<'_>, name: &str) -> Option<Known> {
    let device = &check.file.device;
    let (text, at) = match name {
        "name" => (device.name.to_string(), "/name"),
        "hostname" => match &device.hostname {
            Some(hostname) => (hostname.to_string(), "/hostname"),
            None => (device.name.to_string(), "/name"),
        },
        // A wrong one may be anything.
        "address" if device.address.to_string() == NO_ADDRESS => ("${ADDRESS}".to_owned(), "/address"),
        "address" => (device.address.to_string(), "/address"),
        "role" => (device.role.name().to_owned(), "/role"),
        "cluster" => (device.cluster.to_string(), "/cluster"),
        _ => {
            let (name, value) = device.values.iter().find(|(key, _)| key.as_str() == name)?;
            let location = check.at(Pointer::new("/values").child(name));
            let text = value.as_str().to_owned();
            return Some(Known { text, is_text: matches!(value, Value::Text(_)), location });
        }
    };
    Some(Known { text, is_text: true, location: check.at(at) })
}

/// Reports values that are built in, and the device's own that nothing lists.
pub(super) fn check_definitions(check: &mut Check<'_>) {
    let device = &check.file.device;
    // A part with an error may be the one that lists a value.
    let is_whole = check.file.is_whole && check.fleet.is_whole;
    for name in device.values.keys() {
        let at = Pointer::new("/values").child(name);
        let location = check.key(at.clone());
        if BUILT_IN.contains(&name.as_str()) {
            let message = format!("the value `{name}` is built in");
            check.push(
                Diagnostic::new(Code::BadName, message, location)
                    .note("it is what the device has for the key of this name")
                    .help("rename the value"),
            );
            continue;
        }
        // A value of a layer may be for other devices.
        if is_whole && check.file.layer(&at) == LayerRank::Device && !lists(device, name) {
            check.push(
                Diagnostic::new(Code::UnusedValue, format!("no patch and no text lists the value `{name}`"), location)
                    .help(format!(
                        "write `values: [{name}]` beside the text that has `$<{name}>`, or remove the value"
                    )),
            );
        }
    }
}

/// Whether a part of a device lists a value.
fn lists(device: &Device, name: &ValueName) -> bool {
    let patches = device.patches.values().map(|patch| &patch.values);
    let files = device.machine_files.iter().map(|(_, file)| &file.values);
    let services = device.extension_services.values().map(|service| &service.values);
    let manifests = device.manifests.iter().map(|(_, manifest)| &manifest.values);
    patches.chain(files).chain(services).chain(manifests).any(|listed| listed.contains(name))
}

/// The values that devices have from layers, and whether one of these devices lists them.
#[derive(Debug, Default)]
pub(super) struct LayerValues(BTreeMap<Location, (String, bool)>);

impl LayerValues {
    /// Returns the values that a device has from layers, and whether it lists them.
    pub(super) fn of(file: &DeviceFile) -> Vec<(Location, String, bool)> {
        let names = file.device.values.keys().filter(|name| !BUILT_IN.contains(&name.as_str()));
        let values = names.filter_map(|name| {
            let at = Pointer::new("/values").child(name);
            let is_of_layer = file.layer(&at) != LayerRank::Device;
            is_of_layer.then(|| (file.at(at).as_key(), name.to_string(), lists(&file.device, name)))
        });
        values.collect()
    }

    pub(super) fn add(&mut self, values: Vec<(Location, String, bool)>) {
        for (location, name, is_used) in values {
            self.0.entry(location).or_insert_with(|| (name, false)).1 |= is_used;
        }
    }

    /// Returns the findings on those that no device lists, once all devices were added.
    pub(super) fn unused(self) -> impl Iterator<Item = Diagnostic> {
        let unused = self.0.into_iter().filter(|(_, (_, is_used))| !is_used);
        unused.map(|(location, (name, _))| {
            let message = format!("no device that has the value `{name}` lists it in a patch or a text");
            Diagnostic::new(Code::UnusedValue, message, location)
                .help(format!("write `values: [{name}]` beside the text that has `$<{name}>`, or remove the value"))
        })
    }
}

/// Puts values into a text of YAML documents, and reports where they would change its structure.
pub(super) fn replace_in_text(
    check: &mut Check<'_>,
    user: &ValueUser<'_>,
    text: &str,
    locator: PatchLocator,
    values: &Values,
) -> (Arc<str>, PatchLocator) {
    let (replaced, edits) = replace(text, values);
    if let Err(fault) = check_shape(text, &replaced, locator.source(), values) {
        check.push(match fault {
            Some((bytes, value)) => {
                let message = format!("YAML does not read `{value}` as a string here");
                let help = format!("put it in quotes: \"{}\"", &text[bytes.clone()]);
                Diagnostic::new(Code::TemplateShape, message, locator.location(bytes)).help(help)
            }
            None => {
                let message = format!("the values would change the structure of the {}", user.what);
                let inline = if user.what == "patch" { ", or write the patch as `inline`" } else { "" };
                Diagnostic::new(Code::TemplateShape, message, check.key(user.at.clone()))
                    .help(format!("put each `$<name>` in quotes{inline}"))
            }
        });
    }
    (replaced.into(), PatchLocator::Edited(locator.into(), edits.into()))
}

/// Returns the names in a text, each with the bytes from `$<` to `>`.
fn placeholders(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    text.match_indices("$<").filter_map(|(start, _)| {
        let rest = &text[start + 2..];
        let name = &rest[..rest.find(|c: char| !c.is_ascii_alphanumeric())?];
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase()) && rest[name.len()..].starts_with('>');
        is_name.then(|| (start..start + name.len() + 3, name))
    })
}

/// Returns the names in a text; `location` returns where some bytes of it are.
pub(super) fn mentions(text: &str, location: impl Fn(Range<usize>) -> Location) -> Vec<Mention> {
    let mention = |(bytes, name): (_, &str)| Mention { name: name.to_owned(), location: location(bytes) };
    placeholders(text).map(mention).collect()
}

/// Returns the names in the keys and scalars of a mapping.
pub(super) fn mentions_in_node(node: &Node, locator: &PatchLocator) -> Vec<Mention> {
    fn walk(node: &Node, locator: &PatchLocator, found: &mut Vec<Mention>) {
        let mut add = |text: &str, span: &Range<u32>| {
            found.extend(mentions(text, |_| locator.location(span.start as usize..span.end as usize)));
        };
        if let Some((text, _)) = node.scalar() {
            add(text, &node.span);
        }
        node.entries().iter().for_each(|entry| add(&entry.key, &entry.key_span));
        node.items().iter().for_each(|item| walk(item, locator, found));
        node.entries().iter().for_each(|entry| walk(&entry.value, locator, found));
    }
    let mut found = Vec::new();
    walk(node, locator, &mut found);
    found
}

/// Returns a text with the values in place of their names, and what was replaced.
pub(super) fn replace(text: &str, values: &Values) -> (String, Vec<Edit>) {
    let mut out = String::with_capacity(text.len());
    let mut edits = Vec::new();
    let mut end = 0;
    for (written, name) in placeholders(text) {
        let Some(known) = values.get(name) else { continue };
        out.push_str(&text[end..written.start]);
        let start = out.len();
        out.push_str(&known.text);
        end = written.end;
        edits.push(Edit { written, replaced: start..out.len() });
    }
    out.push_str(&text[end..]);
    (out, edits)
}

/// Returns a mapping with the values in its scalars and keys. A scalar that consists of a placeholder alone has the type of the value.
pub(super) fn replace_in_node(node: &Node, values: &Values) -> Node {
    map_scalars(node, values, &|text, _| replace_scalar(text, Style::Plain, values))
}

fn map_scalars(node: &Node, values: &Values, scalar: &dyn Fn(&str, Style) -> (String, Style)) -> Node {
    let value = match &node.value {
        NodeValue::Scalar(text, style) if placeholders(text).next().is_none() => {
            NodeValue::Scalar(text.clone(), *style)
        }
        NodeValue::Scalar(text, style) => {
            let (text, style) = scalar(text, *style);
            NodeValue::Scalar(text.into(), style)
        }
        NodeValue::Sequence(items) => {
            NodeValue::Sequence(items.iter().map(|item| map_scalars(item, values, scalar)).collect())
        }
        NodeValue::Mapping(entries) => {
            let entry = |entry: &Entry| Entry {
                key: replace(&entry.key, values).0.into(),
                key_span: entry.key_span.clone(),
                value: map_scalars(&entry.value, values, scalar),
            };
            NodeValue::Mapping(entries.iter().map(entry).collect())
        }
    };
    Node { span: node.span.clone(), value }
}

fn replace_scalar(text: &str, style: Style, values: &Values) -> (String, Style) {
    let (replaced, edits) = replace(text, values);
    let whole = text.strip_prefix("$<").and_then(|rest| rest.strip_suffix('>')).and_then(|name| values.get(name));
    let is_typed = match whole {
        Some(known) => !known.is_text,
        None => replaced.bytes().all(|byte| byte.is_ascii_digit()) && !replaced.starts_with('0'),
    };
    let style = if style == Style::Plain && !edits.is_empty() && !is_typed { Style::Quoted } else { style };
    (replaced, style)
}

/// Returns why the values would change the structure of a text of YAML documents: the bytes of the scalar that is read as another type,
/// and its value; nothing if the structure is another one altogether.
fn check_shape(
    text: &str,
    replaced: &str,
    source: SourceId,
    values: &Values,
) -> Result<(), Option<(Range<usize>, String)>> {
    // What is not YAML is reported when it is decoded.
    let Ok(written) = Document::parse_stream(source, text) else { return Ok(()) };
    if let Some(fault) = written.iter().find_map(|root| other_type(root, values)) {
        return Err(Some(fault));
    }
    let data = |documents: &[Node]| documents.iter().cloned().map(Node::into_json).collect::<Vec<_>>();
    let in_text = |text: &str, style| replace_scalar(text, style, values);
    let expected: Vec<Node> = written.iter().map(|root| map_scalars(root, values, &in_text)).collect();
    match Document::parse_stream(source, replaced) {
        Ok(now) if data(&now) == data(&expected) => Ok(()),
        _ => Err(None),
    }
}

/// Returns the first scalar without quotes that is a string, and that YAML reads as something else once its values are in it.
fn other_type(node: &Node, values: &Values) -> Option<(Range<usize>, String)> {
    if let Some((text, Style::Plain)) = node.scalar() {
        let (replaced, style) = replace_scalar(text, Style::Plain, values);
        let span = node.span.start as usize..node.span.end as usize;
        return (style == Style::Quoted && has_other_type(&replaced)).then_some((span, replaced));
    }
    let mut children = node.items().iter().chain(node.entries().iter().map(|entry| &entry.value));
    children.find_map(|child| other_type(child, values))
}

/// Whether two locations have bytes in common.
pub(super) fn overlaps(left: &Location, right: &Location) -> bool {
    match (&left.anchor, &right.anchor) {
        (Anchor::Bytes(a), Anchor::Bytes(b)) => {
            let (a, b) = (Range::<usize>::from(*a), Range::<usize>::from(*b));
            left.source == right.source && a.start < b.end && b.start < a.end
        }
        _ => left == right,
    }
}
