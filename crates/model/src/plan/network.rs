//! Links, resolvers and Tailscale.

use std::sync::Arc;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Location, Pointer, TalosVersion};

use super::secrets::{Expected, use_secret};
use super::{Check, Cluster, Link, Patch, StaticHost, Vip, claims, link_addresses, link_checks, links, vips};
use crate::FleetFile;
use crate::device::Device;
use crate::fleet;
use crate::scalar::{Cidr, Hostname, Route};

/// Tailscale's own resolver: <https://tailscale.com/kb/1081/magicdns>.
const MAGIC_DNS: [&str; 2] = ["100.100.100.100", "fd7a:115c:a1e0::53"];

/// The hostname, the links, the resolvers and Tailscale.
#[derive(Debug, Serialize)]
pub struct Network {
    /// The hostname: as written, or else the device's name.
    pub hostname: String,
    /// The name of the Kubernetes node: the hostname's first label, unless a raw patch sets another.
    pub node_name: String,
    /// Whether Talos makes the hostname, so that the name of the node is known to the node alone.
    #[serde(skip)]
    pub has_generated_name: bool,
    /// DNS servers; none if the model does not list them, which is not the same as an empty list.
    pub nameservers: Option<Vec<String>>,
    /// Search domains; none if the model has none.
    pub search_domains: Option<SearchDomains>,
    /// Links in the natural order of their names.
    pub links: Vec<Link>,
    /// Addresses that control planes share.
    pub vips: Vec<Vip>,
    /// Hostnames of addresses.
    pub static_hosts: Vec<StaticHost>,
    /// The Tailscale extension service; none if the model does not have it.
    pub tailscale: Option<Tailscale>,
    /// The location of the hostname, or else of the device's name.
    #[serde(skip)]
    pub hostname_location: Location,
}

/// Plans the network of a device with some raw patches.
pub(super) fn plan(check: &mut Check<'_>, version: &TalosVersion, patches: &[Arc<Patch>]) -> Network {
    let written = &check.file.device;
    if written.hostname.is_none() {
        check_name_as_hostname(check, written.name.as_str());
    }
    link_checks::check(check, patches);
    link_addresses::check_reachable(check, patches);
    Network {
        links: links::plan(check, version),
        vips: vips::plan(check, patches),
        static_hosts: links::static_hosts(check),
        hostname: hostname(written).to_owned(),
        node_name: claims::node_name(hostname(written), patches),
        has_generated_name: claims::has_generated_name(patches),
        hostname_location: check.at(if written.hostname.is_some() { "/hostname" } else { "/name" }),
        tailscale: tailscale(check),
        nameservers: nameservers(check),
        search_domains: search_domains(check),
    }
}

/// Returns the hostname of a device.
pub(crate) fn hostname(device: &Device) -> &str {
    device.hostname.as_ref().map_or(device.name.as_str(), Hostname::as_str)
}

/// Checks the name of a device without a `hostname`.
fn check_name_as_hostname(check: &mut Check<'_>, name: &str) {
    if let Err(fault) = name.parse::<Hostname>() {
        let location = check.at("/name");
        let mut finding = fault.at(Code::BadHostname, location);
        let better = finding.helps.first().and_then(|help| help.strip_prefix("write `")?.strip_suffix('`'));
        let better = better.unwrap_or("node-1");
        finding.helps = vec![format!("keep the name, and set a separate hostname for the node: `hostname: {better}`")];
        check.push(finding);
    }
}

/// The Tailscale extension service.
#[derive(Debug, Serialize)]
pub struct Tailscale {
    /// The placeholder of the auth key: `${TAILSCALE_AUTHKEY}`.
    pub auth_key: String,
    /// The environment without the auth key, each entry as `NAME=value`.
    pub settings: Vec<String>,
}

/// Plans the extension service.
fn tailscale(check: &mut Check<'_>) -> Option<Tailscale> {
    let written = check.file.device.tailscale.as_ref()?;
    let at = Pointer::new("/tailscale");
    let Some(secret) = &written.auth_key else {
        check.missing(&at, "authKey", "authKey: tailscale-authkey");
        return None;
    };
    if written.accept_dns == Some(true) {
        let location = check.at(at.child("acceptDNS"));
        check.push(accepted_dns(location, "acceptDNS: false"));
    }
    let mut settings = Vec::new();
    if let Some(hostname) = &written.hostname {
        settings.push(format!("TS_HOSTNAME={hostname}"));
    }
    if let Some(routes) = &written.routes {
        settings.push(format!("TS_ROUTES={}", advertised(check, routes).join(",")));
    }
    if let Some(accept) = written.accept_dns {
        settings.push(format!("TS_ACCEPT_DNS={accept}"));
    }
    if let Some(once) = written.auth_once {
        settings.push(format!("TS_AUTH_ONCE={once}"));
    }
    let arguments: Vec<&str> = written.extra_args.iter().flatten().map(crate::scalar::Argument::as_str).collect();
    if written.extra_args.is_some() {
        settings.push(format!("TS_EXTRA_ARGS={}", arguments.join(" ")));
    }
    if let Some(routes) = &written.routes {
        check_accepted_routes(check, routes, &arguments);
    }
    let advertises_tags = arguments.iter().any(|argument| argument.starts_with("--advertise-tags="));
    // The keys of a control server such as Headscale have no form of Tailscale's.
    let has_own_server = arguments.iter().any(|argument| {
        argument.strip_prefix("--login-server").is_some_and(|server| !server.contains("tailscale.com"))
    });
    let expected = if has_own_server { Expected::Text } else { Expected::TailscaleKey { advertises_tags } };
    let auth_key = use_secret(check, "tailscale", secret, &at.child("authKey"), expected);
    Some(Tailscale { auth_key, settings })
}

/// The finding on a Tailscale that is to set the node's resolver; `instead` turns that off.
pub(super) fn accepted_dns(location: Location, instead: &str) -> Diagnostic {
    Diagnostic::new(Code::AcceptDns, "Tailscale is configured to set the node's resolver", location)
        .note("the extension cannot write Talos's /etc/resolv.conf, so nothing is set")
        .help(format!("write `{instead}`, and list 100.100.100.100 under `nameservers`"))
}

/// Reports a node that accepts the routes which it advertises itself: siderolabs/extensions#626.
fn check_accepted_routes(check: &mut Check<'_>, routes: &[Route], arguments: &[&str]) {
    let routes = advertised(check, routes);
    let Some((accepted, message)) = accepted_route(check, &routes, arguments) else { return };
    let location = check.at(Pointer::new("/tailscale/extraArgs").item(accepted));
    let routes = check.key("/tailscale/routes");
    check.push(accepted_routes(message, location, routes));
}

/// Returns the argument by which a node accepts a route of its own cluster that it advertises, and what is wrong.
pub(super) fn accepted_route(check: &Check<'_>, routes: &[String], arguments: &[&str]) -> Option<(usize, String)> {
    let accepts = |argument: &&str| matches!(*argument, "--accept-routes" | "--accept-routes=true");
    let accepted = arguments.iter().position(accepts)?;
    let networks = advertised(check, &[Route::Pods, Route::Services]);
    let route = routes.iter().find(|route| {
        let Ok(route) = route.parse::<Cidr>() else { return false };
        networks.iter().any(|network| network.parse::<Cidr>().is_ok_and(|network| network.overlaps(&route)))
    })?;
    let argument = arguments[accepted];
    Some((accepted, format!("`{argument}` lets the node accept {route}, which its own cluster advertises")))
}

pub(super) fn accepted_routes(message: String, location: Location, advertised: Location) -> Diagnostic {
    Diagnostic::new(Code::AcceptRoutes, message, location)
        .also(advertised, "advertised here")
        .note("traffic to pods and services would leave through the tunnel instead of the cluster's network")
        .help("remove the argument")
}

fn advertised(check: &Check<'_>, routes: &[Route]) -> Vec<String> {
    let cluster = check.cluster();
    routes
        .iter()
        .flat_map(|route| match route {
            Route::Pods => cluster.map(fleet::Cluster::pod_networks).unwrap_or_default(),
            Route::Services => cluster.map(fleet::Cluster::service_networks).unwrap_or_default(),
            Route::Network(cidr) => vec![cidr.to_string()],
        })
        .collect()
}

/// The domains in which names without a domain are looked up.
#[derive(Debug, Serialize)]
pub struct SearchDomains {
    /// Domains in order.
    pub domains: Vec<String>,
    /// Whether the domain of the node's own hostname is left out, none if the model does not specify it.
    pub disable_default: Option<bool>,
}

/// The search domains, if the model has any.
fn search_domains(check: &Check<'_>) -> Option<SearchDomains> {
    let written = check.file.device.search_domains.as_ref()?;
    let domains: Vec<String> = written.domains.iter().flatten().map(ToString::to_string).collect();
    (!domains.is_empty() || written.disable_default.is_some())
        .then_some(SearchDomains { domains, disable_default: written.disable_default })
}

/// The node's resolvers, of which one at least must work before Tailscale does.
fn nameservers(check: &mut Check<'_>) -> Option<Vec<String>> {
    let written = check.file.device.nameservers.as_ref()?;
    let texts: Vec<String> = written.iter().map(ToString::to_string).collect();
    if !texts.is_empty() && texts.iter().all(|text| MAGIC_DNS.contains(&text.as_str())) {
        check.push(
            Diagnostic::new(Code::OnlyMagicDns, "the only nameserver is Tailscale's own", check.at("/nameservers"))
                .note("until Tailscale runs, the node resolves no name: not of time servers, registries or the login server")
                .help("add one that works without Tailscale, such as the router's address"),
        );
    }
    Some(texts)
}

/// Each pair of a pod network and a service network that share addresses.
pub(super) fn overlaps(file: &FleetFile, at: &Pointer, cluster: &Cluster) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for (i, pods) in cluster.pod_cidrs.iter().enumerate() {
        for (j, services) in cluster.service_cidrs.iter().enumerate() {
            let (Ok(pod_network), Ok(service_network)) = (pods.parse::<Cidr>(), services.parse::<Cidr>()) else {
                continue;
            };
            if !pod_network.overlaps(&service_network) {
                continue;
            }
            let inside = if pod_network.network().prefix_len() >= service_network.network().prefix_len() {
                format!("the pod network {pods} is inside the service network {services}")
            } else {
                format!("the service network {services} is inside the pod network {pods}")
            };
            let range = |cidr: &Cidr| format!("{} – {}", cidr.network().network(), cidr.network().broadcast());
            findings.push(
                Diagnostic::new(Code::CidrOverlap, inside, file.at(at.child("podCIDRs").item(i)))
                    .label(range(&pod_network))
                    .also(file.at(at.child("serviceCIDRs").item(j)), range(&service_network))
                    .help("Talos's defaults do not overlap: pods 10.244.0.0/16, services 10.96.0.0/12"),
            );
        }
    }
    findings
}
