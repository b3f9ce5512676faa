//! What a node is given besides its system: credentials and certificates of registries, logs, rules for devices, the watchdog.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer, TalosVersion};

use super::secrets::{Expected, use_secret};
use super::versions::since;
use super::{Check, texts};
use crate::device::LogSource;
use crate::ordered::Ordered;

/// Credentials and certificates of registries, logs, rules for devices, the watchdog and the scrubbing of file systems.
#[derive(Debug, Serialize)]
pub struct Host {
    /// Credentials of registries.
    pub registry_auth: Vec<RegistryAuth>,
    /// Certificates of registries.
    pub registry_tls: Vec<RegistryTls>,
    /// udev rules.
    pub udev_rules: Vec<String>,
    /// The watchdog; none if the model does not have it.
    pub watchdog: Option<Watchdog>,
    /// Receivers of the logs of services.
    pub service_logs: Vec<ServiceLog>,
    /// Receivers of the kernel's log.
    pub kernel_logs: Vec<KernelLog>,
    /// How often file systems are checked; none if the model does not specify it.
    pub scrub_interval: Option<String>,
}

/// The credentials of a registry. Secrets are placeholders; none where another one is used.
#[derive(Debug, Serialize)]
pub struct RegistryAuth {
    pub registry: String,
    pub username: Option<String>,
    pub password: Option<String>,
    /// The name and the password in one string, as docker's configuration has it.
    pub auth: Option<String>,
    /// A token instead of name and password.
    pub identity_token: Option<String>,
}

/// How the certificate of a registry is verified.
#[derive(Debug, Serialize)]
pub struct RegistryTls {
    pub registry: String,
    /// The certificate of its authority; none for the system's.
    pub ca: Option<String>,
    /// Whether its certificate is not verified; none if the model does not specify it.
    pub insecure_skip_verify: Option<bool>,
}

/// The hardware watchdog.
#[derive(Debug, Serialize)]
pub struct Watchdog {
    /// Its path.
    pub device: String,
    /// How long the node may hang; none for Talos's default.
    pub timeout: Option<String>,
}

/// A receiver of the logs of services.
#[derive(Debug, Serialize)]
pub struct ServiceLog {
    pub url: String,
    /// Tags that are added to each message.
    pub extra_tags: Ordered<String, String>,
}

/// A receiver of the kernel's log.
#[derive(Debug, Serialize)]
pub struct KernelLog {
    pub name: String,
    pub url: String,
}

pub(super) fn plan(check: &mut Check<'_>, version: &TalosVersion) -> Host {
    let device = &check.file.device;
    check_logs(check);
    let logs = |source| device.logs.iter().filter(move |(_, log)| log.source == source);
    Host {
        registry_auth: registry_auth(check),
        registry_tls: registry_tls(check),
        udev_rules: device.udev_rules.iter().flat_map(|(_, rules)| rules).cloned().collect(),
        watchdog: watchdog(check),
        service_logs: logs(LogSource::Services)
            .map(|(_, log)| ServiceLog { url: log.url.to_string(), extra_tags: log.extra_tags.clone() })
            .collect(),
        kernel_logs: logs(LogSource::Kernel)
            .map(|(name, log)| KernelLog { name: name.to_string(), url: log.url.to_string() })
            .collect(),
        scrub_interval: scrub_interval(check, version),
    }
}

fn registry_auth(check: &mut Check<'_>) -> Vec<RegistryAuth> {
    let mut planned = Vec::new();
    for (registry, written) in check.file.device.registries.auth.iter() {
        let at = Pointer::new("/registries/auth").child(registry);
        let secrets =
            [("password", &written.password), ("auth", &written.auth), ("identityToken", &written.identity_token)];
        let mut set = secrets.iter().filter(|(_, secret)| secret.is_some()).map(|(key, _)| *key);
        match (set.next(), set.next()) {
            (None, _) => check.missing(&at, "password", "password: registry-password"),
            (Some(first), Some(second)) => check.exclusive(&at, first, second),
            (Some("password"), None) if written.username.is_none() => {
                check.missing(&at, "username", "username: me");
            }
            (Some(_), None) => {}
        }
        let mut placeholder = |key: &str| {
            let (_, secret) = secrets.iter().find(|(name, _)| *name == key)?;
            let secret = secret.as_ref()?;
            Some(use_secret(check, "registries.auth", secret, &at.child(key), Expected::Text))
        };
        planned.push(RegistryAuth {
            registry: registry.to_string(),
            username: written.username.clone(),
            password: placeholder("password"),
            auth: placeholder("auth"),
            identity_token: placeholder("identityToken"),
        });
    }
    planned
}

fn registry_tls(check: &mut Check<'_>) -> Vec<RegistryTls> {
    let mut planned = Vec::new();
    for (registry, written) in check.file.device.registries.tls.iter() {
        let at = Pointer::new("/registries/tls").child(registry);
        let ca = written.ca.as_ref().and_then(|path| texts::content_of(check, &at.child("ca"), path));
        if written.ca.is_none() && written.insecure_skip_verify.is_none() {
            check.missing(&at, "ca", "ca: registry-ca.pem");
            continue;
        }
        if written.ca.is_some() && written.insecure_skip_verify == Some(true) {
            check.exclusive(&at, "ca", "insecureSkipVerify");
        }
        let insecure_skip_verify = written.insecure_skip_verify;
        planned.push(RegistryTls { registry: registry.to_string(), ca, insecure_skip_verify });
    }
    planned
}

fn watchdog(check: &mut Check<'_>) -> Option<Watchdog> {
    let written = check.file.device.watchdog.as_ref()?;
    let Some(device) = &written.device else {
        check.missing(&"/watchdog".into(), "device", "device: /dev/watchdog0");
        return None;
    };
    let timeout = written.timeout.as_ref().map(ToString::to_string);
    Some(Watchdog { device: device.to_string(), timeout })
}

/// Reports tags for the kernel's log, which a KmsgLogConfig has no field for.
fn check_logs(check: &mut Check<'_>) {
    for (name, log) in check.file.device.logs.iter() {
        if log.source == LogSource::Kernel && !log.extra_tags.is_empty() {
            let at = Pointer::new("/logs").child(name).child("extraTags");
            let message = "`extraTags` is only for the logs of services";
            let finding = Diagnostic::new(Code::ExclusiveKeys, message, check.key(at));
            check.push(finding.note("Talos sends the kernel's log without tags").help("remove the line"));
        }
    }
}

fn scrub_interval(check: &mut Check<'_>, version: &TalosVersion) -> Option<String> {
    let written = check.file.device.scrub.as_ref()?;
    let at = Pointer::new("/scrub");
    since(check, (1, 14), version, "`scrub`", &at);
    if written.interval.is_none() {
        check.missing(&at, "interval", "interval: 168h");
    }
    written.interval.as_ref().map(ToString::to_string)
}
