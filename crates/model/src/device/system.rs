//! The node's system: names, time, kernel, files, registries, extension services, patches.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::scalar::{
    AbsolutePath, Argument, DnsLabel, Duration, EnvironmentVariable, FileMode, Host, Hostname, KernelArgument,
    Registry, RelativePath, Route, SecretName, Url,
};

/// Where names that are not whole are looked up.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchDomains {
    /// Domains in order.
    pub domains: Option<Vec<Hostname>>,
    /// Whether the domain of the node's own hostname is left out.
    pub disable_default: Option<bool>,
}

/// How the node keeps time.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Time {
    /// NTP servers.
    pub servers: Option<Vec<Host>>,
    /// Whether Talos leaves the clock alone.
    pub disabled: Option<bool>,
    /// How long booting waits for the right time.
    pub boot_timeout: Option<Duration>,
}

/// A kernel module.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KernelModule {
    /// Its parameters.
    #[serde(default)]
    pub parameters: Vec<KernelArgument>,
}

/// A file that Talos writes: its text in place, or in a file.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineFile {
    /// A text in place.
    pub content: Option<String>,
    /// A file beside the document that names it.
    pub file: Option<RelativePath>,
    /// What becomes of a file that is there.
    #[serde(default)]
    pub op: FileOperation,
    /// Its mode.
    pub permissions: Option<FileMode>,
}

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileOperation {
    /// There must be none.
    #[default]
    Create,
    /// It is replaced.
    Overwrite,
    /// The text is put behind it.
    Append,
}

/// Where images are pulled from.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Registries {
    /// Mirrors by registry.
    #[serde(default)]
    pub mirrors: BTreeMap<Registry, Mirror>,
}

/// The mirrors of a registry.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mirror {
    /// In the order in which they are tried.
    pub endpoints: Vec<Url>,
    /// Whether they name the whole path.
    pub override_path: Option<bool>,
    /// Whether the registry itself is left out.
    pub skip_fallback: Option<bool>,
}

/// The Tailscale extension service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tailscale {
    /// The secret with the auth key.
    pub auth_key: Option<SecretName>,
    /// The name in the tailnet.
    pub hostname: Option<DnsLabel>,
    /// The networks that the node advertises; absent is not the same as none.
    pub routes: Option<Vec<Route>>,
    /// Whether Tailscale sets the resolver.
    #[serde(rename = "acceptDNS")]
    pub accept_dns: Option<bool>,
    /// Whether the key is used only while the node is not logged in.
    pub auth_once: Option<bool>,
    /// Further arguments of `tailscale up`.
    pub extra_args: Option<Vec<Argument>>,
}

/// Another extension service.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionService {
    /// Environment variables.
    #[serde(default)]
    pub environment: BTreeMap<EnvironmentVariable, String>,
    /// Files by their path.
    #[serde(default)]
    pub config_files: BTreeMap<AbsolutePath, ConfigFile>,
    /// Secrets whose placeholders stand in the texts.
    #[serde(default)]
    pub secrets: Vec<SecretName>,
}

/// A file of an extension service: one of the two.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// A text in place.
    pub content: Option<String>,
    /// A file beside the document that names it.
    pub file: Option<RelativePath>,
}

/// A machine-config patch: one of the three.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// A mapping in place.
    pub inline: Option<serde_json::Map<String, Value>>,
    /// A text in place.
    pub text: Option<String>,
    /// A file beside the document that names it.
    pub file: Option<RelativePath>,
}
