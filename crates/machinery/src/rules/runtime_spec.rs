//! Overrides of the runtime's specification of containers.
//!
//! Source: github.com/opencontainers/runtime-spec, specs-go/config.go, the struct `Spec`.

use super::super::config::Document;
use super::super::value::{Content, Kind, Value};
use super::Rules;

/// The types of the specification's fields; items of lists and values of free keys leave no trace in a path.
const FIELDS: &[(&str, Kind)] = &[
    ("annotations", Kind::Map),
    ("domainname", Kind::Text),
    ("hooks", Kind::Map),
    ("hostname", Kind::Text),
    ("linux", Kind::Map),
    ("linux.cgroupsPath", Kind::Text),
    ("linux.devices", Kind::List),
    ("linux.maskedPaths", Kind::List),
    ("linux.namespaces", Kind::List),
    ("linux.readonlyPaths", Kind::List),
    ("linux.resources", Kind::Map),
    ("linux.rootfsPropagation", Kind::Text),
    ("linux.seccomp", Kind::Map),
    ("linux.sysctl", Kind::Map),
    ("mounts", Kind::List),
    ("mounts.destination", Kind::Text),
    ("mounts.options", Kind::List),
    ("mounts.source", Kind::Text),
    ("mounts.type", Kind::Text),
    ("ociVersion", Kind::Text),
    ("process", Kind::Map),
    ("process.apparmorProfile", Kind::Text),
    ("process.args", Kind::List),
    ("process.capabilities", Kind::Map),
    ("process.cwd", Kind::Text),
    ("process.env", Kind::List),
    ("process.noNewPrivileges", Kind::Bool),
    ("process.oomScoreAdj", Kind::Integer),
    ("process.rlimits", Kind::List),
    ("process.rlimits.hard", Kind::Integer),
    ("process.rlimits.soft", Kind::Integer),
    ("process.rlimits.type", Kind::Text),
    ("process.selinuxLabel", Kind::Text),
    ("process.terminal", Kind::Bool),
    ("process.user", Kind::Map),
    ("root", Kind::Map),
    ("root.path", Kind::Text),
    ("root.readonly", Kind::Bool),
    ("solaris", Kind::Map),
    ("vm", Kind::Map),
    ("windows", Kind::Map),
    ("zos", Kind::Map),
];

/// Judges the overrides at a path.
pub fn judge(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    if let Some(overrides) = document.value.at(path) {
        fields(rules, document, overrides, "");
    }
}

fn fields(rules: &mut Rules<'_, '_>, document: &Document<'_>, value: &Value<'_>, above: &str) {
    for field in value.all_fields() {
        let path = if above.is_empty() { field.key.to_owned() } else { format!("{above}.{}", field.key) };
        let Some((_, wanted)) = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(&path)) else { continue };
        let kind = field.value.kind();
        // Limits have no sign.
        let is_negative = path.starts_with("process.rlimits.") && field.value.scalar().starts_with('-');
        if (kind != *wanted && kind != Kind::Null) || is_negative {
            let message = format!("`{path}` has another type than in the OCI runtime specification");
            rules.refuse_value(document, &field.value, message, "write it as the specification says");
            continue;
        }
        fields(rules, document, &field.value, &path);
        if let Content::List(items) = &field.value.content {
            for item in items {
                fields(rules, document, item, &path);
            }
        }
    }
}
