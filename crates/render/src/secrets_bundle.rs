//! The secrets of a cluster, as `talosctl gen secrets` writes them.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretString};
use talosmith_document::{Document, Node, NodeValue, Sources};
use zeroize::Zeroizing;

/// What follows the name of a value of the bundle where a config has the text that the value encodes.
const DECODED: &str = "_pem";

/// The values of a secrets bundle by the keys that lead to them, joined by underscores: `certs_os_crt`.
#[derive(Debug)]
pub struct SecretsBundle(BTreeMap<String, SecretString>);

impl SecretsBundle {
    /// Reads the file; none if it is no YAML mapping.
    pub fn read(text: &SecretString) -> Option<Self> {
        let document = Document::parse(Sources::default().add("", ""), text.expose_secret()).ok()?;
        let mut values = BTreeMap::new();
        add_values("", &document.root, &mut values);
        Some(Self(values))
    }

    /// Returns the value of a placeholder of a generated base config; none if the bundle lacks it.
    pub fn get(&self, placeholder: &str) -> Option<Zeroizing<String>> {
        let value = |name: &str| self.0.get(name).map(|value| value.expose_secret()).filter(|value| !value.is_empty());
        match placeholder.strip_suffix(DECODED) {
            Some(name) => Some(Zeroizing::new(String::from_utf8(STANDARD.decode(value(name)?).ok()?).ok()?)),
            None => value(placeholder).map(|value| Zeroizing::new(value.to_owned())),
        }
    }

    /// Returns the keys that lead to the value of a placeholder, joined by dots.
    pub(crate) fn path_of(placeholder: &str) -> String {
        placeholder.strip_suffix(DECODED).unwrap_or(placeholder).replace('_', ".")
    }
}

fn add_values(path: &str, node: &Node, values: &mut BTreeMap<String, SecretString>) {
    match &node.value {
        NodeValue::Mapping(entries) => {
            for entry in entries {
                let separator = if path.is_empty() { "" } else { "_" };
                add_values(&format!("{path}{separator}{}", entry.key), &entry.value, values);
            }
        }
        NodeValue::Scalar(text, _) => _ = values.insert(path.to_owned(), text.to_string().into()),
        NodeValue::Sequence(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_found_by_their_keys_and_decoded_where_the_config_has_the_text() {
        let text = "cluster: { id: abc= }\ncerts:\n  os: { crt: LS0tLS1CRUdJTg==, key: \"\" }\n  k8s: { crt: '%' }\n";
        let bundle = SecretsBundle::read(&text.into()).expect("a mapping");
        let get = |name| bundle.get(name).map(|value| value.to_string());
        assert_eq!(get("cluster_id").as_deref(), Some("abc="));
        assert_eq!(get("certs_os_crt").as_deref(), Some("LS0tLS1CRUdJTg=="));
        assert_eq!(get("certs_os_crt_pem").as_deref(), Some("-----BEGIN"));
        let missing = ["certs_os_key", "certs_os_key_pem", "certs_k8s_crt_pem", "trustdinfo_token"];
        assert_eq!(missing.map(get), [const { None }; 4]);
        assert_eq!(SecretsBundle::path_of("certs_os_crt_pem"), "certs.os.crt");
        assert!(SecretsBundle::read(&"- a".into()).is_none());
    }
}
