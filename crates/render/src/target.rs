//! Where artifacts are written, and which key of the model asks for each.

use std::borrow::Cow;
use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location, Pointer};
use talosmith_model::layout::{DEVICES, MANIFESTS, manifests};
use talosmith_model::plan::{Cluster, Device, NodeClasses};

use crate::catalogue::{CLUSTER, ClusterRow, DEVICE, Each, Reader, Row};

/// A file of a device that is generated, without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The key of the model that asks for it, as `files` names it.
    pub key: String,
    /// What reads it.
    pub reader: Reader,
    /// Whether it is applied with the rest.
    pub applied: bool,
    /// Whether it holds a secret, so that it is not tracked.
    pub secret: bool,
    /// The key that asks for it.
    pub location: Location,
}

/// The path of every artifact of a cluster's applications, and the key that asks for it.
#[must_use]
pub fn cluster_paths(cluster: &Cluster) -> Vec<(Utf8PathBuf, &Location)> {
    let mut paths = Vec::new();
    for row in CLUSTER {
        let Some((folder, location)) = application(cluster, row.each) else { continue };
        paths.extend(
            row.items(cluster)
                .into_iter()
                .map(|item| (cluster_path(cluster, row, folder, item), item.map_or(location, |item| &item.location))),
        );
    }
    paths
}

pub(crate) fn cluster_path(
    cluster: &Cluster,
    row: &ClusterRow,
    folder: &str,
    item: Option<&NodeClasses>,
) -> Utf8PathBuf {
    let name = item.map_or_else(|| runtime(cluster), |item| item.device.as_str());
    Utf8Path::new(folder).join(row.file.replace('*', name))
}

/// The key of the model that asks for an artifact.
pub(crate) fn key(row: &Row, item: &str) -> Cow<'static, str> {
    match row.key.split_once('*') {
        Some((before, after)) => Cow::Owned([before, item, after].concat()),
        None => Cow::Borrowed(row.key),
    }
}

/// Where an artifact of a device is written; none if `files` says that it is not.
pub(crate) fn target(device: &Device, row: &Row, item: &str, key: &str) -> Option<Utf8PathBuf> {
    let mut path = String::with_capacity(96);
    path.extend([DEVICES, "/", &device.name, "/", MANIFESTS, "/"]);
    if let Some((name, _)) = device.files.get(key) {
        path.push_str(name.as_ref()?.as_str());
    } else if holds_secret(device, key) {
        path.extend([&stem(device, row, item), ".template.yaml"]);
    } else {
        file(device, row, item, &mut path);
    }
    Some(path.into())
}

/// Where the key that asks for an artifact is written.
fn asked_at(device: &Device, row: &Row, item: &str, key: &str) -> Location {
    if let Some((_, location)) = device.files.get(key) {
        return location.clone();
    }
    // The name of a device is its hostname where nothing else is said.
    if row.key == "hostname" {
        return device.network.hostname_location.clone();
    }
    let segments = row.key.split('.').map(|segment| if segment == "*" { item } else { segment });
    device.keys.at(segments.fold(Pointer::root(), |at, segment| at.child(segment))).as_key()
}

/// Where the key of the model that asks for an artifact of a device is written, by the key as `files` names it.
#[must_use]
pub fn place_of(device: &Device, asked: &str) -> Option<Location> {
    DEVICE.iter().find_map(|row| {
        let item = row.items(device).into_iter().find(|item| key(row, item) == asked)?;
        Some(asked_at(device, row, item, asked))
    })
}

/// The folder of a cluster's application, and the key that asks for it.
pub(crate) fn application(cluster: &Cluster, each: Each) -> Option<(&str, &Location)> {
    match each {
        Each::Kata => cluster.kata.as_ref().map(|it| (it.folder.as_str(), &it.location)),
        _ => cluster.local_path.as_ref().map(|it| (it.folder.as_str(), &it.location)),
    }
}

/// The name of a cluster's kata runtime.
fn runtime(cluster: &Cluster) -> &str {
    cluster.kata.as_ref().map_or("", |kata| kata.runtime.as_str())
}

/// Writes the name of an artifact below `manifests/` where `files` does not give another one.
fn file(device: &Device, row: &Row, item: &str, path: &mut String) {
    for part in row.file.split_inclusive(['@', '*']) {
        path.push_str(part.trim_end_matches(['@', '*']));
        match part.as_bytes().last() {
            Some(b'@') => path.push_str(&device.name),
            Some(b'*') if row.each == Each::Volume => path.push_str(&item.to_lowercase()),
            Some(b'*') => path.push_str(item),
            _ => {}
        }
    }
}

/// That name without its ending: a template and its secret file share it.
fn stem(device: &Device, row: &Row, item: &str) -> String {
    let mut name = String::new();
    file(device, row, item, &mut name);
    name.strip_suffix(".patch.yaml").or_else(|| name.strip_suffix(".yaml")).unwrap_or(&name).to_owned()
}

fn holds_secret(device: &Device, key: &str) -> bool {
    device.secrets.iter().any(|held| held.key == key)
}

/// A file that holds secrets and is not tracked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretFile {
    /// The key of the model that asks for the artifact.
    pub key: String,
    /// From the repository's root.
    pub path: Utf8PathBuf,
    /// The key that names a secret in it, or the file itself.
    pub location: Location,
}

/// The rows and items whose artifacts hold secrets, with the files that have the values.
pub(crate) fn secret_rows(device: &Device) -> Vec<(&'static Row, &str, SecretFile)> {
    let mut rows = Vec::new();
    if device.secrets.is_empty() {
        return rows;
    }
    for row in DEVICE {
        for item in row.items(device) {
            let key = key(row, item);
            let Some(held) = device.secrets.iter().find(|held| held.key == key) else { continue };
            let (name, location) = match device.files.get(&format!("{key}.secret")) {
                Some((None, _)) => continue,
                Some((Some(name), location)) => (name.clone(), location.clone()),
                None => (format!("{}.yaml", stem(device, row, item)).into(), held.location.clone()),
            };
            let key = key.into_owned();
            rows.push((row, item, SecretFile { key, path: manifests(&device.name).join(name), location }));
        }
    }
    rows
}

/// The files of a device that hold secrets, in the order of the catalogue.
#[must_use]
pub fn secret_files(device: &Device) -> Vec<SecretFile> {
    secret_rows(device).into_iter().map(|(_, _, file)| file).collect()
}

/// Every file of a device, in the order in which a person would apply them; a secret one behind the tracked one that it is made from.
#[must_use]
pub fn outputs(device: &Device) -> Vec<Output> {
    let mut outputs = Vec::new();
    let secrets = secret_files(device);
    for row in DEVICE {
        for item in row.items(device) {
            let key = key(row, item);
            outputs.extend(target(device, row, item, &key).map(|path| Output {
                path,
                key: key.to_string(),
                reader: row.reader,
                applied: row.applied,
                secret: false,
                location: asked_at(device, row, item, &key),
            }));
            outputs.extend(secrets.iter().filter(|file| file.key == key).map(|file| Output {
                path: file.path.clone(),
                key: format!("{key}.secret"),
                reader: row.reader,
                applied: false,
                secret: true,
                location: file.location.clone(),
            }));
        }
    }
    outputs
}

/// Keys of `files` that ask for nothing.
pub(crate) fn unknown_files(device: &Device) -> Vec<Diagnostic> {
    if device.files.is_empty() {
        return Vec::new();
    }
    let mut known: Vec<String> =
        DEVICE.iter().flat_map(|row| row.items(device).into_iter().map(|item| key(row, item).into_owned())).collect();
    let with_secrets: Vec<String> =
        known.iter().filter(|key| holds_secret(device, key)).map(|key| format!("{key}.secret")).collect();
    known.extend(with_secrets);
    let unknown = device.files.iter().filter(|(key, _)| !known.contains(key));
    unknown
        .map(|(key, (_, location))| {
            let finding = Diagnostic::new(Code::UnknownFile, format!("`{key}` asks for no file"), location.as_key());
            let finding = match talosmith_document::closest(key, known.iter().map(String::as_str)) {
                Some(near) => finding.label(format!("did you mean `{near}`?")),
                None => finding,
            };
            finding.device(device.name.clone()).note(format!("keys that do: {}", known.join(", ")))
        })
        .collect()
}

/// Two artifacts that would be written to one file. Paths are compared without case, as some file systems do.
#[must_use]
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
            .help("give one of them another name under `files`, or another `path`");
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
