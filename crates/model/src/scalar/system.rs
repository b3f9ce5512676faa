//! Scalars of the node's system: times, modes of files, arguments of programs, kernel parameters.

use std::str::FromStr;

use serde::Deserialize;
use talosmith_document::TalosVersion;

use super::{ScalarError, string_scalars, try_from_text};

string_scalars! {
    /// A version of Kubernetes, as its releases are tagged: `v1.35.4`.
    pub KubernetesVersion: check_kubernetes_version;
    /// A duration as Go writes it: `30s`, `2m30s`, `1h`.
    pub Duration: check_duration;
    /// The name of a program's argument, without the dashes: `feature-gates`.
    pub ArgumentName: check_argument_name;
    /// The name of a kernel parameter, as sysctl has it: `net.ipv4.ip_forward`.
    pub Sysctl: check_sysctl;
}

impl KubernetesVersion {
    /// Returns the first two numbers.
    pub fn minor(&self) -> (u64, u64) {
        self.0.parse::<TalosVersion>().map(|version| version.minor()).unwrap_or_default()
    }
}

/// Kubernetes has the versions of Talos's form.
fn check_kubernetes_version(text: &str) -> Result<(), ScalarError> {
    let error = ScalarError::new(format!("`{text}` is not a version of Kubernetes"))
        .help("write it as Kubernetes tags its releases, such as `v1.35.4`");
    text.parse::<TalosVersion>().map(drop).map_err(|_| error)
}

fn check_duration(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{text}` is not a duration"));
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let unit = rest[digits..].bytes().take_while(u8::is_ascii_alphabetic).count();
        if digits == 0 || !["ms", "s", "m", "h"].contains(&&rest[digits..digits + unit]) {
            return Err(fault().help("write numbers with the units h, m, s or ms, such as `30s` or `2m30s`"));
        }
        rest = &rest[digits + unit..];
    }
    if text.is_empty() { Err(fault().help("write a duration such as `30s`")) } else { Ok(()) }
}

/// The mode of a file, in octal: `0644`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct FileMode(u16);

impl FileMode {
    /// The default: the owner writes, all read.
    pub const DEFAULT: Self = Self(0o644);

    /// Returns the permission bits.
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl FromStr for FileMode {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        let digits = text.strip_prefix("0o").or_else(|| text.strip_prefix('0'));
        match digits.filter(|digits| (3..=4).contains(&digits.len())).map(|digits| u16::from_str_radix(digits, 8)) {
            Some(Ok(mode)) => Ok(Self(mode)),
            _ => Err(ScalarError::new(format!("`{text}` is not a file mode"))
                .help("write three octal digits after a zero, in quotes: `\"0644\"`")),
        }
    }
}

fn check_argument_name(text: &str) -> Result<(), ScalarError> {
    let good = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if good(text) {
        return Ok(());
    }
    let fault = ScalarError::new(format!("`{}` is not a valid argument name", text.escape_debug()));
    let bare = text.trim_start_matches('-').split('=').next().unwrap_or_default();
    Err(if good(bare) { fault.help(format!("write `{bare}`, and its value after the colon")) } else { fault })
}

fn check_sysctl(text: &str) -> Result<(), ScalarError> {
    let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if text.split('.').any(str::is_empty) || !text.contains(['.', '/']) || !text.chars().all(named) {
        let fault = ScalarError::new(format!("`{}` is not a valid kernel parameter", text.escape_debug()));
        return Err(fault.help("write a name such as `net.ipv4.ip_forward`"));
    }
    Ok(())
}

try_from_text!(FileMode);
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_gos() {
        for good in ["30s", "2m30s", "1h", "500ms"] {
            assert!(good.parse::<Duration>().is_ok(), "{good}");
        }
        for bad in ["", "30", "s", "1d", "1.5h", "-1s", "1 s"] {
            assert!(bad.parse::<Duration>().is_err(), "{bad}");
        }
    }

    #[test]
    fn modes_are_octal() {
        let octal = |text: &str| text.parse::<FileMode>().map(FileMode::bits);
        assert_eq!(octal("0644"), Ok(0o644));
        assert_eq!(octal("0o600"), Ok(0o600));
        assert_eq!(octal("01777"), Ok(0o1777));
        for bad in ["644", "0888", "rw-r--r--", "0", ""] {
            assert!(octal(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn arguments_have_no_dashes() {
        assert!("feature-gates".parse::<ArgumentName>().is_ok());
        let fault = "--v=2".parse::<ArgumentName>().expect_err("dashes");
        assert_eq!(fault.help.as_deref(), Some("write `v`, and its value after the colon"));
    }

    #[test]
    fn sysctls_have_dots() {
        for good in ["vm.nr_hugepages", "net.ipv4.conf.eth0/100.rp_filter"] {
            assert!(good.parse::<Sysctl>().is_ok(), "{good}");
        }
        for bad in ["", "vm", "vm..x", "vm nr", ".a"] {
            assert!(bad.parse::<Sysctl>().is_err(), "{bad}");
        }
    }
}
