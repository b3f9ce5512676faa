//! Replaces secrets in plain text by placeholders, before anything else reads a file.

use std::collections::BTreeMap;
use std::ops::Range;

use anyhow::ensure;
use talosmith_document::{Anchor, Code, Document, Node, NodeValue, Pointer, TalosVersion};
use talosmith_machinery::talos_data::secrets;
use talosmith_machinery::{PatchLocator, Target, decode_patch};
use talosmith_model::tailscale_key;

use super::facts::{placeholder, placeholder_of};
use super::json_patch::config_keys;
use super::names::free_name;
use super::source_file::SourceFile;
use super::value::is_json_patch;

/// The most secrets of all files. Each is searched for and replaced in the text of its file.
const MAX_SECRETS: usize = 1_000;

/// The placeholders of the secrets that were found, by the values of the secrets.
#[derive(Default)]
pub(crate) struct Masked(BTreeMap<String, String>);

impl Masked {
    /// Replaces the secrets in a file by placeholders. Equal values get the same one.
    ///
    /// # Errors
    /// There are too many secrets.
    pub(crate) fn mask(&mut self, source: &mut SourceFile, version: &TalosVersion) -> anyhow::Result<()> {
        let mut text = source.text.clone();
        let mut ranges = secret_ranges(source, version)?;
        ranges.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
        ranges.dedup_by(|later, earlier| later.0.end > earlier.0.start);
        self.check_count(ranges.len())?;
        for (range, name) in ranges {
            let written = text[range.clone()].to_owned();
            let value = written.trim_matches(['"', '\'']);
            if placeholder(value).is_none() {
                let name = self.name(value, &name);
                let quote = if value == written { "" } else { &written[..1] };
                text.replace_range(range, &format!("{quote}${{{name}}}{quote}"));
                source.masked.insert(name);
            }
        }
        if Document::parse_stream(source.id, &text).is_err() {
            // A placeholder in a mapping or a list with brackets needs quotes.
            for name in &source.masked {
                let name = format!("${{{name}}}");
                text = text
                    .replace(&name, &format!("\"{name}\""))
                    .replace(&format!("\"\"{name}\"\""), &format!("\"{name}\""));
            }
        }
        while let Some(Anchor::Bytes(range)) = tailscale_key(source.id, &text).map(|finding| finding.at.location.anchor)
        {
            let range = Range::from(range);
            let name = self.name(&text[range.clone()], "tailscale-authkey");
            self.check_count(0)?;
            text.replace_range(range, &format!("${{{name}}}"));
            source.masked.insert(name);
        }
        if text != source.text {
            if let Ok(documents) = Document::parse_stream(source.id, &text) {
                source.documents = documents;
            }
            source.text = text;
        }
        Ok(())
    }

    /// Fails if there are too many secrets, with `more` that have no placeholder yet.
    fn check_count(&self, more: usize) -> anyhow::Result<()> {
        check_count(self.0.len() + more)
    }

    /// The names of the placeholders.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(String::as_str)
    }

    /// Returns the placeholder for a secret, whose preferred name is `name`.
    fn name(&mut self, value: &str, name: &str) -> String {
        if let Some(known) = self.0.get(value) {
            return known.clone();
        }
        let base = placeholder_of(name);
        let name = free_name(&base, '_', |name| self.0.values().all(|known| known != name));
        self.0.insert(value.to_owned(), name.clone());
        name
    }
}

fn check_count(count: usize) -> anyhow::Result<()> {
    ensure!(count <= MAX_SECRETS, "the files contain more than {MAX_SECRETS} secrets: import fewer at once");
    Ok(())
}

/// Returns the bytes of each secret, and a name for it. A value is a secret if its field in Talos's types is one, or if it has the form of one.
fn secret_ranges(source: &SourceFile, version: &TalosVersion) -> anyhow::Result<Vec<(Range<usize>, String)>> {
    let target = Target { version, base: version.minor() };
    let target = if is_json_patch(&source.documents) { target.with_one_document() } else { target };
    let (_, findings) = decode_patch(&source.documents, &PatchLocator::File(source.id), &target);
    let secrets: Vec<_> = findings.into_iter().filter(|finding| finding.code == Code::LiteralSecret).collect();
    check_count(secrets.len())?;
    let mut found: Vec<(Range<usize>, String)> = secrets
        .into_iter()
        .filter_map(|finding| match finding.at.location.anchor {
            Anchor::Bytes(range) => Some(Range::from(range)),
            _ => None,
        })
        .filter_map(|range| {
            let found = |root| Some((root, find(root, &Pointer::root(), &range)?));
            let (root, (pointer, node)) = source.documents.iter().find_map(found)?;
            Some(narrowed(&range, node, &pointer, root))
        })
        .collect();
    for root in &source.documents {
        add_by_form(root, root, &Pointer::root(), &mut found);
        add_variables(root, &source.text, &mut found);
    }
    Ok(found)
}

/// Returns the scalar that contains a range of bytes.
fn find<'n>(node: &'n Node, at: &Pointer, range: &Range<usize>) -> Option<(Pointer, &'n Node)> {
    let span = node.span.start as usize..node.span.end as usize;
    if span.start > range.start || range.end > span.end.max(range.start) {
        return None;
    }
    match &node.value {
        NodeValue::Scalar(..) => Some((at.clone(), node)),
        NodeValue::Sequence(items) => {
            items.iter().enumerate().find_map(|(index, item)| find(item, &at.item(index), range))
        }
        NodeValue::Mapping(entries) => {
            entries.iter().find_map(|entry| find(&entry.value, &at.child(&entry.key), range))
        }
    }
}

/// Returns the bytes of a secret in a scalar, and a name for it. In a variable `NAME=value`, the secret is the value.
fn narrowed(range: &Range<usize>, node: &Node, pointer: &Pointer, root: &Node) -> (Range<usize>, String) {
    let has_letter = |key: &String| key.bytes().any(|byte| byte.is_ascii_alphabetic());
    let keys = if root.items().is_empty() { pointer.segments().collect() } else { config_keys(root, pointer) };
    let mut keys: Vec<String> = keys.into_iter().filter(has_letter).collect();
    let is_variable_list = keys.iter().any(|key| key == "environment");
    let document = root.get("kind").and(root.get("name")).and_then(Node::scalar);
    keys.splice(..0, document.map(|(name, _)| name.to_owned()));
    let name = keys[keys.len().saturating_sub(2)..].join("-");
    let Some((text, _)) = node.scalar() else { return (range.clone(), name) };
    let span = node.span.start as usize..node.span.end as usize;
    match text.split_once('=').filter(|_| is_variable_list && span.len() == text.len()) {
        Some((variable, value)) if is_variable_name(variable) => {
            (span.end - value.len()..span.end, variable.to_owned())
        }
        _ => (range.clone(), name),
    }
}

/// Whether a string is the name of an environment variable in upper case.
fn is_variable_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_')
}

/// Adds the secrets in lines `NAME=value` of strings of several lines, such as the contents of files.
fn add_variables(node: &Node, text: &str, found: &mut Vec<(Range<usize>, String)>) {
    match &node.value {
        NodeValue::Scalar(content, _) if content.contains('\n') => {
            let mut start = node.span.start as usize;
            for line in text.get(start..node.span.end as usize).unwrap_or_default().split_inclusive('\n') {
                let end = start + line.trim_end().len();
                start += line.len();
                let variable = line.trim().trim_start_matches("export ").split_once('=');
                let variable = variable.map(|(name, value)| (name, value.trim_matches(['"', '\''])));
                if let Some((name, value)) = variable.filter(|(name, value)| {
                    is_variable_name(name) && secrets::is_secret_variable(name, value) && placeholder(value).is_none()
                }) {
                    let end = end - (line.trim_end().len() - line.trim_end().trim_end_matches(['"', '\'']).len());
                    found.push((end - value.len()..end, name.to_owned()));
                }
            }
        }
        NodeValue::Scalar(..) => {}
        NodeValue::Sequence(items) => items.iter().for_each(|item| add_variables(item, text, found)),
        NodeValue::Mapping(entries) => entries.iter().for_each(|entry| add_variables(&entry.value, text, found)),
    }
}

/// Adds the scalars that have the form of a secret, and the values of variables whose name or value is that of a secret.
fn add_by_form(root: &Node, node: &Node, at: &Pointer, found: &mut Vec<(Range<usize>, String)>) {
    match &node.value {
        NodeValue::Scalar(text, _) => {
            let span = node.span.start as usize..node.span.end as usize;
            let is_whole = span.len() == text.len();
            let variable = text
                .split_once('=')
                .filter(|(name, value)| is_variable_name(name) && secrets::is_secret_variable(name, value));
            if let (Some((name, value)), true) = (variable, is_whole) {
                found.push((span.end - value.len()..span.end, name.to_owned()));
            } else if let (Some(secret), true) = (secrets::find(text), is_whole) {
                let range = span.start + secret.range.start..span.start + secret.range.end;
                found.push(narrowed(&range, node, at, root));
            }
        }
        NodeValue::Sequence(items) => {
            items.iter().enumerate().for_each(|(index, item)| add_by_form(root, item, &at.item(index), found));
        }
        NodeValue::Mapping(entries) => {
            entries.iter().for_each(|entry| add_by_form(root, &entry.value, &at.child(&entry.key), found));
        }
    }
}
