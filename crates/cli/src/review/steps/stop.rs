//! Changes that have no steps, since no order of commands keeps the node or its cluster working.

use talosmith_document::TalosVersion;
use talosmith_machinery::Class;

use super::ReviewRow;
use super::cluster::is_authority;

/// The documents that set networks of the cluster.
const NETWORKS: [&str; 2] = ["cluster.network.", "KubeNetworkConfig "];

/// Returns why a change has no steps; nothing if it has some.
pub(super) fn reasons(rows: &[&ReviewRow], running: &TalosVersion) -> Vec<String> {
    let stops = rows.iter().filter(|row| is_stop(row, rows));
    let mut lines: Vec<String> = stops.map(|row| format!("#    {}: {}", row.what, row.sentence)).collect();
    let has = |is_it: &dyn Fn(&ReviewRow) -> bool| rows.iter().any(|row| is_it(row));
    if has(&|row| is_unprepared(row, rows)) {
        lines.push(
            "# Take the steps of the cluster above first, and then those of `talosmith review --steps` again."
                .to_owned(),
        );
    }
    if has(&is_etcd_authority) {
        lines.push("# Talos has no list of authorities that etcd accepts, and `talosctl rotate-ca` leaves it as it is. A new one needs a restored etcd:".to_owned());
        let (major, minor) = running.minor();
        lines.push(format!("# https://docs.siderolabs.com/talos/v{major}.{minor}/build-and-extend-talos/cluster-operations-and-maintenance/disaster-recovery"));
    }
    lines
}

fn is_stop(row: &ReviewRow, rows: &[&ReviewRow]) -> bool {
    let is_network = NETWORKS.iter().any(|network| row.what.starts_with(network));
    let is_version = row.what == "talosVersion";
    match row.class() {
        Class::Unknown => true,
        Class::Identity => is_etcd_authority(row) || is_unprepared(row, rows),
        Class::Broken => is_network || is_version,
        Class::Manual => is_version,
        _ => false,
    }
}

fn is_etcd_authority(row: &ReviewRow) -> bool {
    row.what.starts_with("cluster.etcd.ca.")
}

/// Whether a row is about another certificate authority that not every node accepts already.
pub(super) fn is_unprepared(row: &ReviewRow, rows: &[&ReviewRow]) -> bool {
    is_authority(row) && !is_prepared(row, rows)
}

/// Whether the node accepts the new authority already, and keeps accepting the old one.
fn is_prepared(row: &ReviewRow, rows: &[&ReviewRow]) -> bool {
    let accepted = match row.what.split(['.', ' ']).next() {
        Some("machine") => "machine.acceptedCAs",
        Some("cluster") => "cluster.acceptedCAs",
        _ => "KubeAPIServerCAConfig acceptedCAs",
    };
    let Some(list) = rows.iter().find(|row| row.what == accepted) else { return false };
    let has = |list: &Option<String>, value: &Option<String>| {
        list.as_ref().zip(value.as_ref()).is_some_and(|(list, value)| list.contains(value.as_str()))
    };
    // A key is no certificate: where that changes, the key does too.
    let is_key = row.what.ends_with(".key");
    is_key || has(&list.before, &row.after) && (has(&list.after, &row.before) || is_of_base(row))
}

/// Whether the value before is the one of a base config that is not known.
fn is_of_base(row: &ReviewRow) -> bool {
    row.before.as_ref().is_some_and(|value| value.starts_with("${"))
}
