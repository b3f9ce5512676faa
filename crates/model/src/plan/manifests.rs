//! Kubernetes objects that Talos creates when it bootstraps the cluster.

use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Document, Node, Pointer};
use talosmith_machinery::{PatchLocator, is_unknown};

use super::patches::locator_of_text;
use super::raw::{self, MAIN, Place};
use super::values::{self, ValueUser};
use super::{Check, Patch, texts};
use crate::device::Manifest;
use crate::tracked_secrets::secrets_in_text;

/// Manifests in the order of the model.
#[derive(Debug, Default, Serialize)]
pub struct Manifests {
    /// Those that Talos downloads.
    pub external: Vec<ExternalManifest>,
    /// Those that the config contains.
    pub inline: Vec<InlineManifest>,
}

#[derive(Debug, Serialize)]
pub struct ExternalManifest {
    pub name: String,
    pub url: String,
}

#[derive(Debug, Serialize)]
pub struct InlineManifest {
    pub name: String,
    /// YAML documents.
    pub content: String,
}

/// Plans the manifests of a control plane; none if there is none.
pub(super) fn plan(check: &mut Check<'_>) -> Option<Manifests> {
    let mut planned = Manifests::default();
    for (name, written) in check.file.device.manifests.iter() {
        let at = Pointer::new("/manifests").child(name);
        let name = name.to_string();
        match written {
            Manifest { url: Some(_), file: Some(_), .. } => check.exclusive(&at, "url", "file"),
            Manifest { url: Some(_), content: Some(_), .. } => check.exclusive(&at, "url", "content"),
            Manifest { file: Some(_), content: Some(_), .. } => check.exclusive(&at, "file", "content"),
            Manifest { url: Some(url), .. } => planned.external.push(ExternalManifest { name, url: url.to_string() }),
            Manifest { file: Some(path), .. } => {
                let Some((source, text)) = texts::file(check, &at, path) else { continue };
                check.findings.extend(secrets_in_text(source, &text));
                let content = with_values(check, &name, written, &text, PatchLocator::File(source));
                planned.inline.push(InlineManifest { name, content });
            }
            Manifest { content: Some(text), .. } => {
                let locator = locator_of_text(check, &at.child("content"));
                let content = with_values(check, &name, written, text, locator);
                planned.inline.push(InlineManifest { name, content });
            }
            Manifest { .. } => check.missing(&at, "url", "url: https://example.com/manifest.yaml"),
        }
    }
    (!planned.external.is_empty() || !planned.inline.is_empty()).then_some(planned)
}

/// Returns a manifest with the values that it lists, and checks its objects.
fn with_values(check: &mut Check<'_>, name: &str, written: &Manifest, text: &str, locator: PatchLocator) -> String {
    let at = Pointer::new("/manifests").child(name);
    let user = ValueUser { what: "manifest", name, listed: &written.values, at: &at };
    let values = user.resolve(check, &values::mentions(text, |bytes| locator.location(bytes)));
    if values.is_empty() {
        check_objects(check, text, &locator);
        return text.to_owned();
    }
    let (text, locator) = values::replace_in_text(check, &user, text, locator, &values);
    check_objects(check, &text, &locator);
    text.to_string()
}

/// Checks that a manifest consists of Kubernetes objects without secrets.
fn check_objects(check: &mut Check<'_>, text: &str, locator: &PatchLocator) {
    let documents = match Document::parse_stream(locator.source(), text) {
        Ok(documents) => documents,
        Err(findings) => {
            // What talosmith alone does not read, such as an alias, is not wrong.
            let wrong = findings.into_iter().filter(|finding| matches!(finding.code, Code::NotYaml | Code::TabIndent));
            for mut finding in wrong.take(1) {
                finding.at.location = locator.relocate(finding.at.location);
                finding.notes.push("Talos cannot create the objects of the manifest".to_owned());
                check.push(finding);
            }
            return;
        }
    };
    for root in documents.iter().filter(|root| !root.is_empty_scalar()) {
        let span = root.entries().first().map_or(&root.span, |entry| &entry.key_span);
        let location = || locator.location(span.start as usize..span.end as usize);
        let text_of = |key: &str| root.get(key).and_then(Node::scalar).map(|(text, _)| text.to_owned());
        let Some(kind) = text_of("kind").filter(|_| text_of("apiVersion").is_some()) else {
            let message = "a document of the manifest is not a Kubernetes object: it has no `apiVersion` and `kind`";
            let finding = Diagnostic::new(Code::NotYaml, message, location());
            check.push(
                finding
                    .note("Talos cannot create the objects of the manifest")
                    .help("add both keys, or remove the document"),
            );
            continue;
        };
        if kind == "Secret" && !data_of(root).is_empty() {
            let finding =
                Diagnostic::new(Code::LiteralSecret, "the manifest contains a Secret with its data", location());
            check.push(
                finding
                    .note("the tracked file would contain it, and the machine config of every control plane")
                    .help("create the Secret another way, such as with `kubectl`, an operator or a sealed one"),
            );
        }
    }
}

/// The data of a Secret: its items.
fn data_of(root: &Node) -> Vec<&Node> {
    let fields = ["data", "stringData"].into_iter().filter_map(|key| root.get(key));
    fields.flat_map(|data| data.entries().iter().map(|entry| &entry.value)).collect()
}

/// The manifests in raw patches.
const RAW: &[Place] = &[(MAIN, "cluster.inlineManifests[].contents"), ("KubeInlineManifestConfig", "manifest")];

/// Checks that the manifests in raw patches contain no Secret with its data. Placeholders in it are filled in where the patch is applied.
pub(super) fn check_raw(check: &mut Check<'_>, patches: &[Arc<Patch>]) {
    for manifest in raw::scalars(patches, RAW).into_iter().filter(|manifest| manifest.text.contains("Secret")) {
        let documents = Document::parse_stream(manifest.location.source, manifest.text).unwrap_or_default();
        let is_secret =
            |root: &&Node| root.get("kind").and_then(Node::scalar).is_some_and(|(kind, _)| kind == "Secret");
        let is_literal = |item: &&Node| item.scalar().is_some_and(|(text, _)| !text.is_empty() && !is_unknown(text));
        if documents.iter().filter(is_secret).flat_map(data_of).any(|item| is_literal(&item)) {
            let message = "the manifest contains a Secret with its data";
            check.push(
                Diagnostic::new(Code::LiteralSecret, message, manifest.location)
                    .hidden()
                    .note("the file is tracked, so everyone who can read the repository can use it")
                    .help("create the Secret another way, such as with `kubectl`, an operator or a sealed one"),
            );
        }
    }
}
