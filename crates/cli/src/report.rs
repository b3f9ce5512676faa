//! Formats findings, for people and as JSON.

mod position;
mod shown;
mod order;
mod deprecations;
mod wrap;
mod style;
mod snippet;
mod human;
mod json;

#[cfg(test)]
mod tests;

pub(crate) use deprecations::group_deprecations;
pub(crate) use human::group;
pub use human::human;
pub(crate) use json::{json, json_document};
pub use order::sort;
pub(crate) use order::{count, count_line, count_of};
pub use style::Style;
pub(crate) use wrap::{clip, wrap};
