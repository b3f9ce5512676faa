//! The syntax tree of an expression.

use std::ops::Range;

use super::Value;

/// A part of an expression, and its bytes there.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub kind: Kind,
    pub range: Range<usize>,
}

/// A name, and its bytes in the expression.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Word {
    pub text: String,
    pub range: Range<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// A number, a string, bytes, `true`, `false` or `null`.
    Literal(Value),
    /// A variable, a constant or a type; with a leading dot it is never a macro's variable.
    Name(String),
    /// `operand.field`, or `operand.?field`.
    Select { operand: Box<Node>, field: Word, optional: bool },
    /// `has(operand.field)`.
    Has { operand: Box<Node>, field: Word },
    /// A function, a method or an operator; `&&` and `||` with all their operands.
    Call { function: Word, target: Option<Box<Node>>, arguments: Vec<Node> },
    /// `[a, ?b]`.
    List(Vec<(bool, Node)>),
    /// `{k: v, ?k: v}`.
    Map(Vec<(bool, Node, Node)>),
    /// `a.b.Message{field: v}`.
    Message { name: Word, fields: Vec<(bool, Word, Node)> },
    /// `range.exists(variable, body)` and the like; `map` may have a condition before its body.
    Macro { name: Macro, range: Box<Node>, variable: String, bodies: Vec<Node> },
}

/// The macros that bind a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Macro {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
    OptMap,
    OptFlatMap,
}

impl Node {
    /// `a.b.c` as it is written; `None` if the part contains anything but names.
    pub(super) fn path(&self) -> Option<String> {
        match &self.kind {
            Kind::Name(name) => Some(name.clone()),
            Kind::Select { operand, field, optional: false } => Some(format!("{}.{}", operand.path()?, field.text)),
            _ => None,
        }
    }

    /// The operands, if the part calls the function or operator of this name.
    pub(super) fn operands(&self, name: &str) -> Option<&[Self]> {
        match &self.kind {
            Kind::Call { function, target: None, arguments } if function.text == name => Some(arguments),
            _ => None,
        }
    }

    /// Appends the paths of the variables and fields in the part, without those inside macros and messages.
    pub(super) fn paths(&self, paths: &mut Vec<String>) {
        match (&self.kind, self.path()) {
            (_, Some(path)) => paths.push(path),
            (Kind::Call { target, arguments, .. }, None) => {
                target.iter().for_each(|target| target.paths(paths));
                arguments.iter().for_each(|argument| argument.paths(paths));
            }
            (Kind::Has { operand, field }, None) => {
                paths.extend(operand.path().map(|operand| format!("{operand}.{}", field.text)));
            }
            (Kind::Macro { range, .. }, None) => range.paths(paths),
            _ => {}
        }
    }

    /// The parts that must all be true for the whole to be.
    pub(super) fn conjuncts(&self) -> Vec<&Self> {
        match self.operands("_&&_") {
            Some(parts) => parts.iter().flat_map(Self::conjuncts).collect(),
            None => vec![self],
        }
    }
}
