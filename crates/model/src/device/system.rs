//! The node's system: time, kernel, files, registries, extension services, patches.

use serde::Deserialize;
use serde_json::Value;

use super::host::{RegistryAuth, RegistryTls};
use crate::ordered::Ordered;
use crate::scalar::{
    AbsolutePath, Argument, DnsLabel, Duration, EnvironmentVariable, FileMode, Host, Hostname, KernelArgument,
    Registry, RelativePath, Route, SecretName, Url, ValueName,
};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SearchDomains {
    pub domains: Option<Vec<Hostname>>,
    pub disable_default: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Time {
    pub servers: Option<Vec<Host>>,
    pub disabled: Option<bool>,
    pub boot_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KernelModule {
    pub parameters: Vec<KernelArgument>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MachineFile {
    pub content: Option<String>,
    pub file: Option<RelativePath>,
    #[serde(default)]
    pub op: FileOperation,
    pub permissions: Option<FileMode>,
    #[serde(default)]
    pub values: Vec<ValueName>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FileOperation {
    /// There must be none.
    #[default]
    Create,
    Overwrite,
    Append,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registries {
    pub mirrors: Ordered<Registry, Mirror>,
    pub auth: Ordered<Registry, RegistryAuth>,
    pub tls: Ordered<Registry, RegistryTls>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Mirror {
    pub endpoints: Vec<Url>,
    pub override_path: Option<bool>,
    pub skip_fallback: Option<bool>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tailscale {
    pub auth_key: Option<SecretName>,
    pub hostname: Option<DnsLabel>,
    /// Absent is not the same as an empty list.
    pub routes: Option<Vec<Route>>,
    #[serde(rename = "acceptDNS")]
    pub accept_dns: Option<bool>,
    pub auth_once: Option<bool>,
    pub extra_args: Option<Vec<Argument>>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ExtensionService {
    pub environment: Ordered<EnvironmentVariable, String>,
    pub config_files: Ordered<AbsolutePath, ConfigFile>,
    pub secrets: Vec<SecretName>,
    pub values: Vec<ValueName>,
}

/// A file of an extension service; `content` and `file` are mutually exclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    pub content: Option<String>,
    pub file: Option<RelativePath>,
}

/// A base config that the repository keeps.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BaseFile {
    pub file: RelativePath,
}

/// A raw patch; `inline`, `text` and `file` are mutually exclusive.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    pub inline: Option<serde_json::Map<String, Value>>,
    pub text: Option<String>,
    pub file: Option<RelativePath>,
    #[serde(default)]
    pub secrets: Vec<SecretName>,
    #[serde(default)]
    pub values: Vec<ValueName>,
}
