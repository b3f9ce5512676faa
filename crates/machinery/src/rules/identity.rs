//! Documents that exclude each other by kind and name.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::Code;

use super::Rules;
use super::section::Section;
use crate::config::Document;
use crate::value::Value;

/// Kinds that configure a link, of which each may have one.
pub const LINKS: [&str; 8] = [
    "BondConfig",
    "BridgeConfig",
    "DummyLinkConfig",
    "LinkConfig",
    "VethConfig",
    "VLANConfig",
    "VRFConfig",
    "WireguardConfig",
];
/// Kinds that exclude each other for one name.
const PAIRS: [[&str; 2]; 2] = [["UserVolumeConfig", "ExistingVolumeConfig"], ["Layer2VIPConfig", "HCloudVIPConfig"]];

pub(crate) fn check_identities(rules: &Rules<'_>) {
    let documents = &rules.config.documents;
    let groups = PAIRS.iter().map(|pair| &pair[..]).chain([&LINKS[..]]);
    for group in groups {
        let members: Vec<&Document<'_>> = documents.iter().filter(|document| group.contains(&document.kind)).collect();
        // The members before each, by their names and by those of their peers.
        let mut known: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, later) in members.iter().enumerate() {
            let keys: BTreeSet<&str> = [later.name].into_iter().chain(peer(later)).collect();
            let earlier: BTreeSet<usize> = keys.iter().filter_map(|key| known.get(key)).flatten().copied().collect();
            keys.into_iter().for_each(|key| known.entry(key).or_default().push(at));
            for earlier in earlier.into_iter().map(|at| members[at]) {
                let same = earlier.name == later.name && earlier.kind != later.kind;
                let peers = [(earlier, *later), (*later, earlier)].into_iter().any(|(a, b)| {
                    a.kind == "VethConfig" && (peer(a).unwrap_or_default() == b.name || peer(a) == peer(b))
                });
                if same || peers {
                    let message = format!("{} and {} configure the same thing", earlier.title(), later.title());
                    Section::new(rules, later).find(
                        Code::DocumentConflict,
                        "name",
                        message,
                        "keep one of the two documents",
                    );
                }
            }
        }
    }
}

fn peer<'v>(document: &'v Document<'_>) -> Option<&'v str> {
    document.value.at("peer.name").map(Value::scalar)
}
