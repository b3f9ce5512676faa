//! What stands beside the patches of a device: schematics, and the objects of Kubernetes for its GPUs.

use serde_json::{Map, Value};

use super::value::at;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    Patch,
    Schematic,
    /// Objects of Kubernetes.
    Objects,
    /// Encrypted with SOPS.
    Encrypted,
    Other,
}

/// Finds out what the documents of a file are.
pub(super) fn classify(documents: &[Value]) -> Content {
    let Some(first) = documents.first() else { return Content::Other };
    if first.is_array() {
        return Content::Patch;
    }
    let has = |key: &str| first.get(key).is_some();
    if has("sops") {
        return Content::Encrypted;
    }
    match (first["apiVersion"].as_str(), has("kind")) {
        (Some("v1alpha1"), true) => Content::Patch,
        (Some(_), true) => Content::Objects,
        _ if has("customization") || has("overlay") => Content::Schematic,
        _ if has("machine") || has("cluster") || has("debug") || has("persist") => Content::Patch,
        _ => Content::Other,
    }
}

/// The name of a schematic: that of its file without the device's.
pub(super) fn schematic_name(stem: &str, device: &str) -> String {
    let name = stem.strip_prefix(device).unwrap_or(stem);
    let name = name.strip_suffix("schematic").unwrap_or(name).trim_matches(['-', '.', '_']);
    if name.is_empty() { "main".to_owned() } else { name.to_owned() }
}

/// The keys of a schematic.
pub(super) fn schematic(document: Value) -> Value {
    let mut keys = Map::new();
    let mut customization = document["customization"].as_object().cloned().unwrap_or_default();
    let extensions = customization.shift_remove("systemExtensions");
    keys.extend(document.get("overlay").map(|overlay| ("overlay".to_owned(), overlay.clone())));
    keys.extend(customization);
    let extensions = extensions.as_ref().and_then(|extensions| at(extensions, "officialExtensions")).cloned();
    keys.extend(extensions.map(|extensions| ("extensions".to_owned(), extensions)));
    Value::Object(keys)
}

/// The key that generates the objects for a GPU, its image, and the labels that select its nodes.
pub(super) fn gpu(documents: &[Value]) -> Option<(&'static str, Value, Map<String, Value>)> {
    let daemon_set = documents.iter().find(|object| object["kind"] == "DaemonSet")?;
    let container = daemon_set["spec"]["template"]["spec"]["containers"].as_array()?.first()?;
    let image = container["image"].as_str()?;
    let command = container["command"].to_string();
    let key = if command.contains("k8s-node-labeller") {
        "gpu/amd/labeller"
    } else if image.contains("rocm/k8s-device-plugin") {
        "gpu/amd/devicePlugin"
    } else if image.contains("intel-gpu-plugin") {
        "gpu/intel/devicePlugin"
    } else if image.contains("nvidia/k8s-device-plugin") {
        "gpu/nvidia/devicePlugin"
    } else {
        return None;
    };
    let mut labels = daemon_set["spec"]["template"]["spec"]["nodeSelector"].as_object().cloned().unwrap_or_default();
    labels.shift_remove("kubernetes.io/arch");
    Some((key, image.into(), labels))
}
