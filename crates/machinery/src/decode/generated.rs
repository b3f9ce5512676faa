//! Patches that talosmith generated: what is wrong with one is wrong with its template.

use talosmith_document::{Anchor, Code, Diagnostic, Document, Level, Pointer, Sources};

use super::{Patch, Target, documents};
use crate::PatchLocator;
use crate::value::Value;

/// Why Talos's loader refuses a generated patch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedPatchError {
    /// The index of the document and the value in it; none if the text is not YAML or has no document.
    pub location: Option<(usize, Pointer)>,
    /// What is wrong: lower case, no full stop.
    pub message: String,
}

/// Decodes a patch that talosmith generated. That its values may be secrets is not checked.
///
/// # Errors
/// Everything for which Talos's loader refuses it.
pub fn decode_generated(text: &str, target: &Target<'_>) -> Result<Patch, Vec<GeneratedPatchError>> {
    let source = Sources::default().add("", "");
    let nodes = Document::parse_stream(source, text).map_err(|findings| {
        let messages = findings.into_iter().map(|finding| finding.message);
        messages.map(|message| GeneratedPatchError { location: None, message }).collect::<Vec<_>>()
    })?;
    let documents: Vec<Value<'static>> = nodes.iter().map(Value::read).collect();
    let mut timestamps = Vec::new();
    let findings = documents::check_patch(&documents, &PatchLocator::File(source), target, &mut timestamps);
    let is_error = |finding: &&Diagnostic| finding.level == Level::Error && finding.code != Code::LiteralSecret;
    let errors: Vec<GeneratedPatchError> = findings
        .iter()
        .filter(is_error)
        .map(|finding| GeneratedPatchError { location: find(&documents, finding), message: finding.message.clone() })
        .collect();
    if errors.is_empty() { Ok(Patch::new(documents, timestamps)) } else { Err(errors) }
}

fn find(documents: &[Value<'static>], finding: &Diagnostic) -> Option<(usize, Pointer)> {
    let Anchor::Bytes(range) = finding.at.location.anchor else { return None };
    let mut numbered = documents.iter().enumerate();
    numbered.find_map(|(index, document)| Some((index, document.find(&range.into())?.0)))
}
