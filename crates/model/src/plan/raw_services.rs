//! Extension services that raw patches configure: what is checked of those with keys of their own.

use std::sync::Arc;

use talosmith_document::{Location, TalosVersion};
use talosmith_machinery::PatchedDocument;

use super::installer::Applied;
use super::network::{accepted_dns, accepted_route, accepted_routes};
use super::services::check_provider;
use super::{Check, Patch, raw};

/// Checks the services of raw patches; `applied` is the content of the applied image, if it is known.
pub(super) fn check(
    check: &mut Check<'_>,
    version: &TalosVersion,
    applied: Option<&Applied<'_>>,
    patches: &[Arc<Patch>],
) {
    for (patch, document) in raw::documents(patches, "ExtensionServiceConfig") {
        let Some(name) = document.scalars("name").pop() else { continue };
        check_provider(check, patch.locator.location(name.bytes), document.name, version, applied);
        if document.name == "tailscale" {
            check_tailscale(check, patch, document);
        }
    }
}

fn check_tailscale(check: &mut Check<'_>, patch: &Patch, document: PatchedDocument<'_>) {
    let environment = document.scalars("environment[]");
    let variable = |name: &str| {
        let entry = environment.iter().rev().find_map(|entry| {
            let (key, value) = entry.text.split_once('=')?;
            (key == name).then(|| (value, entry.bytes.clone()))
        });
        entry.map(|(value, bytes)| (value, patch.locator.location(bytes)))
    };
    let is_true = |(value, _): &(&str, Location)| matches!(*value, "1" | "t" | "T" | "true" | "TRUE" | "True");
    if let Some((_, location)) = variable("TS_ACCEPT_DNS").filter(is_true) {
        check.push(accepted_dns(location, "TS_ACCEPT_DNS=false"));
    }
    if let (Some((arguments, at)), Some((routes, advertised))) = (variable("TS_EXTRA_ARGS"), variable("TS_ROUTES")) {
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let routes: Vec<String> = routes.split(',').map(|route| route.trim().to_owned()).collect();
        if let Some((_, message)) = accepted_route(check, &routes, &arguments) {
            check.push(accepted_routes(message, at, advertised));
        }
    }
}
