//! What a node is given besides its system: access to registries, manifests, logs, mounts, and rules for its devices.

use serde::Deserialize;

use crate::ordered::Ordered;
use crate::scalar::{AbsolutePath, DevicePath, Duration, LogUrl, RelativePath, SecretName, Url, ValueName};

/// Credentials of a registry: exactly one of `password`, `auth` and `identityToken`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistryAuth {
    pub username: Option<String>,
    pub password: Option<SecretName>,
    pub auth: Option<SecretName>,
    pub identity_token: Option<SecretName>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct RegistryTls {
    pub ca: Option<RelativePath>,
    pub insecure_skip_verify: Option<bool>,
}

/// Kubernetes objects that Talos creates; `url`, `file` and `content` are mutually exclusive.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Manifest {
    pub url: Option<Url>,
    pub file: Option<RelativePath>,
    pub content: Option<String>,
    pub values: Vec<ValueName>,
}

/// A mount of the kubelet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExtraMount {
    pub source: Option<AbsolutePath>,
    pub options: Option<Vec<String>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Watchdog {
    pub device: Option<DevicePath>,
    pub timeout: Option<Duration>,
}

/// A receiver of logs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Log {
    pub url: LogUrl,
    #[serde(default)]
    pub source: LogSource,
    #[serde(default)]
    pub extra_tags: Ordered<String, String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogSource {
    #[default]
    Services,
    Kernel,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Scrub {
    pub interval: Option<Duration>,
}
