//! Makes a model of files that configure nodes, and proves that it is equivalent to them.
//!
//! ```text
//! files ─read→ SourceFile ─map→ Facts and raw patches of each device ─extract→ Layers ─write→ model ─prove→ differences
//! ```
//!
//! The tables of [`main_document`] and [`documents`] are the inverse of the templates: they map each field of a machine config to its model
//! key. A value without a model key stays in a raw patch. The tables do not check values: if the model refuses a value, or generates another
//! one for it, the fact is rejected, and the value stays in a raw patch too.

mod value;
mod names;
mod aliases;
mod interfaces;
mod facts;
mod storage;
mod links;
mod legacy_network;
mod services;
mod main_document;
mod documents;
mod file_kind;
mod source_file;
mod json_patch;
mod remaining;
mod mask;
mod whole;
mod talhelper;
mod reading;
mod amount;
mod draft;
mod applications;
mod file_names;
mod images;
mod device_keys;
mod disks;
mod layers;
mod insertion;
mod inherited;
mod additions;
mod fleet;
mod difference;
mod proof;
mod summary;

pub(crate) use amount::check_amount;
pub(crate) use disks::KnownDisks;
pub(crate) use draft::{Rejected, Roles};
pub(crate) use fleet::{FleetFacts, ImportedFleet};
pub(crate) use inherited::Inherited;
pub(crate) use json_patch::convert;
pub(crate) use mask::Masked;
pub(crate) use proof::{ImportProof, prove};
pub(crate) use reading::{FoundFiles, read_folders};
pub(crate) use source_file::{FileScope, Folder, has_documents, has_json_patches, installed_version};
pub(crate) use summary::summary;
pub(crate) use whole::reduce;
