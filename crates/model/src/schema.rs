//! The schemas of the user's files, and findings on what violates them.

mod flow;
mod translate;
mod elsewhere;
mod validators;

use std::sync::LazyLock;

use serde_json::Value;
use talosmith_document::{Diagnostic, Document, SourceId};

/// The schema of a file that the user writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Schema {
    /// `devices/<name>/device.yaml`
    Device,
    /// talosmith.yaml
    Fleet,
}

impl Schema {
    /// Returns the schema's name, an argument of `talosmith schema`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Device => "device",
            Self::Fleet => "fleet",
        }
    }

    /// Returns the schema as JSON, with formats of talosmith's own.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Device => include_str!("../../../schemas/model/device.schema.json"),
            Self::Fleet => include_str!("../../../schemas/model/fleet.schema.json"),
        }
    }

    /// Returns the schema as a value, which is parsed once.
    pub fn parsed(self) -> &'static Value {
        static PARSED: [LazyLock<Value>; 2] =
            [LazyLock::new(|| parse(Schema::Device)), LazyLock::new(|| parse(Schema::Fleet))];
        &PARSED[usize::from(self == Self::Fleet)]
    }

    /// Returns the schema for editors and other validators: one file, with patterns instead of formats.
    pub const fn published(self) -> &'static str {
        match self {
            Self::Device => include_str!("../../../schemas/device.schema.json"),
            Self::Fleet => include_str!("../../../schemas/fleet.schema.json"),
        }
    }

    pub fn is_valid(self, value: &Value) -> bool {
        match self {
            Self::Device => validators::Device::is_valid(value),
            Self::Fleet => validators::Fleet::is_valid(value),
        }
    }

    /// Returns every violation in `document`; `value` is the document's root as JSON, and `own` has values for keys that may be missing.
    pub fn findings(
        self,
        source: SourceId,
        document: &Document,
        value: &Value,
        own: &[(&str, &str)],
    ) -> Vec<Diagnostic> {
        let violations: Vec<_> = match self {
            Self::Device => validators::Device::iter_errors(value).collect(),
            Self::Fleet => validators::Fleet::iter_errors(value).collect(),
        };
        translate::translate(self, (source, document), own, &violations)
    }
}

fn parse(schema: Schema) -> Value {
    serde_json::from_str(schema.text()).unwrap_or_default()
}
