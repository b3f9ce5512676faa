//! Applies patches to a base config in order, and checks the result.

use talosmith_document::{Code, Diagnostic, Level, Location, Sources};

use super::config::{Cleared, Config, Document, PatchedOrBase};
use super::decode::{Deletion, DeletionError, PatchDocument, Target, title};
use super::json_patch;
use super::merge::Merger;
use super::report::{AppliedPatch, Report};
use super::rules::{Rules, conflicts};
use super::value::Value;
use super::{base, deletion};
use crate::placeholder::is_unknown;
use crate::talos_data::types::{MAIN, Types};
use crate::{Role, cel};

/// Returns everything for which Talos refuses the patches together, and what they change in each other's values.
///
/// `model_location` returns where the model specifies a line of the patch that one of its keys requests, by the key and the line. No
/// patch may have an error of [`super::decode_patch`].
#[must_use]
pub fn check_patches(
    target: &Target<'_>,
    role: Role,
    patches: &[AppliedPatch<'_>],
    expressions: &cel::Checker,
    model_location: &dyn Fn(&str, &str) -> Location,
) -> Vec<Diagnostic> {
    let mut report = Report::new(patches, model_location);
    let config = &mut Config::of_base(target, role, patches);
    for (index, applied) in patches.iter().enumerate() {
        let number = apply_patch(config, index, applied, &mut report);
        let findings = Rules::new(config, expressions, &report).check_identities();
        report.findings.extend(findings);
        if index + 1 < patches.len() {
            let timestamps = applied.patch.timestamps.iter();
            timestamps.for_each(|found| report.timestamp(&found.text, found.origin.of_patch(number)));
        }
    }
    for left in &config.leftovers {
        report.not_deleted(DeletionError::Absent, &title(&left.kind, &left.name), left.origin);
    }
    // What cannot be deleted or merged is left as it was, and hides nothing else.
    let findings = Rules::new(config, expressions, &report).check_config();
    report.findings.extend(findings);
    let findings = Rules::new(config, expressions, &report).check_node();
    report.findings.extend(findings);
    let cleared: Vec<Cleared> = std::mem::take(&mut config.cleared);
    for cleared in &cleared {
        report.cleared(cleared);
    }
    let mut findings = report.findings;
    findings.sort_by(|a, b| a.at.location.cmp(&b.at.location));
    talosmith_document::merge(&mut findings);
    findings
}

/// Merges patches into a config in order. What cannot be merged or deleted is left as it was.
pub(crate) fn merge_patches<'a>(mut config: Config<'a>, patches: &'a [AppliedPatch<'a>]) -> Config<'a> {
    let nowhere = |_: &str, _: &str| Location::file(Sources::default().add("", ""));
    let mut report = Report::new(patches, &nowhere);
    for (index, applied) in patches.iter().enumerate() {
        apply_patch(&mut config, index, applied, &mut report);
    }
    config
}

/// Applies a patch, and returns its number.
fn apply_patch<'a>(config: &mut Config<'a>, index: usize, applied: &AppliedPatch<'a>, report: &mut Report<'_>) -> u16 {
    let index = u16::try_from(index).unwrap_or(u16::MAX);
    if let Some(operations) = &applied.patch.json_patch {
        apply_json_patch(config, index, operations, report);
    }
    for document in &applied.patch.documents {
        apply(config, index, document, report);
    }
    if applied.is_base() {
        config.documents.iter_mut().for_each(|document| document.of_base = true);
    }
    index
}

impl<'a> Config<'a> {
    /// The generated base config; empty where the first patches are the base.
    pub(crate) fn of_base(target: &Target<'a>, role: Role, patches: &[AppliedPatch<'_>]) -> Self {
        let is_generated = !patches.iter().any(AppliedPatch::is_base);
        Self::new(if is_generated { base::documents(target.base, role) } else { Vec::new() }, target.version)
    }
}

/// Applies an RFC 6902 patch. Talos does so only for a config of a single document. With several, it refuses the patch, which is then applied to
/// the main document as far as possible, so that it hides nothing else.
fn apply_json_patch<'a>(config: &mut Config<'a>, patch: u16, operations: &'a Value<'static>, report: &mut Report<'_>) {
    let mut is_refused = false;
    if let ([_, .., last], Some(origin)) = (&config.documents[..], operations.origin) {
        is_refused = true;
        // That a base has several documents is reported for the patch on its own.
        if !last.of_base {
            let message = format!("Talos refuses a JSON patch after {} was added", last.title());
            let finding = report
                .finding(Code::JsonPatch, message, origin.of_patch(patch))
                .note("it takes one only for a config of a single document")
                .help("write it as a strategic merge patch");
            report.findings.push(finding);
        }
    }
    let Some(main) = config.documents.first_mut() else { return };
    let mut copied = 0;
    for operation in operations.list() {
        let operation = operation.of_patch(patch);
        if ["path", "from"].iter().any(|key| json_patch::is_json_path_too_deep(operation.text(key))) {
            continue;
        }
        main.origin = operation.origin;
        if let (Err(message), Some(origin)) =
            (json_patch::apply(main.value.to_mut(), &operation, &mut copied), operation.origin)
        {
            if is_refused {
                merge_operation(main.value.to_mut(), &operation, config.types);
                continue;
            }
            let message = format!("this operation cannot be applied: {message}");
            let finding = report.finding(Code::JsonPatch, message, origin).note("Talos refuses the whole patch");
            report
                .findings
                .push(finding.help("spell the path as it is in the config, or write a strategic merge patch"));
            return;
        }
    }
}

/// Merges the value of an operation whose path the main document does not have: another base config has it.
fn merge_operation<'a>(main: &mut Value<'a>, operation: &Value<'a>, types: &'static Types) {
    let value = operation.field("value").filter(|_| matches!(operation.text("op"), "add" | "replace"));
    if let Some(field) = value {
        Merger::new(types, MAIN, "").document(main, json_patch::around(operation.text("path"), field.value.clone()));
    }
}

fn apply<'a>(config: &mut Config<'a>, patch: u16, document: &'a PatchDocument, report: &mut Report<'_>) {
    let (deletions, rest) = match &document.content {
        Ok(content) => content,
        Err((error, origin)) => return report.not_deleted(*error, "", origin.of_patch(patch)),
    };
    let kind = document.kind.as_str();
    let name = if config.is_named(kind) { document.name.as_str() } else { "" };
    for deletion in deletions {
        // It may be any item or document.
        if is_unknown(name) || deletion.item.as_ref().is_some_and(|(_, value)| is_unknown(value)) {
            continue;
        }
        let origin = deletion.origin.of_patch(patch);
        if let Err(error) = deletion::delete(config, (kind, &document.name), deletion, origin) {
            report.not_deleted(error, &named(kind, name, deletion), origin);
            let moved = conflicts::document_of_base(config, &deletion.path.join("."));
            if let (Some(document), Some(finding)) = (moved.filter(|_| kind == MAIN), report.findings.last_mut()) {
                finding.helps = vec![document.deletion()];
            }
            let is_accepted = error == DeletionError::NoIdentity && config.since(14);
            if let Some(finding) = report.findings.last_mut().filter(|_| is_accepted) {
                finding.level = Level::Warning;
                finding.notes = vec!["Talos accepts it, and deletes nothing".to_owned()];
            }
        }
    }
    let Some(value) = rest else { return };
    let value = value.of_patch(patch);
    let origin = value.origin;
    match config.position(kind, name) {
        None => {
            config.documents.push(Document {
                kind,
                name,
                value: PatchedOrBase::Patched(value),
                origin,
                of_base: false,
            });
        }
        Some(at) => {
            let mut merger = Merger::new(config.types, kind, name);
            let document = &mut config.documents[at];
            document.origin = origin;
            merger.document(document.value.to_mut(), value);
            for event in merger.events {
                report.event(kind, name, event);
            }
            config.cleared.extend(merger.cleared);
        }
    }
    // A field that is set again is no longer cleared.
    let documents = &config.documents;
    config.cleared.retain(|cleared| {
        let document = documents
            .iter()
            .find(|document| document.kind == cleared.document.0 && document.name == cleared.document.1);
        document.is_some_and(|document| !document.value.has(&cleared.path))
    });
}

fn named(kind: &str, name: &str, deletion: &Deletion) -> String {
    let mut text = deletion.path.join(".");
    if let Some((key, value)) = &deletion.item {
        text = format!("{text}` with `{key}: {value}");
    }
    if text.is_empty() { title(kind, name) } else { format!("`{text}` of {}", title(kind, name)) }
}
