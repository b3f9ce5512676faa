//! What was imported, what was not, and the proof, for a person.

use std::collections::BTreeSet;

use camino::Utf8PathBuf;
use serde_json::Value;

use super::difference::Difference;
use super::documents::{FIELDS, WHOLE};
use super::draft::{Denied, Draft};
use super::fleet::ImportedFleet;
use super::main_document::ROWS;
use super::mask::Masked;
use super::objects::{self, Content};
use super::proof::{Proof, ProvedDevice, ProvedFile};
use super::reading::Found;
use super::source::Source;
use super::value::json;

/// The most differences that are listed for a file or a device.
const SHOWN: usize = 20;

/// Why talosmith generates something else on purpose, by a part of the place of the difference.
const EXPLAINED: [(&str, &str); 5] = [
    ("cluster.network.", "`clusterNetwork` writes all networks of the cluster, also those that the base config has"),
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
pub(crate) fn summary(
    found: &Found,
    masked: &Masked,
    (fleet, proof, denied): (&ImportedFleet, &Proof<'_>, &Denied),
) -> String {
    let mut text = not_mapped(fleet, found, denied);
    text.push_str(&left_alone(found, fleet));
    text.push_str(&replaced(&fleet.drafts, masked));
    text.push_str(&files(&proof.files, !proof.devices.is_empty()));
    proof.devices.iter().for_each(|device| text.push_str(&machine_config(device)));
    let is_proved = |draft: &&Draft| proof.devices.iter().any(|device| device.name == draft.name);
    for draft in fleet.drafts.iter().filter(|draft| !is_proved(draft) && !proof.devices.is_empty()) {
        text.push_str(&format!("  {}: not compared before the errors in the model are repaired\n", draft.name));
    }
    text
}

/// The values that no key has, each with its file, its line and its keys.
fn not_mapped(fleet: &ImportedFleet, found: &Found, denied: &Denied) -> String {
    let split = |place: &str| {
        let (path, line) = place.rsplit_once(':').unwrap_or((place, "1"));
        (path.to_owned(), line.parse::<usize>().unwrap_or(1))
    };
    let mut lines = BTreeSet::new();
    for (place, key, reason) in found.talconfig.iter().flat_map(|talconfig| &talconfig.not_mapped) {
        let (path, line) = split(place);
        lines.insert((path, line, format!("`{key}`: {reason}")));
    }
    for raw in fleet.drafts.iter().flat_map(|draft| &draft.raw) {
        let source = &found.sources[raw.source];
        for (place, keys) in &raw.values {
            let (path, line) = split(place);
            let reason = reason(source, keys, denied);
            lines.insert((path, line, format!("`{keys}`: {reason}, so it stays in the raw patch `{}`", raw.name)));
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
    let start = format!("{}#", source.key());
    let kind = keys.split(['.', ' ']).next().unwrap_or_default();
    let mut refused = denied.0.iter().filter_map(|(id, reason)| {
        let (position, path) = id.strip_prefix(&start)?.split_once(':')?;
        let document = source.documents.get(position.parse::<usize>().ok()?).map(json)?;
        let of_document = document["kind"].as_str().unwrap_or_default();
        let is_about = match (of_document, path) {
            ("", path) => is_in(path),
            (own, "") => [own, document["name"].as_str().unwrap_or_default()].join(" ").trim() == keys,
            (own, path) => is_in(&format!("{own}.{path}")),
        };
        is_about.then_some(reason)
    });
    if let Some(reason) = refused.next_back() {
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
            Content::Encrypted => {
                "encrypted with SOPS: import what `sops --decrypt` prints, whose secrets become placeholders"
            }
            Content::Other => "neither a patch of Talos nor a schematic",
            Content::Patch | Content::Schematic => continue,
        };
        if source.keeps_name && !used.contains(&index) && !fleet.generated.contains(&source.path) {
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
fn replaced(drafts: &[Draft], masked: &Masked) -> String {
    let hidden = drafts.iter().flat_map(|draft| draft.facts.hidden.iter().map(|(_, name)| name.clone()));
    let used: BTreeSet<&str> =
        drafts.iter().flat_map(|draft| draft.facts.placeholders.iter().map(String::as_str)).collect();
    let found = masked.names().filter(|name| used.contains(name)).map(|name| format!("${{{name}}}"));
    let names: BTreeSet<String> = hidden.chain(found).collect();
    let lines: String = names.into_iter().map(|name| format!("  {name}\n")).collect();
    if lines.is_empty() {
        lines
    } else {
        format!("secrets that the model does not have, and placeholders for them:\n{lines}")
    }
}

fn files(files: &[ProvedFile], has_devices: bool) -> String {
    if !has_devices {
        return "no proof: nothing is generated before the errors in the model are repaired\n".to_owned();
    }
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
        let name = match &file.device {
            Some(device) => format!("{} for {device}", file.path),
            None => file.path.to_string(),
        };
        lines.push(match file.is_spread {
            true => format!("  {name}: merged with others into {}\n", generated.join(", ")),
            false => format!("  {name} differs:\n{}", differences(&file.differences)),
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
