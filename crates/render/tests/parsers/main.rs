//! The generated YAML, read by other parsers.

mod any_text;
mod artifacts;
mod broken_templates;
mod fleet;
mod pyyaml;
