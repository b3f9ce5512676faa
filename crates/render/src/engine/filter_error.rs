//! Errors of our own filters, and of the formatter that writes values.

use minijinja::{Error, ErrorKind};

/// What is wrong, lower case and without full stop. A constant, so that it holds no value of the context and can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FilterError(pub &'static str);

impl From<FilterError> for Error {
    fn from(error: FilterError) -> Self {
        Self::from(ErrorKind::InvalidOperation).with_source(error)
    }
}
