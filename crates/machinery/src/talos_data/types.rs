//! How the types of Talos's configuration documents are made, as far as merging and deleting depend on it.

use std::collections::{HashMap, HashSet};
use std::sync::OnceLock;

use talosmith_document::table;

use super::talos;

const TYPES: &str = include_str!("types.txt");

/// The kind under which the table has the main document, which names none.
pub(crate) const MAIN: &str = "v1alpha1";

/// The type of a field.
#[derive(Debug)]
pub(crate) enum Type {
    /// Text, a duration or another scalar whose zero value is an empty one.
    Text,
    /// `true` or `false`: absent is `false`.
    Bool,
    /// A number.
    Number,
    /// A length of time.
    Duration,
    /// A word of a fixed list, and the one that is its zero value.
    Word(Option<&'static str>),
    /// A CEL expression: always overwritten.
    Cel,
    /// A size in bytes: always overwritten.
    ByteSize,
    /// A size in bytes or percent, of which it can hold both.
    Size,
    /// An address or a condition that cannot be merged.
    Sealed,
    /// A URL, of which the parts are merged.
    Url,
    /// Arguments of a program: overwritten key by key.
    Args,
    /// A certificate and a key.
    Certificate,
    /// Anything: a type of its own is taken on decoding, and merging keeps to it.
    Free,
    /// A struct by its name.
    Struct(&'static str),
    /// A list that is appended to.
    List(Box<Self>),
    /// A list or a mapping that is replaced.
    Replaced(Box<Self>),
    /// A list whose items are merged, or replaced, by the values of keys.
    Keyed {
        /// The keys, of which the first that an item has counts.
        keys: &'static str,
        /// Whether the later item replaces the earlier.
        replaced: bool,
        /// The items.
        item: Box<Self>,
    },
    /// A mapping with free keys.
    Map(Box<Self>),
    /// A pointer.
    Pointer(Box<Self>),
}

/// The fields of a struct.
#[derive(Debug, Default)]
pub(crate) struct Struct {
    fields: Vec<(&'static str, Type)>,
    /// Whether a value in it is overwritten even by absence.
    pub clears: bool,
}

impl Struct {
    /// The type of a field.
    pub(crate) fn field(&self, name: &str) -> Option<&Type> {
        self.fields.iter().find(|(field, _)| *field == name).map(|(_, ty)| ty)
    }

    /// Whether two of it cannot be merged.
    pub(crate) fn is_sealed(&self) -> bool {
        self.fields.iter().any(|(_, ty)| matches!(ty, Type::Sealed))
    }

    /// All fields.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&'static str, &Type)> {
        self.fields.iter().map(|(name, ty)| (*name, ty))
    }
}

/// The types of a minor of Talos.
#[derive(Debug)]
pub(crate) struct Types(HashMap<&'static str, Struct>);

impl Types {
    /// The types of a minor, or of the nearest one that is known.
    pub(crate) fn of(minor: (u64, u64)) -> &'static Self {
        static TABLES: [OnceLock<Types>; 8] = [const { OnceLock::new() }; 8];
        let minor = minor.clamp(talos::oldest_minor(), talos::newest_minor());
        let at = usize::try_from(minor.1 - talos::oldest_minor().1).unwrap_or_default();
        TABLES[at.min(TABLES.len() - 1)].get_or_init(|| Self::read(minor))
    }

    /// A struct by its name.
    pub(crate) fn get(&self, name: &str) -> Option<&Struct> {
        self.0.get(name)
    }

    fn read(minor: (u64, u64)) -> Self {
        let mut structs: Vec<(&'static str, Struct)> = Vec::with_capacity(256);
        for mut row in table::rows(TYPES) {
            let (Some(name), Some(field), Some(spelled)) = (row.next(), row.next(), row.next()) else { continue };
            let since = row.next().and_then(table::minor);
            let until = row.next().and_then(table::minor);
            if since <= Some(minor) && until.is_none_or(|until| minor <= until) {
                // The rows of a struct stand together.
                if structs.last().is_none_or(|(last, _)| *last != name) {
                    structs.push((name, Struct::default()));
                }
                structs.last_mut().expect("there is one").1.fields.push((field, parse(spelled)));
            }
        }
        let mut clearing: HashSet<&'static str> = HashSet::new();
        loop {
            let clears = |ty: &Type| match ty {
                Type::Cel | Type::ByteSize | Type::Bool => true,
                Type::Struct(name) => clearing.contains(name),
                _ => false,
            };
            let mut found: Vec<&'static str> = Vec::new();
            for (name, fields) in structs.iter_mut().filter(|(_, fields)| !fields.clears) {
                fields.clears = fields.fields.iter().any(|(_, ty)| clears(ty));
                found.extend(Some(*name).filter(|_| fields.clears));
            }
            if found.is_empty() {
                break;
            }
            clearing.extend(found);
        }
        Self(structs.into_iter().collect())
    }
}

fn parse(spelled: &'static str) -> Type {
    let inner = |rest| Box::new(parse(rest));
    if let Some(rest) = spelled.strip_prefix("[]") {
        return Type::List(inner(rest));
    }
    if let Some(rest) = spelled.strip_prefix("[=]") {
        return Type::Replaced(Box::new(Type::List(inner(rest))));
    }
    if let Some(rest) = spelled.strip_prefix('=') {
        return Type::Replaced(inner(rest));
    }
    if let Some(rest) = spelled.strip_prefix('*') {
        return Type::Pointer(inner(rest));
    }
    if let Some(rest) = spelled.strip_prefix("map:") {
        return Type::Map(inner(rest));
    }
    if let Some((keys, item)) = spelled.strip_prefix('@').and_then(|rest| rest.split_once(':')) {
        let replaced = keys.starts_with('=');
        return Type::Keyed { keys: keys.trim_start_matches('='), replaced, item: inner(item) };
    }
    match spelled {
        "bool" => Type::Bool,
        "number" => Type::Number,
        "duration" => Type::Duration,
        "cel" => Type::Cel,
        "bytesize" => Type::ByteSize,
        "size" => Type::Size,
        "args" => Type::Args,
        "certificate" => Type::Certificate,
        "free" | "any" => Type::Free,
        "sealed" => Type::Sealed,
        "url" => Type::Url,
        "text" | "bytes" | "address" | "key" => Type::Text,
        "word" => Type::Word(None),
        _ => match spelled.strip_prefix("word=") {
            Some(zero) => Type::Word(Some(zero)),
            None => Type::Struct(spelled),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::{MAIN, TYPES, Type, Types};
    use talosmith_document::table;

    #[test]
    fn types_depend_on_the_minor() {
        let spelled = |minor, name: &str, field: &str| {
            format!("{:?}", Types::of((1, minor)).get(name).and_then(|fields| fields.field(field)))
        };
        assert_eq!(spelled(12, MAIN, "machine"), "Some(Pointer(Struct(\"v1alpha1.MachineConfig\")))");
        assert_eq!(spelled(12, "network.SearchDomainsConfig", "domains"), "Some(List(Text))");
        assert_eq!(spelled(14, "network.SearchDomainsConfig", "domains"), "Some(Replaced(List(Text)))");
        assert_eq!(spelled(12, "v1alpha1.KubeletConfig", "extraArgs"), "Some(Map(Text))");
        assert_eq!(spelled(13, "v1alpha1.KubeletConfig", "extraArgs"), "Some(Args)");
        assert_eq!(spelled(12, "UserVolumeConfig", "mount"), "None");
        assert_eq!(
            spelled(15, "UserVolumeConfig", "name"),
            "Some(Text)",
            "a newer minor is as the newest that is known"
        );
        let keyed = Types::of((1, 14)).get("v1alpha1.NetworkConfig").and_then(|fields| fields.field("interfaces"));
        assert!(
            matches!(keyed, Some(Type::Keyed { keys: "interface+deviceSelector", replaced: false, .. })),
            "{keyed:?}"
        );
    }

    #[test]
    fn the_rows_of_a_struct_stand_together() {
        let mut names: Vec<&str> = table::rows(TYPES).filter_map(|mut row| row.next()).collect();
        names.dedup();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn clearing_reaches_through_structs() {
        let clears = |name: &str| Types::of((1, 14)).get(name).is_some_and(|fields| fields.clears);
        assert!(clears("block.ProvisioningSpec") && clears("UserVolumeConfig") && clears("UnattendedInstallConfig"));
        assert!(!clears("HostnameConfig") && !clears("block.DiskSelector.match") && !clears(MAIN));
    }
}
