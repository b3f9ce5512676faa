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
    /// Nobody knows.
    Unknown,
    /// The node reboots by itself and is not drained: only up to 1.13.
    Reboot,
    /// It is accepted, and has no effect until somebody reboots the node.
    Pending,
    /// It takes effect with `talosctl upgrade`.
    Upgrade,
    /// Somebody has to do something more.
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

/// The words of the classes, the most harmful first, without the name that follows `restart:`.
pub const CLASSES: &[&str] = &[
    "wipe", "identity", "broken", "unknown", "reboot", "pending", "upgrade", "manual", "restart", "grow", "kept",
    "install", "k8s", "live", "none",
];

impl Class {
    /// The word of the class, without the name of what restarts.
    #[must_use]
    pub fn word(&self) -> &'static str {
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
            other => f.write_str(other.word()),
        }
    }
}

impl FromStr for Class {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let plain = [
            Self::Wipe,
            Self::Identity,
            Self::Broken,
            Self::Unknown,
            Self::Reboot,
            Self::Pending,
            Self::Upgrade,
            Self::Manual,
            Self::Grow,
            Self::Kept,
            Self::Install,
            Self::Kubernetes,
            Self::Live,
            Self::None,
        ];
        let restart = text.strip_prefix("restart:").map(|name| Self::Restart(name.to_owned()));
        restart.or_else(|| plain.into_iter().find(|class| class.word() == text)).ok_or(())
    }
}
