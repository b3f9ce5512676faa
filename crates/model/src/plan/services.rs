//! Extension services other than Tailscale, which has a key of its own.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion, closest};

use super::features::missing_extension;
use super::secrets::{Expected, use_secret};
use super::{Check, PlannedSchematic, texts};
use crate::device;
use crate::scalar::DnsLabel;
use crate::upstream::extensions;

/// The configuration of an extension service.
#[derive(Debug, Serialize)]
pub struct ExtensionService {
    /// The service's name.
    pub name: String,
    /// The environment, each entry as `NAME=value`; secrets are placeholders.
    pub environment: Vec<String>,
    pub config_files: Vec<ConfigFile>,
}

#[derive(Debug, Serialize)]
pub struct ConfigFile {
    /// The path at which the service reads it.
    pub mount_path: String,
    /// Its content; secrets are placeholders.
    pub content: String,
}

/// Plans the extension services of a device; `applied` is the schematic of the applied image, if it is known.
pub(super) fn services(
    check: &mut Check<'_>,
    version: &TalosVersion,
    applied: Option<&PlannedSchematic>,
) -> Vec<ExtensionService> {
    let mut planned = Vec::new();
    for (name, service) in &check.file.device.extension_services {
        let at = Pointer::new("/extensionServices").child(name);
        if name.as_str() == "tailscale" {
            check.push(
                Diagnostic::new(Code::MisplacedKey, "Tailscale has a key of its own", check.key(at))
                    .help("move its settings to the top-level key `tailscale`"),
            );
            continue;
        }
        check_provider(check, &at, name, version, applied);
        if service.environment.is_empty() && service.config_files.is_empty() {
            check.missing(&at, "environment", "environment: { TUNNEL_TOKEN: \"${CLOUDFLARED_TOKEN}\" }");
            continue;
        }
        let environment: Vec<String> =
            service.environment.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let mut config_files = Vec::new();
        for (path, file) in &service.config_files {
            let at = at.child("configFiles").child(path);
            if let Some(content) = texts::text(check, &at, file.content.as_ref(), file.file.as_ref()) {
                config_files.push(ConfigFile { mount_path: path.to_string(), content });
            }
        }
        let service_texts: Vec<&str> =
            environment.iter().chain(config_files.iter().map(|file| &file.content)).map(String::as_str).collect();
        check_placeholders(check, &at, name, service, &service_texts);
        planned.push(ExtensionService { name: name.to_string(), environment, config_files });
    }
    planned
}

/// Checks that the applied image provides the service.
fn check_provider(
    check: &mut Check<'_>,
    at: &Pointer,
    name: &DnsLabel,
    version: &TalosVersion,
    applied: Option<&PlannedSchematic>,
) {
    let location = check.key(at.clone());
    let provides = |extension: &str| extensions::services(extension).any(|service| service.name == name.as_str());
    let mut providers = extensions::names(version).filter(|extension| provides(extension)).peekable();
    if providers.peek().is_none() {
        let message = format!("no official extension provides a service `{name}`");
        let finding = Diagnostic::new(Code::UnknownService, message, location);
        let all: Vec<&str> = extensions::names(version)
            .flat_map(|extension| extensions::services(extension).map(|service| service.name))
            .collect();
        let bare = name.as_str().trim_start_matches("ext-");
        let of_extension: Vec<&str> =
            extensions::services(&format!("siderolabs/{bare}")).map(|service| service.name).collect();
        let meant = of_extension.first().copied().or_else(|| closest(bare, all.iter().copied()));
        check.push(match meant {
            Some(meant) => finding
                .label(format!("did you mean `{meant}`?"))
                .note("a service is configured by its own name: without `ext-`, and not by the name of its extension"),
            None => finding.note("Talos accepts the configuration, but nothing reads it"),
        });
        return;
    }
    let Some(schematic) = applied else { return };
    if schematic.extensions.iter().any(|extension| provides(extension)) {
        return;
    }
    let extension = providers.next().unwrap_or_default();
    missing_extension(check, schematic, &format!("the service `{name}`"), extension, location);
}

/// Registers the secrets that the service lists, and reports those that it does not use or uses without listing them.
fn check_placeholders(
    check: &mut Check<'_>,
    at: &Pointer,
    name: &DnsLabel,
    service: &device::ExtensionService,
    service_texts: &[&str],
) {
    for (index, secret) in service.secrets.iter().enumerate() {
        let at = at.child("secrets").item(index);
        let placeholder = use_secret(check, &format!("extensionServices.{name}"), secret, &at, Expected::Text);
        if !service_texts.iter().any(|text| text.contains(&placeholder)) {
            let message = format!("`{placeholder}` is not used by the service `{name}`");
            check.push(
                Diagnostic::new(Code::UnknownSecret, message, check.at(at))
                    .help(format!("write `{placeholder}` where the value of `{secret}` belongs, or remove the line")),
            );
        }
    }
    let unlisted = check.fleet.fleet.secrets.keys().filter_map(|key| key.parse::<crate::scalar::SecretName>().ok());
    for secret in unlisted.filter(|secret| !service.secrets.contains(secret)) {
        let placeholder = format!("${{{}}}", secret.placeholder());
        if service_texts.iter().any(|text| text.contains(&placeholder)) {
            let message = format!("`{placeholder}` is used by `{name}`, which does not list the secret");
            check.push(
                Diagnostic::new(Code::UnknownSecret, message, check.key(at.clone()))
                    .note("Talos expands nothing: the service would get the placeholder itself")
                    .help(format!("add a line to the service:\nsecrets: [{secret}]")),
            );
        }
    }
}
