//! The rules of documents that need no more than a row.

use super::formats::{self, Format};
use super::section::Section;
use crate::cel::Environment;

/// A rule for the value at a path, if there is one.
enum Rule {
    /// An expression that a patch wrote.
    Expression(Environment),
    OneOf(&'static [&'static str]),
    Format(&'static Format),
    /// For each item of a list.
    Formats(&'static Format),
    /// The least and the greatest number.
    Range(i128, i128),
    /// A duration of 0, or of so many seconds and more.
    Duration(f64),
    /// At most so many letters and digits, and these characters.
    Name(usize, &'static [char]),
}

/// The strings, lists and mappings that documents must have, sorted by kind; each document whose kind has a name needs it.
const REQUIRED: &[(&str, &[&str])] = &[
    ("BGPInstanceConfig", &["localASN"]),
    ("BondConfig", &["links", "bondMode"]),
    ("ContainerConfig", &["image"]),
    ("DiscoveryIdentityConfig", &["clusterID", "clusterSecret"]),
    ("DiscoveryServiceConfig", &["endpoint"]),
    ("EventSinkConfig", &["endpoint"]),
    ("ExistingVolumeConfig", &["discovery.volumeSelector.match"]),
    ("HCloudVIPConfig", &["link", "apiToken"]),
    ("HTTPProbeConfig", &["url"]),
    ("KmsgLogConfig", &["url"]),
    ("KubeAPIServerConfig", &["image"]),
    ("KubeAggregatorCAConfig", &["issuingCA"]),
    ("KubeAuthorizerConfig", &["type"]),
    ("KubeClusterConfig", &["clusterName", "endpoint"]),
    ("KubeEtcdEncryptionConfig", &["config"]),
    ("KubeExternalManifestConfig", &["url"]),
    ("KubeFlannelCNIConfig", &["backendType"]),
    ("KubePrismConfig", &["port"]),
    ("KubeServiceAccountConfig", &["issuer.privateKey", "issuer.issuerURL"]),
    ("KubeStaticPodConfig", &["pod"]),
    ("KubeletConfig", &["image"]),
    ("LVMLogicalVolumeConfig", &["provisioning.volumeGroup", "provisioning.maxSize"]),
    ("LVMVolumeGroupConfig", &["provisioning.volumeSelector.match"]),
    ("Layer2VIPConfig", &["link"]),
    ("LinkAliasConfig", &["selector.match"]),
    ("NetworkRuleConfig", &["portSelector.ports", "portSelector.protocol"]),
    ("RAIDArrayConfig", &["provisioning.volumeSelector.match"]),
    ("SideroLinkConfig", &["apiUrl"]),
    ("StaticHostConfig", &["hostnames"]),
    ("TCPProbeConfig", &["endpoint"]),
    ("UnattendedInstallConfig", &["provisioning.diskSelector.match"]),
    ("VLANConfig", &["vlanID", "parent"]),
    ("WatchdogTimerConfig", &["device"]),
    ("WireguardConfig", &["privateKey"]),
];

/// Kinds whose name may be empty.
const UNNAMED: [&str; 2] = ["PCIDriverRebindConfig", "TrustedRootsConfig"];

/// What a partition's label of 36 characters leaves for the name after `u-`, `r-`, `s-` and `x-`.
const PARTITION: Rule = Rule::Name(34, &['-']);

/// The other rules, sorted by kind.
const RULES: &[(&str, &str, Rule)] = &[
    ("BGPInstanceConfig", "localASN", Rule::Range(1, i128::MAX)),
    ("BGPInstanceConfig", "routerID", Rule::Format(&formats::IPV4_ADDRESS)),
    ("BlackholeRouteConfig", "name", Rule::Format(&formats::NETWORK)),
    ("ContainerConfig", "name", Rule::Format(&formats::CONTAINER_NAME)),
    ("ContainerConfig", "image", Rule::Format(&formats::IMAGE)),
    ("ContainerConfig", "environment", Rule::Formats(&formats::VARIABLE)),
    ("ContainerConfig", "network.mode", Rule::OneOf(&["none", "host"])),
    ("ContainerConfig", "security.profile", Rule::OneOf(&["restricted", "privileged"])),
    ("ContainerConfig", "resources.limits.memory", Rule::Format(&formats::MEMORY)),
    ("ContainerConfig", "resources.limits.cpu", Rule::Format(&formats::MILLICORES)),
    ("ContainerConfig", "runAs.uid", Rule::Range(0, i128::MAX)),
    ("ContainerConfig", "runAs.gid", Rule::Range(0, i128::MAX)),
    ("ContainerConfig", "dependsOn.paths", Rule::Formats(&formats::ABSOLUTE_PATH)),
    ("DiscoveryIdentityConfig", "clusterSecret", Rule::Format(&formats::CLUSTER_SECRET)),
    ("DiscoveryServiceConfig", "endpoint", Rule::Format(&formats::DISCOVERY_ENDPOINT)),
    ("EventSinkConfig", "endpoint", Rule::Format(&formats::HOST_PORT)),
    ("ExistingVolumeConfig", "name", Rule::Name(usize::MAX, &['-'])),
    ("ExistingVolumeConfig", "discovery.volumeSelector.match", Rule::Expression(Environment::Volume)),
    ("ExistingVolumeConfig", "trim.interval", Rule::Duration(0.0)),
    ("ExistingVolumeConfig", "scrub.interval", Rule::Duration(10.0)),
    ("ExternalVolumeConfig", "name", PARTITION),
    ("FilesystemScrubConfig", "interval", Rule::Duration(10.0)),
    ("FilesystemTrimConfig", "interval", Rule::Duration(0.0)),
    ("HCloudVIPConfig", "name", Rule::Format(&formats::ADDRESS)),
    ("HTTPProbeConfig", "url", Rule::Format(&formats::PROBE_URL)),
    ("HTTPProbeConfig", "timeout", Rule::Duration(0.0)),
    ("HTTPProbeConfig", "interval", Rule::Duration(0.0)),
    ("HTTPProbeConfig", "failureThreshold", Rule::Range(0, i128::MAX)),
    ("KmsgLogConfig", "url", Rule::Format(&formats::LOG_URL)),
    ("KubeAPIServerCAConfig", "acceptedCAs", Rule::Formats(&formats::PEM_CERTIFICATES)),
    ("KubeAggregatorCAConfig", "acceptedCAs", Rule::Formats(&formats::PEM_CERTIFICATES)),
    ("KubeAuthorizerConfig", "type", Rule::OneOf(&["Node", "RBAC", "Webhook"])),
    ("KubeClusterConfig", "endpoint", Rule::Format(&formats::CLUSTER_ENDPOINT)),
    ("KubeExternalManifestConfig", "name", Rule::Format(&formats::SUBDOMAIN)),
    ("KubeExternalManifestConfig", "url", Rule::Format(&formats::WEB_URL)),
    ("KubeInlineManifestConfig", "name", Rule::Format(&formats::SUBDOMAIN)),
    ("KubeNodeConfig", "nodeIP.validSubnets", Rule::Formats(&formats::FILTER)),
    ("KubePrismConfig", "port", Rule::Range(1, 65535)),
    ("KubeProxyConfig", "mode", Rule::OneOf(&["nftables", "iptables", "ipvs"])),
    ("KubeSpanConfig", "mtu", Rule::Range(1280, i128::MAX)),
    ("KubeSpanConfig", "filters.endpoints", Rule::Formats(&formats::FILTER)),
    ("KubeStaticPodConfig", "name", Rule::Format(&formats::SUBDOMAIN)),
    ("LVMLogicalVolumeConfig", "name", Rule::Name(63, &['-', '_'])),
    ("LVMVolumeGroupConfig", "name", Rule::Name(63, &['-', '_'])),
    ("LVMVolumeGroupConfig", "provisioning.volumeSelector.match", Rule::Expression(Environment::MemberVolume)),
    ("Layer2VIPConfig", "name", Rule::Format(&formats::ADDRESS)),
    ("LinkAliasConfig", "selector.match", Rule::Expression(Environment::LinkAlias)),
    ("OOMConfig", "triggerExpression", Rule::Expression(Environment::OomTrigger)),
    ("OOMConfig", "cgroupRankingExpression", Rule::Expression(Environment::OomRanking)),
    ("OOMConfig", "sampleInterval", Rule::Duration(0.0)),
    ("RAIDArrayConfig", "name", Rule::Name(32, &['-', '_'])),
    ("RAIDArrayConfig", "provisioning.volumeSelector.match", Rule::Expression(Environment::MemberVolume)),
    ("RawVolumeConfig", "name", PARTITION),
    ("RawVolumeConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("RegistryTLSConfig", "ca", Rule::Format(&formats::PEM_CERTIFICATE)),
    ("SideroLinkConfig", "apiUrl", Rule::Format(&formats::SIDEROLINK_URL)),
    ("StaticHostConfig", "name", Rule::Format(&formats::ADDRESS)),
    ("SwapVolumeConfig", "name", PARTITION),
    ("SwapVolumeConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("TCPProbeConfig", "timeout", Rule::Duration(0.0)),
    ("TCPProbeConfig", "interval", Rule::Duration(0.0)),
    ("TCPProbeConfig", "failureThreshold", Rule::Range(0, i128::MAX)),
    ("TimeSyncConfig", "bootTimeout", Rule::Duration(0.0)),
    ("UnattendedInstallConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("UserVolumeConfig", "name", PARTITION),
    ("UserVolumeConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("UserVolumeConfig", "trim.interval", Rule::Duration(0.0)),
    ("UserVolumeConfig", "scrub.interval", Rule::Duration(10.0)),
    ("VLANConfig", "vlanID", Rule::Range(1, 4094)),
    ("VolumeConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("VolumeConfig", "trim.interval", Rule::Duration(0.0)),
    ("VolumeConfig", "scrub.interval", Rule::Duration(10.0)),
    ("WatchdogTimerConfig", "timeout", Rule::Duration(10.0)),
    ("WireguardConfig", "privateKey", Rule::Format(&formats::WIREGUARD_KEY)),
    ("WireguardConfig", "listenPort", Rule::Range(0, 65535)),
    ("ZswapConfig", "maxPoolPercent", Rule::Range(0, 100)),
];

/// Checks a document by the rules of its kind in the tables.
pub(super) fn check_document(document: Section<'_>) {
    let kind = document.document.kind;
    if document.name().is_empty() && document.config().is_named(kind) && !UNNAMED.contains(&kind) {
        document.require("name");
    }
    if let Ok(at) = REQUIRED.binary_search_by(|(other, _)| (*other).cmp(kind)) {
        REQUIRED[at].1.iter().for_each(|path| document.require(path));
    }
    let first = RULES.partition_point(|(other, ..)| *other < kind);
    for (_, path, rule) in RULES[first..].iter().take_while(|(other, ..)| *other == kind) {
        match rule {
            Rule::Expression(environment) => document.require_expression(path, *environment),
            Rule::OneOf(values) => document.require_value(path, values),
            Rule::Format(format) => document.require_format(path, format),
            Rule::Formats(format) => document.require_formats(path, format),
            Rule::Range(least, most) => document.require_range(path, *least, *most),
            Rule::Duration(least) => document.require_duration(path, *least),
            Rule::Name(longest, others) => check_name(document, *longest, others),
        }
    }
}

fn check_name(document: Section<'_>, longest: usize, others: &[char]) {
    let name = document.name();
    if name.len() > longest {
        let message = format!("the name `{name}` has {} characters, more than {longest}", name.len());
        document.refuse("name", message, "choose a shorter name");
    }
    if name.chars().any(|each| !each.is_ascii_alphanumeric() && !others.contains(&each)) {
        let others = others.iter().map(|other| format!("`{other}`")).collect::<Vec<_>>().join(" and ");
        let message = format!("the name `{name}` has other characters than letters, digits and {others}");
        document.refuse("name", message, "choose another name");
    }
}

#[cfg(test)]
mod tests {
    use super::{REQUIRED, RULES};
    use crate::talos_data::talos;
    use crate::talos_data::types::Types;

    #[test]
    fn tables_are_sorted_and_talos_has_their_paths() {
        assert!(REQUIRED.is_sorted_by_key(|(kind, _)| *kind) && RULES.is_sorted_by_key(|(kind, ..)| *kind));
        let types = Types::of(talos::newest_minor());
        let required = REQUIRED.iter().flat_map(|(kind, paths)| paths.iter().map(move |path| (kind, path)));
        for (kind, path) in required.chain(RULES.iter().map(|(kind, path, _)| (kind, path))) {
            assert!(types.at(&format!("{kind}.{path}")).is_some(), "{kind} has no field `{path}`");
        }
    }
}
