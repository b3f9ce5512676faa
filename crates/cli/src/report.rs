//! Formats findings, for people and for programs.

mod position;
mod shown;
mod order;
mod deprecations;
mod wrap;
mod style;
mod snippet;
mod human;
mod entry;
mod json;
mod github;
mod sarif;

#[cfg(test)]
mod tests;

pub(crate) use deprecations::group_deprecations;
pub(crate) use entry::Entries;
pub(crate) use github::github;
pub(crate) use human::group;
pub use human::human;
pub(crate) use json::{json, json_document};
pub use order::sort;
pub(crate) use order::{count, count_line, count_of};
pub(crate) use sarif::sarif;
pub use style::Style;
pub(crate) use wrap::{clip, wrap};
