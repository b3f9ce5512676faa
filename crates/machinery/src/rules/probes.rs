//! Probes of the network.

use super::{Rules, format, volumes};
use crate::config::Document;

/// A probe of a TCP port or an HTTP server.
pub(crate) fn check_probe(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    if document.kind == "TCPProbeConfig" {
        rules.require(document, "endpoint");
    } else {
        let text = document.value.text("url");
        let url = format::url(text);
        if text.is_empty() {
            rules.require(document, "url");
        } else if !matches!(url.scheme.as_str(), "http" | "https") || url.host.is_empty() {
            let message = format!("`{text}` is no URL of an HTTP server");
            rules.refuse(document, "url", message, "write it as `https://example.org/health`");
        }
    }
    volumes::not_negative(rules, document, "timeout");
    volumes::not_negative(rules, document, "interval");
    if document.value.number("failureThreshold").is_some_and(|threshold| threshold < 0) {
        rules.refuse(document, "failureThreshold", "`failureThreshold` is negative", "write 0 or more");
    }
}
