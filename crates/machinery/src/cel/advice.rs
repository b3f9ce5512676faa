//! The errors about the types of an expression, with what to write instead.

use std::ops::Range;

use talosmith_document::{TalosVersion, closest};

use super::environment::{Environment, UNITS, fields, unit};
use super::kind::Type;
use super::tree::{Kind, Node, Word};
use super::{CelError, Value};

/// Makes errors, with helps in the words of the expression.
pub(super) struct Advice<'a> {
    pub text: &'a str,
    pub environment: Environment,
}

/// The error for a value that is not optional where it must be.
pub(super) fn not_optional(kind: &Type, node: &Node) -> CelError {
    CelError::new(format!("{} is not optional", with_article(kind)), node.range.clone())
}

/// A type with its article, for a sentence.
pub(super) fn with_article(kind: &Type) -> String {
    match kind {
        Type::Plain("null") => "null".to_owned(),
        Type::Plain("int") => "an int".to_owned(),
        Type::Plain(name) => format!("a {name}"),
        Type::Of("optional", _) => "an optional value".to_owned(),
        Type::Of(name, _) => format!("a {name}"),
        Type::Map(..) => "a map".to_owned(),
        Type::Message(name) => format!("a {name}"),
        Type::Dyn | Type::Parameter(_) => "a value of any type".to_owned(),
    }
}

impl Advice<'_> {
    fn written(&self, node: &Node) -> &str {
        &self.text[node.range.clone()]
    }

    /// The variables that have fields, such as `disk`, and their messages.
    fn messages(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let environment = self.environment;
        environment.names().filter_map(move |name| match environment.name(name)? {
            Type::Message(message) => Some((name, message)),
            _ => None,
        })
    }

    pub(super) fn wrong_result(&self, tree: &Node, found: &Type) -> CelError {
        let expected = self.environment.result();
        let error = CelError::new(
            format!("the result is {}, not {}", with_article(found), with_article(&expected)),
            tree.range.clone(),
        );
        let written = self.written(tree);
        match (&expected, found) {
            (Type::Plain("double"), Type::Plain("int" | "uint")) => error.help(format!("write `double({written})`")),
            (Type::Plain("bool"), Type::Of("list", _)) if tree.path().is_some() => {
                error.help(format!("test for an item, as in `'…' in {written}`"))
            }
            (Type::Plain("bool"), _) => compare(error, found, tree),
            _ => error,
        }
    }

    pub(super) fn unknown_name(&self, name: &str, range: &Range<usize>) -> CelError {
        let error = CelError::new(format!("there is no `{name}` here"), range.clone());
        let owner = self.messages().find(|(_, message)| fields(message).any(|field| field == snake(name)));
        if let Some((thing, _)) = owner {
            return error.help(format!("write `{thing}.{}`", snake(name)));
        }
        if matches!(name, "disk" | "volume" | "link") {
            let names = self.environment.names().filter(|name| unit(name).is_none());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return if names.len() > 4 { error } else { error.label(format!("known here: {}", names.join(", "))) };
        }
        let names = self.environment.names().chain(self.environment.functions());
        match closest(name, names) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error.help(format!("if it is a string, put it in quotes: `'{name}'`")),
        }
    }

    pub(super) fn unknown_field(&self, operand: &Node, owner: &str, word: &Word) -> CelError {
        let operand = self.written(operand);
        let error = CelError::new(format!("`{operand}` has no field `{}`", word.text), word.range.clone());
        let snake = snake(&word.text);
        if snake != word.text && fields(owner).any(|field| field == snake) {
            return error.help(format!("write `{operand}.{snake}`"));
        }
        match closest(&snake, fields(owner)) {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error.label(format!("none of: {}", fields(owner).collect::<Vec<_>>().join(", "))),
        }
    }

    pub(super) fn newer_field(
        &self,
        operand: &Node,
        word: &Word,
        since: (u64, u64),
        version: &TalosVersion,
    ) -> CelError {
        let operand = self.written(operand);
        CelError::new(format!("Talos {version} does not know `{operand}.{}`", word.text), word.range.clone())
            .label(format!("from Talos {}.{} on", since.0, since.1))
    }

    pub(super) fn no_fields(&self, node: &Node, operand: &Node, found: &Type, word: &Word) -> CelError {
        CelError::new(
            format!("`{}` is {} and has no field `{}`", self.written(operand), with_article(found), word.text),
            node.range.clone(),
        )
    }

    pub(super) fn no_items(&self, node: &Node, over: &Node, found: &Type) -> CelError {
        CelError::new(format!("`{}` is {}, not a list", self.written(over), with_article(found)), node.range.clone())
    }

    pub(super) fn not_bool(&self, node: &Node, found: &Type, around: &str) -> CelError {
        let what = operator(around).map_or_else(|| around.to_owned(), |symbol| format!("`{symbol}`"));
        let error = CelError::new(format!("{what} requires a bool, not {}", with_article(found)), node.range.clone());
        compare(error, found, node)
    }

    pub(super) fn unknown_function(
        &self,
        name: &str,
        range: &Range<usize>,
        target: Option<&Node>,
        arguments: &[Node],
    ) -> CelError {
        let error = CelError::new(format!("there is no function `{name}`"), range.clone());
        if let (Some(target), [argument]) = (target, arguments) {
            let (target, argument) = (self.written(target), self.written(argument));
            if matches!(name, "includes" | "has") {
                return error.help(format!("write `{target}.contains({argument})`"));
            }
        }
        match closest(name, self.environment.functions().chain(["exists", "exists_one", "filter", "map", "all", "has"]))
        {
            Some(near) => error.label(format!("did you mean `{near}`?")),
            None => error,
        }
    }

    pub(super) fn no_overload(
        &self,
        node: &Node,
        name: &str,
        method: bool,
        nodes: &[&Node],
        kinds: &[Type],
    ) -> CelError {
        let symbol = operator(name).unwrap_or(name);
        let kinds_with_articles: Vec<String> = kinds.iter().map(with_article).collect();
        let of = match kinds_with_articles.split_last() {
            None => "without arguments".to_owned(),
            Some((last, [])) => format!("of {last}"),
            Some((last, others)) => format!("of {} and {last}", others.join(", ")),
        };
        let error = CelError::new(format!("there is no `{symbol}` {of}"), node.range.clone());
        match self.instead(node, symbol, method, nodes, kinds) {
            Some(text) => error.help(format!("write `{text}`")),
            None => error,
        }
    }

    /// The call that was probably meant; `None` if there is no good guess.
    fn instead(&self, node: &Node, symbol: &str, method: bool, nodes: &[&Node], kinds: &[Type]) -> Option<String> {
        let [left, right] = nodes else { return None };
        let (first, second) = (self.written(left), self.written(right));
        let is_relation = matches!(symbol, "<" | "<=" | ">" | ">=" | "==" | "!=");
        match (&kinds[0], &kinds[1]) {
            (Type::Plain("int"), Type::Plain("uint")) => self.with_units(node, left),
            (Type::Plain("uint"), Type::Plain("int")) => self.with_units(node, right),
            (Type::Plain("double"), Type::Plain("uint")) if symbol == "*" => whole(first, second),
            (Type::Plain("uint"), Type::Plain("double")) if symbol == "*" => whole(second, first),
            (Type::Plain("uint"), Type::Plain("string")) if is_relation => {
                Some(format!("{first} {symbol} {}", size(right)?))
            }
            (Type::Plain("string"), Type::Plain("null")) if is_relation => Some(format!("{first} {symbol} ''")),
            (Type::Plain("bool"), Type::Plain("string")) if symbol == "==" => match &right.kind {
                Kind::Literal(Value::String(word)) if word == "true" => Some(first.to_owned()),
                Kind::Literal(Value::String(word)) if word == "false" => Some(format!("!{first}")),
                _ => None,
            },
            (Type::Of("list", _), Type::Plain("string")) if matches!(symbol, "==" | "contains") => {
                Some(format!("{second} in {first}"))
            }
            (Type::Plain("string"), Type::Plain("string")) if method && symbol == "glob" => {
                Some(format!("glob({second}, {first})"))
            }
            (Type::Of("list", _), Type::Plain("string")) if method => {
                Some(format!("{first}.exists(item, item.{symbol}({second}))"))
            }
            (Type::Plain("string"), Type::Plain("string")) if symbol == "in" => {
                Some(format!("{second}.contains({first})"))
            }
            _ => None,
        }
    }

    /// The text of a call with a `u` after each number of an operand, if that makes the operand a uint.
    fn with_units(&self, node: &Node, operand: &Node) -> Option<String> {
        let mut ends = Vec::new();
        ints(operand, &mut ends)?;
        let mut text = self.written(node).to_owned();
        for end in ends.into_iter().rev() {
            text.insert(end - node.range.start, 'u');
        }
        Some(text)
    }
}

/// Adds what to write where a variable or field is used as a condition.
fn compare(error: CelError, found: &Type, node: &Node) -> CelError {
    match (found, node.path()) {
        (Type::Plain("string"), Some(path)) => error.help(format!("compare it, as in `{path} == '…'`")),
        (Type::Plain("uint"), Some(path)) => error.help(format!("compare it, as in `{path} > 100u * GB`")),
        _ => error,
    }
}

/// Appends the ends of the numbers in an operand; `None` if it contains anything else, or a negative number.
fn ints(node: &Node, ends: &mut Vec<usize>) -> Option<()> {
    match &node.kind {
        Kind::Literal(Value::Int(0..)) if node.range.len() < 20 => {
            ends.push(node.range.end);
            Some(())
        }
        Kind::Call { target: None, arguments, .. } if arguments.len() == 2 => {
            arguments.iter().try_for_each(|argument| ints(argument, ends))
        }
        _ => None,
    }
}

/// `1.5` and `TB` as a whole number of a smaller unit: `1500u * GB`.
fn whole(number: &str, unit_name: &str) -> Option<String> {
    let (integer, fraction) = number.split_once('.')?;
    let at = UNITS.iter().position(|unit| *unit == unit_name)?;
    let smaller = *UNITS.get(at.checked_sub(1)?)?;
    if unit(smaller) > unit(unit_name) || fraction.len() > 3 || unit_name.contains('i') {
        return None;
    }
    let number: u64 = format!("{integer}{fraction:0<3}").parse().ok()?;
    Some(format!("{number}u * {smaller}"))
}

/// A size in quotes as a product: `100u * GB` for `'100GB'`.
fn size(node: &Node) -> Option<String> {
    let Kind::Literal(Value::String(text)) = &node.kind else { return None };
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, name) = (&text[..end], text[end..].trim());
    if digits.is_empty() {
        return None;
    }
    match UNITS.iter().find(|unit| **unit == name) {
        Some(unit) => Some(format!("{digits}u * {unit}")),
        None if name.is_empty() || name == "B" => Some(format!("{digits}u")),
        None => None,
    }
}

/// A name in snake case: `dev_path` for `devPath`.
fn snake(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    for (at, c) in name.char_indices() {
        let after_small = at > 0 && name[..at].ends_with(|before: char| before.is_ascii_lowercase());
        if c.is_ascii_uppercase() && after_small {
            snake.push('_');
        }
        snake.push(if c == '-' { '_' } else { c.to_ascii_lowercase() });
    }
    snake
}

/// The symbol of an operator by its name: `>=` for `_>=_`.
fn operator(name: &str) -> Option<&str> {
    match name {
        "@in" => Some("in"),
        "_?_:_" => Some("?:"),
        "_[_]" => Some("[]"),
        "_[?_]" => Some("[?]"),
        "_!" => Some("!"),
        "_-" => Some("-"),
        _ => name.strip_suffix('_').map(|name| name.trim_start_matches('_')),
    }
}
