//! The machine config as Talos sees it: a generated base, patches that are merged into it, and what Talos says of the result.
//!
//! Source of all rules: github.com/siderolabs/talos, pkg/machinery/config, the releases 1.12.7, 1.13.8 and 1.14.1.

mod value;
mod base;
mod config;
mod deletion;
mod merge;
mod rules;
mod judge;

pub use self::judge::{Patch, judge};
