//! Parses operands: literals, names, calls, lists, maps, messages, and the fields and indexes after them.

use super::parse::Parser;
use super::token::{Token, int};
use super::tree::{Kind, Macro, Node, Word};
use super::{CelError, Value};

impl Parser<'_> {
    /// Parses an operand and the fields, methods and indexes after it.
    pub(super) fn member(&mut self) -> Result<Node, CelError> {
        let start = self.range().start;
        let mut node = self.primary(start)?;
        while self.is(".") || self.is("[") {
            node = if self.is(".") { self.dotted(node, start)? } else { self.indexed(node, start)? };
            self.add_level()?;
        }
        Ok(node)
    }

    fn dotted(&mut self, node: Node, start: usize) -> Result<Node, CelError> {
        self.skip();
        let optional = self.is("?") && self.optional_mark()?;
        let quoted = self.peek() == &Token::Quoted;
        let field = self.field()?;
        if !optional && !quoted && self.consume("(") {
            let arguments = self.list(")")?;
            return self.method(node, field, arguments, start);
        }
        let kind = Kind::Select { operand: Box::new(node), field, optional };
        Ok(Node { kind, range: self.since(start) })
    }

    fn indexed(&mut self, node: Node, start: usize) -> Result<Node, CelError> {
        let range = self.skip();
        let optional = self.is("?") && self.optional_mark()?;
        let index = self.expression()?;
        self.expect("]")?;
        Ok(self.call(if optional { "_[?_]" } else { "_[_]" }, range, vec![node, index], start))
    }

    /// Consumes the question mark of an optional field, index or item.
    fn optional_mark(&mut self) -> Result<bool, CelError> {
        if self.syntax.optional {
            return Ok(self.consume("?"));
        }
        Err(CelError::new("unexpected `?`", self.range()))
    }

    fn name(&mut self) -> Result<Word, CelError> {
        match self.peek() {
            Token::Name => {
                let range = self.skip();
                Ok(Word { text: self.text[range.clone()].to_owned(), range })
            }
            _ => Err(self.unexpected()),
        }
    }

    /// Parses the name of a field, which may be in backquotes.
    fn field(&mut self) -> Result<Word, CelError> {
        if self.peek() != &Token::Quoted || !self.syntax.quoted {
            return self.name();
        }
        let range = self.skip();
        Ok(Word { text: self.text[range.start + 1..range.end - 1].to_owned(), range })
    }

    /// Parses expressions separated by commas, up to a closing bracket.
    fn list(&mut self, close: &str) -> Result<Vec<Node>, CelError> {
        let mut items = Vec::new();
        if self.consume(close) {
            return Ok(items);
        }
        loop {
            items.push(self.expression()?);
            if !self.consume(",") {
                self.expect(close)?;
                return Ok(items);
            }
        }
    }

    fn method(&self, target: Node, function: Word, mut arguments: Vec<Node>, start: usize) -> Result<Node, CelError> {
        let range = self.since(start);
        let name = match (function.text.as_str(), arguments.len()) {
            ("all", 2) => Macro::All,
            ("exists", 2) => Macro::Exists,
            ("exists_one", 2) => Macro::ExistsOne,
            ("filter", 2) => Macro::Filter,
            ("map", 2 | 3) => Macro::Map,
            ("optMap", 2) if self.syntax.optional => Macro::OptMap,
            ("optFlatMap", 2) if self.syntax.optional => Macro::OptFlatMap,
            _ => {
                return Ok(Node { kind: Kind::Call { function, target: Some(Box::new(target)), arguments }, range });
            }
        };
        let bodies = arguments.split_off(1);
        match arguments.pop() {
            Some(Node { kind: Kind::Name(variable), .. }) if !variable.starts_with('.') && variable != "__result__" => {
                Ok(Node { kind: Kind::Macro { name, range: Box::new(target), variable, bodies }, range })
            }
            other => Err(CelError::new(
                format!("`{}` needs the name of a variable", function.text),
                other.map_or(function.range, |node| node.range),
            )
            .help(format!("write it as in `list.{}(x, x == 'a')`", function.text))),
        }
    }

    fn primary(&mut self, start: usize) -> Result<Node, CelError> {
        let node = match self.peek() {
            Token::Name | Token::Symbol(".") => self.named(start)?,
            Token::Symbol("(") => return self.nested(start),
            Token::Symbol("[") => self.items(start)?,
            Token::Symbol("{") => self.pairs(start)?,
            _ => self.literal(start)?,
        };
        self.add_level()?;
        Ok(node)
    }

    fn nested(&mut self, start: usize) -> Result<Node, CelError> {
        self.skip();
        let mut node = self.expression()?;
        self.expect(")")?;
        node.range = self.since(start);
        Ok(node)
    }

    fn items(&mut self, start: usize) -> Result<Node, CelError> {
        self.skip();
        let items = self.entries("]", |parser, optional| Ok((optional, parser.expression()?)))?;
        Ok(Node { kind: Kind::List(items), range: self.since(start) })
    }

    fn pairs(&mut self, start: usize) -> Result<Node, CelError> {
        self.skip();
        let pairs = self.entries("}", |parser, optional| {
            let key = parser.expression()?;
            parser.expect(":")?;
            Ok((optional, key, parser.expression()?))
        })?;
        Ok(Node { kind: Kind::Map(pairs), range: self.since(start) })
    }

    fn literal(&mut self, start: usize) -> Result<Node, CelError> {
        let is_negative = self.negative_number();
        if is_negative {
            self.skip();
        }
        let value = match self.peek().clone() {
            Token::Digits => self.int(is_negative)?,
            Token::Literal(value) => {
                self.skip();
                match value {
                    Value::Double(value) if is_negative => Value::Double(-value),
                    value => value,
                }
            }
            Token::Symbol(word @ ("true" | "false")) => {
                self.skip();
                Value::Bool(word == "true")
            }
            Token::Symbol("null") => {
                self.skip();
                Value::Null
            }
            _ => return Err(self.unexpected()),
        };
        Ok(Node { kind: Kind::Literal(value), range: self.since(start) })
    }

    fn int(&mut self, negative: bool) -> Result<Value, CelError> {
        let range = self.skip();
        let digits = &self.text[range.clone()];
        int(digits, negative).map(Value::Int).ok_or_else(|| {
            CelError::new(format!("`{digits}` is too large for an int"), range).help(format!("write `{digits}u`"))
        })
    }

    /// Parses the entries of a list, map or message, up to a closing bracket; a comma may follow the last.
    fn entries<T>(
        &mut self,
        close: &str,
        entry: impl Fn(&mut Self, bool) -> Result<T, CelError>,
    ) -> Result<Vec<T>, CelError> {
        let mut entries = Vec::new();
        if self.consume(",") {
            self.expect(close)?;
            return Ok(entries);
        }
        while !self.consume(close) {
            let optional = self.is("?") && self.optional_mark()?;
            entries.push(entry(self, optional)?);
            if !self.is(close) {
                self.expect(",")?;
            }
        }
        Ok(entries)
    }

    /// Parses a name, a call of a function, or a message.
    fn named(&mut self, start: usize) -> Result<Node, CelError> {
        let dot = if self.consume(".") { "." } else { "" };
        if let Some(name) = self.message_name(dot) {
            let fields = self.entries("}", |parser, optional| {
                let field = parser.field()?;
                parser.expect(":")?;
                Ok((optional, field, parser.expression()?))
            })?;
            return Ok(Node { kind: Kind::Message { name, fields }, range: self.since(start) });
        }
        let mut word = self.name()?;
        // Variables cannot have these names, though fields can. Source: cel-go, parser/parser.go reservedIds.
        if let "as" | "break" | "const" | "continue" | "else" | "for" | "function" | "if" | "import" | "let" | "loop"
        | "package" | "namespace" | "return" | "var" | "void" | "while" = word.text.as_str()
        {
            return Err(CelError::new(format!("`{}` is a reserved word", word.text), word.range));
        }
        word.text.insert_str(0, dot);
        if !self.consume("(") {
            return Ok(Node { kind: Kind::Name(word.text), range: self.since(start) });
        }
        let mut arguments = self.list(")")?;
        let range = self.since(start);
        if word.text != "has" || arguments.len() != 1 {
            return Ok(Node { kind: Kind::Call { function: word, target: None, arguments }, range });
        }
        match arguments.pop() {
            Some(Node { kind: Kind::Select { operand, field, optional: false }, .. }) => {
                Ok(Node { kind: Kind::Has { operand, field }, range })
            }
            other => Err(CelError::new("`has` requires a field", other.map_or(range, |node| node.range))
                .help("write it as in `has(disk.serial)`")),
        }
    }

    /// Consumes the name of a message and the `{` after it, if they come next.
    fn message_name(&mut self, dot: &str) -> Option<Word> {
        let mut at = self.next;
        loop {
            if self.tokens.get(at)?.0 != Token::Name {
                return None;
            }
            match self.tokens.get(at + 1)?.0 {
                Token::Symbol("{") => break,
                Token::Symbol(".") => at += 2,
                _ => return None,
            }
        }
        let range = self.range().start..self.tokens[at].1.end;
        let text = self.tokens[self.next..=at].iter().map(|(_, range)| &self.text[range.clone()]).collect::<String>();
        self.next = at + 2;
        Some(Word { text: format!("{dot}{text}"), range })
    }
}
