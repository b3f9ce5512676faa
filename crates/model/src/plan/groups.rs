//! Groups that no device lists.

use std::collections::{BTreeMap, BTreeSet};

use talosmith_document::{Code, Diagnostic, Pointer};

use super::CrossDeviceInput;
use crate::FleetFile;

/// The groups that devices list, for each cluster that has groups and devices.
#[derive(Debug, Default)]
pub(super) struct UsedGroups(BTreeMap<String, BTreeSet<String>>);

impl UsedGroups {
    pub(super) fn add(&mut self, fleet: &FleetFile, device: &CrossDeviceInput) {
        let cluster = fleet.fleet.clusters.get(device.cluster.as_str());
        if cluster.is_none_or(|cluster| cluster.groups.is_empty()) {
            return;
        }
        let used = self.0.entry(device.cluster.clone()).or_default();
        used.extend(device.groups.iter().cloned());
    }

    pub(super) fn unused<'a>(&'a self, fleet: &'a FleetFile) -> impl Iterator<Item = Diagnostic> + use<'a> {
        self.0.iter().flat_map(move |(cluster, used)| {
            let groups = fleet.fleet.clusters.get(cluster.as_str()).into_iter().flat_map(|it| it.groups.keys());
            groups.filter(|group| !used.contains(group.as_str())).map(move |group| {
                let at = Pointer::new("/clusters").child(cluster).child("groups").child(group);
                let message = format!("no device of the cluster `{cluster}` lists the group `{group}`");
                Diagnostic::new(Code::UnusedGroup, message, fleet.at(at).as_key())
                    .note("its keys reach no node")
                    .help(format!("add `groups: [{group}]` to the devices that it is for, or remove it"))
            })
        })
    }
}
