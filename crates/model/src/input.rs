//! Parses a string to a typed fleet or device, with the location of every key.

mod entry_limit;
mod model_document;
mod groups;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use camino::Utf8PathBuf;
use serde::Deserialize;
use serde_json::{Map, Value};
use talosmith_document::{
    Anchor, BlockText, Cache, Code, Diagnostic, Document, Level, Location, Node, Pointer, SourceId,
};
use talosmith_machinery::Role;

use groups::{listed_groups, repeated_groups, unknown_groups};
use model_document::{ModelDocument, Written, parse};

use crate::device::Device;
use crate::fleet::{Cluster, Fleet, MODEL_VERSION};
use crate::layer::{GROUPS, LayerStack, Origins};
use crate::layout;
use crate::readable::{Unreadable, keep_readable, keep_readable_fleet, remove};
use crate::schema::Schema;

/// The fleet file, read.
#[derive(Debug, Clone)]
pub struct FleetFile {
    pub fleet: Fleet,
    pub source: SourceId,
    /// Whether the file has no errors.
    pub is_whole: bool,
    unreadable: Unreadable,
    /// The findings on secrets in it. No device is rendered then; the other checks still run.
    pub secrets: Vec<Diagnostic>,
    text: Arc<str>,
    written: Written,
    /// The layers of each cluster and role, merged when the first one is read.
    layers: BTreeMap<String, [OnceLock<Arc<LayerStack>>; 2]>,
    /// The layers of devices in groups.
    group_layers: Arc<Cache<InGroups, Arc<LayerStack>>>,
}

/// The cluster of a device, whether it is a worker, and its groups.
type InGroups = (String, bool, Vec<String>);

/// A device's file, parsed and merged with its layers.
#[derive(Debug, Clone)]
pub struct DeviceFile {
    /// Its keys, and those of its layers.
    pub device: Device,
    pub source: SourceId,
    pub folder: String,
    /// Whether the file has no errors. Of one that has, the keys are left that can be checked without them, and nothing is generated.
    pub is_whole: bool,
    /// The findings on secrets in it. It is not rendered then; the other checks still run.
    pub secrets: Vec<Diagnostic>,
    /// Where its keys are written.
    pub keys: Keys,
    written: Written,
}

/// The locations of the keys of a merged device. A clone shares the data.
#[derive(Debug, Clone)]
pub struct Keys {
    origins: Arc<Origins>,
    text: Arc<str>,
}

impl Keys {
    /// Returns the location of the value at a pointer of the merged device.
    pub fn at(&self, pointer: impl Into<Pointer>) -> Location {
        self.origins.location(&pointer.into())
    }

    /// Returns where groups have the key at a pointer of the merged device, and a nearer layer overrides it.
    pub(crate) fn overridden(&self, pointer: &Pointer) -> Vec<Location> {
        self.origins.overridden(pointer)
    }

    /// Returns the keys and values of the merged device. The file is parsed again: this is for reports.
    pub(crate) fn values(&self) -> Map<String, Value> {
        match json(self.origins.own(), &self.text) {
            Value::Object(own) => self.origins.merge(own),
            _ => Map::new(),
        }
    }
}

/// How near to the device a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LayerRank {
    /// The cluster's `defaults`.
    Cluster,
    /// The role's.
    Role,
    /// A group's, by its place in the device's list.
    Group(u8),
    /// The device's own keys.
    Device,
}

impl LayerRank {
    /// A number that is greater the nearer the layer is.
    pub fn number(self) -> u8 {
        match self {
            Self::Cluster => 0,
            Self::Role => 1,
            Self::Group(place) => place.saturating_add(2),
            Self::Device => u8::MAX,
        }
    }
}

impl FleetFile {
    /// Parses talosmith.yaml. Of one with errors, what is right is returned, unless nothing can be checked with it.
    ///
    /// Returns with it every finding on the file on its own.
    pub fn read(source: SourceId, text: &str) -> (Option<Self>, Vec<Diagnostic>) {
        let ModelDocument { value, written, mut findings, secrets } = parse(Schema::Fleet, source, text, &[]);
        let version = value.as_ref().and_then(|value| value.get("version")?.as_i64()).unwrap_or(MODEL_VERSION);
        if version != MODEL_VERSION {
            // What else a newer model has is not known.
            return (None, vec![unknown_version(source, version)]);
        }
        let is_whole = findings.is_empty();
        let readable = value.and_then(|mut value| {
            let unreadable = keep_readable_fleet(&mut value, &mut findings)?;
            let fleet: Fleet = typed(source, value).map_err(|finding| findings.push(*finding)).ok()?;
            Some((fleet, unreadable))
        });
        let Some((fleet, unreadable)) = readable else {
            findings.extend(secrets);
            return (None, findings);
        };
        let layers = fleet.clusters.keys().map(|name| (name.to_string(), Default::default())).collect();
        let group_layers = Arc::default();
        let text = text.into();
        (Some(Self { fleet, source, is_whole, unreadable, secrets, text, written, layers, group_layers }), findings)
    }

    pub fn at(&self, pointer: impl Into<Pointer>) -> Location {
        Location::value(self.source, pointer.into())
    }

    /// Returns the file as JSON. It is parsed again: this is for reports.
    pub(crate) fn value(&self) -> Value {
        json(self.source, &self.text)
    }

    /// Returns the layers of a cluster that apply to a device with these keys of its own.
    fn layers(&self, cluster: &Cluster, name: &str, own: &Map<String, Value>) -> Arc<LayerStack> {
        let is_worker = matches!(own.get("role").map(Role::deserialize), Some(Ok(Role::Worker)));
        let merge = || Arc::new(self.role_layers(cluster, name, is_worker));
        let of_role = || match self.layers.get(name) {
            Some(layers) => Arc::clone(layers[usize::from(!is_worker)].get_or_init(merge)),
            None => merge(),
        };
        let groups: Vec<String> = listed_groups(own).map(str::to_owned).collect();
        if groups.is_empty() {
            return of_role();
        }
        self.group_layers.get_or_compute(&(name.to_owned(), is_worker, groups.clone()), || {
            let mut stack = LayerStack::clone(&of_role());
            let base = Pointer::new("/clusters").child(name).child(GROUPS);
            for group in groups {
                if let Some(keys) = cluster.groups.get(group.as_str()) {
                    stack.apply(self.source, base.child(&group), keys.clone());
                }
            }
            Arc::new(stack)
        })
    }

    fn role_layers(&self, cluster: &Cluster, name: &str, is_worker: bool) -> LayerStack {
        let role = if is_worker { ("worker", &cluster.worker) } else { ("controlplane", &cluster.controlplane) };
        let base = Pointer::new("/clusters").child(name);
        let mut stack = LayerStack::default();
        for (key, keys) in [("defaults", &cluster.defaults), role] {
            if let Some(keys) = keys {
                stack.apply(self.source, base.child(key), keys.clone());
            }
        }
        stack
    }

    /// Returns the keys that a device of a cluster has from the cluster's defaults and the defaults of its role.
    pub fn layer_keys(&self, cluster: &str, role: Role) -> Map<String, Value> {
        let own = Map::from_iter([("role".to_owned(), role.name().into())]);
        let found = self.fleet.clusters.get(cluster);
        found.map(|found| self.layers(found, cluster, &own).keys().clone()).unwrap_or_default()
    }

    /// Returns the block scalar at a location of a merged device, if its lines are written as they are read.
    pub fn block_of(&self, device: &DeviceFile, location: &Location) -> Option<Arc<BlockText>> {
        match &location.anchor {
            Anchor::Value(pointer) => self.written(device, location).blocks.get(pointer).cloned(),
            _ => None,
        }
    }

    /// Returns the mapping of a raw patch at a location of a merged device.
    pub fn mapping_of(&self, device: &DeviceFile, location: &Location) -> Option<Arc<Node>> {
        match &location.anchor {
            Anchor::Value(pointer) => self.written(device, location).mappings.get(pointer).cloned(),
            _ => None,
        }
    }

    fn written<'a>(&'a self, device: &'a DeviceFile, location: &Location) -> &'a Written {
        if location.source == self.source { &self.written } else { &device.written }
    }

    /// Returns the folder of the document that contains a location of a merged device, from the repository's root.
    pub fn folder_of(&self, device: &DeviceFile, location: &Location) -> Utf8PathBuf {
        if location.source == self.source { Utf8PathBuf::new() } else { layout::device_folder(&device.folder) }
    }
}

impl DeviceFile {
    /// Parses a device's file and merges it with the layers of its cluster.
    ///
    /// Returns the device if anything of it can be planned, and every finding on the file on its own.
    pub fn read(fleet: &FleetFile, source: SourceId, folder: &str, text: &Arc<str>) -> (Option<Self>, Vec<Diagnostic>) {
        let cluster = fleet.fleet.clusters.keys().next().map_or("home", |name| name.as_str());
        let own = [("name", folder), ("cluster", cluster)];
        let ModelDocument { value, written, mut findings, secrets } = parse(Schema::Device, source, text, &own);
        let Some((device, origins, is_whole)) = Self::merge(fleet, source, folder, value, &mut findings) else {
            // The error that ends the reading is the last one.
            if let Some(finding) = findings.last_mut() {
                finding.notes.push("nothing else was checked of this device".to_owned());
            }
            findings.extend(secrets);
            return (None, findings);
        };
        let keys = Keys { origins: Arc::new(origins), text: Arc::clone(text) };
        (Some(Self { device, source, folder: folder.to_owned(), is_whole, secrets, keys, written }), findings)
    }

    /// Merges a device's own keys with the layers of its cluster. Returns with them whether nothing of them has errors.
    fn merge(
        fleet: &FleetFile,
        source: SourceId,
        folder: &str,
        value: Option<Value>,
        findings: &mut Vec<Diagnostic>,
    ) -> Option<(Device, Origins, bool)> {
        let Some(Value::Object(own)) = value else { return None };
        let text_of = |key: &str| own.get(key).and_then(Value::as_str);
        if text_of("name").is_some_and(|name| name != folder) {
            findings.push(name_mismatch(source, folder, &own));
        }
        let name = text_of("cluster")?;
        if fleet.unreadable.clusters.contains(name) {
            return None;
        }
        let Some(cluster) = fleet.fleet.clusters.get(name) else {
            findings.push(unknown_cluster(fleet, source, name));
            return None;
        };
        let groups: Vec<&str> = listed_groups(&own).collect();
        findings.extend(unknown_groups(source, name, cluster, &groups));
        let role = text_of("role").unwrap_or_default();
        let of_layers: Vec<_> = fleet.unreadable.in_layers(name, role, &groups).cloned().collect();
        let (mut keys, origins, nulls) = fleet.layers(cluster, name, &own).with_device(source, own);
        let is_readable = findings.is_empty() || keep_readable(&mut keys, folder, findings);
        if !is_readable || !of_layers.iter().all(|entry| remove(&mut keys, entry)) {
            return None;
        }
        // A key without a value is a finding already, and so is what a layer lacks because it is wrong there.
        let is_found = |null: &Diagnostic| findings.iter().any(|found| found.at.location == null.at.location.as_key());
        let nulls: Vec<_> = nulls.into_iter().filter(|null| fleet.is_whole && !is_found(null)).collect();
        findings.extend(nulls);
        let device: Device = typed(source, Value::Object(keys)).map_err(|finding| findings.push(*finding)).ok()?;
        findings.extend(repeated_groups(source, &device.groups));
        let is_whole = of_layers.is_empty() && !findings.iter().any(|finding| finding.level == Level::Error);
        Some((device, origins, is_whole))
    }

    /// Returns every finding on a device's file on its own, where no fleet can be read.
    pub fn findings(source: SourceId, text: &str) -> Vec<Diagnostic> {
        let ModelDocument { mut findings, secrets, .. } = parse(Schema::Device, source, text, &[]);
        findings.extend(secrets);
        findings
    }

    /// Which layer the value at a pointer of the merged device comes from.
    pub fn layer(&self, pointer: &Pointer) -> LayerRank {
        let Some(layer) = self.keys.origins.layer(pointer) else { return LayerRank::Device };
        // The base of a layer in talosmith.yaml is /clusters/<name>/<layer>, or /clusters/<name>/groups/<group>.
        let base: Vec<String> = layer.base.segments().collect();
        match base.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["clusters", _, "defaults"] => LayerRank::Cluster,
            ["clusters", _, GROUPS, group] => {
                let place = self.device.groups.iter().position(|name| name.as_str() == group);
                LayerRank::Group(place.and_then(|place| u8::try_from(place).ok()).unwrap_or(u8::MAX))
            }
            ["clusters", ..] => LayerRank::Role,
            _ => LayerRank::Device,
        }
    }

    /// Returns the location of the value at a pointer of the merged device.
    pub fn at(&self, pointer: impl Into<Pointer>) -> Location {
        self.keys.at(pointer)
    }
}

/// The first document of a file that was read without errors before.
fn json(source: SourceId, text: &str) -> Value {
    Document::parse(source, text).map_or(Value::Null, |document| document.root.into_json())
}

fn typed<T: for<'de> Deserialize<'de>>(source: SourceId, value: Value) -> Result<T, Box<Diagnostic>> {
    // The schema accepted the value, so the types do: a test holds the two together.
    serde_json::from_value(value)
        .map_err(|error| Box::new(Diagnostic::new(Code::WrongType, error.to_string(), Location::file(source))))
}

fn name_mismatch(source: SourceId, folder: &str, own: &Map<String, Value>) -> Diagnostic {
    let name = own.get("name").and_then(Value::as_str).unwrap_or_default();
    let message = format!("the device is called `{name}`, and its folder `{folder}`");
    Diagnostic::new(Code::NameMismatch, message, Location::value(source, Pointer::new("/name")))
        .note("commands name a device by its folder, and files by its name")
        .help(format!("write `name: {folder}`, or rename the folder: `mv devices/{folder} devices/{name}`"))
}

fn unknown_version(source: SourceId, version: i64) -> Diagnostic {
    let location = Location::value(source, Pointer::new("/version"));
    let finding = Diagnostic::new(Code::ModelVersion, format!("the model has version {version}"), location)
        .note(format!("this talosmith reads version {MODEL_VERSION}"));
    let help =
        if version > MODEL_VERSION { "install a newer talosmith" } else { "write `version: 1`, or remove the line" };
    finding.help(help)
}

fn unknown_cluster(fleet: &FleetFile, source: SourceId, name: &str) -> Diagnostic {
    let names: Vec<&str> = fleet.fleet.clusters.keys().map(crate::scalar::Name::as_str).collect();
    let message = format!("talosmith.yaml has no cluster `{name}`");
    let finding = Diagnostic::new(Code::UnknownCluster, message, Location::value(source, Pointer::new("/cluster")));
    finding
        .did_you_mean(name, names.iter().copied())
        .unwrap_or_else(|finding| finding.note(format!("its clusters: {}", names.join(", "))))
}
