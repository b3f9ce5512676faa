//! A planned device: its groups of settings by topic, and what was written about its generated files.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use camino::Utf8PathBuf;
use serde::Serialize;
use talosmith_document::{Level, Location, Pointer};
use talosmith_machinery::{Role, Target};

use super::components::Components;
use super::documents::Documents;
use super::host::Host;
use super::images::Images;
use super::kubernetes::Kubernetes;
use super::network::Network;
use super::node_features::NodeFeatures;
use super::node_networks::ClusterNetwork;
use super::storage::Storage;
use super::system::System;
use super::versions::Versions;
use super::{
    Check, Patch, SecretUse, cluster_networks, components, documents, extension_families, features, host, images,
    installer, kernel_modules, kubernetes, leaves_patches_whole, manifests, network, node_features, node_networks,
    nvidia, patches, raw, raw_services, services, storage, system, values, versions,
};
use crate::Keys;
use crate::device::Arch;

/// A device whose defaults are filled in and whose references are resolved.
///
/// Templates see its fields and those of its groups by one name each; a field that is skipped here they do not see.
#[derive(Debug, Serialize)]
pub struct Device {
    /// The name of the device and of its folder.
    pub name: String,
    pub cluster: String,
    /// Whether it is a control plane or a worker.
    pub role: Role,
    /// The address at which talosctl reaches it.
    pub address: String,
    /// The CPU architecture; none if the model does not specify it.
    pub arch: Option<Arch>,
    /// The Talos version, and the version and format of the base config.
    #[serde(skip)]
    pub versions: Versions,
    /// Schematics and installer images.
    #[serde(skip)]
    pub images: Images,
    /// Disks, volumes, and what is offered for persistent volumes.
    #[serde(skip)]
    pub storage: Storage,
    /// Hostname, links, resolvers and Tailscale.
    #[serde(skip)]
    pub network: Network,
    /// Time, kernel, files, registries and extension services.
    #[serde(skip)]
    pub system: System,
    /// The Kubernetes node and the Kubernetes components that run on it.
    #[serde(skip)]
    pub kubernetes: Kubernetes,
    /// What the node is given besides its system.
    #[serde(skip)]
    pub host: Host,
    /// The Kubernetes components of control planes.
    #[serde(skip)]
    pub components: Components,
    /// What Talos runs on the node beside Kubernetes.
    #[serde(skip)]
    pub features: NodeFeatures,
    /// Documents for people.
    #[serde(skip)]
    pub documents: Documents,
    /// The networks of the cluster that are written to the node; none if the base config's stay.
    pub cluster_network: Option<ClusterNetwork>,
    /// The base configs that the repository keeps, in the order in which they are merged; empty if Talos generates the base config.
    #[serde(skip)]
    pub base: Vec<Arc<Patch>>,
    /// Raw patches in the order in which they are applied.
    #[serde(skip)]
    pub patches: Vec<Arc<Patch>>,
    /// File names of generated files by model key, with the location of the entry; no name means that the file is not written.
    #[serde(skip)]
    pub files: BTreeMap<String, (Option<Utf8PathBuf>, Location)>,
    /// The secrets that its artifacts contain.
    #[serde(skip)]
    pub secrets: Vec<SecretUse>,
    #[serde(skip)]
    pub location: Location,
    /// The locations of all its keys.
    #[serde(skip)]
    pub keys: Keys,
}

impl Device {
    /// Whether its machine config has kernel arguments for GRUB. Since 1.13 they are lost by an upgrade without `--legacy`.
    ///
    /// Source: release-1.13 and v1.14.1, internal/app/lifecycle, which passes none to the installer.
    #[must_use]
    pub fn has_boot_arguments(&self) -> bool {
        let places = [(raw::MAIN, "machine.install.extraKernelArgs[]")];
        [&self.base, &self.patches].into_iter().any(|patches| !raw::scalars(patches, &places).is_empty())
    }
}

/// Plans one device. Findings are added to `check`.
pub(super) fn plan(check: &mut Check<'_>) -> Device {
    let written = &check.file.device;
    let versions = versions::device(check);
    let target = Target { version: &versions.talos, base: versions.base.minor() };
    let base = patches::plan_base(check, &target);
    let patches = patches::plan(check, &target);
    let mut errors = check.findings.iter().filter(|finding| finding.level == Level::Error);
    check.can_be_merged = errors.all(leaves_patches_whole);
    patches::check_embedded(check, &target);
    values::check_definitions(check);
    // What the node is given as documents, besides the artifacts of keys.
    let written_documents = match base.is_empty() {
        true => Cow::Borrowed(&patches),
        false => Cow::Owned(base.iter().chain(&patches).cloned().collect()),
    };
    let storage = storage::plan(check, &versions.talos, &written_documents);
    let images = images::plan(check, &versions, &storage.disks);
    let applied = installer::check(check, &versions.talos, &images, &written_documents);
    extension_families::check(check);
    kernel_modules::check(check, applied.as_ref(), &written_documents);
    features::extensions(check, applied.as_ref());
    nvidia::check(check, &versions.talos, applied.as_ref(), &written_documents);
    services::check_unconfigured(check, applied.as_ref(), &written_documents);
    let system = system::plan(check, &versions, applied.as_ref());
    let network = network::plan(check, &versions.talos, &written_documents);
    manifests::check_raw(check, &written_documents);
    raw_services::check(check, &versions.talos, applied.as_ref(), &written_documents);
    cluster_networks::check(check, &written_documents);
    let kubernetes = kubernetes::plan(check, versions.config_format, &network.node_name);
    let host = host::plan(check, &versions.talos);
    let components = components::plan(check, &versions);
    let features = node_features::plan(check, versions.config_format, &written_documents);
    let cluster_network = node_networks::plan(check, versions.config_format, &written_documents);
    let documents = documents::plan(check, &storage);
    Device {
        name: written.name.to_string(),
        cluster: written.cluster.to_string(),
        role: written.role,
        address: written.address.to_string(),
        arch: written.arch,
        files: files(check),
        secrets: std::mem::take(&mut check.secrets),
        location: check.at("/name"),
        keys: check.file.keys.clone(),
        versions,
        images,
        storage,
        network,
        system,
        kubernetes,
        host,
        components,
        features,
        documents,
        cluster_network,
        base,
        patches,
    }
}

/// The names of files that the user chose, by the keys of their artifacts.
fn files(check: &Check<'_>) -> BTreeMap<String, (Option<Utf8PathBuf>, Location)> {
    let files = check.file.device.files.iter().map(|(key, name)| {
        let location = check.at(Pointer::new("/files").child(key));
        (key.to_string(), (name.as_ref().map(|name| Utf8PathBuf::from(name.as_str())), location))
    });
    files.collect()
}
