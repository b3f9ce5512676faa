//! What was imported, what was not, and the proof, for a person.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::difference::Difference;
use super::documents::{FIELDS, WHOLE};
use super::draft::{Denied, Draft};
use super::fleet::ImportedFleet;
use super::main_document::ROWS;
use super::objects::{self, Content};
use super::proof::{Proof, ProvedDevice, ProvedFile};
use super::source::{Found, Source};
use super::value::json;

/// The most differences that are listed for a file or a device.
const SHOWN: usize = 20;

/// Why talosmith generates something else on purpose, by a part of the place of the difference.
const EXPLAINED: [(&str, &str); 4] = [
    (
        "plugins.io.containerd.grpc.v1.cri",
        "containerd 2 ignores this section: the runtimes are below io.containerd.cri.v1.runtime",
    ),
    ("spec.initContainers.0.command", "the script is talosmith's own; it makes the same file"),
    (
        "hostPath.type",
        "with DirectoryOrCreate, Kubernetes would make the folder on EPHEMERAL where the volume is missing",
    ),
    ("machine.files./etc/cri/", "the layout and the comments are talosmith's own; other values are listed above"),
];

/// Describes an import.
pub(crate) fn summary(found: &Found, fleet: &ImportedFleet, proof: &Proof<'_>, denied: &Denied) -> String {
    let mut text = not_mapped(&fleet.drafts, &found.sources, denied);
    text.push_str(&left_alone(found, fleet));
    text.push_str(&replaced(&fleet.drafts));
    text.push_str(&files(&proof.files));
    proof.devices.iter().for_each(|device| text.push_str(&machine_config(device)));
    text
}

/// The values that no key has, each with its file, its line and its keys.
fn not_mapped(drafts: &[Draft], sources: &[Source], denied: &Denied) -> String {
    let mut lines = BTreeSet::new();
    for raw in drafts.iter().flat_map(|draft| &draft.raw) {
        let source = &sources[raw.source];
        for (place, keys) in &raw.values {
            let (path, line) = place.rsplit_once(':').unwrap_or((place, "1"));
            let line: usize = line.parse().unwrap_or(1);
            let reason = reason(source, keys, denied);
            lines.insert((
                path.to_owned(),
                line,
                format!("`{keys}`: {reason}, so it stays in the raw patch `{}`", raw.name),
            ));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|(path, line, what)| format!("  {path}:{line}: {what}\n"));
    format!("not mapped:\n{}", lines.collect::<String>())
}

fn reason(source: &Source, keys: &str, denied: &Denied) -> String {
    let is_in = |path: &str| keys == path || keys.starts_with(&format!("{path}."));
    let start = format!("{}#", source.path);
    let kind = keys.split('.').next().unwrap_or_default();
    let refused = denied.0.iter().filter_map(|(id, reason)| {
        let (position, path) = id.strip_prefix(&start)?.split_once(':')?;
        let document = source.documents.get(position.parse::<usize>().ok()?).map(json)?;
        let of_document = document["kind"].as_str().unwrap_or_default();
        let is_about = match (of_document, path) {
            ("", path) => is_in(path),
            (own, "") => own == kind,
            (own, path) => is_in(&format!("{own}.{path}")),
        };
        is_about.then_some(reason)
    });
    if let Some(reason) = refused.last() {
        return reason.clone();
    }
    let row = ROWS.iter().chain(FIELDS).find(|row| is_in(row.path) || row.path.starts_with(&format!("{keys}.")));
    match row {
        Some(row) => format!("the key `{}` cannot say it", row.key.replace('/', ".")),
        None if WHOLE.iter().any(|whole| whole.kinds.contains(&kind)) => {
            format!("no key of the model has all of this {kind}")
        }
        None => "no key of the model".to_owned(),
    }
}

/// The files that stay as they are.
fn left_alone(found: &Found, fleet: &ImportedFleet) -> String {
    let mut lines: BTreeSet<(&Utf8PathBuf, String)> =
        found.left.iter().map(|(path, reason)| (path, (*reason).to_owned())).collect();
    let used: BTreeSet<usize> =
        fleet.drafts.iter().flat_map(|draft| draft.taken.iter().map(|taken| taken.source)).collect();
    for (index, source) in found.sources.iter().enumerate() {
        let documents: Vec<Value> = source.documents.iter().map(json).collect();
        let reason = match objects::classify(&documents) {
            Content::Objects => "objects of Kubernetes that no key generates",
            Content::Other => "neither a patch of Talos nor a schematic",
            Content::Patch | Content::Schematic => continue,
        };
        if !used.contains(&index) && !fleet.generated.contains(&source.path) {
            lines.insert((&source.path, reason.to_owned()));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|(path, reason)| format!("  {path}: {reason}\n"));
    format!("left alone:\n{}", lines.collect::<String>())
}

/// The secrets that were replaced, without their values.
fn replaced(drafts: &[Draft]) -> String {
    let names: BTreeSet<&String> =
        drafts.iter().flat_map(|draft| draft.facts.hidden.iter().map(|(_, placeholder)| placeholder)).collect();
    let lines: String = names.into_iter().map(|name| format!("  {name}\n")).collect();
    if lines.is_empty() {
        lines
    } else {
        format!("secrets that the model does not have, and placeholders for them:\n{lines}")
    }
}

fn files(files: &[ProvedFile]) -> String {
    let paths: BTreeSet<&Utf8PathBuf> = files.iter().map(|file| &file.path).collect();
    let is_equal = |path: &&&Utf8PathBuf| {
        let mut own = files.iter().filter(|file| file.path == ***path);
        own.all(|file| file.differences.is_empty() && !file.is_spread)
    };
    let equal = paths.iter().filter(is_equal).count();
    let mut text = format!("proof: of {} files, {equal} are generated with the same data\n", paths.len());
    let mut lines: Vec<String> = Vec::new();
    for file in files.iter().filter(|file| file.is_spread || !file.differences.is_empty()) {
        let generated: Vec<&str> = file.generated.iter().map(|path| path.as_str()).collect();
        lines.push(match file.is_spread {
            true => format!("  {}: merged with others into {}\n", file.path, generated.join(", ")),
            false => format!("  {} differs:\n{}", file.path, differences(&file.differences)),
        });
    }
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    text.push_str(&lines.concat());
    text
}

fn machine_config(device: &ProvedDevice) -> String {
    match (&device.failure, device.differences.as_slice()) {
        (Some(failure), _) => format!("  {}: the machine configs are not compared: {failure}\n", device.name),
        (None, []) => format!("  {}: the machine config is the same\n", device.name),
        (None, found) => {
            format!("  {}: the machine config differs in {} values:\n{}", device.name, found.len(), differences(found))
        }
    }
}

fn differences(found: &[Difference]) -> String {
    let mut text = String::new();
    for difference in found.iter().take(SHOWN) {
        let change = match (&difference.before, &difference.after) {
            // What differs is far behind.
            (Some(before), Some(after)) if before == after => "not the same".to_owned(),
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (Some(before), None) => format!("{before} → nothing"),
            (None, Some(after)) => format!("nothing → {after}"),
            (None, None) => "not the same".to_owned(),
        };
        text.push_str(&format!("    {}: {change}\n", difference.at));
        let explained = EXPLAINED.iter().find(|(part, _)| difference.at.contains(part));
        text.extend(explained.map(|(_, why)| format!("      {why}\n")));
    }
    if found.len() > SHOWN {
        text.push_str(&format!("    and {} more\n", found.len() - SHOWN));
    }
    text
}
