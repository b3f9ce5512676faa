//! Extension services other than Tailscale, which has a key of its own.

use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer, TalosVersion, closest};

use super::features::missing_extension;
use super::installer::{Applied, Source};
use super::secrets::SecretOwner;
use super::values::{self, ValueUser};
use super::{Check, Patch, raw, texts};
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

/// Plans the extension services of a device; `applied` is the content of the applied image, if it is known.
pub(super) fn services(
    check: &mut Check<'_>,
    version: &TalosVersion,
    applied: Option<&Applied<'_>>,
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
        let location = check.key(at.clone());
        check_provider(check, location, name.as_str(), version, applied);
        if service.environment.is_empty() && service.config_files.is_empty() {
            check.missing(&at, "environment", "environment: { TUNNEL_TOKEN: \"${CLOUDFLARED_TOKEN}\" }");
            continue;
        }
        let (environment, config_files) = service_texts(check, &at, name, service);
        let service_texts: Vec<&str> =
            environment.iter().chain(config_files.iter().map(|file| &file.content)).map(String::as_str).collect();
        // Not if one of its files cannot be read.
        let is_complete = service_texts.len() == service.environment.len() + service.config_files.len();
        let owner = SecretOwner { what: "service", name: name.as_str(), listed: &service.secrets, at: &at };
        owner.use_listed(check);
        if is_complete {
            owner.check_uses(check, |placeholder| service_texts.iter().any(|text| text.contains(placeholder)));
        }
        planned.push(ExtensionService { name: name.to_string(), environment, config_files });
    }
    planned
}

/// Returns the environment and the files of a service, with the values that it lists.
fn service_texts(
    check: &mut Check<'_>,
    at: &Pointer,
    name: &DnsLabel,
    service: &device::ExtensionService,
) -> (Vec<String>, Vec<ConfigFile>) {
    let mut mentions = Vec::new();
    let mut environment = Vec::new();
    for (key, value) in service.environment.iter() {
        mentions.extend(values::mentions(value, |_| check.at(at.child("environment").child(key))));
        environment.push(format!("{key}={value}"));
    }
    let mut config_files = Vec::new();
    for (path, file) in service.config_files.iter() {
        let at = at.child("configFiles").child(path);
        if let Some(content) = texts::text(check, &at, file.content.as_ref(), file.file.as_ref()) {
            let key = texts::content_key(file.content.as_ref());
            mentions.extend(values::mentions(&content, |_| check.at(at.child(key))));
            config_files.push(ConfigFile { mount_path: path.to_string(), content });
        }
    }
    let user = ValueUser { what: "service", name: name.as_str(), listed: &service.values, at };
    let values = user.resolve(check, &mentions);
    if !values.is_empty() {
        let texts = environment.iter_mut().chain(config_files.iter_mut().map(|file| &mut file.content));
        texts.for_each(|text| *text = values::replace(text, &values).0);
    }
    (environment, config_files)
}

/// Checks that the applied image provides the service.
pub(super) fn check_provider(
    check: &mut Check<'_>,
    location: Location,
    name: &str,
    version: &TalosVersion,
    applied: Option<&Applied<'_>>,
) {
    let provides = |extension: &str| extensions::services(extension).any(|service| service.name == name);
    let mut providers = extensions::names(version).filter(|extension| provides(extension)).peekable();
    if providers.peek().is_none() {
        let message = format!("no official extension provides a service `{name}`");
        let finding = Diagnostic::new(Code::UnknownService, message, location);
        let all: Vec<&str> = extensions::names(version)
            .flat_map(|extension| extensions::services(extension).map(|service| service.name))
            .collect();
        let bare = name.trim_start_matches("ext-");
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
    let Some(applied) = applied else { return };
    if applied.extensions.iter().any(|extension| provides(extension)) {
        return;
    }
    let extension = providers.next().unwrap_or_default();
    missing_extension(check, applied, &format!("the service `{name}`"), extension, location);
}

/// Reports services of the applied image that wait for a configuration which the device does not have.
///
/// Source: release-1.12 to 1.14 v1alpha1_sequencer_tasks.go, `StartAllServices`; siderolabs/talos#12145.
pub(super) fn check_unconfigured(check: &mut Check<'_>, applied: Option<&Applied<'_>>, patches: &[Arc<Patch>]) {
    let Some(Applied { extensions, source: Source::Schematic(schematic), .. }) = applied else { return };
    let device = &check.file.device;
    for (index, extension) in extensions.iter().enumerate() {
        for service in extensions::services(extension).filter(|service| service.needs_configuration) {
            let name = service.name;
            let is_configured = (name == "tailscale" && device.tailscale.is_some())
                || device.extension_services.keys().any(|key| key.as_str() == name)
                || raw::documents(patches, "ExtensionServiceConfig").any(|(_, document)| document.name == name);
            if is_configured {
                continue;
            }
            let list = Pointer::new("/schematics").child(schematic).child("extensions");
            let message =
                format!("the service `{name}` of `{extension}` waits for a configuration that the device lacks");
            let help = match name {
                "tailscale" => {
                    "configure it, as in\ntailscale: { authKey: tailscale-authkey }\nor remove the extension".to_owned()
                }
                _ => format!(
                    "configure it, as in\nextensionServices:\n  {name}: {}\nor remove the extension",
                    example(name)
                ),
            };
            check.push(
                Diagnostic::new(Code::UnconfiguredService, message, check.at(list.item(index)))
                    .note("Talos finishes a boot only when all services run: the node reboots when its boot timeout is over")
                    .help(help),
            );
        }
    }
}

/// A configuration of a service, with a path or a variable that it reads. Source: the READMEs of siderolabs/extensions.
fn example(service: &str) -> &'static str {
    match service {
        "cloudflared" => "{ environment: { TUNNEL_TOKEN: \"${CLOUDFLARED_TOKEN}\" }, secrets: [cloudflared-token] }",
        "lldpd" => {
            "{ configFiles: { /usr/local/etc/lldpd/lldpd.conf: { content: \"configure lldp status rx-and-tx\" } } }"
        }
        "nebula" => "{ configFiles: { /usr/local/etc/nebula/config.yml: { file: nebula.yaml } } }",
        "netbird" => "{ environment: { NB_SETUP_KEY: \"${NETBIRD_KEY}\" }, secrets: [netbird-key] }",
        "newt" => {
            "{ environment: { PANGOLIN_ENDPOINT: https://pangolin.example.com, NEWT_ID: abcdef0123456789, NEWT_SECRET: \"${NEWT_SECRET}\" }, secrets: [newt-secret] }"
        }
        "nut-client" => "{ configFiles: { /usr/local/etc/nut/upsmon.conf: { file: upsmon.conf } } }",
        "zerotier" => "{ environment: { ZEROTIER_NETWORK: 8056c2e21c000001 } }",
        _ => "{ configFiles: { /usr/local/etc/<file>: { file: <file> } } }",
    }
}
