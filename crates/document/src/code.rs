//! The table of codes. Every kind of finding that talosmith reports has a row here.

use std::fmt;
use std::str::FromStr;

/// The severity of a finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// No file is generated for a device with an error.
    Error,
    /// Probably a mistake. Does not change the exit code.
    Warning,
    /// Works, but is worth knowing. Is not counted.
    Note,
}

impl Level {
    /// The level as messages show it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

// A macro, because a row becomes a variant, a name and an included file; a function cannot include a file.
macro_rules! codes {
    ($($variant:ident $name:literal $level:ident $summary:literal)*) => {
        /// A kind of finding, as in `talosmith explain CODE`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as users write it, such as `bad-size`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The default level, which `lints` in talosmith.yaml can override.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// One sentence that describes the finding.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Self::$variant => $summary,)* }
            }

            /// The page that `talosmith explain` shows, in Markdown.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Self::$variant => include_str!(concat!("../../../codes/", $name, ".md")),)* }
            }
        }
    };
}

codes! {
    // Parsing a document
    NotYaml "not-yaml" Error "A file is not valid YAML, or uses YAML that talosmith does not support."
    TabIndent "tab-indent" Error "A line is indented with a tab."
    DuplicateKey "duplicate-key" Error "A mapping has the same key twice."
    Alias "alias" Error "A file uses a YAML alias, anchor, merge key or tag."
    TooDeep "too-deep" Error "A document is nested too deeply."
    TooLarge "too-large" Error "A document is too large."
    NotUtf8 "not-utf8" Error "A file is not UTF-8."
    // Keys and their values
    UnknownKey "unknown-key" Error "A key does not exist in talosmith's schema."
    MissingKey "missing-key" Error "A required key is missing."
    WrongType "wrong-type" Error "A value has the wrong type, or is not one of the allowed values."
    EmptyValue "empty-value" Error "A key has no value."
    NothingToRemove "nothing-to-remove" Warning "A `null` removes a key that no lower layer sets."
    BadSize "bad-size" Error "A size is not a whole number with a unit that everyone reads the same way."
    BadVersion "bad-version" Error "A version of Talos or Kubernetes is not written like a release tag, such as `v1.12.1`."
    BadCidr "bad-cidr" Error "A network is not in CIDR notation, has bits set after its prefix, or cannot be that of a cluster."
    BadAddress "bad-address" Error "A value is not an IP address, or not the URL of a Kubernetes API."
    BadHostname "bad-hostname" Error "A hostname is not a DNS name."
    BadLabel "bad-label" Error "The key or the value of a label is not valid in Kubernetes."
    BadName "bad-name" Error "A name contains characters that are not allowed for this kind of name."
    BadImage "bad-image" Error "A container image has neither a tag nor a digest."
    BadSelector "bad-selector" Error "A selector is not a valid CEL expression in Talos."
    KernelArg "kernel-arg" Error "One item of `extraKernelArgs` contains more than one argument."
    ExclusiveKeys "exclusive-keys" Error "Two keys are set of which only one is allowed."
    MisplacedKey "misplaced-key" Error "A setting is under a general key, but has a key of its own."
    DuplicateItem "duplicate-item" Error "A list has the same item twice."
    LoweredError "lowered-error" Error "`lints` lowers the level of an error."
    // Raw patches
    UnknownKind "unknown-kind" Error "A document has a kind that Talos does not know."
    DuplicateDocument "duplicate-document" Error "A raw patch has two documents of the same kind and name."
    JsonPatch "json-patch" Error "A raw patch is a JSON patch, which Talos rejects for its base configs."
    PatchDelete "patch-delete" Error "A `$patch: delete` cannot be applied by Talos."
    DeprecatedField "deprecated-field" Note "A field is deprecated, and the base config accepts its replacement."
    UnnamedSystemDisk "unnamed-system-disk" Note "No generated file names the system disk, so Talos is installed on the disk of the base config."
    // References
    NameMismatch "name-mismatch" Error "A device's name differs from the name of its folder."
    UnknownCluster "unknown-cluster" Error "A device names a cluster that talosmith.yaml does not have."
    UnknownGroup "unknown-group" Error "A device lists a group that its cluster does not have."
    UnusedGroup "unused-group" Warning "No device lists a group."
    UnknownSchematic "unknown-schematic" Error "An image names a schematic that the device does not have."
    UnknownVolume "unknown-volume" Error "The model names a volume that the device does not have."
    UnknownDisk "unknown-disk" Error "A volume names a disk that the device does not list."
    UnknownSecret "unknown-secret" Error "A device names a secret that talosmith.yaml does not have."
    UnknownValue "unknown-value" Error "A patch or text refers to a value that the device does not have."
    UnlistedValue "unlisted-value" Warning "A patch or text has the name of a value that it does not list."
    UnusedValue "unused-value" Warning "A value is listed or defined, and nothing uses it."
    UnknownFile "unknown-file" Error "A key of `files` belongs to no artifact, or a file does not exist."
    UnknownReference "unknown-reference" Warning "A hand-written file names a node or an address that no device has."
    UncheckedReference "unchecked-reference" Warning "`references` finds no file or no value, or a file that cannot be read."
    UnknownApplication "unknown-application" Error "A device uses an application that its cluster does not have."
    // Versions
    ModelVersion "model-version" Error "The model has a version that this talosmith does not read."
    NewerTalos "newer-talos" Warning "A Talos version is newer than the ones that this talosmith knows."
    OldTalos "old-talos" Error "A Talos version is too old for what the device uses."
    RemovedFeature "removed-feature" Error "A device uses something that its Talos version no longer has."
    MissingBaseConfig "missing-base-config" Error "From Talos 1.14 on, `baseConfig` is required."
    NoSuccessor "no-successor" Error "A key has no equivalent in the documents of the base config."
    // Disks and volumes
    VolumeOvercommit "volume-overcommit" Error "The volumes of a disk need more space than the disk has."
    DuplicateVolume "duplicate-volume" Error "Two volumes have the same name."
    DuplicateSystemDisk "duplicate-system-disk" Error "Two disks are marked as the system disk."
    VolumeName "volume-name" Error "A volume's name is not one that Talos accepts."
    VolumeBounds "volume-bounds" Error "The sizes of a volume contradict each other."
    VolumeKind "volume-kind" Error "A key of a volume does not apply to this kind of volume."
    EncryptionKey "encryption-key" Error "The keys of an encrypted volume are not valid in Talos."
    ReservedDisk "reserved-disk" Error "A volume uses a disk that is reserved for something else."
    UnboundedEphemeral "unbounded-ephemeral" Error "EPHEMERAL has no upper bound and would use the space of the user volumes."
    NoDiskMatches "no-disk-matches" Error "A selector is false for the disk that it should select."
    AmbiguousDiskSelector "ambiguous-disk-selector" Warning "A selector matches more than one of the device's disks."
    NodeDisks "node-disks" Error "The disks of a device are not those that its node has."
    UnstableDiskPath "unstable-disk-path" Warning "A disk is selected by a path that can belong to another disk after a reboot."
    // Images
    UnknownExtension "unknown-extension" Error "A system extension does not exist for the Talos version."
    DuplicateExtension "duplicate-extension" Error "A schematic lists an extension twice."
    MissingExtension "missing-extension" Error "A feature needs an extension that the image does not have."
    ExtensionArch "extension-arch" Warning "An extension is not available for the machine's architecture."
    SecurebootMismatch "secureboot-mismatch" Warning "A schematic configures SecureBoot keys, but the installer is not the one for SecureBoot."
    InstallerImage "installer-image" Error "An installer image does not exist, or is not that of the device's Talos version and schematics."
    KubernetesVersion "kubernetes-version" Warning "Talos does not support the version of Kubernetes."
    ExtensionConflict "extension-conflict" Error "Extensions of a schematic exclude each other, or lack the one that they need."
    KernelModule "kernel-module" Warning "A kernel module and the extension that has it do not occur together."
    IommuOff "iommu-off" Warning "A kernel argument turns off the IOMMU that a device of the node needs for VFIO."
    UnconfiguredService "unconfigured-service" Warning "The service of an extension waits for a configuration that is not there."
    UnknownService "unknown-service" Warning "No official extension provides a service of this name."
    SchematicIdUnstable "schematic-id-unstable" Error "The ID of a schematic would depend on the factory's version."
    // Nodes and networks
    MissingLabel "missing-label" Warning "A workload selects nodes by a label that a device does not set."
    StrayLabel "stray-label" Warning "A device sets the labels that a workload selects, but does not use the workload."
    StrayPods "stray-pods" Warning "The pods for a GPU run on nodes that have none."
    ControlPlaneOnly "control-plane-only" Error "A worker has a setting that is only allowed on control planes."
    NodePath "node-path" Error "Talos accepts a path, and the node cannot use it."
    MachineFile "machine-file" Error "Talos could not write a file of `machineFiles` or `machine.files`."
    CidrOverlap "cidr-overlap" Error "The pod networks and the service networks of a cluster overlap."
    AddressInClusterNetwork "address-in-cluster-network" Warning "An address of a node, or of what it talks to, is in a pod or service network."
    NetworkMismatch "network-mismatch" Warning "A raw patch sets pod or service networks that are not those of the model."
    PodAddresses "pod-addresses" Warning "A node may run more pods than its part of the pod network has addresses."
    FeatureNeeds "feature-needs" Warning "A feature is on, and another one that it needs is off."
    EndpointPort "endpoint-port" Warning "The endpoint of the Kubernetes API is the address of a node, without the port of the API server."
    OnlyMagicDns "only-magic-dns" Error "The only nameservers are Tailscale's own."
    AcceptDns "accept-dns" Warning "Tailscale tries to change the node's DNS resolver, which is not possible on Talos."
    AcceptRoutes "accept-routes" Warning "A node accepts through Tailscale the networks of its own cluster."
    ReadOnlyPath "read-only-path" Warning "Persistent volumes would be created on Talos's read-only root file system."
    NoAddress "no-address" Error "The documents of links leave the node without the address at which it is reached."
    UnknownLink "unknown-link" Error "The model names a link that the device does not have."
    LinkMember "link-member" Error "A member of a bond or a bridge has another master, or settings of its own."
    LinkName "link-name" Warning "The alias of a link may select another link."
    BadMtu "bad-mtu" Error "The MTU of a link does not go together with other links, or with IPv6."
    EqualMetric "equal-metric" Warning "Two default routes have the same metric."
    VipOutside "vip-outside" Error "An address that control planes share is in no network of its link."
    EndpointElsewhere "endpoint-elsewhere" Warning "The endpoint of the Kubernetes API is not an address of a control plane in the model."
    // Checks across devices
    DuplicateAddress "duplicate-address" Error "Two devices, or two links of a device, have the same address."
    DuplicateHostname "duplicate-hostname" Error "Two devices have the same hostname, or the same name in the tailnet."
    NoControlPlane "no-control-plane" Warning "A cluster has devices, but none of them is a control plane."
    CertificateNames "certificate-names" Warning "The names of a certificate have some control planes and not all."
    EvenControlPlanes "even-control-planes" Warning "A cluster has an even number of control planes."
    ObjectConflict "object-conflict" Error "Two devices of a cluster define the same Kubernetes object differently."
    DefaultClass "default-class" Error "A StorageClass of one node would be the cluster's default class."
    // Files of the repository
    MisnamedDevice "misnamed-device" Error "A file looks like a device and is not read as one."
    NoDevice "no-device" Warning "The repository has no device."
    // Outputs
    PathEscape "path-escape" Error "A path leads out of the folder that it is relative to."
    OutputCollision "output-collision" Error "Two artifacts have the same path, or two applications share a folder."
    TemplateSyntax "template-syntax" Error "A template cannot be parsed."
    TemplateUndefined "template-undefined" Error "A template uses a name that is not defined."
    TemplateFailed "template-failed" Error "Rendering a template failed."
    TemplateShape "template-shape" Error "A value could change the structure of the document around it."
    OutputSchema "output-schema" Error "A rendered artifact is not a valid document of its kind."
    // The machine config
    InvalidDocument "invalid-document" Error "A document of the machine config violates a rule of Talos."
    DocumentConflict "document-conflict" Error "Two parts of the machine config exclude each other."
    BadPatch "bad-patch" Error "A patch cannot be merged into the machine config."
    NothingToDelete "nothing-to-delete" Error "A patch deletes something that does not exist."
    PatchConflict "patch-conflict" Warning "Two patches set the same field of the machine config to different values."
    ListAppended "list-appended" Warning "Two patches add the same item to a list of the machine config."
    ClearedField "cleared-field" Warning "A patch clears a field because it does not repeat it."
    // What Talos accepts and the node then fails on
    IncompleteControlPlane "incomplete-control-plane" Error "A control plane lacks a document without which Kubernetes does not start on it."
    WholeDiskSelector "whole-disk-selector" Error "A volume that is a whole disk selects it by `system_disk`, which has no value there."
    RefusedArgument "refused-argument" Error "An argument or a variable is one with which Talos refuses to start a service."
    KubeletConfig "kubelet-config" Error "The node could not decode the kubelet's configuration."
    NodeRestriction "node-restriction" Warning "A worker sets a label or a taint of itself that Kubernetes does not let it change."
    FileMode "file-mode" Warning "The permissions of a file are a decimal number that looks octal."
    FirewallRule "firewall-rule" Warning "The ingress firewall also drops traffic that the node or its administrator needs."
    UnreachableGateway "unreachable-gateway" Warning "A gateway is in no network of its link."
    MirrorEndpoint "mirror-endpoint" Warning "A registry mirror is never used, or is used at a path that does not exist."
    GrowingVolume "growing-volume" Warning "A volume grows beyond its relative `maxSize`."
    TalosWarning "talos-warning" Warning "Talos itself warns of a part of the machine config."
    // Secrets
    LiteralSecret "literal-secret" Error "A tracked file contains a secret."
    SecretReference "secret-reference" Error "A patch refers to a secret, and nothing resolves the reference."
    SecretUnavailable "secret-unavailable" Warning "No source of a secret is available, so the file that needs it was not written."
    SecretOutdated "secret-outdated" Error "A secret file could not be regenerated, and an older version of it exists."
    SecretFailed "secret-failed" Error "A source of a secret is available but fails."
    SecretNotIgnored "secret-not-ignored" Error "A file with a secret would not be ignored by git."
    SecretTracked "secret-tracked" Error "A file with a secret is tracked by git."
    TailscaleKeyKind "tailscale-key-kind" Error "A secret is not the kind of Tailscale key that is needed."
    // Files on disk
    Stale "stale" Error "A generated file is older than the model."
    HandEdited "hand-edited" Error "A generated file was changed by hand."
    Missing "missing" Error "A generated file does not exist."
    Orphan "orphan" Error "No model key generates this file any more."
    ForeignFile "foreign-file" Error "A file that talosmith did not generate exists at a path that it would write."
    Symlink "symlink" Error "A symbolic link exists at a path that talosmith would write."
}

impl Code {
    /// The page without its comments, which are for those who edit it.
    #[must_use]
    pub fn page_without_comments(self) -> String {
        let lines = self.page().lines().filter(|line| !line.starts_with("<!--"));
        // A comment is surrounded by blank lines, of which one is enough.
        lines.map(|line| format!("{line}\n")).collect::<String>().replace("\n\n\n", "\n\n")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The code does not exist.
#[derive(Debug, thiserror::Error)]
#[error("there is no code `{0}`")]
pub struct NoSuchCode(pub String);

impl serde::Serialize for Code {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl TryFrom<String> for Code {
    type Error = NoSuchCode;

    fn try_from(name: String) -> Result<Self, NoSuchCode> {
        name.parse()
    }
}

impl FromStr for Code {
    type Err = NoSuchCode;

    fn from_str(name: &str) -> Result<Self, NoSuchCode> {
        Self::ALL.iter().copied().find(|code| code.name() == name).ok_or_else(|| NoSuchCode(name.to_owned()))
    }
}
