//! Overrides of the runtime's specification of containers.
//!
//! Source: github.com/opencontainers/runtime-spec, specs-go/config.go, the struct `Spec`.

use super::section::Section;
use crate::scalar::Resolved;
use crate::value::{Content, Value};

#[derive(Clone, Copy)]
enum Type {
    String,
    Bool,
    Integer,
    List,
    Map,
}

impl Type {
    fn includes(self, value: &Value<'_>) -> bool {
        match (self, &value.content) {
            (_, Content::Scalar(scalar)) if scalar.resolved == Resolved::Null => true,
            (Self::List, Content::List(_)) | (Self::Map, Content::Map(_)) => true,
            (Self::String, Content::Scalar(scalar)) => {
                matches!(scalar.resolved, Resolved::String | Resolved::Timestamp)
            }
            (Self::Bool, Content::Scalar(scalar)) => matches!(scalar.resolved, Resolved::Bool(_)),
            (Self::Integer, Content::Scalar(scalar)) => matches!(scalar.resolved, Resolved::Integer(_)),
            _ => false,
        }
    }
}

/// The types of the specification's fields; items of lists and values of free keys leave no trace in a path.
const FIELDS: &[(&str, Type)] = &[
    ("annotations", Type::Map),
    ("domainname", Type::String),
    ("hooks", Type::Map),
    ("hostname", Type::String),
    ("linux", Type::Map),
    ("linux.cgroupsPath", Type::String),
    ("linux.devices", Type::List),
    ("linux.maskedPaths", Type::List),
    ("linux.namespaces", Type::List),
    ("linux.readonlyPaths", Type::List),
    ("linux.resources", Type::Map),
    ("linux.rootfsPropagation", Type::String),
    ("linux.seccomp", Type::Map),
    ("linux.sysctl", Type::Map),
    ("mounts", Type::List),
    ("mounts.destination", Type::String),
    ("mounts.options", Type::List),
    ("mounts.source", Type::String),
    ("mounts.type", Type::String),
    ("ociVersion", Type::String),
    ("process", Type::Map),
    ("process.apparmorProfile", Type::String),
    ("process.args", Type::List),
    ("process.capabilities", Type::Map),
    ("process.cwd", Type::String),
    ("process.env", Type::List),
    ("process.noNewPrivileges", Type::Bool),
    ("process.oomScoreAdj", Type::Integer),
    ("process.rlimits", Type::List),
    ("process.rlimits.hard", Type::Integer),
    ("process.rlimits.soft", Type::Integer),
    ("process.rlimits.type", Type::String),
    ("process.selinuxLabel", Type::String),
    ("process.terminal", Type::Bool),
    ("process.user", Type::Map),
    ("root", Type::Map),
    ("root.path", Type::String),
    ("root.readonly", Type::Bool),
    ("solaris", Type::Map),
    ("vm", Type::Map),
    ("windows", Type::Map),
    ("zos", Type::Map),
];

pub(crate) fn check_overrides<'r>(document: Section<'r>, path: &'r str) {
    document.section(path).into_iter().for_each(|overrides| check_fields(overrides, ""));
}

fn check_fields(section: Section<'_>, above: &str) {
    for (key, field) in section.entries("") {
        let path = if above.is_empty() { key.to_owned() } else { format!("{above}.{key}") };
        let Some((_, wanted)) = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&path)) else { continue };
        // Limits have no sign.
        let is_negative = path.starts_with("process.rlimits.") && field.scalar().starts_with('-');
        if !wanted.includes(field.value) || is_negative {
            let message = format!("`{path}` has another type than in the OCI runtime specification");
            field.refuse("", message, "write it as in the specification");
            continue;
        }
        check_fields(field, &path);
        field.items("").for_each(|item| check_fields(item, &path));
    }
}
