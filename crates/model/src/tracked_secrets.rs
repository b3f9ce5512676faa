//! The search for secrets in what git tracks: the files of the model, and the files that they name.

use talosmith_document::{Code, Diagnostic, Document, Entry, Location, Node, NodeValue, Pointer, SourceId};
use talosmith_machinery::talos_data::secrets;
use talosmith_machinery::variable_reference;

use crate::upstream::tailscale;

/// Returns the first secret by its form in a file that is not a part of the model, such as a template or the content of a machine file.
pub fn secrets_in_text(source: SourceId, text: &str) -> Option<Diagnostic> {
    let found = secrets::find(text)?;
    Some(finding(found.name, Location::bytes(source, found.range)).hidden())
}

/// Returns the first Tailscale key anywhere in a file, also in its comments.
pub fn tailscale_key(source: SourceId, text: &str) -> Option<Diagnostic> {
    let range = tailscale::find_secret(text)?;
    Some(finding("a Tailscale key", Location::bytes(source, range)))
}

/// Returns the secrets among the values of a file of the model. Those of its raw patches are found when these are decoded.
pub(crate) fn secrets_in_values(source: SourceId, document: &Document) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    search(source, &document.root, &Pointer::root, &mut findings);
    findings
}

/// Searches a value; `at` returns its pointer, which is needed only where something is found.
fn search(source: SourceId, node: &Node, at: &dyn Fn() -> Pointer, findings: &mut Vec<Diagnostic>) {
    match &node.value {
        NodeValue::Scalar(text, _) => {
            findings
                .extend(secrets::find(text).map(|found| finding(found.name, Location::value(source, at())).hidden()));
        }
        NodeValue::Sequence(items) => {
            items.iter().enumerate().for_each(|(index, item)| search(source, item, &|| at().item(index), findings));
        }
        NodeValue::Mapping(entries) => {
            for entry in entries.iter().filter(|entry| &*entry.key != "patches") {
                let at = || at().child(&entry.key);
                if &*entry.key == "extraArgs" {
                    let arguments = entry.value.entries().iter().filter(|argument| is_secret_argument(argument));
                    let at = |name: &str| Location::value(source, at().child(name));
                    findings.extend(arguments.map(|entry| argument(&entry.key, at(&entry.key))));
                }
                if is_secret_variable(entry) {
                    findings.push(finding("a variable with a secret", Location::value(source, at())).hidden());
                } else {
                    findings.extend(reference(entry, || Location::value(source, at())));
                    search(source, &entry.value, &at, findings);
                }
            }
        }
    }
}

fn is_secret_variable(entry: &Entry) -> bool {
    entry.value.scalar().is_some_and(|(value, _)| secrets::is_secret_variable(&entry.key, value))
}

/// The finding on an argument with a secret. Only a raw patch can name a secret in its place.
fn argument(name: &str, location: Location) -> Diagnostic {
    let placeholder = name.to_ascii_uppercase().replace('-', "_");
    let mut finding = finding("an argument with a secret", location).hidden();
    finding.helps = vec![format!(
        "revoke it, list a source of a new one as `{name}` under `secrets` in talosmith.yaml, and set the argument to `${{{placeholder}}}` in a raw patch, next to `secrets: [{name}]`"
    )];
    finding
}

fn is_secret_argument(entry: &Entry) -> bool {
    let is_secret = |value: &str| secrets::is_secret_argument(&entry.key, value) && secrets::find(value).is_none();
    entry.value.scalar().is_some_and(|(value, _)| is_secret(value))
}

/// The finding on a variable of a secret that has a reference to it.
fn reference(entry: &Entry, location: impl FnOnce() -> Location) -> Option<Diagnostic> {
    let (name, (value, _)) = (&entry.key, entry.value.scalar()?);
    if !secrets::is_reference_variable(name, value) {
        return None;
    }
    let finding = variable_reference(name, location());
    Some(match value.starts_with("op://") {
        true => finding.help(format!("its source under `secrets` in talosmith.yaml can be `op: {value}`")),
        false => finding,
    })
}

fn finding(name: &str, location: Location) -> Diagnostic {
    Diagnostic::new(Code::LiteralSecret, format!("this file contains {name}"), location)
        .note("the file is tracked, so everyone who can read the repository can use it")
        .help("revoke it, list a source of a new one under `secrets` in talosmith.yaml, and name that here")
}
