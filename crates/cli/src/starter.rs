//! The files that a new repository begins with.

use talosmith_document::TalosVersion;
use talosmith_machinery::Role;

/// The newest release of Talos that talosmith was tested with: the last one in conformance/versions.txt.
pub(crate) const TALOS: &str = "v1.14.1";

/// What marks a value that only a person can know, up to what it is.
pub(crate) const PLACEHOLDER: &str = "# PLACEHOLDER: ";

/// The hook for pre-commit, as an item of `repos`.
pub(crate) const HOOK: &str = "  - repo: local
    hooks:
      - id: talosmith-check
        name: talosmith check
        entry: talosmith check --staged
        language: system
        pass_filenames: false
        always_run: true
";

/// What git must ignore.
pub(crate) const IGNORED: [&str; 2] = [".*.talosmith-tmp", "/devices/*/manifests/tailscale-extension-service.yaml"];

/// Returns talosmith.yaml with one cluster.
pub(crate) fn fleet(cluster: &str, talos: &TalosVersion, kubernetes: Option<&str>) -> String {
    let kubernetes = kubernetes.map(|version| format!(" --kubernetes-version {version}")).unwrap_or_default();
    format!(
        "# yaml-language-server: $schema=schemas/fleet.schema.json
version: 1
clusters:
  {cluster}:
    talosVersion: {talos}
    # The base configs, which are not part of this repository:
    # talosctl gen config {cluster} https://<address>:6443 --talos-version {talos}{kubernetes}
    baseConfig: {talos}
"
    )
}

/// A new device.
pub(crate) struct NewDevice<'a> {
    pub name: &'a str,
    pub cluster: &'a str,
    pub role: Role,
    /// Its address; none if it is not known.
    pub address: Option<&'a str>,
    /// The placeholder for an address that is not known.
    pub free_address: &'a str,
    /// Its version of Talos, if that is not the cluster's.
    pub talos: Option<&'a TalosVersion>,
    /// The key `disks`; none if the disks are not known.
    pub disks: Option<&'a str>,
    /// The keys that a layer of its cluster sets.
    pub of_layers: &'a [&'a str],
}

/// Returns the device.yaml of a new device.
pub(crate) fn device(new: &NewDevice<'_>) -> String {
    let address = match new.address {
        Some(address) => address.to_owned(),
        None => format!("{} {PLACEHOLDER}the IP address at which talosctl reaches the node", new.free_address),
    };
    let mut text = format!(
        "# yaml-language-server: $schema=../../schemas/device.schema.json\nname: {}\ncluster: {}\nrole: {}\naddress: {address}\n",
        new.name,
        new.cluster,
        new.role.name(),
    );
    text.extend(new.talos.map(|version| format!("talosVersion: {version}\n")));
    let is_new = |key: &str| !new.of_layers.contains(&key);
    if is_new("schematics") && is_new("install") {
        text.push_str(
            "\n# The image of the node: a schematic for the Image Factory, with system extensions such as siderolabs/iscsi-tools.
schematics:
  main:
    extensions: []
install:
  image: { schematic: main }
  disk: true # the one that is `system` below
",
        );
    }
    if let Some(disks) = new.disks {
        text.push_str(&format!("\n{disks}"));
    } else if is_new("disks") {
        text.push_str(&format!(
            "\n# `talosctl get disks --insecure --nodes <address> -o yaml | talosmith disks` prints this key for the node.
disks:
  system:
    size: 500GB {PLACEHOLDER}the size of the disk in bytes, as in 500107862016B
    selector: disk.serial == 'unknown' {PLACEHOLDER}what finds the disk to install Talos on
    system: true
"
        ));
    }
    text
}

/// Returns .gitignore with the lines that are missing; none if it has all of them.
pub(crate) fn gitignore(old: &str, secret_files: &[String]) -> Option<String> {
    let wanted = IGNORED.into_iter().chain(secret_files.iter().map(String::as_str));
    let mut missing: Vec<&str> = wanted.filter(|line| !old.lines().any(|other| other.trim() == *line)).collect();
    missing.dedup();
    if missing.is_empty() {
        return None;
    }
    let end = if old.is_empty() || old.ends_with('\n') { "" } else { "\n" };
    let gap = if old.is_empty() { "" } else { "\n" };
    Some(format!(
        "{old}{end}{gap}# Temporary files, and files with secrets, which `talosmith generate` writes.\n{}\n",
        missing.join("\n")
    ))
}

/// Returns the lines of a file with a placeholder, each with its number and what belongs there.
pub(crate) fn placeholders(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().filter_map(|(index, line)| Some((index + 1, line.split_once(PLACEHOLDER)?.1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_version_of_talos_is_one_that_the_machinery_is_compared_with() {
        let versions = include_str!("../../../conformance/versions.txt");
        let newest = versions.lines().last().and_then(|line| line.split(' ').next()).expect("a version");
        assert_eq!(TALOS, format!("v{newest}"));
    }

    #[test]
    fn a_gitignore_gets_what_it_lacks() {
        assert_eq!(gitignore(&IGNORED.join("\n"), &[]), None);
        assert_eq!(
            gitignore(&format!("/target\n{}", IGNORED[0]), &[]).expect("a line"),
            format!(
                "/target\n{}\n\n# Temporary files, and files with secrets, which `talosmith generate` writes.\n{}\n",
                IGNORED[0], IGNORED[1]
            )
        );
    }
}
