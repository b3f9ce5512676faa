//! Formats findings, for people and as JSON.

mod position;
mod order;
mod wrap;
mod style;
mod snippet;
mod human;
mod json;

#[cfg(test)]
mod tests;

pub use human::human;
pub use json::json;
pub use order::{count_line, sort};
pub use style::Style;
pub(crate) use wrap::{clip, wrap};
