//! The variables of a template: `device`, `cluster`, `item` and `secrets`; in artifacts of the user also `devices` and `clusters`.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use minijinja::Value;
use minijinja::value::{Enumerator, Object};
use talosmith_model::plan::Device;

use crate::catalogue::{Each, Reader, Row};
use crate::disk_map::DiskMap;
use crate::engine::template_value;
use crate::runbook::Runbook;

/// The values of secrets by the names in their placeholders.
pub(crate) type SecretValues<'a> = BTreeMap<&'a str, &'a str>;

#[derive(Clone, Default)]
pub(crate) struct TemplateContext {
    device: Value,
    devices: Value,
    cluster: Value,
    clusters: Value,
    item: Value,
    secrets: Value,
}

impl TemplateContext {
    /// Creates the context that all artifacts of a device share.
    pub(crate) fn of_device(device: Value, cluster: Value) -> Self {
        Self { device, cluster, ..Self::default() }
    }

    /// Creates the context that all artifacts of a cluster share; `device` is undefined there.
    pub(crate) fn of_cluster(cluster: Value) -> Self {
        Self { cluster, ..Self::default() }
    }

    /// Returns the same context with `devices`.
    pub(crate) fn with_devices(self, devices: Value) -> Self {
        Self { devices, ..self }
    }

    /// Creates the context of an artifact for the fleet.
    pub(crate) fn of_fleet(clusters: Value, devices: Value) -> Self {
        Self { clusters, devices, ..Self::default() }
    }

    /// Returns the context for an artifact of a device, generated for the item of this name.
    pub(crate) fn for_artifact(&self, device: &Device, row: &Row, item: &str, secrets: &SecretValues<'_>) -> Value {
        let item = match row.each {
            Each::Schematic => template_value(&device.images.schematics.iter().find(|other| other.name == item)),
            Each::Alternative => {
                template_value(&device.images.install.alternatives.iter().find(|other| other.name == item))
            }
            Each::Volume => template_value(&device.storage.volumes.iter().find(|other| other.name == item)),
            Each::ExtensionService => {
                template_value(&device.system.extension_services.iter().find(|other| other.name == item))
            }
            Each::Gpu(pods, _) => template_value(&pods(&device.kubernetes.gpu)),
            Each::Device(_) if row.reader == Reader::Operator => document_value(device, row),
            Each::Device(_) | Each::Patch => template_value(&device.images.install.image),
        };
        self.for_item(item, secrets)
    }

    /// Returns the context for the picture of the device's disks.
    pub(crate) fn for_disk_map(&self, device: &Device) -> Value {
        self.for_item(template_value(&DiskMap::new(device)), &SecretValues::new())
    }

    pub(crate) fn for_item(&self, item: Value, secrets: &SecretValues<'_>) -> Value {
        Value::from_object(Self { item, secrets: template_value(secrets), ..self.clone() })
    }
}

impl Object for TemplateContext {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Value> {
        let value = match key {
            "device" => &self.device,
            "devices" => &self.devices,
            "cluster" => &self.cluster,
            "clusters" => &self.clusters,
            "item" => &self.item,
            "secrets" => &self.secrets,
            _ => return None,
        };
        (!value.is_undefined()).then(|| value.clone())
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Str(&["device", "devices", "cluster", "clusters", "item", "secrets"])
    }
}

// The fields may hold secrets.
impl fmt::Debug for TemplateContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TemplateContext").finish_non_exhaustive()
    }
}

/// What the template of a document sees besides the device.
fn document_value(device: &Device, row: &Row) -> Value {
    match &device.documents.runbook {
        Some(planned) if row.key == "documents.runbook" => template_value(&Runbook::new(device, planned)),
        _ => template_value(&DiskMap::new(device)),
    }
}
