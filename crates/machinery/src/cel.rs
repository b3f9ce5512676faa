//! The Common Expression Language as far as Talos uses it: selectors of disks, volumes and links, and the conditions of its OOM handler.
//!
//! [`check`] judges as the official machinery does when it loads a config: it parses, finds the types, and asks for `bool` (or
//! `double`). [`Expression::of`] evaluates over what is known, in three values. Why not a crate: `cel` 0.15 has no type checker,
//! so it takes `disk.devPath` and `100 * GB`, which Talos refuses.

mod value;
mod token;
mod tree;
mod parse;
mod operand;
mod kind;
mod environment;
mod advice;
mod check;
mod evaluate;

use std::ops::Range;
use std::sync::{Arc, LazyLock};

pub use environment::Environment;
pub use evaluate::{Refuted, Verdict};
pub use value::{Facts, Value};

use talosmith_document::{Cache, TalosVersion};

/// Why a text is not an expression for its place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Fault {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The bytes of the text that are wrong.
    pub range: Range<usize>,
    /// What to say beside the underline; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl Fault {
    pub(crate) fn new(message: impl Into<String>, range: Range<usize>) -> Self {
        Self { message: message.into(), range, label: String::new(), help: None }
    }

    fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

/// An expression that its place takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    tree: Arc<tree::Node>,
}

/// A text, its place, and the version that reads it.
type Question = (String, Environment, TalosVersion);

/// The verdicts on expressions: the devices of a fleet have few between them.
static CHECKED: LazyLock<Cache<Question, Result<Expression, Fault>>> = LazyLock::new(Cache::default);

/// Checks whether a text is an expression that Talos of this version takes in this environment.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(text: &str, environment: Environment, version: &TalosVersion) -> Result<Expression, Fault> {
    CHECKED.get_or_compute((text.to_owned(), environment, version.clone()), |(text, environment, version)| {
        judge(text, *environment, version)
    })
}

fn judge(text: &str, environment: Environment, version: &TalosVersion) -> Result<Expression, Fault> {
    // Backquotes came with cel-go 0.31, which Talos has from 1.14 on.
    let syntax = parse::Syntax { optional: environment.has_optionals(), quoted: version.minor() >= (1, 14) };
    let tree = parse::parse(text, syntax)?;
    check::check(text, &tree, environment, version)?;
    Ok(Expression { tree: tree.into() })
}

/// Checks the syntax alone, where the version is not known yet.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_syntax(text: &str) -> Result<(), Fault> {
    parse::parse(text, parse::Syntax { optional: true, quoted: true }).map(|_| ())
}

#[cfg(test)]
mod tests;
