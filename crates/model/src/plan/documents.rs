//! Documents about a device for people.

use camino::Utf8PathBuf;
use talosmith_document::{Code, Diagnostic, Pointer, natural};

use super::applications::folder;
use super::gpu::VENDORS;
use super::{Check, Storage};
use crate::SecretSource;
use crate::device::Install;
use crate::fleet::Cluster;
use crate::layout::{GPU, KATA_CONTAINERS, LOCAL_PATH};
use crate::scalar::{DnsLabel, Registry};

/// The documents that are generated for a device.
#[derive(Debug)]
pub struct Documents {
    /// What only the runbook contains; none if the device has no runbook.
    pub runbook: Option<Runbook>,
    /// Whether the runbook is wanted and cannot be generated, because another device of the cluster cannot be read.
    pub is_runbook_withheld: bool,
    /// Whether there is a picture of the disks.
    pub disk_map: bool,
}

/// What a runbook contains and no other artifact does.
#[derive(Debug)]
pub struct Runbook {
    /// The addresses of the cluster's control planes, in natural order.
    pub control_planes: Vec<String>,
    /// Whether the cluster has no other node.
    pub is_only_node: bool,
    /// The Image Factory that makes the images.
    pub factory: String,
    /// What the images are for: `metal`, or a cloud.
    pub platform: String,
    /// The base configs that the repository keeps, from its root, in the order in which they are merged.
    pub base_files: Vec<Utf8PathBuf>,
    /// Whether talosmith can generate the base config: the cluster has all keys for it, and the repository keeps none.
    pub generates_base: bool,
    /// The user volume with the scratch file of kata containers, if the node runs them.
    pub scratch_volume: Option<String>,
    /// The paths on the node that the local-path-provisioner uses.
    pub local_paths: Vec<String>,
    /// The folder of the application with what Kubernetes runs for its GPUs.
    pub gpu_folder: Option<String>,
    /// The folders of the applications that it takes part in.
    pub folders: Vec<String>,
    /// The secrets in the device's files.
    pub secrets: Vec<SecretFact>,
}

/// A secret, and where its value may come from.
#[derive(Debug)]
pub struct SecretFact {
    pub name: String,
    /// Each as its kind and its reference.
    pub sources: Vec<(&'static str, String)>,
}

/// Plans the documents of a device with some disks and volumes, once its secrets are known.
pub(super) fn plan(check: &mut Check<'_>, storage: &Storage) -> Documents {
    let written = check.file.device.documents;
    let disks = &storage.disks;
    let at = check.key("/documents/diskMap");
    // In a layer the key is for the devices that have disks.
    if written.disk_map && disks.is_empty() && at.source == check.file.source {
        check.push(
            Diagnostic::new(Code::MissingKey, "`diskMap` needs `disks`, and the device lists none", at).help(
                "list the machine's disks, as in\ndisks:\n  nvme0n1: { size: 2048408248320B, selector: disk.transport == 'nvme', system: true }",
            ),
        );
    }
    Documents {
        runbook: (written.runbook && check.knows_control_planes).then(|| runbook(check, storage)),
        is_runbook_withheld: written.runbook && !check.knows_control_planes,
        disk_map: written.disk_map && !disks.is_empty(),
    }
}

fn runbook(check: &Check<'_>, storage: &Storage) -> Runbook {
    let device = &check.file.device;
    let mut control_planes: Vec<String> = check.control_planes.into_iter().flatten().cloned().collect();
    control_planes.sort_by(|one, other| natural(one, other));
    let Install { factory, platform, .. } = &device.install;
    let base_files = device.base.iter().map(|(name, base)| {
        let at = Pointer::new("/base").child(name);
        (check.file.layer(&at), check.fleet.folder_of(check.file, &check.at(at)).join(base.file.as_str()))
    });
    let mut base_files: Vec<_> = base_files.collect();
    base_files.sort_by_key(|(layer, _)| *layer);
    let mut names: Vec<&str> = check.secrets.iter().map(|used| used.secret.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    Runbook {
        is_only_node: control_planes.len() < 2 && !check.has_workers,
        control_planes,
        factory: factory.as_ref().map_or(super::images::FACTORY, Registry::as_str).to_owned(),
        platform: platform.as_ref().map_or("metal", DnsLabel::as_str).to_owned(),
        base_files: base_files.into_iter().map(|(_, path)| path).collect(),
        generates_base: device.base.is_empty() && check.cluster().is_some_and(Cluster::has_base),
        scratch_volume: scratch_volume(check),
        local_paths: local_paths(check, storage),
        gpu_folder: gpu_folder(check),
        folders: folders(check, storage),
        secrets: names.into_iter().map(|name| secret(check, name)).collect(),
    }
}

fn scratch_volume(check: &Check<'_>) -> Option<String> {
    let application = check.cluster()?.applications.kata_containers.as_ref().filter(|_| check.file.device.kata)?;
    Some(application.scratch.volume.to_string())
}

/// The paths of the device, or else the default ones of its cluster.
fn local_paths(check: &Check<'_>, storage: &Storage) -> Vec<String> {
    let Some(application) = check.cluster().and_then(|cluster| cluster.applications.local_path.as_ref()) else {
        return Vec::new();
    };
    match &storage.local_paths {
        Some(paths) => paths.clone(),
        None => application.default_paths.iter().map(ToString::to_string).collect(),
    }
}

fn gpu_folder(check: &Check<'_>) -> Option<String> {
    let application = check.cluster()?.applications.gpu.as_ref()?;
    let has_both =
        |(vendor, _): &(&str, &str)| check.file.device.gpu.of(vendor).is_some() && application.of(vendor).is_some();
    VENDORS.iter().any(has_both).then(|| folder(application.path.as_ref(), GPU))
}

fn folders(check: &Check<'_>, storage: &Storage) -> Vec<String> {
    let Some(applications) = check.cluster().map(|cluster| &cluster.applications) else { return Vec::new() };
    let local_path = applications.local_path.as_ref().filter(|_| !local_paths(check, storage).is_empty());
    let kata = applications.kata_containers.as_ref().filter(|_| check.file.device.kata);
    let local_path = local_path.map(|it| folder(it.path.as_ref(), LOCAL_PATH));
    let kata = kata.map(|it| folder(it.path.as_ref(), KATA_CONTAINERS));
    [local_path, kata, gpu_folder(check)].into_iter().flatten().collect()
}

fn secret(check: &Check<'_>, name: &str) -> SecretFact {
    let written = check.fleet.fleet.secrets.iter().find(|(written, _)| written.as_str() == name);
    let sources = written.into_iter().flat_map(|(_, sources)| sources).map(|source| {
        let reference = match source {
            SecretSource::Env(variable) => variable.clone(),
            SecretSource::File(path) => path.to_string(),
            SecretSource::Sops(value) => format!("{} in {}", value.key.join("."), value.file),
            SecretSource::Op(reference) => reference.clone(),
            SecretSource::Command(words) => words.join(" "),
        };
        (source.kind(), reference)
    });
    SecretFact { name: name.to_owned(), sources: sources.collect() }
}
