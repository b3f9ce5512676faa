//! What is known about the cluster of a node besides its devices, and the base configs that follow from it.

use std::collections::BTreeMap;

use talosmith_document::{Location, Pointer};
use talosmith_machinery::{BaseOptions, Class, DifferenceKind};
use talosmith_model::FleetFile;
use talosmith_model::plan::{Device, stock_installer};
use talosmith_render::NodeBase;

use super::row::{LocatedRow, ReviewRow};

/// The keys of a cluster that its generated base configs contain.
#[derive(Debug, Clone)]
pub(crate) struct ClusterKeys {
    endpoint: Option<String>,
    pub kubernetes_version: Option<String>,
    version_location: Location,
    endpoint_location: Location,
    pod_networks: Vec<String>,
    service_networks: Vec<String>,
    dns_domain: Option<String>,
    /// Whether talosmith generates the base configs; otherwise the user has them.
    pub generates_base: bool,
}

/// Returns what a fleet file contains about each cluster.
pub(super) fn keys_of_clusters(fleet: Option<&FleetFile>) -> BTreeMap<String, ClusterKeys> {
    let Some(fleet) = fleet else { return BTreeMap::new() };
    let keys = fleet.fleet.clusters.iter().map(|(name, cluster)| {
        let at = |key: &str| fleet.at(Pointer::new("/clusters").child(name.as_str()).child(key)).as_key();
        let keys = ClusterKeys {
            endpoint: cluster.endpoint.as_ref().map(|endpoint| endpoint.as_str().to_owned()),
            kubernetes_version: cluster.kubernetes_version.as_ref().map(|version| version.as_str().to_owned()),
            version_location: at("kubernetesVersion"),
            endpoint_location: at("endpoint"),
            pod_networks: cluster.pod_networks(),
            service_networks: cluster.service_networks(),
            dns_domain: cluster.dns_domain.as_ref().map(|domain| domain.as_str().to_owned()),
            generates_base: cluster.has_base(),
        };
        (name.to_string(), keys)
    });
    keys.collect()
}

/// The clusters of a node before and after a change; none that is not known.
#[derive(Clone, Copy)]
pub(super) struct ClusterSides<'f> {
    pub before: Option<&'f ClusterKeys>,
    pub after: Option<&'f ClusterKeys>,
}

impl ClusterSides<'_> {
    /// Returns the base configs of a device. One that the user has is the same on both sides, and has what the model knew about the
    /// cluster before.
    pub(super) fn bases(self, old: &Device, new: &Device) -> [NodeBase; 2] {
        let (before, after) = (self.before.or(self.after), self.after.or(self.before));
        let is_generated = |keys: Option<&ClusterKeys>| keys.is_some_and(|keys| keys.generates_base);
        let after = if is_generated(before) && is_generated(after) { after } else { before };
        let base = |device: &Device, keys: Option<&ClusterKeys>| match device.base.is_empty() {
            true => base(device, keys),
            false => NodeBase::Model,
        };
        [base(old, before), base(new, after)]
    }

    /// Whether a row is about a network of the cluster that a base config of the user has already.
    pub(super) fn has_network(self, row: &ReviewRow) -> bool {
        let Some(keys) = self.before.filter(|keys| !keys.generates_base) else { return false };
        let list = |networks: &[String]| Some(format!("[{}]", networks.join(", ")));
        let known = match row.what.rsplit(['.', ' ']).next() {
            Some("podSubnets") => list(&keys.pod_networks),
            Some("serviceSubnets") => list(&keys.service_networks),
            Some("dnsDomain") => keys.dns_domain.clone(),
            _ => None,
        };
        let is_network = row.what.starts_with("cluster.network.") || row.what.starts_with("KubeNetworkConfig ");
        is_network && known.is_some() && known == row.after
    }

    /// Where the model has a value of a generated base config.
    pub(super) fn location_of(self, row: &ReviewRow) -> Option<Location> {
        let keys = self.after.filter(|keys| keys.generates_base)?;
        let (value, version) = (row.after.as_ref()?, keys.kubernetes_version.as_ref()?);
        match () {
            () if keys.endpoint.as_ref() == Some(value) => Some(keys.endpoint_location.clone()),
            () if value.ends_with(version.as_str()) => Some(keys.version_location.clone()),
            () => None,
        }
    }

    /// Whether something differs that the generated base configs of a device contain.
    pub(super) fn differ(self, old: &Device, new: &Device) -> bool {
        let key = |keys: &ClusterKeys| (keys.endpoint.clone(), keys.kubernetes_version.clone());
        let install = |device: &Device| {
            let install = &device.images.install;
            (install.disk_path.clone(), install.image.as_ref().map(|image| image.reference.clone()))
        };
        let both = self.before.zip(self.after).filter(|(before, after)| before.generates_base && after.generates_base);
        both.is_some_and(|(before, after)| key(before) != key(after) || install(old) != install(new))
    }

    /// Another version of Kubernetes.
    pub(super) fn kubernetes(self) -> Option<LocatedRow> {
        let (before, after) = (self.before?, self.after?);
        let (old, new) = before.kubernetes_version.as_ref().zip(after.kubernetes_version.as_ref())?;
        let sentence = "`talosctl upgrade-k8s` upgrades one component after the other; a config that is applied before it restarts all of them at once";
        let row = ReviewRow::new(Class::Manual, DifferenceKind::Changed, "kubernetesVersion", sentence);
        (old != new).then(|| row.values(old, new).at(after.version_location.clone()))
    }

    /// Another endpoint that no file of a node has.
    pub(super) fn endpoint(self) -> Option<LocatedRow> {
        let (before, after) = (self.before?, self.after?);
        let (old, new) = before.endpoint.as_ref().zip(after.endpoint.as_ref())?;
        let is_generated = before.generates_base && after.generates_base;
        let sentence = "only the base configs that you keep have it: change it in them, or write it to the nodes with `endpoint: cluster`";
        let row = ReviewRow::new(Class::Manual, DifferenceKind::Changed, "endpoint", sentence);
        (old != new && !is_generated).then(|| row.values(old, new).at(after.endpoint_location.clone()))
    }
}

fn base(device: &Device, keys: Option<&ClusterKeys>) -> NodeBase {
    let is_generated = keys.is_some_and(|keys| keys.generates_base);
    let install = &device.images.install;
    let image = install.image.as_ref().filter(|_| is_generated).map(|image| image.reference.clone());
    let options = BaseOptions {
        cluster_name: &device.cluster,
        endpoint: keys.and_then(|keys| keys.endpoint.as_deref()).unwrap_or("https://${endpoint}:6443"),
        kubernetes_version: keys
            .filter(|_| is_generated)
            .and_then(|keys| keys.kubernetes_version.as_deref())
            .map(|version| version.trim_start_matches('v')),
        install_disk: install.disk_path.as_deref().filter(|_| is_generated).unwrap_or("${disk}"),
        install_image: &image.unwrap_or_else(|| match is_generated {
            true => stock_installer(&device.versions.talos),
            false => "${image}".to_owned(),
        }),
    };
    NodeBase::generated(device, &options)
}
