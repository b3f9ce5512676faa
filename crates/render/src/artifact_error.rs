//! Why an artifact is not written.

use std::borrow::Cow;

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Location, SourceId};

use crate::engine::TemplateOrigin;
use crate::{Artifact, TemplateError};

/// Why an artifact is not written.
#[derive(Debug)]
pub enum ArtifactError {
    Template(TemplateError),
    Finding(Box<Diagnostic>),
    /// Its reader would reject what a template rendered.
    Invalid(Box<InvalidArtifact>),
}

/// An artifact that its reader would refuse, because of its template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidArtifact {
    pub path: Utf8PathBuf,
    pub template: Cow<'static, str>,
    /// The value: `/provisioning/minSize of document 1`, or `document 1` as a whole; empty if the text cannot be parsed.
    pub location: String,
    /// What is wrong there: lower case, no full stop.
    pub message: String,
}

impl InvalidArtifact {
    /// `at` is the index of the document and the pointer of the value in it.
    pub(crate) fn new(artifact: &Artifact, at: Option<(usize, &str)>, message: String) -> Self {
        let location = match at {
            None => String::new(),
            Some((index, "")) => format!("document {}", index + 1),
            Some((index, pointer)) => format!("{pointer} of document {}", index + 1),
        };
        Self { path: artifact.path.clone(), template: artifact.template.clone().unwrap_or_default(), location, message }
    }

    /// Returns the finding at the template, whose text `source` has.
    pub fn diagnostic(&self, source: SourceId, origin: TemplateOrigin) -> Diagnostic {
        let at = if self.location.is_empty() { String::new() } else { format!(" at `{}`", self.location) };
        let message = format!("`{}` would not be valid{at}: {}", self.path, self.message);
        let finding = Diagnostic::new(Code::OutputSchema, message, Location::file(source))
            .note("each artifact is parsed again and checked as its reader does before it is written");
        match origin {
            TemplateOrigin::BuiltIn => origin.explain(finding),
            TemplateOrigin::Override => finding.help("fix the template"),
        }
    }
}
