//! YAML documents with the location of every key and value, and what is reported about them. No domain knowledge.
//!
//! The modules are in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

mod memo;
mod code;
mod place;
mod diagnostic;
mod document;
mod locate;
mod version;
mod suggestion;
mod order;
pub mod table;

pub use code::{Code, Level, NoSuchCode};
pub use diagnostic::{Diagnostic, Label, merge};
pub use document::{BlockText, Document, Entry, Node, NodeValue, Reached, Style, boundary, decode};
pub use locate::{Locator, line_column};
pub use memo::Memo;
pub use order::natural;
pub use place::{Place, Pointer, Range32, Source, SourceId, Sources, Spot};
pub use suggestion::closest;
pub use version::{TalosVersion, VersionError};
