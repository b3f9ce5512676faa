//! Converts `networkInterfaces` of talhelper to the documents that talhelper writes for Talos 1.12 and newer.

use serde_json::{Map, Value, json};

use super::value::only;

/// Returns the documents for the interfaces of a node, and the interfaces that no document can configure.
pub(super) fn documents(interfaces: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let (mut converted, mut others) = (InterfaceDocuments::default(), Vec::new());
    for interface in interfaces {
        let count = converted.documents.len();
        if converted.interface(interface).is_none() {
            converted.documents.truncate(count);
            others.push(interface.clone());
        }
    }
    (converted.documents, others)
}

#[derive(Default)]
struct InterfaceDocuments {
    documents: Vec<Value>,
    /// How many interfaces have a selector instead of a name.
    aliases: usize,
}

/// The keys of an interface that documents can have.
const KNOWN: [&str; 11] = [
    "interface",
    "deviceSelector",
    "addresses",
    "routes",
    "mtu",
    "dhcp",
    "dhcpOptions",
    "vip",
    "vlans",
    "bond",
    "bridge",
];

impl InterfaceDocuments {
    /// Adds the documents for an interface; returns none if it has a key that they cannot have.
    fn interface(&mut self, interface: &Value) -> Option<()> {
        only(interface, &KNOWN)?;
        let name = match interface["interface"].as_str() {
            Some(name) => name.to_owned(),
            None => {
                self.aliases += 1;
                format!("ethSel{}", self.aliases - 1)
            }
        };
        if let Some(selector) = interface.get("deviceSelector") {
            self.add("LinkAliasConfig", &name, json!({ "selector": { "match": expression(selector)? } }));
        }
        let mut link = common(interface);
        match (interface.get("bond"), interface.get("bridge")) {
            (Some(bond), _) => {
                link.extend(bond_keys(bond)?);
                self.add("BondConfig", &name, link.into());
            }
            (None, Some(bridge)) => {
                link.insert("links".to_owned(), bridge["interfaces"].clone());
                link.extend(bridge.get("stp").map(|stp| ("stp".to_owned(), stp.clone())));
                self.add("BridgeConfig", &name, link.into());
            }
            (None, None) => self.add("LinkConfig", &name, link.into()),
        }
        self.add_clients(&name, interface);
        for vlan in interface["vlans"].as_array().into_iter().flatten() {
            only(vlan, &["vlanId", "addresses", "routes", "mtu", "dhcp", "dhcpOptions", "vip"])?;
            let id = &vlan["vlanId"];
            let inner = format!("{name}.{id}");
            let mut link =
                Map::from_iter([("vlanID".to_owned(), id.clone()), ("parent".to_owned(), name.as_str().into())]);
            link.extend(common(vlan));
            self.add("VLANConfig", &inner, link.into());
            self.add_clients(&inner, vlan);
        }
        Some(())
    }

    /// Adds the documents for the DHCP clients and the virtual IP address of a link.
    fn add_clients(&mut self, name: &str, link: &Value) {
        if link["dhcp"] == true {
            let options = &link["dhcpOptions"];
            let metric = options.get("routeMetric").filter(|metric| **metric != json!(0));
            let keys: Map<_, _> = metric.map(|metric| ("routeMetric".to_owned(), metric.clone())).into_iter().collect();
            if options["ipv4"] != false {
                self.add("DHCPv4Config", name, keys.clone().into());
            }
            if options["ipv6"] == true {
                self.add("DHCPv6Config", name, keys.into());
            }
        }
        if let Some(address) = link["vip"]["ip"].as_str() {
            self.add("Layer2VIPConfig", address, json!({ "link": name }));
        }
    }

    fn add(&mut self, kind: &str, name: &str, keys: Value) {
        let mut document = Map::from_iter([
            ("apiVersion".to_owned(), "v1alpha1".into()),
            ("kind".to_owned(), kind.into()),
            ("name".to_owned(), name.into()),
        ]);
        document.extend(keys.as_object().cloned().unwrap_or_default());
        self.documents.push(document.into());
    }
}

/// Returns the fields of a bond; none if it has a key that BondConfig cannot have.
fn bond_keys(bond: &Value) -> Option<Map<String, Value>> {
    let own = [
        "interfaces",
        "mode",
        "lacpRate",
        "xmitHashPolicy",
        "miimon",
        "updelay",
        "downdelay",
        "adActorSysPrio",
        "arpInterval",
        "minLinks",
        "useCarrier",
        "failOverMac",
        "primaryReselect",
    ];
    let renamed = |key: &String| match key.as_str() {
        "interfaces" => "links".to_owned(),
        "mode" => "bondMode".to_owned(),
        key => key.to_owned(),
    };
    Some(only(bond, &own)?.iter().map(|(key, value)| (renamed(key), value.clone())).collect())
}

/// Returns the fields that the documents of every kind of link have.
fn common(link: &Value) -> Map<String, Value> {
    let mut keys = Map::new();
    keys.extend(link.get("mtu").filter(|mtu| **mtu != json!(0)).map(|mtu| ("mtu".to_owned(), mtu.clone())));
    let addresses: Vec<Value> =
        link["addresses"].as_array().into_iter().flatten().map(|address| json!({ "address": address })).collect();
    if !addresses.is_empty() {
        keys.insert("addresses".to_owned(), addresses.into());
    }
    let routes: Vec<Value> = link["routes"].as_array().into_iter().flatten().map(route).collect();
    if !routes.is_empty() {
        keys.insert("routes".to_owned(), routes.into());
    }
    keys
}

fn route(route: &Value) -> Value {
    let mut keys = route.as_object().cloned().unwrap_or_default();
    // A default route has no destination in a document.
    let network = keys.shift_remove("network");
    let network = network.filter(|network| !matches!(network.as_str(), Some("0.0.0.0/0" | "::/0" | "")));
    keys.extend(network.map(|network| ("destination".to_owned(), network)));
    keys.into()
}

/// Returns the expression that selects the same link; none if the selector has an unknown key.
fn expression(selector: &Value) -> Option<String> {
    let terms = selector.as_object()?.iter().map(|(key, value)| {
        let text = value.as_str();
        Some(match (key.as_str(), text) {
            ("hardwareAddr", Some(text)) => format!(r#"glob("{text}", mac(link.hardware_addr))"#),
            ("permanentAddr", Some(text)) => format!(r#"glob("{text}", mac(link.permanent_addr))"#),
            ("busPath", Some(text)) => format!(r#"glob("{text}", link.bus_path)"#),
            ("driver", Some(text)) => format!(r#"glob("{text}", link.driver)"#),
            ("pciID", Some(text)) => format!(r#"glob("{text}", link.pciid)"#),
            ("physical", None) => format!("link.type {} 1", if *value == true { "==" } else { "!=" }),
            _ => return None,
        })
    });
    terms.collect::<Option<Vec<_>>>().map(|terms| terms.join(" && "))
}
