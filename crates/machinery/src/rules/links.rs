//! Network links.

use super::{Rules, expression, format};
use crate::cel::Environment;
use crate::config::Document;
use crate::value::Value;

/// A link that has nothing but what all have.
pub(crate) fn plain(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    common(rules, document, &document.value);
}

/// Several links as one.
pub(crate) fn bond(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    plain(rules, document);
    if document.value.items("links").is_empty() {
        rules.refuse(document, "links", format!("{} has no links", document.title()), "add `links`");
    }
    rules.require(document, "bondMode");
}

/// A VLAN.
pub(crate) fn vlan(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    plain(rules, document);
    if !document.value.number("vlanID").is_some_and(|id| (1..=4094).contains(&id)) {
        let message = format!("{} has no `vlanID` from 1 to 4094", document.title());
        rules.refuse(document, "vlanID", message, "add `vlanID`");
    }
    rules.require(document, "parent");
}

/// A routing table of its own.
pub(crate) fn vrf(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    plain(rules, document);
    let table = document.value.word("table");
    // Linux reserves 253 to 255.
    if matches!(table.as_str(), "" | "0" | "253" | "254" | "255" | "unspec" | "default" | "main" | "local") {
        let message = format!("{} has no routing table of its own", document.title());
        rules.refuse(document, "table", message, "write a number other than 0 and 253 to 255");
    }
}

/// Two links that are joined.
pub(crate) fn veth(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let peer = document.value.text("peer.name");
    link_name(rules, document, "name", document.name);
    link_name(rules, document, "peer.name", peer);
    if !peer.is_empty() && document.name == peer {
        rules.refuse(document, "peer.name", "a VethConfig and its peer have one name", "give the peer another name");
    }
    common(rules, document, &document.value);
    if let Some(peer) = document.value.at("peer") {
        common(rules, document, peer);
    }
}

fn link_name(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str, name: &str) {
    let wrong = match name {
        "" => "is missing",
        "." | ".." => "is no name",
        _ if name.len() > 15 => "is longer than 15 bytes",
        _ if name.contains(['/', ':']) => "has a `/` or a `:`",
        _ if name.chars().any(|each| each.is_whitespace() || each.is_control()) => "has a blank",
        _ => return,
    };
    rules.refuse(
        document,
        path,
        format!("`{path}` of a VethConfig {wrong}"),
        "write a name of 1 to 15 letters and digits",
    );
}

/// WireGuard.
pub(crate) fn wireguard(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    plain(rules, document);
    let value = &document.value;
    rules.require(document, "privateKey");
    key(rules, document, &document.value, "privateKey");
    if value.number("listenPort").is_some_and(|port| !(0..=65535).contains(&port)) {
        rules.refuse(document, "listenPort", "`listenPort` is not between 0 and 65535", "write a port");
    }
    for peer in value.items("peers") {
        if peer.text("publicKey").is_empty() {
            rules.refuse_value(document, peer, "a peer of WireGuard has no `publicKey`", "add `publicKey`");
        }
        key(rules, document, peer, "publicKey");
        key(rules, document, peer, "presharedKey");
        if format::duration(peer.text("persistentKeepaliveInterval")).is_some_and(|seconds| seconds < 0.0) {
            let message = "`persistentKeepaliveInterval` is negative";
            rules.refuse_value(document, peer, message, "write a time of zero or more");
        }
    }
}

/// Judges a key of WireGuard without showing it. A placeholder stands for a key that is filled in later.
fn key(rules: &mut Rules<'_, '_>, document: &Document<'_>, value: &Value<'_>, field: &str) {
    let key = value.text(field);
    if !key.is_empty() && !key.contains("${") && format::base64(key) != Some(32) {
        let at = value.get(field).unwrap_or(value);
        let message = format!("`{field}` is no key of WireGuard");
        rules.refuse_value(document, at, message, "write 32 bytes in Base64, as `wg genkey` prints them");
    }
}

/// Another name for links.
pub(crate) fn alias(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    if rules.config.since(13)
        && let Some((front, verb)) = document.name.split_once('%')
        && (verb != "d" || front.is_empty())
    {
        let message = format!("the alias `{}` has a `%` that is not `%d` at its end", document.name);
        rules.refuse(document, "name", message, "write it as `net%d`");
    }
    rules.require(document, "selector.match");
    expression(rules, document, "selector.match", Environment::LinkAlias);
}

/// Addresses and routes.
fn common(rules: &mut Rules<'_, '_>, document: &Document<'_>, value: &Value<'_>) {
    for item in value.items("addresses") {
        let address = item.text("address");
        if address.is_empty() {
            rules.refuse_value(document, item, "an address of a link is missing", "add `address`");
        } else if is_unspecified(address) {
            rules.refuse_value(document, item, format!("a link cannot have the address {address}"), "write an address");
        }
    }
    for item in value.items("routes") {
        for field in ["destination", "gateway", "source"] {
            if is_unspecified(item.text(field)) {
                let message = format!("the `{field}` of a route is {}", item.text(field));
                let help =
                    if field == "destination" { "leave it out for the default route" } else { "write an address" };
                rules.refuse_value(document, item.get(field).unwrap_or(item), message, help);
            }
        }
    }
}

fn is_unspecified(text: &str) -> bool {
    let address = text.split('/').next().unwrap_or_default();
    format::address(address).is_some_and(|address| address.is_unspecified())
}
