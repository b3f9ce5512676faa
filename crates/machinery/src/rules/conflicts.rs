//! Documents that the main document leaves no room for, since it has the same settings in their old place.

use talosmith_document::{Code, Label};

use super::Rules;
use super::section::Section;
use crate::config::{Config, Document};
use crate::format;
use crate::value::{Content, PatchSpan, Value};

/// When a setting of the main document counts as set.
#[derive(Clone, Copy)]
enum Is {
    /// It is there, even if empty.
    There,
    /// It is there and not empty.
    Filled,
    /// It is `true`.
    True,
    /// It is another number than 0.
    NotZero,
    /// It is a list with an address; Talos ignores other items.
    Addresses,
}

/// A kind of document, the minor since which Talos looks, and the setting that excludes it.
const SETTINGS: &[(&str, u64, &str, Is)] = &[
    ("HostnameConfig", 12, "machine.network.hostname", Is::Filled),
    ("HostnameConfig", 12, "machine.features.stableHostname", Is::True),
    ("ResolverConfig", 12, "machine.network.searchDomains", Is::Filled),
    ("ResolverConfig", 12, "machine.network.nameservers", Is::Addresses),
    ("ResolverConfig", 12, "machine.network.disableSearchDomain", Is::True),
    ("TimeSyncConfig", 12, "machine.time.disabled", Is::True),
    ("TimeSyncConfig", 12, "machine.time.servers", Is::Filled),
    ("TimeSyncConfig", 12, "machine.time.bootTimeout", Is::NotZero),
    ("KubeSpanConfig", 13, "machine.network.kubespan", Is::There),
    ("DiscoveryIdentityConfig", 14, "cluster.id", Is::Filled),
    ("DiscoveryIdentityConfig", 14, "cluster.secret", Is::Filled),
    ("DiscoveryServiceConfig", 14, "cluster.discovery", Is::There),
    ("CRIBaseRuntimeSpecConfig", 14, "machine.baseRuntimeSpecOverrides", Is::Filled),
    ("ImageCacheConfig", 14, "machine.features.imageCache", Is::There),
    ("UnattendedInstallConfig", 14, "machine.install", Is::There),
    ("KubeAdmissionControlConfig", 14, "cluster.apiServer.admissionControl", Is::Filled),
    ("KubeAuthorizerConfig", 14, "cluster.apiServer.admissionControl", Is::Filled),
    ("KubeAuditPolicyConfig", 14, "cluster.apiServer.auditPolicy", Is::Filled),
    ("KubeAggregatorCAConfig", 14, "cluster.aggregatorCA", Is::There),
    ("KubeAPIServerCAConfig", 14, "cluster.ca", Is::There),
    ("KubeAPIServerConfig", 14, "cluster.apiServer", Is::There),
    ("KubeAPIServerConfig", 14, "cluster.controlPlane.localAPIServerPort", Is::NotZero),
    ("KubeClusterConfig", 14, "cluster.clusterName", Is::Filled),
    ("KubeClusterConfig", 14, "cluster.controlPlane.endpoint", Is::Filled),
    ("KubeControllerManagerConfig", 14, "cluster.controllerManager", Is::There),
    ("KubeControllerManagerConfig", 14, "machine.controlPlane.controllerManager", Is::There),
    ("KubeSchedulerConfig", 14, "cluster.scheduler", Is::There),
    ("KubeSchedulerConfig", 14, "machine.controlPlane.scheduler", Is::There),
    ("KubeCoreDNSConfig", 14, "cluster.coreDNS", Is::There),
    ("KubeCredentialProviderConfig", 14, "machine.kubelet", Is::There),
    ("KubeletConfig", 14, "machine.kubelet", Is::There),
    ("KubeEtcdEncryptionConfig", 14, "cluster.secretboxEncryptionSecret", Is::Filled),
    ("KubeEtcdEncryptionConfig", 14, "cluster.aescbcEncryptionSecret", Is::Filled),
    ("KubeFlannelCNIConfig", 14, "cluster.network", Is::There),
    ("KubeNetworkConfig", 14, "cluster.network", Is::There),
    ("KubeProxyConfig", 14, "cluster.proxy", Is::There),
    ("KubePrismConfig", 14, "machine.features.kubePrism", Is::There),
    ("KubeServiceAccountConfig", 14, "cluster.serviceAccount", Is::There),
    ("KubeTalosAPIAccessConfig", 14, "machine.features.kubernetesTalosAPIAccess", Is::There),
    ("KubeNodeConfig", 14, "cluster.allowSchedulingOnControlPlanes", Is::There),
    ("KubeNodeConfig", 14, "cluster.allowSchedulingOnMasters", Is::There),
    ("KubeNodeConfig", 14, "machine.kubelet.skipNodeRegistration", Is::There),
    ("KubeNodeConfig", 14, "machine.kubelet.registerWithFQDN", Is::There),
    ("KubeNodeConfig", 14, "machine.kubelet.nodeIP", Is::There),
    ("KubeNodeConfig", 14, "machine.nodeLabels", Is::Filled),
    ("KubeNodeConfig", 14, "machine.nodeAnnotations", Is::Filled),
    ("KubeNodeConfig", 14, "machine.nodeTaints", Is::Filled),
];

/// Finds documents that the main document excludes.
pub(crate) fn check_conflicts(rules: &Rules<'_>) {
    let config = rules.config;
    let Some(main) = config.main() else { return };
    for document in &config.documents {
        let settings = SETTINGS.iter().filter(|(kind, since, ..)| *kind == document.kind && config.since(*since));
        for (_, _, path, _) in settings.filter(|(_, _, path, is)| is_set(&main.value, path, *is)) {
            conflict(rules, main, path, document);
        }
    }
    if config.since(14) && main.value.has("machine.features.hostDNS") {
        for document in config.all("ResolverConfig") {
            if document.value.at("hostDNS").is_some_and(Value::is_filled) {
                conflict(rules, main, "machine.features.hostDNS", document);
            }
        }
    }
    overlaps(rules, main);
    for document in config.all("VolumeConfig") {
        let section = match document.name {
            "STATE" => "machine.systemDiskEncryption.state",
            "EPHEMERAL" => "machine.systemDiskEncryption.ephemeral",
            _ => continue,
        };
        let encrypts = !document.value.text("encryption.provider").is_empty()
            || !document.value.items("encryption.keys").is_empty();
        if main.value.has(section) && encrypts {
            conflict(rules, main, section, document);
        }
    }
}

/// Returns the document of the base that has a setting of the main document in its new form.
pub(crate) fn document_of_base<'c, 'a>(config: &'c Config<'a>, path: &str) -> Option<&'c Document<'a>> {
    let kinds = SETTINGS.iter().filter(|(_, since, setting, _)| *setting == path && config.since(*since));
    kinds.flat_map(|(kind, ..)| config.all(kind)).find(|document| document.of_base)
}

fn is_set(main: &Value<'_>, path: &str, is: Is) -> bool {
    let Some(value) = main.at(path) else { return false };
    match is {
        Is::There => true,
        Is::Filled => match &value.content {
            Content::Map(fields) => !fields.is_empty(),
            _ => value.is_filled(),
        },
        Is::True => main.is_true(path),
        Is::NotZero => !matches!(value.scalar(), "" | "0" | "0s"),
        Is::Addresses => main.items(path).iter().any(|item| format::address(item.scalar()).is_some()),
    }
}

/// Reports a setting and a document that exclude each other, at the one that a patch wrote.
fn conflict(rules: &Rules<'_>, main: &Document<'_>, path: &str, document: &Document<'_>) {
    let key = key_origin(&main.value, path);
    let message = format!("`{path}` and {} set the same, in the old way and in the new one", document.title());
    let help = if document.of_base {
        help_of_base(rules, main, path, document)
    } else if path == "machine.network.hostname" {
        "remove `machine.network.hostname`: the device's key `hostname` writes the document, by default with the device's name".to_owned()
    } else {
        format!("remove `{path}`, or the document")
    };
    match (key, document.origin) {
        (Some(key), _) => rules.add(rules.finding(Code::DocumentConflict, key, message, help)),
        (None, None) => Section::new(rules, main).find(Code::DocumentConflict, path, message, help),
        (None, Some(_)) => {
            let help = match path {
                "machine.nodeLabels" | "machine.nodeAnnotations" | "machine.nodeTaints" => format!(
                    "remove the document: the base sets `{path}`; the device's keys `labels`, `annotations` and `taints` write what it accepts"
                ),
                _ => format!("remove the document: the base sets `{path}`"),
            };
            Section::new(rules, document).find(Code::DocumentConflict, "kind", message, help);
        }
    }
    let other = key.and(document.origin).map(|origin| rules.report.location(origin));
    if let (Some(location), Some(finding)) = (other, rules.findings.borrow_mut().last_mut()) {
        finding.also.push(Label { location, text: "and here".to_owned() });
    }
}

/// Keys of the main document that its successors have by another name.
const RENAMED: [(&str, &str); 3] = [("certSANs", "certExtraSANs"), ("disabled", "enabled"), ("extraConfig", "config")];

/// Kinds whose keys are those of the setting before them.
const SAME_KEYS: [&str; 7] = [
    "KubeAPIServerConfig",
    "KubeControllerManagerConfig",
    "KubeCoreDNSConfig",
    "KubeNetworkConfig",
    "KubeProxyConfig",
    "KubeSchedulerConfig",
    "KubeletConfig",
];

/// What to write instead of a setting that the base has a document for.
fn help_of_base(rules: &Rules<'_>, main: &Document<'_>, path: &str, document: &Document<'_>) -> String {
    let kind = document.kind;
    if path.starts_with("cluster.allowScheduling") {
        return "write the device's key `allowSchedulingOnControlPlanes: true`, which changes the taints of KubeNodeConfig".to_owned();
    }
    if kind == "KubeFlannelCNIConfig" && matches!(main.value.text("cluster.network.cni.name"), "none" | "custom") {
        return document.deletion();
    }
    if path == "machine.install" {
        return format!(
            "the base has a document {kind}: write the disk and the image with the device's keys `disks` and `install`, and kernel arguments under `schematics`"
        );
    }
    if path == "cluster.network" && kind == "KubeFlannelCNIConfig" {
        return "write networks in KubeNetworkConfig, and options of flannel in KubeFlannelCNIConfig, documents of the base".to_owned();
    }
    if !SAME_KEYS.contains(&kind) {
        return format!("the base has a document {kind}: write it there");
    }
    let fields = rules.config.types.get(kind);
    let new_name =
        |key: &str| RENAMED.iter().find(|(old, _)| *old == key).map_or(key.to_owned(), |(_, new)| (*new).to_owned());
    let written = main.value.fields(path).iter().filter(|field| field.key_origin.is_some());
    let (known, unknown): (Vec<String>, Vec<String>) = written
        .map(|field| new_name(&field.key))
        .partition(|key| fields.is_some_and(|fields| fields.field(key).is_some()));
    match (known.join("`, `"), unknown.join("`, `")) {
        (known, unknown) if unknown.is_empty() && known.is_empty() => {
            format!("the base has a document {kind}: write it there")
        }
        (known, unknown) if unknown.is_empty() => {
            format!("the base has a document {kind}: write `{known}` there")
        }
        (known, unknown) if known.is_empty() && unknown == "extraMounts" => {
            "write a user volume under `volumes`, which pods find at /var/mnt/<name>: KubeletConfig, the document of the base, has no `extraMounts`".to_owned()
        }
        (known, unknown) if known.is_empty() => {
            format!("remove `{unknown}`: {kind}, the document of the base for it, has no such key")
        }
        (known, unknown) => {
            format!(
                "write `{known}` in {kind}, the document of the base, and remove `{unknown}`, which it does not have"
            )
        }
    }
}

/// Where a patch wrote the key that a path leads to.
fn key_origin(main: &Value<'_>, path: &str) -> Option<PatchSpan> {
    let (section, key) = path.rsplit_once('.')?;
    main.at(section)?.field(key)?.key_origin
}

/// Settings of the main document, the name of an item where they are a list, and the documents that can set the same beside them; Talos
/// accepts both.
const OVERLAPS: [(&str, &str, &str); 9] = [
    ("machine.sysctls", "", "SysctlConfig"),
    ("machine.env", "", "EnvironmentConfig"),
    ("machine.registries.mirrors", "", "RegistryMirrorConfig"),
    ("machine.kernel.modules", "name", "KernelModuleConfig"),
    ("machine.network.extraHostEntries", "ip", "StaticHostConfig"),
    (INTERFACES, "interface", "LinkConfig"),
    (INTERFACES, "interface", "BondConfig"),
    (INTERFACES, "interface", "BridgeConfig"),
    (INTERFACES, "interface", "WireguardConfig"),
];

const INTERFACES: &str = "machine.network.interfaces";

/// Warns of keys that two patches set, one in the old way and one in the new one.
fn overlaps(rules: &Rules<'_>, main: &Document<'_>) {
    for (path, name, kind) in OVERLAPS {
        let Some(setting) = main.value.at(path) else { continue };
        let old: Vec<(&str, Option<PatchSpan>)> = match &setting.content {
            Content::Map(fields) => fields.iter().map(|field| (&*field.key, field.value.origin)).collect(),
            Content::List(items) => items.iter().map(|item| (item.text(name), item.origin)).collect(),
            Content::Scalar(..) => continue,
        };
        // Source for links: release-1.13 controllers/network/link_config.go and address_config.go.
        let note = match path {
            INTERFACES => {
                "Talos applies both: addresses and routes add up, and of other settings that of the document counts"
            }
            _ => "Talos accepts both, and documents nowhere which of them counts",
        };
        for document in rules.config.all(kind) {
            let below = if kind == "SysctlConfig" { "params" } else { "variables" };
            let new: Vec<(&str, Option<PatchSpan>)> = match kind {
                "SysctlConfig" | "EnvironmentConfig" => {
                    document.value.fields(below).iter().map(|field| (&*field.key, field.value.origin)).collect()
                }
                _ => vec![(document.name, document.origin)],
            };
            for (key, mark) in new {
                let Some((_, first)) = old.iter().find(|(other, _)| *other == key) else { continue };
                let (Some(mark), Some(first)) = (mark, *first) else { continue };
                let message = format!("`{key}` is set by `{path}` and by {}", document.title());
                let finding = rules
                    .report
                    .finding(Code::PatchConflict, message, mark)
                    .also(rules.report.location(first), "in the old way here")
                    .note(note)
                    .help("keep one of the two");
                rules.add(finding);
            }
        }
    }
}
