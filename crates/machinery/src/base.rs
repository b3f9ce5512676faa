//! The base configs, which Talos generates and patches are merged into.

use std::sync::{LazyLock, OnceLock};

use talosmith_document::{Document as Text, Sources, table};

use super::config::Document;
use super::value::Value;
use crate::Role;
use crate::talos_data::{Minor, talos};

const BASES: &str = include_str!("talos_data/bases.yaml");

/// The line that starts a base config, followed by its minor and role.
const HEAD: &str = "\n# base ";

struct Base {
    minor: Minor,
    role: Role,
    text: &'static str,
    documents: OnceLock<Vec<Value<'static>>>,
}

impl Base {
    /// Reads a part of the file: the rest of its first line, and the documents.
    fn read(part: &'static str) -> Option<Self> {
        let (head, text) = part.split_once('\n')?;
        let (minor, role) = head.split_once(' ')?;
        let role = if role == "worker" { Role::Worker } else { Role::ControlPlane };
        Some(Self { minor: table::minor(minor)?, role, text, documents: OnceLock::new() })
    }
}

static TABLE: LazyLock<Vec<Base>> = LazyLock::new(|| BASES.split(HEAD).skip(1).filter_map(Base::read).collect());

/// Returns the oldest minor of Talos whose base config is known. A node keeps the base config of the Talos that installed it.
#[must_use]
pub fn oldest_base() -> Minor {
    TABLE.first().map(|base| base.minor).unwrap_or_default()
}

/// Returns the base config that a minor of Talos, or the nearest one that is known, generates; `placeholder` stands for every secret, and
/// the cluster is `conformance` at https://192.0.2.1:6443.
#[must_use]
pub fn base_config(minor: Minor, role: Role) -> &'static str {
    let minor = minor.clamp(oldest_base(), talos::newest_minor());
    TABLE.iter().find(|base| base.minor == minor && base.role == role).map_or("", |base| base.text)
}

/// Returns the documents of the base config that a minor of Talos, or the nearest one that is known, generates.
pub(crate) fn documents(minor: Minor, role: Role) -> Vec<Document<'static>> {
    let minor = minor.clamp(oldest_base(), talos::newest_minor());
    let Some(base) = TABLE.iter().find(|base| base.minor == minor && base.role == role) else { return Vec::new() };
    let documents = base.documents.get_or_init(|| {
        let nodes = Text::parse_stream(Sources::default().add("", ""), base.text).unwrap_or_default();
        nodes.iter().map(Value::read_base).collect()
    });
    documents.iter().map(Document::of_base).collect()
}

#[cfg(test)]
mod tests {
    use super::{documents, oldest_base};
    use crate::Role;
    use crate::talos_data::talos;

    #[test]
    fn every_minor_has_a_base_for_each_role() {
        assert_eq!(oldest_base(), (1, 8));
        for minor in (8..=talos::newest_minor().1).map(|minor| (1, minor)) {
            for role in [Role::ControlPlane, Role::Worker] {
                let kinds = documents(minor, role);
                assert!(kinds.iter().any(|document| document.kind == "v1alpha1"), "{minor:?} {role:?}");
            }
        }
    }
}
