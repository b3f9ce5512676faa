//! The steps that are taken once for a cluster, before or after those of its nodes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use talosmith_document::TalosVersion;
use talosmith_machinery::Class;

use super::stop::{self, is_unprepared};
use super::{Review, ReviewRow, Reviewed, ReviewedNode, push_step};
use crate::printable::shell_quote;
use crate::review::Addresses;

/// Whether a row is about the certificate authority of the Talos API or of Kubernetes.
pub(super) fn is_authority(row: &ReviewRow) -> bool {
    let is_kubernetes = || row.what.starts_with("KubeAPIServerCAConfig") && !row.what.contains("acceptedCAs");
    *row.class() == Class::Identity && (is_of_talos(row) || row.what.starts_with("cluster.ca.") || is_kubernetes())
}

fn is_of_talos(row: &ReviewRow) -> bool {
    row.what.starts_with("machine.ca.")
}

/// The settings from which Talos makes objects of Kubernetes, and leaves what it made as it is.
///
/// Source: siderolabs/talos, internal/app/machined/pkg/controllers/k8s/manifest_apply.go.
const MANIFESTS: [&str; 10] = [
    "cluster.coreDNS",
    "cluster.extraManifests",
    "cluster.inlineManifests",
    "cluster.network.cni",
    "cluster.proxy",
    "KubeCoreDNSConfig",
    "KubeExternalManifestConfig",
    "KubeFlannelCNIConfig",
    "KubeInlineManifestConfig",
    "KubeProxyConfig",
];

pub(super) fn is_manifest(row: &ReviewRow) -> bool {
    *row.class() == Class::Manual && MANIFESTS.iter().any(|setting| row.what.starts_with(setting))
}

/// Whether a node belongs to a cluster all the time, in the same role.
fn is_member(node: &ReviewedNode, cluster: &str) -> bool {
    let (before, after) = (&node.before, &node.device);
    before.cluster == cluster && after.cluster == cluster && before.role == after.role
}

/// What changes in a cluster as a whole.
pub(super) struct ClusterSteps<'r> {
    name: &'r str,
    addresses: &'r Addresses,
    /// The Talos that runs.
    running: &'r TalosVersion,
    rows: Vec<&'r ReviewRow>,
    /// The version of Kubernetes before and after, if it changes.
    kubernetes: Option<[&'r str; 2]>,
    number: usize,
    out: String,
}

impl<'r> ClusterSteps<'r> {
    /// The steps of every cluster with nodes that change, by name.
    pub(super) fn all(review: &'r Review<'_, '_>) -> Vec<Self> {
        let mut all = Vec::new();
        for (name, addresses) in review.addresses.iter().filter(|(_, addresses)| !addresses.control_planes.is_empty()) {
            let of_cluster = |reviewed: &&Reviewed| match &reviewed.node {
                Some(node) => is_member(node, name),
                None => reviewed.is_cluster && reviewed.name == *name,
            };
            let rows = review.reviewed.iter().filter(of_cluster).flat_map(|reviewed| &reviewed.rows);
            let rows: Vec<&ReviewRow> = rows.map(|located| &located.row).collect();
            let version = rows.iter().find(|row| row.what == "kubernetesVersion");
            let kubernetes = version.and_then(|row| Some([row.before.as_deref()?, row.after.as_deref()?]));
            let Some(running) = addresses.talos.as_ref() else { continue };
            all.push(Self { name, addresses, running, rows, kubernetes, number: 0, out: String::new() });
        }
        all
    }

    /// Whether a change of the cluster has no steps.
    fn is_stopped(&self) -> bool {
        !stop::reasons(&self.rows, self.running).is_empty()
    }

    fn talosctl(&self) -> String {
        let address = self.addresses.control_planes.first().map(String::as_str).unwrap_or_default();
        format!("talosctl -n {}", shell_quote(address))
    }

    fn folder(&self) -> String {
        format!("~/.talos/{}", shell_quote(self.name))
    }

    fn step(&mut self, title: &str, commands: &[String]) {
        if self.number == 0 {
            _ = writeln!(self.out, "# The cluster `{}`, Talos {}\n", self.name, self.running);
        }
        self.number += 1;
        push_step(&mut self.out, self.number, title, commands);
    }

    /// Formats the steps that come before those of the nodes.
    pub(super) fn before(&mut self) -> String {
        let authorities: Vec<&ReviewRow> =
            self.rows.iter().filter(|row| is_unprepared(row, &self.rows)).copied().collect();
        if !authorities.is_empty() {
            self.rotate(&authorities);
        }
        if let Some([before, after]) = self.kubernetes {
            self.upgrade_kubernetes(before, after);
        }
        self.number = 0;
        std::mem::take(&mut self.out)
    }

    /// Formats the steps that come after those of the nodes.
    pub(super) fn after(&mut self) -> String {
        if self.is_stopped() {
            return String::new();
        }
        if self.kubernetes.is_none() && self.rows.iter().any(|row| is_manifest(row)) {
            let what: BTreeSet<&str> =
                self.rows.iter().filter(|row| is_manifest(row)).map(|row| row.what.as_str()).collect();
            let mut commands: Vec<String> = what.into_iter().map(|what| format!("#    {what}")).collect();
            let talosctl = self.talosctl();
            commands.push("VERSION=$(kubectl version -o json | jq -r .serverVersion.gitVersion)".to_owned());
            commands.push(format!("{talosctl} upgrade-k8s --to \"${{VERSION#v}}\" --dry-run"));
            commands.push(format!("{talosctl} upgrade-k8s --to \"${{VERSION#v}}\""));
            // It prunes since 1.13.
            if self.running.minor() < (1, 13) {
                commands.push("# What is to go away stays: `kubectl delete` it.".to_owned());
            }
            self.step("Change the objects that Talos made before, once every control plane has its config", &commands);
        }
        if let Some(row) = self.rows.iter().find(|row| row.what == "endpoint") {
            let values = [&row.before, &row.after].map(|value| value.as_deref().unwrap_or_default());
            let lines = [format!("#    {}", values.join(" → ")), format!("#    {}", row.sentence)];
            self.step("By hand: the endpoint of the Kubernetes API", &lines);
        }
        let is_endpoint = |row: &&ReviewRow| {
            matches!(row.what.as_str(), "cluster.controlPlane.endpoint" | "KubeClusterConfig endpoint")
        };
        if self.rows.iter().any(is_endpoint) {
            let commands = [format!("{} kubeconfig --force", self.talosctl())];
            self.step("Fetch the kubeconfig, which has the new endpoint; each of its users needs that", &commands);
        }
        self.number = 0;
        std::mem::take(&mut self.out)
    }

    /// Changes certificate authorities in the order that keeps the trust. `talosctl rotate-ca` makes new ones, and takes none.
    ///
    /// Source: siderolabs/talos, cmd/talosctl/cmd/talos/rotate-ca.go and pkg/rotate/pki of 1.13.8 and 1.14.1.
    fn rotate(&mut self, rows: &[&ReviewRow]) {
        let is_talos = rows.iter().any(|row| is_of_talos(row));
        let is_kubernetes = rows.iter().any(|row| !is_of_talos(row));
        let what = match (is_talos, is_kubernetes) {
            (true, true) => "the Talos API and of Kubernetes",
            (true, false) => "the Talos API",
            _ => "Kubernetes",
        };
        let lines = [
            "#    A config that is applied to one node after the other cuts off the nodes and clients that do not trust the new one yet.".to_owned(),
            "#    `talosctl rotate-ca` makes new ones, and lets every node accept them, then use them, and then drop the old ones.".to_owned(),
            "#    For a certificate of your own, make three changes of this one, each applied to every node before the next:".to_owned(),
            "#    `acceptedCAs` gets the new certificate; then it is `ca`, and `acceptedCAs` has the old one; then that goes away.".to_owned(),
            format!("#    https://docs.siderolabs.com/talos/v{}.{}/security/ca-rotation", self.running.major, self.running.minor().1),
        ];
        self.step(
            &format!("Stop: do not apply the new certificate authority of {what}. Why, and what to do instead:"),
            &lines,
        );
        let (talosctl, folder) = (self.talosctl(), self.folder());
        let list = |flag: &str, addresses: &[String]| match addresses.is_empty() {
            true => String::new(),
            false => format!(" --{flag} {}", shell_quote(&addresses.join(","))),
        };
        let nodes = list("control-plane-nodes", &self.addresses.control_planes)
            + &list("worker-nodes", &self.addresses.workers);
        let rotate = format!("{talosctl} rotate-ca --talos={is_talos} --kubernetes={is_kubernetes}{nodes}");
        let mut commands = vec![
            "# Every node must answer, and be Ready. The first command changes nothing.".to_owned(),
            "umask 077".to_owned(),
            format!("mkdir -p {folder}"),
            format!("{talosctl} health"),
            format!("{rotate} --dry-run=true"),
            format!("{rotate} --dry-run=false --output {folder}/talosconfig"),
        ];
        if is_talos {
            commands.push(
                "# The talosconfig of before is of no use any more: each user of the Talos API needs a new one."
                    .to_owned(),
            );
            commands.push(format!("talosctl config merge {folder}/talosconfig"));
        }
        if is_kubernetes {
            commands.push(format!("{talosctl} kubeconfig --force"));
        }
        self.step("Let talosctl make a new one, and change it on every node", &commands);
        let commands = [
            format!("{talosctl} get machineconfig v1alpha1 -o jsonpath='{{.spec}}' > {folder}/controlplane.yaml"),
            format!("talosctl gen secrets --from-controlplane-config {folder}/controlplane.yaml --output-file {folder}/secrets.yaml"),
            "# Replace the certificate of this change by the one of the nodes, and the bundle or base config that you keep; both files are secret.".to_owned(),
        ];
        self.step("Take it into the model, or the next config brings the old one back", &commands);
    }

    fn upgrade_kubernetes(&mut self, before: &str, after: &str) {
        let (talosctl, folder) = (self.talosctl(), self.folder());
        let version = shell_quote(after.trim_start_matches('v'));
        let minor = |version: &str| version.parse::<TalosVersion>().map(|version| version.minor()).ok();
        let is_far = minor(before).zip(minor(after)).is_some_and(|(old, new)| new.1 > old.1 + 1 || new < old);
        if is_far {
            let line = format!(
                "#    {before} → {after}: Kubernetes goes up one minor at a time, and not back: change it to the next minor first"
            );
            self.step("Stop: this version of Kubernetes has no steps", &[line]);
            return;
        }
        let commands = [
            "umask 077".to_owned(),
            format!("mkdir -p {folder}"),
            format!("{talosctl} etcd snapshot {folder}/etcd.db"),
            format!("{talosctl} health"),
            format!("{talosctl} upgrade-k8s --to {version} --dry-run"),
            format!("{talosctl} upgrade-k8s --to {version}"),
        ];
        self.step(
            "Upgrade Kubernetes before the nodes get their configs; it changes the images in these itself",
            &commands,
        );
    }
}
