//! Documents of the running system: services, files, registries and images.

use super::formats;
use super::section::Section;

/// Whether Talos writes a file of /etc itself.
fn is_reserved(path: &str) -> bool {
    if let "apparmor.d" | "apparmor" | "ca-certificates" | "cni" | "cri" | "iscsi" | "kubernetes" | "lvm" | "nvme"
    | "pki" | "selinux" | "ssl" = path.split('/').next().unwrap_or_default()
    {
        return true;
    }
    ["resolv.conf", "hosts", "machine-id", "extensions.yaml", "localtime", "os-release", "xattr.conf"].contains(&path)
}

/// Checks a file below /etc.
pub(crate) fn check_etc_file(file: Section<'_>) {
    let path = file.name();
    let mut depth = 0_i32;
    let escapes = path.split('/').any(|part| {
        depth += match part {
            ".." => -1,
            "" | "." => 0,
            _ => 1,
        };
        depth < 0
    });
    if path.starts_with(['/', '.']) || escapes {
        let message = format!("`{path}` is not a path below /etc");
        file.refuse("name", message, "write it without `/etc/`, as in `nfsmount.conf`");
    } else if is_reserved(path) {
        file.refuse("name", format!("Talos writes `/etc/{path}` itself"), "use the document of that feature");
    }
}

/// Checks a part of containerd's configuration.
pub(crate) fn check_cri_customization(document: Section<'_>) {
    document.require_format("name", &formats::LABEL_KEY);
    if document.name() == "customization" {
        document.refuse("name", "the name `customization` is reserved", "choose another name");
    }
}

pub(crate) fn check_registry_auth(registry: Section<'_>) {
    let ways: Vec<&str> =
        ["username", "identityToken", "auth"].into_iter().filter(|path| registry.is_filled(path)).collect();
    if let [first, second, ..] = ways[..] {
        registry.refuse_both(first, second);
    }
}

/// Checks whose images may run.
pub(crate) fn check_image_verification(document: Section<'_>) {
    for rule in document.items("rules") {
        let decisions = ["skip", "deny"].into_iter().filter(|path| rule.may_be_true(path));
        let verifiers = ["keyless", "publicKey"].into_iter().filter(|path| rule.has(path));
        match decisions.chain(verifiers).collect::<Vec<_>>()[..] {
            [] => {
                let message = "a rule of ImageVerificationConfig has no verifier";
                rule.refuse("", message, "add `keyless`, `publicKey`, `skip: true` or `deny: true`");
            }
            [_] => {}
            [first, ..] if rule.is_unknown(first) => {}
            [first, second, ..] if !rule.is_unknown(second) => rule.refuse_both(first, second),
            _ => {}
        }
        if let Some(keyless) = rule.section("keyless") {
            keyless.require("issuer");
            keyless.require_either("subject", "subjectRegex");
        }
        if let Some(key) = rule.section("publicKey") {
            key.require("certificate");
        }
    }
}
