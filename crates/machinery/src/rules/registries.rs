//! Registries of container images.

use super::{Rules, format};
use crate::config::Document;
use crate::value::Value;

/// Mirrors of a registry.
pub(crate) fn mirror(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    for endpoint in document.value.items("endpoints") {
        let url = endpoint.text("url");
        if url.is_empty() {
            rules.refuse_value(document, endpoint, "an endpoint of a mirror has no `url`", "add `url`");
        } else if !matches!(format::url(url).scheme.as_str(), "http" | "https") {
            let message = format!("the endpoint `{url}` is not reached over http or https");
            rules.refuse_value(document, endpoint.get("url").unwrap_or(endpoint), message, "write it as `https://..`");
        }
    }
}

/// How to log in to a registry.
pub(crate) fn auth(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let given: Vec<&str> = ["username", "identityToken", "auth"]
        .into_iter()
        .filter(|field| !document.value.text(field).is_empty())
        .collect();
    if given.len() > 1 {
        let message = format!("{} has more than one way to log in: {}", document.title(), given.join(", "));
        rules.refuse(document, given[1], message, "keep one of them");
    }
}

/// How a registry proves who it is.
pub(crate) fn tls(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let value = &document.value;
    if !value.text("ca").is_empty()
        && !format::pem(value.text("ca")).contains(&("CERTIFICATE", true))
        && is_literal(value.text("ca"))
    {
        rules.refuse(
            document,
            "ca",
            "`ca` holds no certificate in PEM",
            "write `-----BEGIN CERTIFICATE-----` and so on",
        );
    }
    if value.has("clientIdentity") {
        identity(rules, document, "clientIdentity");
    }
}

/// A certificate and its key, both in PEM.
pub(crate) fn identity(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    let Some(value) = document.value.at(path) else { return };
    for field in ["cert", "key"] {
        let text = value.text(field);
        let written = Rules::is_written(value.get(field));
        if text.is_empty() {
            rules.require(document, &format!("{path}.{field}"));
        } else if written && is_literal(text) {
            let kinds = format::pem(text);
            let good = !kinds.is_empty() && (field == "key" || kinds.iter().all(|(kind, _)| *kind == "CERTIFICATE"));
            if !good {
                let what = if field == "key" { "no key" } else { "no certificate" };
                let message = format!("`{path}.{field}` holds {what} in PEM");
                rules.refuse(document, &format!("{path}.{field}"), message, "write `-----BEGIN ..` and so on");
            }
        }
    }
}

/// Certificates, one an item. Those of the base are placeholders.
pub(crate) fn certificates(rules: &mut Rules<'_, '_>, document: &Document<'_>, items: &[Value<'_>]) {
    for item in items.iter().filter(|item| item.origin.is_some() && is_literal(item.scalar())) {
        let kinds = format::pem(item.scalar());
        if kinds.is_empty() || kinds.iter().any(|(kind, _)| *kind != "CERTIFICATE") {
            rules.refuse_value(
                document,
                item,
                "this is no certificate in PEM",
                "write `-----BEGIN CERTIFICATE-----` and so on",
            );
        }
    }
}

/// Whether a text is what the machine will get: not so if a placeholder in it is filled in later.
pub(crate) fn is_literal(text: &str) -> bool {
    !text.contains("${")
}
