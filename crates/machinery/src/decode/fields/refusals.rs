//! The findings about fields that are unknown, deprecated or secret.

use talosmith_document::{Code, Diagnostic, Level, Location, closest};

use super::{Step, Walk};
use crate::decode::documents::main_section;
use crate::decode::wording;
use crate::placeholder::is_secret_reference;
use crate::talos_data::types::{Deprecation, MAIN, Types};
use crate::talos_data::{Minor, talos};
use crate::value::{Field as Entry, Value};

/// Paths of the main document, and the keys of the model for them.
const MODEL_KEYS: &[(&str, &str)] = &[
    ("cluster.allowSchedulingOnControlPlanes", "allowSchedulingOnControlPlanes"),
    ("cluster.apiServer.certSANs", "apiServer.certSANs"),
    ("cluster.apiServer.extraArgs", "apiServer.extraArgs"),
    ("cluster.controlPlane.endpoint", "endpoint"),
    ("machine.files", "machineFiles"),
    ("machine.install.image", "install.image"),
    ("machine.kernel", "kernelModules"),
    ("machine.kubelet.extraArgs", "kubelet.extraArgs"),
    ("machine.kubelet.extraConfig", "kubelet.extraConfig"),
    ("machine.kubelet.nodeIP", "kubelet.nodeIP"),
    ("machine.network.hostname", "hostname"),
    ("machine.network.nameservers", "nameservers"),
    ("machine.network.searchDomains", "searchDomains"),
    ("machine.nodeAnnotations", "annotations"),
    ("machine.nodeLabels", "labels"),
    ("machine.nodeTaints", "taints"),
    ("machine.registries.mirrors", "registries"),
    ("machine.sysctls", "sysctls"),
    ("machine.time", "time"),
];

const UNKNOWN_KEY: &str = "Talos refuses the whole patch for a key that it does not know";

/// Keys of an interface, and the kinds that replace them.
const INTERFACE_KINDS: [(&str, &str); 8] = [
    ("addresses", "LinkConfig"),
    ("routes", "LinkConfig"),
    ("bond", "BondConfig"),
    ("bridge", "BridgeConfig"),
    ("dhcp", "DHCPv4Config"),
    ("vip", "Layer2VIPConfig"),
    ("vlans", "VLANConfig"),
    ("wireguard", "WireguardConfig"),
];

/// The kinds that replace the interfaces of a list.
fn interface_kinds(interfaces: &Value<'_>) -> Vec<&'static str> {
    let is_used = |(key, _): &&(&str, &str)| interfaces.list().iter().any(|interface| interface.get(key).is_some());
    let mut kinds: Vec<&str> = INTERFACE_KINDS.iter().filter(is_used).map(|(_, kind)| *kind).collect();
    kinds.dedup();
    kinds
}

fn is_below(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// The finding on a variable of a secret that has a reference to it.
pub fn variable_reference(name: &str, location: Location) -> Diagnostic {
    let secret = name.to_ascii_lowercase().replace('_', "-");
    Diagnostic::new(
        Code::SecretReference,
        format!("`{name}` has a reference to a secret, which nothing resolves"),
        location,
    )
    .note("the program would use the reference itself as the secret")
    .help(format!("write the placeholder `${{{name}}}` here, and list the secret beside it: `secrets: [{secret}]`"))
}

impl<'a> Walk<'a> {
    pub(super) fn secret_field(&self, node: &'a Value<'static>, text: &str) -> Diagnostic {
        let keys = self.trail.iter().filter_map(|step| if let Step::Key(key) = step { Some(*key) } else { None });
        let placeholder = wording::placeholder(&keys.collect::<Vec<_>>());
        let name = placeholder.to_ascii_lowercase().replace('_', "-");
        let listed = format!("and list the secret in the patch: `secrets: [{name}]`");
        if is_secret_reference(text) {
            let message =
                format!("{} has a reference to a secret, which nothing resolves", wording::subject(&self.path));
            return Diagnostic::new(Code::SecretReference, message, self.location(node))
                .note("the node would use the reference itself as the secret")
                .help(format!("write the placeholder `${{{placeholder}}}` here, {listed}"));
        }
        let finding = Diagnostic::new(
            Code::LiteralSecret,
            format!("the secret {} is written in this patch", wording::subject(&self.path)),
            self.location(node),
        )
        .hidden()
        .note("the file is tracked, so everyone who can read the repository can use it");
        if self.path.starts_with(MAIN) && wording::is_generated(&self.path) {
            finding
                .help("remove the line: the base config, which is not tracked, has its own from `talosctl gen secrets`")
        } else {
            finding.help(format!("change the secret, write the placeholder `${{{placeholder}}}` here, {listed}"))
        }
    }

    pub(super) fn unknown(&self, entry: &'a Entry<'static>) -> Diagnostic {
        let (around, _) = self.path.split_at(self.path.len() - entry.key.len() - 1);
        let key = entry.key.escape_debug();
        let subject = wording::subject(around);
        let known = self.types.below(around);
        let keys: Vec<&str> = known.iter().flat_map(|known| known.fields()).map(|(key, _)| key).collect();
        let location = self.key_location(entry);
        let finding = Diagnostic::new(Code::UnknownKey, format!("`{key}` is not a key of {subject}"), location);
        let finding = match closest(&entry.key, keys.iter().copied()) {
            Some(near) => finding.label(format!("did you mean `{near}`?")),
            None => finding,
        };
        let finding = if entry.key == "$patch" {
            finding.help("write `$patch: delete`, the only value that Talos knows")
        } else if entry.key == "$$patch" {
            finding.help("write `$patch: delete`: only talhelper needs the second `$`")
        } else if around == MAIN
            && let Some(section) = main_section(&entry.key)
        {
            finding.help(format!("write it below `{section}:`"))
        } else if let Some(below) = keys.iter().find(|below| {
            !entry.key.contains('.')
                && self
                    .types
                    .below(&format!("{around}.{below}"))
                    .is_some_and(|fields| fields.field(&entry.key).is_some())
        }) {
            let path = format!("{around}.{below}");
            finding.help(format!(
                "write it below {}, as {}",
                wording::subject(&path),
                wording::subject(&format!("{path}.{key}"))
            ))
        } else {
            finding
        };
        let finding = finding.note(UNKNOWN_KEY);
        if keys.is_empty() { finding } else { finding.note(format!("the keys of {subject}: {}", keys.join(", "))) }
    }

    /// The finding for a field that this minor does not have; `None` if no other minor has it either.
    pub(super) fn other_version(&self, entry: &'a Entry<'static>) -> Option<Diagnostic> {
        // A key with a dot would be looked up as two.
        let is_in = |minor: &Minor| !entry.key.contains('.') && Types::of(*minor).at(&self.path).is_some();
        let (around, key) = self.path.rsplit_once('.').unwrap_or_default();
        let subject = wording::subject(around);
        let location = self.key_location(entry);
        if let Some((major, minor)) = talos::minors().filter(|minor| *minor > self.minor).find(is_in) {
            let version = self.target.version;
            let message = format!("{version} has no `{key}` in {subject} (needs v{major}.{minor})");
            let help = format!("upgrade the node to v{major}.{minor} or later first");
            return Some(Diagnostic::new(Code::OldTalos, message, location).note(UNKNOWN_KEY).help(help));
        }
        let last = talos::minors().filter(is_in).last()?;
        let (major, minor) = talos::minors().find(|minor| *minor > last)?;
        let message = format!("{subject} has no `{key}` since Talos {major}.{minor}");
        Some(Diagnostic::new(Code::UnknownKey, message, location).note(UNKNOWN_KEY).help("remove the line"))
    }

    pub(super) fn newer_value(&self, what: &str, (major, minor): Minor, location: Location) -> Diagnostic {
        let subject = wording::subject(&self.path);
        let version = self.target.version;
        Diagnostic::new(
            Code::OldTalos,
            format!("{version} does not accept {what} for {subject} (needs v{major}.{minor})"),
            location,
        )
        .note("Talos refuses the whole patch for a value that it cannot decode")
        .help(format!("upgrade the node to v{major}.{minor} or later first"))
    }

    pub(super) fn deprecated(&self, entry: &'a Entry<'static>, deprecation: Deprecation) -> Diagnostic {
        let location = self.key_location(entry);
        let subject = wording::subject(&self.path);
        let (major, minor) = deprecation.since;
        let since = if deprecation.since == talos::oldest_minor() {
            String::new()
        } else {
            format!(" since Talos {major}.{minor}")
        };
        let finding = Diagnostic::new(Code::DeprecatedField, format!("{subject} is deprecated{since}"), location);
        let written = self.path.strip_prefix(MAIN).unwrap_or(&self.path).trim_start_matches('.');
        // A registry's credentials have no key of the model.
        let written = match written {
            "machine.registries" if entry.value.all_fields().iter().all(|field| field.key == "mirrors") => {
                "machine.registries.mirrors"
            }
            written => written,
        };
        if let Some((_, key)) = MODEL_KEYS.iter().find(|(path, _)| is_below(written, path)) {
            return finding.help(format!(
                "write it as the device's key `{key}`, which generates the form that the base config needs"
            ));
        }
        let interfaces = interface_kinds(&entry.value);
        let successors: Vec<&str> = match &interfaces[..] {
            [_, ..] if written == "machine.network.interfaces" => interfaces,
            _ => deprecation.successors().collect(),
        };
        let names: Vec<String> = successors
            .into_iter()
            .map(|name| match name {
                "schematic" => "the schematic of the installer image".to_owned(),
                path if path.contains('.') => format!("`{path}`"),
                kind => format!("the document {kind}"),
            })
            .collect();
        match names.split_last() {
            // `true` was the default: only who wrote `false` expects something of it.
            None => {
                let is_default = entry.value.scalar() == "true";
                let level = if is_default { finding.level } else { Level::Warning };
                Diagnostic { level, ..finding }.help("remove it: nothing reads it any more")
            }
            Some((only, [])) => finding.help(format!("write it in {only} instead")),
            Some((last, others)) => finding.help(format!("write it in {} or {last} instead", others.join(", "))),
        }
    }
}
