//! The configs that Talos generates, into which patches are merged.

use std::sync::OnceLock;

use talosmith_document::{Document as Text, Sources};

use super::config::Document;
use super::value::Value;
use crate::Role;

/// A generated config.
struct Base {
    minor: u64,
    role: Role,
    text: &'static str,
    documents: OnceLock<Vec<Value<'static>>>,
}

macro_rules! base {
    ($minor:literal, $role:ident, $file:literal) => {
        Base {
            minor: $minor,
            role: Role::$role,
            text: include_str!(concat!("talos_data/base/", $file)),
            documents: OnceLock::new(),
        }
    };
}

static BASES: [Base; 6] = [
    base!(12, ControlPlane, "v1.12-controlplane.yaml"),
    base!(12, Worker, "v1.12-worker.yaml"),
    base!(13, ControlPlane, "v1.13-controlplane.yaml"),
    base!(13, Worker, "v1.13-worker.yaml"),
    base!(14, ControlPlane, "v1.14-controlplane.yaml"),
    base!(14, Worker, "v1.14-worker.yaml"),
];

/// Returns the documents of the base config that a minor of Talos, or the nearest one that is known, generates.
pub(crate) fn documents(minor: (u64, u64), role: Role) -> Vec<Document<'static>> {
    let minor = minor.1.clamp(BASES[0].minor, BASES[BASES.len() - 1].minor);
    let Some(base) = BASES.iter().find(|base| base.minor == minor && base.role == role) else { return Vec::new() };
    let documents = base.documents.get_or_init(|| {
        let nodes = Text::parse_stream(Sources::default().add("", ""), base.text).unwrap_or_default();
        nodes.iter().map(|node| Value::read(node).of_base()).collect()
    });
    documents.iter().map(Document::of_base).collect()
}
