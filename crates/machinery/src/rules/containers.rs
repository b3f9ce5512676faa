//! Containers that Talos runs itself.

use super::formats;
use super::section::{Section, is_repeated};

pub(crate) fn check_container(container: Section<'_>) {
    check_mounts(container);
    check_capabilities(container);
    container.require_values("dependsOn.networks", &["addresses", "connectivity", "hostname", "etcfiles"]);
    for item in container.items("dependsOn.containers") {
        if item.scalar().is_empty() {
            item.refuse("", "the name of a container is empty", "write a name, or remove the item");
        } else if item.scalar() == container.name() {
            item.refuse("", "a container depends on itself", "remove the item");
        }
    }
}

fn check_mounts(container: Section<'_>) {
    let mut destinations = Vec::new();
    for mount in container.items("mounts") {
        let kinds: Vec<&str> = ["userVolume", "tmpfs", "hostPath"].into_iter().filter(|kind| mount.has(kind)).collect();
        let ([kind], Some(source)) = (&kinds[..], kinds.first().and_then(|kind| mount.section(kind))) else {
            let help = "write one of `userVolume`, `tmpfs` and `hostPath`";
            mount.refuse("", "a mount does not have exactly one source", help);
            continue;
        };
        if *kind == "userVolume" {
            source.require("name");
        }
        for path in if *kind == "hostPath" { &["source", "destination"][..] } else { &["destination"] } {
            source.require(path);
            source.require_format(path, &formats::ABSOLUTE_PATH);
        }
        source.require_values("options", &["ro", "rw", "noexec", "nosuid", "nodev", "noatime", "rbind", "rshared"]);
        let has = |option| source.items("options").any(|item| item.scalar() == option);
        if has("ro") && has("rw") {
            source.refuse("options", "`ro` and `rw` of a mount cannot be combined", "keep one of the two");
        }
        let destination = source.text("destination");
        if is_repeated(&mut destinations, destination) && !destination.is_empty() {
            let message = format!("two mounts have the destination `{destination}`");
            source.refuse("destination", message, "choose another destination");
        }
    }
}

fn check_capabilities(container: Section<'_>) {
    let (add, drop) = ("security.capabilities.add", "security.capabilities.drop");
    for item in container.items(add) {
        if item.scalar() == "ALL" {
            item.refuse("", "`add` does not accept `ALL`", "write `profile: privileged` instead");
        } else if container.items(drop).any(|other| other.scalar() == item.scalar()) {
            let message = format!("the capability `{}` is added and dropped", item.scalar());
            item.refuse("", message, "keep it in one of the two lists");
        } else {
            item.require_format("", &formats::CAPABILITY);
        }
    }
    for item in container.items(drop).filter(|item| item.scalar() != "ALL") {
        item.require_format("", &formats::CAPABILITY);
    }
}
