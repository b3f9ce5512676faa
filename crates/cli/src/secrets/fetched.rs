//! The result of fetching a value from one source.

use secrecy::SecretString;
use talosmith_document::Code;

/// The result of fetching a value from one source.
pub(super) enum Fetched {
    /// The source does not exist here: the next one is tried.
    Unavailable(Unavailable),
    /// The source exists but has no usable value: no other source is tried.
    Failed(Failure),
    Value(SecretString),
}

/// Why a source is not available.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unavailable {
    pub reason: String,
    /// How to make it available.
    pub help: String,
}

/// Why an available source has no usable value. Contains nothing secret.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Failure {
    pub code: Code,
    /// The last part of the finding's message.
    pub reason: String,
    /// Notes of the finding, such as the error output of a program.
    pub notes: Vec<String>,
    pub help: String,
}

impl Fetched {
    pub(super) fn unavailable(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Unavailable(Unavailable { reason: reason.into(), help: help.into() })
    }

    pub(super) fn failed(reason: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Failed(Failure { code: Code::SecretFailed, reason: reason.into(), notes: Vec::new(), help: help.into() })
    }
}
