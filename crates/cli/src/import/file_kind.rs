//! The kinds of imported files, and the model keys for files with one purpose: schematics, Kubernetes objects for GPUs, and alternative installer images.

use serde_json::{Map, Value};

use super::value::{at, scalar_string};

/// The kind of a file, by its documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// A patch of the machine config.
    Patch,
    /// A schematic of an Image Factory.
    Schematic,
    KubernetesObjects,
    /// The secrets of a cluster: a bundle of talosctl or talhelper.
    SecretsBundle,
    /// Encrypted with SOPS.
    Encrypted,
    Other,
}

impl FileKind {
    /// Whether a file of this kind configures the nodes that it applies to.
    pub(super) fn configures_nodes(self) -> bool {
        matches!(self, Self::Patch | Self::Schematic)
    }
}

/// Returns the kind of the file with these documents.
pub(super) fn classify(documents: &[Value]) -> FileKind {
    let Some(first) = documents.first() else { return FileKind::Other };
    if let Some(items) = first.as_array() {
        let is_json_patch = items.iter().any(|item| item.get("op").is_some());
        return if is_json_patch { FileKind::Patch } else { FileKind::Other };
    }
    let has = |key: &str| first.get(key).is_some();
    if has("certs") && (has("trustdinfo") || has("secrets")) {
        return FileKind::SecretsBundle;
    }
    if has("sops") {
        return FileKind::Encrypted;
    }
    match (first["apiVersion"].as_str(), has("kind")) {
        (Some("v1alpha1"), true) => FileKind::Patch,
        (Some(_), true) => FileKind::KubernetesObjects,
        _ if has("customization") || has("overlay") => FileKind::Schematic,
        _ if has("machine") || has("cluster") || has("debug") || has("persist") => FileKind::Patch,
        _ => FileKind::Other,
    }
}

/// Returns the name of a schematic: the name of its file without the name of the device.
pub(super) fn schematic_name(stem: &str, device: &str) -> String {
    let name = stem.strip_prefix(device).unwrap_or(stem);
    let name = name.strip_suffix("schematic").unwrap_or(name).trim_matches(['-', '.', '_']);
    if name.is_empty() { "main".to_owned() } else { name.to_owned() }
}

/// The keys of `customization` in a schematic that a key in `schematics` has too, besides `systemExtensions`.
const CUSTOMIZATION: [&str; 5] =
    ["extraKernelArgs", "meta", "secureboot", "bootloader", "embeddedMachineConfiguration"];

/// Returns the keys of a schematic, joined by dots, that no key in `schematics` has.
pub(super) fn unknown_schematic_keys(document: &Value) -> Vec<String> {
    let unknown = |path: &str, known: &[&str]| {
        let fields = at(document, path).and_then(Value::as_object).into_iter().flat_map(Map::keys);
        let start = if path.is_empty() { String::new() } else { format!("{path}.") };
        let unknown = fields.filter(|key| !known.contains(&key.as_str())).map(|key| format!("{start}{key}"));
        unknown.collect::<Vec<String>>()
    };
    let customization: Vec<&str> = CUSTOMIZATION.into_iter().chain(["systemExtensions"]).collect();
    let mut found = unknown("", &["customization", "overlay"]);
    found.extend(unknown("customization", &customization));
    found.extend(unknown("customization.systemExtensions", &["officialExtensions"]));
    found
}

/// Returns the value of a key in `schematics`.
pub(super) fn schematic_keys(document: Value) -> Value {
    let mut keys = Map::new();
    let mut customization = document["customization"].as_object().cloned().unwrap_or_default();
    let extensions = customization.shift_remove("systemExtensions");
    customization.retain(|key, _| CUSTOMIZATION.contains(&key.as_str()));
    keys.extend(document.get("overlay").map(|overlay| ("overlay".to_owned(), overlay.clone())));
    keys.extend(customization);
    let extensions = extensions.as_ref().and_then(|extensions| at(extensions, "officialExtensions")).cloned();
    keys.extend(extensions.map(|extensions| ("extensions".to_owned(), extensions)));
    Value::Object(keys)
}

/// Returns the model key that generates the Kubernetes objects for a GPU, the image, and the labels that select the nodes.
pub(super) fn gpu_key(documents: &[Value]) -> Option<(&'static str, Value, Map<String, Value>)> {
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

/// Returns the name and the image of a patch `installer-image.NAME.patch.yaml`, which is not applied: it is an alternative installer image.
pub(super) fn alternative_image<'n>(file: &'n str, document: &Value) -> Option<(&'n str, String)> {
    let name = file.strip_prefix("installer-image.")?.split('.').next()?;
    let image = scalar_string(at(document, "machine.install.image").or_else(|| at(document, "installer.image"))?)?;
    (!matches!(name, "patch" | "yaml" | "yml")).then_some((name, image))
}
