//! Documents about a device for people.

use serde::Deserialize;

/// Which documents are generated.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Documents {
    pub runbook: bool,
    pub disk_map: bool,
}
