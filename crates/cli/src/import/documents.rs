//! The documents of a machine config that have a kind, and the model keys that they are mapped to.

use serde_json::{Map, Value, json};

use super::facts::{Mapper, string_list};
use super::main_document::Conversion::{ClusterNetwork, List, Not, Same, Strings, With};
use super::main_document::{FieldMapping, audit_policy, endpoint, field, udev_rules};
use super::value::{only, string_mapping};
use super::{links, services, storage};

/// Kinds of documents that are mapped as a whole, or not at all.
pub(super) struct DocumentMapping {
    pub kinds: &'static [&'static str],
    /// Returns false if the model cannot have the document.
    pub map: fn(&mut Mapper<'_>, &Value) -> bool,
}

const fn document(kinds: &'static [&'static str], map: fn(&mut Mapper<'_>, &Value) -> bool) -> DocumentMapping {
    DocumentMapping { kinds, map }
}

pub(super) static DOCUMENTS: &[DocumentMapping] = &[
    document(&["HostnameConfig"], hostname),
    document(
        &["VolumeConfig", "UserVolumeConfig", "RawVolumeConfig", "ExistingVolumeConfig", "SwapVolumeConfig"],
        storage::volume,
    ),
    document(&["UnattendedInstallConfig"], storage::unattended_install),
    document(
        &[
            "LinkConfig",
            "BondConfig",
            "VLANConfig",
            "BridgeConfig",
            "LinkAliasConfig",
            "DHCPv4Config",
            "DHCPv6Config",
            "EthernetConfig",
        ],
        links::link,
    ),
    document(&["Layer2VIPConfig", "HCloudVIPConfig"], links::vip),
    document(&["StaticHostConfig"], links::static_host),
    document(&["ExtensionServiceConfig"], services::extension_service),
    document(&["KmsgLogConfig"], services::kernel_log),
    document(&["RegistryMirrorConfig"], services::mirror),
    document(&["RegistryAuthConfig"], services::registry_auth),
    document(&["RegistryTLSConfig"], services::registry_tls),
    document(&["EtcFileConfig"], services::etc_file),
    document(&["KernelModuleConfig"], kernel_module),
    document(&["WatchdogTimerConfig"], watchdog),
    document(&["KubeFlannelCNIConfig"], flannel),
    document(&["KubeAdmissionControlConfig"], admission_control),
    document(&["KubePrismConfig"], kube_prism),
    document(&["KubeAuthenticationConfig"], authentication),
    document(&["DiscoveryServiceConfig"], discovery),
    document(&["KubeExternalManifestConfig"], external_manifest),
    document(&["KubeInlineManifestConfig"], inline_manifest),
];

/// The fields of the documents that are mapped field by field.
pub(super) static DOCUMENT_FIELDS: &[FieldMapping] = &[
    field("ResolverConfig.nameservers", "nameservers", With(nameservers)),
    field("ResolverConfig.searchDomains.domains", "searchDomains/domains", List),
    field("ResolverConfig.searchDomains.disableDefault", "searchDomains/disableDefault", Same),
    field("ResolverConfig.hostDNS", "hostDNS", Same),
    field("TimeSyncConfig.enabled", "time/disabled", Not),
    field("TimeSyncConfig.bootTimeout", "time/bootTimeout", Same),
    field("TimeSyncConfig.ntp.servers", "time/servers", List),
    field("SysctlConfig.params", "sysctls", Strings),
    field("UdevRulesConfig.rules", "udevRules", With(udev_rules)),
    field("FilesystemScrubConfig.interval", "scrub/interval", Same),
    field("KubeClusterConfig.endpoint", "endpoint", With(endpoint)),
    field("KubeNetworkConfig.podSubnets", "podCIDRs", ClusterNetwork),
    field("KubeNetworkConfig.serviceSubnets", "serviceCIDRs", ClusterNetwork),
    field("KubeNetworkConfig.dnsDomain", "dnsDomain", ClusterNetwork),
    field("KubeNetworkConfig.nodeCIDRMaskSizeIPv4", "nodeCIDRMaskSizeIPv4", ClusterNetwork),
    field("KubeNetworkConfig.nodeCIDRMaskSizeIPv6", "nodeCIDRMaskSizeIPv6", ClusterNetwork),
    field("KubeNodeConfig.labels", "labels", Strings),
    field("KubeNodeConfig.annotations", "annotations", Strings),
    field("KubeNodeConfig.taints", "taints", With(taints)),
    field("KubeNodeConfig.nodeIP.validSubnets", "kubelet/nodeIP/validSubnets", List),
    field("KubeletConfig.clusterDNS", "kubelet/clusterDNS", List),
    field("KubeletConfig.extraArgs", "kubelet/extraArgs", Strings),
    field("KubeletConfig.config", "kubelet/extraConfig", Same),
    field("KubeProxyConfig.enabled", "proxy/enabled", Same),
    field("KubeCoreDNSConfig.enabled", "coreDNS/enabled", Same),
    field("KubeControllerManagerConfig.extraArgs", "controllerManager/extraArgs", Strings),
    field("KubeSchedulerConfig.extraArgs", "scheduler/extraArgs", Strings),
    field("KubeSchedulerConfig.config", "scheduler/config", Same),
    field("KubeAPIServerConfig.certExtraSANs", "apiServer/certSANs", List),
    field("KubeAPIServerConfig.extraArgs", "apiServer/extraArgs", Strings),
    field("KubeAuditPolicyConfig.configuration", "apiServer/auditPolicy", With(audit_policy)),
    field("KubeTalosAPIAccessConfig.allowedRoles", "kubernetesTalosAPIAccess/allowedRoles", List),
    field(
        "KubeTalosAPIAccessConfig.allowedKubernetesNamespaces",
        "kubernetesTalosAPIAccess/allowedKubernetesNamespaces",
        List,
    ),
];

/// Whether a key of the cluster in the model is a network that a device writes with `clusterNetwork`.
pub(super) fn is_cluster_network(key: &str) -> bool {
    DOCUMENT_FIELDS.iter().any(|field| field.is_cluster_network() && field.key == key)
}

fn hostname(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "hostname", "auto"]).is_some();
    let Some(hostname) = value["hostname"].as_str().filter(|_| is_known && value["auto"] == "off") else {
        return false;
    };
    mapper.set("hostname", hostname);
    mapper.add_artifact("hostname");
    true
}

fn kernel_module(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["apiVersion", "kind", "name", "parameters"];
    let Some(name) = only(value, &known).and_then(|fields| fields.get("name")?.as_str()) else { return false };
    let parameters = string_list(&value["parameters"]).map(|list| ("parameters".to_owned(), list));
    mapper.set_at(&["kernelModules", name], parameters.into_iter().collect::<Map<_, _>>().into());
    mapper.add_artifact("kernelModules");
    true
}

fn watchdog(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(fields) = only(value, &["apiVersion", "kind", "device", "timeout"]) else { return false };
    for (key, value) in fields.iter().filter(|(key, _)| matches!(key.as_str(), "device" | "timeout")) {
        mapper.set_at(&["watchdog", key], value.clone());
    }
    mapper.add_artifact("watchdog");
    true
}

/// Whether a document only deletes the document of its kind and name.
fn is_deleted(value: &Value) -> bool {
    value["$patch"] == "delete" && only(value, &["apiVersion", "kind", "name", "$patch"]).is_some()
}

fn flannel(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    if is_deleted(value) {
        mapper.set("cni/name", "none");
        mapper.add_artifact("cni");
    }
    is_deleted(value)
}

fn admission_control(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "configuration"]).is_some();
    let plugin = match value["name"].as_str() {
        Some("PodSecurity") if is_deleted(value) => json!({ "enabled": false }),
        Some(_) if is_known => json!({ "configuration": value["configuration"] }),
        _ => return false,
    };
    mapper.set_at(&["apiServer", "admissionControl", value["name"].as_str().unwrap_or_default()], plugin);
    mapper.add_artifact("apiServer.admissionControl");
    true
}

/// Maps a document KubeAuthenticationConfig with exactly one issuer of tokens.
fn authentication(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "configuration"]).is_some();
    let Some([jwt]) = value["configuration"]["jwt"].as_array().map(Vec::as_slice) else { return false };
    let claims = &jwt["claimMappings"];
    let values = [
        ("issuerURL", &jwt["issuer"]["url"]),
        ("clientID", &jwt["issuer"]["audiences"][0]),
        ("usernameClaim", &claims["username"]["claim"]),
        ("usernamePrefix", &claims["username"]["prefix"]),
        ("groupsClaim", &claims["groups"]["claim"]),
        ("groupsPrefix", &claims["groups"]["prefix"]),
    ];
    for (key, text) in values.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?))) {
        let text = if key == "usernamePrefix" && text.is_empty() { "-" } else { text };
        mapper.set_at(&["apiServer", "oidc", key], text.into());
    }
    mapper.add_artifact("apiServer");
    is_known
}

fn kube_prism(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    match only(value, &["apiVersion", "kind", "port"]).and_then(|fields| fields.get("port")) {
        Some(port) => mapper.set("kubePrism", json!({ "enabled": true, "port": port })),
        None if is_deleted(value) => mapper.set("kubePrism/enabled", false),
        None => return false,
    }
    mapper.add_artifact("kubePrism");
    true
}

fn discovery(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "endpoint"]).is_some() && value["name"] == "default";
    match value["endpoint"].as_str() {
        Some(endpoint) if is_known => mapper.set("discovery/endpoint", endpoint),
        _ if is_deleted(value) => mapper.set("discovery/enabled", false),
        _ => return false,
    }
    mapper.add_artifact("discovery");
    true
}

fn external_manifest(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "url"]).is_some();
    let (Some(name), Some(url)) = (value["name"].as_str(), value["url"].as_str()) else { return false };
    if is_known {
        mapper.set_at(&["manifests", name], json!({ "url": url }));
        mapper.add_artifact("manifests");
    }
    is_known
}

fn inline_manifest(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "manifest"]).is_some();
    let (Some(name), Some(content)) = (value["name"].as_str(), value["manifest"].as_str()) else { return false };
    let is_known = is_known && !mapper.has_secret(content);
    if is_known {
        mapper.set_at(&["manifests", name], json!({ "content": content }));
        mapper.add_artifact("manifests");
    }
    is_known
}

fn nameservers(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let addresses = value.as_array().map(|servers| {
        servers.iter().map(|server| only(server, &["address"])?.get("address").cloned()).collect::<Option<Vec<_>>>()
    });
    addresses.flatten().map(|addresses| mapper.set("nameservers", addresses)).is_some()
}

/// Maps the taints of a node. The control-plane taint is mapped to `allowSchedulingOnControlPlanes`.
fn taints(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
    let allowed = match value.get(CONTROL_PLANE) {
        Some(taint) if *taint == json!({ "$patch": "delete" }) => Some(true),
        Some(Value::String(taint)) if taint == ":NoSchedule" => Some(false),
        _ => None,
    };
    let mut others = value.clone();
    if let (Some(allowed), Some(fields)) = (allowed, others.as_object_mut()) {
        fields.shift_remove(CONTROL_PLANE);
        mapper.set("allowSchedulingOnControlPlanes", allowed);
        mapper.add_artifact("allowSchedulingOnControlPlanes");
    }
    if others.as_object().is_some_and(Map::is_empty) {
        return allowed.is_some();
    }
    let others = string_mapping(&others);
    others.map(|others| mapper.set("taints", others)).is_some()
}
