//! From a plan to the content of every generated file, and the checks on that content.
//!
//! Each module uses only those above it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

mod scalar;
mod emit;
mod formats;
mod engine;
mod injection_proof;
mod secret;
mod disk_layout;
mod catalogue;
mod target;
mod file_keys;
pub mod provenance;
mod device_context;
mod disk_map;
mod runbook;
mod template_context;
mod artifact;
mod artifact_error;
mod schema_check;
mod raw_patch;
mod node_config;
mod merge_check;
mod consequences;
mod secrets_bundle;
mod machine_config;
mod shared_file;
mod user_schema;
mod user_artifact;
mod renderer;

pub use artifact::{Artifact, Mark};
pub use artifact_error::{ArtifactError, InvalidArtifact};
pub use catalogue::{
    Application, BuiltInTemplate, CLUSTER, ClusterEach, ClusterRow, DEVICE, Reader, Row, built_in_templates,
};
pub use consequences::UnreadableFile;
pub use device_context::device_context;
pub use disk_layout::{DiskLayout, SizeUnit, VolumeLayout, disk_layouts};
pub use emit::{yaml_document, yaml_flow};
pub use engine::{TemplateError, TemplateErrorKind, TemplateOrigin, template_fault};
pub use file_keys::{LayerFile, layer_files, unused_layer_file, wrong_files};
pub use formats::{Format, parse};
pub use machine_config::{ConfigSecrets, MachineConfigError};
pub use node_config::{AppliedFile, AppliedFiles, BaseAndFiles, BaseFile, LocatedConsequence, NodeBase};
pub use renderer::{Renderer, document_mark};
pub use runbook::boot_file;
pub use secret::{SecretArtifact, Secrets};
pub use secrets_bundle::SecretsBundle;
pub use shared_file::{key_of_line, share_files};
pub use target::{
    GeneratedFile, SecretFile, cluster_paths, collisions, documents, generated_files, location_of_key, secret_files,
};
pub use user_artifact::{FleetView, GENERATED, check_user_artifact, template_name, user_header};
pub use user_schema::UserSchema;
