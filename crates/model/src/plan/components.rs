//! The Kubernetes components of control planes, and the access of pods to the Talos API.

use serde::Serialize;
use serde_json::{Map, Value};
use talosmith_document::{Code, Diagnostic, Pointer};
use talosmith_machinery::Role;

use super::manifests::{self, Manifests};
use super::versions::since;
use super::{Check, ConfigFormat, Versions};
use crate::device::{AdmissionControl, AdmissionPlugin, CniName, TalosRole};
use crate::ordered::Ordered;
use crate::scalar::ArgumentName;

/// The only admission plugin that a base config of Talos configures.
const POD_SECURITY: &str = "PodSecurity";

/// The Kubernetes components that control planes run or install; none where the base config's setting stays.
#[derive(Debug, Serialize)]
pub struct Components {
    /// The network plugin that Talos installs; none for flannel with a base config of documents, which has it.
    pub cni: Option<CniName>,
    /// Whether Talos installs kube-proxy.
    pub proxy: Option<bool>,
    /// Whether Talos installs CoreDNS.
    pub core_dns: Option<bool>,
    pub controller_manager: Option<ControllerManager>,
    pub scheduler: Option<Scheduler>,
    pub admission_control: Option<PlannedAdmissionControl>,
    /// Kubernetes objects that Talos creates.
    pub manifests: Option<Manifests>,
    /// The audit policy without apiVersion and kind.
    pub audit_policy: Option<Map<String, Value>>,
    /// Which pods may use the Talos API.
    pub talos_api_access: Option<TalosApiAccess>,
}

/// kube-controller-manager.
#[derive(Debug, Serialize)]
pub struct ControllerManager {
    /// Arguments.
    pub extra_args: Ordered<String, String>,
}

/// kube-scheduler.
#[derive(Debug, Serialize)]
pub struct Scheduler {
    /// Arguments.
    pub extra_args: Ordered<String, String>,
    /// Keys of KubeSchedulerConfiguration.
    pub config: Map<String, Value>,
}

/// The configuration of admission plugins.
#[derive(Debug, Default, Serialize)]
pub struct PlannedAdmissionControl {
    /// Whether Talos's own configuration of PodSecurity is removed.
    pub removes_pod_security: bool,
    pub plugins: Vec<ConfiguredPlugin>,
}

/// An admission plugin with a configuration.
#[derive(Debug, Serialize)]
pub struct ConfiguredPlugin {
    pub name: String,
    pub configuration: Map<String, Value>,
}

/// Which pods may use the Talos API.
#[derive(Debug, Serialize)]
pub struct TalosApiAccess {
    /// Roles of the Talos API.
    pub roles: Vec<TalosRole>,
    /// Namespaces of the pods.
    pub namespaces: Vec<String>,
}

/// Plans the components of a control plane; everything that a worker sets of it is reported.
pub(super) fn plan(check: &mut Check<'_>, versions: &Versions) -> Components {
    let written = &check.file.device;
    let format = versions.config_format;
    let cni = written.cni.filter(|_| on_control_plane(check, format, "cni")).and_then(|cni| cni.name);
    let proxy = written.proxy.filter(|_| on_control_plane(check, format, "proxy"));
    let core_dns = written.core_dns.filter(|_| on_control_plane(check, format, "coreDNS"));
    let manager = written.controller_manager.as_ref();
    let manager = manager.filter(|_| on_control_plane(check, format, "controllerManager"));
    let has_manifests = !written.manifests.is_empty() && on_control_plane(check, format, "manifests");
    let api_server = written.api_server.as_ref().filter(|_| written.role == Role::ControlPlane);
    Components {
        cni: cni.filter(|name| format == ConfigFormat::V1Alpha1 || *name == CniName::None),
        proxy: proxy.and_then(|proxy| proxy.enabled),
        core_dns: core_dns.and_then(|core_dns| core_dns.enabled),
        controller_manager: manager
            .filter(|manager| !manager.extra_args.is_empty())
            .map(|manager| ControllerManager { extra_args: arguments(&manager.extra_args) }),
        scheduler: scheduler(check, format),
        manifests: if has_manifests { manifests::plan(check) } else { None },
        admission_control: api_server.and_then(|server| admission_control(check, &server.admission_control, format)),
        audit_policy: api_server.and_then(|server| audit_policy(check, server.audit_policy.as_ref()?)),
        talos_api_access: talos_api_access(check, versions),
    }
}

fn scheduler(check: &mut Check<'_>, format: ConfigFormat) -> Option<Scheduler> {
    let written = check.file.device.scheduler.as_ref()?;
    let is_wanted =
        on_control_plane(check, format, "scheduler") && !(written.extra_args.is_empty() && written.config.is_empty());
    is_wanted.then(|| Scheduler { extra_args: arguments(&written.extra_args), config: written.config.clone() })
}

/// Whether a device is a control plane; reports a key of a worker that only control planes may have.
pub(super) fn on_control_plane(check: &mut Check<'_>, format: ConfigFormat, key: &str) -> bool {
    if check.file.device.role == Role::ControlPlane {
        return true;
    }
    let location = check.key(Pointer::root().child(key));
    // Of the v1alpha1 document Talos rejects only some: `Validate` in pkg/machinery/config/types/v1alpha1.
    let is_rejected = format == ConfigFormat::Documents || matches!(key, "etcd" | "kubernetesTalosAPIAccess");
    let note = if is_rejected { "Talos rejects a worker's config with it" } else { "it has no effect on a worker" };
    check.push(
        Diagnostic::new(
            Code::ControlPlaneOnly,
            format!("`{key}` is only for control planes, and this is a worker"),
            location,
        )
        .note(note)
        .help("write it only for control planes: under `controlplane` of the cluster, or in their files"),
    );
    false
}

pub(super) fn arguments(written: &Ordered<ArgumentName, String>) -> Ordered<String, String> {
    written.iter().map(|(name, value)| (name.to_string(), value.clone())).collect()
}

/// Plans the admission plugins; none if nothing is set.
fn admission_control(
    check: &mut Check<'_>,
    written: &AdmissionControl,
    format: ConfigFormat,
) -> Option<PlannedAdmissionControl> {
    let mut planned = PlannedAdmissionControl::default();
    for (name, plugin) in written.iter() {
        let at = Pointer::new("/apiServer/admissionControl").child(name);
        match plugin {
            AdmissionPlugin { enabled: Some(false), configuration: Some(_) } => {
                check.exclusive(&at, "enabled", "configuration");
            }
            AdmissionPlugin { enabled: Some(false), .. } if name.as_str() == POD_SECURITY => {
                planned.removes_pod_security = true;
            }
            AdmissionPlugin { enabled: Some(false), .. } => {
                let message = format!("Talos has no configuration of the admission plugin `{name}` to remove");
                check.push(
                    Diagnostic::new(Code::NothingToDelete, message, check.key(at))
                        .note("base configs of Talos configure PodSecurity, and no other plugin")
                        .help("remove the line"),
                );
            }
            AdmissionPlugin { configuration: Some(configuration), .. } if !configuration.is_empty() => {
                planned.plugins.push(ConfiguredPlugin { name: name.to_string(), configuration: configuration.clone() })
            }
            AdmissionPlugin { .. } => {
                check.missing(&at, "configuration", "configuration: { defaults: { enforce: baseline } }");
            }
        }
    }
    if format == ConfigFormat::V1Alpha1 && planned.removes_pod_security && !planned.plugins.is_empty() {
        let location = check.key(Pointer::new("/apiServer/admissionControl").child(POD_SECURITY));
        let message = "PodSecurity cannot be removed and another plugin be configured in one patch";
        check.push(
            Diagnostic::new(Code::ExclusiveKeys, message, location)
                .note("with a base config up to 1.13 plugins are one list, which a patch removes as a whole or appends to")
                .help("configure PodSecurity so that it allows everything:\nPodSecurity: { configuration: { defaults: { enforce: privileged, audit: privileged, warn: privileged } } }"),
        );
    }
    (planned.removes_pod_security || !planned.plugins.is_empty()).then_some(planned)
}

/// The levels of an audit policy: <https://kubernetes.io/docs/tasks/debug/debug-cluster/audit/#audit-policy>.
const AUDIT_LEVELS: [&str; 4] = ["None", "Metadata", "Request", "RequestResponse"];

/// Plans the audit policy. kube-apiserver does not start with one that has no rule or an unknown level.
fn audit_policy(check: &mut Check<'_>, written: &Map<String, Value>) -> Option<Map<String, Value>> {
    let at = Pointer::new("/apiServer/auditPolicy");
    let Some(rules) = written.get("rules").and_then(Value::as_array).filter(|rules| !rules.is_empty()) else {
        check.missing(&at, "rules", "rules: [{ level: Metadata }]");
        return None;
    };
    for (index, rule) in rules.iter().enumerate() {
        let at = at.child("rules").item(index);
        let level = rule.get("level").and_then(Value::as_str);
        if level.is_some_and(|level| AUDIT_LEVELS.contains(&level)) {
            continue;
        }
        let (message, location) = match level {
            Some(level) => (format!("`{level}` is not a level of an audit policy"), check.at(at.child("level"))),
            None => ("the rule of the audit policy has no `level`".to_owned(), check.at(at)),
        };
        let near = level.and_then(|level| AUDIT_LEVELS.into_iter().find(|known| known.eq_ignore_ascii_case(level)));
        check.push(
            Diagnostic::new(Code::WrongType, message, location).note("kube-apiserver does not start with it").help(
                format!("write `level: {}`; the levels are {}", near.unwrap_or("Metadata"), AUDIT_LEVELS.join(", ")),
            ),
        );
    }
    Some(written.clone())
}

fn talos_api_access(check: &mut Check<'_>, versions: &Versions) -> Option<TalosApiAccess> {
    let written = check.file.device.kubernetes_talos_api_access.as_ref()?;
    if !on_control_plane(check, versions.config_format, "kubernetesTalosAPIAccess") {
        return None;
    }
    let at = Pointer::new("/kubernetesTalosAPIAccess");
    if written.allowed_roles.is_empty() {
        check.missing(&at, "allowedRoles", "allowedRoles: [os:reader]");
    }
    if written.allowed_kubernetes_namespaces.is_empty() {
        check.missing(&at, "allowedKubernetesNamespaces", "allowedKubernetesNamespaces: [system-upgrade]");
    }
    for (index, role) in written.allowed_roles.iter().enumerate() {
        let name = match role {
            TalosRole::ImageVerifier => "os:image:verifier",
            TalosRole::MetaWriter => "os:meta:writer",
            _ => continue,
        };
        let at = at.child("allowedRoles").item(index);
        since(check, (1, 13), &versions.talos, &format!("the role `{name}`"), &at);
    }
    Some(TalosApiAccess {
        roles: written.allowed_roles.clone(),
        namespaces: written.allowed_kubernetes_namespaces.iter().map(ToString::to_string).collect(),
    })
}
