//! Findings as text, for people and for programs: values in, a text out.

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
pub(crate) use wrap::wrap;
