//! The table of codes: every finding that talosmith can report has one row here.

use std::fmt;
use std::str::FromStr;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Nothing is generated from a device that has one.
    Error,
    /// Worth a look; changes no exit code.
    Warning,
}

impl Level {
    /// The word that users see.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

// A macro, since a row must become a variant, a name and the text of a file at once; a function cannot include a file.
macro_rules! codes {
    ($($variant:ident $name:literal $level:ident $summary:literal)*) => {
        /// The name of a kind of finding: words, as a user types them after `talosmith explain`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
        #[serde(try_from = "String")]
        pub enum Code {
            $(#[doc = $summary] $variant,)*
        }

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The code as users write it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The level that the code has where the fleet file says nothing else.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level,)* }
            }

            /// One sentence on what the code means.
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
    // The text of a document
    NotYaml "not-yaml" Error "A file is not YAML, or not YAML of the kind that talosmith reads."
    TabIndent "tab-indent" Error "A line is indented with a tab."
    DuplicateKey "duplicate-key" Error "A mapping has the same key twice."
    Alias "alias" Error "A file uses a YAML alias, anchor, merge key or tag."
    TooDeep "too-deep" Error "A document is nested too deeply."
    TooLarge "too-large" Error "A document is too large."
    NotUtf8 "not-utf8" Error "A file is not UTF-8."
    // Keys and their values
    UnknownKey "unknown-key" Error "A key is not one that talosmith knows."
    MissingKey "missing-key" Error "A key that is needed is not there."
    WrongType "wrong-type" Error "A value has the wrong type, or is not one of the words that are allowed."
    EmptyValue "empty-value" Error "A key has no value."
    NothingToRemove "nothing-to-remove" Warning "A `null` removes a key that no lower layer has."
    BadSize "bad-size" Error "A size is not written so that everyone reads it alike."
    BadVersion "bad-version" Error "A Talos version is not written as `v1.12.1`."
    BadCidr "bad-cidr" Error "A network is not a CIDR, or has host bits set."
    BadAddress "bad-address" Error "An address is not an IP address or not a URL of the right kind."
    BadHostname "bad-hostname" Error "A hostname is not one that DNS and Kubernetes accept."
    BadLabel "bad-label" Error "A label's key or value is not one that Kubernetes accepts."
    BadName "bad-name" Error "A name has characters that its use does not allow."
    BadImage "bad-image" Error "A container image is not a reference with a tag or a digest."
    BadSelector "bad-selector" Error "A selector is not a CEL expression that Talos takes."
    KernelArg "kernel-arg" Error "A kernel argument is not one argument."
    // Raw patches
    UnknownKind "unknown-kind" Error "A document has a kind that Talos does not know."
    DuplicateDocument "duplicate-document" Error "A patch has two documents of one kind and name."
    JsonPatch "json-patch" Error "A patch is a JSON patch, which Talos refuses for its base configs."
    PatchDelete "patch-delete" Error "A `$patch: delete` is not one that Talos can carry out."
    DeprecatedField "deprecated-field" Warning "A field is deprecated, and the base config takes its successor."
    // References
    NameMismatch "name-mismatch" Error "A device's name is not the name of its folder."
    UnknownCluster "unknown-cluster" Error "A device names a cluster that talosmith.yaml does not have."
    UnknownSchematic "unknown-schematic" Error "An image names a schematic that the device does not have."
    UnknownVolume "unknown-volume" Error "A volume is named that the device does not have."
    UnknownDisk "unknown-disk" Error "A volume names a disk that the device does not have."
    UnknownSecret "unknown-secret" Error "A secret is named that talosmith.yaml does not have."
    UnknownFile "unknown-file" Error "A key of `files` names no artifact of the device."
    UnknownApplication "unknown-application" Error "A device takes part in an application that its cluster does not have."
    // Versions
    NewerTalos "newer-talos" Warning "A Talos version is newer than talosmith knows."
    OldTalos "old-talos" Error "A Talos version is too old for what the device asks for."
    MissingBaseConfig "missing-base-config" Error "From Talos 1.14 on, `baseConfig` must say who made the base config."
    NoSuccessor "no-successor" Error "A fact has no place in the documents that the base config uses."
    // Disks and volumes
    VolumeOvercommit "volume-overcommit" Error "The volumes of a disk need more than the disk has."
    DuplicateVolume "duplicate-volume" Error "Two volumes have one name."
    VolumeName "volume-name" Error "A volume's name is not one that Talos accepts."
    VolumeBounds "volume-bounds" Error "A volume's sizes contradict each other."
    VolumeKind "volume-kind" Error "A key does not fit the kind of its volume."
    EncryptionKey "encryption-key" Error "The keys of an encrypted volume are not what Talos takes."
    ReservedDisk "reserved-disk" Error "A volume is on a disk that is kept free for something else."
    UnboundedEphemeral "unbounded-ephemeral" Error "EPHEMERAL would take the space of the user volumes."
    NoDiskMatches "no-disk-matches" Error "A selector is false for the disk that it stands for."
    AmbiguousDiskSelector "ambiguous-disk-selector" Warning "A selector is true for more than one of the device's disks."
    UnstableDiskPath "unstable-disk-path" Warning "A disk is selected by a path that can be another disk's after a reboot."
    // Images
    UnknownExtension "unknown-extension" Error "A system extension does not exist for the Talos version."
    DuplicateExtension "duplicate-extension" Error "A schematic lists an extension twice."
    MissingExtension "missing-extension" Error "A feature needs an extension that the image does not have."
    ExtensionArch "extension-arch" Warning "An extension is not made for the machine's architecture."
    SecurebootMismatch "secureboot-mismatch" Warning "A schematic enrols SecureBoot keys, and the installer is not the one for SecureBoot."
    UnknownService "unknown-service" Warning "No official extension brings a service of this name."
    SchematicIdUnstable "schematic-id-unstable" Error "The ID of a schematic would depend on the factory's version."
    // Nodes and networks
    MissingLabel "missing-label" Warning "A workload selects a label that no device sets, or not the one that takes part."
    StrayLabel "stray-label" Warning "A device sets the labels that a workload selects, and takes no part in it."
    ControlPlaneOnly "control-plane-only" Error "A worker has a setting that only control planes may have."
    MachineFile "machine-file" Error "Talos could not write a file, or would write it twice."
    CidrOverlap "cidr-overlap" Error "Two networks that must be apart overlap."
    OnlyMagicDns "only-magic-dns" Error "The only nameserver is Tailscale's own."
    AcceptDns "accept-dns" Warning "Tailscale is told to change the node's resolver, which Talos does not allow."
    ReadOnlyPath "read-only-path" Warning "Persistent volumes would be made on Talos's read-only root."
    // Devices among each other
    DuplicateAddress "duplicate-address" Error "Two devices have one address."
    DuplicateHostname "duplicate-hostname" Error "Two devices of a cluster have one hostname, or two of the fleet one name in the tailnet."
    NoControlPlane "no-control-plane" Warning "A cluster has devices and none of them is a control plane."
    EvenControlPlanes "even-control-planes" Warning "A cluster has an even number of control planes."
    ObjectConflict "object-conflict" Error "Two devices of a cluster define one Kubernetes object differently."
    DefaultClass "default-class" Error "A StorageClass of one node would be the cluster's default one."
    // Outputs
    PathEscape "path-escape" Error "A path leaves the folder that it belongs to."
    OutputCollision "output-collision" Error "Two artifacts would be written to one file, or two applications to one folder."
    TemplateSyntax "template-syntax" Error "A template cannot be parsed."
    TemplateUndefined "template-undefined" Error "A template uses a name that is not there."
    TemplateFailed "template-failed" Error "A template cannot be rendered."
    TemplateShape "template-shape" Error "A value would change the structure of the document around it."
    OutputSchema "output-schema" Error "A rendered artifact is not a valid document of its kind."
    // The machine config
    InvalidDocument "invalid-document" Error "A document of the machine config breaks a rule of Talos."
    DocumentConflict "document-conflict" Error "Two parts of the machine config exclude each other."
    BadPatch "bad-patch" Error "A patch cannot be merged into the machine config."
    NothingToDelete "nothing-to-delete" Error "A patch deletes something that is not there."
    PatchConflict "patch-conflict" Warning "Two patches set one field of the machine config to different values."
    ListAppended "list-appended" Warning "Two patches add to one list of the machine config."
    ClearedField "cleared-field" Warning "A patch clears a field that it does not repeat."
    // Secrets
    LiteralSecret "literal-secret" Error "A secret stands in a tracked file."
    SecretUnavailable "secret-unavailable" Warning "No source of a secret is there, so the file that needs it was not written."
    SecretOutdated "secret-outdated" Error "A secret file could not be renewed, and an older one lies there."
    SecretFailed "secret-failed" Error "A source of a secret is there and fails."
    SecretNotIgnored "secret-not-ignored" Error "A file with a secret would not be ignored by git."
    SecretTracked "secret-tracked" Error "A file with a secret is tracked by git."
    TailscaleKeyKind "tailscale-key-kind" Error "A secret is another kind of Tailscale key than the one that is needed."
    // Files on disk
    Stale "stale" Error "A generated file is older than the model."
    HandEdited "hand-edited" Error "A generated file was edited by hand."
    Missing "missing" Error "A generated file is not there."
    Orphan "orphan" Error "A generated file belongs to nothing any more."
    ForeignFile "foreign-file" Error "A file that talosmith did not make lies where it would write one."
    Symlink "symlink" Error "A symbolic link lies where talosmith would write."
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no code of the table.
#[derive(Debug, thiserror::Error)]
#[error("there is no code `{0}`")]
pub struct NoSuchCode(pub String);

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
