//! Values of hand-written files that must be those of devices.

use std::ops::Range;

use talosmith_document::{
    Anchor, BlockText, Code, Diagnostic, Document, Location, Node, NodeValue, Pointer, SourceId, closest,
};

use super::device_names::{DeviceNames, KnownValues};
use crate::FleetFile;
use crate::fleet::ReferenceKind;
use crate::layout::FLEET_FILE;

/// The label of a node that contains its hostname.
///
/// Source: <https://kubernetes.io/docs/reference/labels-annotations-taints/#kubernetesiohostname>.
const HOSTNAME_LABEL: &str = "kubernetes.io/hostname";

/// The part of a path that leads into the YAML in a string.
const IN_STRING: &str = "(yaml)";

/// The number of findings of one reference that are shown one by one.
const SHOWN: usize = 100;

/// A reference, as it checks one file after the other.
#[derive(Debug)]
pub struct Reference {
    name: String,
    /// The pattern of its files.
    pub files: String,
    /// The keys that lead to the values; none for node selectors and node affinities.
    path: Option<Vec<String>>,
    kind: ReferenceKind,
    known: KnownValues,
    at: Location,
    /// The number of values that were found.
    found: usize,
    /// The number of values that no device has.
    unknown: usize,
    nearest: Nearest,
    findings: Vec<Diagnostic>,
}

/// How far the keys of a path lead in the file in which they lead farthest.
#[derive(Debug, Default)]
struct Nearest {
    /// The number of keys that exist.
    depth: usize,
    /// The keys that exist in place of the next one.
    keys: Vec<String>,
    /// Whether the path leads to something that is not a scalar.
    is_collection: bool,
    /// Whether there is a string in place of the next key.
    is_string: bool,
}

/// The search for the values of one file.
struct Search<'s> {
    source: SourceId,
    /// The keys that lead to the values.
    path: &'s [String],
    values: Vec<FoundValue>,
    nearest: &'s mut Nearest,
    /// The strings that are not YAML, and why.
    unparsed: Vec<(Range<usize>, String)>,
}

/// A scalar that a reference finds, and its bytes in the file.
struct FoundValue {
    text: String,
    is_null: bool,
    at: Range<usize>,
}

/// A text in which values are searched: a file, or a string in it.
struct SearchedText<'t> {
    text: &'t str,
    /// Returns the bytes in the file of some bytes of the text.
    in_file: &'t dyn Fn(Range<usize>) -> Range<usize>,
}

/// Returns the references of a fleet file, and what is wrong with them.
pub fn references(fleet: &FleetFile, names: &DeviceNames) -> (Vec<Reference>, Vec<Diagnostic>) {
    let (mut references, mut findings) = (Vec::new(), Vec::new());
    for (name, written) in &fleet.fleet.references {
        let at = Pointer::new("/references").child(name);
        if written.at.is_none() && written.is != ReferenceKind::NodeName {
            let message = format!("`references.{name}` has no `at`");
            let finding = Diagnostic::new(Code::MissingKey, message, fleet.at(at.child("is")))
                .note("without it, the values are names in node selectors and node affinities")
                .help("add `at` with the keys that lead to the values, or remove `is`");
            findings.push(finding);
            continue;
        }
        references.push(Reference {
            name: name.to_string(),
            files: written.files.to_string(),
            path: written.at.as_ref().map(|at| Pointer::new(format!("/{at}")).segments().collect()),
            kind: written.is,
            known: names.of(written.is),
            at: fleet.at(at),
            found: 0,
            unknown: 0,
            nearest: Nearest::default(),
            findings: Vec::new(),
        });
    }
    (references, findings)
}

impl Reference {
    /// Checks the documents of a file. Values in the bytes of `generated` are not the user's.
    pub fn check(&mut self, source: SourceId, text: &str, documents: &[Node], generated: &[Range<usize>]) {
        let file = SearchedText { text, in_file: &|bytes| bytes };
        let path = self.path.as_deref().unwrap_or_default();
        let (values, unparsed) = (Vec::new(), Vec::new());
        let mut search = Search { source, path, values, nearest: &mut self.nearest, unparsed };
        for document in documents {
            match &self.path {
                Some(_) => search.select(document, &file, 0),
                None => search.select_nodes(document),
            }
        }
        let Search { values, unparsed, .. } = search;
        for (at, why) in unparsed {
            let message = format!("the string is not checked: {why}");
            let finding = Diagnostic::new(Code::UncheckedReference, message, Location::bytes(source, at));
            self.findings.push(finding.note(format!("`references.{}` in {FLEET_FILE} reads it as YAML", self.name)));
        }
        for FoundValue { text, is_null, at } in values {
            self.found += 1;
            // Another program fills it in, or it is an alias.
            let is_filled_in = text.is_empty() || text.contains("${") || text.contains("{{");
            if is_filled_in || is_null || generated.iter().any(|region| region.contains(&at.start)) {
                continue;
            }
            if let Some(unknown) = self.known.unknown(text.trim()) {
                self.unknown += 1;
                if self.unknown <= SHOWN {
                    let finding = self.finding(unknown, Location::bytes(source, at));
                    self.findings.push(finding);
                }
            }
        }
    }

    fn finding(&self, value: &str, at: Location) -> Diagnostic {
        let value = value.escape_debug();
        let message = match self.kind {
            ReferenceKind::NodeName => format!("no device is the Kubernetes node `{value}`"),
            ReferenceKind::Hostname => format!("no device has the hostname `{value}`"),
            ReferenceKind::Address => format!("no device has the address `{value}`"),
            ReferenceKind::Device => format!("there is no device `{value}`"),
        };
        let finding = Diagnostic::new(Code::UnknownReference, message, at)
            .note("what the file specifies for it reaches no machine")
            .note(format!("`references.{}` in {FLEET_FILE} has this value checked", self.name));
        let finding = match self.known.meant(&value.to_string()) {
            Some(meant) => finding.label(format!("did you mean `{meant}`?")),
            None => finding,
        };
        if self.known.listed.is_empty() {
            return finding.help("remove it, or add the device");
        }
        finding.help(format!("write one of {}, or remove it", self.known.listed))
    }

    /// Adds a finding on a file that cannot be read.
    pub fn add_unreadable(&mut self, path: &str, reason: &str, at: Location) {
        self.findings.push(
            Diagnostic::new(Code::UncheckedReference, format!("`{path}` is not checked: {reason}"), at)
                .note(format!("`references.{}` in {FLEET_FILE} names it by `{}`", self.name, self.files)),
        );
    }

    /// Adds a finding on the pattern of the files.
    pub fn add_incomplete(&mut self, message: String) {
        let finding = Diagnostic::new(Code::UncheckedReference, message, self.location("files"));
        self.findings.push(finding.help("write a narrower pattern, or one reference for each folder"));
    }

    /// Returns the findings, once all files were checked. `links` are those that the pattern matches.
    pub fn finish(mut self, files: usize, links: &[String]) -> Vec<Diagnostic> {
        let mut findings = std::mem::take(&mut self.findings);
        if self.unknown > SHOWN {
            let message = format!("`references.{}` finds {} more values of no device", self.name, self.unknown - SHOWN);
            findings.push(Diagnostic::new(Code::UnknownReference, message, self.at.as_key()));
        }
        if files == 0 && findings.is_empty() {
            let message = format!("no file matches `{}`", self.files);
            let finding = Diagnostic::new(Code::UncheckedReference, message, self.location("files"));
            findings.push(match links.first() {
                Some(link) => finding.note(format!("`{link}` is a symbolic link, which is not followed")),
                None => finding.help(format!("write a path from the folder of {FLEET_FILE}, such as `apps/**/*.yaml`")),
            });
        } else if self.found == 0 && findings.is_empty() {
            findings.extend(self.nothing_found(files));
        }
        findings
    }

    /// The finding on a path that leads to no value.
    fn nothing_found(&self, files: usize) -> Option<Diagnostic> {
        let path = self.path.as_ref()?;
        let among = if files == 1 { "the file".to_owned() } else { format!("the {files} files") };
        let Nearest { depth, keys, is_collection, is_string } = &self.nearest;
        let written: Vec<String> = path.iter().map(|key| key.replace('~', "~0").replace('/', "~1")).collect();
        let whole = written.join("/");
        let message = format!("`{whole}` leads to no value in {among} of `{}`", self.files);
        let (start, wrong) = match path.get(*depth) {
            Some(key) => (written[..*depth].iter().map(|key| key.len() + 1).sum(), key),
            None => (0, path.last()?),
        };
        let end = if *is_collection { whole.len() } else { start + written[*depth].len() };
        let finding = Diagnostic::new(Code::UncheckedReference, message, self.location("at").part(start..end))
            .note("so nothing is checked");
        if *is_collection {
            return Some(finding.help(format!("write `{whole}/*` for the values in it")));
        }
        if *is_string {
            let mut with_mark = written.clone();
            with_mark.insert(*depth, IN_STRING.to_owned());
            let help = format!("write `{}` for what is in the string there, if that is YAML", with_mark.join("/"));
            return Some(finding.help(help));
        }
        let finding = match closest(wrong, keys.iter().map(String::as_str)) {
            Some(near) => return Some(finding.label(format!("did you mean `{near}`?"))),
            None => finding,
        };
        if keys[..] == ["*"] {
            return Some(finding.help("write `*` for the items of the list there"));
        }
        let keys: Vec<String> = keys.iter().take(8).map(|key| format!("`{}`", key.escape_debug())).collect();
        Some(if keys.is_empty() { finding } else { finding.help(format!("the keys there are {}", keys.join(", "))) })
    }

    fn location(&self, key: &str) -> Location {
        match &self.at.anchor {
            Anchor::Value(pointer) => Location::value(self.at.source, pointer.child(key)),
            _ => self.at.clone(),
        }
    }
}

impl Search<'_> {
    /// Adds the scalars to which the path leads. `depth` is the number of its keys that lead to the node.
    fn select(&mut self, node: &Node, text: &SearchedText<'_>, depth: usize) {
        let Some(key) = self.path.get(depth) else {
            match node.value {
                NodeValue::Scalar(..) => self.add(node, text),
                _ => *self.nearest = Nearest { depth, is_collection: true, ..Nearest::default() },
            }
            return;
        };
        if let (IN_STRING, Some((string, _))) = (key.as_str(), node.scalar()) {
            return self.select_in_string(node, string, text, depth);
        }
        if depth > self.nearest.depth || self.nearest.keys.is_empty() {
            let keys = node.entries().iter().take(1000).map(|entry| entry.key.to_string());
            let keys = if node.items().is_empty() { keys.collect() } else { vec!["*".to_owned()] };
            let is_string = node.scalar().is_some_and(|(string, _)| string.contains('\n'));
            *self.nearest = Nearest { depth, keys, is_collection: self.nearest.is_collection, is_string };
        }
        let is_any = key == "*";
        for entry in node.entries().iter().filter(|entry| is_any || *entry.key == **key) {
            self.select(&entry.value, text, depth + 1);
        }
        for (index, item) in node.items().iter().enumerate() {
            if is_any || key.parse() == Ok(index) {
                self.select(item, text, depth + 1);
            }
        }
    }

    /// Adds the scalars to which the rest of the path leads in the YAML of a string.
    fn select_in_string(&mut self, node: &Node, string: &str, text: &SearchedText<'_>, depth: usize) {
        let whole = node.span.start as usize..node.span.end as usize;
        match Document::parse_foreign(self.source, string) {
            Ok(documents) => {
                let block = BlockText::find(text.text, node);
                let in_file = |bytes: Range<usize>| match &block {
                    Some(block) => (text.in_file)(block.shifted(bytes)),
                    None => (text.in_file)(whole.clone()),
                };
                let inner = SearchedText { text: string, in_file: &in_file };
                documents.iter().for_each(|document| self.select(document, &inner, depth + 1));
            }
            Err(wrong) => self.unparsed.push(((text.in_file)(whole), wrong.message)),
        }
    }

    fn add(&mut self, node: &Node, text: &SearchedText<'_>) {
        let Some((scalar, _)) = node.scalar() else { return };
        let at = (text.in_file)(node.span.start as usize..node.span.end as usize);
        self.values.push(FoundValue { text: scalar.to_owned(), is_null: node.is_null(), at });
    }

    /// Adds the names of nodes in node selectors, node affinities and allowed topologies: values of the key `kubernetes.io/hostname`,
    /// and `values` beside `key: kubernetes.io/hostname`.
    fn select_nodes(&mut self, node: &Node) {
        let file = SearchedText { text: "", in_file: &|bytes| bytes };
        let is_expression = node.get("key").and_then(Node::scalar).is_some_and(|(key, _)| key == HOSTNAME_LABEL);
        for entry in node.entries() {
            if *entry.key == *HOSTNAME_LABEL && entry.value.scalar().is_some() {
                self.add(&entry.value, &file);
            } else if is_expression && *entry.key == *"values" {
                entry.value.items().iter().for_each(|item| self.add(item, &file));
            } else {
                self.select_nodes(&entry.value);
            }
        }
        node.items().iter().for_each(|item| self.select_nodes(item));
    }
}
