//! The findings about values that Talos does not decode.

use std::net::IpAddr;

use talosmith_document::{Code, Diagnostic, Location, Style};

use super::scalar::bounds;
use crate::placeholder::has_placeholder;
use crate::scalar::Scalar;
use crate::talos_data::types::{MAIN, is_struct};
use crate::value::{Content, Value};

/// What findings call a document.
pub(crate) fn title(kind: &str, name: &str) -> String {
    match (kind, name) {
        (MAIN, _) => "the main document".to_owned(),
        (_, "") => kind.to_owned(),
        _ => format!("{kind} `{name}`"),
    }
}

/// A field as people name it: `machine.network` of the main document, `provisioning` of another.
pub(super) fn subject(path: &str) -> String {
    match path.split_once('.') {
        None if path == MAIN => "the main document".to_owned(),
        None => path.to_owned(),
        Some((MAIN, keys)) => format!("`{keys}`"),
        Some((kind, keys)) => format!("`{keys}` of {kind}"),
    }
}

/// Keys of several secrets of one config.
const COMMON_KEYS: [&str; 7] = ["ca", "crt", "id", "issuingCA", "key", "secret", "token"];

/// A name for an environment variable from the keys that lead to a value: `apiToken` becomes `API_TOKEN`, and `machine.ca.key`, whose
/// last key other secrets have too, `MACHINE_CA_KEY`.
pub(crate) fn placeholder(keys: &[&str]) -> String {
    let start = keys.iter().rposition(|key| !COMMON_KEYS.contains(key)).unwrap_or_default();
    let mut name = String::new();
    for c in keys[start..].join("_").chars() {
        let is_start =
            !c.is_ascii_alphanumeric() || c.is_ascii_uppercase() && !name.ends_with(|c: char| c.is_ascii_uppercase());
        if is_start && !name.ends_with('_') {
            name.push('_');
        }
        name.extend(c.is_ascii_alphanumeric().then_some(c));
    }
    name.to_ascii_uppercase()
}

/// Whether a secret of the main document is one of those that `talosctl gen secrets` makes for a cluster.
pub(super) fn is_generated(path: &str) -> bool {
    let keys = path.split_once('.').map_or("", |(_, keys)| keys);
    matches!(keys, "machine.token" | "machine.ca.key") || keys.starts_with("cluster.") && !keys.contains("static")
}

/// "`a`, `b` or `c`".
pub(crate) fn alternatives(values: &[&str]) -> String {
    match values.split_last() {
        Some((last, others)) if !others.is_empty() => format!("`{}` or `{last}`", others.join("`, `")),
        _ => format!("`{}`", values.concat()),
    }
}

/// What values of a type look like.
fn expected(kind: &str) -> String {
    if let Some(values) = kind.strip_prefix("word:") {
        return alternatives(&values.split('|').collect::<Vec<_>>());
    }
    let plain = match kind {
        _ if kind.starts_with('[') => "a list",
        _ if kind.starts_with('{') || is_struct(kind) => "a mapping",
        "argument" => "a string or a list of strings",
        "bool" => "`true` or `false`",
        "duration" => "a duration such as `1m30s`",
        "ports" => "a port or a range such as `8000-9000`",
        "bytes" | "disk-size" => "a size such as `100GiB`",
        "size" => "a size such as `100GiB` or a part such as `50%`",
        "disk-condition" => "a condition such as `>= 100GB`",
        "base64" | "key" => "a string in Base64",
        "url" => "a URL such as `https://node:6443`",
        "address" => "an IP address",
        "address-port" => "an IP address and a port, such as `192.0.2.1:53`",
        "cidr" => "an address or a network with the length of its prefix",
        "hardware-address" => "a hardware address such as `aa:bb:cc:dd:ee:ff`",
        "routing-table" => "a number from 1 to 252, `default`, `main`, `local` or `unspec`",
        "fail-over-mac" => "`none`, `active` or `follow`",
        "cel" => "a CEL expression",
        _ => "a string",
    };
    match bounds(kind) {
        Some((low, high)) if high < 1 << 32 => format!("a whole number from {low} to {high}"),
        Some((0, _)) => "a whole number of 0 or more".to_owned(),
        Some(_) => "a whole number".to_owned(),
        None => plain.to_owned(),
    }
}

/// The code of a value that its type does not include.
fn code(kind: &str) -> Code {
    match kind {
        "address" | "address-port" | "hardware-address" | "url" => Code::BadAddress,
        "cidr" => Code::BadCidr,
        "bytes" | "size" | "disk-size" | "disk-condition" => Code::BadSize,
        _ => Code::WrongType,
    }
}

/// A scalar that a field's type does not include.
pub(super) fn bad_scalar(path: &str, kind: &'static str, scalar: &Scalar<'_>, location: Location) -> Diagnostic {
    let text = &*scalar.text;
    let subject = subject(path);
    let is_number = bounds(kind).is_some();
    let shown = text.lines().next().unwrap_or_default().escape_debug().to_string();
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_value = is_number && is_digits || kind == "bool" && matches!(text, "true" | "false");
    let is_quoted = scalar.style == Style::Quoted && (is_value || has_placeholder(text));
    let message = match kind {
        _ if is_quoted => format!("`{shown}` in quotes is a string, but {subject} must be {}", expected(kind)),
        "text" => format!("YAML parses `{shown}` as a date, but {subject} must be a string"),
        _ => format!("`{shown}` is not a valid value: {subject} must be {}", expected(kind)),
    };
    let finding = Diagnostic::new(code(kind), message, location)
        .note("Talos refuses the whole patch for a value that it cannot decode");
    match kind {
        _ if is_quoted => finding.help(format!("write it without quotes: {text}")),
        "text" => finding.help(format!("put it in quotes: \"{shown}\"")),
        "duration" if is_digits => finding.help(format!("write its unit, as in `{text}s`")),
        "cidr" if text.parse::<IpAddr>().is_ok() => {
            let length = if text.contains(':') { 64 } else { 24 };
            finding.help(format!("write the length of its prefix, as in `{text}/{length}`"))
        }
        "url" if !text.contains("://") => finding.help(format!("write its scheme, as in `https://{shown}`")),
        _ => finding,
    }
}

/// A list, a mapping or a scalar where something else must be.
pub(super) fn wrong_shape(path: &str, kind: &'static str, node: &Value<'_>, location: Location) -> Diagnostic {
    let found = match node.content {
        Content::List(_) => "a list",
        Content::Map(_) => "a mapping",
        Content::Scalar(_) => "a string",
    };
    let message = format!("{} is {found}, but must be {}", subject(path), expected(kind));
    Diagnostic::new(Code::WrongType, message, location)
        .note("Talos refuses the whole patch for a value that it cannot decode")
}
