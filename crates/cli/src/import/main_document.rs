//! The fields of the main document of a machine config, and the model key that each is mapped to.

use serde_json::{Map, Value, json};

use super::facts::{Mapper, string_list};
use super::names::{free_name, with_dashes};
use super::value::{only, scalar_string, string_mapping};
use super::{legacy_network, services, storage};

/// A field of a machine config, and the model key that it is mapped to.
pub(super) struct FieldMapping {
    /// The keys that lead to the field, joined by dots; in a document with a kind, the kind is the first.
    pub path: &'static str,
    /// The model key of the device, as names joined by `/`.
    pub key: &'static str,
    pub conversion: Conversion,
}

/// How the value of a field is converted to the value of its model key.
pub(super) enum Conversion {
    Same,
    /// A mapping of strings.
    Strings,
    /// A list of strings.
    List,
    /// The opposite of a boolean.
    Not,
    /// A network of the cluster: the model key is one of the cluster, and the device sets `clusterNetwork`.
    ClusterNetwork,
    /// A function, which returns false if the model cannot have the value.
    With(fn(&mut Mapper<'_>, &Value) -> bool),
}

use Conversion::{ClusterNetwork, List, Not, Same, Strings, With};

pub(super) const fn field(path: &'static str, key: &'static str, conversion: Conversion) -> FieldMapping {
    FieldMapping { path, key, conversion }
}

/// The fields of the main document.
pub(super) static MAIN_FIELDS: &[FieldMapping] = &[
    field("machine.nodeLabels", "labels", Strings),
    field("machine.nodeAnnotations", "annotations", Strings),
    field("machine.nodeTaints", "taints", Strings),
    field("machine.certSANs", "certSANs", List),
    field("machine.sysctls", "sysctls", Strings),
    field("machine.network.hostname", "hostname", Same),
    field("machine.network.nameservers", "nameservers", List),
    field("machine.network.searchDomains", "searchDomains/domains", List),
    field("machine.network.interfaces", "links", With(legacy_network::map_interfaces)),
    field("machine.network.extraHostEntries", "staticHosts", With(legacy_network::map_hosts)),
    field("machine.network.disableSearchDomain", "searchDomains/disableDefault", Same),
    field("machine.time.servers", "time/servers", List),
    field("machine.time.disabled", "time/disabled", Same),
    field("machine.time.bootTimeout", "time/bootTimeout", Same),
    field("machine.kernel.modules", "kernelModules", With(kernel_modules)),
    field("machine.udev.rules", "udevRules", With(udev_rules)),
    field("machine.files", "machineFiles", With(services::machine_files)),
    field("machine.registries.mirrors", "registries/mirrors", With(services::mirrors)),
    field("machine.logging.destinations", "logs", With(services::log_destinations)),
    field("machine.install.image", "install/image/reference", Same),
    field("machine.install.disk", "install/disk", With(storage::install_disk)),
    field("machine.install.diskSelector", "install/disk", With(storage::install_selector)),
    field("machine.install.wipe", "install/wipe", Same),
    field("machine.kubelet.extraArgs", "kubelet/extraArgs", Strings),
    field("machine.kubelet.extraConfig", "kubelet/extraConfig", With(kubelet_config)),
    field("machine.kubelet.disableManifestsDirectory", "kubelet/disableManifestsDirectory", Same),
    field("machine.kubelet.nodeIP.validSubnets", "kubelet/nodeIP/validSubnets", List),
    field("machine.kubelet.clusterDNS", "kubelet/clusterDNS", List),
    field("machine.kubelet.extraMounts", "kubelet/extraMounts", With(extra_mounts)),
    field("machine.features.hostDNS", "hostDNS", Same),
    field("machine.features.kubePrism", "kubePrism", Same),
    field("machine.features.kubernetesTalosAPIAccess", "kubernetesTalosAPIAccess", With(talos_api_access)),
    field("cluster.allowSchedulingOnControlPlanes", "allowSchedulingOnControlPlanes", Same),
    field("cluster.controlPlane.endpoint", "endpoint", With(endpoint)),
    field("cluster.network.podSubnets", "podCIDRs", ClusterNetwork),
    field("cluster.network.serviceSubnets", "serviceCIDRs", ClusterNetwork),
    field("cluster.network.dnsDomain", "dnsDomain", ClusterNetwork),
    field("cluster.network.cni", "cni", Same),
    field("cluster.proxy.disabled", "proxy/enabled", Not),
    field("cluster.coreDNS.disabled", "coreDNS/enabled", Not),
    field("cluster.discovery.enabled", "discovery/enabled", Same),
    field("cluster.discovery.registries.service.endpoint", "discovery/endpoint", Same),
    field("cluster.controllerManager.extraArgs", "controllerManager/extraArgs", Strings),
    field("cluster.scheduler.extraArgs", "scheduler/extraArgs", Strings),
    field("cluster.scheduler.config", "scheduler/config", Same),
    field("cluster.apiServer.certSANs", "apiServer/certSANs", List),
    field("cluster.apiServer.extraArgs", "apiServer/extraArgs", With(api_server_arguments)),
    field("cluster.apiServer.admissionControl", "apiServer/admissionControl", With(admission_control)),
    field("cluster.apiServer.auditPolicy", "apiServer/auditPolicy", With(audit_policy)),
    field("cluster.etcd.advertisedSubnets", "etcd/advertisedSubnets", List),
    field("cluster.etcd.listenSubnets", "etcd/listenSubnets", List),
    field("cluster.etcd.extraArgs", "etcd/extraArgs", Strings),
    field("cluster.extraManifests", "manifests", With(external_manifests)),
    field("cluster.inlineManifests", "manifests", With(inline_manifests)),
];

impl FieldMapping {
    /// Maps a value; returns false if the model cannot have it.
    pub(super) fn apply(&self, mapper: &mut Mapper<'_>, value: &Value) -> bool {
        let converted = match self.conversion {
            Strings => {
                let strings = string_mapping(value);
                for (name, text) in strings.iter().filter_map(Value::as_object).flatten() {
                    let names: Vec<&str> = self.key.split('/').chain([name.as_str()]).collect();
                    mapper.set_at(&names, text.clone());
                }
                return strings.is_some();
            }
            ClusterNetwork => return cluster_network(mapper, self.key, value),
            Same => Some(value.clone()).filter(|value| !value.is_null()),
            List => string_list(value),
            Not => value.as_bool().map(|flag| Value::from(!flag)),
            With(map) => return map(mapper, value),
        };
        converted.map(|converted| mapper.set(self.key, converted)).is_some()
    }

    /// Returns the key in `files` of the artifact that contains the value.
    pub(super) fn artifact(&self) -> &'static str {
        match self.key {
            _ if self.is_cluster_network() => "clusterNetwork",
            "searchDomains/domains" | "searchDomains/disableDefault" => "nameservers",
            "install/image/reference" => "install.image",
            "install/wipe" => "install.disk",
            "kubelet/disableManifestsDirectory" => "kubelet.disableManifestsDirectory",
            "kubelet/nodeIP/validSubnets" => "kubelet.nodeIP",
            "kubelet/extraMounts" => "kubelet.extraMounts",
            "apiServer/admissionControl" => "apiServer.admissionControl",
            "apiServer/auditPolicy" => "apiServer.auditPolicy",
            key => key.split('/').next().unwrap_or(key),
        }
    }

    pub(super) fn is_cluster_network(&self) -> bool {
        matches!(self.conversion, ClusterNetwork)
    }
}

fn kernel_modules(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(modules) = value.as_array() else { return false };
    modules.iter().all(|module| {
        let Some(fields) = only(module, &["name", "parameters"]) else { return false };
        let Some(name) = fields.get("name").and_then(scalar_string) else { return false };
        let parameters = fields.get("parameters").and_then(string_list).map(|list| ("parameters".to_owned(), list));
        mapper.set_at(&["kernelModules", &name], parameters.into_iter().collect::<Map<_, _>>().into());
        true
    })
}

pub(super) fn udev_rules(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(rules) = string_list(value) else { return false };
    let name = with_dashes(mapper.stem, "");
    let name = name.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned();
    mapper.set_at(&["udevRules", if name.is_empty() { "rules" } else { &name }], rules);
    true
}

fn kubelet_config(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return false };
    for (key, value) in fields {
        match key.as_str() {
            "maxPods" => mapper.set("kubelet/maxPods", value.clone()),
            _ => mapper.set_at(&["kubelet", "extraConfig", key], value.clone()),
        }
    }
    mapper.add_artifact("kubelet");
    true
}

fn extra_mounts(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(mounts) = value.as_array() else { return false };
    mounts.iter().all(|mount| {
        let Some(fields) = only(mount, &["destination", "type", "source", "options"]) else { return false };
        let (Some(destination), Some(source)) = (mount["destination"].as_str(), mount["source"].as_str()) else {
            return false;
        };
        if fields.get("type").is_none_or(|kind| kind != "bind") {
            return false;
        }
        let mut keys = json!({});
        if source != destination {
            keys["source"] = source.into();
        }
        if let Some(options) = fields.get("options").filter(|options| **options != json!(["bind", "rshared", "rw"])) {
            keys["options"] = options.clone();
        }
        mapper.set_at(&["kubelet", "extraMounts", destination], keys);
        true
    })
}

fn talos_api_access(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let known = ["enabled", "allowedRoles", "allowedKubernetesNamespaces"];
    let Some(fields) = only(value, &known).filter(|fields| fields.get("enabled") == Some(&Value::Bool(true))) else {
        return false;
    };
    for (key, value) in fields.iter().filter(|(key, _)| *key != "enabled") {
        mapper.set_at(&["kubernetesTalosAPIAccess", key], value.clone());
    }
    true
}

pub(super) fn endpoint(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(url) = value.as_str().filter(|url| !url.contains("${")) else { return false };
    mapper.set_cluster("endpoint", url.into());
    mapper.set("endpoint", "cluster");
    true
}

/// Sets a network of the cluster, which cannot contain a placeholder.
fn cluster_network(mapper: &mut Mapper<'_>, key: &str, value: &Value) -> bool {
    let is_known = !value.to_string().contains("${");
    if is_known {
        mapper.set_cluster(key, value.clone());
        mapper.set("clusterNetwork", true);
    }
    is_known
}

/// The arguments of kube-apiserver, and the keys in `apiServer.oidc` that they are mapped to.
const OIDC: [(&str, &str); 6] = [
    ("oidc-issuer-url", "issuerURL"),
    ("oidc-client-id", "clientID"),
    ("oidc-username-claim", "usernameClaim"),
    ("oidc-username-prefix", "usernamePrefix"),
    ("oidc-groups-claim", "groupsClaim"),
    ("oidc-groups-prefix", "groupsPrefix"),
];

fn api_server_arguments(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(Value::Object(arguments)) = string_mapping(value) else { return false };
    let has_both = ["oidc-issuer-url", "oidc-client-id"].iter().all(|name| arguments.contains_key(*name));
    for (name, argument) in arguments {
        match OIDC.iter().find(|(known, _)| has_both && *known == name) {
            Some((_, key)) => mapper.set_at(&["apiServer", "oidc", key], argument),
            None => mapper.set_at(&["apiServer", "extraArgs", &name], argument),
        }
    }
    true
}

fn admission_control(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    if *value == json!({ "$patch": "delete" }) {
        mapper.set_at(&["apiServer", "admissionControl", "PodSecurity"], json!({ "enabled": false }));
        return true;
    }
    let Some(plugins) = value.as_array() else { return false };
    plugins.iter().all(|plugin| {
        let name = only(plugin, &["name", "configuration"]).and_then(|fields| fields.get("name")?.as_str());
        let Some(name) = name else { return false };
        let configuration = json!({ "configuration": plugin["configuration"] });
        mapper.set_at(&["apiServer", "admissionControl", name], configuration);
        true
    })
}

pub(super) fn audit_policy(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(mut policy) = value.as_object().cloned() else { return false };
    policy.shift_remove("apiVersion");
    policy.shift_remove("kind");
    mapper.set("apiServer/auditPolicy", policy);
    true
}

fn external_manifests(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(urls) = value.as_array() else { return false };
    urls.iter().all(|url| {
        let Some(url) = url.as_str() else { return false };
        let name = manifest_name(url);
        let known = mapper.facts.keys.get("manifests").and_then(Value::as_object);
        let is_free = |name: &str| known.is_none_or(|known| !known.contains_key(name));
        let name = free_name(&name, '-', is_free);
        mapper.set_at(&["manifests", &name], json!({ "url": url }));
        true
    })
}

/// Returns a name for a manifest, made from the name of its file.
fn manifest_name(url: &str) -> String {
    let file = url.split(['?', '#']).next().unwrap_or(url).rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_ascii_lowercase();
    let name = with_dashes(&stem, "").trim_matches('-').to_owned();
    if name.is_empty() { "manifest".to_owned() } else { name }
}

fn inline_manifests(mapper: &mut Mapper<'_>, value: &Value) -> bool {
    let Some(manifests) = value.as_array() else { return false };
    manifests.iter().all(|manifest| {
        let is_known = only(manifest, &["name", "contents"]).is_some();
        let (Some(name), Some(content)) = (manifest["name"].as_str(), manifest["contents"].as_str()) else {
            return false;
        };
        let is_known = is_known && !mapper.has_secret(content);
        if is_known {
            mapper.set_at(&["manifests", name], json!({ "content": content }));
        }
        is_known
    })
}
