//! The documents of a machine config, and the keys that write them.

use serde_json::{Map, Value, json};

use super::facts::{Taking, list};
use super::main_document::{Row, Take, audit_policy, endpoint, network, udev_rules};
use super::value::{only, texts};
use super::{links, services, storage};

use Take::{List, Same, Texts, With};

/// A kind of documents of which each is taken as a whole.
pub(super) struct Whole {
    pub kinds: &'static [&'static str],
    /// Returns false if the model cannot have the document.
    pub take: fn(&mut Taking<'_>, &Value) -> bool,
}

const fn whole(kinds: &'static [&'static str], take: fn(&mut Taking<'_>, &Value) -> bool) -> Whole {
    Whole { kinds, take }
}

pub(super) static WHOLE: &[Whole] = &[
    whole(&["HostnameConfig"], hostname),
    whole(
        &["VolumeConfig", "UserVolumeConfig", "RawVolumeConfig", "ExistingVolumeConfig", "SwapVolumeConfig"],
        storage::volume,
    ),
    whole(&["UnattendedInstallConfig"], storage::unattended_install),
    whole(
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
    whole(&["Layer2VIPConfig", "HCloudVIPConfig"], links::vip),
    whole(&["StaticHostConfig"], links::static_host),
    whole(&["ExtensionServiceConfig"], services::extension_service),
    whole(&["KmsgLogConfig"], services::kernel_log),
    whole(&["RegistryMirrorConfig"], services::mirror),
    whole(&["RegistryAuthConfig"], services::registry_auth),
    whole(&["RegistryTLSConfig"], services::registry_tls),
    whole(&["EtcFileConfig"], services::etc_file),
    whole(&["KernelModuleConfig"], kernel_module),
    whole(&["WatchdogTimerConfig"], watchdog),
    whole(&["KubeFlannelCNIConfig"], flannel),
    whole(&["KubeAdmissionControlConfig"], admission_control),
    whole(&["KubePrismConfig"], kube_prism),
    whole(&["KubeAuthenticationConfig"], authentication),
    whole(&["DiscoveryServiceConfig"], discovery),
    whole(&["KubeExternalManifestConfig"], external_manifest),
    whole(&["KubeInlineManifestConfig"], inline_manifest),
];

const fn row(path: &'static str, key: &'static str, take: Take) -> Row {
    Row { path, key, take }
}

/// The fields of the other documents; the path begins with the kind.
pub(super) static FIELDS: &[Row] = &[
    row("ResolverConfig.nameservers", "nameservers", With(nameservers)),
    row("ResolverConfig.searchDomains.domains", "searchDomains/domains", List),
    row("ResolverConfig.searchDomains.disableDefault", "searchDomains/disableDefault", Same),
    row("ResolverConfig.hostDNS", "hostDNS", Same),
    row("TimeSyncConfig.enabled", "time/disabled", Take::Not),
    row("TimeSyncConfig.bootTimeout", "time/bootTimeout", Same),
    row("TimeSyncConfig.ntp.servers", "time/servers", List),
    row("SysctlConfig.params", "sysctls", Texts),
    row("UdevRulesConfig.rules", "udevRules", With(udev_rules)),
    row("FilesystemScrubConfig.interval", "scrub/interval", Same),
    row("KubeClusterConfig.endpoint", "endpoint", With(endpoint)),
    row("KubeNetworkConfig.podSubnets", "clusterNetwork", With(|taking, value| network(taking, "podCIDRs", value))),
    row(
        "KubeNetworkConfig.serviceSubnets",
        "clusterNetwork",
        With(|taking, value| network(taking, "serviceCIDRs", value)),
    ),
    row("KubeNetworkConfig.dnsDomain", "clusterNetwork", With(|taking, value| network(taking, "dnsDomain", value))),
    row(
        "KubeNetworkConfig.nodeCIDRMaskSizeIPv4",
        "clusterNetwork",
        With(|taking, value| network(taking, "nodeCIDRMaskSizeIPv4", value)),
    ),
    row(
        "KubeNetworkConfig.nodeCIDRMaskSizeIPv6",
        "clusterNetwork",
        With(|taking, value| network(taking, "nodeCIDRMaskSizeIPv6", value)),
    ),
    row("KubeNodeConfig.labels", "labels", Texts),
    row("KubeNodeConfig.annotations", "annotations", Texts),
    row("KubeNodeConfig.taints", "taints", With(taints)),
    row("KubeNodeConfig.nodeIP.validSubnets", "kubelet/nodeIP/validSubnets", List),
    row("KubeletConfig.clusterDNS", "kubelet/clusterDNS", List),
    row("KubeletConfig.extraArgs", "kubelet/extraArgs", Texts),
    row("KubeletConfig.config", "kubelet/extraConfig", Same),
    row("KubeProxyConfig.enabled", "proxy/enabled", Same),
    row("KubeCoreDNSConfig.enabled", "coreDNS/enabled", Same),
    row("KubeControllerManagerConfig.extraArgs", "controllerManager/extraArgs", Texts),
    row("KubeSchedulerConfig.extraArgs", "scheduler/extraArgs", Texts),
    row("KubeSchedulerConfig.config", "scheduler/config", Same),
    row("KubeAPIServerConfig.certExtraSANs", "apiServer/certSANs", List),
    row("KubeAPIServerConfig.extraArgs", "apiServer/extraArgs", Texts),
    row("KubeAuditPolicyConfig.configuration", "apiServer/auditPolicy", With(audit_policy)),
    row("KubeTalosAPIAccessConfig.allowedRoles", "kubernetesTalosAPIAccess/allowedRoles", List),
    row(
        "KubeTalosAPIAccessConfig.allowedKubernetesNamespaces",
        "kubernetesTalosAPIAccess/allowedKubernetesNamespaces",
        List,
    ),
];

fn hostname(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "hostname", "auto"]).is_some();
    let Some(hostname) = value["hostname"].as_str().filter(|_| is_known && value["auto"] == "off") else {
        return false;
    };
    taking.set("hostname", hostname);
    taking.artifact("hostname");
    true
}

fn kernel_module(taking: &mut Taking<'_>, value: &Value) -> bool {
    let known = ["apiVersion", "kind", "name", "parameters"];
    let Some(name) = only(value, &known).and_then(|fields| fields.get("name")?.as_str()) else { return false };
    let parameters = list(&value["parameters"]).map(|list| ("parameters".to_owned(), list));
    taking.set_at(&["kernelModules", name], parameters.into_iter().collect::<Map<_, _>>().into());
    taking.artifact("kernelModules");
    true
}

fn watchdog(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(fields) = only(value, &["apiVersion", "kind", "device", "timeout"]) else { return false };
    for (key, value) in fields.iter().filter(|(key, _)| matches!(key.as_str(), "device" | "timeout")) {
        taking.set_at(&["watchdog", key], value.clone());
    }
    taking.artifact("watchdog");
    true
}

/// Whether a document is deleted, and nothing else is said of it.
fn is_deleted(value: &Value) -> bool {
    value["$patch"] == "delete" && only(value, &["apiVersion", "kind", "name", "$patch"]).is_some()
}

fn flannel(taking: &mut Taking<'_>, value: &Value) -> bool {
    if is_deleted(value) {
        taking.set("cni/name", "none");
        taking.artifact("cni");
    }
    is_deleted(value)
}

fn admission_control(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "configuration"]).is_some();
    let plugin = match value["name"].as_str() {
        Some("PodSecurity") if is_deleted(value) => json!({ "enabled": false }),
        Some(_) if is_known => json!({ "configuration": value["configuration"] }),
        _ => return false,
    };
    taking.set_at(&["apiServer", "admissionControl", value["name"].as_str().unwrap_or_default()], plugin);
    taking.artifact("apiServer.admissionControl");
    true
}

/// The authentication by one issuer of tokens.
fn authentication(taking: &mut Taking<'_>, value: &Value) -> bool {
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
        taking.set_at(&["apiServer", "oidc", key], text.into());
    }
    taking.artifact("apiServer");
    is_known
}

fn kube_prism(taking: &mut Taking<'_>, value: &Value) -> bool {
    match only(value, &["apiVersion", "kind", "port"]).and_then(|fields| fields.get("port")) {
        Some(port) => taking.set("kubePrism", json!({ "enabled": true, "port": port })),
        None if is_deleted(value) => taking.set("kubePrism/enabled", false),
        None => return false,
    }
    taking.artifact("kubePrism");
    true
}

fn discovery(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "endpoint"]).is_some() && value["name"] == "default";
    match value["endpoint"].as_str() {
        Some(endpoint) if is_known => taking.set("discovery/endpoint", endpoint),
        _ if is_deleted(value) => taking.set("discovery/enabled", false),
        _ => return false,
    }
    taking.artifact("discovery");
    true
}

fn external_manifest(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "url"]).is_some();
    let (Some(name), Some(url)) = (value["name"].as_str(), value["url"].as_str()) else { return false };
    if is_known {
        taking.set_at(&["manifests", name], json!({ "url": url }));
        taking.artifact("manifests");
    }
    is_known
}

fn inline_manifest(taking: &mut Taking<'_>, value: &Value) -> bool {
    let is_known = only(value, &["apiVersion", "kind", "name", "manifest"]).is_some();
    let (Some(name), Some(content)) = (value["name"].as_str(), value["manifest"].as_str()) else { return false };
    let is_known = is_known && !taking.has_secret(content);
    if is_known {
        taking.set_at(&["manifests", name], json!({ "content": content }));
        taking.artifact("manifests");
    }
    is_known
}

fn nameservers(taking: &mut Taking<'_>, value: &Value) -> bool {
    let addresses = value.as_array().map(|servers| {
        servers.iter().map(|server| only(server, &["address"])?.get("address").cloned()).collect::<Option<Vec<_>>>()
    });
    addresses.flatten().map(|addresses| taking.set("nameservers", addresses)).is_some()
}

/// The taints of a node; that of control planes alone is a key of its own.
fn taints(taking: &mut Taking<'_>, value: &Value) -> bool {
    const CONTROL_PLANE: &str = "node-role.kubernetes.io/control-plane";
    let allowed = match value.get(CONTROL_PLANE) {
        Some(taint) if *taint == json!({ "$patch": "delete" }) => Some(true),
        Some(Value::String(taint)) if taint == ":NoSchedule" => Some(false),
        _ => None,
    };
    let mut others = value.clone();
    if let (Some(allowed), Some(fields)) = (allowed, others.as_object_mut()) {
        fields.shift_remove(CONTROL_PLANE);
        taking.set("allowSchedulingOnControlPlanes", allowed);
        taking.artifact("allowSchedulingOnControlPlanes");
    }
    if others.as_object().is_some_and(Map::is_empty) {
        return allowed.is_some();
    }
    let others = texts(&others);
    others.map(|others| taking.set("taints", others)).is_some()
}
