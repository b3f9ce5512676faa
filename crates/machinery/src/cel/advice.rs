//! What is wrong with the types of an expression, and what to write instead.

use std::ops::Range;

use talosmith_document::{TalosVersion, closest};

use super::environment::{Environment, UNITS, fields, unit};
use super::kind::Type;
use super::tree::{Kind, Node, Word};
use super::{Fault, Value};

/// What faults and their helps are made from.
pub(super) struct Advice<'a> {
    /// The expression.
    pub text: &'a str,
    /// Where it stands.
    pub environment: Environment,
}

/// A type in a sentence.
pub(super) fn a(kind: &Type) -> String {
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

    /// The variables that have fields: `disk`.
    fn things(&self) -> impl Iterator<Item = (&'static str, &'static str)> {
        let environment = self.environment;
        environment.names().filter_map(move |name| match environment.name(name)? {
            Type::Message(message) => Some((name, message)),
            _ => None,
        })
    }

    pub fn wrong_result(&self, tree: &Node, found: &Type) -> Fault {
        let expected = self.environment.result();
        let fault = Fault::new(format!("the result is {}, not {}", a(found), a(&expected)), tree.range.clone());
        let written = self.written(tree);
        match (&expected, found) {
            (Type::Plain("double"), Type::Plain("int" | "uint")) => fault.help(format!("write `double({written})`")),
            (Type::Plain("bool"), Type::Plain("string")) if tree.path().is_some() => {
                fault.help(format!("compare it, as in `{written} == '…'`"))
            }
            (Type::Plain("bool"), Type::Plain("uint")) if tree.path().is_some() => {
                fault.help(format!("compare it, as in `{written} > 100u * GB`"))
            }
            (Type::Plain("bool"), Type::Of("list", _)) if tree.path().is_some() => {
                fault.help(format!("ask for an item, as in `'…' in {written}`"))
            }
            _ => fault,
        }
    }

    pub fn unknown_name(&self, name: &str, range: &Range<usize>) -> Fault {
        let fault = Fault::new(format!("there is no `{name}` here"), range.clone());
        let owner = self.things().find(|(_, message)| fields(message).any(|field| field == snake(name)));
        if let Some((thing, _)) = owner {
            return fault.help(format!("write `{thing}.{}`", snake(name)));
        }
        if matches!(name, "disk" | "volume" | "link") {
            let names = self.environment.names().filter(|name| unit(name).is_none());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return if names.len() > 4 { fault } else { fault.label(format!("known here: {}", names.join(", "))) };
        }
        let names = self.environment.names().chain(self.environment.functions());
        match closest(name, names) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.help(format!("if it is a text, put it in quotes: `'{name}'`")),
        }
    }

    pub fn unknown_field(&self, operand: &Node, owner: &str, word: &Word) -> Fault {
        let operand = self.written(operand);
        let fault = Fault::new(format!("`{operand}` has no field `{}`", word.text), word.range.clone());
        let snake = snake(&word.text);
        if snake != word.text && fields(owner).any(|field| field == snake) {
            return fault.help(format!("write `{operand}.{snake}`"));
        }
        match closest(&snake, fields(owner)) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.label(format!("none of: {}", fields(owner).collect::<Vec<_>>().join(", "))),
        }
    }

    pub fn newer_field(&self, operand: &Node, word: &Word, since: (u64, u64), version: &TalosVersion) -> Fault {
        let operand = self.written(operand);
        Fault::new(format!("Talos {version} does not know `{operand}.{}`", word.text), word.range.clone())
            .label(format!("from Talos {}.{} on", since.0, since.1))
    }

    pub fn no_fields(&self, node: &Node, operand: &Node, found: &Type, word: &Word) -> Fault {
        Fault::new(
            format!("`{}` is {} and has no field `{}`", self.written(operand), a(found), word.text),
            node.range.clone(),
        )
    }

    pub fn no_items(&self, node: &Node, over: &Node, found: &Type) -> Fault {
        Fault::new(format!("`{}` is {}, not a list", self.written(over), a(found)), node.range.clone())
    }

    pub fn not_bool(&self, node: &Node, found: &Type, around: &str) -> Fault {
        let what = operator(around).map_or_else(|| around.to_owned(), |symbol| format!("`{symbol}`"));
        let fault = Fault::new(format!("{what} takes a bool, not {}", a(found)), node.range.clone());
        match (found, node.path()) {
            (Type::Plain("string"), Some(path)) => fault.help(format!("compare it, as in `{path} == '…'`")),
            (Type::Plain("uint"), Some(path)) => fault.help(format!("compare it, as in `{path} > 100u * GB`")),
            _ => fault,
        }
    }

    pub fn unknown_function(
        &self,
        name: &str,
        range: &Range<usize>,
        target: Option<&Node>,
        arguments: &[Node],
    ) -> Fault {
        let fault = Fault::new(format!("there is no function `{name}`"), range.clone());
        if let (Some(target), [argument]) = (target, arguments) {
            let (target, argument) = (self.written(target), self.written(argument));
            if matches!(name, "includes" | "has") {
                return fault.help(format!("write `{target}.contains({argument})`"));
            }
        }
        match closest(name, self.environment.functions().chain(["exists", "exists_one", "filter", "map", "all", "has"]))
        {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault,
        }
    }

    pub fn no_overload(&self, node: &Node, name: &str, method: bool, nodes: &[&Node], kinds: &[Type]) -> Fault {
        let symbol = operator(name).unwrap_or(name);
        let of = match kinds.split_last() {
            None => "without arguments".to_owned(),
            Some((last, [])) => format!("of {}", a(last)),
            Some((last, others)) => {
                format!("of {} and {}", others.iter().map(a).collect::<Vec<_>>().join(", "), a(last))
            }
        };
        let fault = Fault::new(format!("there is no `{symbol}` {of}"), node.range.clone());
        match self.instead(node, symbol, method, nodes, kinds) {
            Some(text) => fault.help(format!("write `{text}`")),
            None => fault,
        }
    }

    /// The call as it was meant.
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

    /// The text of a call with a `u` behind each number of one operand, if that makes uints of them.
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

/// The ends of the numbers in an operand that has nothing else; none if it has, or if one is negative.
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

/// `1.5` and `TB` as whole numbers of a smaller unit: `1500u * GB`.
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

/// A size in quotes as a number and a unit: `'100GB'` is `100u * GB`.
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

/// `devPath` as `dev_path`; `Model` as `model`.
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

/// The symbol of an operator's name: `_>=_` is `>=`.
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
