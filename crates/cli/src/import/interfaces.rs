//! Converts interfaces in the form of `machine.network.interfaces` to the documents that configure the same links.

use serde_json::{Map, Value, json};

use super::value::only;

/// How a link gets a name that is selected by its properties.
pub(crate) trait LinkNames {
    /// Returns the name of the link, and the expression that selects it.
    fn alias(&mut self, selector: &Value) -> Result<(String, String), String>;
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

/// Returns the documents for an interface, or the reason why documents cannot configure it.
pub(super) fn documents(interface: &Value, aliases: &mut dyn LinkNames) -> Result<Vec<Value>, String> {
    let mut converted = InterfaceDocuments { documents: Vec::new(), aliases };
    converted.add_interface(interface)?;
    Ok(converted.documents)
}

struct InterfaceDocuments<'a> {
    documents: Vec<Value>,
    aliases: &'a mut dyn LinkNames,
}

/// Checks that a mapping has no other keys than these.
fn check_keys<'v>(value: &'v Value, what: &str, known: &[&str]) -> Result<&'v Map<String, Value>, String> {
    let fields = value.as_object().ok_or_else(|| format!("{what} is no mapping"))?;
    match fields.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("no key in `links` has the `{key}` of {what}")),
        None => Ok(fields),
    }
}

impl InterfaceDocuments<'_> {
    fn add_interface(&mut self, interface: &Value) -> Result<(), String> {
        let name = match interface["interface"].as_str() {
            Some(name) => name.to_owned(),
            None => self.add_alias(&interface["deviceSelector"])?,
        };
        let what = format!("interface `{name}`");
        check_keys(interface, &what, &KNOWN)?;
        let mut link = common(interface, &what)?;
        match (interface.get("bond"), interface.get("bridge")) {
            (Some(bond), _) => {
                link.extend(self.bond_keys(bond, &what)?);
                self.add("BondConfig", &name, link.into());
            }
            (None, Some(bridge)) => {
                check_keys(bridge, &format!("the bridge `{name}`"), &["interfaces", "stp"])?;
                link.insert("links".to_owned(), bridge["interfaces"].clone());
                link.extend(bridge.get("stp").map(|stp| ("stp".to_owned(), stp.clone())));
                self.add("BridgeConfig", &name, link.into());
            }
            (None, None) => self.add("LinkConfig", &name, link.into()),
        }
        self.add_clients(&name, interface, &what)?;
        for vlan in interface["vlans"].as_array().into_iter().flatten() {
            let id = &vlan["vlanId"];
            let inner = format!("{name}.{id}");
            let what = format!("VLAN `{inner}`");
            check_keys(vlan, &what, &["vlanId", "addresses", "routes", "mtu", "dhcp", "dhcpOptions", "vip"])?;
            let mut link =
                Map::from_iter([("vlanID".to_owned(), id.clone()), ("parent".to_owned(), name.as_str().into())]);
            link.extend(common(vlan, &what)?);
            self.add("VLANConfig", &inner, link.into());
            self.add_clients(&inner, vlan, &what)?;
        }
        Ok(())
    }

    /// Adds a document that names a selected link, and returns the name.
    fn add_alias(&mut self, selector: &Value) -> Result<String, String> {
        let (name, expression) = self.aliases.alias(selector)?;
        self.add("LinkAliasConfig", &name, json!({ "selector": { "match": expression } }));
        Ok(name)
    }

    /// Adds the documents for the DHCP clients and the virtual IP address of a link.
    fn add_clients(&mut self, name: &str, link: &Value, what: &str) -> Result<(), String> {
        if link["dhcp"] == true {
            let options = &link["dhcpOptions"];
            if !options.is_null() {
                check_keys(options, &format!("`dhcpOptions` of {what}"), &["routeMetric", "ipv4", "ipv6"])?;
            }
            let metric = options.get("routeMetric").filter(|metric| **metric != json!(0));
            let keys: Map<_, _> = metric.map(|metric| ("routeMetric".to_owned(), metric.clone())).into_iter().collect();
            if options["ipv4"] != false {
                self.add("DHCPv4Config", name, keys.clone().into());
            }
            if options["ipv6"] == true {
                self.add("DHCPv6Config", name, keys.into());
            }
        }
        let vip = &link["vip"];
        if let Some(address) = vip["ip"].as_str() {
            check_keys(vip, &format!("`vip` of {what}"), &["ip", "hcloud"])?;
            match vip["hcloud"]["apiToken"].as_str() {
                Some(token) => self.add("HCloudVIPConfig", address, json!({ "link": name, "apiToken": token })),
                None => self.add("Layer2VIPConfig", address, json!({ "link": name })),
            }
        }
        Ok(())
    }

    /// Returns the fields of a bond.
    fn bond_keys(&mut self, bond: &Value, what: &str) -> Result<Map<String, Value>, String> {
        let own = [
            "interfaces",
            "deviceSelectors",
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
        let fields = check_keys(bond, &format!("the bond of {what}"), &own)?;
        let mut keys = Map::new();
        for (key, value) in fields {
            let key = match key.as_str() {
                "interfaces" | "deviceSelectors" => "links",
                "mode" => "bondMode",
                key => key,
            };
            keys.insert(key.to_owned(), value.clone());
        }
        if let Some(selectors) = bond["deviceSelectors"].as_array() {
            let names: Result<Vec<String>, String> =
                selectors.iter().map(|selector| self.add_alias(selector)).collect();
            keys.insert("links".to_owned(), names?.into());
        }
        Ok(keys)
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

/// Returns the fields that the documents of every kind of link have.
fn common(link: &Value, what: &str) -> Result<Map<String, Value>, String> {
    let mut keys = Map::new();
    keys.extend(link.get("mtu").filter(|mtu| **mtu != json!(0)).map(|mtu| ("mtu".to_owned(), mtu.clone())));
    let addresses = link["addresses"].as_array().into_iter().flatten();
    let addresses: Vec<Value> = addresses.map(|address| json!({ "address": with_prefix(address) })).collect();
    if !addresses.is_empty() {
        keys.insert("addresses".to_owned(), addresses.into());
    }
    let routes = link["routes"].as_array().into_iter().flatten().map(|value| route(value, what));
    let routes = routes.collect::<Result<Vec<Value>, String>>()?;
    if !routes.is_empty() {
        keys.insert("routes".to_owned(), routes.into());
    }
    Ok(keys)
}

/// Returns an address with the length of its network: an address alone is a network of its own.
fn with_prefix(address: &Value) -> Value {
    match address.as_str().filter(|text| !text.contains(['/', '$'])) {
        Some(text) => format!("{text}/{}", if text.contains(':') { 128 } else { 32 }).into(),
        None => address.clone(),
    }
}

fn route(route: &Value, what: &str) -> Result<Value, String> {
    let mut keys = check_keys(route, &format!("a route of {what}"), &["network", "gateway", "metric"])?.clone();
    // A default route has no destination in a document.
    let network = keys.shift_remove("network");
    let network = network.filter(|network| !matches!(network.as_str(), Some("0.0.0.0/0" | "::/0" | "")));
    keys.extend(network.map(|network| ("destination".to_owned(), network)));
    keys.retain(|key, value| key != "metric" || *value != json!(0));
    Ok(keys.into())
}

/// The names that talhelper generates for links with a selector.
#[derive(Default)]
pub(super) struct TalhelperNames(usize);

impl LinkNames for TalhelperNames {
    fn alias(&mut self, selector: &Value) -> Result<(String, String), String> {
        let expression = expression(selector).ok_or("no expression selects the same link as its `deviceSelector`")?;
        self.0 += 1;
        Ok((format!("ethSel{}", self.0 - 1), expression))
    }
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

/// The names of the links that interfaces select by their addresses or places, by the expressions that select them.
#[derive(Debug, Clone, Default)]
pub(crate) struct SelectedLinks(Vec<(String, String)>);

impl LinkNames for SelectedLinks {
    /// A selector that can match several links is refused: an alias is the name of one link.
    fn alias(&mut self, selector: &Value) -> Result<(String, String), String> {
        let known = ["hardwareAddr", "permanentAddr", "busPath", "physical"];
        let refused = "a `deviceSelector` without one exact `hardwareAddr`, `permanentAddr` or `busPath` can match several links, and an alias only one";
        let fields = only(selector, &known).ok_or(refused)?;
        let exact = |key: &str| fields.get(key)?.as_str().filter(|text| !text.contains(['*', '?', '[', '$']));
        let address = exact("permanentAddr").or_else(|| exact("hardwareAddr"));
        let terms = [
            // Members of a bond have its address, so that only the permanent one selects them.
            address.map(|address| format!("mac(link.permanent_addr) == \"{}\"", address.to_ascii_lowercase())),
            exact("busPath").map(|path| format!("link.bus_path == \"{path}\"")),
        ];
        let terms: Vec<String> = terms.into_iter().flatten().collect();
        if terms.is_empty() || selector["physical"] == false {
            return Err(refused.to_owned());
        }
        let expression = terms.join(" && ");
        if let Some((name, _)) = self.0.iter().find(|(_, known)| *known == expression) {
            return Ok((name.clone(), expression));
        }
        let name = format!("net{}", self.0.len());
        self.0.push((name.clone(), expression.clone()));
        Ok((name, expression))
    }
}
