//! Documents about the network: each says something about a link.

use serde_json::{Map, Value, json};

use super::facts::Taking;
use super::value::{at, only, text};

/// A document about a link; false if it has something that `links` has no key for.
pub(super) fn link(taking: &mut Taking<'_>, value: &Value) -> bool {
    let keys = match value["kind"].as_str() {
        Some("LinkConfig") => physical(value),
        Some("BondConfig") => bond(value),
        Some("VLANConfig") => vlan(value),
        Some("BridgeConfig") => bridge(value),
        Some("LinkAliasConfig") => alias(value),
        Some("DHCPv4Config") => client(value, "dhcp4"),
        Some("DHCPv6Config") => client(value, "dhcp6"),
        Some("EthernetConfig") => ethernet(value),
        _ => None,
    };
    let (Some(keys), Some(name)) = (keys, value["name"].as_str()) else { return false };
    taking.set_at(&["links", name], Value::Object(keys));
    taking.artifact("links");
    true
}

const COMMON: [&str; 6] = ["apiVersion", "kind", "name", "mtu", "addresses", "routes"];

/// The keys that every kind of link has.
fn common(value: &Value, others: &[&str]) -> Option<Map<String, Value>> {
    let fields = only(value, &[&COMMON, others].concat())?;
    let mut keys = Map::new();
    keys.extend(fields.get("mtu").map(|mtu| ("mtu".to_owned(), mtu.clone())));
    if let Some(addresses) = fields.get("addresses") {
        let list = addresses.as_array()?.iter().map(|item| Some(only(item, &["address"])?.get("address")?.clone()));
        keys.insert("addresses".to_owned(), list.collect::<Option<Vec<_>>>()?.into());
    }
    if let Some(routes) = fields.get("routes") {
        let mut by_destination = Map::new();
        for route in routes.as_array()? {
            let fields = only(route, &["destination", "gateway", "metric"])?;
            let gateway = fields.get("gateway").and_then(Value::as_str);
            let default = if gateway.is_some_and(|gateway| gateway.contains(':')) { "::/0" } else { "0.0.0.0/0" };
            let destination = fields.get("destination").map_or(Some(default.to_owned()), text)?;
            let inner = fields.iter().filter(|(key, _)| *key != "destination");
            let inner: Map<_, _> = inner.map(|(key, value)| (key.clone(), value.clone())).collect();
            if by_destination.insert(destination, inner.into()).is_some() {
                return None;
            }
        }
        keys.insert("routes".to_owned(), by_destination.into());
    }
    Some(keys)
}

fn physical(value: &Value) -> Option<Map<String, Value>> {
    common(value, &[])
}

fn bond(value: &Value) -> Option<Map<String, Value>> {
    let fields = value.as_object()?;
    let own = |key: &&str| !COMMON.contains(key);
    let others: Vec<&str> = fields.keys().map(String::as_str).filter(own).collect();
    let mut keys = common(value, &others)?;
    let renamed = |key: &str| if key == "bondMode" { "mode".to_owned() } else { key.to_owned() };
    let bond: Map<_, _> = others.iter().map(|key| (renamed(key), value[*key].clone())).collect();
    keys.insert("bond".to_owned(), bond.into());
    Some(keys)
}

fn vlan(value: &Value) -> Option<Map<String, Value>> {
    let mut keys = common(value, &["vlanID", "parent"])?;
    keys.insert("vlan".to_owned(), json!({ "id": value["vlanID"], "parent": value["parent"] }));
    Some(keys)
}

fn bridge(value: &Value) -> Option<Map<String, Value>> {
    let mut keys = common(value, &["links", "stp"])?;
    let mut bridge = json!({ "links": value["links"] });
    if let Some(stp) = value.get("stp") {
        only(stp, &["enabled"])?;
        bridge["stp"] = stp["enabled"].clone();
    }
    keys.insert("bridge".to_owned(), bridge);
    Some(keys)
}

fn alias(value: &Value) -> Option<Map<String, Value>> {
    only(value, &["apiVersion", "kind", "name", "selector"])?;
    only(&value["selector"], &["match"])?;
    let expression = at(value, "selector.match")?.as_str()?;
    let mac = expression.strip_prefix("mac(link.permanent_addr) == ").map(|mac| mac.trim_matches(['"', '\'']));
    let is_mac = |mac: &str| mac.len() == 17 && mac.chars().all(|c| c.is_ascii_hexdigit() || c == ':');
    Some(match mac.filter(|mac| is_mac(mac)) {
        Some(mac) => Map::from_iter([("mac".to_owned(), mac.into())]),
        None => Map::from_iter([("selector".to_owned(), expression.into())]),
    })
}

fn client(value: &Value, key: &str) -> Option<Map<String, Value>> {
    let fields = only(value, &["apiVersion", "kind", "name", "routeMetric", "ignoreHostname", "ignoreRoutes"])?;
    let inner = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "name"));
    let inner: Map<_, _> = inner.map(|(key, value)| (key.clone(), value.clone())).collect();
    Some(Map::from_iter([(key.to_owned(), inner.into())]))
}

fn ethernet(value: &Value) -> Option<Map<String, Value>> {
    let fields = only(value, &["apiVersion", "kind", "name", "features", "rings", "channels", "wakeOnLan"])?;
    let inner = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "name"));
    let inner: Map<_, _> = inner.map(|(key, value)| (key.clone(), value.clone())).collect();
    Some(Map::from_iter([("ethernet".to_owned(), inner.into())]))
}

/// A document Layer2VIPConfig or HCloudVIPConfig.
pub(super) fn vip(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "link", "apiToken"]).is_some();
    let (Some(address), Some(link)) = (value["name"].as_str(), value["link"].as_str()) else { return false };
    if !is_known {
        return false;
    }
    let mut vip = json!({ "link": link });
    if let Some(token) = value["apiToken"].as_str() {
        vip["hcloudToken"] = taking.secret(token, "hcloud-token").into();
    }
    taking.set_at(&["vips", address], vip);
    taking.artifact("vips");
    true
}

/// A document StaticHostConfig.
pub(super) fn static_host(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "hostnames"]).is_some();
    let Some(address) = value["name"].as_str().filter(|_| is_known) else { return false };
    taking.set_at(&["staticHosts", address], value["hostnames"].clone());
    taking.artifact("staticHosts");
    true
}
