//! The fields of Talos's configuration documents by their paths, for all minors.
//!
//! A path is a kind, `v1alpha1` for the main document, and keys, separated by dots: `v1alpha1.machine.network.interfaces.mtu`,
//! without the indices of lists and free keys.

use super::talos;
pub use super::talos::Minor;
pub use super::types::Deprecation;
use super::types::{self, Types};

/// The kind that the main document has in a path.
pub const MAIN: &str = types::MAIN;

/// A field in all minors that have it.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    fields: [Option<&'static types::Field>; 16],
    /// The first minor that has it; the oldest known one where it is older.
    pub since: Minor,
    /// The minor after the last that has it; `None` if the newest has it.
    pub until: Option<Minor>,
    /// Whether and since when it is deprecated.
    pub deprecation: Option<Deprecation>,
    /// Whether its value is a secret, or a free form that contains some.
    pub is_secret: bool,
}

impl Field {
    /// The type in a minor, or in the nearest that has the field: `[]` for each list and `{}` for each mapping with free keys around
    /// it (`[*]`, `{*}` if no item may be null), and a scalar, `object` or `any`.
    #[must_use]
    pub fn type_in(&self, minor: Minor) -> &'static str {
        let known = self.fields.iter().zip(talos::minors()).filter_map(|(field, minor)| Some(((*field)?, minor)));
        let at = known.clone().filter(|(_, known)| *known <= minor).last().or_else(|| known.clone().next());
        let Some((field, _)) = at else { return "any" };
        match (field.structure(), field.kind.rfind([']', '}']).map_or("", |end| &field.kind[..=end])) {
            (None, _) => field.kind,
            (Some(_), "[]") => "[]object",
            (Some(_), "[*]") => "[*]object",
            (Some(_), "{}") => "{}object",
            (Some(_), "{*}") => "{*}object",
            (Some(_), _) => "object",
        }
    }

    /// Whether a minor of Talos has the field.
    #[must_use]
    pub fn is_in(&self, minor: Minor) -> bool {
        self.since <= minor && self.until.is_none_or(|until| minor < until)
    }
}

/// The field at a path.
#[must_use]
pub fn find(path: &str) -> Option<Field> {
    let mut fields = [None; 16];
    for (field, minor) in fields.iter_mut().zip(talos::minors()) {
        *field = Types::of(minor).at(path);
    }
    let mut having = fields.iter().zip(talos::minors()).filter(|(field, _)| field.is_some()).map(|(_, minor)| minor);
    let since = having.next()?;
    let last = having.last().unwrap_or(since);
    let until = talos::minors().find(|minor| *minor > last);
    let newest = fields.iter().rev().find_map(|field| *field)?;
    Some(Field { fields, since, until, deprecation: newest.deprecation, is_secret: newest.is_secret })
}

/// The keys directly below a path, with their fields, sorted.
pub fn below(path: &str) -> impl Iterator<Item = (&'static str, Field)> + '_ {
    let structs = talos::minors().filter_map(move |minor| Types::of(minor).below(path));
    let mut keys: Vec<&str> = structs.flat_map(|fields| fields.fields().map(|(key, _)| key)).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().filter_map(move |key| Some((key, find(&format!("{path}.{key}"))?)))
}
