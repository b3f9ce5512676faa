//! The rules by which Talos validates a merged config in metal mode, and what a node needs beyond them, one file for each topic.
//!
//! Source: github.com/siderolabs/talos, pkg/machinery/config: the `Validate` and `V1Alpha1ConflictValidate` methods of types/,
//! and container/.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeSet;

use talosmith_document::{Code, Diagnostic};

use super::config::Config;
use super::report::Report;
use super::value::PatchSpan;
use crate::cel;
use crate::talos_data::types::MAIN;

mod formats;
mod section;
mod table;
mod encryption;
mod volumes;
mod network;
mod links;
mod bgp;
mod containers;
mod runtime;
mod runtime_spec;
mod labels;
mod kubelet;
mod kubernetes;
mod main_document;
mod interfaces;
mod bonds;
mod cluster;
mod identity;
pub(crate) mod conflicts;
mod together;
mod node_labels;
mod arguments;
mod files;
mod services;
mod routes;
mod mirrors;
mod firewall;
mod warnings;
mod parameters;
mod paths;
mod node;

pub use bonds::bond_modes;
pub use identity::LINKS;
pub use kubernetes::document_of_argument;
pub use routes::other_family;
use section::Section;
use services::check_extension_service;

/// The rules that a config is checked against.
pub(crate) struct Rules<'r> {
    pub config: &'r Config<'r>,
    pub expressions: &'r cel::Checker,
    pub report: &'r Report<'r>,
    findings: RefCell<Vec<Diagnostic>>,
    /// The clients for IPv4 and for IPv6.
    dhcp_clients: OnceCell<[DhcpClients; 2]>,
}

/// The links that have a DHCP client.
struct DhcpClients {
    names: BTreeSet<String>,
    /// Whether the name of one is filled in where the patch is applied.
    is_any_unknown: bool,
}

impl<'r> Rules<'r> {
    pub(crate) fn new(config: &'r Config<'r>, expressions: &'r cel::Checker, report: &'r Report<'r>) -> Self {
        Self { config, expressions, report, findings: RefCell::default(), dhcp_clients: OnceCell::new() }
    }

    /// Finds documents that exclude each other, which Talos refuses after each patch.
    pub(crate) fn check_identities(self) -> Vec<Diagnostic> {
        identity::check_identities(&self);
        self.findings.into_inner()
    }

    /// Checks a config into which all patches are merged.
    pub(crate) fn check_config(self) -> Vec<Diagnostic> {
        for document in self.config.documents.iter().filter(|document| document.origin.is_some()) {
            check_document(Section::new(&self, document));
        }
        conflicts::check_conflicts(&self);
        together::check_together(&self);
        self.findings.into_inner()
    }

    /// Finds what Talos accepts and the node then fails on.
    pub(crate) fn check_node(self) -> Vec<Diagnostic> {
        node::check_node(&self);
        self.findings.into_inner()
    }

    pub(crate) fn add(&self, finding: Diagnostic) {
        self.findings.borrow_mut().push(finding);
    }

    /// A finding for which Talos refuses the config.
    pub(crate) fn finding(
        &self,
        code: Code,
        at: PatchSpan,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Diagnostic {
        let (major, minor) = self.config.minor;
        let note = format!("Talos {major}.{minor} refuses the whole machine config");
        self.report.finding(code, message, at).note(note).help(help)
    }
}

fn check_document(document: Section<'_>) {
    table::check_document(document);
    if LINKS.contains(&document.document.kind) {
        links::check_link(document);
    }
    match document.document.kind {
        MAIN => main_document::check_main_document(document),
        "VolumeConfig" => volumes::check_system_volume(document),
        "UserVolumeConfig" => volumes::check_user_volume(document),
        "RawVolumeConfig" | "SwapVolumeConfig" => volumes::check_raw_volume(document),
        "ExternalVolumeConfig" => volumes::check_external_volume(document),
        "LVMLogicalVolumeConfig" => volumes::check_logical_volume(document),
        "VRFConfig" => links::check_vrf(document),
        "VethConfig" => links::check_veth(document),
        "LinkAliasConfig" => links::check_alias(document),
        "DHCPv4Config" | "DHCPv6Config" => network::check_dhcp(document),
        "HostnameConfig" => network::check_hostname(document),
        "ResolverConfig" => network::check_resolver(document),
        "TimeSyncConfig" => network::check_time(document),
        "RoutingRuleConfig" => network::check_routing_rule(document),
        "NetworkRuleConfig" => network::check_firewall_rule(document),
        "BGPInstanceConfig" => bgp::check_instance(document),
        "RegistryAuthConfig" => runtime::check_registry_auth(document),
        "RegistryTLSConfig" => kubernetes::check_identity(document, "clientIdentity"),
        "ImageVerificationConfig" => runtime::check_image_verification(document),
        "ContainerConfig" => containers::check_container(document),
        "ExtensionServiceConfig" => check_extension_service(document),
        "EtcFileConfig" => runtime::check_etc_file(document),
        "CRIBaseRuntimeSpecConfig" => runtime_spec::check_overrides(document, "overrides"),
        "CRICustomizationConfig" => runtime::check_cri_customization(document),
        kind if kind.starts_with("Kube") => kubernetes::check_kubernetes(document),
        _ => {}
    }
}
