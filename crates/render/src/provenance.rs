//! Which key of the model a line of an artifact comes from.
//!
//! An artifact has the key that requests it. Of the scalars below that key, and below a few others whose values such an artifact
//! contains, the line comes from the one that is in it.

use std::ops::Range;

use camino::Utf8Path;
use serde_json::Value;
use talosmith_document::{Location, Pointer};
use talosmith_model::plan::{ApplicationNode, Cluster, Content, Device};
use talosmith_model::{FleetFile, ResolvedKey};

use crate::catalogue::{Application, Each, Row};
use crate::target::{key_location, key_pointer, row_of_key, row_of_path};

/// The first difference between the generated and the edited text of a file.
#[derive(Debug)]
pub struct Edit<'a> {
    pub generated: &'a str,
    pub edited: &'a str,
    /// The index of the first line that differs.
    pub line: usize,
    /// The line as it was generated; none if lines were only added.
    wanted: Option<&'a str>,
    /// The bytes of it that were edited.
    part: Range<usize>,
}

/// Where the model specifies a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provenance {
    pub location: Location,
    /// Whether the line comes from there; otherwise only the file does.
    pub is_exact: bool,
}

impl<'a> Edit<'a> {
    /// Compares two texts that differ.
    pub fn new(generated: &'a str, edited: &'a str) -> Self {
        let (new, old): (Vec<&str>, Vec<&str>) = (generated.lines().collect(), edited.lines().collect());
        let line = new.iter().zip(&old).take_while(|(new, old)| new == old).count();
        let is_insertion = old.len() > new.len() && old[line + old.len() - new.len()..] == new[line..];
        let wanted = new.get(line).copied().filter(|_| !is_insertion);
        let part = wanted.map_or(0..0, |wanted| differing(wanted, old.get(line).copied().unwrap_or_default()));
        Self { generated, edited, line, wanted, part }
    }

    /// The index of the last generated line that the edit is about: the edited one, or the one before an inserted one.
    pub(crate) fn last_line(&self) -> usize {
        if self.wanted.is_some() { self.line } else { self.line.saturating_sub(1) }
    }

    /// How well a scalar of the model fits the line; none if neither its value nor its key is in it.
    fn fit(&self, scalar: &ResolvedKey) -> Option<Fit> {
        let line = self.wanted?;
        let value = scalar_text(&scalar.value);
        let value = value.as_str();
        let (mut is_in_line, mut is_edited) = (false, false);
        for at in occurrences(line, value) {
            is_in_line = true;
            is_edited |= at < self.part.end && self.part.start < at + value.len();
        }
        let key = scalar.key.last().unwrap_or_default();
        let has_key = key.parse::<usize>().is_err() && occurrences(line, &key).next().is_some();
        (is_in_line || has_key).then_some(Fit {
            is_edited,
            is_both: is_in_line && has_key,
            is_in_line,
            length: value.len(),
        })
    }

    fn best(&self, scalars: &[ResolvedKey]) -> Option<(Fit, Location)> {
        let fits = scalars.iter().filter_map(|scalar| Some((self.fit(scalar)?, scalar)));
        // The first of several that fit equally.
        let best = fits.reduce(|best, next| if next.0 > best.0 { next } else { best });
        best.map(|(fit, scalar)| (fit, scalar.location.clone()))
    }
}

/// How well a scalar fits a line: the greatest is the best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    is_edited: bool,
    is_both: bool,
    is_in_line: bool,
    length: usize,
}

/// Returns the location of what `line`, a key and its value or a value alone, comes from in the artifact of a device that `key`
/// requests: of a scalar or a mapping below the key, or else of the key. `key` is as `files` has it.
pub(crate) fn source_of(device: &Device, key: &str, line: &str) -> Location {
    let Some((row, item)) = row_of_key(device, key) else { return device.location.clone() };
    let edit = Edit { generated: line, edited: line, line: 0, wanted: line.lines().next(), part: 0..line.len() };
    let shared = shared_keys(row.key).iter().map(|key| (*key).into());
    let scalars = device.keys.scalars(&std::iter::once(key_pointer(row, item)).chain(shared).collect::<Vec<_>>());
    // A mapping, or a value that is the name of one in the model, such as the path of a file.
    let (name, value) = line.split_once(": ").unwrap_or((line.trim_end().trim_end_matches(':'), ""));
    let mapping = || {
        let path = scalars.iter().map(|scalar| scalar.key.segments().collect::<Vec<_>>());
        let is_named = |key: &String| key == name || key == value;
        let at = path.filter_map(|path| Some(path[..=path.iter().rposition(is_named)?].to_vec())).next()?;
        Some(device.keys.at(at.iter().fold(Pointer::root(), |at, key| at.child(key))).as_key())
    };
    let scalar = edit.best(&scalars).map(|(_, location)| location);
    scalar.or_else(mapping).unwrap_or_else(|| key_location(device, row, item))
}

/// Returns the keys of a device whose values are in the file of another key beside its own.
fn shared_keys(key: &str) -> &'static [&'static str] {
    match key {
        "nameservers" => &["/searchDomains"],
        "tailscale" => &["/hostname"],
        _ => &[],
    }
}

/// Returns where the model specifies the edited line of an artifact of a device, whose key is as `files` has it.
pub fn of_device(fleet: &FleetFile, device: &Device, key: &str, edit: &Edit<'_>) -> Provenance {
    let Some((row, item)) = row_of_key(device, key) else {
        return Provenance { location: device.location.clone(), is_exact: false };
    };
    if let Some(location) = line_of_patch(device, row, item, edit) {
        return Provenance { location, is_exact: true };
    }
    let own = edit.best(&device.keys.scalars(&[key_pointer(row, item)]));
    let exact = match own {
        Some((Fit { is_edited: true, .. }, location)) => Some(location),
        own => {
            let other = edit.best(&others(fleet, device, row.key)).filter(|(fit, _)| fit.is_edited);
            other.or(own).map(|(_, location)| location)
        }
    };
    match exact {
        Some(location) => Provenance { location, is_exact: true },
        None => Provenance { location: key_location(device, row, item), is_exact: false },
    }
}

/// The line of a raw patch that is written as a string.
fn line_of_patch(device: &Device, row: &Row, item: &str, edit: &Edit<'_>) -> Option<Location> {
    let patch = device.patches.iter().find(|patch| matches!(row.each, Each::Patch) && patch.name == item)?;
    let Content::Text(text) = &patch.content else { return None };
    edit.wanted?;
    // The first line of the artifact is the header.
    let start: usize = text.split_inclusive('\n').take(edit.line.checked_sub(1)?).map(str::len).sum();
    let line = text[start..].lines().next()?;
    let indent = line.len() - line.trim_start().len();
    Some(patch.locator.location(start + indent..start + line.len()))
}

/// The scalars below other keys whose values an artifact contains.
fn others(fleet: &FleetFile, device: &Device, key: &str) -> Vec<ResolvedKey> {
    let cluster = Pointer::new("/clusters").child(&device.cluster);
    let (own, clusters): (&[&str], &[&str]) = match key {
        "install.image" | "install.alternatives.*" => (&["/talosVersion"], &["/talosVersion"]),
        "install.disk" | "volumes.*" => (&["/disks"], &[]),
        "hostname" => (&["/name"], &[]),
        "endpoint" => (&[], &["/endpoint"]),
        "nameservers" => (&["/searchDomains"], &[]),
        "tailscale" => (&["/hostname", "/name"], &["/podCIDRs", "/serviceCIDRs"]),
        "kata" => (&[], &["/applications/kata-containers"]),
        "documents.runbook" | "documents.diskMap" => (&[""], &[""]),
        _ => (&[], &[]),
    };
    let mut scalars = device.keys.scalars(&own.iter().map(|key| (*key).into()).collect::<Vec<_>>());
    scalars.extend(clusters.iter().flat_map(|key| fleet.scalars(&cluster.join(&(*key).into()))));
    if key.starts_with("install.") {
        scalars.extend(device.images.schematics.iter().map(|schematic| {
            let key = Pointer::new("/schematics").child(&schematic.name);
            let location = device.keys.at(key.clone()).as_key();
            ResolvedKey { value: schematic.id.as_str().into(), location, key, overridden: Vec::new() }
        }));
    }
    scalars
}

/// Returns where the model specifies the edited line of the artifact at `path` of a cluster; none if it has no such artifact.
pub fn of_cluster(fleet: &FleetFile, cluster: &Cluster, path: &Utf8Path, edit: &Edit<'_>) -> Option<Provenance> {
    let (row, item) = row_of_path(cluster, path)?;
    if let Some(location) = item.map(|item| &item.location).or_else(|| member(cluster, row.application, edit)) {
        return Some(Provenance { location: location.clone(), is_exact: true });
    }
    let key = Pointer::new("/clusters").child(&cluster.name).child("applications").child(row.application.name());
    Some(match edit.best(&fleet.scalars(&key)) {
        Some((_, location)) => Provenance { location, is_exact: true },
        None => Provenance { location: fleet.at(key).as_key(), is_exact: false },
    })
}

/// The key of the device that the line is about: of the one whose node is named in it, or else in the lines around it at its indent.
fn member<'a>(cluster: &'a Cluster, application: Application, edit: &Edit<'_>) -> Option<&'a Location> {
    let line = edit.wanted?;
    let lines: Vec<&str> = edit.generated.lines().collect();
    let indent = |line: &str| line.len() - line.trim_start().len();
    let above =
        lines[..edit.line].iter().rev().take_while(|other| indent(other) >= indent(line) && !is_list_item(other));
    // A line of brackets alone opens what is about a device.
    let below = lines[edit.line + 1..].iter().take(usize::from(!line.contains(char::is_alphanumeric)));
    std::iter::once(&line).chain(above).chain(below).find_map(|line| member_in(cluster, application, line))
}

fn is_list_item(line: &str) -> bool {
    line.trim_start().starts_with("- ")
}

/// The key of the device whose node, or whose file of StorageClasses, is named in a line.
fn member_in<'a>(cluster: &'a Cluster, application: Application, line: &str) -> Option<&'a Location> {
    let names = |name: &str| occurrences(line, name).next().is_some();
    let is_named = |node: &&ApplicationNode| names(&node.node);
    let mut of_kata = cluster.kata.iter().flat_map(|kata| kata.nodes.iter().flatten());
    let mut of_gpu = cluster.gpu.iter().flat_map(|gpu| gpu.pods.nodes());
    match application {
        Application::Kata => return of_kata.find(is_named).map(|node| &node.location),
        Application::Gpu => return of_gpu.find(is_named).map(|node| &node.location),
        Application::LocalPath => {}
    }
    let local_path = cluster.local_path.as_ref()?;
    let mut files = local_path.storage_classes.iter().flatten();
    if let Some(classes) = files.find(|classes| names(&format!("storageclasses/{}.yaml", classes.device))) {
        return Some(&classes.location);
    }
    let mut nodes = local_path.node_path_map.iter().flatten();
    nodes.find(|node| names(&node.node)).map(|node| &node.location)
}

/// Where a text is in a line, and is not part of a longer word.
fn occurrences<'a>(line: &'a str, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    let is_word = |c: char| c.is_alphanumeric();
    let found = line.match_indices(text).filter(|_| !text.is_empty());
    found.map(|(at, _)| at).filter(move |at| {
        let (before, after) = (line[..*at].chars().next_back(), line[at + text.len()..].chars().next());
        let is_longer = before.is_some_and(is_word) && text.starts_with(is_word)
            || after.is_some_and(is_word) && text.ends_with(is_word);
        !is_longer
    })
}

fn scalar_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The bytes of `line` that are not the same in `other`; at least one.
fn differing(line: &str, other: &str) -> Range<usize> {
    let same = |pairs: &mut dyn Iterator<Item = (char, char)>| -> usize {
        pairs.take_while(|(one, two)| one == two).map(|(one, _)| one.len_utf8()).sum()
    };
    let start = same(&mut line.chars().zip(other.chars()));
    let rest = other.get(start..).unwrap_or_default();
    let end = line.len() - same(&mut line[start..].chars().rev().zip(rest.chars().rev()));
    start..end.max(start + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edit_is_the_part_of_the_first_line_that_differs() {
        let edit = Edit::new("a: 1\nb: 500GB\nc: 3\n", "a: 1\nb: 501GB\nc: 3\n");
        assert_eq!((edit.line, edit.wanted, edit.part), (1, Some("b: 500GB"), 5..6));
        let removed = Edit::new("a: 1\nb: 2\nc: 3\n", "a: 1\nc: 3\n");
        assert_eq!((removed.line, removed.wanted), (1, Some("b: 2")));
        let added = Edit::new("a: 1\nc: 3\n", "a: 1\nb: 2\nc: 3\n");
        assert_eq!((added.line, added.wanted), (1, None));
        let appended = Edit::new("a: 1\n", "a: 1\nb: 2\n");
        assert_eq!((appended.line, appended.wanted), (1, None));
    }

    #[test]
    fn a_text_is_found_as_a_whole_word() {
        let found = |line, text| occurrences(line, text).collect::<Vec<_>>();
        assert_eq!(found("size: 10GB, of 110GB, 10GB", "10GB"), [6, 22]);
        assert_eq!(found("a", ""), Vec::<usize>::new());
        assert_eq!(found("ref=v0.0.31\"", "v0.0.31"), [4]);
    }
}
