//! The kubelet's configuration, which Talos decodes when it starts the kubelet.

use talosmith_document::{Code, Diagnostic, closest, table};

use super::section::Section;
use crate::format::duration;
use crate::scalar::{Resolved, Scalar};
use crate::talos_data::Minor;
use crate::talos_data::talos::newest_minor;
use crate::value::{Content, Field, Value};

/// The fields of each minor of Talos, and their types.
const FIELDS: &str = include_str!("../talos_data/kubelet_fields.txt");

/// What Talos writes itself. Source: pkg/machinery/kubelet, `ProtectedConfigurationFields`.
const PROTECTED: [&str; 13] = [
    "apiVersion",
    "authentication",
    "authorization",
    "cgroupRoot",
    "kind",
    "kubeletCgroups",
    "port",
    "protectKernelDefaults",
    "resolvConf",
    "rotateCertificates",
    "systemCgroups",
    "staticPodPath",
    "seccompDefault",
];

/// What follows from a field that the node cannot decode.
const NOT_STARTED: &str = "Talos accepts the config, and the node cannot start the kubelet with it";

/// Checks the kubelet's configuration at a path: Talos refuses the fields that it writes itself, and the node the others that it cannot
/// decode.
///
/// Source: internal/app/machined/pkg/controllers/k8s/kubelet_spec.go, `prepareExtraConfig`, and `FromUnstructuredWithValidation` in
/// k8s.io/apimachinery/pkg/runtime/converter.go.
pub(crate) fn check_kubelet<'r>(document: Section<'r>, path: &'r str) {
    for (field, value) in fields(document, path) {
        let key = &*field.key;
        if PROTECTED.contains(&key) {
            let message = format!("Talos writes `{key}` of the kubelet's configuration itself");
            value.refuse("", message, format!("remove `{key}`"));
        } else if value.value.origin.is_some() {
            check_field(value, "", field);
        }
    }
}

/// Returns the fields of the mapping at a path.
fn fields<'r>(of: Section<'r>, path: &'r str) -> impl Iterator<Item = (&'r Field<'r>, Section<'r>)> {
    let fields = of.at(path).map_or(&[][..], Value::all_fields).iter();
    fields.zip(of.entries(path).map(|(_, value)| value))
}

/// Checks a field; `above` is the path before its name, with `[]` for the items of a list.
fn check_field(field: Section<'_>, above: &str, written: &Field<'_>) {
    let name = &*written.key;
    let path = &*[above, name].concat();
    let Some(kind) = kind_of(field, path).filter(|_| !name.contains(['.', '['])) else {
        return unknown_field(field, above, written);
    };
    match (kind, &field.value.content) {
        ("any" | "any{}", _) | (_, Content::Scalar(Scalar { resolved: Resolved::Null, .. })) => {}
        ("mapping", Content::Map(_)) => check_fields(field, path, "."),
        ("list", Content::List(_)) => field.items("").for_each(|item| check_fields(item, path, "[].")),
        _ => match (kind.strip_suffix("{}"), kind.strip_suffix("[]"), &field.value.content) {
            (Some(kind), _, Content::Map(_)) => {
                for (key, value) in field.entries("") {
                    check_scalar(value, &format!("{path}.{key}"), kind, &format!("{key}: "));
                }
            }
            (_, Some(kind), Content::List(_)) => field.items("").for_each(|item| check_scalar(item, path, kind, "")),
            (None, None, Content::Scalar(_)) if !matches!(kind, "mapping" | "list") => {
                check_scalar(field, path, kind, &format!("{name}: "));
            }
            (_, list, _) => {
                let wanted = if list.is_some() || kind == "list" { "a list" } else { scalar_name(kind) };
                report(field, format!("`{path}` must be {wanted}"), std::convert::identity);
            }
        },
    }
}

fn check_fields(of: Section<'_>, path: &str, separator: &str) {
    let above = [path, separator].concat();
    fields(of, "").for_each(|(written, field)| check_field(field, &above, written));
}

/// Checks a scalar that must have a type; helps show it after `start`.
fn check_scalar(section: Section<'_>, path: &str, kind: &str, start: &str) {
    let Some(scalar) = section.value.as_scalar() else {
        return report(section, format!("`{path}` must be {}", scalar_name(kind)), std::convert::identity);
    };
    let is_right = match (kind, &scalar.resolved) {
        (_, Resolved::Null) | ("bool", Resolved::Bool(_)) => true,
        ("integer" | "number", Resolved::Integer(_)) | ("number", Resolved::Float(_)) => true,
        ("integer", Resolved::Float(number)) => number.fract() == 0.0,
        ("string", Resolved::String) => true,
        ("duration", Resolved::String) => is_duration(&scalar.text),
        _ => false,
    };
    if is_right {
        return;
    }
    let of_type = if scalar.resolved == Resolved::String { "the string " } else { "" };
    let text = scalar.text.escape_debug();
    let message = format!("`{path}` must be {}, not {of_type}`{text}`", scalar_name(kind));
    let written = match (kind, &scalar.resolved) {
        ("string", _) => Some(format!("{start}\"{}\"", scalar.text)),
        ("duration", Resolved::Integer(number)) if *number >= 0 => Some(format!("{start}{number}s")),
        ("bool", Resolved::String) if matches!(&*scalar.text, "true" | "false") => {
            Some(format!("{start}{}", scalar.text))
        }
        ("integer" | "number", Resolved::String) if scalar.text.parse::<i64>().is_ok() => {
            Some(format!("{start}{}", scalar.text))
        }
        _ => None,
    };
    report(section, message, |finding| match written {
        Some(written) => finding.help(format!("write `{written}`")),
        None => finding,
    });
}

fn is_duration(text: &str) -> bool {
    duration(text).is_some()
}

fn scalar_name(kind: &str) -> &'static str {
    match kind {
        "bool" => "`true` or `false`",
        "integer" => "an integer",
        "number" => "a number",
        "duration" => "a duration such as `2m30s`",
        "string" => "a string",
        _ => "a mapping",
    }
}

/// Returns the type of a field in the Talos that loads the config; none if it does not know the field.
fn kind_of(field: Section<'_>, path: &str) -> Option<&'static str> {
    let (kind, since, until) = row(path)?;
    (known(field) >= since && known(field) <= until).then_some(kind)
}

/// The minor of Talos whose fields count: the newest known one for a newer Talos.
fn known(field: Section<'_>) -> Minor {
    minor(field).min(newest_minor())
}

fn minor(field: Section<'_>) -> Minor {
    field.config().version.minor()
}

/// Returns the type of a field, and the first and the last minor of Talos that knows it.
fn row(path: &str) -> Option<(&'static str, Minor, Minor)> {
    let mut row = table::find(FIELDS, path)?;
    Some((row.next()?, table::minor(row.next()?)?, table::minor(row.next()?)?))
}

fn unknown_field(field: Section<'_>, above: &str, written: &Field<'_>) {
    let name = &*written.key;
    // A newer Talos may know more fields.
    let Some(at) = written.key_origin.filter(|_| minor(field) <= newest_minor()) else { return };
    let path = [above, name].concat();
    let message = match row(&path).filter(|_| !name.contains('.')) {
        Some((_, (major, since), _)) if known(field) < (major, since) => {
            format!("`{path}` of the kubelet's configuration came with Talos {major}.{since}")
        }
        Some(_) => format!("`{path}` of the kubelet's configuration does not exist any more"),
        None => format!("`{path}` is not a field of the kubelet's configuration"),
    };
    let rows = table::rows(FIELDS).filter_map(|mut row| row.next());
    let beside = rows.filter_map(|known| known.strip_prefix(above)).filter(|known| !known.contains(['.', '[']));
    let near = closest(name, beside).filter(|_| row(&path).is_none());
    let finding = field.rules.report.finding(Code::KubeletConfig, message, at).note(NOT_STARTED);
    field.rules.add(match near {
        Some(near) => finding.help(format!("rename it to `{near}`")),
        None => finding.help(format!("remove `{name}`")),
    });
}

fn report(section: Section<'_>, message: String, complete: impl FnOnce(Diagnostic) -> Diagnostic) {
    section.report(Code::KubeletConfig, "", message, |finding| complete(finding.note(NOT_STARTED)));
}
