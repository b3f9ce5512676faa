//! The names of kernel parameters, which are paths below /proc/sys and /sys.

use talosmith_document::{Code, Level};

use super::section::Section;
use crate::talos_data::types::MAIN;

/// The files of a kind of parameters.
struct Kind {
    document: &'static str,
    /// The field of the main document or of the document of the kind.
    path: &'static str,
    root: &'static str,
    /// The folders at the root. Source: Documentation/admin-guide/sysctl/index.rst and fs/sysfs of Linux.
    folders: &'static [&'static str],
    example: &'static str,
}

const SYSCTL: &[&str] = &[
    "abi",
    "cachefiles",
    "crypto",
    "debug",
    "dev",
    "fs",
    "fscache",
    "kernel",
    "lnet",
    "net",
    "sunrpc",
    "user",
    "vm",
    "xen",
];
const SYSFS: &[&str] =
    &["block", "bus", "class", "dev", "devices", "firmware", "fs", "hypervisor", "kernel", "module", "power"];

const KINDS: [Kind; 4] = [
    Kind {
        document: MAIN,
        path: "machine.sysctls",
        root: "/proc/sys",
        folders: SYSCTL,
        example: "net.ipv4.ip_forward",
    },
    Kind {
        document: "SysctlConfig",
        path: "params",
        root: "/proc/sys",
        folders: SYSCTL,
        example: "net.ipv4.ip_forward",
    },
    Kind {
        document: MAIN,
        path: "machine.sysfs",
        root: "/sys",
        folders: SYSFS,
        example: "module.zfs.parameters.zfs_arc_max",
    },
    Kind {
        document: "SysfsConfig",
        path: "params",
        root: "/sys",
        folders: SYSFS,
        example: "module.zfs.parameters.zfs_arc_max",
    },
];

/// Checks that a file of the kernel can have the name of each parameter that a patch wrote.
///
/// Source: `Param.Path` in pkg/machinery/kernel/kernel.go of Talos; internal/app/machined/pkg/controllers/runtime/kernel_param_spec.go.
pub(super) fn check_parameters(document: Section<'_>) {
    for kind in KINDS.iter().filter(|kind| kind.document == document.document.kind) {
        for (name, value) in document.entries(kind.path).filter(|(_, value)| value.value.origin.is_some()) {
            let file = file_of(name, kind);
            let first = file.as_deref().and_then(|file| file.split('/').next()).unwrap_or_default();
            let is_known = kind.folders.contains(&first);
            if is_known {
                continue;
            }
            let message = match &file {
                None => format!("`{}` is not the name of a kernel parameter", name.escape_debug()),
                Some(_) => format!("Linux has no `{first}` in {}, so there is no parameter `{name}`", kind.root),
            };
            value.report(Code::NodePath, "", message, |mut finding| {
                if file.is_some() {
                    finding.level = Level::Warning;
                }
                let bare = name.trim_start_matches('/').replace('/', ".");
                let bare = bare.strip_prefix(&format!("{}.", kind.root[1..].replace('/', "."))).map(str::to_owned);
                let bare = bare.filter(|bare| file_of(bare, kind).is_some());
                finding
                    .note("Talos accepts it, and cannot write its file: it tries again without end")
                    .help(format!("write a name such as `{}`", bare.as_deref().unwrap_or(kind.example)))
            });
        }
    }
}

/// Returns the path of a parameter's file below the root of its kind; none if no file can have it.
fn file_of(name: &str, kind: &Kind) -> Option<String> {
    // Where the first separator is a dot, dots and slashes change places.
    let is_dotted = name.find(['.', '/']).is_some_and(|at| name[at..].starts_with('.'));
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        c => c,
    };
    let file: String = if is_dotted { name.chars().map(swap).collect() } else { name.to_owned() };
    let mut parts: Vec<&str> = Vec::new();
    for part in file.split('/').filter(|part| !matches!(*part, "" | ".")) {
        match part {
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    let is_part = |part: &&str| !part.contains(|c: char| c == '=' || c == ' ' || c.is_control());
    let prefix: Vec<&str> = kind.root[1..].split('/').collect();
    let is_file = parts.len() > 1 && parts.iter().all(is_part) && !parts.starts_with(&prefix);
    is_file.then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_path_with_either_separator() {
        let [sysctl, _, sysfs, _] = &KINDS;
        for (name, kind, file) in [
            ("net.ipv4.ip_forward", sysctl, Some("net/ipv4/ip_forward")),
            ("net/ipv4/conf/enp3s0.200/forwarding", sysctl, Some("net/ipv4/conf/enp3s0.200/forwarding")),
            ("net.ipv4.conf.enp3s0/200.forwarding", sysctl, Some("net/ipv4/conf/enp3s0.200/forwarding")),
            (
                "devices.system.cpu.cpu0.cpufreq.scaling_governor",
                sysfs,
                Some("devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            ),
            ("vm", sysctl, None),
            ("", sysctl, None),
            ("vm..swappiness", sysctl, Some("vm/swappiness")),
            ("vm.swappiness.", sysctl, Some("vm/swappiness")),
            ("net/../vm/swappiness", sysctl, Some("vm/swappiness")),
            ("../vm/swappiness", sysctl, None),
            ("vm.swappiness ", sysctl, None),
            ("vm.swappiness=1", sysctl, None),
            ("/proc/sys/vm/swappiness", sysctl, None),
            ("proc.sys.vm.swappiness", sysctl, None),
            ("net/../vm", sysctl, None),
            ("/sys/module/zfs", sysfs, None),
            ("sys.module.zfs", sysfs, None),
        ] {
            assert_eq!(file_of(name, kind).as_deref(), file, "{name}");
        }
    }
}
