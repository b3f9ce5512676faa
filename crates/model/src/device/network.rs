//! Links of the node's network, addresses that nodes share, and names that the node knows.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::ordered::Ordered;
use crate::scalar::{Address, Cel, Cidr, LinkAddress, LinkName, MacAddress, SecretName};

/// A link; at most one of `bond`, `vlan` and `bridge`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Link {
    pub mac: Option<MacAddress>,
    pub driver: Option<String>,
    pub bus_path: Option<String>,
    pub selector: Option<Cel>,
    pub mtu: Option<u32>,
    pub addresses: Vec<LinkAddress>,
    pub routes: Ordered<Cidr, LinkRoute>,
    pub dhcp4: Option<Dhcp>,
    pub dhcp6: Option<Dhcp>,
    pub bond: Option<Bond>,
    pub vlan: Option<Vlan>,
    pub bridge: Option<Bridge>,
    /// Rings, features and the like, in Talos's own terms.
    pub ethernet: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkRoute {
    pub gateway: Option<Address>,
    pub metric: Option<u32>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(default, rename_all(deserialize = "camelCase"), deny_unknown_fields)]
pub struct Dhcp {
    pub route_metric: Option<u32>,
    pub ignore_hostname: Option<bool>,
    pub ignore_routes: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Bond {
    pub mode: String,
    pub links: Vec<LinkName>,
    /// The other settings, in Talos's own terms; the schema lists them.
    #[serde(flatten)]
    pub options: Map<String, Value>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Vlan {
    pub id: u16,
    pub parent: LinkName,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bridge {
    pub links: Vec<LinkName>,
    pub stp: Option<bool>,
}

/// An address that control planes share.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Vip {
    pub link: LinkName,
    /// The secret with the token of Hetzner Cloud's API, which moves the address.
    pub hcloud_token: Option<SecretName>,
}
