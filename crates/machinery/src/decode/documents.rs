//! Which document a document is.

use talosmith_document::{Code, Diagnostic, Level, Node, NodeValue, Pointer, TalosVersion, closest};

use super::Target;
use super::deletions::{has_deletion, is_deletion, is_dropped};
use super::fields::Walk;
use crate::Origin;
use crate::talos_data::fields;
use crate::talos_data::fields::MAIN;
use crate::talos_data::talos;

/// The keys by which the loader knows a main document.
const MAIN_KEYS: [&str; 4] = ["machine", "cluster", "debug", "persist"];

/// The one version that documents have so far.
const API_VERSION: &str = "v1alpha1";

/// Everything for which Talos's loader refuses a patch, deprecated fields, and secrets.
#[must_use]
pub fn decode_patch(documents: &[Node], origin: &Origin, target: &Target<'_>) -> Vec<Diagnostic> {
    let root = Pointer::root();
    let written: Vec<&Node> = documents.iter().filter(|node| !node.is_null() && !node.is_empty_scalar()).collect();
    if written.is_empty() {
        return vec![empty(origin.bytes(0..0))];
    }
    if let [node] = written[..]
        && node.items().iter().any(|item| item.get("op").is_some())
    {
        return vec![json_patch(node, origin.value(&root, &node.items()[0]))];
    }
    let is_all_empty = written.iter().all(|node| is_dropped(node) && !has_deletion(node));
    let mut findings = Vec::new();
    let mut seen: Vec<(Identity<'_>, &Node)> = Vec::new();
    for node in written {
        if is_dropped(node) && !is_all_empty && !has_deletion(node) {
            continue;
        }
        findings.extend(decode(node, origin, target));
        let identity = Identity::of(node);
        if is_dropped(node) {
            continue;
        }
        match seen.iter().find(|(other, _)| *other == identity) {
            Some((_, first)) if target.version.minor() < (1, 14) => {
                findings.push(duplicate(&identity, origin.value(&root, node), origin.value(&root, first)));
            }
            Some(_) => {}
            None => seen.push((identity, node)),
        }
    }
    findings
}

/// Everything for which Talos's loader refuses one document of a patch, deprecated fields, and secrets.
#[must_use]
pub fn decode(document: &Node, origin: &Origin, target: &Target<'_>) -> Vec<Diagnostic> {
    let root = Pointer::root();
    if document.is_null() || document.is_empty_scalar() {
        return Vec::new();
    }
    if !matches!(document.value, NodeValue::Mapping(_)) {
        let location = origin.value(&root, document);
        return vec![
            Diagnostic::new(Code::WrongType, "a patch is keys and values, as they stand in a machine config", location)
                .help("begin with a key such as `machine:`, or with `apiVersion: v1alpha1` and a `kind`"),
        ];
    }
    let mut walk = Walk::new(origin, target);
    walk.deletions(document);
    match kind(document, origin, target) {
        Ok(kind) => walk.document(document, kind),
        Err(finding) => {
            // What it is stays open, so only its secrets can be looked for.
            walk.secrets(document);
            walk.findings.extend(finding.map(|finding| *finding));
        }
    }
    let mut findings = walk.findings;
    if target.version.minor() > talos::newest_minor() {
        findings.iter_mut().for_each(|finding| newer(finding, target.version));
    }
    findings
}

/// What a newer Talos than is known refuses is not known either.
fn newer(finding: &mut Diagnostic, version: &TalosVersion) {
    if finding.level == Level::Error && finding.code != Code::LiteralSecret {
        finding.level = Level::Warning;
        let (major, minor) = talos::newest_minor();
        finding.notes.push(format!("{version} may know more: the fields are those of Talos {major}.{minor}"));
    }
}

/// By what the loader tells documents apart.
#[derive(Debug, PartialEq)]
struct Identity<'a> {
    api_version: &'a str,
    kind: &'a str,
    name: &'a str,
}

impl<'a> Identity<'a> {
    fn of(document: &'a Node) -> Self {
        let text = |key| document.get(key).and_then(Node::scalar).map_or("", |(text, _)| text);
        let kind = text("kind");
        Self { api_version: text("apiVersion"), kind: if kind.is_empty() { MAIN } else { kind }, name: text("name") }
    }
}

/// The kind of a document, `v1alpha1` for the main one; or why it is none, and nothing where it only deletes what it names.
fn kind<'a>(document: &'a Node, origin: &Origin, target: &Target<'_>) -> Result<&'a str, Option<Box<Diagnostic>>> {
    let root = Pointer::root();
    let entry = |key: &str| document.entries().iter().find(|entry| *entry.key == *key);
    let text = |key: &str| {
        entry(key).and_then(|entry| entry.value.scalar()).map(|(text, _)| text).filter(|text| !text.is_empty())
    };
    let is_main = document.entries().iter().any(|entry| MAIN_KEYS.contains(&&*entry.key));
    for key in ["kind", "apiVersion"] {
        if let Some(entry) = entry(key).filter(|entry| entry.value.scalar().is_none()) {
            let location = origin.value(&root.child(key), &entry.value);
            return Err(Some(Box::new(Diagnostic::new(Code::WrongType, format!("`{key}` is not a text"), location))));
        }
    }
    let is_deleted = document.entries().iter().any(is_deletion);
    let is_missing = |code, message: &str, help: &str| {
        let location = document
            .entries()
            .first()
            .map_or_else(|| origin.value(&root, document), |first| origin.key(&root.child(&first.key), first));
        Err(Some(Box::new(Diagnostic::new(code, message.to_owned(), location).help(help.to_owned()))))
    };
    match (text("kind"), text("apiVersion")) {
        (Some(_), None) if is_deleted => is_missing(
            Code::MissingKey,
            "a document that is deleted needs its `apiVersion`",
            "add a line\napiVersion: v1alpha1",
        ),
        (None, _) if is_deleted => is_missing(
            Code::PatchDelete,
            "`$patch: delete` cannot delete the main document",
            "put it below the key that is to go, as in\nmachine:\n  sysctls:\n    $patch: delete",
        ),
        (Some(_), Some(_)) if is_deleted => Err(None),
        (Some(kind), Some(API_VERSION)) if kind == MAIN => Ok(kind),
        (Some(kind), version) if version == Some(API_VERSION) || is_main && version.is_none() => {
            match talos::kind_since(kind) {
                Some(since) if since > target.minor() => Err(Some(Box::new(
                    Diagnostic::new(
                        Code::OldTalos,
                        format!("{} has no {kind} document (needs v{}.{})", target.version, since.0, since.1),
                        origin.value(&root.child("kind"), document.get("kind").unwrap_or(document)),
                    )
                    .note("Talos refuses the whole patch for a kind that it does not know")
                    .help(format!("upgrade the node to v{}.{} or later first", since.0, since.1)),
                ))),
                Some(_) => Ok(kind),
                None => Err(Some(Box::new(unknown_kind(kind, document, origin, target)))),
            }
        }
        (Some(_), Some(version)) => {
            let location = origin.value(&root.child("apiVersion"), document.get("apiVersion").unwrap_or(document));
            Err(Some(Box::new(
                Diagnostic::new(Code::WrongType, format!("no document has the `apiVersion` `{version}`"), location)
                    .note("Talos refuses the whole patch for a document that it does not know")
                    .help(format!("write `apiVersion: {API_VERSION}`")),
            )))
        }
        (Some(kind), None) if kind == MAIN && is_main => Ok(MAIN),
        (Some(_), None) => is_missing(
            Code::MissingKey,
            "a document with a `kind` needs its `apiVersion`",
            "add a line\napiVersion: v1alpha1",
        ),
        (None, None) if is_main || has_deletion(document) => Ok(MAIN),
        (None, Some(API_VERSION)) => Ok(MAIN),
        (None, Some(_)) if is_main => Ok(MAIN),
        (None, _) => {
            let home = document.entries().iter().find_map(|entry| home(&entry.key));
            let help = home.map_or_else(
                || {
                    "begin with `machine:` or `cluster:`, or add the lines\napiVersion: v1alpha1\nkind: HostnameConfig"
                        .to_owned()
                },
                |home| {
                    format!(
                        "write it below `{home}:`, as it stands in the main document, or add `apiVersion` and `kind`"
                    )
                },
            );
            is_missing(Code::MissingKey, "it is not said which document this is", &help)
        }
    }
}

/// The section of the main document that has a key.
pub(super) fn home(key: &str) -> Option<&'static str> {
    ["machine", "cluster"].into_iter().find(|section| fields::find(&format!("{MAIN}.{section}.{key}")).is_some())
}

fn unknown_kind(kind: &str, document: &Node, origin: &Origin, target: &Target<'_>) -> Diagnostic {
    let location = origin.value(&Pointer::root().child("kind"), document.get("kind").unwrap_or(document));
    let finding = Diagnostic::new(Code::UnknownKind, format!("Talos has no document `{kind}`"), location)
        .note("Talos refuses the whole patch for a kind that it does not know");
    let known = talos::kinds().filter(|kind| talos::kind_since(kind) <= Some(target.minor()));
    // The published schema has two kinds without their ending.
    let with_ending = format!("{kind}Config");
    match closest(kind, known).or_else(|| talos::kinds().find(|kind| *kind == with_ending)) {
        Some(near) => finding.label(format!("did you mean `{near}`?")),
        None => finding.help("`apiVersion: v1alpha1` is for Talos's documents; a Kubernetes manifest is no patch"),
    }
}

fn empty(location: talosmith_document::Location) -> Diagnostic {
    Diagnostic::new(Code::EmptyValue, "the patch is empty", location)
        .note("Talos refuses a patch without a document")
        .help("write the keys that it is to change, or remove the patch")
}

fn duplicate(
    identity: &Identity<'_>,
    location: talosmith_document::Location,
    first: talosmith_document::Location,
) -> Diagnostic {
    let name = match (identity.kind, identity.name) {
        (MAIN, _) => "the main document stands in this patch twice".to_owned(),
        (kind, "") => format!("{kind} stands in this patch twice"),
        (kind, name) => format!("{kind} `{name}` stands in this patch twice"),
    };
    Diagnostic::new(Code::DuplicateDocument, name, location)
        .also(first, "first here")
        .note("before 1.14 Talos refuses a patch in which two documents have one kind and name")
        .help("write both into one document, or into two patches")
}

/// An RFC 6902 patch, and its first operation as a strategic merge patch.
fn json_patch(node: &Node, location: talosmith_document::Location) -> Diagnostic {
    let finding =
        Diagnostic::new(Code::JsonPatch, "this is a JSON patch, which Talos takes for single documents only", location)
            .note("every base config since 1.12 has several documents, and Talos refuses a JSON patch for it");
    let first = &node.items()[0];
    let text = |key| first.get(key).and_then(Node::scalar).map(|(text, _)| text);
    let path = Pointer::new(text("path").unwrap_or_default());
    let is_index = |key: &String| key == "-" || key.bytes().all(|byte| byte.is_ascii_digit());
    let keys: Vec<String> = path.segments().take_while(|key| !is_index(key)).collect();
    let Some((last, above)) = keys.split_last() else {
        return finding.help("write the keys that are to change as they stand in the config");
    };
    let mut lines = String::from("write the keys as they stand in the config:");
    for (depth, key) in above.iter().enumerate() {
        lines.push_str(&format!("\n{}{key}:", "  ".repeat(depth)));
    }
    let indent = "  ".repeat(above.len());
    let value = match text("op") {
        Some("remove") => format!("\n{indent}  $patch: delete"),
        _ => " …".to_owned(),
    };
    finding.help(format!("{lines}\n{indent}{last}:{value}"))
}
