//! From a text to a tree, by the grammar of cel-go.

use std::ops::Range;

use super::token::{Token, tokens};
use super::tree::{Kind, Node, Word};
use super::{Fault, Value};

/// How deep an expression may nest; cel-go's default.
const DEPTH: usize = 250;

/// Relations bind all alike, and less than sums.
const RELATIONS: &[(&str, &str)] =
    &[("<", "_<_"), ("<=", "_<=_"), (">=", "_>=_"), (">", "_>_"), ("==", "_==_"), ("!=", "_!=_"), ("in", "@in")];
const SUMS: &[(&str, &str)] = &[("+", "_+_"), ("-", "_-_")];
const PRODUCTS: &[(&str, &str)] = &[("*", "_*_"), ("/", "_/_"), ("%", "_%_")];

/// What not every place takes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Syntax {
    /// `.?`, `[?` and the macros of optional values.
    pub optional: bool,
    /// Names of fields in backquotes.
    pub quoted: bool,
}

/// Parses an expression.
pub(super) fn parse(text: &str, syntax: Syntax) -> Result<Node, Fault> {
    let mut parser = Parser { text, tokens: tokens(text)?, next: 0, depth: 0, syntax };
    if parser.peek() == &Token::End {
        return Err(Fault::new("the expression is empty", 0..text.len()));
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
    pub(super) depth: usize,
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

    pub(super) fn takes(&mut self, symbol: &str) -> bool {
        let taken = self.is(symbol);
        if taken {
            self.skip();
        }
        taken
    }

    pub(super) fn expect(&mut self, symbol: &str) -> Result<(), Fault> {
        if self.takes(symbol) { Ok(()) } else { Err(self.unexpected().label(format!("expected `{symbol}`"))) }
    }

    /// What stands here does not belong here.
    pub(super) fn unexpected(&self) -> Fault {
        let range = self.range();
        let written = &self.text[range.clone()];
        if self.peek() == &Token::End {
            return Fault::new("the expression ends too early", 0..self.text.len());
        }
        let fault = Fault::new(format!("`{written}` does not belong here"), range.clone());
        let before = self.next.checked_sub(1).map(|at| (&self.tokens[at].0, self.tokens[at].1.clone()));
        match (written, before) {
            ("and", _) => fault.help("write `&&`"),
            ("or", _) => fault.help("write `||`"),
            ("not", _) => fault.help("write `!`"),
            (unit, Some((Token::Digits, digits))) if digits.end == range.start && self.peek() == &Token::Name => {
                let number = &self.text[digits.clone()];
                Fault::new(format!("`{number}{unit}` is no number"), digits.start..range.end)
                    .help(format!("write `{number}u * {unit}`"))
            }
            _ => fault,
        }
    }

    pub(super) fn deeper(&mut self, by: usize) -> Result<(), Fault> {
        self.depth += by;
        if self.depth > DEPTH {
            Err(Fault::new("the expression is nested too deeply", 0..self.text.len()))
        } else {
            Ok(())
        }
    }

    pub(super) fn expression(&mut self) -> Result<Node, Fault> {
        let depth = self.depth;
        self.deeper(1)?;
        let start = self.range().start;
        let condition = self.logical("||", "_||_")?;
        let node = if self.is("?") {
            let range = self.skip();
            let then = self.logical("||", "_||_")?;
            self.expect(":")?;
            let otherwise = self.expression()?;
            self.call("_?_:_", range, vec![condition, then, otherwise], start)
        } else {
            condition
        };
        self.depth = depth;
        Ok(node)
    }

    pub(super) fn call(&self, name: &str, range: Range<usize>, arguments: Vec<Node>, start: usize) -> Node {
        let function = Word { text: name.to_owned(), range };
        Node { kind: Kind::Call { function, target: None, arguments }, range: self.since(start) }
    }

    /// `a && b && c` and `a || b`: one call with all the operands.
    fn logical(&mut self, symbol: &str, name: &str) -> Result<Node, Fault> {
        let start = self.range().start;
        let operand = |parser: &mut Self| if symbol == "||" { parser.logical("&&", "_&&_") } else { parser.relation() };
        let first = operand(self)?;
        if !self.is(symbol) {
            return Ok(first);
        }
        let range = self.range();
        let mut operands = vec![first];
        while self.takes(symbol) {
            operands.push(operand(self)?);
        }
        Ok(self.call(name, range, operands, start))
    }

    fn relation(&mut self) -> Result<Node, Fault> {
        self.chain(RELATIONS, |parser| parser.chain(SUMS, |parser| parser.chain(PRODUCTS, Self::unary)))
    }

    /// Operators of one rank, which bind to the left.
    fn chain(
        &mut self,
        operators: &[(&str, &str)],
        operand: fn(&mut Self) -> Result<Node, Fault>,
    ) -> Result<Node, Fault> {
        let depth = self.depth;
        let start = self.range().start;
        let mut node = operand(self)?;
        while let Token::Symbol(symbol) = self.peek()
            && let Some((_, name)) = operators.iter().find(|(operator, _)| operator == symbol)
        {
            self.deeper(1)?;
            let range = self.skip();
            let right = operand(self)?;
            node = self.call(name, range, vec![node, right], start);
        }
        self.depth = depth;
        Ok(node)
    }

    fn unary(&mut self) -> Result<Node, Fault> {
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
        Ok(if count % 2 == 1 { self.call(name, range, vec![operand], start) } else { operand })
    }

    /// Whether a minus stands here that belongs to the number behind it.
    pub(super) fn negative_number(&self) -> bool {
        let behind = self.tokens.get(self.next + 1).map(|(token, _)| token);
        self.is("-") && matches!(behind, Some(Token::Digits | Token::Literal(Value::Double(_))))
    }
}
