//! What we write, read by parsers that other people use, and by our own second one.

mod any_text;
mod artifacts;
mod broken_templates;
mod fleet;
mod pyyaml;
