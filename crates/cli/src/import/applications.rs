//! Folders with a kustomization that an application of talosmith can generate: local-path-provisioner, Kata Containers, and the DaemonSets for GPUs.

mod gpu;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value, json};
use talosmith_model::layout::{self, GPU, KATA_CONTAINERS, LOCAL_PATH};

use self::gpu::GpuFolder;
use super::draft::Draft;
use super::facts::KataSettings;
use super::source_file::SourceFile;
use super::value::json;

/// The start of the resource that a kustomization of local-path-provisioner lists.
const LOCAL_PATH_RELEASE: &str = "github.com/rancher/local-path-provisioner/deploy?ref=";
/// The entry in the ConfigMap of local-path-provisioner for all nodes without an entry of their own.
const OTHER_NODES: &str = "DEFAULT_PATH_FOR_NON_LISTED_NODES";
/// The folder in which Talos mounts user volumes.
const VOLUMES: &str = "/var/mnt/";

/// The applications in the imported files.
#[derive(Debug, Default)]
pub(crate) struct FoundApplications {
    /// The key `applications`, without kata-containers.
    pub keys: Map<String, Value>,
    /// The imported files that the applications generate.
    pub generated: Vec<Utf8PathBuf>,
    /// The keys of kata-containers. [`Self::complete`] adds those that are in the config files of containerd.
    kata: Option<Map<String, Value>>,
    gpu: Option<GpuFolder>,
    /// The paths on nodes in which local-path-provisioner creates volumes.
    default_paths: Vec<String>,
}

/// A folder with a kustomization, and the Kubernetes objects below it.
struct KustomizationFolder<'s> {
    folder: &'s Utf8Path,
    kustomization: Value,
    objects: Vec<(&'s Utf8Path, Value)>,
}

impl KustomizationFolder<'_> {
    fn resources(&self) -> Vec<&str> {
        let resources = self.kustomization["resources"].as_array();
        resources.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// Returns the first object of a kind, and the path of its file relative to the folder.
    fn object(&self, kind: &str) -> Option<(&Utf8Path, &Value)> {
        let (path, object) = self.objects.iter().find(|(_, object)| object["kind"] == kind)?;
        Some((path.strip_prefix(self.folder).ok()?, object))
    }

    /// Returns the patch in the kustomization for objects of a kind.
    fn patch(&self, kind: &str) -> Option<&Value> {
        self.kustomization["patches"].as_array()?.iter().find(|patch| patch["target"]["kind"] == kind)
    }

    /// Adds the key `path` if the folder is not the default one, and the key `resources` with the listed files that the application does not
    /// generate.
    fn add_common(&self, application: &str, keys: &mut Map<String, Value>, generated: &[String]) {
        if self.folder != layout::application(application) {
            keys.insert("path".to_owned(), self.folder.as_str().into());
        }
        let is_own = |resource: &&str| !generated.iter().any(|file| file == resource) && !resource.contains("://");
        let others: Vec<&str> = self.resources().into_iter().filter(is_own).collect();
        let others: Vec<&str> = others.into_iter().filter(|resource| !resource.starts_with("github.com/")).collect();
        if !others.is_empty() {
            keys.insert("resources".to_owned(), others.into());
        }
    }
}

impl FoundApplications {
    /// Finds the applications in the imported files.
    pub(crate) fn find(sources: &[SourceFile]) -> Self {
        let mut applications = Self::default();
        for source in sources {
            let Some(kustomization) = source.documents.first().map(json) else { continue };
            let Some(folder) = source.path.parent().filter(|_| kustomization["kind"] == "Kustomization") else {
                continue;
            };
            let below = sources.iter().filter(|source| source.path.starts_with(folder));
            let objects =
                below.flat_map(|source| source.documents.iter().map(|node| (source.path.as_path(), json(node))));
            let bundle = KustomizationFolder { folder, kustomization, objects: objects.collect() };
            let is_known = applications.local_path(&bundle).or_else(|| applications.kata(&bundle)).is_some();
            if is_known {
                applications.generated.push(source.path.clone());
            } else if let Some(mut folder) = GpuFolder::find(&bundle) {
                folder.generated.push(source.path.clone());
                applications.gpu = Some(folder);
            }
        }
        applications
    }

    pub(crate) fn has_kata(&self) -> bool {
        self.kata.is_some()
    }

    fn local_path(&mut self, bundle: &KustomizationFolder<'_>) -> Option<()> {
        let version = bundle.resources().into_iter().find_map(|resource| resource.strip_prefix(LOCAL_PATH_RELEASE))?;
        let mut keys = Map::from_iter([("version".to_owned(), version.into())]);
        let mut files = Map::new();
        let namespace = match bundle.patch("Namespace") {
            Some(patch) => patch["path"].as_str().map_or("delete", |_| "label"),
            None => "keep",
        };
        if namespace != "label" {
            keys.insert("namespace".to_owned(), namespace.into());
        }
        if let Some((_, class)) = bundle.object("StorageClass") {
            let is_default = &class["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"];
            keys.extend(is_default.as_str().map(|text| ("defaultClass".to_owned(), (text == "true").into())));
        }
        if let Some((_, map)) = bundle.object("ConfigMap") {
            let paths = map["data"]["config.json"].as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let nodes = paths.as_ref().and_then(|paths| paths["nodePathMap"].as_array());
            let others = nodes.into_iter().flatten().find(|node| node["node"] == OTHER_NODES);
            if let Some(paths) = others.map(|node| &node["paths"]) {
                keys.insert("defaultPaths".to_owned(), paths.clone());
                let texts = paths.as_array().into_iter().flatten().filter_map(Value::as_str);
                self.default_paths.extend(texts.map(str::to_owned));
            }
        }
        let patches = [
            ("ConfigMap", "config", "patches/local-path-config.patch.yaml"),
            ("StorageClass", "storageClass", "patches/local-path-storageclass.patch.yaml"),
            ("Namespace", "namespace", "patches/namespace-labels.patch.yaml"),
        ];
        for (kind, key, default) in patches {
            let Some(path) = bundle.patch(kind).and_then(|patch| patch["path"].as_str()) else { continue };
            self.generated.push(bundle.folder.join(path));
            if path != default {
                files.insert(key.to_owned(), path.into());
            }
        }
        bundle.add_common(LOCAL_PATH, &mut keys, &[]);
        if !files.is_empty() {
            keys.insert("files".to_owned(), files.into());
        }
        self.keys.insert(LOCAL_PATH.to_owned(), keys.into());
        Some(())
    }

    fn kata(&mut self, bundle: &KustomizationFolder<'_>) -> Option<()> {
        let (class_file, class) = bundle.object("RuntimeClass")?;
        let (set_file, set) = bundle.object("DaemonSet")?;
        let runtime = class["metadata"]["name"].as_str()?;
        let pod = &set["spec"]["template"]["spec"];
        let (first, hold) = (&pod["initContainers"][0], &pod["containers"][0]);
        let script = first["command"].as_array()?.last()?.as_str()?;
        let size = script.lines().find_map(|line| line.trim().strip_prefix("SIZE="))?;
        let mut keys = Map::from_iter([
            ("runtime".to_owned(), runtime.into()),
            ("snapshotter".to_owned(), "blockfile".into()),
            ("scratch".to_owned(), json!({ "size": model_size(size)? })),
            // `add_kata` sets it, and the volume and the path of `scratch`.
            ("sandboxImage".to_owned(), Value::Null),
        ]);
        let selector = pod["nodeSelector"].as_object().cloned().filter(|selector| !selector.is_empty());
        keys.extend(selector.map(|selector| ("nodeSelector".to_owned(), selector.into())));
        keys.insert("images".to_owned(), json!({ "scratch": first["image"], "hold": hold["image"] }));
        let generated = [set_file.to_string(), class_file.to_string()];
        bundle.add_common(KATA_CONTAINERS, &mut keys, &generated);
        let mut files = Map::new();
        if set_file != "blockfile-scratch-daemonset.yaml" {
            files.insert("daemonSet".to_owned(), set_file.as_str().into());
        }
        if class_file.as_str() != format!("runtimeclass-{runtime}.yaml") {
            files.insert("runtimeClass".to_owned(), class_file.as_str().into());
        }
        if !files.is_empty() {
            keys.insert("files".to_owned(), files.into());
        }
        self.generated.extend(generated.map(|file| bundle.folder.join(file)));
        self.kata = Some(keys);
        Some(())
    }

    /// Returns the key `applications` with the settings of Kata Containers from the devices, and adds the key `localPath` to the devices.
    pub(crate) fn complete(&mut self, drafts: &mut [Draft]) -> Map<String, Value> {
        let mut keys = self.keys.clone();
        // An application that no device uses has no files.
        if let Some(folder) = self.gpu.take_if(|folder| folder.add_devices(drafts)) {
            keys.insert(GPU.to_owned(), folder.keys.into());
            self.generated.extend(folder.generated);
        }
        let kata = drafts.iter().find_map(|draft| draft.facts.kata.clone());
        if let Some((mut application, kata)) = self.kata.clone().zip(kata) {
            add_kata(&mut application, &kata);
            keys.insert(KATA_CONTAINERS.to_owned(), application.into());
        }
        for draft in drafts {
            let volumes = draft.facts.keys.get("volumes").and_then(Value::as_object);
            let offered = self.default_paths.iter().filter_map(|path| path.strip_prefix(VOLUMES));
            let offered: Vec<&str> =
                offered.filter(|name| volumes.is_some_and(|volumes| volumes.contains_key(*name))).collect();
            if !offered.is_empty() {
                draft.facts.keys.insert("localPath".to_owned(), json!({ "volumes": offered }));
            }
        }
        keys
    }
}

fn add_kata(application: &mut Map<String, Value>, kata: &KataSettings) {
    let file = kata.scratch_file.strip_prefix(VOLUMES).and_then(|file| file.split_once('/'));
    if let (Some((volume, path)), Some(scratch)) = (file, application.get_mut("scratch")) {
        *scratch = json!({ "volume": volume, "path": path, "size": scratch["size"] });
    }
    application.insert("sandboxImage".to_owned(), kata.sandbox_image.as_str().into());
}

/// Converts a size of the command truncate, where `G` means GiB, to one of the model.
fn model_size(size: &str) -> Option<String> {
    let digits = size.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &size[digits.len()..] {
        "" => "B",
        "K" | "KiB" => "KiB",
        "M" | "MiB" => "MiB",
        "G" | "GiB" => "GiB",
        "T" | "TiB" => "TiB",
        "GB" => "GB",
        "MB" => "MB",
        _ => return None,
    };
    digits.parse::<u64>().ok().map(|number| format!("{number}{unit}"))
}
