//! The fields of Talos's configuration documents.
//!
//! A path is a kind, `v1alpha1` for the main document, and keys, apart by dots: `v1alpha1.machine.network.interfaces.mtu`. Lists and
//! free keys leave no trace in it.

use talosmith_document::table;

const FIELDS: &str = include_str!("fields.txt");

/// The kind that the main document has in a path.
pub const MAIN: &str = "v1alpha1";

/// A minor of Talos.
pub type Minor = (u64, u64);

/// A field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    types: &'static str,
    /// The minor that brought it; the oldest that is known where it may be older.
    pub since: Minor,
    /// The first minor that has it no more.
    pub until: Option<Minor>,
    /// Whether and since when it is deprecated.
    pub deprecation: Option<Deprecation>,
    /// Whether its value is a secret, or in a free form holds some.
    pub is_secret: bool,
}

/// That there is a better field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deprecation {
    /// The minor of Talos that deprecated the field.
    pub since: Minor,
    /// The oldest base config that takes the successors.
    pub base: Minor,
    successors: &'static str,
}

impl Deprecation {
    /// Kinds of documents and paths in the main document that replace the field; `schematic` is the image's; none if nothing does.
    pub fn successors(&self) -> impl Iterator<Item = &'static str> {
        self.successors.split(',').filter(|name| *name != "none")
    }
}

impl Field {
    /// The type that the field has in a minor: `[]` for each list and `{}` for each mapping with free keys around it (`[*]`, `{*}` if no
    /// item may be null), and a word.
    #[must_use]
    pub fn type_in(&self, minor: Minor) -> &'static str {
        let mut found = self.types;
        for alternative in self.types.split(';') {
            match alternative.split_once('=').and_then(|(since, kind)| Some((table::minor(since)?, kind))) {
                Some((since, kind)) if since <= minor => found = kind,
                Some(_) => break,
                None => found = alternative,
            }
        }
        found
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
    field(table::find(FIELDS, path)?)
}

/// The keys directly below a path, with their fields, sorted.
pub fn below(path: &str) -> impl Iterator<Item = (&'static str, Field)> + '_ {
    let key = move |row: &mut table::Fields<'static>| {
        row.next()?.strip_prefix(path)?.strip_prefix('.').filter(|key| !key.contains('.'))
    };
    table::rows(FIELDS).filter_map(move |mut row| Some((key(&mut row)?, field(row)?)))
}

fn field(mut row: table::Fields<'static>) -> Option<Field> {
    let types = row.next()?;
    let since = table::minor(row.next()?)?;
    let until = row.next().and_then(table::minor);
    let deprecated = row.next().and_then(|minors| minors.split_once(','));
    let successors = row.next()?;
    let deprecation = deprecated.and_then(|(since, base)| {
        Some(Deprecation { since: table::minor(since)?, base: table::minor(base)?, successors })
    });
    Some(Field { types, since, until, deprecation, is_secret: row.next() == Some("secret") })
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, below, find};
    use crate::talos_data::talos;
    use talosmith_document::table;

    #[test]
    fn fields_have_their_types_and_minors() {
        let known = |path| find(path).map(|field| (field.type_in((1, 12)), field.type_in((1, 14)), field.since));
        assert_eq!(known("v1alpha1.machine.network.interfaces"), Some(("[*]object", "[*]object", (1, 12))));
        assert_eq!(known("v1alpha1.machine.kubelet.extraArgs"), Some(("{}text", "{}argument", (1, 12))));
        assert_eq!(known("ResolverConfig.nameservers.protocol").map(|field| field.2), Some((1, 14)));
        assert_eq!(known("UserVolumeConfig.volumeTyp"), None);
        let types = |minor| find("UserVolumeConfig.filesystem.type").map(|field| field.type_in(minor));
        assert_eq!(types((1, 11)), Some("word:none|xfs|vfat|ext4|iso9660|swap"));
        assert_eq!(types((1, 13)), Some("word:none|xfs|vfat|ext4|iso9660|swapi|virtiofs"));
        assert_eq!(types((1, 15)), Some("word:none|xfs|vfat|ext4|iso9660|swapi|virtiofs|btrfs"));
    }

    #[test]
    fn deprecations_name_their_successors() {
        let registries = find("v1alpha1.machine.registries").and_then(|field| field.deprecation).expect("deprecated");
        let kinds: Vec<_> = registries.successors().collect();
        assert_eq!(kinds, ["RegistryMirrorConfig", "RegistryAuthConfig", "RegistryTLSConfig"]);
        assert_eq!((registries.since, registries.base), ((1, 12), (1, 12)));
        for mut row in table::rows(FIELDS) {
            let path = row.next().expect("a path");
            let Some(deprecation) = find(path).expect(path).deprecation else { continue };
            for name in deprecation.successors() {
                let known = name == "schematic" || talos::kind_since(name) <= Some(deprecation.since);
                assert!(known || find(&format!("v1alpha1.{name}")).is_some(), "{path}: {name}");
                assert!(
                    name.contains('.') || name == "schematic" || talos::kind_since(name).is_some(),
                    "{path}: {name}"
                );
            }
        }
    }

    #[test]
    fn keys_below_a_path_are_its_own() {
        assert_eq!(below("HostnameConfig").map(|(key, _)| key).collect::<Vec<_>>(), ["auto", "hostname"]);
        let keys: Vec<_> = below("v1alpha1").map(|(key, _)| key).collect();
        assert_eq!(keys, ["cluster", "debug", "machine", "persist", "version"]);
        assert_eq!(below("v1alpha1.machine.token").count(), 0);
    }

    #[test]
    fn the_table_is_sorted_and_of_known_kinds() {
        let paths: Vec<&str> = table::rows(FIELDS).filter_map(|mut row| row.next()).collect();
        assert!(paths.is_sorted_by(|a, b| a < b));
        for path in paths {
            let (kind, _) = path.split_once('.').expect(path);
            assert!(kind == "v1alpha1" || talos::kind_since(kind).is_some(), "{path}");
            assert!(find(path).is_some(), "{path}");
        }
        for kind in talos::kinds() {
            assert!(below(kind).next().is_some(), "{kind}");
        }
    }
}
