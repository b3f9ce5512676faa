//! The rules of documents that need no more than a row.

use super::formats::{self, Format};
use super::section::Section;
use crate::cel::Environment;

/// A rule for the value at a path. All but the first accept that there is none.
enum Rule {
    Required,
    /// An expression that a patch wrote.
    Expression(Environment),
    /// A string.
    OneOf(&'static [&'static str]),
    Format(&'static Format),
    /// The items of a list.
    Formats(&'static Format),
    Range(i128, i128),
    /// A duration that is not negative.
    Duration,
    /// A duration of 0, or of 10 seconds and more.
    Interval,
    /// Up to so many letters and digits, and these characters.
    Name(usize, &'static [char]),
}

use Rule::{Duration, Expression, Formats, Interval, Name, OneOf, Range, Required};

/// What a partition's label of 36 characters leaves for the name after `u-`, `r-`, `s-` and `x-`.
const PARTITION: Rule = Name(34, &['-']);

const AUTHORIZERS: Rule = OneOf(&["Node", "RBAC", "Webhook"]);

/// The rules of each kind, sorted by kind.
const RULES: &[(&str, &[(&str, Rule)])] = &[
    (
        "BGPInstanceConfig",
        &[
            ("name", Required),
            ("localASN", Required),
            ("localASN", Range(1, i128::MAX)),
            ("routerID", Rule::Format(&formats::IPV4_ADDRESS)),
        ],
    ),
    ("BlackholeRouteConfig", &[("name", Required), ("name", Rule::Format(&formats::NETWORK))]),
    ("BondConfig", &[("name", Required), ("links", Required), ("bondMode", Required)]),
    ("BridgeConfig", &[("name", Required)]),
    (
        "ContainerConfig",
        &[
            ("name", Required),
            ("name", Rule::Format(&formats::CONTAINER_NAME)),
            ("image", Required),
            ("image", Rule::Format(&formats::IMAGE)),
            ("environment", Formats(&formats::VARIABLE)),
            ("network.mode", OneOf(&["none", "host"])),
            ("security.profile", OneOf(&["restricted", "privileged"])),
            ("resources.limits.memory", Rule::Format(&formats::MEMORY)),
            ("resources.limits.cpu", Rule::Format(&formats::MILLICORES)),
            ("runAs.uid", Range(0, i128::MAX)),
            ("runAs.gid", Range(0, i128::MAX)),
            ("dependsOn.paths", Formats(&formats::ABSOLUTE_PATH)),
        ],
    ),
    ("DHCPv4Config", &[("name", Required)]),
    ("DHCPv6Config", &[("name", Required)]),
    (
        "DiscoveryIdentityConfig",
        &[
            ("clusterID", Required),
            ("clusterSecret", Required),
            ("clusterSecret", Rule::Format(&formats::CLUSTER_SECRET)),
        ],
    ),
    (
        "DiscoveryServiceConfig",
        &[("name", Required), ("endpoint", Required), ("endpoint", Rule::Format(&formats::DISCOVERY_ENDPOINT))],
    ),
    ("DummyLinkConfig", &[("name", Required)]),
    ("EthernetConfig", &[("name", Required)]),
    ("EventSinkConfig", &[("endpoint", Required), ("endpoint", Rule::Format(&formats::HOST_PORT))]),
    (
        "ExistingVolumeConfig",
        &[
            ("name", Required),
            ("name", Name(usize::MAX, &['-'])),
            ("discovery.volumeSelector.match", Required),
            ("discovery.volumeSelector.match", Expression(Environment::Volume)),
            ("trim.interval", Duration),
            ("scrub.interval", Interval),
        ],
    ),
    ("ExtensionServiceConfig", &[("name", Required)]),
    ("ExternalVolumeConfig", &[("name", Required), ("name", PARTITION)]),
    ("FilesystemScrubConfig", &[("interval", Interval)]),
    ("FilesystemTrimConfig", &[("interval", Duration)]),
    (
        "HCloudVIPConfig",
        &[("name", Required), ("name", Rule::Format(&formats::ADDRESS)), ("link", Required), ("apiToken", Required)],
    ),
    (
        "HTTPProbeConfig",
        &[
            ("name", Required),
            ("url", Required),
            ("url", Rule::Format(&formats::PROBE_URL)),
            ("timeout", Duration),
            ("interval", Duration),
            ("failureThreshold", Range(0, i128::MAX)),
        ],
    ),
    ("KernelModuleConfig", &[("name", Required)]),
    ("KmsgLogConfig", &[("name", Required), ("url", Required), ("url", Rule::Format(&formats::LOG_URL))]),
    ("KubeAPIServerCAConfig", &[("acceptedCAs", Formats(&formats::PEM_CERTIFICATES))]),
    ("KubeAPIServerConfig", &[("image", Required)]),
    ("KubeAdmissionControlConfig", &[("name", Required)]),
    ("KubeAggregatorCAConfig", &[("issuingCA", Required), ("acceptedCAs", Formats(&formats::PEM_CERTIFICATES))]),
    ("KubeAuthorizerConfig", &[("name", Required), ("type", Required), ("type", AUTHORIZERS)]),
    (
        "KubeClusterConfig",
        &[("clusterName", Required), ("endpoint", Required), ("endpoint", Rule::Format(&formats::CLUSTER_ENDPOINT))],
    ),
    ("KubeEtcdEncryptionConfig", &[("config", Required)]),
    (
        "KubeExternalManifestConfig",
        &[
            ("name", Required),
            ("name", Rule::Format(&formats::SUBDOMAIN)),
            ("url", Required),
            ("url", Rule::Format(&formats::WEB_URL)),
        ],
    ),
    ("KubeFlannelCNIConfig", &[("backendType", Required)]),
    ("KubeInlineManifestConfig", &[("name", Required), ("name", Rule::Format(&formats::SUBDOMAIN))]),
    ("KubeNodeConfig", &[("nodeIP.validSubnets", Formats(&formats::FILTER))]),
    ("KubePrismConfig", &[("port", Required), ("port", Range(1, 65535))]),
    ("KubeProxyConfig", &[("mode", OneOf(&["nftables", "iptables", "ipvs"]))]),
    ("KubeServiceAccountConfig", &[("issuer.privateKey", Required), ("issuer.issuerURL", Required)]),
    ("KubeSpanConfig", &[("mtu", Range(1280, i128::MAX)), ("filters.endpoints", Formats(&formats::FILTER))]),
    ("KubeStaticPodConfig", &[("name", Required), ("name", Rule::Format(&formats::SUBDOMAIN)), ("pod", Required)]),
    ("KubeletConfig", &[("image", Required)]),
    (
        "LVMLogicalVolumeConfig",
        &[
            ("name", Required),
            ("name", Name(63, &['-', '_'])),
            ("provisioning.volumeGroup", Required),
            ("provisioning.maxSize", Required),
        ],
    ),
    (
        "LVMVolumeGroupConfig",
        &[
            ("name", Required),
            ("name", Name(63, &['-', '_'])),
            ("provisioning.volumeSelector.match", Required),
            ("provisioning.volumeSelector.match", Expression(Environment::MemberVolume)),
        ],
    ),
    ("Layer2VIPConfig", &[("name", Required), ("name", Rule::Format(&formats::ADDRESS)), ("link", Required)]),
    (
        "LinkAliasConfig",
        &[("name", Required), ("selector.match", Required), ("selector.match", Expression(Environment::LinkAlias))],
    ),
    ("LinkConfig", &[("name", Required)]),
    ("NetworkRuleConfig", &[("name", Required), ("portSelector.ports", Required), ("portSelector.protocol", Required)]),
    (
        "OOMConfig",
        &[
            ("triggerExpression", Expression(Environment::OomTrigger)),
            ("cgroupRankingExpression", Expression(Environment::OomRanking)),
            ("sampleInterval", Duration),
        ],
    ),
    (
        "RAIDArrayConfig",
        &[
            ("name", Required),
            ("name", Name(32, &['-', '_'])),
            ("provisioning.volumeSelector.match", Required),
            ("provisioning.volumeSelector.match", Expression(Environment::MemberVolume)),
        ],
    ),
    ("RawVolumeConfig", &[("name", Required), ("name", PARTITION)]),
    ("RegistryAuthConfig", &[("name", Required)]),
    ("RegistryMirrorConfig", &[("name", Required)]),
    ("RegistryTLSConfig", &[("name", Required), ("ca", Rule::Format(&formats::PEM_CERTIFICATE))]),
    ("SideroLinkConfig", &[("apiUrl", Required), ("apiUrl", Rule::Format(&formats::SIDEROLINK_URL))]),
    ("StaticHostConfig", &[("name", Required), ("name", Rule::Format(&formats::ADDRESS)), ("hostnames", Required)]),
    ("SwapVolumeConfig", &[("name", Required), ("name", PARTITION)]),
    (
        "TCPProbeConfig",
        &[
            ("name", Required),
            ("endpoint", Required),
            ("timeout", Duration),
            ("interval", Duration),
            ("failureThreshold", Range(0, i128::MAX)),
        ],
    ),
    ("TimeSyncConfig", &[("bootTimeout", Duration)]),
    (
        "UnattendedInstallConfig",
        &[
            ("provisioning.diskSelector.match", Required),
            ("provisioning.diskSelector.match", Expression(Environment::Disk)),
        ],
    ),
    (
        "UserVolumeConfig",
        &[("name", Required), ("name", PARTITION), ("trim.interval", Duration), ("scrub.interval", Interval)],
    ),
    ("VLANConfig", &[("name", Required), ("vlanID", Required), ("vlanID", Range(1, 4094)), ("parent", Required)]),
    ("VRFConfig", &[("name", Required)]),
    ("VolumeConfig", &[("trim.interval", Duration), ("scrub.interval", Interval)]),
    ("WatchdogTimerConfig", &[("device", Required), ("timeout", Interval)]),
    (
        "WireguardConfig",
        &[
            ("name", Required),
            ("privateKey", Required),
            ("privateKey", Rule::Format(&formats::WIREGUARD_KEY)),
            ("listenPort", Range(0, 65535)),
        ],
    ),
    ("ZswapConfig", &[("maxPoolPercent", Range(0, 100))]),
];

/// Checks a document by the rules of its kind in the table.
pub(super) fn check_document(document: Section<'_>) {
    let Ok(at) = RULES.binary_search_by(|(kind, _)| (*kind).cmp(document.document.kind)) else { return };
    for (path, rule) in RULES[at].1 {
        match rule {
            Required => document.require(path),
            Expression(environment) => document.require_expression(path, *environment),
            OneOf(values) => document.require_value(path, values),
            Rule::Format(format) => document.require_format(path, format),
            Formats(format) => document.require_formats(path, format),
            Range(least, most) => document.require_range(path, *least, *most),
            Duration => document.require_duration(path),
            Interval => document.require_interval(path),
            Name(longest, others) => check_name(document, *longest, others),
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
    use super::RULES;
    use crate::talos_data::talos;
    use crate::talos_data::types::Types;

    #[test]
    fn kinds_are_sorted_and_talos_has_the_paths() {
        assert!(RULES.is_sorted_by_key(|(kind, _)| *kind));
        let types = Types::of(talos::newest_minor());
        for (kind, rules) in RULES {
            for (path, _) in *rules {
                assert!(types.at(&format!("{kind}.{path}")).is_some(), "{kind} has no field `{path}`");
            }
        }
    }
}
