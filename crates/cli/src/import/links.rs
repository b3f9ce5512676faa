//! Network documents, each of which configures a link, a virtual IP address or a static host.

use serde_json::{Map, Value, json};

use super::facts::Mapper;
use super::value::{at, only, scalar_string};

/// Maps a document that configures a link; returns false if it has a field without a key in `links`.
pub(super) fn link(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let keys = match value["kind"].as_str() {
        Some("LinkConfig") => physical(value),
        Some("BondConfig") => bond(value),
        Some("VLANConfig") => vlan(value),
        Some("BridgeConfig") => bridge(value),
        Some("LinkAliasConfig") => alias(value),
        Some("DHCPv4Config") => dhcp_client(value, "dhcp4"),
        Some("DHCPv6Config") => dhcp_client(value, "dhcp6"),
        Some("EthernetConfig") => ethernet(value),
        _ => None,
    };
    let (Some(keys), Some(name)) = (keys, value["name"].as_str()) else { return false };
    mapper.set_at(&["links", name], Value::Object(keys));
    mapper.add_artifact("links");
    true
}

/// The fields that the documents of every kind of link can have.
const COMMON: [&str; 6] = ["apiVersion", "kind", "name", "mtu", "addresses", "routes"];

/// Returns the keys in `links` for the common fields; none if the document has a field that is neither common nor one of `others`.
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
            let destination = fields.get("destination").map_or(Some(default.to_owned()), scalar_string)?;
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
    let exact = |field: &str| {
        let literal = expression.strip_prefix(field)?.strip_prefix(" == ")?;
        let text = literal.trim_matches(['"', '\'']);
        (text.len() + 2 == literal.len() && !text.contains(['"', '\'', '*', '\\'])).then_some(text)
    };
    let keys = [("mac", "mac(link.permanent_addr)"), ("driver", "link.driver"), ("busPath", "link.bus_path")];
    let (key, text) =
        keys.into_iter().find_map(|(key, field)| Some((key, exact(field)?))).unwrap_or(("selector", expression));
    Some(Map::from_iter([(key.to_owned(), text.into())]))
}

fn dhcp_client(value: &Value, key: &str) -> Option<Map<String, Value>> {
    let fields = only(value, &["apiVersion", "kind", "name", "routeMetric", "ignoreHostname", "ignoreRoutes"])?;
    Some(Map::from_iter([(key.to_owned(), without_identity(fields).into())]))
}

fn ethernet(value: &Value) -> Option<Map<String, Value>> {
    let fields = only(value, &["apiVersion", "kind", "name", "features", "rings", "channels", "wakeOnLan"])?;
    Some(Map::from_iter([("ethernet".to_owned(), without_identity(fields).into())]))
}

/// Returns the fields of a document without those that identify it.
fn without_identity(fields: &Map<String, Value>) -> Map<String, Value> {
    let others = fields.iter().filter(|(key, _)| !matches!(key.as_str(), "apiVersion" | "kind" | "name"));
    others.map(|(key, value)| (key.clone(), value.clone())).collect()
}

/// Maps a document Layer2VIPConfig or HCloudVIPConfig.
pub(super) fn vip(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "link", "apiToken"]).is_some();
    let (Some(address), Some(link)) = (value["name"].as_str(), value["link"].as_str()) else { return false };
    if !is_known {
        return false;
    }
    let mut vip = json!({ "link": link });
    if let Some(token) = value["apiToken"].as_str() {
        vip["hcloudToken"] = mapper.secret(token, "hcloud-token").into();
    }
    mapper.set_at(&["vips", address], vip);
    mapper.add_artifact("vips");
    true
}

/// Maps a document StaticHostConfig.
pub(super) fn static_host(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "hostnames"]).is_some();
    let Some(address) = value["name"].as_str().filter(|_| is_known) else { return false };
    mapper.set_at(&["staticHosts", address], value["hostnames"].clone());
    mapper.add_artifact("staticHosts");
    true
}
