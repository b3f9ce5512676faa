//! The Kubernetes components of control planes, and what Talos runs on each node beside Kubernetes.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::ordered::Ordered;
use crate::scalar::{ArgumentName, DnsLabel, Name, Url};

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct ControllerManager {
    pub extra_args: Ordered<ArgumentName, String>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Scheduler {
    pub extra_args: Ordered<ArgumentName, String>,
    #[serde(deserialize_with = "without_nulls")]
    pub config: Map<String, Value>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cni {
    pub name: Option<CniName>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CniName {
    None,
    Flannel,
}

/// Something that is on or off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Switch {
    pub enabled: Option<bool>,
}

/// An admission plugin: off, or with a configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdmissionPlugin {
    pub enabled: Option<bool>,
    #[serde(deserialize_with = "optional_without_nulls")]
    pub configuration: Option<Map<String, Value>>,
}

/// Reads a mapping in the terms of a component, at any depth without the keys that are null: null is a key that is not there.
pub(super) fn without_nulls<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Map<String, Value>, D::Error> {
    optional_without_nulls(deserializer).map(Option::unwrap_or_default)
}

pub(super) fn optional_without_nulls<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Map<String, Value>>, D::Error> {
    fn prune(value: &mut Value) {
        match value {
            Value::Object(fields) => prune_fields(fields),
            Value::Array(items) => items.iter_mut().for_each(prune),
            _ => {}
        }
    }
    fn prune_fields(fields: &mut Map<String, Value>) {
        fields.retain(|_, value| !value.is_null());
        fields.values_mut().for_each(prune);
    }
    let mut fields = Option::<Map<String, Value>>::deserialize(deserializer)?;
    fields.iter_mut().for_each(prune_fields);
    Ok(fields)
}

pub(crate) type AdmissionControl = Ordered<Name, AdmissionPlugin>;

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct TalosApiAccess {
    pub allowed_roles: Vec<TalosRole>,
    pub allowed_kubernetes_namespaces: Vec<DnsLabel>,
}

/// A role of the Talos API. Source: github.com/siderolabs/talos, pkg/machinery/role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
pub enum TalosRole {
    #[serde(rename = "os:admin")]
    Admin,
    #[serde(rename = "os:operator")]
    Operator,
    #[serde(rename = "os:reader")]
    Reader,
    #[serde(rename = "os:etcd:backup")]
    EtcdBackup,
    #[serde(rename = "os:impersonator")]
    Impersonator,
    /// Since Talos 1.13.
    #[serde(rename = "os:image:verifier")]
    ImageVerifier,
    /// Since Talos 1.13.
    #[serde(rename = "os:meta:writer")]
    MetaWriter,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct HostDns {
    pub enabled: Option<bool>,
    #[serde(rename = "forwardKubeDNSToHost")]
    pub forward_kube_dns_to_host: Option<bool>,
    pub resolve_member_names: Option<bool>,
}

/// `enabled: false` and `endpoint` are mutually exclusive.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Discovery {
    pub enabled: Option<bool>,
    pub endpoint: Option<Url>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KubePrism {
    pub enabled: Option<bool>,
    pub port: Option<u16>,
}
