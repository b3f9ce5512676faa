//! The schemas of what the user may write, and their faults in our own words.

mod translate;
mod validators;

use serde_json::Value;
use talosmith_document::{Diagnostic, Document, SourceId};

/// A document that the user writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// `devices/<name>/device.yaml`
    Device,
    /// talosmith.yaml
    Fleet,
}

impl Schema {
    /// The schema's name, as `talosmith schema` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Fleet => "fleet",
        }
    }

    /// The schema as JSON.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::Device => include_str!("../../../schemas/device.schema.json"),
            Self::Fleet => include_str!("../../../schemas/fleet.schema.json"),
        }
    }

    /// Whether the schema takes a value.
    #[must_use]
    pub fn takes(self, value: &Value) -> bool {
        match self {
            Self::Device => validators::Device::is_valid(value),
            Self::Fleet => validators::Fleet::is_valid(value),
        }
    }

    /// Everything in `document` that the schema refuses; `value` is the document's root as JSON.
    #[must_use]
    pub fn findings(self, source: SourceId, document: &Document, value: &Value) -> Vec<Diagnostic> {
        let faults = match self {
            Self::Device => validators::device_violations(value),
            Self::Fleet => validators::fleet_violations(value),
        };
        translate::translate(self, source, document, &faults)
    }
}
