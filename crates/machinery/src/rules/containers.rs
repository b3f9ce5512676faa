//! Containers that Talos runs itself.

use super::{Rules, format};
use crate::config::Document;
use crate::value::Value;

const OPTIONS: [&str; 8] = ["ro", "rw", "noexec", "nosuid", "nodev", "noatime", "rbind", "rshared"];
const NETWORKS: [&str; 4] = ["addresses", "connectivity", "hostname", "etcfiles"];

/// A container.
pub(crate) fn check_container(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let (value, name) = (&document.value, document.name);
    rules.require_name(document);
    let legal = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || each == '-';
    if name.len() > 63 || !name.chars().all(legal) {
        let message = format!("the name `{name}` is not 1 to 63 lower-case letters, digits and `-`");
        rules.refuse(document, "name", message, "choose another name");
    }
    rules.require(document, "image");
    let image = value.text("image");
    if !image.is_empty() && !is_image(image) {
        rules.refuse(document, "image", format!("`{image}` is no image"), "write it as `registry/name:tag`");
    }
    for item in value.items("environment").iter().filter(|item| !item.scalar().contains('=')) {
        rules.refuse_value(document, item, format!("`{}` is no variable", item.scalar()), "write it as `KEY=value`");
    }
    mounts(rules, document);
    security(rules, document);
    let mode = value.text("network.mode");
    if !matches!(mode, "" | "none" | "host") {
        rules.refuse(document, "network.mode", format!("there is no network mode `{mode}`"), "write `none` or `host`");
    }
    resources(rules, document);
    depends_on(rules, document);
    for field in ["uid", "gid"] {
        let path = format!("runAs.{field}");
        if value.number(&path).is_some_and(|number| number < 0) {
            rules.refuse(document, &path, format!("`{path}` is negative"), "write 0 or more");
        }
    }
}

fn mounts(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let mut seen: Vec<&str> = Vec::new();
    for mount in document.value.items("mounts") {
        let kinds: Vec<&str> = ["userVolume", "tmpfs", "hostPath"].into_iter().filter(|kind| mount.has(kind)).collect();
        let [kind] = kinds[..] else {
            let help = "write one of `userVolume`, `tmpfs` and `hostPath`";
            rules.refuse_value(document, mount, "a mount has not exactly one source", help);
            continue;
        };
        let Some(inner) = mount.get(kind) else { continue };
        if kind == "userVolume" && inner.text("name").is_empty() {
            rules.refuse_value(document, mount, "a mount of a user volume has no `name`", "add `name`");
        }
        for field in if kind == "hostPath" { &["source", "destination"][..] } else { &["destination"] } {
            if !inner.text(field).starts_with('/') {
                let message = format!("the `{field}` of a mount is no absolute path");
                rules.refuse_value(document, inner.get(field).unwrap_or(inner), message, "begin it with `/`");
            }
        }
        let options = inner.items("options");
        for option in options.iter().filter(|option| !OPTIONS.contains(&option.scalar())) {
            let message = format!("`{}` is no option of a mount", option.scalar());
            rules.refuse_value(document, option, message, format!("choose from {}", OPTIONS.join(", ")));
        }
        let has = |word| options.iter().any(|option| option.scalar() == word);
        if has("ro") && has("rw") {
            rules.refuse_value(document, mount, "a mount has the options `ro` and `rw`", "keep one of the two");
        }
        let destination = inner.text("destination");
        if !destination.is_empty() && seen.contains(&destination) {
            let message = format!("two mounts have the destination `{destination}`");
            rules.refuse_value(document, inner.get("destination").unwrap_or(inner), message, "give each its own");
        }
        seen.push(destination);
    }
}

fn security(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let value = &document.value;
    let profile = value.text("security.profile");
    if !matches!(profile, "" | "restricted" | "privileged") {
        let message = format!("there is no security profile `{profile}`");
        rules.refuse(document, "security.profile", message, "write `restricted` or `privileged`");
    }
    let (add, drop) = (value.items("security.capabilities.add"), value.items("security.capabilities.drop"));
    for item in add {
        if item.scalar() == "ALL" {
            rules.refuse_value(document, item, "`add` does not take ALL", "write `profile: privileged` instead");
        } else if !is_capability(item) {
            let message = format!("`{}` is no capability", item.scalar());
            rules.refuse_value(document, item, message, "write it as `NET_ADMIN`, without `CAP_`");
        } else if drop.iter().any(|other| other.scalar() == item.scalar()) {
            let message = format!("the capability `{}` is added and dropped", item.scalar());
            rules.refuse_value(document, item, message, "keep it in one of the two lists");
        }
    }
    for item in drop.iter().filter(|item| item.scalar() != "ALL" && !is_capability(item)) {
        let message = format!("`{}` is no capability", item.scalar());
        rules.refuse_value(document, item, message, "write it as `NET_ADMIN`, without `CAP_`");
    }
}

fn is_capability(item: &Value<'_>) -> bool {
    let name = item.scalar();
    !name.is_empty() && !name.starts_with("CAP_") && name.chars().all(|each| each.is_ascii_uppercase() || each == '_')
}

fn resources(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    let memory = document.value.text("resources.limits.memory");
    if !memory.is_empty() && format::bytes(memory).is_none_or(|(_, negative)| negative) {
        let message = format!("the memory limit `{memory}` is no size");
        rules.refuse(document, "resources.limits.memory", message, "write it as `512MiB`");
    }
    let cpu = document.value.text("resources.limits.cpu");
    let millicores = cpu.strip_suffix('m').and_then(|digits| digits.parse::<u64>().ok());
    if !cpu.is_empty() && millicores.is_none_or(|millicores| millicores == 0) {
        let message = format!("the CPU limit `{cpu}` is no number of millicores");
        rules.refuse(document, "resources.limits.cpu", message, "write it as `1500m`");
    }
}

fn depends_on(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    for path in document.value.items("dependsOn.paths").iter().filter(|path| !path.scalar().starts_with('/')) {
        let message = format!("the path `{}` is not absolute", path.scalar());
        rules.refuse_value(document, path, message, "begin it with `/`");
    }
    for item in document.value.items("dependsOn.networks").iter().filter(|item| !NETWORKS.contains(&item.scalar())) {
        let message = format!("`{}` is no state of the network", item.scalar());
        rules.refuse_value(document, item, message, format!("choose from {}", NETWORKS.join(", ")));
    }
    for item in document.value.items("dependsOn.containers") {
        if item.scalar().is_empty() {
            rules.refuse_value(document, item, "the name of a container is empty", "write a name, or remove the item");
        } else if item.scalar() == document.name {
            rules.refuse_value(document, item, "a container depends on itself", "remove the item");
        }
    }
}

/// Whether go-containerregistry reads a text as an image.
fn is_image(text: &str) -> bool {
    let (rest, digest) = text.split_once('@').map_or((text, None), |(rest, digest)| (rest, Some(digest)));
    let is_digest = |digest: &str| {
        digest
            .strip_prefix("sha256:")
            .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let (rest, tag) = match rest.rsplit_once(':') {
        Some((rest, tag)) if !tag.contains('/') => (rest, Some(tag)),
        _ => (rest, None),
    };
    let is_tag = |tag: &str| {
        (1..=128).contains(&tag.len()) && tag.chars().all(|each| each.is_ascii_alphanumeric() || "_-.".contains(each))
    };
    let repository = match rest.split_once('/') {
        Some((host, path)) if host.contains(['.', ':']) || host == "localhost" => path,
        _ => rest,
    };
    let legal = |each: char| each.is_ascii_lowercase() || each.is_ascii_digit() || "_-./".contains(each);
    (2..=255).contains(&repository.len())
        && repository.chars().all(legal)
        && tag.is_none_or(is_tag)
        && digest.is_none_or(is_digest)
}
