//! Tables of facts about Talos's documents and versions, searched in place.

pub mod secrets;
pub mod talos;
pub(crate) mod types;

pub use talos::Minor;
