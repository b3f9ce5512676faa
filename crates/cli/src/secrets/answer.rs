//! What a source answers when it is asked for a value.

use secrecy::SecretString;
use talosmith_document::Code;

/// The answer of one source.
pub enum Answer {
    /// The source is not there: the next one is asked.
    Absent(Absence),
    /// The source is there and gives no value: no other is asked.
    Failed(Failure),
    /// The value.
    Value(SecretString),
}

/// Why a source is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct Absence {
    /// What is lacking.
    pub lacks: String,
    /// What to type, or to do, to have it.
    pub help: String,
}

/// Why a source that is there gives no value. Nothing in it is secret.
#[derive(Debug, PartialEq, Eq)]
pub struct Failure {
    /// The code of the finding.
    pub code: Code,
    /// The end of the message.
    pub why: String,
    /// What else is known, such as what a program said.
    pub notes: Vec<String>,
    /// What to type.
    pub help: String,
}

impl Answer {
    /// The answer of a source that lacks something.
    pub fn absent(lacks: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Absent(Absence { lacks: lacks.into(), help: help.into() })
    }

    /// The answer of a source that is there and fails.
    pub fn failed(why: impl Into<String>, help: impl Into<String>) -> Self {
        Self::Failed(Failure { code: Code::SecretFailed, why: why.into(), notes: Vec::new(), help: help.into() })
    }
}
