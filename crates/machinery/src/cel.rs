//! The Common Expression Language as Talos uses it: selectors of disks, volumes and links, and the conditions of its OOM handler.
//!
//! [`check`] accepts what the official machinery accepts when it loads a config: it parses an expression and finds its type, which
//! must be `bool` (or `double`). [`Expression::evaluate`] evaluates over what is known, with three outcomes. Why not a crate: `cel`
//! 0.15 has no type checker, so it accepts `disk.devPath` and `100 * GB`, which Talos refuses.

mod value;
mod token;
mod tree;
mod parse;
mod operand;
mod kind;
mod environment;
mod advice;
mod check;
mod functions;
mod evaluate;

use std::ops::Range;
use std::sync::Arc;

pub use environment::Environment;
pub use evaluate::{FalseCondition, Outcome};
pub use value::{Bindings, Value};

use talosmith_document::{Cache, TalosVersion};

/// Why Talos refuses an expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CelError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The bytes of the expression that are wrong.
    pub range: Range<usize>,
    /// The label of the underlined bytes; may be empty.
    pub label: String,
    /// What to write instead.
    pub help: Option<String>,
}

impl CelError {
    fn new(message: impl Into<String>, range: Range<usize>) -> Self {
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

/// An expression that Talos accepts in its environment.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    tree: Arc<tree::Node>,
}

/// The results of [`check`]: the devices of a fleet have few different expressions.
#[derive(Debug, Default)]
pub struct Checker(Cache<(String, Environment, TalosVersion), Result<Expression, CelError>>);

impl Checker {
    /// Checks an expression, or returns the result of an earlier check.
    ///
    /// # Errors
    /// Those of [`check`].
    pub fn check(&self, text: &str, environment: Environment, version: &TalosVersion) -> Result<Expression, CelError> {
        let key = (text.to_owned(), environment, version.clone());
        self.0.get_or_compute(&key, || check(text, environment, version))
    }
}

/// Parses an expression and finds its types, as a version of Talos does in an environment.
///
/// # Errors
/// The first fault for which this Talos refuses it.
pub fn check(text: &str, environment: Environment, version: &TalosVersion) -> Result<Expression, CelError> {
    check_size(text)?;
    // Backquotes came with cel-go 0.31, which Talos has from 1.14 on.
    let syntax = parse::Syntax { optional: environment.has_optionals(), quoted: version.minor() >= (1, 14) };
    let tree = parse::parse(text, syntax)?;
    check::check(text, &tree, environment, version)?;
    Ok(Expression { tree: tree.into() })
}

/// Checks only the syntax, where the version of Talos is not known yet.
///
/// # Errors
/// The first fault that every version refuses.
pub fn check_syntax(text: &str) -> Result<(), CelError> {
    check_size(text)?;
    parse::parse(text, parse::Syntax { optional: true, quoted: true }).map(|_| ())
}

/// The most characters of an expression. Source: github.com/google/cel-go, parser/parser.go, `expressionSizeCodePointLimit`.
const MAX_CHARACTERS: usize = 100_000;

fn check_size(text: &str) -> Result<(), CelError> {
    if text.len() <= MAX_CHARACTERS || text.chars().count() <= MAX_CHARACTERS {
        return Ok(());
    }
    Err(CelError::new(format!("the expression has more than {MAX_CHARACTERS} characters"), 0..0))
}

#[cfg(test)]
mod tests;
