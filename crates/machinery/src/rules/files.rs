//! The files that Talos writes at boot.

use talosmith_document::{Code, Level};

use super::section::{Section, is_repeated};
use crate::placeholder::is_unknown;
use crate::scalar::Resolved;

/// What users add to containerd's configuration.
const CRI_CUSTOMIZATION: &str = "/etc/cri/conf.d/20-customization.part";

/// Where Talos writes new files although it is not below /var.
const MANIFESTS: &str = "/etc/kubernetes/manifests";

/// Permissions that files and folders commonly have.
const COMMON: [u32; 22] = [
    0o400, 0o440, 0o444, 0o500, 0o550, 0o555, 0o600, 0o640, 0o644, 0o660, 0o664, 0o666, 0o700, 0o710, 0o711, 0o744,
    0o750, 0o755, 0o770, 0o775, 0o776, 0o777,
];

/// Checks `machine.files`.
///
/// Source: runtime/v1alpha1/v1alpha1_sequencer_tasks.go, `WriteUserFiles`.
pub(crate) fn check_files(main: Section<'_>) {
    let mut paths = Vec::new();
    for file in main.items("machine.files").filter(|file| file.value.origin.is_some()) {
        let path = file.text("path");
        check_mode(file, "permissions");
        check_operation(file, path);
        if is_repeated(&mut paths, path) && !path.is_empty() {
            let is_fatal = path == CRI_CUSTOMIZATION && !file.since(14);
            file.report(Code::MachineFile, "path", format!("the file `{path}` is written twice"), |mut finding| {
                if !is_fatal {
                    finding.level = Level::Warning;
                }
                let note = match (path == CRI_CUSTOMIZATION, is_fatal) {
                    (_, true) => "the second entry fails, and containerd and the kubelet do not start",
                    (true, _) => "Talos ignores the second entry",
                    _ => "the second entry replaces the content of the first",
                };
                finding.note(note).help("write the whole content in one entry")
            });
        }
    }
}

fn check_operation(file: Section<'_>, path: &str) {
    let op = file.text("op");
    if is_unknown(path) || is_unknown(op) {
        return;
    }
    if path.is_empty() {
        return file.report(Code::MachineFile, "", "a file of `machine.files` has no `path`", |finding| {
            finding.note("Talos accepts it, and the sequence of the boot fails at this file").help("add `path`")
        });
    }
    // Talos compares the path as it is written, and the kernel resolves it.
    if path.split('/').any(|part| part == "..") {
        return file.report(Code::MachineFile, "path", format!("the path `{path}` has `..`"), |finding| {
            finding
                .note("Talos decides by its first folder whether it can be written")
                .help("write the path that is meant")
        });
    }
    let is_new = path.trim_start_matches('/').split('/').next() != Some("var")
        && path != CRI_CUSTOMIZATION
        && path.rsplit_once('/').is_none_or(|(folder, _)| folder != MANIFESTS);
    let note = "Talos accepts it, and the sequence of the boot fails at this file";
    match op {
        "create" if is_new => {
            file.report(Code::MachineFile, "path", format!("Talos cannot create a file at `{path}`"), |finding| {
                let finding = finding
                    .note("new files are possible only below /var; one elsewhere also prevents the files after it from being written")
                    .help(format!("write it below /var, as `/var/{}`", path.trim_start_matches('/')));
                match path.strip_prefix("/etc/") {
                    Some(below) if !below.starts_with("kubernetes/") => {
                        finding.help("write `op: overwrite` if Talos ships the file")
                    }
                    _ => finding,
                }
            });
        }
        "overwrite" if path == CRI_CUSTOMIZATION && file.since(14) => {
            let message = format!("Talos {} ships no `{path}` that could be overwritten", file.config().version);
            file.report(Code::MachineFile, "op", message, |finding| finding.note(note).help("write `op: create`"));
        }
        "create" | "overwrite" | "append" => {}
        _ => {
            let message = match op {
                "" => format!("the file `{path}` has no `op`"),
                _ => format!("`{op}` is not a valid `op` of the file `{path}`"),
            };
            let help = if is_new { "write `op: overwrite`" } else { "write `op: create`" };
            file.report(Code::MachineFile, "op", message, |finding| finding.note(note).help(help));
        }
    }
}

/// Warns of permissions that are decimal and look octal.
pub(crate) fn check_mode(file: Section<'_>, path: &str) {
    let Some(scalar) = file.at(path).and_then(|value| value.as_scalar()) else { return };
    let Resolved::Integer(number) = scalar.resolved else { return };
    let written = u32::from_str_radix(&scalar.text, 8).ok().filter(|_| !scalar.text.starts_with('0'));
    let is_mistaken = written.is_some_and(|written| COMMON.contains(&written))
        && u32::try_from(number).is_ok_and(|number| !COMMON.contains(&number));
    if is_mistaken {
        let message = format!("`{path}: {}` is decimal, the mode 0o{number:o}", scalar.text);
        file.report(Code::FileMode, path, message, |finding| {
            finding
                .note("YAML reads a number without `0o` in front as decimal, and Talos takes it as it is")
                .help(format!("write it in octal: `{path}: 0o{}`", scalar.text))
        });
    }
}
