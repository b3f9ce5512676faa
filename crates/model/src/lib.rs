//! The user's model: its schemas and layers, its types, and the plan that rendering relies on.
//!
//! The modules are in dependency order: each uses only those before it.

#![deny(clippy::disallowed_methods, clippy::disallowed_types, clippy::print_stdout, clippy::print_stderr)]

/// The paths of a repository. A new folder or file that talosmith knows by name.
pub mod layout;
/// Tables about projects around Talos. A new extension, release or kind of key.
mod upstream;
/// Disk space and partitions, to the byte as Talos computes them.
mod partitions;
/// The Image Factory's schematic and its ID. A new field of the factory.
mod schematic;
/// Where a secret comes from. A new kind of source.
mod secret_source;
/// The kinds of strings in the model. A new one is a type in a file here and a row of the table.
mod scalar;
/// Mappings that keep their order.
mod ordered;
/// `devices/<name>/device.yaml` as the user wrote it. A new key of a device, in the file of its topic.
mod device;
/// talosmith.yaml as the user wrote it. A new key of a cluster or an application.
mod fleet;
/// Validation by JSON Schema, and its findings.
mod schema;
/// The merging of defaults into a device.
mod layer;
/// The search for secrets in tracked files.
mod tracked_secrets;
/// What is known of a device whose file has errors.
mod partial_device;
/// What can be checked of a file with errors. A key whose check reads another key.
mod readable;
/// From YAML to `Fleet` and `Device`, with the location of every key. A check of a file on its own.
mod input;
/// From `Fleet` and `Device` to the plan: defaults, references, and every check of the model. A new planned field or check, in the
/// file of its topic.
pub mod plan;
/// The disks of a running node, for the model of one, and compared with it.
mod node_disks;
/// The keys of a merged device one by one, for reports.
mod resolved_key;

pub use device::{Arch, Device, VolumeType};
pub use fleet::{ArtifactFormat, ArtifactScope, Fleet, LintLevel};
pub use input::{DeviceFile, FleetFile, Keys, LayerRank};
pub use node_disks::NodeDisks;
pub use partial_device::PartialDevice;
pub use partitions::{aligned, free_space};
pub use resolved_key::{ResolvedKey, resolved_keys};
pub use scalar::{FORMATS, Size, UpperBound, grouped, is_secret_name};
pub use schema::Schema;
pub use schematic::{Bootloader, EnrollKeys, Meta, Overlay, Schematic, Unstable};
pub use secret_source::{SecretSource, SopsValue};
pub use tracked_secrets::{secrets_in_text, tailscale_key};
pub use upstream::tailscale::KeyKind as TailscaleKeyKind;
