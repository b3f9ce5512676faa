//! Where a setting belongs that is written under a key which does not exist.

use serde_json::Value;
use talosmith_document::{Node, Pointer};
use talosmith_machinery::section_path;
use talosmith_machinery::talos_data::talos;

use super::Schema;
use super::flow::{flow, system_disk};
use super::translate::Translator;

/// Names that Talos and other tools have for a key, sorted.
///
/// Source of the other tools': <https://budimanjojo.github.io/talhelper/latest/reference/configuration/>, nodes.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("bootArgs", "schematics.<name>.extraKernelArgs"),
    ("cmdline", "schematics.<name>.extraKernelArgs"),
    ("cniConfig", "cni"),
    ("configPatches", "patches"),
    ("controlPlane", "role"),
    ("dns", "nameservers"),
    ("domain", "searchDomains"),
    ("domainname", "searchDomains"),
    ("extraHostEntries", "staticHosts"),
    ("hostName", "hostname"),
    ("installDiskSelector", "disks.<name>.selector"),
    ("interfaces", "links"),
    ("ip", "address"),
    ("ipAddress", "address"),
    ("kernelArgs", "schematics.<name>.extraKernelArgs"),
    ("kernelArguments", "schematics.<name>.extraKernelArgs"),
    ("kernelParams", "schematics.<name>.extraKernelArgs"),
    ("kubernetesVersion", "patches"),
    ("machineType", "role"),
    ("modules", "kernelModules"),
    ("networkInterfaces", "links"),
    ("nodeAnnotations", "annotations"),
    ("nodeLabels", "labels"),
    ("nodeTaints", "taints"),
    ("ntp", "time.servers"),
    ("officialExtensions", "schematics.<name>.extensions"),
    ("resolvers", "nameservers"),
    ("schematic", "schematics.<name>"),
    ("systemExtensions", "schematics.<name>.extensions"),
    ("talosImageURL", "install.image"),
    ("timeServers", "time.servers"),
    ("type", "role"),
    ("userVolumes", "volumes"),
    ("vip", "vips"),
];

/// A longer value is not repeated in a help.
const MAX_INLINE: usize = 300;

impl Translator<'_> {
    /// Returns the keys that lead from a device, or a layer of devices, to a place; none for a place that is in neither.
    pub(super) fn below_device(&self, at: &Pointer) -> Option<Vec<String>> {
        let is_layer = |key: &str| matches!(key, "defaults" | "controlplane" | "worker");
        let path: Vec<String> = at.segments().collect();
        let start = match path.iter().position(|key| is_layer(key)) {
            Some(layer) => layer + 1,
            // A group has a name: /clusters/<name>/groups/<name>.
            None if path.get(2).is_some_and(|key| key == "groups") => 4,
            None if self.schemas[0].0 == Schema::Device => 0,
            None => return None,
        };
        path.get(start..).map(<[String]>::to_vec)
    }

    /// Returns where a setting belongs that is written under a key which the mapping at `at` does not have; none if that is not known.
    pub(super) fn elsewhere(&self, at: &Pointer, below: &[String], key: &str) -> Option<String> {
        let entries = self.document.root.at(at).map_or(&[][..], Node::entries);
        // A line that is not indented below its key is no setting of its own.
        if entries.iter().take_while(|entry| *entry.key != *key).any(|entry| entry.value.is_empty_scalar()) {
            return None;
        }
        if below.is_empty()
            && let Some(help) = self.other_name(key).or_else(|| self.deeper(key))
        {
            return Some(help);
        }
        if below == ["install"] && key == "diskSelector" || below.is_empty() && key == "installDisk" {
            return Some(system_disk(&self.text(&at.child(key))));
        }
        let value = self.document.root.at(&at.child(key)).cloned().map(Node::into_json).unwrap_or_default();
        raw_patch(below, key, value)
    }

    fn other_name(&self, key: &str) -> Option<String> {
        let (_, path) = OTHER_NAMES.iter().find(|(name, _)| *name == key)?;
        Some(match *path {
            "patches" => return None,
            "role" => "write the type of the machine as `role: controlplane` or `role: worker`".to_owned(),
            path => format!("write it as `{path}`"),
        })
    }

    /// Returns the key of a device that has a key below it.
    fn deeper(&self, key: &str) -> Option<String> {
        let (_, device) = self.schemas.iter().find(|(schema, _)| *schema == Schema::Device)?;
        let has = |schema: &Value| schema["properties"].as_object().is_some_and(|keys| keys.contains_key(key));
        device["properties"].as_object()?.iter().find_map(|(parent, schema)| {
            let schema = self.resolved(schema);
            if has(&schema) {
                return Some(format!("write it under `{parent}`, which has this key"));
            }
            has(&self.resolved(&schema["additionalProperties"]))
                .then(|| format!("write it under `{parent}.<name>`, which has this key"))
        })
    }
}

/// Returns how a setting that no key of a device has is written as a raw patch, with its value; none if Talos has no such setting.
fn raw_patch(below: &[String], key: &str, value: Value) -> Option<String> {
    let keys: Vec<&str> = below.iter().map(String::as_str).chain([key]).collect();
    let is_section = below.is_empty() && matches!(key, "machine" | "cluster");
    let section = if is_section { None } else { section_path(&keys.join(".")) };
    if !is_section && section.is_none() {
        return talos::kind_named(key).filter(|_| below.is_empty()).map(|kind| document(key, kind));
    }
    let sections = section.iter().flat_map(|path| path.rsplit('.'));
    let inner = keys.iter().copied().rev().chain(sections).fold(value, |value, key| serde_json::json!({ key: value }));
    let inner = flow(&inner);
    if inner.len() > MAX_INLINE {
        let path: Vec<&str> = section.as_deref().into_iter().chain(keys).collect();
        return Some(format!(
            "this setting has no key: move it to a raw patch under `patches`, as `{}`",
            path.join(".")
        ));
    }
    let name = patch_name(key);
    Some(format!("this setting has no key: move it to a raw patch\npatches:\n  {name}:\n    inline: {inner}"))
}

/// Returns how a document of Talos is written as a raw patch.
fn document(key: &str, kind: &str) -> String {
    let name = patch_name(key);
    format!(
        "this setting has no key: write the document {kind} in Talos's own form, as a raw patch that begins with\npatches:\n  {name}:\n    inline:\n      apiVersion: v1alpha1\n      kind: {kind}"
    )
}

/// `extraMounts` as `extra-mounts`.
fn patch_name(key: &str) -> String {
    let mut name = String::new();
    for c in key.chars() {
        if c.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
        name.push(c.to_ascii_lowercase());
    }
    name
}
