//! The output of `talosmith import`: the values and files that were not imported, the secrets that were replaced, and the proof.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::Value;
use talosmith_model::layout::device_file;

use super::difference::ValueDifference;
use super::documents::{DOCUMENT_FIELDS, DOCUMENTS};
use super::draft::{Draft, Rejected};
use super::file_kind::FileKind;
use super::fleet::ImportedFleet;
use super::legacy_network::{INTERFACES, obstacle};
use super::main_document::{FieldMapping, MAIN_FIELDS};
use super::mask::Masked;
use super::proof::{Equality, ImportProof, ProvedDevice, ProvedFile};
use super::reading::FoundFiles;
use super::source_file::{NotMapped, SourceFile};
use super::value::{at, json};
use crate::report::count;

/// The number of differences that are listed for a file or a device.
const MAX_DIFFERENCES: usize = 20;

/// The number of generated files that are listed for an imported file.
const MAX_PATHS: usize = 6;

/// The reasons for differences on purpose, by a part of [`ValueDifference::at`].
const REASONS: [(&str, &str); 6] = [
    (
        "HostnameConfig: auto",
        "Talos refuses `machine.network.hostname` next to this document, which base configs of 1.12 and later have",
    ),
    ("cluster.network.", "`clusterNetwork` writes all networks of the cluster, also those that the base config has"),
    (
        "plugins.io.containerd.grpc.v1.cri",
        "containerd 2 ignores this section: the runtimes are below io.containerd.cri.v1.runtime",
    ),
    ("spec.initContainers.0.command", "talosmith generates another script, which creates the same file"),
    (
        "hostPath.type",
        "with DirectoryOrCreate, Kubernetes would create the folder on EPHEMERAL if the volume is missing",
    ),
    (
        "machine.files./etc/cri/",
        "talosmith generates another layout and other comments; values that differ are listed above",
    ),
];

/// Returns the description of an import.
pub(crate) fn summary(
    found: &FoundFiles,
    masked: &Masked,
    (fleet, proof, rejected): (&ImportedFleet, &ImportProof<'_>, &Rejected),
) -> String {
    let mut text = not_mapped(fleet, found, rejected);
    text.push_str(&skipped(found, fleet));
    text.push_str(&rewritten(&fleet.drafts, found));
    text.push_str(&removed(rejected));
    text.push_str(&replaced(&fleet.drafts, masked));
    text.push_str(&files(&proof.files, !proof.devices.is_empty()));
    proof.devices.iter().for_each(|device| text.push_str(&machine_config(device)));
    let is_proved = |draft: &&Draft| proof.devices.iter().any(|device| device.name == draft.name);
    for draft in fleet.drafts.iter().filter(|draft| !is_proved(draft) && !proof.devices.is_empty()) {
        text.push_str(&format!("  {}: not compared, because the model has errors\n", draft.name));
    }
    text
}

/// Lists the values without a model key, each with its file, line and keys.
fn not_mapped(fleet: &ImportedFleet, found: &FoundFiles, rejected: &Rejected) -> String {
    let split = |place: &str| {
        let (path, line) = place.rsplit_once(':').unwrap_or((place, "1"));
        (path.to_owned(), line.parse::<usize>().unwrap_or(1))
    };
    let mut lines = BTreeSet::new();
    let of_talconfig = found.talconfig.iter().flat_map(|talconfig| &talconfig.not_mapped);
    let of_drafts = fleet.drafts.iter().flat_map(|draft| &draft.not_mapped);
    let replaced = found.sources.iter().filter_map(|source| source.json_patch.as_ref().filter(|it| it.text.is_some()));
    for NotMapped { place, key, reason } in of_talconfig
        .chain(of_drafts)
        .chain(replaced.flat_map(|patch| patch.refused.iter().map(|operation| &operation.not_mapped)))
    {
        let (path, line) = split(place);
        lines.insert((path, line, format!("`{key}`: {reason}")));
    }
    for raw in fleet.drafts.iter().flat_map(|draft| &draft.raw) {
        let source = &found.sources[raw.source];
        for (place, keys) in &raw.values {
            let (path, line) = split(place);
            let reason = reason(source, keys, rejected);
            lines.insert((path, line, format!("`{keys}`: {reason}, so it stays in the raw patch `{}`", raw.name)));
        }
    }
    if lines.is_empty() {
        return String::new();
    }
    let lines = lines.iter().map(|(path, line, what)| format!("  {path}:{line}: {what}\n"));
    format!("not mapped:\n{}", lines.collect::<String>())
}

/// Returns the reason why the value at some keys of a file was not mapped.
fn reason(source: &SourceFile, keys: &str, rejected: &Rejected) -> String {
    if let Some(patch) = source.json_patch.as_ref().filter(|patch| patch.text.is_none()) {
        let refused = patch.refused.iter().map(|operation| &operation.not_mapped).find(|refused| refused.key == keys);
        let reason = refused.map_or("another operation of the JSON patch has no equal merge patch", |it| &it.reason);
        return reason.to_owned();
    }
    let is_in = |path: &str| keys == path || keys.starts_with(&format!("{path}."));
    let start = format!("{}#", source.identity());
    let kind = keys.split(['.', ' ']).next().unwrap_or_default();
    let mut refused = rejected.facts.iter().filter_map(|(id, reason)| {
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
    if keys == INTERFACES
        && let Some(reason) = source.documents.iter().find_map(|node| obstacle(at(&json(node), keys)?))
    {
        return reason;
    }
    // A key above those of a field is about it if the file has the field.
    let has = |path: &str| source.documents.iter().any(|node| at(&json(node), path).is_some());
    let is_document = |path: &str| !path.starts_with("machine.") && !path.starts_with("cluster.");
    let is_below = |path: &str| path.starts_with(&format!("{keys}.")) && (is_document(path) || has(path));
    let is_mapped = |field: &&FieldMapping| is_in(field.path) || is_below(field.path);
    match MAIN_FIELDS.iter().chain(DOCUMENT_FIELDS).find(is_mapped) {
        Some(field) => format!("the model key `{}` cannot have this value", field.key.replace('/', ".")),
        None if DOCUMENTS.iter().any(|mapping| mapping.kinds.contains(&kind)) => {
            format!("no model key can have all fields of this {kind}")
        }
        None => "no model key".to_owned(),
    }
}

/// Lists the files that were not imported.
fn skipped(found: &FoundFiles, fleet: &ImportedFleet) -> String {
    let mut lines: BTreeSet<(&Utf8PathBuf, String)> =
        found.skipped.iter().map(|(path, reason)| (path, (*reason).to_owned())).collect();
    let used: BTreeSet<usize> =
        fleet.drafts.iter().flat_map(|draft| draft.mapped.iter().map(|value| value.source)).collect();
    for (index, source) in found.sources.iter().enumerate() {
        let reason = match source.kind() {
            FileKind::KubernetesObjects => "Kubernetes objects that no model key generates",
            FileKind::SecretsBundle => "the secrets of the cluster, which the model does not have",
            FileKind::Encrypted => {
                "encrypted with SOPS: import the output of `sops --decrypt`, whose secrets are replaced by placeholders"
            }
            FileKind::Other => "neither a patch of a machine config nor a schematic",
            FileKind::Patch | FileKind::Schematic => continue,
        };
        if source.keeps_name && !used.contains(&index) && !fleet.generated.contains(&source.path) {
            lines.insert((&source.path, reason.to_owned()));
        }
    }
    let devices =
        found.existing_devices.iter().map(|name| format!("  the files of {name}: {} exists\n", device_file(name)));
    let lines = lines.iter().map(|(path, reason)| format!("  {path}: {reason}\n")).chain(devices).collect::<String>();
    if lines.is_empty() { lines } else { format!("not imported:\n{lines}") }
}

/// Lists the raw patches whose text is not that of the file.
fn rewritten(drafts: &[Draft], found: &FoundFiles) -> String {
    let list = |title: &str, is_listed: &dyn Fn(&SourceFile) -> bool| {
        let raw = drafts.iter().flat_map(|draft| &draft.raw).map(|raw| (raw, &found.sources[raw.source]));
        let raw = raw.filter(|(_, source)| is_listed(source));
        let lines: BTreeSet<String> =
            raw.map(|(raw, source)| format!("  {}: raw patch `{}`\n", source.path, raw.name)).collect();
        if lines.is_empty() { String::new() } else { format!("{title}:\n{}", lines.into_iter().collect::<String>()) }
    };
    let is_replaced = |source: &SourceFile| source.json_patch.as_ref().is_some_and(|patch| patch.text.is_some());
    let aliases = list("written without anchors, aliases, merge keys and comments", &|source| {
        source.has_aliases && !is_replaced(source)
    });
    aliases + &list("written as merge patches, without comments", &is_replaced)
}

/// Lists the keys of layers that the files of a node do not have.
fn removed(rejected: &Rejected) -> String {
    let lines = rejected.inherited.iter().map(|key| format!("  {}: `{key}`\n", device_file(&key.device)));
    let lines: String = lines.collect();
    if lines.is_empty() {
        lines
    } else {
        format!("set to null, because the layers of the cluster have it and the files do not:\n{lines}")
    }
}

/// Lists the placeholders that replace secrets.
fn replaced(drafts: &[Draft], masked: &Masked) -> String {
    let hidden = drafts.iter().flat_map(|draft| draft.facts.hidden.iter().map(|(_, name)| name.clone()));
    let used: BTreeSet<&str> =
        drafts.iter().flat_map(|draft| draft.facts.placeholders.iter().map(String::as_str)).collect();
    let found = masked.names().filter(|name| used.contains(name)).map(|name| format!("${{{name}}}"));
    let names: BTreeSet<String> = hidden.chain(found).collect();
    let lines: String = names.into_iter().map(|name| format!("  {name}\n")).collect();
    if lines.is_empty() { lines } else { format!("secrets replaced by placeholders:\n{lines}") }
}

fn files(files: &[ProvedFile], has_devices: bool) -> String {
    if !has_devices {
        return "no proof: nothing is generated, because the model has errors\n".to_owned();
    }
    let mut text = format!("proof: {}\n", equality_counts(files));
    let mut lines: Vec<String> = Vec::new();
    for file in files.iter().filter(|file| file.equality != Equality::SameData) {
        let name = match &file.device {
            Some(device) => format!("{} for {device}", file.path),
            None => file.path.to_string(),
        };
        let is_alike = |other: &&ProvedFile| {
            (&other.path, &other.device, other.equality, other.is_merged)
                == (&file.path, &file.device, file.equality, file.is_merged)
        };
        let generated = || names(files.iter().filter(is_alike).flat_map(|file| &file.generated));
        lines.push(match file.equality {
            _ if file.is_merged => format!("  {name}: merged with others into {}\n", generated()),
            Equality::SameData | Equality::SameConfig => format!("  {name}: in another form in {}\n", generated()),
            Equality::Different if file.generated.is_empty() => {
                format!("  {name}: not in the model, so the machine config differs\n")
            }
            Equality::Different if file.differences.is_empty() => {
                format!("  {name}: in another form in {}, and the machine config differs\n", generated())
            }
            Equality::Different => format!("  {name} differs:\n{}", differences(&file.differences)),
        });
    }
    let mut seen = BTreeSet::new();
    lines.retain(|line| seen.insert(line.clone()));
    text.push_str(&lines.concat());
    text
}

/// Counts the files by how equal they and the generated files are.
fn equality_counts(files: &[ProvedFile]) -> String {
    let mut by_path: BTreeMap<&Utf8PathBuf, Equality> = BTreeMap::new();
    for file in files {
        let known = by_path.entry(&file.path).or_insert(file.equality);
        *known = file.equality.max(*known);
    }
    let number = |equality| by_path.values().filter(|own| **own == equality).count();
    let (data, config, different) =
        (number(Equality::SameData), number(Equality::SameConfig), number(Equality::Different));
    let are_generated = |number: usize| if number == 1 { "is generated" } else { "are generated" };
    let mut parts = Vec::new();
    if data > 0 || config == 0 {
        parts.push(format!("{data} {} with the same data", are_generated(data)));
    }
    if config > 0 {
        let verb = if data > 0 { String::new() } else { format!("{} ", are_generated(config)) };
        parts.push(format!("{config} {verb}in another form with the same machine config"));
    }
    if different > 0 {
        parts.push(format!("{different} {}", if different == 1 { "differs" } else { "differ" }));
    }
    format!("of {}, {}", count(by_path.len(), "file"), parts.join(", "))
}

/// Lists the names of the first generated files. Several devices have files of one name.
fn names<'p>(paths: impl Iterator<Item = &'p Utf8PathBuf>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in paths.map(|path| path.as_str().split_once("/manifests/").map_or(path.as_str(), |(_, name)| name)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let more = names.len().saturating_sub(MAX_PATHS);
    let first = names.into_iter().take(MAX_PATHS).collect::<Vec<_>>().join(", ");
    if more == 0 { first } else { format!("{first} and {more} more") }
}

fn machine_config(device: &ProvedDevice) -> String {
    match (&device.failure, device.differences.as_slice()) {
        (Some(failure), _) => format!("  {}: the machine configs are not compared: {failure}\n", device.name),
        (None, []) => format!("  {}: the machine config is the same\n{}", device.name, moved(&device.moved)),
        (None, found) => {
            let values = count(found.len(), "value");
            let (found, moved) = (differences(found), moved(&device.moved));
            format!("  {}: the machine config differs in {values}:\n{found}{moved}", device.name)
        }
    }
}

/// Lists the documents that configure the interfaces of the main document now, and what Talos does differently with them.
///
/// Source: github.com/siderolabs/talos v1.13.8, pkg/machinery/config/container/container.go, `RunDefaultDHCPOperators`, and
/// pkg/machinery/config/types/network/dhcp4.go, `ClientIdentifier`.
fn moved(documents: &[Value]) -> String {
    if documents.is_empty() {
        return String::new();
    }
    let name = |document: &Value| {
        format!("{} {}", document["kind"].as_str().unwrap_or_default(), document["name"].as_str().unwrap_or_default())
    };
    let names = documents.iter().map(name).collect::<Vec<_>>().join(", ");
    let mut text = format!(
        "    `{INTERFACES}` moves to documents with the same values: {names}\n      \
         with documents, Talos runs DHCP only on links with `dhcp4` or `dhcp6`; before, also on all other physical links\n"
    );
    if documents.iter().any(|document| document["kind"] == "DHCPv4Config") {
        text.push_str(
            "      with documents, DHCP clients for IPv4 send the hardware address as their identifier; before, none\n",
        );
    }
    text
}

fn differences(found: &[ValueDifference]) -> String {
    let mut text = String::new();
    for difference in found.iter().take(MAX_DIFFERENCES) {
        let change = match (&difference.before, &difference.after) {
            // They differ after the part that `short` keeps.
            (Some(before), Some(after)) if before == after => "not the same".to_owned(),
            (Some(before), Some(after)) => format!("{before} → {after}"),
            (Some(before), None) => format!("{before} → nothing"),
            (None, Some(after)) => format!("nothing → {after}"),
            (None, None) => "not the same".to_owned(),
        };
        text.push_str(&format!("    {}: {change}\n", difference.at));
        let known = REASONS.iter().find(|(part, _)| difference.at.contains(part)).map(|(_, why)| *why);
        text.extend(difference.reason.as_deref().or(known).map(|why| format!("      {why}\n")));
    }
    if found.len() > MAX_DIFFERENCES {
        text.push_str(&format!("    and {} more\n", found.len() - MAX_DIFFERENCES));
    }
    text
}
