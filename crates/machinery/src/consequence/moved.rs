//! Where documents have the values that the main document had before: a value that moves is the same for the node.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use talosmith_document::table;

use crate::config::{Config, Document};
use crate::normal::normal;
use crate::setting::Setting;
use crate::talos_data::types::MAIN;

const MOVED: &str = include_str!("../talos_data/moved.txt");

/// The documents of manifests that Talos downloads: the URL identifies it, as in the main document, and not the name.
const MANIFEST: &str = "KubeExternalManifestConfig";

/// The kind, the name and the path where a base config of 1.14 has a value: equal for values that are the same for a node.
pub(crate) type CanonicalPath<'v> = (&'v str, Cow<'v, str>, Cow<'v, str>);

struct Row {
    keys: Vec<&'static str>,
    kind: &'static str,
    name: &'static str,
    path: &'static str,
    shape: &'static str,
}

/// By their first key and their second one, of which none is free.
static ROWS: LazyLock<BTreeMap<&str, BTreeMap<&str, Vec<Row>>>> = LazyLock::new(|| {
    let mut rows: BTreeMap<&str, BTreeMap<&str, Vec<Row>>> = BTreeMap::new();
    for row in table::rows(MOVED).filter_map(Row::read) {
        if let [first, second, ..] = row.keys[..] {
            rows.entry(first).or_default().entry(second).or_default().push(row);
        }
    }
    rows
});

impl Row {
    fn read(mut row: table::Fields<'static>) -> Option<Self> {
        let keys = row.next()?.split('.').collect();
        Some(Self { keys, kind: row.next()?, name: row.next()?, path: row.next()?, shape: row.next()? })
    }

    /// What the free keys of the row are at a path that it leads to, and the number of its keys.
    fn matches<'v>(&self, path: &[Cow<'v, str>]) -> Option<Vec<Cow<'v, str>>> {
        let mut free = Vec::new();
        let leads = self.keys.len() <= path.len()
            && self.keys.iter().zip(path).all(|(key, other)| {
                if *key == "*" {
                    free.push(other.clone());
                }
                matches!(*key, "*") || key == other
            });
        leads.then_some(free)
    }
}

/// The row for a path in a document, with what its free keys are there.
fn row_of<'v>(document: &Document<'_>, path: &[Cow<'v, str>]) -> Option<(&'static Row, Vec<Cow<'v, str>>)> {
    if document.kind != MAIN {
        return None;
    }
    let [first, second, ..] = path else { return None };
    let rows = ROWS.get(&**first)?.get(&**second)?.iter().filter_map(|row| Some((row, row.matches(path)?)));
    rows.max_by_key(|(row, _)| (row.keys.len(), !row.keys.contains(&"*")))
}

/// Returns where a value is in a base config of 1.14, by the path where it is; the same for a value that has no other place.
pub(crate) fn canonical_path<'v>(document: &'v Document<'v>, path: &[Cow<'v, str>]) -> CanonicalPath<'v> {
    let Some((row, free)) = row_of(document, path) else {
        let name = if document.kind == MANIFEST { document.value.text("url") } else { document.name };
        return (document.kind, Cow::Borrowed(name), Cow::Owned(path.join(".")));
    };
    let filled = |text: &'static str| -> Cow<'v, str> {
        let mut text = Cow::Borrowed(if text == "-" { "" } else { text });
        for (index, value) in free.iter().enumerate() {
            if text.contains('$') {
                text = Cow::Owned(text.replace(&format!("${}", index + 1), value));
            }
        }
        text
    };
    let mut name = filled(row.name);
    if row.kind == "EtcFileConfig" {
        // The name of the document is the path below /etc.
        name = name.strip_prefix("/etc/").map_or_else(|| name.clone(), |below| Cow::Owned(below.to_owned()));
    }
    let keys = [filled(row.path)].into_iter().filter(|path| !path.is_empty());
    let keys: Vec<Cow<'v, str>> = keys.chain(path[row.keys.len()..].iter().cloned()).collect();
    (row.kind, name, Cow::Owned(keys.join(".")))
}

/// Whether two values with one canonical path are the same for the node. One of them may be in the main document and the other not.
pub(crate) fn is_same(one: &Setting<'_>, other: &Setting<'_>, config: &Config<'_>) -> bool {
    if one.kind.is_empty() && other.kind.is_empty() || one.kind == other.kind && one.value.is_identical(other.value) {
        return true;
    }
    in_shape_of(one, other, config) == in_shape_of(other, one, config)
}

/// A value as it would be in the document of another one.
fn in_shape_of(setting: &Setting<'_>, other: &Setting<'_>, config: &Config<'_>) -> String {
    let plain = || normal(setting.kind, setting.value, config.types);
    if (setting.document.kind == MAIN) == (other.document.kind == MAIN) {
        return plain();
    }
    match row_of(setting.document, &setting.path).map(|(row, _)| row.shape) {
        Some("negated") => format!("{:?}", (!setting.value.flag_here().unwrap_or_default()).to_string()),
        Some("addresses") => items(setting, "address"),
        Some("endpoints") => items(setting, "url"),
        _ => plain(),
    }
}

fn items(setting: &Setting<'_>, key: &str) -> String {
    let items = setting.value.list().iter().map(|item| format!("{{{key:?}:{:?},}},", item.scalar()));
    format!("[{}]", items.collect::<String>())
}

/// Whether a value that only one of two configs has means nothing that the other one does not contain: it became the existence of a document, or
/// the document has no field for it.
pub(crate) fn is_implied(setting: &Setting<'_>, other: &Config<'_>, is_same_base: bool) -> bool {
    if setting.document.kind == MANIFEST && setting.path() == "url" {
        return true;
    }
    let Some((row, free)) = row_of(setting.document, &setting.path) else { return false };
    let has_main = other.main().is_some_and(|main| main.value.has(&setting.path()));
    let name = free.first().filter(|_| row.name == "$1").map_or(row.name, |name| name);
    let name = name.strip_prefix("/etc/").unwrap_or(name);
    let document =
        other.documents.iter().find(|document| document.kind == row.kind && (row.name == "-" || document.name == name));
    let flag = setting.value.flag_here().unwrap_or_default();
    !has_main
        && match row.shape {
            "exists" | "flannel" | "untainted" if is_same_base => false,
            "exists" => flag == document.is_some(),
            "flannel" => (setting.value.scalar() == "flannel") == document.is_some(),
            "lost" => document.is_some(),
            "untainted" => {
                let taints = document.map_or(&[][..], |document| document.value.fields("taints"));
                let is_tainted = taints.iter().any(|taint| row.path.ends_with(&*taint.key));
                document.is_some() && flag != is_tainted
            }
            _ => false,
        }
}
