//! Errors of templates.

use std::ops::Range;

use minijinja::{Error, ErrorKind};
use talosmith_document::{Code, Diagnostic, Location, SourceId};

use crate::engine::filter_error::FilterError;

/// Why a template could not be rendered. Holds no value of the context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{template}: {message}")]
pub struct TemplateError {
    /// The name of the template that is wrong: the rendered one, or one that it includes or places as a part.
    pub template: String,
    /// The bytes of that template that are wrong; none if they are not known.
    pub range: Option<Range<usize>>,
    pub kind: TemplateErrorKind,
    /// What is wrong, lower case, without full stop.
    pub message: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TemplateErrorKind {
    Syntax,
    Undefined {
        /// The expression: `device.hostnme`.
        name: String,
        /// A defined name that is similar to the last word of the expression: `hostname`.
        suggestion: Option<String>,
    },
    /// A value would change the structure of the document around it.
    Shape,
    Other,
}

/// Who wrote a template, and so can fix it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TemplateOrigin {
    BuiltIn,
    /// It is the user's, in place of a built-in one.
    Override,
}

impl TemplateOrigin {
    /// Adds to a finding in a built-in template that it is a bug of talosmith, which the user can only report.
    #[must_use]
    pub fn explain(self, finding: Diagnostic) -> Diagnostic {
        match self {
            Self::BuiltIn => finding
                .note("this template is part of talosmith, so this is a bug in talosmith and not in your files")
                .help(concat!("report it with the model that causes it: ", env!("CARGO_PKG_REPOSITORY"), "/issues")),
            Self::Override => finding,
        }
    }
}

impl TemplateError {
    pub fn diagnostic(&self, source: SourceId, origin: TemplateOrigin) -> Diagnostic {
        let code = match self.kind {
            TemplateErrorKind::Syntax => Code::TemplateSyntax,
            TemplateErrorKind::Undefined { .. } => Code::TemplateUndefined,
            TemplateErrorKind::Shape => Code::TemplateShape,
            TemplateErrorKind::Other => Code::TemplateFailed,
        };
        let location =
            self.range.clone().map_or_else(|| Location::file(source), |range| Location::bytes(source, range));
        let finding = Diagnostic::new(code, self.message.clone(), location);
        let finding = match &self.kind {
            TemplateErrorKind::Undefined { suggestion: Some(name), .. } => {
                finding.label(format!("did you mean `{name}`?"))
            }
            _ => finding,
        };
        origin.explain(match (&self.kind, origin) {
            (TemplateErrorKind::Undefined { .. }, TemplateOrigin::Override) => {
                finding.note("templates see the values of the plan: no environment, no files")
            }
            (TemplateErrorKind::Shape, TemplateOrigin::Override) => finding
                .note("a value is quoted automatically, which is right only where it is the whole of a scalar")
                .help(
                    "join the strings first: `{{ \"before\" ~ value }}`; or insert lines with `{{ value | block(4) }}`",
                ),
            _ => finding,
        })
    }

    /// Converts an error of the engine. `text` returns the text of a template; `root` is the name of the rendered one. Looks for
    /// no suggestion.
    pub(super) fn from_error<'a>(error: &Error, root: &str, text: impl FnOnce(&str) -> Option<&'a str>) -> Self {
        let error = innermost(error);
        let template = error.name().unwrap_or(root).to_owned();
        let text = text(&template).unwrap_or_default();
        let range = error.range().or_else(|| error.line().and_then(|line| line_range(text, line)));
        let range = range.filter(|range| text.get(range.clone()).is_some());
        let detail = error.detail().unwrap_or_default();
        let other = |message: &str| (TemplateErrorKind::Other, message.to_owned());
        let (kind, message) = match error.kind() {
            ErrorKind::SyntaxError => (TemplateErrorKind::Syntax, detail.to_owned()),
            ErrorKind::UndefinedError => {
                let spelled = range.clone().and_then(|range| text.get(range)).unwrap_or_default();
                let name = undefined_name(detail).unwrap_or(spelled).to_owned();
                let message = format!("`{name}` is not defined in this template");
                (TemplateErrorKind::Undefined { name, suggestion: None }, message)
            }
            // Their details hold names from the template and no values.
            ErrorKind::UnknownFilter
            | ErrorKind::UnknownTest
            | ErrorKind::UnknownFunction
            | ErrorKind::UnknownMethod
            | ErrorKind::MissingArgument
            | ErrorKind::TooManyArguments
                if !detail.is_empty() =>
            {
                other(detail)
            }
            ErrorKind::TemplateNotFound => other("there is no template with this name"),
            ErrorKind::WriteFailure => other("the template renders more than 4 MiB"),
            ErrorKind::OutOfFuel => other("the template needs too many steps"),
            ErrorKind::InvalidOperation if detail == "recursion limit exceeded" => {
                other("the template includes itself without end")
            }
            // The details of the rest may hold values.
            ErrorKind::InvalidOperation => {
                let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<FilterError>());
                other(source.map_or("this operation is not possible with such a value", |error| error.0))
            }
            kind => other(&kind.to_string()),
        };
        Self { template, range, kind, message }
    }
}

/// Returns the error at the end of a chain of templates that include each other.
fn innermost(mut error: &Error) -> &Error {
    while let Some(inner) = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>()) {
        error = inner;
    }
    error
}

/// Returns the expression in the engine's message "`device.name` is undefined".
fn undefined_name(detail: &str) -> Option<&str> {
    detail.split_once("` is undefined")?.0.rsplit_once('`').map(|(_, name)| name)
}

/// Returns the bytes of a line, counted from 1, without blanks around its text.
fn line_range(text: &str, line: usize) -> Option<Range<usize>> {
    let start = text.split_inclusive('\n').take(line.checked_sub(1)?).map(str::len).sum::<usize>();
    let content = text.get(start..)?.lines().next()?;
    let start = start + content.len() - content.trim_start().len();
    Some(start..start + content.trim().len())
}
