//! The keys of talhelper, and the fields of the machine config that they set.

/// A key of talhelper, and the field of the machine config that it sets.
pub(super) struct TalhelperKey {
    pub key: &'static str,
    /// The keys of the main document, joined by dots.
    pub path: &'static str,
}

const fn key(key: &'static str, path: &'static str) -> TalhelperKey {
    TalhelperKey { key, path }
}

/// The keys of a node or a group.
pub(super) const NODE_KEYS: [TalhelperKey; 10] = [
    key("nodeLabels", "machine.nodeLabels"),
    key("nodeAnnotations", "machine.nodeAnnotations"),
    key("nodeTaints", "machine.nodeTaints"),
    key("machineDisks", "machine.disks"),
    key("machineFiles", "machine.files"),
    key("disableSearchDomain", "machine.network.disableSearchDomain"),
    key("kernelModules", "machine.kernel.modules"),
    key("nameservers", "machine.network.nameservers"),
    key("certSANs", "machine.certSANs"),
    key("installDiskSelector", "machine.install.diskSelector"),
];

/// The keys of the cluster, and whether they also apply to workers.
pub(super) const CLUSTER_KEYS: [(TalhelperKey, bool); 8] = [
    (key("allowSchedulingOnMasters", "cluster.allowSchedulingOnControlPlanes"), false),
    (key("allowSchedulingOnControlPlanes", "cluster.allowSchedulingOnControlPlanes"), false),
    (key("additionalMachineCertSans", "machine.certSANs"), true),
    (key("additionalApiServerCertSans", "cluster.apiServer.certSANs"), false),
    (key("inlineManifests", "cluster.inlineManifests"), false),
    (key("clusterPodNets", "cluster.network.podSubnets"), true),
    (key("clusterSvcNets", "cluster.network.serviceSubnets"), true),
    (key("domain", "cluster.network.dnsDomain"), true),
];

/// The keys without an effect on the machine config of a node, with the reason.
pub(super) const WITHOUT_EFFECT: [(&str, &str); 7] = [
    (
        "kubernetesVersion",
        "the images of Kubernetes are in the base config: `talosctl gen config --kubernetes-version`",
    ),
    ("filenameTmpl", "the key `files` of the model sets the names of generated files"),
    ("noSchematicValidate", "talosmith checks schematics itself"),
    ("imageSchematic", "the image from which a node boots for the installation is not part of its machine config"),
    ("overridePatches", "the import applies it to the patches of the node"),
    ("overrideExtraManifests", "the import uses the manifests of the node"),
    ("overrideMachineCertSANs", "the import uses the names of the node"),
];
