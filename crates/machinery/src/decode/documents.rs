//! The kinds of the documents of a patch.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Level, Location, Pointer, TalosVersion, closest};

use super::deletions::{has_deletion, is_deletion, is_dropped};
use super::fields::Walk;
use super::wording::{alternatives, title};
use super::{Target, Timestamp};
use crate::PatchLocator;
use crate::json_patch::{self, OPERATIONS};
use crate::talos_data::types::{MAIN, Types};
use crate::talos_data::{Minor, talos};
use crate::value::{Content, Field, Value};

/// The keys by which the loader knows a main document.
const MAIN_KEYS: [&str; 4] = ["machine", "cluster", "debug", "persist"];

/// The one version that documents have so far.
const API_VERSION: &str = "v1alpha1";

/// Returns everything for which Talos's loader refuses the documents of a patch, deprecated fields, and secrets.
///
/// Adds the timestamps in free-form mappings to `timestamps`.
pub(super) fn check_patch(
    documents: &[Value<'static>],
    locator: &PatchLocator,
    target: &Target<'_>,
    timestamps: &mut Vec<Timestamp>,
) -> Vec<Diagnostic> {
    let written: Vec<&Value<'static>> = documents.iter().filter(|document| !document.is_null()).collect();
    if written.is_empty() {
        return vec![empty(locator.location(0..0))];
    }
    if let Some(document) = operations(documents) {
        return check_json_patch(document, locator, target);
    }
    let is_all_empty = written.iter().all(|document| is_dropped(document) && !has_deletion(document));
    let mut findings = Vec::new();
    let mut seen: BTreeMap<[&str; 3], &Value<'_>> = BTreeMap::new();
    for document in written {
        if is_dropped(document) && !is_all_empty && !has_deletion(document) {
            continue;
        }
        let mut walk = check_document(document, locator, target);
        findings.append(&mut walk.findings);
        timestamps.append(&mut walk.timestamps);
        if is_dropped(document) {
            continue;
        }
        match seen.get(&identity(document)) {
            Some(first) if target.version.minor() < (1, 14) => {
                findings.push(duplicate(document, locator.location(document.span()), locator.location(first.span())));
            }
            Some(_) => {}
            None => drop(seen.insert(identity(document), document)),
        }
    }
    findings
}

fn check_document<'a>(document: &'a Value<'static>, locator: &'a PatchLocator, target: &'a Target<'a>) -> Walk<'a> {
    let mut walk = Walk::new(locator, target);
    if !matches!(document.content, Content::Map(_)) {
        let location = locator.location(document.span());
        walk.findings.push(
            Diagnostic::new(Code::WrongType, "a patch is a mapping, as in a machine config", location)
                .help("begin with a key such as `machine:`, or with `apiVersion: v1alpha1` and a `kind`"),
        );
        return walk;
    }
    walk.deletions(document);
    match kind(document, locator, target) {
        Ok(kind) => walk.document(document, kind),
        Err(finding) => {
            // Without a kind only its secrets can be looked for.
            walk.free(document, false);
            walk.findings.extend(finding.map(|finding| *finding));
        }
    }
    if target.version.minor() > talos::newest_minor() {
        walk.findings.iter_mut().for_each(|finding| newer(finding, target.version));
    }
    walk
}

/// What a newer Talos than is known refuses is not known either.
fn newer(finding: &mut Diagnostic, version: &TalosVersion) {
    if finding.level == Level::Error && finding.code != Code::LiteralSecret {
        finding.level = Level::Warning;
        let (major, minor) = talos::newest_minor();
        finding.notes.push(format!("{version} may know more: the fields are those of Talos {major}.{minor}"));
    }
}

/// What identifies a document for the loader: its `apiVersion`, kind and name.
fn identity<'a>(document: &'a Value<'_>) -> [&'a str; 3] {
    let text = |key| written(document, key).unwrap_or_default();
    let kind = text("kind");
    [text("apiVersion"), if kind.is_empty() { MAIN } else { kind }, text("name")]
}

/// The scalar at a key, as it is written.
fn written<'v>(value: &'v Value<'_>, key: &str) -> Option<&'v str> {
    value.field(key)?.value.as_scalar().map(|scalar| &*scalar.text)
}

/// Why a document has no kind, unless it only deletes what it names.
type NoKind = Option<Box<Diagnostic>>;

/// The kind of a document, `v1alpha1` for the main one.
fn kind<'a>(document: &'a Value<'_>, locator: &PatchLocator, target: &Target<'_>) -> Result<&'a str, NoKind> {
    let text = |key: &str| written(document, key).filter(|text| !text.is_empty());
    let location_of = |key: &str| {
        let value = document.field(key).map_or(document, |field| &field.value);
        locator.location(value.span())
    };
    for key in ["kind", "apiVersion"] {
        if document.field(key).is_some_and(|field| field.value.as_scalar().is_none()) {
            let finding = Diagnostic::new(Code::WrongType, format!("`{key}` is not a string"), location_of(key));
            return Err(Some(Box::new(finding)));
        }
    }
    let is_main = document.all_fields().iter().any(|field| MAIN_KEYS.contains(&&*field.key));
    let is_deleted = document.all_fields().iter().any(is_deletion);
    let missing = |code, message: &str, help: &str| {
        let span = document.all_fields().first().map_or_else(|| document.span(), Field::key_span);
        Err(Some(Box::new(Diagnostic::new(code, message, locator.location(span)).help(help))))
    };
    let version_help = "add a line\napiVersion: v1alpha1";
    match (text("kind"), text("apiVersion")) {
        (Some(_), None) if is_deleted => {
            missing(Code::MissingKey, "a document that is deleted needs its `apiVersion`", version_help)
        }
        (None, _) if is_deleted => missing(
            Code::PatchDelete,
            "`$patch: delete` cannot delete the main document",
            "put it below the key that is to go, as in\nmachine:\n  sysctls:\n    $patch: delete",
        ),
        (Some(_), Some(_)) if is_deleted => Err(None),
        (Some(kind), Some(API_VERSION)) if kind == MAIN => Ok(kind),
        (Some(kind), version) if version == Some(API_VERSION) || is_main && version.is_none() => {
            known_kind(kind, location_of("kind"), target)
        }
        (Some(_), Some(version)) => {
            let message = format!("no document has the `apiVersion` `{version}`");
            let finding = Diagnostic::new(Code::WrongType, message, location_of("apiVersion"))
                .note("Talos refuses the whole patch for a document that it does not know")
                .help(format!("write `apiVersion: {API_VERSION}`"));
            Err(Some(Box::new(finding)))
        }
        (Some(_), None) => missing(Code::MissingKey, "a document with a `kind` needs its `apiVersion`", version_help),
        (None, version) if version == Some(API_VERSION) || is_main => Ok(MAIN),
        (None, None) if has_deletion(document) => Ok(MAIN),
        (None, _) => {
            let help = match document.all_fields().iter().find_map(|field| main_section(&field.key)) {
                Some(section) => {
                    format!("write it below `{section}:` of the main document, or add `apiVersion` and `kind`")
                }
                None => {
                    "begin with `machine:` or `cluster:`, or add the lines\napiVersion: v1alpha1\nkind: HostnameConfig"
                        .to_owned()
                }
            };
            missing(Code::MissingKey, "the document has no `kind`, and no key of the main document", &help)
        }
    }
}

/// A kind that Talos knows.
fn known_kind<'a>(kind: &'a str, location: Location, target: &Target<'_>) -> Result<&'a str, NoKind> {
    let refusal = "Talos refuses the whole patch for a kind that it does not know";
    let finding = match talos::kind_since(kind) {
        Some(since) if since <= target.minor() => return Ok(kind),
        Some((major, minor)) => {
            let message = format!("{} has no {kind} document (needs v{major}.{minor})", target.version);
            Diagnostic::new(Code::OldTalos, message, location).note(refusal).help(match settings_of(kind) {
                old if old.is_empty() => format!("upgrade the node to v{major}.{minor} or later first"),
                old => {
                    format!("write {old} of the main document, or upgrade the node to v{major}.{minor} or later first")
                }
            })
        }
        None => {
            let message = format!("Talos has no document `{kind}`");
            let finding = Diagnostic::new(Code::UnknownKind, message, location).note(refusal);
            let known = talos::kinds().filter(|kind| talos::kind_since(kind) <= Some(target.minor()));
            // The published schema has two kinds without their ending.
            let with_ending = format!("{kind}Config");
            match closest(kind, known).or_else(|| talos::kinds().find(|kind| *kind == with_ending)) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => {
                    finding.help("`apiVersion: v1alpha1` is for Talos documents; a Kubernetes manifest is not a patch")
                }
            }
        }
    };
    Err(Some(Box::new(finding)))
}

/// The settings of the main document that a kind replaces: "`machine.sysctls`".
fn settings_of(kind: &str) -> String {
    let types = Types::of(talos::newest_minor());
    let mut paths = Vec::new();
    for section in ["machine", "cluster"] {
        let fields = types.below(&format!("{MAIN}.{section}"));
        for (key, _) in fields.iter().flat_map(|fields| fields.fields()) {
            let deprecation = fields.and_then(|fields| fields.find(key)?.deprecation);
            if deprecation.is_some_and(|deprecation| deprecation.successors().any(|successor| successor == kind)) {
                paths.push(format!("{section}.{key}"));
            }
        }
    }
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    if paths.is_empty() { String::new() } else { alternatives(&paths) }
}

/// The path of the section of the main document that has a key, or a path of keys: `machine`, or `machine.network`. `None` if there is none,
/// or several one level below `machine` and `cluster`.
#[must_use]
pub fn section_path(key: &str) -> Option<String> {
    if let Some(section) = main_section(key) {
        return Some(section.to_owned());
    }
    let types: Vec<&Types> = talos::minors().map(Types::of).collect();
    let mut found = BTreeSet::new();
    for section in ["machine", "cluster"] {
        for types in &types {
            let Some(fields) = types.below(&format!("{MAIN}.{section}")) else { continue };
            let paths = fields.fields().map(|(field, _)| format!("{section}.{field}"));
            found.extend(paths.filter(|path| types.at(&format!("{MAIN}.{path}.{key}")).is_some()));
        }
    }
    found.pop_first().filter(|_| found.is_empty())
}

/// The section of the main document that has a key, or a path of keys.
pub(crate) fn main_section(key: &str) -> Option<&'static str> {
    ["machine", "cluster"].into_iter().find(|section| {
        let path = format!("{MAIN}.{section}.{key}");
        talos::minors().any(|minor| Types::of(minor).at(&path).is_some())
    })
}

fn empty(location: Location) -> Diagnostic {
    Diagnostic::new(Code::EmptyValue, "the patch is empty", location)
        .note("Talos refuses a patch without a document")
        .help("write the keys that it is to change, or remove the patch")
}

fn duplicate(document: &Value<'_>, location: Location, first: Location) -> Diagnostic {
    let [_, kind, name] = identity(document);
    let message = format!("{} is in this patch twice", title(kind, name));
    Diagnostic::new(Code::DuplicateDocument, message, location)
        .also(first, "first here")
        .note("before 1.14 Talos refuses a patch in which two documents have the same kind and name")
        .help("write both into one document, or into two patches")
}

/// The first minor whose base config has several documents.
pub const SEVERAL_DOCUMENTS_SINCE: Minor = (1, 12);

/// Returns the operations of a patch that is an RFC 6902 patch.
pub(super) fn operations<'d>(documents: &'d [Value<'static>]) -> Option<&'d Value<'static>> {
    let mut written = documents.iter().filter(|document| !document.is_null());
    let document = written.next().filter(|document| document.list().iter().any(|item| item.field("op").is_some()))?;
    written.next().is_none().then_some(document)
}

/// Returns everything for which Talos refuses the operations of an RFC 6902 patch on their own; only a base config of one document takes
/// them.
fn check_json_patch(document: &Value<'static>, locator: &PatchLocator, target: &Target<'_>) -> Vec<Diagnostic> {
    let is_too_deep = |operation: &Value<'_>| {
        ["path", "from"].iter().any(|key| written(operation, key).is_some_and(json_patch::is_json_path_too_deep))
    };
    if let Some(operation) = document.list().iter().find(|operation| is_too_deep(operation)) {
        let message = format!("a path of this JSON patch has more than {} keys", json_patch::MAX_KEYS);
        let finding = Diagnostic::new(Code::JsonPatch, message, locator.location(operation.span()));
        return vec![finding.help("write a path that a machine config has")];
    }
    if target.base >= SEVERAL_DOCUMENTS_SINCE {
        let message = "this is a JSON patch, which Talos accepts for single documents only";
        let location = locator.location(document.list()[0].span());
        let finding = Diagnostic::new(Code::JsonPatch, message, location)
            .note("every base config since 1.12 has several documents, and Talos refuses a JSON patch for it");
        return vec![as_merge_patch(document, finding, target)];
    }
    let mut findings = Vec::new();
    for operation in document.list() {
        let op = written(operation, "op").unwrap_or_default();
        if !OPERATIONS.contains(&op) {
            let message = format!("`{op}` is not an operation of a JSON patch");
            let finding = Diagnostic::new(Code::JsonPatch, message, locator.location(operation.span()));
            findings.push(finding.help(format!("write one of: {}", OPERATIONS.join(", "))));
        } else if let (Some(path), Some(value)) = (written(operation, "path"), operation.get("value")) {
            let whole = json_patch::around(path, value.clone());
            let mut walk = Walk::new(locator, target);
            walk.document(&whole, MAIN);
            findings.append(&mut walk.findings);
        }
    }
    findings
}

/// Adds the first operation of a JSON patch as a strategic merge patch.
fn as_merge_patch(document: &Value<'_>, finding: Diagnostic, target: &Target<'_>) -> Diagnostic {
    let first = &document.list()[0];
    let text = |key| written(first, key);
    let path = Pointer::new(text("path").unwrap_or_default());
    let is_index = |key: &String| key == "-" || key.bytes().all(|byte| byte.is_ascii_digit());
    let keys: Vec<String> = path.segments().take_while(|key| !is_index(key)).collect();
    let Some((last, above)) = keys.split_last() else {
        return finding.help("write the keys that are to change as they are in the config");
    };
    let is_admission = path.as_str().starts_with("/cluster/apiServer/admissionControl");
    if is_admission && text("op") == Some("remove") && target.base >= (1, 14) {
        return finding.help(
            "delete the document that the base has for it:\napiVersion: v1alpha1\nkind: KubeAdmissionControlConfig\nname: PodSecurity\n$patch: delete",
        );
    }
    let mut lines = String::from("write the keys as they are in the config:");
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
