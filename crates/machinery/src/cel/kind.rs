//! Types, as cel-go's checker has them. Source: github.com/google/cel-go, checker/types.go.

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Type {
    /// Not known before evaluation.
    Dyn,
    /// A type without parameters: `uint`, `string`.
    Plain(&'static str),
    /// A protobuf message: `DiskSpec`.
    Message(&'static str),
    /// `list`, `type` or `optional`, and its parameter.
    Of(&'static str, Box<Type>),
    /// The types of a map's keys and values.
    Map(Box<Type>, Box<Type>),
    /// A type parameter, by its number in [`Parameters`].
    Parameter(usize),
}

const PLAIN: &[&str] = &["bool", "int", "uint", "double", "string", "bytes", "null", "duration", "timestamp"];

/// Types with one parameter.
const OF: &[&str] = &["list", "optional", "type"];

impl Type {
    pub(super) const BOOL: Self = Self::Plain("bool");
    pub(super) const STRING: Self = Self::Plain("string");
    pub(super) const INT: Self = Self::Plain("int");

    pub(super) fn list(items: Self) -> Self {
        Self::Of("list", Box::new(items))
    }

    /// The optional type of a type; an optional type is returned as it is.
    pub(super) fn optional(self) -> Self {
        match self {
            Self::Of("optional", _) => self,
            value => Self::Of("optional", Box::new(value)),
        }
    }

    /// The parameter of an optional type; any other type is returned as it is.
    pub(super) fn unwrapped(&self) -> &Self {
        match self {
            Self::Of("optional", inner) => inner,
            other => other,
        }
    }

    /// Parses a type of the tables: `map(int,list(A))`. `A` and `B` are the parameters `base` and `base + 1`.
    pub(super) fn read(text: &'static str, base: usize) -> Self {
        match text {
            "dyn" => return Self::Dyn,
            "A" => return Self::Parameter(base),
            "B" => return Self::Parameter(base + 1),
            _ => {}
        }
        let Some((name, inner)) = text.split_once('(') else {
            return match PLAIN.iter().find(|plain| **plain == text) {
                Some(plain) => Self::Plain(plain),
                None => Self::Message(text),
            };
        };
        let inner = &inner[..inner.len() - 1];
        let mut types = split(inner).map(|part| Box::new(Self::read(part, base)));
        match (OF.iter().find(|of| **of == name), types.next(), types.next()) {
            (Some(of), Some(inner), None) => Self::Of(of, inner),
            (None, Some(key), Some(value)) => Self::Map(key, value),
            _ => Self::Dyn,
        }
    }
}

/// Splits at the commas outside brackets.
pub(super) fn split(text: &'static str) -> impl Iterator<Item = &'static str> {
    let mut depth = 0;
    text.split(move |c| {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        c == ',' && depth == 0
    })
    .filter(|part| !part.is_empty())
}

/// The types that are inferred for type parameters.
#[derive(Debug, Clone, Default)]
pub(super) struct Parameters(Vec<Option<Type>>);

impl Parameters {
    pub(super) fn fresh(&mut self) -> Type {
        self.0.push(None);
        Type::Parameter(self.0.len() - 1)
    }

    /// Adds parameters for an overload's `A` and `B`, and returns the number of the first.
    pub(super) fn fresh_pair(&mut self) -> usize {
        self.0.extend([None, None]);
        self.0.len() - 2
    }

    fn find(&self, kind: &Type) -> Option<&Type> {
        match kind {
            Type::Parameter(number) => self.0.get(*number)?.as_ref(),
            _ => None,
        }
    }

    /// Replaces each inferred parameter in a type; with `all`, the others by `dyn`.
    pub(super) fn resolve(&self, kind: &Type, all: bool) -> Type {
        if let Some(found) = self.find(kind) {
            return self.resolve(found, all);
        }
        match kind {
            Type::Parameter(_) if all => Type::Dyn,
            Type::Of(name, inner) => Type::Of(name, Box::new(self.resolve(inner, all))),
            Type::Map(key, value) => Type::Map(Box::new(self.resolve(key, all)), Box::new(self.resolve(value, all))),
            other => other.clone(),
        }
    }

    /// Whether in each pair a value of the second type can be assigned to the first; if all can, keeps what that infers.
    pub(super) fn assign<'t>(&mut self, pairs: impl IntoIterator<Item = (&'t Type, &'t Type)>) -> bool {
        let mut trial = self.clone();
        let all = pairs.into_iter().all(|(a, b)| trial.assignable(a, b));
        if all {
            *self = trial;
        }
        all
    }

    fn assignable(&mut self, a: &Type, b: &Type) -> bool {
        if matches!(b, Type::Parameter(_)) {
            let (valid, known) = self.substitutes(a, b);
            if valid || known {
                return valid;
            }
        }
        if matches!(a, Type::Parameter(_)) {
            return self.substitutes(b, a).0;
        }
        let nullable = |other: &Type| {
            matches!(other, Type::Message(_) | Type::Of("optional", _) | Type::Plain("null" | "duration" | "timestamp"))
        };
        match (a, b) {
            (Type::Dyn, _) | (_, Type::Dyn) | (Type::Of("type", _), Type::Of("type", _)) => true,
            (Type::Plain("null"), other) | (other, Type::Plain("null")) => nullable(other),
            (Type::Of(name, a), Type::Of(other, b)) => name == other && self.assignable(a, b),
            (Type::Map(key, value), Type::Map(other_key, other_value)) => {
                self.assignable(key, other_key) && self.assignable(value, other_value)
            }
            (a, b) => a == b,
        }
    }

    /// Whether a parameter can be `kind`, and whether it was inferred before.
    fn substitutes(&mut self, kind: &Type, parameter: &Type) -> (bool, bool) {
        if kind == parameter {
            return (true, true);
        }
        if let Some(known) = self.find(parameter).cloned() {
            if *kind == known {
                return (true, true);
            }
            if !self.assignable(kind, &known) {
                return (false, true);
            }
            let general = if is_less_specific(kind, &known) { kind.clone() } else { known };
            self.set(parameter, general);
            return (true, true);
        }
        (self.set(parameter, kind.clone()), false)
    }

    /// Sets the type of a parameter, unless the type contains the parameter.
    fn set(&mut self, parameter: &Type, kind: Type) -> bool {
        let free = self.is_free_of(&kind, parameter);
        if let (true, Type::Parameter(number)) = (free, parameter) {
            self.0[*number] = Some(kind);
        }
        free
    }

    fn is_free_of(&self, kind: &Type, parameter: &Type) -> bool {
        if kind == parameter {
            return false;
        }
        match kind {
            Type::Parameter(_) => self.find(kind).is_none_or(|found| self.is_free_of(found, parameter)),
            Type::Of(_, inner) => self.is_free_of(inner, parameter),
            Type::Map(key, value) => self.is_free_of(key, parameter) && self.is_free_of(value, parameter),
            _ => true,
        }
    }

    /// The type of the items of a list that has items of both types.
    pub(super) fn join(&mut self, first: Type, second: Type) -> Type {
        if !self.assign([(&first, &second)]) {
            return Type::Dyn;
        }
        if is_less_specific(&first, &second) { first } else { second }
    }
}

/// Whether the first type is the second or a more general one.
fn is_less_specific(first: &Type, second: &Type) -> bool {
    match (first, second) {
        (Type::Dyn | Type::Parameter(_), _) => true,
        (_, Type::Dyn | Type::Parameter(_)) => false,
        (Type::Of("type", _), Type::Of("type", _)) => true,
        (Type::Of(name, a), Type::Of(other, b)) => name == other && is_less_specific(a, b),
        (Type::Map(key, value), Type::Map(other_key, other_value)) => {
            is_less_specific(key, other_key) && is_less_specific(value, other_value)
        }
        (a, b) => a == b,
    }
}
