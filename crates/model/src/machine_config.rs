//! The machine config as Talos sees it: whether it reads a patch, a generated base, patches that are merged into it, and what Talos
//! says of the result.
//!
//! Source of all rules: github.com/siderolabs/talos, pkg/machinery/config, the releases 1.12.7, 1.13.8 and 1.14.1.

mod origin;
mod decode;
mod value;
mod base;
mod config;
mod deletion;
mod merge;
mod report;
mod rules;
mod judge;

pub use self::decode::{Target, decode, decode_patch};
pub use self::judge::judge;
pub use self::origin::Origin;
pub use self::report::{Maker, Patch};

#[cfg(test)]
mod tests;
