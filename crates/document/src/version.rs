//! Versions of Talos.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version of Talos, such as `v1.12.1` or `v1.14.0-rc.1`. Pre-releases come before their release.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(try_from = "String")]
pub struct TalosVersion {
    /// The first number.
    pub major: u64,
    /// The second number.
    pub minor: u64,
    /// The third number.
    pub patch: u64,
    /// The pre-release after the hyphen: `rc.1`.
    pub pre: Option<String>,
}

/// Why a string is not a version of Talos.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// Image tags and the Image Factory require the `v`.
    #[error("a Talos version starts with `v`")]
    NoV,
    /// Such as `v1.12`, or a number with a leading zero.
    #[error("a Talos version has three numbers, as in `v1.12.1`")]
    NotThreeNumbers,
    /// Such as `v1.12.1-`.
    #[error("after the `-` a Talos version has letters, digits, `-` and `.`, as in `v1.14.0-rc.1`")]
    BadPreRelease,
}

impl TalosVersion {
    /// The major and minor number. Tables about Talos are by minor version.
    pub const fn minor(&self) -> (u64, u64) {
        (self.major, self.minor)
    }
}

impl TryFrom<String> for TalosVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl serde::Serialize for TalosVersion {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for TalosVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        let rest = text.strip_prefix('v').ok_or(VersionError::NoV)?;
        let (numbers, pre) = match rest.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (rest, None),
        };
        let mut parts = numbers.split('.').map(number);
        let (Some(Some(major)), Some(Some(minor)), Some(Some(patch)), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(VersionError::NotThreeNumbers);
        };
        let legal =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if pre.is_some_and(|pre| !pre.split('.').all(legal)) {
            return Err(VersionError::BadPreRelease);
        }
        Ok(Self { major, minor, patch, pre: pre.map(str::to_owned) })
    }
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits && (text == "0" || !text.starts_with('0')) { text.parse().ok() } else { None }
}

impl fmt::Display for TalosVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)?;
        match &self.pre {
            Some(pre) => write!(f, "-{pre}"),
            None => Ok(()),
        }
    }
}

impl Ord for TalosVersion {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| match (&self.pre, &other.pre) {
            (None, None) => Ordering::Equal,
            (None, Some(_)) => Ordering::Greater,
            (Some(_), None) => Ordering::Less,
            (Some(a), Some(b)) => compare_pre_releases(a, b),
        })
    }
}

impl PartialOrd for TalosVersion {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Compares part by part: numbers by value, and numbers before letters, as in semantic versioning.
fn compare_pre_releases(a: &str, b: &str) -> Ordering {
    let parts = |text: &str| -> Vec<(bool, u64, String)> {
        text.split('.')
            .map(|part| match part.parse() {
                Ok(number) => (false, number, part.to_owned()),
                Err(_) => (true, 0, part.to_owned()),
            })
            .collect()
    };
    parts(a).cmp(&parts(b))
}

#[cfg(test)]
mod tests {
    use super::{TalosVersion, VersionError};

    fn parse(text: &str) -> Result<TalosVersion, VersionError> {
        text.parse()
    }

    #[test]
    fn versions_are_parsed_and_written_unchanged() {
        for text in ["v1.12.1", "v1.14.0-rc.1", "v0.0.0", "v1.12.0-alpha.0-12-gabc1234"] {
            assert_eq!(parse(text).map(|version| version.to_string()).as_deref(), Ok(text));
        }
        let version = TalosVersion { major: 1, minor: 14, patch: 0, pre: Some("rc.1".to_owned()) };
        assert_eq!(version.minor(), (1, 14));
        assert_eq!(parse("v1.14.0-rc.1"), Ok(version));
    }

    #[test]
    fn invalid_versions_are_rejected_with_a_reason() {
        for text in ["1.12.1", "", "V1.12.1", "latest", " v1.12.1"] {
            assert_eq!(parse(text), Err(VersionError::NoV), "{text}");
        }
        for text in [
            "v1.12",
            "v1.12.1.0",
            "v1.012.1",
            "v1.12.x",
            "v",
            "v1..1",
            "v+1.12.1",
            "v1.12.1+a",
            "v99999999999999999999.0.0",
        ] {
            assert_eq!(parse(text), Err(VersionError::NotThreeNumbers), "{text}");
        }
        for text in ["v1.12.1-", "v1.12.1-rc..1", "v1.12.1-rc 1", "v1.12.1-é"] {
            assert_eq!(parse(text), Err(VersionError::BadPreRelease), "{text}");
        }
        assert_eq!(VersionError::NoV.to_string(), "a Talos version starts with `v`");
    }

    #[test]
    fn versions_are_ordered_by_release() {
        let ordered = [
            "v1.9.0",
            "v1.12.0-alpha.2",
            "v1.12.0-alpha.10",
            "v1.12.0-beta.0",
            "v1.12.0-rc.0",
            "v1.12.0",
            "v1.12.2",
            "v1.12.10",
            "v1.13.0",
            "v2.0.0",
        ];
        let mut versions: Vec<TalosVersion> = ordered.iter().rev().map(|text| parse(text).expect(text)).collect();
        versions.sort();
        assert_eq!(versions.iter().map(ToString::to_string).collect::<Vec<_>>(), ordered);
    }
}
