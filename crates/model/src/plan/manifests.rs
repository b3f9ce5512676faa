//! Kubernetes objects that Talos creates when it bootstraps the cluster.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Document, Node, Pointer};
use talosmith_machinery::PatchLocator;

use super::patches::locator_of_text;
use super::values::{self, ValueUser};
use super::{Check, texts};
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
        let has_data =
            ["data", "stringData"].iter().any(|key| root.get(key).is_some_and(|data| !data.entries().is_empty()));
        if kind == "Secret" && has_data {
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
