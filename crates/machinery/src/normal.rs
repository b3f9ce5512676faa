//! When two values of a machine config are the same one for Talos, however they are written.

use std::borrow::Cow;
use std::fmt::Write as _;

use crate::format;
use crate::scalar::Resolved;
use crate::talos_data::types::{MAIN, Type, Types};
use crate::value::{Content, Value};

/// What names the items of lists: a key of each, `=` for the text before it, or `.` for the whole text. Items of other lists have no names, and such a list
/// changes as a whole.
const NAMED_ITEMS: &[(&str, &str, &str)] = &[
    ("ExtensionServiceConfig", "configFiles", "mountPath"),
    ("ExtensionServiceConfig", "environment", "="),
    (MAIN, "cluster.apiServer.admissionControl", "name"),
    (MAIN, "cluster.extraManifests", "."),
    (MAIN, "cluster.inlineManifests", "name"),
    (MAIN, "machine.files", "path"),
    (MAIN, "machine.kernel.modules", "name"),
    (MAIN, "machine.network.extraHostEntries", "ip"),
    (MAIN, "machine.network.interfaces", "interface"),
    (MAIN, "machine.seccompProfiles", "name"),
];

/// Returns what names the items of the list at a path in a document of a kind.
pub(crate) fn key_of(path: &[Cow<'_, str>], kind: &str) -> Option<&'static str> {
    let is_at = |list: &str| path.iter().map(|key| &**key).eq(list.split('.'));
    NAMED_ITEMS.iter().find(|(of, list, _)| *of == kind && is_at(list)).map(|(_, _, key)| *key)
}

/// Whether a value of a type is the one that an absent one has, as `isZero` of Go's YAML packages decides: a struct if each field has.
pub(crate) fn is_zero(types: &Types, ty: &Type, value: &Value<'_>) -> bool {
    match (&value.content, ty) {
        (Content::List(items), _) => items.is_empty(),
        (Content::Map(fields), Type::Struct(name)) => {
            let known = types.get(name);
            fields.iter().all(|field| {
                let ty = known.and_then(|known| known.field(&field.key)).filter(|ty| !matches!(ty, Type::Pointer(_)));
                field.value.is_null() || ty.is_some_and(|ty| is_zero(types, ty, &field.value))
            })
        }
        (Content::Map(fields), _) => fields.is_empty(),
        (Content::Scalar(scalar), Type::Word(zero)) => scalar.text.is_empty() || scalar.text.eq_ignore_ascii_case(zero),
        (Content::Scalar(scalar), Type::Duration) => format::duration(&scalar.text) == Some(0.0),
        (Content::Scalar(scalar), _) => match scalar.resolved {
            Resolved::Null | Resolved::Bool(false) | Resolved::Integer(0) => true,
            _ => scalar.text.is_empty(),
        },
    }
}

/// Returns a text that two values have in common if Talos decodes both to the same one. `kind` is how they are decoded, as in the table
/// of types.
pub(crate) fn normal(kind: &str, value: &Value<'_>, types: &Types) -> String {
    let mut text = String::new();
    write_normal(&mut text, kind, value, types);
    text
}

fn write_normal(out: &mut String, kind: &str, value: &Value<'_>, types: &Types) {
    match &value.content {
        Content::Scalar(scalar) => match kind {
            "any" | "{}any" => {
                _ = match scalar.resolved.written() {
                    Some(written) => write!(out, "{written}"),
                    None => write!(out, "{:?}", scalar.text),
                };
            }
            _ => _ = write!(out, "{:?}", scalar_text(kind, value, &scalar.text)),
        },
        Content::List(items) => {
            let inner = kind.strip_prefix("[]").or_else(|| kind.strip_prefix("[*]")).unwrap_or(kind);
            out.push('[');
            for item in items {
                write_normal(out, inner, item, types);
                out.push(',');
            }
            out.push(']');
        }
        Content::Map(fields) => {
            let inner = kind.strip_prefix("{}").or_else(|| kind.strip_prefix("{*}"));
            let known = types.get(kind);
            let mut keys: Vec<&str> = fields.iter().map(|field| &*field.key).collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                let Some(value) = value.field(key).map(|field| &field.value) else { continue };
                let field = known.and_then(|known| known.find(key));
                let is_absent = |ty| value.is_null() || !matches!(ty, &Type::Pointer(_)) && is_zero(types, ty, value);
                if field.is_some_and(|field| is_absent(&field.ty)) {
                    continue;
                }
                _ = write!(out, "{key:?}:");
                let inner = field.map_or(inner.unwrap_or(kind), |field| field.kind);
                write_normal(out, inner, value, types);
                out.push(',');
            }
            out.push('}');
        }
    }
}

/// The text of a scalar in the one form that its kind has.
fn scalar_text<'v>(kind: &str, value: &Value<'_>, text: &'v str) -> Cow<'v, str> {
    let normal = match kind {
        "bool" => value.flag_here().map(|flag| flag.to_string()),
        "duration" => format::duration(text).map(|seconds| seconds.to_string()),
        "bytes" | "size" => format::bytes(text).map(|(bytes, is_negative)| format!("{is_negative} {bytes}")),
        "address" => format::address(text).map(|address| address.to_string()),
        "hardware-address" => format::hardware_address(text),
        _ if kind.starts_with("int") || kind.starts_with("uint") => {
            value.decoded_integer().map(|number| number.to_string())
        }
        _ => None,
    };
    normal.map_or(Cow::Borrowed(text), Cow::Owned)
}
