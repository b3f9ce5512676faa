//! The fields of the main document of a machine config, and the keys that write them.

use serde_json::{Map, Value, json};

use super::facts::{Taking, list};
use super::value::{only, text, texts};
use super::{services, storage};

/// A value of Talos and the model key that writes it.
pub(super) struct Row {
    /// The keys that lead to it, joined by dots.
    pub path: &'static str,
    /// The keys of the model, joined by `/`.
    pub key: &'static str,
    pub take: Take,
}

/// How a value becomes that of the model.
pub(super) enum Take {
    Same,
    /// A mapping of strings.
    Texts,
    /// A list of strings.
    List,
    /// The opposite of a boolean.
    Not,
    /// By a function, which returns false if the model cannot have the value.
    With(fn(&mut Taking<'_>, &Value) -> bool),
}

use Take::{List, Not, Same, Texts, With};

const fn row(path: &'static str, key: &'static str, take: Take) -> Row {
    Row { path, key, take }
}

/// The values of the main document.
pub(super) static ROWS: &[Row] = &[
    row("machine.nodeLabels", "labels", Texts),
    row("machine.nodeAnnotations", "annotations", Texts),
    row("machine.nodeTaints", "taints", Texts),
    row("machine.certSANs", "certSANs", List),
    row("machine.sysctls", "sysctls", Texts),
    row("machine.network.hostname", "hostname", Same),
    row("machine.network.nameservers", "nameservers", List),
    row("machine.network.searchDomains", "searchDomains/domains", List),
    row("machine.network.disableSearchDomain", "searchDomains/disableDefault", Same),
    row("machine.time.servers", "time/servers", List),
    row("machine.time.disabled", "time/disabled", Same),
    row("machine.time.bootTimeout", "time/bootTimeout", Same),
    row("machine.kernel.modules", "kernelModules", With(kernel_modules)),
    row("machine.udev.rules", "udevRules", With(udev_rules)),
    row("machine.files", "machineFiles", With(services::machine_files)),
    row("machine.registries.mirrors", "registries/mirrors", With(services::mirrors)),
    row("machine.logging.destinations", "logs", With(services::log_destinations)),
    row("machine.install.image", "install/image/reference", Same),
    row("machine.install.disk", "install/disk", With(storage::install_disk)),
    row("machine.install.diskSelector", "install/disk", With(storage::install_selector)),
    row("machine.install.wipe", "install/wipe", Same),
    row("machine.kubelet.extraArgs", "kubelet/extraArgs", Texts),
    row("machine.kubelet.extraConfig", "kubelet/extraConfig", With(kubelet_config)),
    row("machine.kubelet.disableManifestsDirectory", "kubelet/disableManifestsDirectory", Same),
    row("machine.kubelet.nodeIP.validSubnets", "kubelet/nodeIP/validSubnets", List),
    row("machine.kubelet.clusterDNS", "kubelet/clusterDNS", List),
    row("machine.kubelet.extraMounts", "kubelet/extraMounts", With(extra_mounts)),
    row("machine.features.hostDNS", "hostDNS", Same),
    row("machine.features.kubePrism", "kubePrism", Same),
    row("machine.features.kubernetesTalosAPIAccess", "kubernetesTalosAPIAccess", With(talos_api_access)),
    row("cluster.allowSchedulingOnControlPlanes", "allowSchedulingOnControlPlanes", Same),
    row("cluster.controlPlane.endpoint", "endpoint", With(endpoint)),
    row("cluster.network.podSubnets", "clusterNetwork", With(|taking, value| network(taking, "podCIDRs", value))),
    row(
        "cluster.network.serviceSubnets",
        "clusterNetwork",
        With(|taking, value| network(taking, "serviceCIDRs", value)),
    ),
    row("cluster.network.dnsDomain", "clusterNetwork", With(|taking, value| network(taking, "dnsDomain", value))),
    row("cluster.network.cni", "cni", Same),
    row("cluster.proxy.disabled", "proxy/enabled", Not),
    row("cluster.coreDNS.disabled", "coreDNS/enabled", Not),
    row("cluster.discovery.enabled", "discovery/enabled", Same),
    row("cluster.discovery.registries.service.endpoint", "discovery/endpoint", Same),
    row("cluster.controllerManager.extraArgs", "controllerManager/extraArgs", Texts),
    row("cluster.scheduler.extraArgs", "scheduler/extraArgs", Texts),
    row("cluster.scheduler.config", "scheduler/config", Same),
    row("cluster.apiServer.certSANs", "apiServer/certSANs", List),
    row("cluster.apiServer.extraArgs", "apiServer/extraArgs", With(api_server_arguments)),
    row("cluster.apiServer.admissionControl", "apiServer/admissionControl", With(admission_control)),
    row("cluster.apiServer.auditPolicy", "apiServer/auditPolicy", With(audit_policy)),
    row("cluster.etcd.advertisedSubnets", "etcd/advertisedSubnets", List),
    row("cluster.etcd.listenSubnets", "etcd/listenSubnets", List),
    row("cluster.etcd.extraArgs", "etcd/extraArgs", Texts),
    row("cluster.extraManifests", "manifests", With(external_manifests)),
    row("cluster.inlineManifests", "manifests", With(inline_manifests)),
];

impl Row {
    /// Takes a value; false if the model cannot have it.
    pub(super) fn apply(&self, taking: &mut Taking<'_>, found: &Value) -> bool {
        let new = match self.take {
            Texts => {
                let texts = texts(found);
                for (name, text) in texts.iter().filter_map(Value::as_object).flatten() {
                    let names: Vec<&str> = self.key.split('/').chain([name.as_str()]).collect();
                    taking.set_at(&names, text.clone());
                }
                return texts.is_some();
            }
            Same => Some(found.clone()).filter(|value| !value.is_null()),
            List => list(found),
            Not => found.as_bool().map(|flag| Value::from(!flag)),
            With(take) => return take(taking, found),
        };
        new.map(|new| taking.set(self.key, new)).is_some()
    }

    /// The key of `files` whose artifact has the value.
    pub(super) fn artifact(&self) -> &'static str {
        match self.key {
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
}

fn kernel_modules(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(modules) = value.as_array() else { return false };
    modules.iter().all(|module| {
        let Some(fields) = only(module, &["name", "parameters"]) else { return false };
        let Some(name) = fields.get("name").and_then(text) else { return false };
        let parameters = fields.get("parameters").and_then(list).map(|list| ("parameters".to_owned(), list));
        taking.set_at(&["kernelModules", &name], parameters.into_iter().collect::<Map<_, _>>().into());
        true
    })
}

pub(super) fn udev_rules(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(rules) = list(value) else { return false };
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let name: String = taking.stem.chars().map(|c| if is_name(c) { c } else { '-' }).collect();
    let name = name.trim_start_matches(|c: char| c == '-' || c.is_ascii_digit()).to_owned();
    taking.set_at(&["udevRules", if name.is_empty() { "rules" } else { &name }], rules);
    true
}

fn kubelet_config(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return false };
    for (key, value) in fields {
        match key.as_str() {
            "maxPods" => taking.set("kubelet/maxPods", value.clone()),
            _ => taking.set_at(&["kubelet", "extraConfig", key], value.clone()),
        }
    }
    taking.artifact("kubelet");
    true
}

fn extra_mounts(taking: &mut Taking<'_>, value: &Value) -> bool {
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
        taking.set_at(&["kubelet", "extraMounts", destination], keys);
        true
    })
}

fn talos_api_access(taking: &mut Taking<'_>, value: &Value) -> bool {
    let known = ["enabled", "allowedRoles", "allowedKubernetesNamespaces"];
    let Some(fields) = only(value, &known).filter(|fields| fields.get("enabled") == Some(&Value::Bool(true))) else {
        return false;
    };
    for (key, value) in fields.iter().filter(|(key, _)| *key != "enabled") {
        taking.set_at(&["kubernetesTalosAPIAccess", key], value.clone());
    }
    true
}

pub(super) fn endpoint(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(url) = value.as_str().filter(|url| !url.contains("${")) else { return false };
    taking.set_cluster("endpoint", url.into());
    taking.set("endpoint", "cluster");
    true
}

/// A part of the cluster's network, of which none can be a variable.
pub(super) fn network(taking: &mut Taking<'_>, key: &str, value: &Value) -> bool {
    let is_known = !value.to_string().contains("${");
    if is_known {
        taking.set_cluster(key, value.clone());
        taking.set("clusterNetwork", true);
    }
    is_known
}

/// The arguments of kube-apiserver that `apiServer.oidc` has keys for.
const OIDC: [(&str, &str); 6] = [
    ("oidc-issuer-url", "issuerURL"),
    ("oidc-client-id", "clientID"),
    ("oidc-username-claim", "usernameClaim"),
    ("oidc-username-prefix", "usernamePrefix"),
    ("oidc-groups-claim", "groupsClaim"),
    ("oidc-groups-prefix", "groupsPrefix"),
];

fn api_server_arguments(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(Value::Object(arguments)) = texts(value) else { return false };
    let has_both = ["oidc-issuer-url", "oidc-client-id"].iter().all(|name| arguments.contains_key(*name));
    for (name, argument) in arguments {
        match OIDC.iter().find(|(known, _)| has_both && *known == name) {
            Some((_, key)) => taking.set_at(&["apiServer", "oidc", key], argument),
            None => taking.set_at(&["apiServer", "extraArgs", &name], argument),
        }
    }
    true
}

fn admission_control(taking: &mut Taking<'_>, value: &Value) -> bool {
    if *value == json!({ "$patch": "delete" }) {
        taking.set_at(&["apiServer", "admissionControl", "PodSecurity"], json!({ "enabled": false }));
        return true;
    }
    let Some(plugins) = value.as_array() else { return false };
    plugins.iter().all(|plugin| {
        let name = only(plugin, &["name", "configuration"]).and_then(|fields| fields.get("name")?.as_str());
        let Some(name) = name else { return false };
        let configuration = json!({ "configuration": plugin["configuration"] });
        taking.set_at(&["apiServer", "admissionControl", name], configuration);
        true
    })
}

pub(super) fn audit_policy(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(mut policy) = value.as_object().cloned() else { return false };
    policy.shift_remove("apiVersion");
    policy.shift_remove("kind");
    taking.set("apiServer/auditPolicy", policy);
    true
}

fn external_manifests(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(urls) = value.as_array() else { return false };
    urls.iter().all(|url| {
        let Some(url) = url.as_str() else { return false };
        let name = manifest_name(url);
        let known = taking.facts.keys.get("manifests").and_then(Value::as_object);
        let is_free = |name: &str| known.is_none_or(|known| !known.contains_key(name));
        let mut names = std::iter::once(name.clone()).chain((2..).map(|number| format!("{name}-{number}")));
        let name = names.find(|name| is_free(name)).unwrap_or(name);
        taking.set_at(&["manifests", &name], json!({ "url": url }));
        true
    })
}

/// A name for a manifest: that of its file.
fn manifest_name(url: &str) -> String {
    let file = url.split(['?', '#']).next().unwrap_or(url).rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_ascii_lowercase();
    let name: String = stem.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
    let name = name.trim_matches('-').to_owned();
    if name.is_empty() { "manifest".to_owned() } else { name }
}

fn inline_manifests(taking: &mut Taking<'_>, value: &Value) -> bool {
    let Some(manifests) = value.as_array() else { return false };
    manifests.iter().all(|manifest| {
        let is_known = only(manifest, &["name", "contents"]).is_some();
        let (Some(name), Some(content)) = (manifest["name"].as_str(), manifest["contents"].as_str()) else {
            return false;
        };
        let is_known = is_known && !taking.has_secret(content);
        if is_known {
            taking.set_at(&["manifests", name], json!({ "content": content }));
        }
        is_known
    })
}
