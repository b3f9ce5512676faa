//! The rules by which Talos validates a merged config in metal mode, one file for each topic.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config: the `Validate` and `V1Alpha1ConflictValidate` methods of types/,
//! and container/.

use talosmith_document::Code;

use super::config::{Config, Document};
use super::report::Report;
use super::value::{PatchSpan, Value};
use crate::cel;
use crate::cel::Environment;
use crate::talos_data::types::MAIN;

mod format;
mod encryption;
mod volumes;
mod lvm;
mod network;
mod links;
mod probes;
mod bgp;
mod registries;
mod containers;
mod runtime;
mod runtime_spec;
mod labels;
mod kubernetes;
mod pods;
mod images;
mod main_document;
mod devices;
mod bonds;
mod cluster;
mod identity;
mod conflicts;
mod together;

pub(crate) use identity::check_identities;

/// The rules that a config is checked against.
pub(crate) struct Rules<'r, 'p> {
    pub config: &'r Config<'r>,
    pub expressions: &'r cel::Checker,
    pub report: &'r mut Report<'p>,
}

/// Checks a config into which all patches are merged.
pub(crate) fn check_config(rules: &mut Rules<'_, '_>) {
    let config = rules.config;
    for document in config.documents.iter().filter(|document| document.origin.is_some()) {
        check_document(rules, document);
    }
    conflicts::check_conflicts(rules);
    together::check_together(rules);
}

fn check_document(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    match document.kind {
        MAIN => main_document::check_main_document(rules, document),
        "VolumeConfig" => volumes::system(rules, document),
        "UserVolumeConfig" => volumes::user(rules, document),
        "RawVolumeConfig" | "SwapVolumeConfig" => volumes::raw(rules, document),
        "ExistingVolumeConfig" => volumes::existing(rules, document),
        "ExternalVolumeConfig" => volumes::external(rules, document),
        "FilesystemTrimConfig" => volumes::trim(rules, document),
        "FilesystemScrubConfig" => volumes::scrub(rules, document, "interval"),
        "ZswapConfig" => volumes::zswap(rules, document),
        "LVMLogicalVolumeConfig" => lvm::logical_volume(rules, document),
        "LVMVolumeGroupConfig" => lvm::volume_group(rules, document),
        "RAIDArrayConfig" => lvm::array(rules, document),
        "LinkConfig" | "DummyLinkConfig" | "BridgeConfig" => links::plain(rules, document),
        "BondConfig" => links::bond(rules, document),
        "VLANConfig" => links::vlan(rules, document),
        "VRFConfig" => links::vrf(rules, document),
        "VethConfig" => links::veth(rules, document),
        "WireguardConfig" => links::wireguard(rules, document),
        "LinkAliasConfig" => links::alias(rules, document),
        "DHCPv4Config" | "DHCPv6Config" => network::dhcp(rules, document),
        "EthernetConfig" => rules.require_name(document),
        "HostnameConfig" => network::hostname(rules, document),
        "ResolverConfig" => network::resolver(rules, document),
        "TimeSyncConfig" => network::time(rules, document),
        "StaticHostConfig" => network::static_host(rules, document),
        "Layer2VIPConfig" | "HCloudVIPConfig" => network::vip(rules, document),
        "KubeSpanConfig" => network::kubespan(rules, document),
        "BlackholeRouteConfig" => network::blackhole(rules, document),
        "RoutingRuleConfig" => network::routing_rule(rules, document),
        "NetworkRuleConfig" => network::rule(rules, document),
        "TCPProbeConfig" | "HTTPProbeConfig" => probes::check_probe(rules, document),
        "BGPInstanceConfig" => bgp::check_instance(rules, document),
        "RegistryMirrorConfig" => registries::mirror(rules, document),
        "RegistryAuthConfig" => registries::auth(rules, document),
        "RegistryTLSConfig" => registries::tls(rules, document),
        "ImageVerificationConfig" => images::verification(rules, document),
        "ContainerConfig" => containers::check_container(rules, document),
        "ExtensionServiceConfig" => runtime::extension_service(rules, document),
        "EnvironmentConfig" => runtime::environment(rules, document),
        "EtcFileConfig" => runtime::etc_file(rules, document),
        "EventSinkConfig" => runtime::event_sink(rules, document),
        "KernelModuleConfig" => rules.require_name(document),
        "KmsgLogConfig" => runtime::kmsg_log(rules, document),
        "OOMConfig" => runtime::oom(rules, document),
        "SysctlConfig" | "SysfsConfig" => runtime::params(rules, document),
        "WatchdogTimerConfig" => runtime::watchdog(rules, document),
        "SideroLinkConfig" => runtime::siderolink(rules, document),
        "UnattendedInstallConfig" => runtime::unattended_install(rules, document),
        "CRIBaseRuntimeSpecConfig" => runtime_spec::check_overrides(rules, document, "overrides"),
        "CRICustomizationConfig" => runtime::cri_customization(rules, document),
        "DiscoveryIdentityConfig" => runtime::discovery_identity(rules, document),
        "DiscoveryServiceConfig" => runtime::discovery_service(rules, document),
        kind if kind.starts_with("Kube") => kubernetes::check_kubernetes(rules, document),
        _ => {}
    }
}

impl Rules<'_, '_> {
    /// Refuses a document for what is, or is not, at a path in it.
    pub(crate) fn refuse(
        &mut self,
        document: &Document<'_>,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.find(Code::InvalidDocument, document, path, message, help);
    }

    /// Refuses a value of a document.
    pub(crate) fn refuse_value(
        &mut self,
        document: &Document<'_>,
        value: &Value<'_>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        if let Some(at) = value.origin.or(document.origin) {
            self.push(Code::InvalidDocument, at, message, help);
        }
    }

    /// A finding of any code about a path in a document.
    pub(crate) fn find(
        &mut self,
        code: Code,
        document: &Document<'_>,
        path: &str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let cleared = self.config.cleared.iter().find(|cleared| {
            cleared.path == path && cleared.document.0 == document.kind && cleared.document.1 == document.name
        });
        let at = match cleared {
            Some(cleared) => Some(cleared.by),
            None => locate(&document.value, path).or(document.origin),
        };
        // What is missing may have been deleted.
        let at = at.or_else(|| self.config.deleted.last().copied());
        if let Some(at) = at {
            self.push(code, at, message, help);
        }
    }

    /// A finding at a place.
    pub(crate) fn push(&mut self, code: Code, at: PatchSpan, message: impl Into<String>, help: impl Into<String>) {
        let minor = self.config.minor;
        let finding = self
            .report
            .finding(code, message, at)
            .note(format!("Talos {}.{} refuses the whole machine config", minor.0, minor.1))
            .help(help);
        self.report.findings.push(finding);
    }

    /// Whether a value was written by a patch, so that it is worth a look.
    pub(crate) fn is_written(value: Option<&Value<'_>>) -> bool {
        value.is_some_and(|value| value.origin.is_some())
    }

    /// Requires a name.
    pub(crate) fn require_name(&mut self, document: &Document<'_>) {
        if document.name.is_empty() {
            self.refuse(document, "name", format!("{} has no name", document.kind), "add `name`");
        }
    }

    /// Requires a text at a path.
    pub(crate) fn require(&mut self, document: &Document<'_>, path: &str) {
        if document.value.text(path).is_empty() {
            self.refuse(document, path, format!("{} has no `{path}`", document.title()), format!("add `{path}`"));
        }
    }

    /// Requires a path to be absent.
    pub(crate) fn forbid(&mut self, document: &Document<'_>, path: &str, why: &str) {
        if document.value.at(path).is_some_and(Value::is_filled) {
            let message = format!("{} has `{path}`, {why}", document.title());
            self.refuse(document, path, message, format!("remove `{path}`"));
        }
    }
}

/// The nearest value on the way to a path that a patch wrote.
fn locate(value: &Value<'_>, path: &str) -> Option<PatchSpan> {
    let mut found = None;
    let mut value = value;
    for key in path.split('.') {
        let field = value.all_fields().iter().find(|field| field.key == key);
        let next = match (field, key.parse::<usize>()) {
            (Some(field), _) => {
                found = field.value.origin.or(found);
                &field.value
            }
            (None, Ok(at)) => match &value.content {
                super::value::Content::List(items) if at < items.len() => {
                    found = items[at].origin.or(found);
                    &items[at]
                }
                _ => break,
            },
            _ => break,
        };
        value = next;
    }
    found
}

/// Checks the CEL expression at a path, if a patch wrote it.
fn expression(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str, environment: Environment) {
    let Some(value) = document.value.at(path).filter(|value| !value.scalar().is_empty()) else { return };
    if value.origin.is_none() {
        return;
    }
    if let Err(error) = rules.expressions.check(value.scalar(), environment, rules.config.version)
        && let Some(at) = value.part(error.range.clone())
    {
        let message = format!("`{path}` of {}: {error}", document.title());
        let help = error.help.unwrap_or_else(|| "write another expression".to_owned());
        rules.push(Code::BadSelector, at, message, help);
        if let Some(finding) = rules.report.findings.last_mut() {
            finding.at.text = error.label;
        }
    }
}
