//! The classes of what a change does to a running node.

use std::fmt;
use std::str::FromStr;

/// What a change does to a running node. The most harmful comes first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// Data is lost, since something must be wiped.
    Wipe,
    /// The node, the cluster or something in it becomes another one.
    Identity,
    /// Something does not work after the next boot; no data is lost.
    Broken,
    /// It is not known what happens.
    Unknown,
    /// The node reboots by itself and is not drained: only up to 1.13.
    Reboot,
    /// It is accepted, and has no effect until the node reboots.
    Pending,
    /// It takes effect with `talosctl upgrade`.
    Upgrade,
    /// A further step must be done by hand.
    Manual,
    /// A service or static pod starts again.
    Restart(String),
    /// It grows at the next boot.
    Grow,
    /// What exists stays as it is.
    Kept,
    /// Only an installation reads it.
    Install,
    /// Objects in Kubernetes change.
    Kubernetes,
    /// It takes effect within seconds.
    Live,
    /// Nothing happens.
    None,
}

/// The classes that name nothing, the most harmful first.
const PLAIN: [Class; 14] = [
    Class::Wipe,
    Class::Identity,
    Class::Broken,
    Class::Unknown,
    Class::Reboot,
    Class::Pending,
    Class::Upgrade,
    Class::Manual,
    Class::Grow,
    Class::Kept,
    Class::Install,
    Class::Kubernetes,
    Class::Live,
    Class::None,
];

/// Returns the codes of all classes, `restart` without the name of what restarts.
pub fn class_codes() -> impl Iterator<Item = &'static str> {
    PLAIN.iter().map(Class::code).chain(["restart"])
}

impl Class {
    /// The code of the class, without the name of what restarts.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wipe => "wipe",
            Self::Identity => "identity",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
            Self::Reboot => "reboot",
            Self::Pending => "pending",
            Self::Upgrade => "upgrade",
            Self::Manual => "manual",
            Self::Restart(_) => "restart",
            Self::Grow => "grow",
            Self::Kept => "kept",
            Self::Install => "install",
            Self::Kubernetes => "k8s",
            Self::Live => "live",
            Self::None => "none",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Restart(name) => write!(f, "restart:{name}"),
            other => f.write_str(other.code()),
        }
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let restart = text.strip_prefix("restart:").map(|name| Self::Restart(name.to_owned()));
        restart.or_else(|| PLAIN.into_iter().find(|class| class.code() == text)).ok_or(())
    }
}
