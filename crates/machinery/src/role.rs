//! The machine type.

use serde::{Deserialize, Serialize};

/// The machine type, as `machine.type` names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the control plane.
    ControlPlane,
    /// Runs workloads alone.
    Worker,
}

impl Role {
    /// Returns the value of `machine.type`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ControlPlane => "controlplane",
            Self::Worker => "worker",
        }
    }
}
