//! The kinds of strings in the model: each a type whose `FromStr` returns what is wrong and what to write.

mod image;
mod label;
mod name;
mod network;
mod path;
mod size;
mod bound;
mod host;
mod system;

pub use bound::UpperBound;
pub(crate) use host::{Host, NodeEndpoint, Registry, SubjectAltName, Url};
pub(crate) use image::{Extension, Image, KernelArgument, Tag};
pub(crate) use label::{LabelKey, LabelValue, Taint};
pub(crate) use name::{
    Argument, Cel, DnsLabel, EnvironmentVariable, Hostname, ModelKey, Name, ObjectName, OpReference, SecretName,
    VolumeName,
};
pub(crate) use network::{Address, Cidr, Endpoint, Route, SubnetFilter};
pub(crate) use path::{AbsolutePath, DevicePath, RelativePath};
pub use size::{Size, grouped};
pub(crate) use size::{VolumeSize, suggested};
pub(crate) use system::{ArgumentName, Duration, FileMode, Sysctl};

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
}

fn check<T: FromStr<Err = ScalarError>>(text: &str) -> Result<(), ScalarError> {
    text.parse::<T>().map(drop)
}

/// Returns whether a string is a scalar of type `T`.
pub(crate) fn is_valid<T: FromStr<Err = ScalarError>>(text: &str) -> bool {
    text.parse::<T>().is_ok()
}

/// Passes the table of scalars to a macro: the `format` in the schemas, the code of a finding, and the type. Sorted by format.
macro_rules! with_scalars {
    ($receiver:ident) => {
        $receiver! {
            "absolute-path" PathEscape AbsolutePath;
            "argument" BadName Argument;
            "argument-name" BadName ArgumentName;
            "cel" BadSelector Cel;
            "cidr" BadCidr Cidr;
            "code" BadName CodeName;
            "device-path" BadName DevicePath;
            "dns-label" BadHostname DnsLabel;
            "duration" WrongType Duration;
            "endpoint" BadAddress Endpoint;
            "environment-variable" BadName EnvironmentVariable;
            "extension" BadName Extension;
            "file-mode" WrongType FileMode;
            "host" BadAddress Host;
            "hostname" BadHostname Hostname;
            "image" BadImage Image;
            "ip-address" BadAddress Address;
            "kernel-argument" KernelArg KernelArgument;
            "label-key" BadLabel LabelKey;
            "label-value" BadLabel LabelValue;
            "model-key" BadName ModelKey;
            "name" BadName Name;
            "node-endpoint" BadAddress NodeEndpoint;
            "object-name" BadName ObjectName;
            "op-reference" BadName OpReference;
            "registry" BadAddress Registry;
            "relative-path" PathEscape RelativePath;
            "route" BadCidr Route;
            "secret-name" BadName SecretName;
            "size" BadSize Size;
            "subject-alt-name" BadAddress SubjectAltName;
            "subnet-filter" BadCidr SubnetFilter;
            "sysctl" BadName Sysctl;
            "tag" BadName Tag;
            "taint" BadLabel Taint;
            "talos-version" BadVersion VersionTag;
            "upper-bound" BadSize UpperBound;
            "url" BadAddress Url;
            "volume-name" VolumeName VolumeName;
            "volume-size" BadSize VolumeSize;
        }
    };
}

macro_rules! formats {
    ($($name:literal $code:ident $type:ident;)*) => {
        /// Every `format` that the schemas use, sorted by name.
        pub const FORMATS: &[Format] = &[$(Format { name: $name, code: Code::$code, check: check::<$type> }),*];
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
