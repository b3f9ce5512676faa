//! Why one of our own filters or the formatter says no.

use std::error::Error as StdError;
use std::fmt;

use minijinja::{Error, ErrorKind};

/// A reason in words that hold no value of the context, so that it can be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal(&'static str);

impl Refusal {
    /// A refusal for this reason: lower case, no full stop.
    pub const fn new(reason: &'static str) -> Self {
        Self(reason)
    }

    /// The reason.
    pub const fn reason(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl StdError for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        Self::from(ErrorKind::InvalidOperation).with_source(refusal)
    }
}
