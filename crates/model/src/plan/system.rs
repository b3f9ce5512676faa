//! The node's system: time, kernel, files, registries.

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer};

use super::installer::Applied;
use super::values::ValueUser;
use super::versions::Versions;
use super::{Check, ConfigFormat, ExtensionService, services, texts};
use crate::device::FileOperation;
use crate::ordered::Ordered;
use crate::scalar::FileMode;

/// The settings of the node's system.
#[derive(Debug, Serialize)]
pub struct System {
    /// Time synchronisation; none if the model does not specify it.
    pub time: Option<Time>,
    /// Kernel modules in the order of the model.
    pub kernel_modules: Vec<KernelModule>,
    /// Kernel parameters.
    pub sysctls: Ordered<String, String>,
    /// The files that Talos writes.
    pub machine_files: MachineFiles,
    /// Registry mirrors in the order of the model.
    pub mirrors: Vec<Mirror>,
    /// Extension services other than Tailscale.
    pub extension_services: Vec<ExtensionService>,
}

/// Plans the system of a device; `applied` is the content of the applied image, if it is known.
pub(super) fn plan(check: &mut Check<'_>, versions: &Versions, applied: Option<&Applied<'_>>) -> System {
    System {
        time: time(check),
        kernel_modules: kernel_modules(check),
        sysctls: check.file.device.sysctls.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        machine_files: machine_files(check, versions),
        mirrors: mirrors(check),
        extension_services: services::services(check, &versions.talos, applied),
    }
}

/// Time synchronisation.
#[derive(Debug, Serialize)]
pub struct Time {
    /// NTP servers.
    pub servers: Vec<String>,
    /// Whether synchronisation is off; none if the model does not specify it.
    pub disabled: Option<bool>,
    /// How long booting waits for the right time.
    pub boot_timeout: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct KernelModule {
    pub name: String,
    pub parameters: Vec<String>,
}

/// A file that Talos writes.
#[derive(Debug, Serialize)]
pub struct MachineFile {
    /// Its path; below /etc for an EtcFileConfig.
    pub path: String,
    pub content: String,
    /// What happens to an existing file.
    pub op: FileOperation,
    /// The bits of its mode.
    pub permissions: u16,
}

/// The files that Talos writes.
#[derive(Debug, Default, Serialize)]
pub struct MachineFiles {
    /// As entries of `machine.files`.
    pub files: Vec<MachineFile>,
    /// As documents of their own, `EtcFileConfig`, with paths below /etc.
    pub etc: Vec<MachineFile>,
}

/// The mirrors of a registry.
#[derive(Debug, Serialize)]
pub struct Mirror {
    pub registry: String,
    /// In the order in which they are tried.
    pub endpoints: Vec<String>,
    /// Whether they name the whole path.
    pub override_path: Option<bool>,
    /// Whether the registry itself is left out.
    pub skip_fallback: Option<bool>,
}

/// Plans time synchronisation; none if the model has no setting.
fn time(check: &Check<'_>) -> Option<Time> {
    let written = check.file.device.time.as_ref()?;
    let time = Time {
        servers: written.servers.iter().flatten().map(ToString::to_string).collect(),
        disabled: written.disabled,
        boot_timeout: written.boot_timeout.as_ref().map(ToString::to_string),
    };
    (!time.servers.is_empty() || time.disabled.is_some() || time.boot_timeout.is_some()).then_some(time)
}

/// Kernel modules in the order of the model.
fn kernel_modules(check: &Check<'_>) -> Vec<KernelModule> {
    let modules = check.file.device.kernel_modules.iter().map(|(name, module)| KernelModule {
        name: name.to_string(),
        parameters: module.parameters.iter().map(|parameter| parameter.as_str().to_owned()).collect(),
    });
    modules.collect()
}

/// Mirrors in the order of the model.
fn mirrors(check: &Check<'_>) -> Vec<Mirror> {
    let mirrors = check.file.device.registries.mirrors.iter().map(|(registry, mirror)| Mirror {
        registry: registry.to_string(),
        endpoints: mirror.endpoints.iter().map(ToString::to_string).collect(),
        override_path: mirror.override_path,
        skip_fallback: mirror.skip_fallback,
    });
    mirrors.collect()
}

/// The files of kata containers' patch.
const KATA_FILES: [&str; 2] = ["/etc/cri/containerd.toml", "/etc/cri/conf.d/20-customization.part"];

/// What an EtcFileConfig may not name: files that Talos manages, and folders that end with a slash.
/// Source: pkg/machinery/config/types/runtime of Talos 1.14.
const MANAGED: &[&str] = &[
    "resolv.conf",
    "hosts",
    "machine-id",
    "extensions.yaml",
    "localtime",
    "os-release",
    "xattr.conf",
    "apparmor.d/",
    "apparmor/",
    "ca-certificates/",
    "cni/",
    "cri/",
    "iscsi/",
    "kubernetes/",
    "lvm/",
    "nvme/",
    "pki/",
    "selinux/",
    "ssl/",
];

/// The files that Talos writes, in the order of the model.
fn machine_files(check: &mut Check<'_>, versions: &Versions) -> MachineFiles {
    let mut planned = MachineFiles::default();
    for (path, file) in check.file.device.machine_files.iter() {
        let at = Pointer::new("/machineFiles").child(path);
        let path = path.as_str();
        let user = ValueUser { what: "file", name: path, listed: &file.values, at: &at };
        let content = texts::text_with_values(check, &user, file.content.as_ref(), file.file.as_ref());
        let Some(content) = content else { continue };
        let below_etc = path.strip_prefix("/etc/").filter(|below| {
            !MANAGED.iter().any(|managed| below == managed || (managed.ends_with('/') && below.starts_with(managed)))
        });
        let permissions = file.permissions.unwrap_or(FileMode::DEFAULT).bits();
        if let (ConfigFormat::Documents, Some(below)) = (versions.config_format, below_etc) {
            if file.op == FileOperation::Append {
                let location = check.at(at.child("op"));
                check.push(
                    Diagnostic::new(Code::NoSuccessor, "an EtcFileConfig has a whole file and cannot append", location)
                        .note("with a base config of 1.14 a file below /etc is such a document")
                        .help("write the whole content, and leave `op` out"),
                );
            }
            planned.etc.push(MachineFile { path: below.to_owned(), content, op: file.op, permissions });
            continue;
        }
        check_kata(check, &at, path);
        planned.files.push(MachineFile { path: path.to_owned(), content, op: file.op, permissions });
    }
    planned
}

/// Reports a file that kata containers write too. What Talos itself refuses at boot is a rule of the merged config.
fn check_kata(check: &mut Check<'_>, at: &Pointer, path: &str) {
    if check.file.device.kata && KATA_FILES.contains(&path) {
        let location = check.key(at.clone());
        check.push(
            Diagnostic::new(Code::MachineFile, format!("kata containers also write `{path}`"), location)
                .note("Talos accepts one entry for a path, and fails or drops the other one at boot")
                .help("remove the file here, or exclude the node with `kata: false`"),
        );
    }
}
