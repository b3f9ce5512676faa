//! The scalars of the domain: each a type whose `FromStr` says what is wrong and what to write.

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
pub use host::{Host, NodeEndpoint, Registry, SubjectAltName, Url};
pub use image::{Extension, Image, KernelArgument, Tag};
pub use label::{LabelKey, LabelValue, Taint};
pub use name::{
    Argument, Cel, DnsLabel, EnvironmentVariable, Hostname, ModelKey, Name, ObjectName, OpReference, SecretName,
    VolumeName,
};
pub use network::{Address, Cidr, Endpoint, Route, SubnetFilter};
pub use path::{AbsolutePath, DevicePath, RelativePath};
pub use size::{Size, VolumeSize, grouped, suggested};
pub use system::{ArgumentName, Duration, FileMode, Sysctl};

use talosmith_document::{Code, Diagnostic, Location, TalosVersion};
use talosmith_machinery::cel;

/// Why a text is not a scalar of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ScalarFault {
    /// What is wrong: lower case, no full stop.
    pub message: String,
    /// What to say beside the underline.
    pub label: String,
    /// The consequence.
    pub note: Option<String>,
    /// What to write instead.
    pub help: Option<String>,
    /// The bytes that are wrong, if not all are.
    pub part: Option<std::ops::Range<usize>>,
}

impl From<cel::Fault> for ScalarFault {
    fn from(fault: cel::Fault) -> Self {
        let part = (!fault.range.is_empty()).then_some(fault.range);
        Self {
            message: fault.message,
            label: fault.label,
            note: Some("Talos refuses a config with such a selector".to_owned()),
            help: fault.help,
            part,
        }
    }
}

impl ScalarFault {
    /// A fault with nothing but its message.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), label: String::new(), note: None, help: None, part: None }
    }

    /// Says something beside the underline.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.label = text.into();
        self
    }

    /// Adds the consequence.
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.note = Some(text.into());
        self
    }

    /// Adds what to write instead.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(text.into());
        self
    }
}

impl ScalarFault {
    /// The finding that this fault is at a place.
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
    /// The word in the schema.
    pub name: &'static str,
    /// The code of its faults.
    pub code: Code,
    /// Parses a text and forgets the value.
    pub check: fn(&str) -> Result<(), ScalarFault>,
}

fn check<T: std::str::FromStr<Err = ScalarFault>>(text: &str) -> Result<(), ScalarFault> {
    text.parse::<T>().map(|_| ())
}

/// Every `format` that the schemas use, sorted by name.
pub const FORMATS: &[Format] = &[
    Format { name: "absolute-path", code: Code::PathEscape, check: check::<AbsolutePath> },
    Format { name: "argument", code: Code::BadName, check: check::<Argument> },
    Format { name: "argument-name", code: Code::BadName, check: check::<ArgumentName> },
    Format { name: "cel", code: Code::BadSelector, check: check::<Cel> },
    Format { name: "cidr", code: Code::BadCidr, check: check::<Cidr> },
    Format { name: "code", code: Code::BadName, check: check_code },
    Format { name: "device-path", code: Code::BadName, check: check::<DevicePath> },
    Format { name: "dns-label", code: Code::BadHostname, check: check::<DnsLabel> },
    Format { name: "duration", code: Code::WrongType, check: check::<Duration> },
    Format { name: "endpoint", code: Code::BadAddress, check: check::<Endpoint> },
    Format { name: "environment-variable", code: Code::BadName, check: check::<EnvironmentVariable> },
    Format { name: "extension", code: Code::BadName, check: check::<Extension> },
    Format { name: "file-mode", code: Code::WrongType, check: check::<FileMode> },
    Format { name: "host", code: Code::BadAddress, check: check::<Host> },
    Format { name: "hostname", code: Code::BadHostname, check: check::<Hostname> },
    Format { name: "image", code: Code::BadImage, check: check::<Image> },
    Format { name: "ip-address", code: Code::BadAddress, check: check::<Address> },
    Format { name: "kernel-argument", code: Code::KernelArg, check: check::<KernelArgument> },
    Format { name: "label-key", code: Code::BadLabel, check: check::<LabelKey> },
    Format { name: "label-value", code: Code::BadLabel, check: check::<LabelValue> },
    Format { name: "model-key", code: Code::BadName, check: check::<ModelKey> },
    Format { name: "name", code: Code::BadName, check: check::<Name> },
    Format { name: "node-endpoint", code: Code::BadAddress, check: check::<NodeEndpoint> },
    Format { name: "object-name", code: Code::BadName, check: check::<ObjectName> },
    Format { name: "op-reference", code: Code::BadName, check: check::<OpReference> },
    Format { name: "registry", code: Code::BadAddress, check: check::<Registry> },
    Format { name: "relative-path", code: Code::PathEscape, check: check::<RelativePath> },
    Format { name: "route", code: Code::BadCidr, check: check::<Route> },
    Format { name: "secret-name", code: Code::BadName, check: check::<SecretName> },
    Format { name: "size", code: Code::BadSize, check: check::<Size> },
    Format { name: "subject-alt-name", code: Code::BadAddress, check: check::<SubjectAltName> },
    Format { name: "subnet-filter", code: Code::BadCidr, check: check::<SubnetFilter> },
    Format { name: "sysctl", code: Code::BadName, check: check::<Sysctl> },
    Format { name: "tag", code: Code::BadName, check: check::<Tag> },
    Format { name: "taint", code: Code::BadLabel, check: check::<Taint> },
    Format { name: "talos-version", code: Code::BadVersion, check: check_version },
    Format { name: "upper-bound", code: Code::BadSize, check: check::<UpperBound> },
    Format { name: "url", code: Code::BadAddress, check: check::<Url> },
    Format { name: "volume-name", code: Code::VolumeName, check: check::<VolumeName> },
    Format { name: "volume-size", code: Code::BadSize, check: check::<VolumeSize> },
];

/// The format of a name, or none if the schemas have no such one.
#[must_use]
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.binary_search_by(|format| format.name.cmp(name)).ok().map(|at| &FORMATS[at])
}

/// The format of that name, looked up when talosmith is compiled.
pub(crate) const fn known(name: &str) -> &'static Format {
    let mut at = 0;
    while at < FORMATS.len() {
        if is_same(FORMATS[at].name.as_bytes(), name.as_bytes()) {
            return &FORMATS[at];
        }
        at += 1;
    }
    panic!("no scalar has this format")
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

fn check_code(text: &str) -> Result<(), ScalarFault> {
    text.parse::<Code>().map(|_| ()).map_err(|fault| {
        let fault_text = ScalarFault::new(fault.to_string());
        match talosmith_document::closest(text, Code::ALL.iter().map(|code| code.name())) {
            Some(near) => fault_text.label(format!("did you mean `{near}`?")),
            None => fault_text.help("talosmith explain --list"),
        }
    })
}

fn check_version(text: &str) -> Result<(), ScalarFault> {
    text.parse::<TalosVersion>().map(|_| ()).map_err(|fault| {
        let fault = ScalarFault::new(fault.to_string());
        let mut numbers: Vec<&str> = text.trim_start_matches('v').split('.').collect();
        if numbers.iter().all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit())) {
            numbers.resize(3, "0");
            return fault.help(format!("write `v{}`", numbers.join(".")));
        }
        fault.help("write a version as Talos tags its releases, such as `v1.12.1`")
    })
}

/// Gives a scalar type its `TryFrom<String>` from its `FromStr`.
macro_rules! try_from_text {
    ($($type:ident),*) => {$(
        impl TryFrom<String> for $type {
            type Error = crate::scalar::ScalarFault;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }
    )*};
}

/// Gives a scalar type its `AsRef<str>`, `Display`, `Serialize` and `TryFrom<String>` from its text and its `FromStr`.
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

/// Gives scalar types that are nothing but a checked text the same, and their `as_str`.
macro_rules! checked_text {
    ($($type:ident),*) => {$(
        impl $type {
            /// The text as it was written.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        crate::scalar::text_scalar!($type);
    )*};
}

pub(crate) use {checked_text, text_scalar, try_from_text};
