//! Files below `devices/` that look like a device and are not read as one, because only `devices/<name>/device.yaml` is.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_document::{Code, Diagnostic, Location};
use talosmith_model::layout::{DEVICE_FILE, DEVICES, device_file, device_folder};

use crate::named_files::symlink;
use crate::source_cache::SourceCache;
use crate::tree::{EntryKind, ReadError, Tree};

/// Returns an error for each device that is not read because of the name or the place of its file, and for each linked folder of a
/// device; a warning if there is no device at all. `absent` are the folders below `devices/` without a device; folders and files that
/// contain nothing of a device are fine.
pub(crate) fn misnamed_devices(
    tree: &dyn Tree,
    sources: &SourceCache<'_>,
    absent: &BTreeSet<String>,
    has_devices: bool,
) -> Result<Vec<Diagnostic>, ReadError> {
    let mut findings = Vec::new();
    for entry in tree.list(Utf8Path::new(DEVICES))? {
        let path = Utf8Path::new(DEVICES).join(&entry.name);
        let name = path.file_stem().unwrap_or_default();
        match entry.kind {
            EntryKind::Symlink => findings.push(symlink(sources, &path)),
            EntryKind::File if is_yaml(&path) && is_device(tree, &path)? => {
                let (folder, file) = (device_folder(name), device_file(name));
                findings.push(misnamed(sources, &path, &format!("mkdir -p {folder} && mv {path} {file}")));
            }
            EntryKind::File | EntryKind::Folder | EntryKind::Other => {}
        }
    }
    let mut folders: Vec<Utf8PathBuf> = absent.iter().map(|name| device_folder(name)).collect();
    while let Some(folder) = folders.pop() {
        let is_nested = folder.parent().is_some_and(|parent| parent != DEVICES);
        for entry in tree.list(&folder)? {
            let path = folder.join(&entry.name);
            let is_device_file =
                is_yaml(&path) && path.file_stem().is_some_and(|stem| stem.eq_ignore_ascii_case("device"));
            match entry.kind {
                EntryKind::Folder => folders.push(path),
                EntryKind::File if is_device_file && is_nested => {
                    let name = folder.file_name().unwrap_or_default();
                    findings.push(misnamed(sources, &path, &format!("mv {folder} {}", device_folder(name))));
                }
                EntryKind::File if is_device_file => {
                    findings.push(misnamed(sources, &path, &format!("mv {path} {}", folder.join(DEVICE_FILE))));
                }
                EntryKind::File | EntryKind::Symlink | EntryKind::Other => {}
            }
        }
    }
    if findings.is_empty() && !has_devices {
        findings.push(no_device(sources));
    }
    Ok(findings)
}

fn no_device(sources: &SourceCache<'_>) -> Diagnostic {
    Diagnostic::new(Code::NoDevice, "there is no device", Location::file(sources.add(DEVICES, "")))
        .note(format!("a device is a file `{}`", device_file("<name>")))
        .help("add one; `talosmith schema device` describes its keys")
}

fn misnamed(sources: &SourceCache<'_>, path: &Utf8Path, command: &str) -> Diagnostic {
    let message = format!("`{path}` is not read as a device");
    Diagnostic::new(Code::MisnamedDevice, message, Location::file(sources.add(path, "")))
        .note(format!("talosmith reads the files `{}`", device_file("<name>")))
        .help(format!("`{command}`"))
}

fn is_yaml(path: &Utf8Path) -> bool {
    path.extension().is_some_and(|extension| ["yaml", "yml"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// Whether a file has the key that every device has.
fn is_device(tree: &dyn Tree, path: &Utf8Path) -> Result<bool, ReadError> {
    let bytes = tree.read(path)?.unwrap_or_default();
    Ok(bytes.split(|byte| *byte == b'\n').any(|line| line.starts_with(b"cluster:")))
}
