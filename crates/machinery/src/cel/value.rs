//! Values of expressions, and what is known of a disk.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer, such as a size in bytes.
    Uint(u64),
    /// A floating-point number.
    Double(f64),
    /// A text.
    String(String),
    /// Bytes, such as a hardware address.
    Bytes(Vec<u8>),
    /// A list: the items that are known, and whether there are no others.
    List(Vec<Self>, bool),
}

impl Value {
    /// Whether two values are equal, as cel-go sees it: numbers of different kinds may be. None where that is not known.
    pub(super) fn equals(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            (Self::List(items, whole), Self::List(others, others_whole)) => {
                if !(*whole && *others_whole) {
                    return None;
                }
                let equal: Option<Vec<bool>> = items.iter().zip(others).map(|(a, b)| a.equals(b)).collect();
                Some(items.len() == others.len() && equal?.into_iter().all(|equal| equal))
            }
            (Self::Double(_), Self::Int(_) | Self::Uint(_)) | (Self::Int(_) | Self::Uint(_), Self::Double(_)) => None,
            _ => Some(self == other || self.order(other) == Some(Ordering::Equal)),
        }
    }

    /// The order of two values; none if they have none.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Some(a.cmp(b)),
            (Self::String(a), Self::String(b)) => Some(a.cmp(b)),
            (Self::Bytes(a), Self::Bytes(b)) => Some(a.cmp(b)),
            (Self::Double(a), Self::Double(b)) => a.partial_cmp(b),
            _ => Some(self.integer()?.cmp(&other.integer()?)),
        }
    }

    fn integer(&self) -> Option<i128> {
        match self {
            Self::Int(value) => Some(i128::from(*value)),
            Self::Uint(value) => Some(i128::from(*value)),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(value) => write!(f, "{value}"),
            Self::Uint(value) => write!(f, "{value}"),
            Self::Double(value) => write!(f, "{value}"),
            Self::String(text) => write!(f, "'{text}'"),
            Self::Bytes(bytes) => write!(f, "b'{}'", bytes.escape_ascii()),
            Self::List(items, _) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Uint(value)
    }
}

/// What is known of the things that an expression names: the values of `system_disk`, `disk.serial` and so on.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Facts(BTreeMap<String, Value>);

impl Facts {
    /// What is known of a variable or a field, by its path.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    /// Takes in a fact; an earlier one about the same path stays, but lists of which only some items are known grow.
    pub fn know(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        match (self.0.get_mut(path), value) {
            (Some(Value::List(known, false)), Value::List(items, false)) => {
                let new = items.into_iter().filter(|item| !known.contains(item)).collect::<Vec<_>>();
                known.extend(new);
            }
            (Some(_), _) => {}
            (None, value) => {
                self.0.insert(path.to_owned(), value);
            }
        }
    }

    /// Takes in all facts that another has, as [`Facts::know`] does.
    pub fn learn(&mut self, other: &Self) {
        for (path, value) in &other.0 {
            self.know(path, value.clone());
        }
    }
}
