//! The keys of talhelper, and what each sets.

/// A key of talhelper, and the value of Talos that it sets.
pub(super) struct Row {
    pub key: &'static str,
    /// The keys of the main document, joined by dots.
    pub path: &'static str,
}

const fn row(key: &'static str, path: &'static str) -> Row {
    Row { key, path }
}

/// Keys of a node or a group.
pub(super) const NODE: [Row; 10] = [
    row("nodeLabels", "machine.nodeLabels"),
    row("nodeAnnotations", "machine.nodeAnnotations"),
    row("nodeTaints", "machine.nodeTaints"),
    row("machineDisks", "machine.disks"),
    row("machineFiles", "machine.files"),
    row("disableSearchDomain", "machine.network.disableSearchDomain"),
    row("kernelModules", "machine.kernel.modules"),
    row("nameservers", "machine.network.nameservers"),
    row("certSANs", "machine.certSANs"),
    row("installDiskSelector", "machine.install.diskSelector"),
];

/// Keys of the cluster, and whether workers have the value too.
pub(super) const CLUSTER: [(Row, bool); 8] = [
    (row("allowSchedulingOnMasters", "cluster.allowSchedulingOnControlPlanes"), false),
    (row("allowSchedulingOnControlPlanes", "cluster.allowSchedulingOnControlPlanes"), false),
    (row("additionalMachineCertSans", "machine.certSANs"), true),
    (row("additionalApiServerCertSans", "cluster.apiServer.certSANs"), false),
    (row("inlineManifests", "cluster.inlineManifests"), false),
    (row("clusterPodNets", "cluster.network.podSubnets"), true),
    (row("clusterSvcNets", "cluster.network.serviceSubnets"), true),
    (row("domain", "cluster.network.dnsDomain"), true),
];

/// Keys that say nothing about a node, with the reason.
pub(super) const WITHOUT_EFFECT: [(&str, &str); 7] = [
    (
        "kubernetesVersion",
        "the images of Kubernetes are in the base config: `talosctl gen config --kubernetes-version`",
    ),
    ("filenameTmpl", "`files` names generated files"),
    ("noSchematicValidate", "talosmith checks schematics itself"),
    ("imageSchematic", "the image that a node boots from first is no part of its config"),
    ("overridePatches", "the patches are those of the node already"),
    ("overrideExtraManifests", "the manifests are those of the node already"),
    ("overrideMachineCertSANs", "the names are those of the node already"),
];
