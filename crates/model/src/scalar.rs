//! The kinds of strings in the model: each a type whose `FromStr` returns what is wrong and what to write.

mod image;
mod label;
mod name;
mod network;
mod link;
mod path;
mod reference;
mod size;
mod bound;
mod host;
mod system;
mod value;

pub use bound::UpperBound;
pub(crate) use host::{Host, NodeEndpoint, Registry, SubjectAltName, Url};
pub(crate) use image::{Extension, Image, KernelArgument, Tag};
pub(crate) use label::{LabelKey, LabelValue, Taint};
pub(crate) use link::{LinkAddress, LinkName, MacAddress};
pub use name::is_secret_name;
pub(crate) use name::{
    Argument, Cel, DnsDomain, DnsLabel, EnvironmentVariable, Hostname, ModelKey, Name, ObjectName, OpReference,
    SecretName, VolumeName,
};
pub(crate) use network::{Address, Cidr, Endpoint, LogUrl, Route, SubnetFilter};
pub(crate) use path::{AbsolutePath, ArtifactPath, DevicePath, RelativePath};
pub(crate) use reference::{FileGlob, ValuePath};
pub use size::{Size, grouped};
pub(crate) use size::{VolumeSize, suggested};
pub(crate) use system::{ArgumentName, Duration, FileMode, KubernetesVersion, Sysctl};
pub(crate) use value::{Value, ValueName, ValueText};

use std::str::FromStr;

use talosmith_document::{Code, Diagnostic, Location, TalosVersion, closest};
use talosmith_machinery::cel;

/// Why a string is not a scalar of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScalarError {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// The label of the underlined part.
    pub label: String,
    /// The consequence.
    pub note: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// The range of bytes that is wrong; none for the whole string.
    pub part: Option<std::ops::Range<usize>>,
}

impl From<cel::CelError> for ScalarError {
    fn from(error: cel::CelError) -> Self {
        let part = (!error.range.is_empty()).then_some(error.range);
        Self {
            message: error.message,
            label: error.label,
            note: Some("Talos refuses a config with such a selector".to_owned()),
            help: error.help,
            part,
        }
    }
}

impl ScalarError {
    /// Returns an error with only a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), label: String::new(), note: None, help: None, part: None }
    }

    /// Sets the label of the underlined part.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Sets the consequence.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// Sets what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }

    /// Returns the finding at a location.
    #[must_use]
    pub fn at(self, code: Code, location: Location) -> Diagnostic {
        let location = match self.part {
            Some(part) => location.part(part),
            None => location,
        };
        let mut finding = Diagnostic::new(code, self.message, location).label(self.label);
        finding.notes.extend(self.note);
        finding.helps.extend(self.help);
        finding
    }
}

/// A `format` of the schemas.
#[derive(Debug)]
pub struct Format {
    /// The value of `format` in the schema.
    pub name: &'static str,
    /// The code of its findings.
    pub code: Code,
    /// Parses a string and drops the value.
    pub check: fn(&str) -> Result<(), ScalarError>,
    /// A regular expression of ECMAScript that every string of the format matches, and a common mistake does not.
    pub pattern: &'static str,
}

fn check<T: FromStr<Err = ScalarError>>(text: &str) -> Result<(), ScalarError> {
    text.parse::<T>().map(drop)
}

/// Returns whether a string is a scalar of type `T`.
pub(crate) fn is_valid<T: FromStr<Err = ScalarError>>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Passes the table of scalars to a macro: the `format` in the schemas, the code of a finding, the type, and a
/// pattern that all its strings match, for editors and other validators. Sorted by format.
macro_rules! with_scalars {
    ($receiver:ident) => {
        $receiver! {
            "absolute-path" PathEscape AbsolutePath r#"^(/[^/]+)+$"#;
            "argument" BadName Argument r#"^\S+$"#;
            "argument-name" BadName ArgumentName r#"^[A-Za-z0-9][A-Za-z0-9._-]*$"#;
            "artifact-path" PathEscape ArtifactPath r#"^(?!/)(?!(.*/)?\.{1,2}(/|$))(\$<name>|[^\\:*?"<>|])+$"#;
            "cel" BadSelector Cel r#"\S"#;
            "cidr" BadCidr Cidr r#"^(([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/[0-9]{1,3}$"#;
            "code" BadName CodeName r#"^[a-z0-9]+(-[a-z0-9]+)*$"#;
            "device-path" BadName DevicePath r#"^/dev/[A-Za-z0-9._:+/-]+$"#;
            "dns-domain" BadHostname DnsDomain r#"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"#;
            "dns-label" BadHostname DnsLabel r#"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$"#;
            "duration" WrongType Duration r#"^([0-9]+(ms|s|m|h))+$"#;
            "endpoint" BadAddress Endpoint r#"^https://[^/\s]+/?$"#;
            "environment-variable" BadName EnvironmentVariable r#"^[A-Za-z_][A-Za-z0-9_]*$"#;
            "extension" BadName Extension r#"^siderolabs/[A-Za-z0-9._-]+$"#;
            "file-glob" PathEscape FileGlob r#"^(?!/)(?!(.*/)?\.{1,2}(/|$))[^\\:"<>|]+$"#;
            "file-mode" WrongType FileMode r#"^0o?[0-7]{3,4}$"#;
            "host" BadAddress Host r#"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$"#;
            "hostname" BadHostname Hostname r#"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"#;
            "image" BadImage Image r#"^[A-Za-z0-9._/:-]+(:[A-Za-z0-9_][A-Za-z0-9._-]*|@sha256:[0-9a-f]{64})$"#;
            "ip-address" BadAddress Address r#"^(([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$"#;
            "kernel-argument" KernelArg KernelArgument r#"^([^\s"]|"[^"]*"?)+$"#;
            "kubernetes-version" BadVersion KubernetesVersion r#"^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$"#;
            "label-key" BadLabel LabelKey r#"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"#;
            "label-value" BadLabel LabelValue r#"^([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$"#;
            "link-address" BadAddress LinkAddress r#"^(address/[0-9]{1,3}|(address in )?(([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/[0-9]{1,3})$"#;
            "link-name" BadName LinkName r#"^(?!\.{1,2}$)[^\s/:%]{1,15}$"#;
            "log-url" BadAddress LogUrl r#"^(tcp|udp)://[^/\s]+:[0-9]{1,5}/?$"#;
            "mac-address" BadAddress MacAddress r#"^([0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}|(?=.*\*)[0-9A-Fa-f:*]+)$"#;
            "model-key" BadName ModelKey r#"^[^.\s]+(\.[^.\s]+)*$"#;
            "name" BadName Name r#"^[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"#;
            "node-endpoint" BadAddress NodeEndpoint r#"^(cluster|https://[^/\s]+/?)$"#;
            "object-name" BadName ObjectName r#"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$"#;
            "op-reference" BadName OpReference r#"^op://[^/]+(/[^/]+){2,3}$"#;
            "registry" BadAddress Registry r#"^(\*|[a-z0-9.-]+(:[0-9]{1,5})?|[0-9A-Fa-f:.]+)$"#;
            "relative-path" PathEscape RelativePath r#"^(?!/)(?!(.*/)?\.{1,2}(/|$))[^\\:*?"<>|]+$"#;
            "route" BadCidr Route r#"^(pods|services|(([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/[0-9]{1,3})$"#;
            "secret-name" BadName SecretName r#"^(?!tskey-)[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$"#;
            "size" BadSize Size r#"^0*[1-9][0-9]*(B|kB|[MGT]B|[KMGT]iB)$"#;
            "subject-alt-name" BadAddress SubjectAltName r#"^((\*\.)?[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)$"#;
            "subnet-filter" BadCidr SubnetFilter r#"^!?(([0-9]{1,3}\.){3}[0-9]{1,3}|[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*)/[0-9]{1,3}$"#;
            "sysctl" BadName Sysctl r#"^(?=.*[./])[A-Za-z0-9_/:-]+(\.[A-Za-z0-9_/:-]+)*$"#;
            "tag" BadName Tag r#"^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$"#;
            "taint" BadLabel Taint r#"^(([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?:)?(NoSchedule|PreferNoSchedule|NoExecute)$"#;
            "talos-version" BadVersion VersionTag r#"^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$"#;
            "upper-bound" BadSize UpperBound r#"^(-?0*[1-9][0-9]*(B|kB|[MGT]B|[KMGT]iB)|0*(100|[1-9][0-9]?)%)$"#;
            "url" BadAddress Url r#"^https?://[^/\s]\S*$"#;
            "value" TemplateShape ValueText r#"^[A-Za-z0-9]([A-Za-z0-9._/:@+-]{0,251}[A-Za-z0-9])?$"#;
            "value-name" BadName ValueName r#"^[a-z][A-Za-z0-9]{0,62}$"#;
            "value-path" BadName ValuePath r#"^[^/]+(/[^/]+)*$"#;
            "volume-name" VolumeName VolumeName r#"^[A-Za-z0-9-]{1,34}$"#;
            "volume-size" BadSize VolumeSize r#"^(remaining|0*[1-9][0-9]*(B|kB|[MGT]B|[KMGT]iB))$"#;
        }
    };
}

macro_rules! formats {
    ($($name:literal $code:ident $type:ident $pattern:literal;)*) => {
        /// Every `format` that the schemas use, sorted by name.
        pub const FORMATS: &[Format] = &[$(Format {
            name: $name,
            code: Code::$code,
            check: check::<$type>,
            pattern: $pattern,
        }),*];
    };
}

with_scalars!(formats);

/// Returns the format of a name; none if the schemas have no such format.
pub(crate) fn format(name: &str) -> Option<&'static Format> {
    FORMATS.binary_search_by(|format| format.name.cmp(name)).ok().map(|at| &FORMATS[at])
}

/// Accepts what parses as a [`Code`], which the model uses as it is.
pub(crate) struct CodeName;

impl FromStr for CodeName {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        text.parse::<Code>().map(|_| Self).map_err(|error| {
            let error = ScalarError::new(error.to_string());
            match closest(text, Code::ALL.iter().map(|code| code.name())) {
                Some(near) => error.label(format!("did you mean `{near}`?")),
                None => error.help("talosmith explain --list"),
            }
        })
    }
}

/// Accepts what parses as a [`TalosVersion`], which the model uses as it is.
pub(crate) struct VersionTag;

impl FromStr for VersionTag {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        text.parse::<TalosVersion>().map(|_| Self).map_err(|error| {
            let error = ScalarError::new(error.to_string());
            let mut numbers: Vec<&str> = text.trim_start_matches('v').split('.').collect();
            if numbers.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
                numbers.resize(3, "0");
                return error.help(format!("write `v{}`", numbers.join(".")));
            }
            error.help("write a version as Talos tags its releases, such as `v1.12.1`")
        })
    }
}

/// Implements `TryFrom<String>` by `FromStr`.
macro_rules! try_from_text {
    ($($type:ident),*) => {$(
        impl TryFrom<String> for $type {
            type Error = crate::scalar::ScalarError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}

/// Implements `AsRef<str>`, `Display` and `Serialize` by `as_str`, and `TryFrom<String>` by `FromStr`.
macro_rules! text_scalar {
    ($($type:ident),*) => {$(
        impl AsRef<str> for $type {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        crate::scalar::try_from_text!($type);
    )*};
}

/// Defines scalars that are a string which a function has checked.
macro_rules! string_scalars {
    ($($(#[$attribute:meta])* $visibility:vis $type:ident: $check:path;)*) => {$(
        $(#[$attribute])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Deserialize)]
        #[serde(try_from = "String")]
        $visibility struct $type(String);

        impl $type {
            /// Returns the string as it was written.
            $visibility fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::str::FromStr for $type {
            type Err = crate::scalar::ScalarError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                $check(text).map(|()| Self(text.to_owned()))
            }
        }

        crate::scalar::text_scalar!($type);
    )*};
}

pub(crate) use {string_scalars, text_scalar, try_from_text, with_scalars};
