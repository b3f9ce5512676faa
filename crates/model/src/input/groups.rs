//! The groups that a device lists.

use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Location, Pointer, SourceId};

use crate::fleet::Cluster;
use crate::layer::GROUPS;
use crate::scalar::Name;

/// The groups that the keys of a device list.
pub(super) fn listed_groups(own: &Map<String, Value>) -> impl Iterator<Item = &str> {
    own.get(GROUPS).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

pub(super) fn unknown_groups<'a>(
    source: SourceId,
    name: &'a str,
    cluster: &'a Cluster,
    groups: &'a [&str],
) -> impl Iterator<Item = Diagnostic> + use<'a> {
    let unknown = groups.iter().enumerate().filter(|(_, group)| !cluster.groups.contains_key(**group));
    unknown.map(move |(index, group)| {
        let message = format!("the cluster `{name}` has no group `{group}`");
        let at = Pointer::root().child(GROUPS).item(index);
        let finding = Diagnostic::new(Code::UnknownGroup, message, Location::value(source, at));
        let names: Vec<&str> = cluster.groups.keys().map(Name::as_str).collect();
        finding.did_you_mean(group, names.iter().copied()).unwrap_or_else(|finding| match &names[..] {
            [] => finding
                .help(format!("add it in talosmith.yaml:\nclusters:\n  {name}:\n    groups:\n      {group}: {{}}")),
            _ => finding.note(format!("its groups: {}", names.join(", "))),
        })
    })
}

pub(super) fn repeated_groups(source: SourceId, groups: &[Name]) -> impl Iterator<Item = Diagnostic> {
    let repeated = groups.iter().enumerate().filter(|(index, group)| groups[..*index].contains(group));
    repeated.map(move |(index, group)| {
        let at = Pointer::root().child(GROUPS).item(index);
        Diagnostic::new(Code::DuplicateItem, format!("`{group}` is listed twice"), Location::value(source, at))
            .note("a later group overrides an earlier one, so the order must be clear")
            .help("remove one of the two")
    })
}
