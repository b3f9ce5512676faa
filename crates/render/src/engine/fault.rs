//! What can be wrong with a template.

use std::ops::Range;

use minijinja::{Error, ErrorKind};
use talosmith_document::{Code, Diagnostic, Location, SourceId};

use crate::engine::refusal::Refusal;

/// Why a template could not be rendered, in words that hold no value of its context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}: {message}")]
pub struct TemplateFault {
    /// The name of the template that is at fault: the rendered one, or one that it includes or places as a part.
    pub template: String,
    /// The bytes of that template's text, where they are known.
    pub range: Option<Range<usize>>,
    /// What kind of fault.
    pub kind: FaultKind,
    /// What is wrong, lower case, without full stop.
    pub message: String,
}

/// The kinds of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultKind {
    /// The template cannot be parsed.
    Syntax,
    /// A name is not there.
    Undefined {
        /// The expression: `device.hostnme`.
        name: String,
        /// A name that is there and looks like its last word: `hostname`.
        suggestion: Option<String>,
    },
    /// A value would change the structure of the document around it.
    Shape,
    /// Anything else.
    Other,
}

impl TemplateFault {
    /// The finding, at a template whose text is the source with this number.
    #[must_use]
    pub fn diagnostic(&self, source: SourceId) -> Diagnostic {
        let code = match self.kind {
            FaultKind::Syntax => Code::TemplateSyntax,
            FaultKind::Undefined { .. } => Code::TemplateUndefined,
            FaultKind::Shape => Code::TemplateShape,
            FaultKind::Other => Code::TemplateFailed,
        };
        let location =
            self.range.clone().map_or_else(|| Location::file(source), |range| Location::bytes(source, range));
        let finding = Diagnostic::new(code, self.message.clone(), location);
        match &self.kind {
            FaultKind::Undefined { suggestion, .. } => {
                let finding = match suggestion {
                    Some(name) => finding.label(format!("did you mean `{name}`?")),
                    None => finding,
                };
                finding.note("templates see what the plan says: no environment, no files")
            }
            FaultKind::Shape => finding
                .note("a value gets its quotes by itself, and they are right only where it is the whole of a scalar")
                .help("join the text first: `{{ \"before\" ~ value }}`; or place lines with `{{ value | block(4) }}`"),
            FaultKind::Syntax | FaultKind::Other => finding,
        }
    }

    /// The fault behind an error of the engine. `text` gives the text of a template; `root` is the one that was asked
    /// for. A suggestion is not made here.
    pub(super) fn from_error<'a>(error: &Error, root: &str, text: impl FnOnce(&str) -> Option<&'a str>) -> Self {
        let error = innermost(error);
        let template = error.name().unwrap_or(root).to_owned();
        let text = text(&template).unwrap_or_default();
        let range = error.range().or_else(|| error.line().and_then(|line| line_range(text, line)));
        let range = range.filter(|range| text.get(range.clone()).is_some());
        let detail = || error.detail().unwrap_or_default();
        let (kind, message) = match error.kind() {
            ErrorKind::SyntaxError => (FaultKind::Syntax, detail().to_owned()),
            ErrorKind::UndefinedError => {
                let spelled = range.clone().and_then(|range| text.get(range)).unwrap_or_default();
                let name = undefined_name(detail()).unwrap_or(spelled).to_owned();
                let message = format!("`{name}` is not defined in this template");
                (FaultKind::Undefined { name, suggestion: None }, message)
            }
            // Their details name what the template's author wrote.
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments => (FaultKind::Other, detail_or_kind(error)),
            ErrorKind::TemplateNotFound => (FaultKind::Other, "there is no template with this name".to_owned()),
            ErrorKind::OutOfFuel => (FaultKind::Other, "the template takes too many steps".to_owned()),
            ErrorKind::InvalidOperation if detail() == "recursion limit exceeded" => {
                (FaultKind::Other, "the template uses itself without end".to_owned())
            }
            // The details of the rest may hold values.
            ErrorKind::InvalidOperation => {
                let reason = refusal(error).unwrap_or("this is not possible with such a value");
                (FaultKind::Other, reason.to_owned())
            }
            _ => (FaultKind::Other, error.kind().to_string()),
        };
        Self { template, range, kind, message }
    }
}

/// The error at the end of a chain of templates that include each other.
fn innermost(mut error: &Error) -> &Error {
    while let Some(inner) = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>()) {
        error = inner;
    }
    error
}

fn refusal(error: &Error) -> Option<&'static str> {
    let source = std::error::Error::source(error)?;
    source.downcast_ref::<Refusal>().map(|refusal| refusal.reason())
}

fn detail_or_kind(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

/// The expression in the engine's "`device.name` is undefined".
fn undefined_name(detail: &str) -> Option<&str> {
    let end = detail.find("` is undefined")?;
    let start = detail[..end].rfind('`')? + 1;
    Some(&detail[start..end])
}

/// The bytes of a line, the first being 1, without blanks around.
fn line_range(text: &str, line: usize) -> Option<Range<usize>> {
    let start = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
    let content = text.get(start..)?.lines().next()?;
    let start = start + content.len() - content.trim_start().len();
    Some(start..start + content.trim().len())
}
