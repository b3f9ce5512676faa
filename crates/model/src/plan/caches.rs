//! Results that many devices of a fleet share.

use talosmith_document::Cache;
use talosmith_machinery::cel;

use super::LayerPatches;
use crate::Unstable;

/// Results that are computed once for all devices of a fleet. One value belongs to one load of a fleet, because findings that it
/// keeps have locations in that load's sources.
#[derive(Debug, Default)]
pub struct Caches {
    /// Schematic IDs by the schematic as JSON.
    pub(super) schematic_ids: Cache<String, Result<String, Unstable>>,
    /// The selectors of disks and volumes.
    pub(super) selectors: cel::Checker,
    /// The raw patches of layers.
    pub(super) layer_patches: LayerPatches,
}
