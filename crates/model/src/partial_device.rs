//! Devices whose files cannot be read as a whole.

use talosmith_document::{Document, Node, SourceId, closest};
use talosmith_machinery::Role;

/// What is known of a device whose file cannot be read as a whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PartialDevice {
    pub cluster: Option<String>,
    pub role: Option<Role>,
    pub address: Option<String>,
}

impl PartialDevice {
    /// Returns what is known of a device from a file that cannot be read as a whole.
    pub fn of(source: SourceId, text: &str) -> Self {
        let Ok(document) = Document::parse(source, text) else { return Self::default() };
        let text = |key: &str| document.root.get(key).and_then(Node::scalar).map(|(text, _)| text);
        // A value that is nearly a role was meant to be it.
        let role = text("role").and_then(|role| closest(role, ["controlplane", "worker"]).or(Some(role)));
        Self {
            cluster: text("cluster").map(str::to_owned),
            role: match role {
                Some("controlplane") => Some(Role::ControlPlane),
                Some("worker") => Some(Role::Worker),
                _ => None,
            },
            address: text("address").filter(|text| text.parse::<crate::scalar::Address>().is_ok()).map(str::to_owned),
        }
    }

    /// Whether the device may be a control plane whose address is not known.
    pub fn is_unclear(&self) -> bool {
        self.cluster.is_none()
            || self.role.is_none()
            || (self.role == Some(Role::ControlPlane) && self.address.is_none())
    }
}
