//! Parses an expression by the grammar of cel-go.

use std::ops::Range;

use super::token::{Token, tokens};
use super::tree::{Kind, Node, Word};
use super::{CelError, Value};

/// The maximum height of a tree, as in cel-go. `a + b + c` is higher than `a + b`.
const HEIGHT: usize = 250;

/// The maximum nesting of brackets, arguments and conditions. cel-go accepts 250, for which a thread's stack may be too small.
const DEPTH: usize = 100;

/// The binary operators, their names and their precedence; all are left-associative.
const OPERATORS: &[(&str, &str, u8)] = &[
    ("||", "_||_", 1),
    ("&&", "_&&_", 2),
    ("<", "_<_", 3),
    ("<=", "_<=_", 3),
    (">=", "_>=_", 3),
    (">", "_>_", 3),
    ("==", "_==_", 3),
    ("!=", "_!=_", 3),
    ("in", "@in", 3),
    ("+", "_+_", 4),
    ("-", "_-_", 4),
    ("*", "_*_", 5),
    ("/", "_/_", 5),
    ("%", "_%_", 5),
];

/// Syntax that not every environment or version accepts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// `.?`, `[?` and the macros of optional values.
    pub optional: bool,
    /// Names of fields in backquotes.
    pub quoted: bool,
}

pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Node, CelError> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, height: 0, syntax };
    if parser.peek() == &Token::End {
        return Err(CelError::new("the expression is empty", 0..text.len()));
    }
    let node = parser.expression()?;
    match parser.peek() {
        Token::End => Ok(node),
        _ => Err(parser.unexpected()),
    }
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) tokens: Vec<(Token, Range<usize>)>,
    pub(super) next: usize,
    /// The number of enclosing expressions.
    depth: usize,
    /// The height of the highest tree in the operand that is being parsed.
    height: usize,
    pub(super) syntax: Syntax,
}

impl Parser<'_> {
    pub(super) fn peek(&self) -> &Token {
        &self.tokens[self.next].0
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.tokens[self.next].1.clone()
    }

    /// The bytes from `start` to the end of the token before.
    pub(super) fn since(&self, start: usize) -> Range<usize> {
        start..self.tokens[self.next.saturating_sub(1)].1.end.max(start)
    }

    pub(super) fn skip(&mut self) -> Range<usize> {
        let range = self.range();
        self.next = (self.next + 1).min(self.tokens.len() - 1);
        range
    }

    pub(super) fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(next) if *next == symbol)
    }

    pub(super) fn consume(&mut self, symbol: &str) -> bool {
        let taken = self.is(symbol);
        if taken {
            self.skip();
        }
        taken
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), CelError> {
        if self.consume(symbol) { Ok(()) } else { Err(self.unexpected().label(format!("expected `{symbol}`"))) }
    }

    /// The error for a token that cannot come next.
    pub(super) fn unexpected(&self) -> CelError {
        let range = self.range();
        let written = &self.text[range.clone()];
        if self.peek() == &Token::End {
            return CelError::new("the expression ends too early", 0..self.text.len());
        }
        let error = CelError::new(format!("unexpected `{written}`"), range.clone());
        let before = self.next.checked_sub(1).map(|at| (&self.tokens[at].0, self.tokens[at].1.clone()));
        match (written, before) {
            ("and", _) => error.help("write `&&`"),
            ("or", _) => error.help("write `||`"),
            ("not", _) => error.help("write `!`"),
            (unit, Some((Token::Digits, digits))) if digits.end == range.start && self.peek() == &Token::Name => {
                let number = &self.text[digits.clone()];
                CelError::new(format!("`{number}{unit}` is not a number"), digits.start..range.end)
                    .help(format!("write `{number}u * {unit}`"))
            }
            _ => error,
        }
    }

    fn too_deep(&self) -> CelError {
        CelError::new("the expression is nested too deeply", 0..self.text.len())
    }

    /// Adds one to the height of the operand that is being parsed.
    pub(super) fn add_level(&mut self) -> Result<(), CelError> {
        self.height += 1;
        if self.height > HEIGHT { Err(self.too_deep()) } else { Ok(()) }
    }

    /// Parses a whole expression. The functions that it calls are small, so that their frames fit a thread's stack when expressions
    /// are nested deeply.
    pub(super) fn expression(&mut self) -> Result<Node, CelError> {
        if self.depth == DEPTH {
            return Err(self.too_deep());
        }
        self.depth += 1;
        let around = std::mem::take(&mut self.height);
        let start = self.range().start;
        let mut node = self.binary(1)?;
        if self.is("?") {
            node = self.ternary(node, start)?;
        }
        self.height = self.height.max(around);
        self.depth -= 1;
        Ok(node)
    }

    fn ternary(&mut self, condition: Node, start: usize) -> Result<Node, CelError> {
        let range = self.skip();
        let then = self.binary(1)?;
        self.expect(":")?;
        let otherwise = self.expression()?;
        self.add_level()?;
        Ok(self.call("_?_:_", range, vec![condition, then, otherwise], start))
    }

    pub(super) fn call(&self, name: &str, range: Range<usize>, arguments: Vec<Node>, start: usize) -> Node {
        let function = Word { text: name.to_owned(), range };
        Node { kind: Kind::Call { function, target: None, arguments }, range: self.since(start) }
    }

    /// Parses operands and the operators between them that have at least this precedence.
    fn binary(&mut self, least: u8) -> Result<Node, CelError> {
        let around = std::mem::take(&mut self.height);
        let start = self.range().start;
        let mut node = self.unary()?;
        while let Some((symbol, name, rank)) = self.operator().filter(|(_, _, rank)| *rank >= least) {
            node = self.operands(node, start, (symbol, name, rank))?;
        }
        self.height = self.height.max(around);
        Ok(node)
    }

    fn operands(&mut self, left: Node, start: usize, operator: (&str, &str, u8)) -> Result<Node, CelError> {
        let (symbol, name, rank) = operator;
        let range = self.skip();
        let mut operands = vec![left, self.binary(rank + 1)?];
        // `a && b && c` is one call with all the operands, however many they are.
        let is_logical = rank <= 2;
        while is_logical && self.consume(symbol) {
            operands.push(self.binary(rank + 1)?);
        }
        self.add_level()?;
        Ok(self.call(name, range, operands, start))
    }

    fn operator(&self) -> Option<(&'static str, &'static str, u8)> {
        let Token::Symbol(next) = self.peek() else { return None };
        OPERATORS.iter().find(|(symbol, _, _)| symbol == next).copied()
    }

    fn unary(&mut self) -> Result<Node, CelError> {
        let start = self.range().start;
        let (symbol, name) = if self.is("!") { ("!", "_!") } else { ("-", "_-") };
        let range = self.range();
        let mut count = 0;
        while self.is(symbol) && !(symbol == "-" && self.negative_number()) {
            self.skip();
            count += 1;
        }
        let operand = self.member()?;
        // An even number of them is none: cel-go drops them and does not look at the operand's type.
        if count % 2 == 0 {
            return Ok(operand);
        }
        self.add_level()?;
        Ok(self.call(name, range, vec![operand], start))
    }

    /// Whether the next token is the minus of a negative number.
    pub(super) fn negative_number(&self) -> bool {
        let after = self.tokens.get(self.next + 1).map(|(token, _)| token);
        self.is("-") && matches!(after, Some(Token::Digits | Token::Literal(Value::Double(_))))
    }
}
