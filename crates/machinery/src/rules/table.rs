//! The rules of documents that need no more than a row.

use super::formats::{self, Format};
use super::section::Section;
use crate::cel::Environment;

/// A rule for the value at a path, if there is one, except `Required`; `[]` in a path is each item of a list.
enum Rule {
    Required,
    /// An expression that a patch wrote.
    Expression(Environment),
    OneOf(&'static [&'static str]),
    Format(&'static Format),
    /// For each item of a list.
    Formats(&'static Format),
    /// For each key of a mapping.
    Keys(&'static Format),
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
    ("ExtensionServiceConfig", &["configFiles[].content", "configFiles[].mountPath"]),
    ("HCloudVIPConfig", &["link", "apiToken"]),
    ("HTTPProbeConfig", &["url"]),
    ("ImageVerificationConfig", &["rules[].image"]),
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
    ("NetworkRuleConfig", &["portSelector.ports", "portSelector.protocol", "ingress[].subnet"]),
    ("RAIDArrayConfig", &["provisioning.volumeSelector.match"]),
    ("RegistryMirrorConfig", &["endpoints[].url"]),
    ("SideroLinkConfig", &["apiUrl"]),
    ("StaticHostConfig", &["hostnames"]),
    ("TCPProbeConfig", &["endpoint"]),
    ("UnattendedInstallConfig", &["provisioning.diskSelector.match"]),
    ("VLANConfig", &["vlanID", "parent"]),
    ("WatchdogTimerConfig", &["device"]),
    ("WireguardConfig", &["privateKey", "peers[].publicKey"]),
    (
        "v1alpha1",
        &[
            "cluster.apiServer.authorizationConfig[].name",
            "cluster.apiServer.authorizationConfig[].type",
            "machine.logging.destinations[].endpoint",
            "machine.logging.destinations[].format",
        ],
    ),
];

/// Kinds whose name may be empty.
const UNNAMED: [&str; 2] = ["PCIDriverRebindConfig", "TrustedRootsConfig"];

/// What a partition's label of 36 characters leaves for the name after `u-`, `r-`, `s-` and `x-`.
const PARTITION: Rule = Rule::Name(34, &['-']);

/// The other rules, sorted by kind.
const RULES: &[(&str, &str, Rule)] = &[
    ("BGPInstanceConfig", "localASN", Rule::Range(1, i128::MAX)),
    ("BGPInstanceConfig", "routerID", Rule::Format(&formats::IPV4_ADDRESS)),
    ("BGPInstanceConfig", "neighbors[].holdTime", Rule::Duration(0.0)),
    ("BGPInstanceConfig", "neighbors[].bfd.transmitInterval", Rule::Duration(0.0)),
    ("BGPInstanceConfig", "neighbors[].bfd.receiveInterval", Rule::Duration(0.0)),
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
    ("EnvironmentConfig", "variables", Rule::Keys(&formats::VARIABLE_NAME)),
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
    ("RegistryMirrorConfig", "endpoints[].url", Rule::Format(&formats::WEB_URL)),
    ("RegistryTLSConfig", "ca", Rule::Format(&formats::PEM_CERTIFICATE)),
    ("SideroLinkConfig", "apiUrl", Rule::Format(&formats::SIDEROLINK_URL)),
    ("StaticHostConfig", "name", Rule::Format(&formats::ADDRESS)),
    ("SwapVolumeConfig", "name", PARTITION),
    ("SwapVolumeConfig", "provisioning.diskSelector.match", Rule::Expression(Environment::Disk)),
    ("SysctlConfig", "params", Rule::Keys(&formats::PARAMETER)),
    ("SysfsConfig", "params", Rule::Keys(&formats::PARAMETER)),
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
    ("WireguardConfig", "peers[].publicKey", Rule::Format(&formats::WIREGUARD_KEY)),
    ("WireguardConfig", "peers[].presharedKey", Rule::Format(&formats::WIREGUARD_KEY)),
    ("WireguardConfig", "peers[].persistentKeepaliveInterval", Rule::Duration(0.0)),
    ("ZswapConfig", "maxPoolPercent", Rule::Range(0, 100)),
    ("v1alpha1", "cluster.apiServer.authorizationConfig[].type", Rule::OneOf(&["Node", "RBAC", "Webhook"])),
    ("v1alpha1", "cluster.etcd.advertisedSubnets", Rule::Formats(&formats::FILTER)),
    ("v1alpha1", "cluster.etcd.listenSubnets", Rule::Formats(&formats::FILTER)),
    ("v1alpha1", "cluster.network.dnsDomain", Rule::Format(&formats::DOMAIN)),
    ("v1alpha1", "machine.features.nodeAddressSortAlgorithm", Rule::OneOf(&["v1", "v2", "V1", "V2"])),
    ("v1alpha1", "machine.install.diskSelector.type", Rule::OneOf(&["ssd", "hdd", "nvme", "sd"])),
    ("v1alpha1", "machine.kubelet.nodeIP.validSubnets", Rule::Formats(&formats::FILTER)),
    ("v1alpha1", "machine.logging.destinations[].endpoint", Rule::Format(&formats::LOG_ENDPOINT)),
    ("v1alpha1", "machine.logging.destinations[].format", Rule::OneOf(&["json_lines"])),
];

/// Checks a document by the rules of its kind in the tables.
pub(super) fn check_document(document: Section<'_>) {
    let kind = document.document.kind;
    if document.name().is_empty() && document.config().is_named(kind) && !UNNAMED.contains(&kind) {
        document.require("name");
    }
    if let Ok(at) = REQUIRED.binary_search_by(|(other, _)| (*other).cmp(kind)) {
        REQUIRED[at].1.iter().for_each(|path| check(document, path, &Rule::Required));
    }
    let first = RULES.partition_point(|(other, ..)| *other < kind);
    for (_, path, rule) in RULES[first..].iter().take_while(|(other, ..)| *other == kind) {
        check(document, path, rule);
    }
}

fn check(section: Section<'_>, path: &'static str, rule: &Rule) {
    if let Some((list, path)) = path.split_once("[].") {
        return section.items(list).for_each(|item| check(item, path, rule));
    }
    match rule {
        Rule::Required => section.require(path),
        Rule::Expression(environment) => section.require_expression(path, *environment),
        Rule::OneOf(values) => section.require_value(path, values),
        Rule::Format(format) => section.require_format(path, format),
        Rule::Formats(format) => section.require_formats(path, format),
        Rule::Keys(format) => section.require_keys(path, format),
        Rule::Range(least, most) => section.require_range(path, *least, *most),
        Rule::Duration(least) => section.require_duration(path, *least),
        Rule::Name(longest, others) => check_name(section, *longest, others),
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
            assert!(types.at(&format!("{kind}.{path}").replace("[]", "")).is_some(), "{kind} has no field `{path}`");
        }
    }
}
