//! YAML documents with the location of every key and value, and diagnostics about them. No domain knowledge.
//!
//! The modules are in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

mod cache;
mod code;
mod location;
mod suggestion;
mod diagnostic;
mod document;
mod locator;
mod version;
mod order;
pub mod table;

pub use cache::Cache;
pub use code::{Code, Level, NoSuchCode};
pub use diagnostic::{Diagnostic, Label, merge};
pub use document::{BlockText, Document, Entry, MAX_BYTES, Node, NodeValue, Style, decode, has_other_type, too_large};
pub use location::{Anchor, Location, Pointer, Range32, Source, SourceId, Sources};
pub use locator::{Locator, line_column};
pub use order::natural;
pub use suggestion::closest;
pub use version::{TalosVersion, VersionError};
