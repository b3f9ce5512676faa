//! Volumes in raw patches, as far as they need space on the disks of the model.

use std::collections::BTreeMap;
use std::sync::Arc;

use talosmith_document::{Code, Diagnostic, Location, Pointer, TalosVersion};
use talosmith_machinery::{PatchedDocument, volume_bytes};

use super::raw;
use super::room::{Bounds, Placed};
use super::selectors::SelectableDisks;
use super::{Check, Disk, Patch};
use crate::scalar::{Size, UpperBound};

/// The kinds of documents whose volumes are partitions.
const KINDS: [&str; 4] = ["VolumeConfig", "UserVolumeConfig", "RawVolumeConfig", "SwapVolumeConfig"];

/// Adds the volumes of raw patches to those of the model, which are in `on_disk` by the names of their disks.
pub(super) fn add<'d>(
    check: &mut Check<'_>,
    disks: &'d [Disk],
    patches: &[Arc<Patch>],
    version: &TalosVersion,
    on_disk: &mut BTreeMap<&'d str, Vec<Placed>>,
) {
    if patches.is_empty() {
        return;
    }
    let mut selectable = SelectableDisks::new(check, disks, version);
    for kind in KINDS {
        for (patch, document) in raw::documents(patches, kind) {
            let own = kind == "VolumeConfig";
            let is_partition = matches!(document.text("volumeType"), None | Some("partition"));
            // STATE is counted as one of Talos's partitions, and its other volumes are directories without a size.
            let is_counted = match document.name {
                "EPHEMERAL" => true,
                "STATE" => false,
                _ => !own || document.has("provisioning.minSize"),
            };
            if !is_partition || !is_counted {
                continue;
            }
            let bounds = bounds(document);
            let typed = on_disk.values_mut().flatten().find(|placed| placed.own == own && placed.name == document.name);
            if let Some(typed) = typed {
                typed.merge(bounds);
                continue;
            }
            let disk = match document.text("provisioning.diskSelector.match") {
                Some(selector) => selectable.find(check, selector, version),
                None => disks.iter().find(|disk| own && disk.system),
            };
            let Some(disk) = disk else { continue };
            let location = location(patch, document);
            if let Some(purpose) = &disk.reserved {
                report_reserved(check, disk, purpose, location.clone());
            }
            let bounds = match bounds {
                Bounds::Range { min: Some(min), max: Some(max) } if max.bytes() == Some(min.bytes()) => {
                    Bounds::Exact(min)
                }
                bounds => bounds,
            };
            let placed = Placed { name: document.name.to_owned(), own, bounds, location: Some(location) };
            on_disk.entry(&disk.name).or_default().push(placed);
        }
    }
}

fn report_reserved(check: &mut Check<'_>, disk: &Disk, purpose: &str, location: Location) {
    let reserved = check.at(Pointer::new("/disks").child(&disk.name).child("reserved"));
    let message = format!("`{}` is reserved for {purpose}", disk.name);
    check.push(
        Diagnostic::new(Code::ReservedDisk, message, location)
            .also(reserved, "reserved here")
            .note("Talos partitions an empty disk, and whatever it is reserved for then finds it in use")
            .help("select another disk in the patch, or remove `reserved`"),
    );
}

/// Where a volume specifies how large it is, or else its name.
fn location(patch: &Patch, document: PatchedDocument<'_>) -> Location {
    let paths = ["name", "provisioning.minSize", "provisioning.maxSize"];
    let scalar = paths.into_iter().find_map(|path| document.scalars(path).into_iter().next());
    patch.locator.location(scalar.map_or(0..0, |scalar| scalar.bytes))
}

fn bounds(document: PatchedDocument<'_>) -> Bounds {
    let size = |text: &str| volume_bytes(text).and_then(|bytes| format!("{bytes}B").parse::<Size>().ok());
    let min = document.text("provisioning.minSize").and_then(|text| text.parse().ok().or_else(|| size(text)));
    let max = document
        .text("provisioning.maxSize")
        .and_then(|text| text.parse().ok().or_else(|| size(text).map(UpperBound::Size)));
    Bounds::Range { min, max }
}
