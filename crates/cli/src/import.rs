//! From files that configure nodes to a model with the same result.
//!
//! ```text
//! files ─read→ [Source] ─take→ Facts of each device ─lift→ layers ─write→ model ─prove→ differences
//! ```
//!
//! The tables of [`main_document`] and [`documents`] are the inverse of the templates: which value of Talos a model key has. What no row
//! takes stays a raw patch. Rows need not check values: where the model refuses one, or renders something else, the facts are denied
//! and stay raw too.

mod value;
mod facts;
mod storage;
mod links;
mod services;
mod main_document;
mod documents;
mod objects;
mod interfaces;
mod source;
mod text;
mod mask;
mod whole;
mod talhelper;
mod reading;
mod draft;
mod applications;
mod file_names;
mod images;
mod disks;
mod layers;
mod fleet;
mod difference;
mod proof;
mod summary;

pub(crate) use disks::KnownDisks;
pub(crate) use draft::{Denied, Roles};
pub(crate) use fleet::{FleetFacts, ImportedFleet};
pub(crate) use mask::Masked;
pub(crate) use proof::{Proof, prove};
pub(crate) use reading::{Found, read_folders};
pub(crate) use source::{Folder, Scope, has_documents, installed_version};
pub(crate) use summary::summary;
pub(crate) use whole::reduce;
