//! Infers the types of an expression as cel-go's checker does. Source: github.com/google/cel-go, checker/checker.go.

use std::ops::Range;

use talosmith_document::TalosVersion;

use super::advice::{self, Advice};
use super::environment::{Environment, field, message};
use super::kind::{Parameters, Type};
use super::tree::{Kind, Macro, Node, Word};
use super::{CelError, Value};

/// Checks the types of an expression, and that its result has the type that its environment requires.
pub(super) fn check(text: &str, tree: &Node, environment: Environment, version: &TalosVersion) -> Result<(), CelError> {
    let mut checker = Checker {
        advice: Advice { text, environment },
        version,
        parameters: Parameters::default(),
        scope: Vec::new(),
        mixes_numbers: false,
    };
    let found = checker.kind(tree)?;
    let found = checker.parameters.resolve(&found, true);
    if found == environment.result() { Ok(()) } else { Err(checker.advice.wrong_result(tree, &found)) }
}

struct Checker<'a> {
    advice: Advice<'a>,
    version: &'a TalosVersion,
    parameters: Parameters,
    /// The variables of the enclosing macros, the innermost last.
    scope: Vec<(String, Type)>,
    /// Whether numbers of different types can be compared. They can after the first macro: from then on cel-go no longer filters
    /// these overloads (checker/env.go, enterScope), and this must not refuse what Talos accepts.
    mixes_numbers: bool,
}

impl Checker<'_> {
    fn kind(&mut self, node: &Node) -> Result<Type, CelError> {
        match &node.kind {
            Kind::Literal(value) => Ok(literal(value)),
            Kind::Name(name) => self.name(name).ok_or_else(|| self.advice.unknown_name(name, &node.range)),
            Kind::Select { operand, field, optional } => match self.qualified(node) {
                Some(kind) => Ok(kind),
                None => self.select(node, operand, field, *optional),
            },
            Kind::Has { operand, field } => self.select(node, operand, field, false).map(|_| Type::BOOL),
            Kind::Call { function, target, arguments } => self.call(node, function, target.as_deref(), arguments),
            Kind::List(items) => self.list(items),
            Kind::Map(entries) => self.map(entries),
            Kind::Message { name, fields } => self.message(name, fields),
            Kind::Macro { name, range, variable, bodies } => self.macro_(node, *name, range, variable, bodies),
        }
    }

    fn list(&mut self, items: &[(bool, Node)]) -> Result<Type, CelError> {
        let mut joined = None;
        for (optional, item) in items {
            let kind = self.value(*optional, item)?;
            joined = Some(self.join(joined, kind));
        }
        Ok(Type::list(joined.unwrap_or_else(|| self.parameters.fresh())))
    }

    fn map(&mut self, entries: &[(bool, Node, Node)]) -> Result<Type, CelError> {
        let (mut keys, mut values) = (None, None);
        for (optional, key, value) in entries {
            let kind = self.kind(key)?;
            keys = Some(self.join(keys, kind));
            let kind = self.value(*optional, value)?;
            values = Some(self.join(values, kind));
        }
        let mut or_any = |kind: Option<Type>| Box::new(kind.unwrap_or_else(|| self.parameters.fresh()));
        Ok(Type::Map(or_any(keys), or_any(values)))
    }

    fn name(&self, name: &str) -> Option<Type> {
        if let Some(global) = name.strip_prefix('.') {
            return self.advice.environment.name(global);
        }
        let local = self.scope.iter().rev().find(|(variable, _)| variable == name).map(|(_, kind)| kind.clone());
        local.or_else(|| self.advice.environment.name(name))
    }

    /// The type of a name with dots in it: `google.protobuf.Timestamp`.
    fn qualified(&self, node: &Node) -> Option<Type> {
        let path = node.path()?;
        let first = path.split('.').next()?;
        if self.name(first).is_some() {
            return None;
        }
        self.advice.environment.name(&path).or_else(|| match message(&path)? {
            Type::Dyn => Some(Type::Dyn),
            message => Some(Type::Of("type", Box::new(message))),
        })
    }

    /// The type of an item or value; if it is marked as optional, its type must be too.
    fn value(&mut self, optional: bool, node: &Node) -> Result<Type, CelError> {
        let kind = self.kind(node)?;
        match (optional, &kind) {
            (false, _) | (true, Type::Dyn) => Ok(kind),
            (true, Type::Of("optional", inner)) => Ok((**inner).clone()),
            (true, _) => Err(advice::not_optional(&kind, node)),
        }
    }

    fn join(&mut self, before: Option<Type>, kind: Type) -> Type {
        match before {
            Some(before) => self.parameters.join(before, kind),
            None => kind,
        }
    }

    fn select(&mut self, node: &Node, operand: &Node, word: &Word, optional: bool) -> Result<Type, CelError> {
        let found = self.kind(operand)?;
        let found = self.parameters.resolve(&found, false);
        let result = match found.unwrapped() {
            Type::Map(_, value) => (**value).clone(),
            Type::Message(owner) => self.field(operand, owner, word)?,
            Type::Dyn => Type::Dyn,
            unknown @ Type::Parameter(_) => {
                self.parameters.assign([(&Type::Dyn, unknown)]);
                Type::Dyn
            }
            other => return Err(self.advice.no_fields(node, operand, other, word)),
        };
        let is_optional = optional || matches!(found, Type::Of("optional", _));
        Ok(if is_optional { result.optional() } else { result })
    }

    fn field(&self, operand: &Node, owner: &str, word: &Word) -> Result<Type, CelError> {
        match field(owner, &word.text) {
            Some((kind, since)) if since.is_none_or(|since| self.version.minor() >= since) => Ok(kind),
            Some((_, since)) => Err(self.advice.newer_field(operand, word, since.unwrap_or_default(), self.version)),
            None => Err(self.advice.unknown_field(operand, owner, word)),
        }
    }

    fn call(&mut self, node: &Node, word: &Word, target: Option<&Node>, arguments: &[Node]) -> Result<Type, CelError> {
        let name = word.text.trim_start_matches('.');
        // A function with a dot in its name, such as `optional.of`, is parsed as a method.
        if let Some(prefix) = target.and_then(Node::path)
            && let qualified = format!("{prefix}.{name}")
            && self.advice.environment.function(&qualified, self.version).is_some()
        {
            return self.overload(node, &qualified, &word.range, None, arguments);
        }
        self.overload(node, name, &word.range, target, arguments)
    }

    fn overload(
        &mut self,
        node: &Node,
        name: &str,
        location: &Range<usize>,
        target: Option<&Node>,
        arguments: &[Node],
    ) -> Result<Type, CelError> {
        let nodes: Vec<&Node> = target.into_iter().chain(arguments).collect();
        // The arguments are checked before the target, which matters if one contains a macro (see `mixes_numbers`).
        let mut kinds =
            arguments.iter().map(|argument| self.kind(argument)).collect::<Result<Vec<Type>, CelError>>()?;
        if let Some(target) = target {
            kinds.insert(0, self.kind(target)?);
        }
        if matches!(name, "_&&_" | "_||_") {
            for (node, kind) in nodes.iter().zip(&kinds) {
                if !self.parameters.assign([(kind, &Type::BOOL)]) {
                    return Err(self.advice.not_bool(node, &self.parameters.resolve(kind, true), name));
                }
            }
            return Ok(Type::BOOL);
        }
        let Some(overloads) = self.advice.environment.function(name, self.version) else {
            return Err(self.advice.unknown_function(name, location, target, arguments));
        };
        let mut result: Option<Type> = None;
        for overload in overloads.iter().filter(|overload| overload.method == target.is_some()) {
            let (expected, kind) = overload.types(&mut self.parameters);
            if expected.len() == kinds.len() && self.parameters.assign(kinds.iter().zip(&expected)) {
                let kind = self.parameters.resolve(&kind, false);
                result = Some(match result {
                    Some(before) if before != Type::Dyn && before != kind => Type::Dyn,
                    Some(before) => before,
                    None => kind,
                });
            }
        }
        let kinds: Vec<Type> = kinds.iter().map(|kind| self.parameters.resolve(kind, true)).collect();
        if result.is_none() && self.mixes_numbers && is_mixed_comparison(name, &kinds) {
            result = Some(Type::BOOL);
        }
        result.ok_or_else(|| self.advice.no_overload(node, name, target.is_some(), &nodes, &kinds))
    }

    fn message(&mut self, name: &Word, fields: &[(bool, Word, Node)]) -> Result<Type, CelError> {
        let Some(kind) = message(&name.text) else {
            return Err(CelError::new(format!("there is no message `{}`", name.text), name.range.clone()));
        };
        for (optional, word, value) in fields {
            let found = self.value(*optional, value)?;
            let Type::Message(owner) = kind else { continue };
            let expected = match field(owner, &word.text) {
                Some((expected, since)) if since.is_none_or(|since| self.version.minor() >= since) => expected,
                _ => return Err(CelError::new(format!("`{owner}` has no field `{}`", word.text), word.range.clone())),
            };
            if !self.parameters.assign([(&expected, &found)]) {
                let (is, wanted) =
                    (advice::with_article(&self.parameters.resolve(&found, true)), advice::with_article(&expected));
                return Err(CelError::new(format!("`{}` is {wanted}, not {is}", word.text), value.range.clone()));
            }
        }
        Ok(kind)
    }

    fn macro_(
        &mut self,
        node: &Node,
        name: Macro,
        over: &Node,
        variable: &str,
        bodies: &[Node],
    ) -> Result<Type, CelError> {
        let range = self.kind(over)?;
        let range = self.parameters.resolve(&range, false);
        let item = match (name, &range) {
            (Macro::OptMap | Macro::OptFlatMap, Type::Of("optional", inner)) => (**inner).clone(),
            (Macro::OptMap | Macro::OptFlatMap, Type::Dyn) | (_, Type::Dyn) => Type::Dyn,
            (Macro::OptMap | Macro::OptFlatMap, other) => return Err(advice::not_optional(other, over)),
            (_, Type::Of("list", item)) => (**item).clone(),
            (_, Type::Map(key, _)) => (**key).clone(),
            (_, Type::Parameter(_)) => {
                self.parameters.assign([(&Type::Dyn, &range)]);
                Type::Dyn
            }
            (_, other) => return Err(self.advice.no_items(node, over, other)),
        };
        // In cel-go 0.31, which Talos 1.14 has, `optMap` of anything but a name is a loop too.
        self.mixes_numbers |= match name {
            Macro::OptMap | Macro::OptFlatMap => self.version.minor() >= (1, 14) && !matches!(over.kind, Kind::Name(_)),
            _ => true,
        };
        self.scope.push((variable.to_owned(), item.clone()));
        let kinds: Result<Vec<Type>, CelError> = bodies.iter().map(|body| self.kind(body)).collect();
        self.scope.pop();
        let mut kinds = kinds?;
        // The last body of `map` is the new item; all others are conditions.
        let mapped = matches!(name, Macro::Map | Macro::OptMap | Macro::OptFlatMap).then(|| kinds.pop()).flatten();
        for (body, kind) in bodies.iter().zip(&kinds) {
            if !self.parameters.assign([(kind, &Type::BOOL)]) {
                return Err(self.advice.not_bool(body, &self.parameters.resolve(kind, true), "a condition"));
            }
        }
        Ok(match (name, mapped) {
            (Macro::Filter, _) => Type::list(item),
            (Macro::Map, Some(mapped)) => Type::list(mapped),
            (Macro::OptMap, Some(mapped)) => Type::Of("optional", Box::new(mapped)),
            (Macro::OptFlatMap, Some(mapped)) => {
                let optional = Type::Of("optional", Box::new(self.parameters.fresh()));
                if !self.parameters.assign([(&mapped, &optional)]) {
                    return Err(advice::not_optional(&mapped, &bodies[0]));
                }
                mapped
            }
            _ => Type::BOOL,
        })
    }
}

fn is_mixed_comparison(name: &str, kinds: &[Type]) -> bool {
    let is_number = |kind: &Type| matches!(kind, Type::Plain("int" | "uint" | "double"));
    matches!(name, "_<_" | "_<=_" | "_>_" | "_>=_") && kinds.iter().all(is_number)
}

fn literal(value: &Value) -> Type {
    match value {
        Value::Null => Type::Plain("null"),
        Value::Bool(_) => Type::BOOL,
        Value::Int(_) => Type::INT,
        Value::Uint(_) => Type::Plain("uint"),
        Value::Double(_) => Type::Plain("double"),
        Value::String(_) => Type::STRING,
        Value::Bytes(_) => Type::Plain("bytes"),
        Value::List(..) => Type::Dyn,
    }
}
