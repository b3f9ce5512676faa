//! render

mod secret;

pub use secret::{SecretArtifact, Secrets};
