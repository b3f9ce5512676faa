//! The values of expressions.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// A value, with the types of CEL.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A signed integer: `1`.
    Int(i64),
    /// An unsigned integer: `1u`. Sizes in bytes are such.
    Uint(u64),
    /// A floating-point number: `1.0`.
    Double(f64),
    /// A string.
    String(String),
    /// Bytes, such as a hardware address.
    Bytes(Vec<u8>),
    /// The known items of a list, and whether the list is complete.
    List(Vec<Self>, bool),
}

impl Value {
    /// How much it takes to copy the value: the number of items in its lists, and of the 64 bytes in its strings.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::String(text) => text.len() / 64,
            Self::Bytes(bytes) => bytes.len() / 64,
            Self::List(items, _) => items.iter().map(|item| 1 + item.weight()).sum(),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Uint(_) | Self::Double(_) => 0,
        }
    }

    /// Whether two values are equal; integers of different types may be. `None` where it is not known.
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

    /// The order of two values; `None` if they have no order.
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

/// The known values of variables and fields, by their paths: `system_disk`, `disk.serial`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bindings(BTreeMap<String, Value>);

impl Bindings {
    /// Returns the value at a path; `None` if it is not known.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.0.get(path)
    }

    /// Adds a value. An earlier one at the same path is kept, but the items of two incomplete lists are joined.
    pub fn bind(&mut self, path: &str, value: impl Into<Value>) {
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

    /// Adds all values of another, as [`Bindings::bind`] does.
    pub fn extend(&mut self, other: &Self) {
        for (path, value) in &other.0 {
            self.bind(path, value.clone());
        }
    }
}
