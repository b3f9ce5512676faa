//! The paths of artifacts, and the location of the model key that requests each.

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_model::layout::manifests;
use talosmith_model::plan::{Cluster, Device, NodeClasses};

use crate::catalogue::{Application, CLUSTER, ClusterRow, Each, Reader, Row, Template, artifacts_of};

/// A file that is generated for a device, without its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GeneratedFile {
    /// Relative to the root of the repository.
    pub path: Utf8PathBuf,
    /// The model key that requests it, as `files` names it.
    pub key: String,
    /// What it is for, in a few words.
    #[serde(skip)]
    pub about: &'static str,
    /// The other model keys that share the file.
    #[serde(rename = "otherKeys", skip_serializing_if = "Vec::is_empty")]
    pub other_keys: Vec<String>,
    pub reader: Reader,
    pub applied: bool,
    /// Whether it holds a secret, so that git does not track it.
    pub secret: bool,
    #[serde(skip)]
    pub location: Location,
}

/// A file with the values of secrets, which git does not track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    pub key: String,
    /// Relative to the root of the repository.
    pub path: Utf8PathBuf,
    /// The location of the key that names a secret in it, or of the file's own name in `files`.
    pub location: Location,
}

/// Returns every file of a device, in the order in which a person would apply them; a file with secrets follows the tracked file that
/// has the placeholders. A file that several keys share is where the first of them is.
pub fn generated_files(device: &Device) -> Vec<GeneratedFile> {
    let mut files: Vec<GeneratedFile> = Vec::new();
    let secrets = secret_files(device);
    for (row, item) in artifacts_of(device) {
        let key = row.key_of(item);
        let path = tracked_path(device, row, item, &key);
        let first = files.iter_mut().find(|file| Some(&file.path) == path.as_ref());
        if let Some(first) = first.filter(|first| can_share(device, &first.key) && can_share(device, &key)) {
            first.other_keys.push(key.into_owned());
            continue;
        }
        files.extend(path.map(|path| GeneratedFile {
            path,
            key: key.to_string(),
            about: row.about,
            other_keys: Vec::new(),
            reader: row.reader,
            // Of a template, the file with the secret is applied.
            applied: row.applied && secrets.iter().all(|file| file.key != key),
            secret: false,
            location: requested_at(device, row, item, &key),
        }));
        files.extend(secrets.iter().filter(|file| file.key == key).map(|file| GeneratedFile {
            path: file.path.clone(),
            key: format!("{key}.secret"),
            about: row.about,
            other_keys: Vec::new(),
            reader: row.reader,
            applied: row.applied,
            secret: true,
            location: file.location.clone(),
        }));
    }
    files
}

/// Returns the documents about a device.
pub fn documents(device: &Device) -> Vec<GeneratedFile> {
    generated_files(device).into_iter().filter(|file| file.reader == Reader::Operator).collect()
}

/// Returns the files of a device that hold secrets, in the order of the catalogue.
pub fn secret_files(device: &Device) -> Vec<SecretFile> {
    secret_targets(device).into_iter().map(|(_, _, file)| file).collect()
}

/// Returns the files of a device that hold secrets, with the rows and items of their artifacts.
pub(crate) fn secret_targets(device: &Device) -> Vec<(&'static Row, &str, SecretFile)> {
    let mut targets = Vec::new();
    if device.secrets.is_empty() {
        return targets;
    }
    for (row, item) in artifacts_of(device) {
        let key = row.key_of(item);
        let Some(held) = device.secrets.iter().find(|held| held.key == key) else { continue };
        let (name, location) = match device.files.get(&format!("{key}.secret")) {
            Some((None, _)) => continue,
            Some((Some(name), location)) => (name.clone(), location.clone()),
            None => (format!("{}.yaml", default_stem(device, row, item)).into(), held.location.clone()),
        };
        let path = manifests(&device.name).join(name);
        targets.push((row, item, SecretFile { key: key.into_owned(), path, location }));
    }
    targets
}

/// Returns the path of every artifact of a cluster's applications, and the location of the model key that requests it.
pub fn cluster_paths(cluster: &Cluster) -> Vec<(Utf8PathBuf, &Location)> {
    let mut paths = Vec::new();
    for row in CLUSTER {
        let Some((folder, location)) = folder_of(cluster, row.application) else { continue };
        paths.extend(
            row.items(cluster)
                .into_iter()
                .map(|item| (cluster_path(cluster, row, folder, item), item.map_or(location, |item| &item.location))),
        );
    }
    paths
}

/// Returns the location of the model key that requests an artifact of a device; `key` is spelled as in `files`. None if the device
/// has no such artifact.
pub fn location_of_key(device: &Device, key: &str) -> Option<Location> {
    row_of_key(device, key).map(|(row, item)| requested_at(device, row, item, key))
}

/// Returns the row and the item of an artifact of a device; `key` is spelled as in `files`.
pub(crate) fn row_of_key<'a>(device: &'a Device, key: &str) -> Option<(&'static Row, &'a str)> {
    artifacts_of(device).find(|(row, item)| row.key_of(item) == key)
}

/// Returns the row of a cluster's artifact, and the device that it is generated for if that is a single one.
pub(crate) fn row_of_path<'a>(
    cluster: &'a Cluster,
    path: &Utf8Path,
) -> Option<(&'static ClusterRow, Option<&'a NodeClasses>)> {
    CLUSTER.iter().find_map(|row| {
        let (folder, _) = folder_of(cluster, row.application)?;
        let item = row.items(cluster).into_iter().find(|item| cluster_path(cluster, row, folder, *item) == path)?;
        Some((row, item))
    })
}

/// Returns the folder of a cluster's application and the location of its model key; none if the cluster does not have it.
pub(crate) fn folder_of(cluster: &Cluster, application: Application) -> Option<(&str, &Location)> {
    let mut folders = cluster.folders().filter(|folder| folder.name == application.name());
    folders.next().map(|it| (it.folder, it.location))
}

/// Returns the path of an artifact of an application in this folder.
pub(crate) fn cluster_path(
    cluster: &Cluster,
    row: &ClusterRow,
    folder: &str,
    item: Option<&NodeClasses>,
) -> Utf8PathBuf {
    Utf8Path::new(folder).join((row.path)(cluster, item).unwrap_or_default())
}

/// Returns the path of the tracked artifact that `key` requests; none if `files` suppresses it.
pub(crate) fn tracked_path(device: &Device, row: &Row, item: &str, key: &str) -> Option<Utf8PathBuf> {
    let mut path = row.folder(&device.name).into_string();
    path.push('/');
    if let Some((name, _)) = device.files.get(key) {
        path.push_str(name.as_ref()?.as_str());
    } else if holds_secret(device, key) {
        path.extend([&default_stem(device, row, item), ".template.yaml"]);
    } else {
        push_default_name(device, row, item, &mut path);
    }
    Some(path.into())
}

/// Appends the path below `manifests/` that an artifact has unless `files` renames it.
fn push_default_name(device: &Device, row: &Row, item: &str, path: &mut String) {
    if row.key == "nameservers" && device.network.tailscale.is_some() {
        path.push_str("tailscale-");
    }
    for part in row.file.split_inclusive(['@', '*']) {
        path.push_str(part.trim_end_matches(['@', '*']));
        match part.as_bytes().last() {
            Some(b'@') => path.push_str(&device.name),
            Some(b'*') if matches!(row.each, Each::Volume) => path.push_str(&item.to_lowercase()),
            Some(b'*') => path.push_str(item),
            _ => {}
        }
    }
}

/// Returns that path without its extension, which a template and its secret file share.
fn default_stem(device: &Device, row: &Row, item: &str) -> String {
    let mut name = String::new();
    push_default_name(device, row, item, &mut name);
    name.strip_suffix(".patch.yaml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(&name).to_owned()
}

pub(crate) fn holds_secret(device: &Device, key: &str) -> bool {
    device.secrets.iter().any(|held| held.key == key)
}

/// Whether other model keys can share the file of a key: a machine-config patch that is applied and contains no secret. A raw patch
/// keeps its own file, since merging would drop its comments and move it before the patches that it overrides; and so does that of
/// kata, which is applied later than the others.
pub(crate) fn can_share(device: &Device, key: &str) -> bool {
    let is_patch = |row: &Row| row.reader == Reader::Talos && row.applied;
    let can = |row: &Row| is_patch(row) && !matches!(row.template, Template::Raw) && row.key != "kata";
    row_of_key(device, key).is_some_and(|(row, _)| can(row)) && !holds_secret(device, key)
}

/// Returns the location of the key that requests or renames an artifact.
fn requested_at(device: &Device, row: &Row, item: &str, key: &str) -> Location {
    match device.files.get(key) {
        Some((_, location)) => location.clone(),
        None => key_location(device, row, item),
    }
}

pub(crate) fn key_location(device: &Device, row: &Row, item: &str) -> Location {
    // The hostname defaults to the name of the device, which has a location of its own.
    if row.key == "hostname" {
        return device.network.hostname_location.clone();
    }
    if let ("install.disk", Some(key)) = (row.key, device.images.install.disk_key()) {
        return device.keys.at(key).as_key();
    }
    device.keys.at(key_pointer(row, item)).as_key()
}

/// Returns the key that requests an artifact, as a pointer into the layered device.
pub(crate) fn key_pointer(row: &Row, item: &str) -> Pointer {
    let segments = row.key.split('.').map(|segment| if segment == "*" { item } else { segment });
    segments.fold(Pointer::root(), |at, segment| at.child(segment))
}

/// Returns a finding for each two artifacts with one path. Case does not count, since some file systems ignore it.
pub fn collisions<'a>(owners: impl IntoIterator<Item = (&'a Utf8Path, &'a Location)>) -> Vec<Diagnostic> {
    let mut seen: BTreeMap<String, (&Utf8Path, &Location)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, location) in owners {
        if let Some((first, owner)) = seen.get(&path.as_str().to_lowercase()) {
            let mut finding = Diagnostic::new(
                Code::OutputCollision,
                format!("two artifacts would be written to `{path}`"),
                location.clone(),
            )
            .note("the second one would replace the first")
            .help("rename one of them under `files`, or choose another `path`");
            if *owner != location {
                finding = finding.also((*owner).clone(), "the other one");
            }
            if *first != path {
                finding = finding.note(format!("`{first}` differs only in case"));
            }
            findings.push(finding);
        } else {
            seen.insert(path.as_str().to_lowercase(), (path, location));
        }
    }
    findings
}
