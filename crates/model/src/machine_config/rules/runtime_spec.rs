//! Overrides of the runtime's specification of containers.
//!
//! Source: github.com/opencontainers/runtime-spec, specs-go/config.go, the struct `Spec`.

use super::super::config::Document;
use super::super::value::Kind;
use super::Rules;

/// The types of the specification's fields.
const FIELDS: [(&str, Kind); 13] = [
    ("annotations", Kind::Map),
    ("domainname", Kind::Text),
    ("hooks", Kind::Map),
    ("hostname", Kind::Text),
    ("linux", Kind::Map),
    ("mounts", Kind::List),
    ("ociVersion", Kind::Text),
    ("process", Kind::Map),
    ("root", Kind::Map),
    ("solaris", Kind::Map),
    ("vm", Kind::Map),
    ("windows", Kind::Map),
    ("zos", Kind::Map),
];

/// Judges the overrides at a path.
pub fn judge(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    for field in document.value.fields(path) {
        let known = FIELDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(field.key));
        let kind = field.value.kind();
        if known.is_some_and(|(_, wanted)| kind != *wanted && kind != Kind::Null) {
            let message = format!("`{}` has another type than in the OCI runtime specification", field.key);
            rules.refuse_value(document, &field.value, message, "write it as the specification says");
        }
    }
}
