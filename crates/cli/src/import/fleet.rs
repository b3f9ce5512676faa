//! The files of the new model.

use std::collections::{BTreeMap, BTreeSet};

use camino::Utf8PathBuf;
use serde_json::{Map, Value, json};
use talosmith_document::TalosVersion;
use talosmith_machinery::Role;
use talosmith_model::layout::{FLEET_FILE, device_file, device_folder};
use talosmith_render::{yaml_document, yaml_flow};

use super::additions::{Additions, with_added, with_layers};
use super::applications::FoundApplications;
use super::device_keys::{device_keys, in_order, role_keys, schema_keys, simplify, static_address, with_files};
use super::disks::{self, KnownDisks};
use super::draft::{ConflictingField, Draft, Rejected, Roles, drafts};
use super::facts::secret_of;
use super::inherited::Inherited;
use super::layers::{Layers, extract_layers, move_keys};
use super::source_file::SourceFile;
use crate::existing_fleet::{ExistingCluster, ExistingFleet};
use crate::starter::PLACEHOLDER;

/// The facts about the cluster and its nodes that come from arguments and defaults.
#[derive(Debug)]
pub(crate) struct FleetFacts {
    pub cluster: String,
    pub talos: TalosVersion,
    pub base: TalosVersion,
    /// Whether neither the arguments nor the files specify the version of the talosctl that generated the base configs.
    pub is_base_guessed: bool,
    pub roles: Roles,
    /// The known addresses of devices, by name.
    pub addresses: BTreeMap<String, String>,
    pub disks: KnownDisks,
    /// The repository that the devices are added to.
    pub existing: Option<ExistingFleet>,
    /// The keys that they have from the layers of their cluster.
    pub inherited: Inherited,
}

/// A model made from imported files, before it is written.
#[derive(Debug)]
pub(crate) struct ImportedFleet {
    /// The files to write, as paths and contents.
    pub files: Vec<(Utf8PathBuf, String)>,
    pub drafts: Vec<Draft>,
    /// The imported files that applications generate.
    pub generated: Vec<Utf8PathBuf>,
    /// The lines of .gitignore for files with secrets.
    pub secret_files: Vec<String>,
    /// Whether the devices are added to an existing repository.
    pub is_added: bool,
    pub inherited: Inherited,
    /// The fields whose facts are not rejected.
    pub conflicts: BTreeSet<ConflictingField>,
}

impl FleetFacts {
    /// Returns the first device that an argument names and no file applies to.
    pub(crate) fn unknown_device(&self, fleet: &ImportedFleet) -> Option<&str> {
        let named = self.roles.known.keys().chain(self.addresses.keys()).chain(self.disks.keys());
        named.map(String::as_str).find(|name| fleet.drafts.iter().all(|draft| draft.name != *name))
    }

    /// Makes a model of the files. Values whose facts are rejected stay in raw patches.
    pub(crate) fn build(&self, sources: &[SourceFile], rejected: &Rejected) -> anyhow::Result<ImportedFleet> {
        let mut applications = FoundApplications::find(sources);
        let mut drafts = drafts(sources, &self.roles, applications.has_kata(), rejected);
        let application_keys = applications.complete(&mut drafts);
        let known = self.known_cluster();
        let cluster_facts = match known {
            Some(cluster) => own_endpoints(&mut drafts, cluster),
            None => cluster_facts(&mut drafts),
        };
        for draft in &mut drafts {
            simplify(draft, sources, known.map_or(&cluster_facts, |cluster| &cluster.keys), &self.talos);
            self.set_address(draft);
            rename_secret_patches(draft, sources);
            self.inherited.rename_patches(draft);
        }
        let mut keys: Vec<(Role, Map<String, Value>)> = drafts
            .iter()
            .map(|draft| (draft.role, device_keys(draft, sources, &self.inherited.file_names(draft))))
            .collect();
        for (draft, (_, keys)) in drafts.iter().zip(&mut keys).filter(|_| known.is_some()) {
            self.inherited.remove_from(draft, keys, rejected);
        }
        let layers = match (&self.existing, known) {
            (Some(fleet), Some(cluster)) => {
                let additions = Additions { fleet, cluster, inherited: &self.inherited };
                extract_layers(&mut keys, &|role, key, value| additions.can_add(role, key, value))
            }
            _ => layers(&drafts, &mut keys, sources),
        };
        let mut files = Vec::new();
        let mut addresses = self.existing.as_ref().map(ExistingFleet::addresses).unwrap_or_default();
        addresses.extend(drafts.iter().filter_map(|draft| draft.address.clone()));
        for (draft, (_, keys)) in drafts.iter().zip(keys) {
            let folder = device_folder(&draft.name);
            let keys = with_files(keys, draft, &folder, "", &mut files);
            files.push((device_file(&draft.name), self.device_text(draft, &keys, &mut addresses)));
        }
        let cluster = self.cluster_keys(&drafts, application_keys, (cluster_facts, layers), &mut files);
        let text = self.fleet_text(&drafts, &cluster)?;
        if self.existing.as_ref().is_none_or(|existing| existing.text != text) {
            files.push((FLEET_FILE.into(), text));
        }
        files.sort();
        let secret_files = drafts.iter().flat_map(secret_files).collect::<BTreeSet<_>>().into_iter().collect();
        Ok(ImportedFleet {
            files,
            drafts,
            generated: applications.generated,
            secret_files,
            is_added: self.existing.is_some(),
            inherited: self.inherited.clone(),
            conflicts: rejected.conflicts.clone(),
        })
    }

    /// Returns the cluster of the devices, if it exists.
    pub(crate) fn known_cluster(&self) -> Option<&ExistingCluster> {
        self.existing.as_ref()?.cluster(&self.cluster)
    }

    /// Returns the address of a device, if it is known.
    fn address(&self, draft: &Draft) -> Option<String> {
        self.addresses.get(&draft.name).cloned().or_else(|| static_address(&draft.facts.keys))
    }

    /// Sets the address of a draft, and writes it as `address` in its links, so that devices can share them.
    fn set_address(&self, draft: &mut Draft) {
        let Some(address) = self.address(draft) else { return };
        draft.address = Some(address.clone());
        let links = draft.facts.keys.get_mut("links").and_then(Value::as_object_mut);
        let lists =
            links.into_iter().flat_map(Map::values_mut).filter_map(|link| link.get_mut("addresses")?.as_array_mut());
        for item in lists.flatten() {
            let prefix = item.as_str().and_then(|text| text.strip_prefix(&address)?.strip_prefix('/'));
            if let Some(prefix) = prefix {
                *item = format!("address/{prefix}").into();
            }
        }
    }

    fn device_text(&self, draft: &Draft, keys: &Map<String, Value>, used_addresses: &mut BTreeSet<String>) -> String {
        let role = match draft.is_role_guessed {
            true => format!("{} {PLACEHOLDER}the role: controlplane or worker", draft.role.name()),
            false => draft.role.name().to_owned(),
        };
        let address = match draft.address.clone() {
            Some(address) => address,
            None => {
                // Addresses for documentation: RFC 5737.
                let mut free = (11..255).map(|number| format!("192.0.2.{number}"));
                let address = free.find(|address| !used_addresses.contains(address)).unwrap_or_default();
                used_addresses.insert(address.clone());
                format!("{address} {PLACEHOLDER}the IP address at which talosctl reaches the node")
            }
        };
        let mut text = format!(
            "# yaml-language-server: $schema=../../schemas/device.schema.json\nname: {}\ncluster: {}\nrole: {role}\naddress: {address}\n",
            yaml_flow(&draft.name.as_str().into()),
            yaml_flow(&self.cluster.as_str().into())
        );
        if let Some(cluster) = self.known_cluster() {
            let versions = [("talosVersion", &self.talos, &cluster.talos), ("baseConfig", &self.base, &cluster.base)];
            for (key, own, _) in versions.iter().filter(|(_, own, of_cluster)| own != of_cluster) {
                text.push_str(&format!("{key}: {own}\n"));
            }
        }
        let disks = disks::disks_block(draft, &self.disks, &self.talos);
        for key in schema_keys() {
            if key == "disks" {
                text.extend(disks.iter().map(|disks| format!("\n{disks}")));
            } else if let Some(value) = keys.get(&key) {
                text.push_str(&format!("\n{}", yaml_document(&json!({ key: value }))));
            }
        }
        text
    }

    /// Returns the keys of a new cluster, or those that are added to the existing one.
    fn cluster_keys(
        &self,
        drafts: &[Draft],
        applications: Map<String, Value>,
        (facts, layers): (Map<String, Value>, Layers),
        files: &mut Vec<(Utf8PathBuf, String)>,
    ) -> Map<String, Value> {
        let mut cluster = Map::new();
        if self.known_cluster().is_none() {
            cluster.insert("talosVersion".to_owned(), self.talos.to_string().into());
            cluster.insert("baseConfig".to_owned(), self.base.to_string().into());
        }
        cluster.extend(facts);
        if !applications.is_empty() {
            cluster.insert("applications".to_owned(), applications.into());
        }
        let folder = Utf8PathBuf::from("clusters").join(&self.cluster);
        for (name, layer) in
            [("defaults", layers.defaults), ("controlplane", layers.controlplane), ("worker", layers.worker)]
        {
            let Some(draft) = drafts.first().filter(|_| !layer.is_empty()) else { continue };
            let folder = if name == "defaults" { folder.clone() } else { folder.join(name) };
            let layer = with_files(layer, draft, &folder, folder.as_str(), files);
            cluster.insert(name.to_owned(), in_order(layer).into());
        }
        cluster
    }

    /// Returns talosmith.yaml with the keys of the cluster, and with the secrets of the devices.
    fn fleet_text(&self, drafts: &[Draft], cluster: &Map<String, Value>) -> anyhow::Result<String> {
        let written = self.existing.as_ref().map(|existing| existing.text.as_str());
        let mut text = match (written, self.known_cluster()) {
            (None, _) => {
                let head = "# yaml-language-server: $schema=schemas/fleet.schema.json\nversion: 1\n";
                head.to_owned() + &self.marked(yaml_document(&json!({ "clusters": { &self.cluster: cluster } })))
            }
            (Some(text), None) => {
                let entry = self.marked(yaml_document(&json!({ &self.cluster: cluster })));
                with_added(text, &["clusters"], &entry)?
            }
            (Some(text), Some(known)) => {
                let has = |name: &String| known.keys.get("applications").is_some_and(|found| found.get(name).is_some());
                let new = cluster.get("applications").and_then(Value::as_object).into_iter().flatten();
                let text = new.filter(|(name, _)| !has(name)).try_fold(text.to_owned(), |text, (name, keys)| {
                    let entry = yaml_document(&json!({ name: keys }));
                    with_added(&text, &["clusters", &self.cluster, "applications"], &entry)
                })?;
                with_layers(text, known, cluster)?
            }
        };
        let secrets: BTreeSet<&String> = drafts.iter().flat_map(|draft| &draft.facts.placeholders).collect();
        for (secret, name) in secrets.into_iter().map(|name| (secret_of(name), name)) {
            if self.existing.as_ref().is_none_or(|existing| !existing.has_secret(&secret)) {
                let entry = yaml_document(&json!({ secret: [{ "env": name }] }));
                text = with_added(&text, &["secrets"], &entry)?;
            }
        }
        Ok(text)
    }

    /// Marks the version of the base config in the keys of a cluster, if it is a guess.
    fn marked(&self, text: String) -> String {
        let line = format!("baseConfig: {}", self.base);
        let mark = format!("{line} {PLACEHOLDER}the version of the talosctl that generated the base configs");
        if self.is_base_guessed { text.replacen(&line, &mark, 1) } else { text }
    }
}

/// Returns the layers with the keys that devices of a new cluster share, and removes these from the devices.
fn layers(drafts: &[Draft], keys: &mut [(Role, Map<String, Value>)], sources: &[SourceFile]) -> Layers {
    let mut layers = extract_layers(keys, &|_, _, _| true);
    for role in [Role::ControlPlane, Role::Worker] {
        let mut own = drafts.iter().zip(keys.iter_mut()).filter(|(draft, _)| draft.role == role);
        // `extract_layers` handles roles with several devices. A role with one device gets the keys from the files of its role.
        let (Some((draft, (_, keys))), None) = (own.next(), own.next()) else { continue };
        let layer = if role == Role::Worker { &mut layers.worker } else { &mut layers.controlplane };
        if drafts.len() > 1 {
            move_keys(keys, &role_keys(draft, sources), layer);
        }
    }
    layers
}

/// Sets the endpoint of each device that has another one than its existing cluster. Returns no facts, because the cluster has its own.
fn own_endpoints(drafts: &mut [Draft], cluster: &ExistingCluster) -> Map<String, Value> {
    for facts in drafts.iter_mut().map(|draft| &mut draft.facts) {
        let (known, is_set) = (cluster.keys.get("endpoint"), facts.keys.contains_key("endpoint"));
        if let Some(own) = facts.cluster.get("endpoint").filter(|own| known.map_or(is_set, |known| known != *own)) {
            facts.keys.insert("endpoint".to_owned(), own.clone());
        }
    }
    Map::new()
}

/// Renames each raw patch with a secret whose file would have the name of another imported file.
fn rename_secret_patches(draft: &mut Draft, sources: &[SourceFile]) {
    for raw in draft.raw.iter_mut().filter(|raw| !raw.placeholders.is_empty()) {
        let own = format!("{}.yaml", raw.name);
        if sources
            .iter()
            .enumerate()
            .any(|(index, source)| index != raw.source && source.keeps_name && source.name == own)
        {
            raw.name.push_str("-secret");
        }
    }
}

/// Returns the lines of .gitignore for the files of a device that contain secrets.
fn secret_files(draft: &Draft) -> Vec<String> {
    let line = |name: &str| format!("/devices/*/manifests/{name}");
    let patches =
        draft.raw.iter().filter(|raw| !raw.placeholders.is_empty()).map(|raw| line(&format!("{}.yaml", raw.name)));
    let services = draft.facts.keys.get("extensionServices").and_then(Value::as_object);
    let services = services.into_iter().flatten().filter(|(_, service)| service.get("secrets").is_some());
    let services = services.map(|(name, _)| line(&format!("{name}-extension-service.yaml")));
    let registries = draft.facts.keys.get("registries").filter(|registries| registries.get("auth").is_some());
    patches.chain(services).chain(registries.map(|_| line("registry-auth.yaml"))).collect()
}

/// Returns the facts about the cluster: for each key, the value of the first device. A device with another endpoint gets a key `endpoint`.
fn cluster_facts(drafts: &mut [Draft]) -> Map<String, Value> {
    let mut facts = Map::new();
    for draft in drafts.iter() {
        for (key, value) in &draft.facts.cluster {
            facts.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
    for draft in drafts {
        let own = draft.facts.cluster.get("endpoint");
        if let Some(own) = own.filter(|own| facts.get("endpoint") != Some(own)).cloned() {
            draft.facts.keys.insert("endpoint".to_owned(), own);
        }
    }
    facts
}
