//! What the template of a runbook sees besides the device: the facts that follow from several keys, and the forms of commands that
//! follow from the Talos version.

mod gpu;
mod version;
mod volume;

use serde::Serialize;
use talosmith_machinery::Role;
use talosmith_model::plan::{Device, Runbook as Planned};

use crate::catalogue::Reader;
use crate::target::{GeneratedFile, generated_files};
use gpu::GpuFacts;
use version::VersionFacts;
use volume::{DiskFacts, VolumeFacts};

/// The facts of a runbook.
#[derive(Debug, Serialize)]
pub(crate) struct Runbook<'a> {
    talos: VersionFacts,
    /// The role, and what follows from the other nodes.
    role: String,
    is_control_plane: bool,
    /// The only control plane of its cluster, so that Kubernetes has no API while the node reboots.
    is_single_control_plane: bool,
    is_only_node: bool,
    /// The address of the control plane that is asked about the cluster.
    control_plane: &'a str,
    /// The others than this device.
    other_control_planes: Vec<&'a str>,
    image: Option<Image<'a>>,
    /// The type that `talosctl gen config` knows for the role.
    output_type: &'static str,
    /// The base configs that the repository keeps.
    base: Vec<&'a str>,
    /// Whether talosmith generates the base config.
    generates_base: bool,
    /// The mode that `talosctl validate` has for the platform.
    mode: &'static str,
    /// The addresses of all control planes.
    control_planes: &'a [String],
    /// The same, as `talosctl -n` takes them.
    endpoints: String,
    /// Whether talosctl upgrades the node step by step, and drains it; otherwise the node does both, which talosctl can request of a newer one.
    upgrades_from_client: bool,
    needs_legacy_upgrade: bool,
    /// Whether an upgrade drains the node.
    drains_for_upgrade: bool,
    secrets: Vec<Secret<'a>>,
    /// The patches of the machine config, in the order in which they are applied.
    patches: Vec<File>,
    /// The installer images that are not applied.
    alternatives: Vec<File>,
    schematics: Vec<File>,
    /// Kubernetes objects of the device.
    objects: Vec<File>,
    disks: Vec<DiskFacts>,
    volumes: Vec<VolumeFacts>,
    /// The volumes that are directories in EPHEMERAL.
    directories: Vec<&'a str>,
    /// The path of the picture of the disks from the runbook; none if there is no picture.
    map: Option<String>,
    scratch_volume: Option<&'a str>,
    local_paths: &'a [String],
    gpus: Vec<GpuFacts<'a>>,
    /// The folder of the application with what Kubernetes runs for GPUs; none if the node needs none.
    gpu_folder: Option<&'a str>,
    /// The folders of all applications that the node takes part in.
    folders: Vec<&'a str>,
    features: Features,
}

/// The image that the node runs.
#[derive(Debug, Serialize)]
struct Image<'a> {
    reference: &'a str,
    factory: &'a str,
    platform: &'a str,
    /// `amd64` unless the model specifies another.
    arch: &'static str,
    /// The path of its schematic; none for an image that is given by its reference.
    schematic: Option<String>,
    id: &'a str,
    /// The file from which a machine boots for the first time.
    boot: String,
    /// Whether that is an installed system rather than a medium to install from.
    is_disk_image: bool,
    is_bare_metal: bool,
    is_secureboot: bool,
    extensions: Vec<&'a str>,
    kernel_args: &'a [String],
}

#[derive(Debug, Serialize)]
struct Secret<'a> {
    name: &'a str,
    /// Where its value comes from, the first that has one.
    /// Each as what it is and its reference.
    sources: Vec<(&'static str, &'a str)>,
}

#[derive(Debug, Serialize)]
struct File {
    path: String,
    about: String,
    /// The name of the item that it is for, such as a volume; empty if it is for the device.
    item: String,
    /// Whether git does not track it.
    is_secret: bool,
    /// Whether it turns on the snapshotter of kata containers.
    is_kata: bool,
}

/// What decides which sections there are.
#[derive(Debug, Serialize)]
struct Features {
    kubevirt: bool,
}

impl<'a> Runbook<'a> {
    pub(crate) fn new(device: &'a Device, planned: &'a Planned) -> Self {
        let files = generated_files(device);
        let of = |reader: Reader, is_wanted: &dyn Fn(&GeneratedFile) -> bool| {
            files.iter().filter(|file| file.reader == reader && is_wanted(file)).map(File::new).collect()
        };
        let talos = VersionFacts::new(device);
        let is_control_plane = device.role == Role::ControlPlane;
        let others = planned.control_planes.iter().map(String::as_str).filter(|address| *address != device.address);
        let other_control_planes: Vec<&str> = others.collect();
        let path_of = |key: &str| files.iter().find(|file| file.key == key).map(|file| file.path.as_path());
        let needs_legacy_upgrade = talos.has_drain && device.has_boot_arguments();
        Self {
            role: role(is_control_plane, &other_control_planes, planned.is_only_node),
            is_control_plane,
            is_single_control_plane: is_control_plane && other_control_planes.is_empty(),
            is_only_node: planned.is_only_node,
            control_plane: if is_control_plane {
                &device.address
            } else {
                planned.control_planes.first().map_or("", |it| it)
            },
            other_control_planes,
            image: Image::new(device, planned, &files),
            output_type: device.role.name(),
            base: planned.base_files.iter().map(|path| path.as_str()).collect(),
            generates_base: planned.generates_base,
            mode: if planned.platform == "metal" { "metal" } else { "cloud" },
            control_planes: &planned.control_planes,
            endpoints: planned.control_planes.join(","),
            upgrades_from_client: talos.has_drain && !needs_legacy_upgrade,
            needs_legacy_upgrade,
            drains_for_upgrade: !planned.is_only_node || !talos.has_drain || needs_legacy_upgrade,
            talos,
            secrets: planned.secrets.iter().map(Secret::new).collect(),
            patches: of(Reader::Talos, &|file| file.applied),
            alternatives: of(Reader::Talos, &|file| file.key.starts_with("install.alternatives.")),
            schematics: of(Reader::ImageFactory, &|_| true),
            objects: of(Reader::Kubernetes, &|_| true),
            disks: DiskFacts::all(device),
            volumes: VolumeFacts::all(device, planned),
            directories: volume::directories(device),
            map: path_of("documents.diskMap")
                .zip(path_of("documents.runbook"))
                .map(|(map, runbook)| link(runbook, map)),
            scratch_volume: planned.scratch_volume.as_deref(),
            local_paths: &planned.local_paths,
            gpus: gpu::gpus(device),
            gpu_folder: planned.gpu_folder.as_deref(),
            folders: planned.folders.iter().map(String::as_str).collect(),
            features: Features::new(device),
        }
    }
}

impl<'a> Image<'a> {
    fn new(device: &'a Device, planned: &'a Planned, files: &[GeneratedFile]) -> Option<Self> {
        let image = device.images.install.image.as_ref()?;
        let schematic = device.images.applied();
        let key = image.schematic.as_ref().map(|name| format!("schematics.{name}"));
        let path = files.iter().find(|file| Some(&file.key) == key.as_ref()).map(|file| file.path.to_string());
        let platform = planned.platform.as_str();
        let boot = boot_file(device, platform);
        Some(Self {
            reference: &image.reference,
            factory: &planned.factory,
            platform,
            arch: arch(device),
            schematic: path,
            id: schematic.map_or("", |schematic| &schematic.id),
            is_disk_image: boot.ends_with(".raw.xz"),
            boot,
            is_bare_metal: platform == "metal",
            is_secureboot: is_secureboot(&image.reference),
            extensions: schematic.iter().flat_map(|it| &it.extensions).map(|name| short(name)).collect(),
            kernel_args: schematic.map_or(&[], |schematic| &schematic.extra_kernel_args),
        })
    }
}

/// Returns the name of the file from which a machine of a platform boots for the first time.
///
/// Source: image-factory, docs/api.md: the paths of boot assets.
#[must_use]
pub fn boot_file(device: &Device, platform: &str) -> String {
    let reference = device.images.install.image.as_ref().map_or("", |image| &image.reference);
    let kind = match (is_secureboot(reference), device.images.applied().is_some_and(|it| it.overlay.is_some())) {
        (_, true) => ".raw.xz",
        (true, false) => "-secureboot.iso",
        (false, false) => ".iso",
    };
    format!("{platform}-{}{kind}", arch(device))
}

fn arch(device: &Device) -> &'static str {
    match device.arch {
        Some(talosmith_model::Arch::Arm64) => "arm64",
        _ => "amd64",
    }
}

fn is_secureboot(reference: &str) -> bool {
    reference.contains("-installer-secureboot/")
}

/// The name by which a node lists an extension.
fn short(extension: &str) -> &str {
    extension.rsplit('/').next().unwrap_or(extension)
}

impl<'a> Secret<'a> {
    fn new(secret: &'a talosmith_model::plan::SecretFact) -> Self {
        let source = |(kind, reference): &'a (&'static str, String)| {
            let kind = match *kind {
                "env" => "the environment variable",
                "file" => "the file",
                "sops" => "with SOPS",
                "op" => "1Password's",
                _ => "the command",
            };
            (kind, reference.as_str())
        };
        Self { name: &secret.name, sources: secret.sources.iter().map(source).collect() }
    }
}

impl File {
    fn new(file: &GeneratedFile) -> Self {
        let key = file.key.strip_suffix(".secret").unwrap_or(&file.key);
        let item = ["volumes.", "schematics.", "extensionServices.", "install.alternatives.", "patches."]
            .into_iter()
            .find_map(|collection| key.strip_prefix(collection))
            .filter(|_| file.other_keys.is_empty());
        let keys = || std::iter::once(key).chain(file.other_keys.iter().map(String::as_str)).collect::<Vec<_>>();
        Self {
            path: file.path.to_string(),
            about: match &file.other_keys[..] {
                [] => file.about.split(';').next().unwrap_or_default().to_owned(),
                _ => format!("the keys {}", keys().join(", ")),
            },
            item: item.unwrap_or_default().to_owned(),
            is_secret: file.secret,
            is_kata: key == "kata",
        }
    }
}

impl Features {
    fn new(device: &Device) -> Self {
        let has_kubevirt = |label: &String| label.starts_with("kubevirt.io/");
        Self { kubevirt: device.kubernetes.labels.keys().any(has_kubevirt) }
    }
}

fn role(is_control_plane: bool, others: &[&str], is_only_node: bool) -> String {
    match (is_control_plane, others) {
        (false, _) => "worker".to_owned(),
        (true, []) if is_only_node => "control plane, and the only node of the cluster".to_owned(),
        (true, []) => "control plane, the only one of the cluster".to_owned(),
        (true, others) => format!("control plane, beside {}", others.join(", ")),
    }
}

/// Returns the relative link from one file to another.
fn link(from: &camino::Utf8Path, to: &camino::Utf8Path) -> String {
    let common = from.iter().zip(to.iter()).take_while(|(one, other)| one == other).count();
    let up = from.iter().count().saturating_sub(common + 1);
    let path = std::iter::repeat_n("..", up).chain(to.iter().skip(common)).collect::<Vec<_>>().join("/");
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._/".contains(byte);
    path.bytes()
        .map(|byte| if is_plain(&byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::link;

    #[test]
    fn links_are_relative_and_encoded() {
        let cases = [
            ("devices/a/RUNBOOK.md", "devices/a/disks.svg", "disks.svg"),
            ("devices/a/docs/b.md", "devices/a/disks.svg", "../disks.svg"),
            ("devices/a/b.md", "devices/a/the disks.svg", "the%20disks.svg"),
        ];
        for (from, to, expected) in cases {
            assert_eq!(link(from.into(), to.into()), expected);
        }
    }
}
