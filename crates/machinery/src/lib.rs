//! What Talos does with a machine config: whether it reads a patch, the base that it generates, patches merged into that base, and
//! whether it accepts the result. Knows Talos and no device.
//!
//! Source of all rules: github.com/siderolabs/talos, pkg/machinery/config, the releases 1.12.7, 1.13.8 and 1.14.1.
//! The modules are in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

mod role;
mod placeholder;
pub mod talos_data;
pub mod cel;
mod patch_locator;
mod scalar;
mod format;
mod url;
mod value;
mod json_patch;
mod decode;
mod patch_reader;
mod config;
mod base;
mod deletion;
mod merge;
mod patch_parts;
mod report;
mod rules;
mod check;
mod normal;
mod setting;
mod consequence;
mod encode;
mod drift;

pub use base::{BaseOptions, GeneratedBase, oldest_base, placeholder_name};
pub use check::check_patches;
pub use consequence::{Class, Consequence, DifferenceKind, MachineConfig, Side, Written, class_codes};
pub use decode::{
    GeneratedPatchError, Patch, SEVERAL_DOCUMENTS_SINCE, Target, decode_generated, decode_patch, section_path,
    variable_reference,
};
pub use encode::FillIn;
pub use json_patch::is_json_path_too_deep;
pub use patch_locator::{Edit, PatchLocator};
pub use patch_parts::PatchParts;
pub use patch_reader::{PatchScalar, PatchedDocument, volume_bytes};
pub use placeholder::is_unknown;
pub use report::{AppliedPatch, PatchSource};
pub use role::Role;
pub use rules::{LINKS, bond_modes, document_of_argument, other_family};

#[cfg(test)]
mod tests;
