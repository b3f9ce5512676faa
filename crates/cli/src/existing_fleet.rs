//! A repository that devices are added to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use serde_json::{Map, Value};
use talosmith_document::{Document, Sources, TalosVersion};
use talosmith_machinery::Role;
use talosmith_model::layout::{FLEET_FILE, device_file};

use crate::project::Project;
use crate::tree::Tree;

/// The talosmith.yaml and the devices of a repository.
#[derive(Debug)]
pub(crate) struct ExistingFleet {
    /// The text of talosmith.yaml.
    pub text: String,
    clusters: Vec<ExistingCluster>,
    secrets: BTreeSet<String>,
    /// The device.yaml of each device, by name.
    devices: BTreeMap<String, Value>,
}

/// A cluster in talosmith.yaml.
#[derive(Debug, Clone)]
pub(crate) struct ExistingCluster {
    pub name: String,
    pub talos: TalosVersion,
    pub base: TalosVersion,
    /// The keys of the cluster as talosmith.yaml has them.
    pub keys: Map<String, Value>,
    /// The keys that devices have from the layers of the cluster, for each role.
    controlplane: Map<String, Value>,
    worker: Map<String, Value>,
}

impl ExistingFleet {
    /// Reads a repository whose talosmith.yaml has no errors.
    pub(crate) fn read(tree: &dyn Tree) -> anyhow::Result<Self> {
        let project = Project::open(tree)?;
        let fleet = project.fleet.as_ref().context("talosmith.yaml has errors: `talosmith validate` shows them")?;
        let text = tree.read(FLEET_FILE.into())?.map(String::from_utf8).transpose()?.unwrap_or_default();
        let written = parsed(&text);
        let clusters = fleet.fleet.clusters.iter().map(|(name, cluster)| ExistingCluster {
            name: name.to_string(),
            talos: cluster.talos_version.clone(),
            base: cluster.base_config.clone().unwrap_or_else(|| cluster.talos_version.clone()),
            keys: written["clusters"][name.as_str()].as_object().cloned().unwrap_or_default(),
            controlplane: fleet.layer_keys(name.as_str(), Role::ControlPlane),
            worker: fleet.layer_keys(name.as_str(), Role::Worker),
        });
        let mut devices = BTreeMap::new();
        for folder in &project.folders {
            if let Some(bytes) = tree.read(&device_file(folder))? {
                devices.insert(folder.clone(), parsed(&String::from_utf8_lossy(&bytes)));
            }
        }
        let secrets = fleet.fleet.secrets.keys().cloned().collect();
        Ok(Self { clusters: clusters.collect(), secrets, text, devices })
    }

    pub(crate) fn has_secret(&self, name: &str) -> bool {
        self.secrets.contains(name)
    }

    pub(crate) fn has_device(&self, name: &str) -> bool {
        self.devices.contains_key(name)
    }

    /// Returns the addresses of all devices.
    pub(crate) fn addresses(&self) -> BTreeSet<String> {
        self.devices.values().filter_map(|device| device["address"].as_str().map(str::to_owned)).collect()
    }

    /// Returns the cluster with a name.
    pub(crate) fn cluster(&self, name: &str) -> Option<&ExistingCluster> {
        self.clusters.iter().find(|cluster| cluster.name == name)
    }

    /// Returns the cluster that a new device belongs to: the one with this name, or else the only one.
    pub(crate) fn cluster_of_device(&self, name: Option<&str>) -> anyhow::Result<&ExistingCluster> {
        let names = self.clusters.iter().map(|cluster| cluster.name.as_str()).collect::<Vec<_>>().join(", ");
        match (name, self.clusters.as_slice()) {
            (Some(name), _) => self
                .cluster(name)
                .with_context(|| format!("talosmith.yaml has no cluster `{name}`, only {names}: add it there")),
            (None, [only]) => Ok(only),
            (None, _) => bail!("name the cluster of the device with `--cluster`: {names}"),
        }
    }

    /// Returns, for each device that a layer of a cluster applies to, the device and its nearer layers: its groups, and its role if the layer is
    /// that of the defaults.
    pub(crate) fn nearer_layers<'f>(
        &'f self,
        cluster: &'f ExistingCluster,
        layer: Option<Role>,
    ) -> Vec<Vec<&'f Value>> {
        let of_cluster = self.devices.values().filter(|device| device["cluster"] == cluster.name.as_str());
        let devices = of_cluster.filter(|device| layer.is_none_or(|role| device["role"] == role.name()));
        let layers = devices.map(|device| {
            let groups = device["groups"].as_array().into_iter().flatten().filter_map(Value::as_str);
            let groups = groups.filter_map(|name| cluster.keys.get("groups")?.get(name));
            let role = device["role"].as_str().filter(|_| layer.is_none());
            groups.chain(role.and_then(|role| cluster.keys.get(role))).chain([device]).collect()
        });
        layers.collect()
    }

    /// Whether a device of the cluster is a control plane.
    pub(crate) fn has_control_plane(&self, cluster: &str) -> bool {
        self.devices.values().any(|device| device["role"] == "controlplane" && device["cluster"] == cluster)
    }
}

impl ExistingCluster {
    /// Returns the keys that a device with a role has from the layers of the cluster.
    pub(crate) const fn layer_keys(&self, role: Role) -> &Map<String, Value> {
        match role {
            Role::ControlPlane => &self.controlplane,
            Role::Worker => &self.worker,
        }
    }
}

fn parsed(text: &str) -> Value {
    let source = Sources::default().add(FLEET_FILE, text);
    Document::parse(source, text).map_or(Value::Null, |document| document.root.into_json())
}
