//! From a plan to the bytes of every file, and the proof that they are what they should be.
//!
//! The modules stand in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

pub mod scalar;
pub mod emit;
pub mod engine;
pub mod formats;
pub mod injection_proof;
mod secret;
pub mod templates;
pub mod catalogue;
pub mod target;
mod device_context;
pub mod artifact;
pub mod merge_check;
pub mod schema_check;

pub use artifact::{Artifact, Fault, Proof, Renderer};
pub use device_context::device_context;
pub use engine::{Engine, FaultKind, TemplateFault};
pub use secret::{SecretArtifact, Secrets};
pub use target::Output;
