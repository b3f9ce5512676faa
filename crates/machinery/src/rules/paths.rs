//! Paths that Talos accepts, and with which a container or a controller of the node then fails.

use talosmith_document::{Code, Diagnostic};

use super::Rules;
use super::parameters::check_parameters;
use super::section::{Section, is_repeated};
use crate::talos_data::types::MAIN;

/// The longest name of a volume of a pod: a DNS label (RFC 1123).
const MAX_NAME: usize = 63;

/// Checks the paths in the documents that patches changed.
pub(super) fn check_paths(rules: &Rules<'_>) {
    for document in rules.config.documents.iter().filter(|document| document.origin.is_some()) {
        let document = Section::new(rules, document);
        check_parameters(document);
        match document.document.kind {
            MAIN => check_main(document),
            "WatchdogTimerConfig" => require_absolute(document, "device", "the watchdog is never opened"),
            "ExtensionServiceConfig" => check_config_files(document),
            _ => {}
        }
    }
}

fn check_main(main: Section<'_>) {
    require_absolute(main, "machine.install.disk", "the installer does not find the disk");
    check_user_disks(main);
    for mount in main.items("machine.kubelet.extraMounts") {
        check_extra_mount(mount);
    }
    for path in
        ["cluster.apiServer.extraVolumes", "cluster.controllerManager.extraVolumes", "cluster.scheduler.extraVolumes"]
    {
        check_extra_volumes(main, path);
    }
    for profile in main.items("machine.seccompProfiles").filter(|profile| profile.text("name").contains('/')) {
        let message = format!("`{}` is not the name of a file", profile.text("name"));
        report(profile, "name", message, "Talos accepts it, and cannot write the profile", |finding| {
            finding.help("write a name without `/`, such as `audit.json`")
        });
    }
}

/// Requires a path that a patch wrote, if there is one, to begin with `/`.
fn require_absolute(section: Section<'_>, path: &str, consequence: &str) {
    let value = section.text(path);
    if value.is_empty() || value.starts_with('/') || !section.is_written(path) {
        return;
    }
    let message = format!("`{value}` is not an absolute path");
    report(section, path, message, &format!("Talos accepts it, and {consequence}"), |finding| {
        finding.help(match path.ends_with("hostPath") || path.ends_with("source") {
            true => format!("write the whole path, such as `/{value}`"),
            false => format!("write the whole path, such as `/dev/{value}`"),
        })
    });
}

/// Checks the disks of `machine.disks`. Talos resolves each path, and waits in its boot sequence until all are found; it names their partitions
/// by the path and takes the first partition of the disk for the first one of the list, which on the system disk is Talos's own.
///
/// Source: internal/app/machined/pkg/controllers/block/user_disk_config.go of Talos; runtime/v1alpha1/v1alpha1_sequencer_tasks.go,
/// `MountUserDisks`.
fn check_user_disks(main: Section<'_>) {
    const WAITS: &str = "Talos accepts it, and waits for the disk when it boots";
    let mut seen = Vec::new();
    for disk in main.items("machine.disks").filter(|disk| disk.value.origin.is_some()) {
        let device = disk.text("device");
        if !device.starts_with("/dev/") || device.ends_with('/') {
            let message = match device {
                "" => "an item of `machine.disks` has no `device`".to_owned(),
                device => format!("`{device}` is not the path of a disk"),
            };
            report(disk, "device", message, WAITS, |finding| {
                finding.help("write the path of a disk, as in\ndevice: /dev/disk/by-id/ata-SAMSUNG_S1")
            });
        } else if device == main.text("machine.install.disk") && main.is_written("machine.install.disk") {
            let message = format!("`{device}` is the disk that Talos is installed on");
            let note = "Talos accepts it, and takes its own first partition for the first one of the list";
            report(disk, "device", message, note, |finding| {
                finding.help("remove the item; a UserVolumeConfig makes a volume on the system disk")
            });
        } else if is_repeated(&mut seen, device) {
            let message = format!("`machine.disks` has `{device}` twice");
            report(disk, "device", message, "Talos makes only the partitions of the last one", |finding| {
                finding.help("list all partitions in one item")
            });
        }
    }
}

/// Checks what the kubelet mounts. Talos makes the folder below `/`, and runc looks for a relative source in the folder of the container.
///
/// Source: internal/app/machined/pkg/system/services/kubelet.go of Talos; `createLibcontainerMount` in libcontainer/specconv of
/// github.com/opencontainers/runc.
fn check_extra_mount(mount: Section<'_>) {
    if mount.is_filled("source") {
        return require_absolute(mount, "source", "the kubelet does not start");
    }
    let message = "an item of `machine.kubelet.extraMounts` has no `source`";
    report(mount, "source", message.to_owned(), "Talos accepts it, and the kubelet does not start", |finding| {
        finding.help(match mount.text("destination") {
            "" => "add the folder of the node, as in\nsource: /var/mnt/data".to_owned(),
            destination => format!("add the folder of the node, as in\nsource: {destination}"),
        })
    });
}

/// Checks the folders that a static pod of the control plane sees: the kubelet refuses the whole pod for one that it does not accept.
///
/// Source: `VolumeMountConfig.Name` in pkg/machinery/config/types/v1alpha1 of Talos, v1alpha1_provider.go; pkg/apis/core/validation of
/// Kubernetes, validation.go: `ValidateVolumes`, `validateHostPathVolumeSource` and `ValidateVolumeMounts`.
fn check_extra_volumes<'r>(document: Section<'r>, path: &'r str) {
    const REFUSED: &str = "Talos accepts it, and the kubelet does not start the pod of the control plane";
    let (mut places, mut names) = (Vec::new(), Vec::new());
    for volume in document.items(path).filter(|volume| volume.value.origin.is_some()) {
        let (source, place) = (volume.text("hostPath"), volume.text("mountPath"));
        let name = place.replace(['/', '_', '.'], "-").trim_matches('-').to_owned();
        let is_label = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        if source.split('/').any(|part| part == "..") {
            report(volume, "hostPath", format!("`{source}` contains `..`"), REFUSED, |finding| {
                finding.help("write the path without `..`")
            });
        } else {
            require_absolute(volume, "hostPath", "the kubelet cannot mount it into the pod of the control plane");
        }
        if volume.is_unknown("mountPath") {
            continue;
        }
        if is_repeated(&mut places, place) {
            report(volume, "mountPath", format!("two folders are mounted at `{place}`"), REFUSED, |finding| {
                finding.help("mount one of the two at another path")
            });
        } else if is_repeated(&mut names, name.clone()) {
            let message = format!("Talos calls the volume for `{place}` `{name}`, and another one too");
            report(volume, "mountPath", message, REFUSED, |finding| {
                finding.help("mount it at a path that differs by more than `/`, `_` and `.`")
            });
        } else if !is_label || name.len() > MAX_NAME || name.is_empty() {
            let message = format!("Talos calls the volume for `{place}` `{name}`, which is not a name in Kubernetes");
            report(volume, "mountPath", message, REFUSED, |finding| {
                finding.help("mount it at a path of lower-case letters, digits and `-`, with at most 63 characters")
            });
        }
    }
}

/// Checks that Talos keeps the files of an extension service apart: it stores each by the path with `-` in place of `/`.
///
/// Source: internal/app/machined/pkg/controllers/runtime/extension_service_config_files.go of Talos.
fn check_config_files(service: Section<'_>) {
    let mut stored: Vec<(String, &str)> = Vec::new();
    for file in service.items("configFiles").filter(|file| file.value.origin.is_some()) {
        let path = file.text("mountPath");
        if path.ends_with('/') {
            let message = format!("`{path}` is a folder");
            report(file, "mountPath", message, "Talos accepts it, and the service does not start", |finding| {
                finding.help(format!("write the path of the file, as in `{path}service.conf`"))
            });
            continue;
        }
        let name = path.trim_start_matches('/').replace('/', "-");
        let other = stored.iter().find(|(other, at)| *other == name && *at != path);
        if let Some((_, other)) = other.filter(|_| !file.is_unknown("mountPath")) {
            let message = format!("Talos stores `{path}` and `{other}` in one file");
            report(file, "mountPath", message, "the service sees the content of one of the two in both", |finding| {
                finding.help("mount one of the two at a path that differs by more than `/` and `-`")
            });
        }
        stored.push((name, path));
    }
}

fn report(
    section: Section<'_>,
    path: &str,
    message: String,
    note: &str,
    complete: impl FnOnce(Diagnostic) -> Diagnostic,
) {
    section.report(Code::NodePath, path, message, |finding| complete(finding.note(note)));
}
