//! Documents of the running system: services, files, logs, timers.

use super::{Rules, expression, format, labels, volumes};
use crate::cel::Environment;
use crate::config::Document;

/// Files of /etc that Talos writes itself.
const ETC_FILES: [&str; 7] =
    ["resolv.conf", "hosts", "machine-id", "extensions.yaml", "localtime", "os-release", "xattr.conf"];
/// Folders of /etc that Talos writes itself.
const ETC_FOLDERS: [&str; 12] = [
    "apparmor.d",
    "apparmor",
    "ca-certificates",
    "cni",
    "cri",
    "iscsi",
    "kubernetes",
    "lvm",
    "nvme",
    "pki",
    "selinux",
    "ssl",
];

/// The configuration of an extension's service.
pub(crate) fn extension_service(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let files = document.value.items("configFiles");
    if files.is_empty() && document.value.items("environment").is_empty() {
        let message = format!("{} has neither `configFiles` nor `environment`", document.title());
        rules.refuse(document, "environment", message, "add one of the two");
    }
    for file in files {
        for field in ["content", "mountPath"] {
            if file.text(field).is_empty() {
                rules.refuse_value(document, file, format!("a config file has no `{field}`"), format!("add `{field}`"));
            }
        }
    }
}

/// Environment variables.
pub(crate) fn environment(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    for field in document.value.fields("variables") {
        let starts = field.key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
        if !starts || !field.key.chars().all(|each| each.is_ascii_alphanumeric() || each == '_') {
            let message = format!("`{}` is no name of an environment variable", field.key);
            rules.refuse_value(document, &field.value, message, "write letters, digits and `_`, with no digit first");
        }
    }
}

/// A file below /etc.
pub(crate) fn etc_file(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let path = document.name;
    let mut depth = 0_i32;
    let escapes = path.split('/').any(|part| {
        depth += match part {
            ".." => -1,
            "" | "." => 0,
            _ => 1,
        };
        depth < 0
    });
    if path.is_empty() {
        rules.require_name(document);
    } else if path.starts_with(['/', '.']) || escapes {
        let message = format!("`{path}` is no path below /etc");
        rules.refuse(document, "name", message, "write it without `/etc/`, as in `nfsmount.conf`");
    } else if ETC_FILES.contains(&path) || ETC_FOLDERS.contains(&path.split('/').next().unwrap_or_default()) {
        let message = format!("Talos writes `/etc/{path}` itself");
        rules.refuse(document, "name", message, "use the document of that feature");
    }
}

/// Where events are sent.
pub(crate) fn event_sink(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let endpoint = document.value.text("endpoint");
    if format::host_port(endpoint).is_none() {
        let message = format!("the endpoint `{endpoint}` has no host and port");
        rules.refuse(document, "endpoint", message, "write it as `192.0.2.1:8080`");
    }
}

/// Where the kernel's log is sent.
pub(crate) fn kmsg_log(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let text = document.value.text("url");
    let url = format::url(text);
    let good = matches!(url.scheme.as_str(), "tcp" | "udp") && matches!(url.path, "" | "/") && !url.port.is_empty();
    if !good {
        let message = format!("`{text}` is no URL for logs");
        rules.refuse(document, "url", message, "write it as `tcp://192.0.2.1:3478`");
    }
}

/// What happens when memory runs out.
pub(crate) fn oom(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    expression(rules, document, "triggerExpression", Environment::OomTrigger);
    expression(rules, document, "cgroupRankingExpression", Environment::OomRanking);
    volumes::not_negative(rules, document, "sampleInterval");
}

/// Parameters of the kernel.
pub(crate) fn params(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    for field in document.value.fields("params").iter().filter(|field| field.key.is_empty()) {
        rules.refuse_value(document, &field.value, "the name of a parameter is empty", "write a name");
    }
}

/// A watchdog.
pub(crate) fn watchdog(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require(document, "device");
    volumes::scrub(rules, document, "timeout");
}

/// SideroLink.
pub(crate) fn siderolink(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let text = document.value.text("apiUrl");
    let url = format::url(text);
    if !matches!(url.scheme.as_str(), "https" | "grpc") || !matches!(url.path, "" | "/") {
        let message = format!("`{text}` is no URL for SideroLink");
        rules.refuse(document, "apiUrl", message, "write it as `https://siderolink.example.org`");
    }
}

/// How Talos is installed.
pub(crate) fn unattended_install(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require(document, "provisioning.diskSelector.match");
    expression(rules, document, "provisioning.diskSelector.match", Environment::Disk);
}

/// A part of containerd's configuration.
pub(crate) fn cri_customization(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if !labels::is_qualified(document.name) {
        let message = format!("`{}` is no name for a part of the CRI's configuration", document.name);
        rules.refuse(document, "name", message, "write letters, digits, `-`, `_` and `.`");
    } else if document.name == "customization" {
        rules.refuse(document, "name", "the name `customization` is taken", "choose another name");
    }
}

/// The secret that members of a cluster find each other with.
pub(crate) fn discovery_identity(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require(document, "clusterID");
    rules.require(document, "clusterSecret");
    let secret = document.value.at("clusterSecret");
    if Rules::is_written(secret)
        && secret.is_some_and(|secret| !secret.scalar().contains("${") && format::base64(secret.scalar()) != Some(32))
    {
        let message = "`clusterSecret` is no secret of 32 bytes in Base64";
        rules.refuse(document, "clusterSecret", message, "write the one of the cluster");
    }
}

/// A discovery service.
pub(crate) fn discovery_service(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require_name(document);
    let text = document.value.text("endpoint");
    let url = format::url(text);
    if !matches!(url.scheme.as_str(), "http" | "https" | "grpc") || url.host.is_empty() {
        let message = format!("`{text}` is no endpoint of a discovery service");
        rules.refuse(document, "endpoint", message, "write it as `https://discovery.talos.dev/`");
    }
}
