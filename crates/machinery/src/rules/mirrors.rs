//! Registry mirrors that are never used, or at the wrong path.
//!
//! Source: internal/pkg/containers/image/resolver.go.

use talosmith_document::Code;

use super::section::Section;
use crate::placeholder::is_unknown;
use crate::url::Url;

/// Names of Docker Hub under which no image is looked up.
const DOCKER_HUB: [&str; 4] = ["hub.docker.com", "index.docker.io", "registry-1.docker.io", "registry.hub.docker.com"];

/// Checks the mirrors of the main document.
pub(crate) fn check_registries(main: Section<'_>) {
    for (registry, mirror) in main.entries("machine.registries.mirrors") {
        check_name(mirror, registry, "");
        let overrides = mirror.value.is_true("overridePath");
        for endpoint in mirror.items("endpoints") {
            check_endpoint(endpoint, "", endpoint.scalar(), overrides);
        }
    }
}

/// Checks a document with mirrors of one registry.
pub(crate) fn check_mirror(document: Section<'_>) {
    check_name(document, document.name(), "name");
    for endpoint in document.items("endpoints") {
        check_endpoint(endpoint, "url", endpoint.text("url"), endpoint.is_true("overridePath"));
    }
}

fn check_name(mirror: Section<'_>, registry: &str, path: &str) {
    if DOCKER_HUB.contains(&registry) {
        let message =
            format!("the mirror of `{registry}` is never used: images of Docker Hub are looked up as docker.io");
        mirror.report(Code::MirrorEndpoint, path, message, |finding| {
            finding.note("Talos looks mirrors up by the host in the name of the image").help("write `docker.io`")
        });
    } else if registry.contains('/') && !is_unknown(registry) {
        let host = Url::parse(registry).host;
        let host = if host.is_empty() { registry.split('/').next().unwrap_or_default() } else { host };
        let message = format!("the mirror of `{registry}` is never used: it is not a host alone");
        mirror.report(Code::MirrorEndpoint, path, message, |finding| {
            finding.note("Talos looks mirrors up by the host in the name of the image").help(format!("write `{host}`"))
        });
    }
}

fn check_endpoint(endpoint: Section<'_>, path: &str, text: &str, overrides: bool) {
    let parts = Url::parse(text);
    let below = parts.path.trim_end_matches('/');
    if is_unknown(text) || parts.host.is_empty() {
        return;
    }
    if overrides && below.is_empty() {
        let message = format!("with `overridePath` images are asked for at the root of {}", parts.host);
        endpoint.report(Code::MirrorEndpoint, path, message, |finding| {
            finding.note("Talos then appends no `/v2`, below which every registry has its images").help(format!(
                "remove `overridePath`, or write the whole path, as in `{}/v2`",
                text.trim_end_matches('/')
            ))
        });
    } else if !overrides && !below.ends_with("/v2") && format!("{below}/").contains("/v2/") {
        let message = format!("without `overridePath` images are asked for at `{below}/v2`");
        endpoint.report(Code::MirrorEndpoint, path, message, |finding| {
            finding
                .note("Talos appends `/v2` to the path of an endpoint that does not end with it")
                .help("add `overridePath: true` to the mirror, since the endpoint has the whole path")
        });
    }
}
