//! Evaluation over the values that are known.
//!
//! A part that is not known and a part that fails when Talos evaluates it both have no value. `false && unknown` is false and
//! `true || unknown` is true, as in cel-go, where that holds for errors. The result of an expression that takes too many steps is unknown.

use std::ops::Range;

use super::environment::unit;
use super::functions::{binary, convert, matches};
use super::tree::{Kind, Macro, Node};
use super::{Bindings, Expression, Value};

/// The result of an expression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// True, whatever the unknown values are.
    True,
    /// False, whatever the unknown values are.
    False,
    /// It depends on a value that is not known.
    Unknown,
}

/// A condition that is false.
#[derive(Debug, Clone, PartialEq)]
pub struct FalseCondition {
    /// Its bytes in the expression.
    pub range: Range<usize>,
    /// The known values of the variables and fields in it, by their paths.
    pub values: Vec<(String, Value)>,
}

impl Expression {
    /// Evaluates the expression.
    #[must_use]
    pub fn evaluate(&self, bindings: &Bindings) -> Outcome {
        Scope::new(bindings).outcome(&self.tree)
    }

    /// Evaluates the expression in at most `steps` steps, and subtracts those that it took. For many expressions, which together would take
    /// too long.
    pub fn evaluate_within(&self, bindings: &Bindings, steps: &mut usize) -> Outcome {
        let most = STEPS.min(*steps);
        let mut scope = Scope { bindings, steps: most, variables: Vec::new() };
        let outcome = scope.outcome(&self.tree);
        *steps -= most - scope.steps;
        outcome
    }

    /// Returns the first of the conditions joined by `&&` that is false.
    #[must_use]
    pub fn false_condition(&self, bindings: &Bindings) -> Option<FalseCondition> {
        let mut scope = Scope::new(bindings);
        let part = self.tree.conjuncts().into_iter().find(|part| scope.outcome(part) == Outcome::False)?;
        let mut paths = Vec::new();
        part.paths(&mut paths);
        paths.dedup();
        let known = paths.into_iter().filter_map(|path| bindings.get(&path).cloned().map(|value| (path, value)));
        Some(FalseCondition { range: part.range.clone(), values: known.collect() })
    }

    /// Returns the values without which the expression is not true, as far as its conditions joined by `&&` name them:
    /// `disk.serial == 'S1'`, `'/dev/disk/by-id/x' in disk.symlinks`, `!disk.rotational`.
    #[must_use]
    pub fn implied(&self) -> Bindings {
        let mut bindings = Bindings::default();
        let unknown = Bindings::default();
        let mut scope = Scope::new(&unknown);
        for part in self.tree.conjuncts() {
            if let Some(path) = part.path() {
                bindings.bind(&path, true);
            } else if let Some([operand]) = part.operands("_!")
                && let Some(path) = operand.path()
            {
                bindings.bind(&path, false);
            } else if let Some([item, list]) = part.operands("@in")
                && let (Some(item), Some(path)) = (scope.value(item), list.path())
            {
                bindings.bind(&path, Value::List(vec![item], false));
            } else if let Some([left, right]) = part.operands("_==_") {
                for (path, value) in [(left, right), (right, left)] {
                    if let (Some(path), Some(value)) = (path.path(), scope.value(value)) {
                        bindings.bind(&path, value);
                    }
                }
            }
        }
        bindings
    }
}

/// The steps that one evaluation may take: many times what a long selector needs. Macros inside each other multiply.
const STEPS: usize = 2_000;

struct Scope<'a> {
    bindings: &'a Bindings,
    /// The steps that are left: one for each part that is evaluated, and for what its value takes up.
    steps: usize,
    /// The variables of the enclosing macros, the innermost last.
    variables: Vec<(&'a str, Value)>,
}

impl<'a> Scope<'a> {
    fn new(bindings: &'a Bindings) -> Self {
        Self { bindings, steps: STEPS, variables: Vec::new() }
    }

    fn outcome(&mut self, node: &'a Node) -> Outcome {
        match self.truth(node) {
            Some(true) => Outcome::True,
            Some(false) => Outcome::False,
            None => Outcome::Unknown,
        }
    }

    fn value(&mut self, node: &'a Node) -> Option<Value> {
        if self.steps == 0 {
            return None;
        }
        self.steps -= 1;
        let value = self.evaluate(node)?;
        self.steps = self.steps.saturating_sub(value.weight());
        Some(value)
    }

    fn evaluate(&mut self, node: &'a Node) -> Option<Value> {
        match &node.kind {
            Kind::Literal(value) => Some(value.clone()),
            Kind::Name(name) => {
                let name = name.trim_start_matches('.');
                let local = self.variables.iter().rev().find(|(variable, _)| *variable == name);
                match local {
                    Some((_, value)) => Some(value.clone()),
                    None => self.bindings.get(name).cloned().or_else(|| unit(name).map(Value::Uint)),
                }
            }
            Kind::Select { .. } => self.binding(&node.path()?),
            Kind::Has { operand, field } => {
                // A field of a protobuf message is set if it is not empty.
                Some(Value::Bool(match self.binding(&format!("{}.{}", operand.path()?, field.text))? {
                    Value::String(text) => !text.is_empty(),
                    Value::Bool(value) => value,
                    Value::Uint(value) => value != 0,
                    Value::List(items, whole) if whole || !items.is_empty() => !items.is_empty(),
                    _ => return None,
                }))
            }
            Kind::Call { function, target: None, arguments } => self.call(&function.text, arguments),
            Kind::Call { function, target: Some(target), arguments } => self.method(&function.text, target, arguments),
            Kind::List(items) => {
                let items: Option<Vec<Value>> = items.iter().map(|(_, item)| self.value(item)).collect();
                Some(Value::List(items?, true))
            }
            Kind::Macro { name, range, variable, bodies } => self.macro_(*name, range, variable, bodies),
            Kind::Map(_) | Kind::Message { .. } => None,
        }
    }

    fn binding(&self, path: &str) -> Option<Value> {
        let path = path.trim_start_matches('.');
        let first = path.split('.').next()?;
        if self.variables.iter().any(|(variable, _)| *variable == first) {
            return None;
        }
        self.bindings.get(path).cloned()
    }

    fn truth(&mut self, node: &'a Node) -> Option<bool> {
        truth(self.value(node))
    }

    fn call(&mut self, name: &str, arguments: &'a [Node]) -> Option<Value> {
        match (name.trim_start_matches('.'), arguments) {
            ("_&&_", operands) => decide(operands.iter().map(|operand| self.truth(operand)), false).map(Value::Bool),
            ("_||_", operands) => decide(operands.iter().map(|operand| self.truth(operand)), true).map(Value::Bool),
            ("_!", [operand]) => self.truth(operand).map(|truth| Value::Bool(!truth)),
            ("_?_:_", [condition, then, otherwise]) => match self.truth(condition) {
                Some(true) => self.value(then),
                Some(false) => self.value(otherwise),
                None => None,
            },
            ("@in", [item, list]) => {
                let item = self.value(item)?;
                let Value::List(items, whole) = self.value(list)? else { return None };
                let found = decide(items.iter().map(|other| item.equals(other)), true);
                found.filter(|found| whole || *found).map(Value::Bool)
            }
            ("_[_]", [list, index]) => match (self.value(list)?, self.value(index)?) {
                (Value::List(items, true), Value::Int(index)) => items.get(usize::try_from(index).ok()?).cloned(),
                _ => None,
            },
            ("_-", [operand]) => match self.value(operand)? {
                Value::Int(value) => value.checked_neg().map(Value::Int),
                Value::Double(value) => Some(Value::Double(-value)),
                _ => None,
            },
            (_, [operand]) => convert(name.trim_start_matches('.'), self.value(operand)?),
            (name, [left, right]) => binary(name, self.value(left)?, self.value(right)?),
            _ => None,
        }
    }

    fn method(&mut self, name: &str, target: &'a Node, arguments: &'a [Node]) -> Option<Value> {
        let target = self.value(target)?;
        match arguments {
            [] => convert(name, target).filter(|_| name == "size"),
            [argument] => match (target, self.value(argument)?) {
                (Value::String(text), Value::String(part)) => match name {
                    "contains" => Some(Value::Bool(text.contains(&part))),
                    "startsWith" => Some(Value::Bool(text.starts_with(&part))),
                    "endsWith" => Some(Value::Bool(text.ends_with(&part))),
                    "matches" => matches(&text, &part).map(Value::Bool),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }

    fn macro_(&mut self, name: Macro, range: &'a Node, variable: &'a str, bodies: &'a [Node]) -> Option<Value> {
        let Value::List(items, whole) = self.value(range)? else { return None };
        let each = |scope: &mut Self, body: &'a Node, item: &Value| {
            scope.variables.push((variable, item.clone()));
            let value = scope.value(body);
            scope.variables.pop();
            value
        };
        let condition = bodies.first()?;
        match name {
            Macro::Map => {
                let mut mapped = Vec::new();
                for item in &items {
                    if bodies.len() == 1 || truth(each(self, condition, item))? {
                        mapped.push(each(self, bodies.last()?, item)?);
                    }
                }
                Some(Value::List(mapped, whole))
            }
            Macro::Filter => {
                let mut kept = Vec::new();
                for item in items {
                    if truth(each(self, condition, &item))? {
                        kept.push(item);
                    }
                }
                Some(Value::List(kept, whole))
            }
            Macro::ExistsOne => {
                let truths: Option<Vec<bool>> = items.iter().map(|item| truth(each(self, condition, item))).collect();
                let count = truths?.into_iter().filter(|truth| *truth).count();
                whole.then_some(Value::Bool(count == 1))
            }
            Macro::All | Macro::Exists => {
                let decisive = name == Macro::Exists;
                let truths = items.iter().map(|item| truth(each(self, condition, item)));
                decide(truths, decisive).filter(|truth| whole || *truth == decisive).map(Value::Bool)
            }
            Macro::OptMap | Macro::OptFlatMap => None,
        }
    }
}

fn truth(value: Option<Value>) -> Option<bool> {
    match value {
        Some(Value::Bool(truth)) => Some(truth),
        _ => None,
    }
}

/// The result of `&&`, which one `false` decides, or of `||`, which one `true` decides.
fn decide(truths: impl Iterator<Item = Option<bool>>, decisive: bool) -> Option<bool> {
    let mut is_known = true;
    for truth in truths {
        match truth {
            Some(truth) if truth == decisive => return Some(decisive),
            Some(_) => {}
            None => is_known = false,
        }
    }
    is_known.then_some(!decisive)
}
